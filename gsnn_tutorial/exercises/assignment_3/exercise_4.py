"""Exercise 4 of assignment 3: a layer as a module."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F

from gsnn_tutorial.exercises.assignment_3.exercise_4_cases import behaviour, maps_and_norms
from gsnn_tutorial.exercises.diagnosis import graded


class Layer(torch.nn.Module):
    """A right answer, in parts, of which each mistake has one of its own."""

    def __init__(self, lin_in, norm, lin_out, N):
        super().__init__()
        self.lin_in, self.norm, self.lin_out, self.N = lin_in, norm, lin_out, N
        self.r = torch.nn.Parameter(torch.ones(1))

    def node(self, z):
        """What nodes do with their channels, (N, C, B) -> (N, C, B)."""
        return F.elu(self.norm(z))

    def written(self, h):
        """What nodes write on edges, (E, B)."""
        z = self.lin_in(h).view(self.N, -1, h.shape[1])  # (N, C, B)
        return self.lin_out(self.node(z).flatten(0, 1))

    def forward(self, h):
        return self.written(h) + torch.relu(self.r) * h


@graded("a layer", cases=maps_and_norms, tolerance=1e-4, probe=behaviour, shrinks=False)
def layer(lin_in, norm, lin_out, N):
    """The module around two maps and a norm."""
    return Layer(lin_in, norm, lin_out, N)


# No module, or half a module


@layer.mistake("you returned the class. Return a module, made of it: return Layer(...).")
def the_class(*parts):
    return Layer


@layer.mistake("you returned a function. Return an instance of a class derived from torch.nn.Module.")
def a_function(*parts):
    return Layer(*parts).forward


@layer.mistake("your class assigns a module too early. Call super().__init__() first, in its __init__.")
def module_too_early(lin_in, norm, lin_out, N):
    class Wrong(torch.nn.Module):
        def __init__(self):
            self.lin_in = lin_in

    return Wrong()


@layer.mistake("your class assigns a parameter too early. Call super().__init__() first, in its __init__.")
def parameter_too_early(*parts):
    class Wrong(torch.nn.Module):
        def __init__(self):
            self.r = torch.nn.Parameter(torch.ones(1))

    return Wrong()


@layer.mistake("your class has no forward(self, h), so it cannot be called.")
def no_forward(*parts):
    class Wrong(Layer):
        forward = torch.nn.Module.forward

    return Wrong(*parts)


@layer.mistake("what the nodes write is detached, so the maps and the norm get no gradient. Leave .detach() out.")
def detached(*parts):
    class Wrong(Layer):
        def forward(self, h):
            return self.written(h).detach() + torch.relu(self.r) * h

    return Wrong(*parts)


@layer.mistake("your forward returns nothing. Let it end with return.")
def nothing_returned(*parts):
    class Wrong(Layer):
        def forward(self, h):
            self.written(h) + torch.relu(self.r) * h

    return Wrong(*parts)


# What torch finds, and r


def with_r(r, parts):
    """A layer that has this r."""
    made = Layer(*parts)
    del made.r
    made.r = r
    return made


@layer.mistake("the module has no tensor r. In __init__: self.r = torch.nn.Parameter(torch.ones(1)).")
def r_is_a_number(*parts):
    return with_r(1.0, parts)


@layer.mistake("r is a plain tensor, which no optimizer will find. Make it a torch.nn.Parameter.")
def r_is_a_plain_tensor(*parts):
    return with_r(torch.ones(1), parts)


@layer.mistake(
    "the maps and the norm are hidden from torch, in a list or a function, and will not be trained. Make each an "
    "attribute of the module: self.lin_in = lin_in."
)
def hidden_in_a_list(*parts):
    class Wrong(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.r = [Layer(*parts)], torch.nn.Parameter(torch.ones(1))

        def forward(self, h):
            return self.hidden[0].written(h) + torch.relu(self.r) * h

    return Wrong()


@layer.mistake(
    "your layer has copies of the parts. Keep those that you are given: the layers of a GSNN share their maps."
)
def copies(lin_in, norm, lin_out, N):
    return Layer(copy.deepcopy(lin_in), norm, copy.deepcopy(lin_out), N)


@layer.mistake("there is one number r in a layer, not one for each edge.")
def r_for_each_edge(lin_in, norm, lin_out, N):
    return with_r(torch.nn.Parameter(torch.ones(lin_in.N, 1)), (lin_in, norm, lin_out, N))


@layer.mistake("r starts at 1.")
def r_starts_at_0(*parts):
    return with_r(torch.nn.Parameter(torch.zeros(1)), parts)


@layer.mistake("r gets no gradient: .item(), .data and .detach() cut it off.")
def r_detached(*parts):
    class Wrong(Layer):
        def forward(self, h):
            return self.written(h) + torch.relu(self.r.detach()) * h

    return Wrong(*parts)


# The residual


@layer.mistake("the residual is missing: add relu(r) h to what the nodes have written.")
def no_residual(*parts):
    class Wrong(Layer):
        def forward(self, h):
            return self.written(h)

    return Wrong(*parts)


@layer.mistake("h is added twice. The residual is relu(r) h, and no more.")
def h_twice(*parts):
    class Wrong(Layer):
        def forward(self, h):
            return super().forward(h) + h

    return Wrong(*parts)


@layer.mistake("your residual lacks its relu. A negative r counts as 0.")
def no_relu(*parts):
    class Wrong(Layer):
        def forward(self, h):
            return self.written(h) + self.r * h

    return Wrong(*parts)


@layer.mistake("you took the relu of r h. Only r goes through it; a message may be negative.")
def relu_of_all(*parts):
    class Wrong(Layer):
        def forward(self, h):
            return self.written(h) + torch.relu(self.r * h)

    return Wrong(*parts)


# Inside the nodes


@layer.mistake("the norm is not used: it comes before the ELU.")
def no_norm(*parts):
    class Wrong(Layer):
        def node(self, z):
            return F.elu(z)

    return Wrong(*parts)


@layer.mistake("the ELU is missing: it comes after the norm.")
def no_elu(*parts):
    class Wrong(Layer):
        def node(self, z):
            return self.norm(z)

    return Wrong(*parts)


@layer.mistake("your nonlinearity is ReLU. Here it is ELU, which lets negative values through as exp(z) - 1.")
def relu_for_elu(*parts):
    class Wrong(Layer):
        def node(self, z):
            return F.relu(self.norm(z))

    return Wrong(*parts)


@layer.mistake("norm and ELU are in the wrong order: first the norm.")
def elu_before_norm(*parts):
    class Wrong(Layer):
        def node(self, z):
            return self.norm(F.elu(z))

    return Wrong(*parts)


@layer.mistake(
    "your channels are grouped wrongly. Channel c of node n has number n*C + c: view(N, -1, B), and flatten(0, 1) "
    "undoes it."
)
def grouped_by_channel(*parts):
    class Wrong(Layer):
        def written(self, h):
            z = self.lin_in(h).view(-1, self.N, h.shape[1]).transpose(0, 1)  # (N, C, B)
            return self.lin_out(self.node(z).transpose(0, 1).flatten(0, 1))

    return Wrong(*parts)
