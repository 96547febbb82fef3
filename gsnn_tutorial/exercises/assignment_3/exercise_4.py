"""Exercise 4 of assignment 3: a layer as a module."""

from __future__ import annotations

import copy  # noqa: F401  a slip uses it

import torch
import torch.nn.functional as F

from gsnn_tutorial.exercises.diagnosis import graded
from gsnn_tutorial.gsnn import win_indices, wout_indices
from gsnn_tutorial.gsnn.node import GroupLayerNorm
from gsnn_tutorial.sparse import SparseLinear


def maps_and_norms(seed):
    """Two maps, a norm between them, and the number of function nodes; nothing is at its initial value."""
    rng = torch.Generator().manual_seed(seed)
    cases = []
    for N, C in [(3, 4), (5, 3)]:
        order = torch.randperm(N, generator=rng).tolist()
        edges = [*zip(order, order[1:]), (order[0], order[-1]), (order[-1], order[0])]
        edges += [(N, order[0]), (N + 1, order[1]), (order[-1], N + 2), (order[1], N + 2)]
        edge_index = torch.tensor(edges).T.contiguous()
        size = (len(edges), N * C)
        lin_in = SparseLinear(win_indices(edge_index, N, C), size, generator=rng)
        lin_out = SparseLinear(wout_indices(edge_index, N, C), size[::-1], generator=rng)
        norm = GroupLayerNorm(N, C)
        with torch.no_grad():
            for parameter in [*lin_in.parameters(), *norm.parameters(), *lin_out.parameters()]:
                parameter.copy_(torch.randn(parameter.shape, generator=rng))
        cases.append((lin_in, norm, lin_out, N))
    return cases


def behaviour(layer, lin_in, norm, lin_out, N):
    """The behaviour of a layer: parameters, those given among them, outputs for three values of r, gradients."""
    if callable(layer) and not isinstance(layer, torch.nn.Module):
        return "a class" if isinstance(layer, type) else "a function"
    if not isinstance(layer, torch.nn.Module):
        return layer
    if getattr(layer.forward, "__func__", None) is torch.nn.Module.forward:
        return "a module without forward"
    if not isinstance(getattr(layer, "r", None), torch.Tensor):
        return "a module without a tensor r"
    h = torch.randn(lin_in.N, 4, generator=torch.Generator().manual_seed(lin_in.N)).requires_grad_()  # (E, B)
    if layer(h) is None:
        return "a module that returns nothing"
    if layer(h).shape != h.shape:
        raise ValueError(f"the module must return (E, B), here {tuple(h.shape)}, got {tuple(layer(h).shape)}")
    parameters, start, outputs = [*layer.parameters()], layer.r.detach().clone(), [layer(h)]
    for r in (-0.7, 0.4):
        with torch.no_grad():
            layer.r.fill_(r)
        outputs.append(layer(h))
    layer.zero_grad()
    parts = [parameter for parameter in parameters if parameter is not layer.r]
    for tensor in (h, *parts):
        tensor.grad = None
    if outputs[-1].requires_grad:
        outputs[-1].square().sum().backward()
    learns = any(layer.r is parameter for parameter in parameters) and layer.r.grad is not None
    gradient = layer.r.grad.sum() if learns else float("nan")
    with torch.no_grad():
        layer.r.copy_(start)
    results = zip(("h' with r at its start", "h' with r = -0.7", "h' with r = 0.4"), outputs)
    count = sum(parameter.numel() for parameter in parameters)
    flows = {"the gradient of the maps and the norm": _size(*parts), "the gradient of the state": _size(h)}
    given = {id(parameter) for part in (lin_in, norm, lin_out) for parameter in part.parameters()}
    own = {id(parameter) for parameter in parameters}
    counts = {"how many numbers parameters() finds": count, "whether the given parts are among its own": given <= own}
    return {**counts, **dict(results), "the gradient of r": gradient, **flows}


def _size(*tensors) -> float:
    """The sum of all sizes of gradients; NaN if one of the tensors gets none."""
    cut_off = any(tensor.grad is None for tensor in tensors)
    return float("nan") if cut_off else float(sum(tensor.grad.abs().sum() for tensor in tensors))


class Layer(torch.nn.Module):
    """A right answer."""

    def __init__(self, lin_in, norm, lin_out, N):
        super().__init__()
        self.lin_in, self.norm, self.lin_out, self.N = lin_in, norm, lin_out, N
        self.r = torch.nn.Parameter(torch.ones(1))

    def forward(self, h):
        z = self.lin_in(h).view(self.N, -1, h.shape[1])  # (N, C, B)
        a = F.elu(self.norm(z))
        return self.lin_out(a.flatten(0, 1)) + torch.relu(self.r) * h


@graded("a layer", cases=maps_and_norms, tolerance=1e-4, probe=behaviour, shrinks=False, helpers=(Layer,))
def layer(lin_in, norm, lin_out, N):
    """The module around two maps and a norm."""
    return Layer(lin_in, norm, lin_out, N)


MADE, INIT, R = "return Layer(lin_in, norm, lin_out, N)", "super().__init__()", "torch.nn.Parameter(torch.ones(1))"
layer.slips({
    # no module, or half a module
    "you returned the class. Return a module, made of it: return Layer(...).": {MADE: "return Layer"},
    "you returned a function. Return an instance of a class derived from torch.nn.Module.": {MADE: f"{MADE}.forward"},
    "your class assigns a module too early. Call super().__init__() first, in its __init__.": {INIT: None},
    "your class assigns a parameter too early. Call super().__init__() first, in its __init__.":
        {INIT: f"self.r = {R}\n        {INIT}"},
    "your class has no forward(self, h), so it cannot be called.": {"def forward": "def other"},
    "what the nodes write is detached, so the maps and the norm get no gradient. Leave .detach() out.":
        {"a.flatten(0, 1))": "a.flatten(0, 1)).detach()"},
    "your forward returns nothing. Let it end with return.": {"return self.lin_out": "self.lin_out"},
    # what torch finds, and r
    "the module has no tensor r. In __init__: self.r = torch.nn.Parameter(torch.ones(1)).": {R: "1.0"},
    "r is a plain tensor, which no optimizer will find. Make it a torch.nn.Parameter.": {R: "torch.ones(1)"},
    "the maps and the norm are hidden from torch, in a list or a function, and will not be trained. Make each an "
    "attribute of the module: self.lin_in = lin_in.":
        {"self.lin_in, self.norm, self.lin_out, self.N = lin_in, norm, lin_out, N":
         "self.parts, self.N = [lin_in, norm, lin_out], N",
         "self.lin_in(h)": "self.parts[0](h)", "self.norm(z)": "self.parts[1](z)", "self.lin_out(a": "self.parts[2](a"},
    "your layer has copies of the parts. Keep those that you are given: the layers of a GSNN share their maps.":
        {MADE: "return Layer(copy.deepcopy(lin_in), norm, copy.deepcopy(lin_out), N)"},
    "there is one number r in a layer, not one for each edge.": {"ones(1)": "ones(lin_in.N, 1)"},
    "r starts at 1.": {"ones(1)": "zeros(1)"},
    "r gets no gradient: .item(), .data and .detach() cut it off.": {"relu(self.r)": "relu(self.r.detach())"},
    # the residual
    "the residual is missing: add relu(r) h to what the nodes have written.": {" + torch.relu(self.r) * h": ""},
    "h is added twice. The residual is relu(r) h, and no more.": {"(self.r) * h": "(self.r) * h + h"},
    "your residual lacks its relu. A negative r counts as 0.": {"torch.relu(self.r)": "self.r"},
    "you took the relu of r h. Only r goes through it; a message may be negative.": {"(self.r) * h": "(self.r * h)"},
    # inside the nodes
    "the norm is not used: it comes before the ELU.": {"self.norm(z)": "z"},
    "the ELU is missing: it comes after the norm.": {"F.elu(self.norm(z))": "self.norm(z)"},
    "your nonlinearity is ReLU. Here it is ELU, which lets negative values through as exp(z) - 1.": {"F.elu": "F.relu"},
    "norm and ELU are in the wrong order: first the norm.": {"F.elu(self.norm(z))": "self.norm(F.elu(z))"},
    "your channels are grouped wrongly. Channel c of node n has number n*C + c: view(N, -1, B), and flatten(0, 1) "
    "undoes it.":
        {"view(self.N, -1, h.shape[1])": "view(-1, self.N, h.shape[1]).transpose(0, 1)",
         "a.flatten": "a.transpose(0, 1).flatten"},
})  # fmt: skip
