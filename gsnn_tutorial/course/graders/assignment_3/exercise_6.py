"""The graded exercises of assignment 3, a GSNN layer."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from gsnn_tutorial.checks.diagnosis import Graded
from gsnn_tutorial.graph import pathway_graph
from gsnn_tutorial.gsnn import GSNN, GroupLayerNorm, win_indices, wout_indices
from gsnn_tutorial.sparse import SparseLinear


def _one_list(*values) -> torch.Tensor:
    """Numbers, lists and tensors of any shape, one after the other, in double precision and without gradients."""
    parts = [torch.as_tensor(value, dtype=torch.float64).detach().flatten() for value in values]
    return torch.cat([torch.zeros(0, dtype=torch.float64), *parts])


# Reading in: from inputs to edges


def _read_in(x, edge_index, N):
    """x_i on the edges that leave input i, 0 on all others."""
    h = x.new_zeros(edge_index.shape[1], len(x))  # (E, B)
    for e, source in enumerate(edge_index[0].tolist()):
        if N <= source < N + x.shape[1]:
            h[e] = x[:, source - N]
    return h


def _from_the_end(x, edge_index, N):
    return x.T[edge_index[0] - N]


def _on_the_first_edges(x, edge_index, N):
    h = x.new_zeros(edge_index.shape[1], len(x))
    h[: x.shape[1]] = x.T
    return h


def _on_one_edge_each(x, edge_index, N):
    leaving = edge_index[0].tolist()
    h = x.new_zeros(edge_index.shape[1], len(x))
    for i in range(x.shape[1]):
        if N + i in leaving:
            h[leaving.index(N + i)] = x[:, i]
    return h


def _shared_out(x, edge_index, N):
    edges = torch.bincount(edge_index[0])[edge_index[0]]  # (E,): how many leave the same node
    return _read_in(x, edge_index, N) / edges[:, None]


def _from_node_N_on(x, edge_index, N, *, end=0, first=0):
    """Columns of x by the node at an edge's ``end``, from input ``first`` on."""
    h = x.new_zeros(edge_index.shape[1], len(x))
    for e, node in enumerate(edge_index[end].tolist()):
        if node >= N + first:
            h[e] = x[:, node - N]
    return h


def _an_edge_for_each(x, edge_index, N):
    h = x.new_zeros(edge_index.shape[1], len(x))
    for i in range(x.shape[1]):
        h[(edge_index[0] == N + i).nonzero()[0]] = x[:, i]
    return h


def _inputs_and_edges(seed):
    """More inputs than functions; one of them feeds two functions, one feeds none; edges in no order."""
    rng = np.random.default_rng(seed)
    cases = []
    for N in (3, int(rng.integers(4, 6))):
        I, chain = N + 2, rng.permutation(N).tolist()
        feeding = (N + rng.permutation(I)[:-1]).tolist()  # all but one
        edges = [*zip(chain, chain[1:]), (chain[-1], chain[0]), (chain[-1], N + I), (chain[0], N + I + 1)]
        edges += [*zip(feeding, chain), (feeding[0], chain[-1]), (feeding[-1], chain[1])]
        edge_index = torch.tensor(edges)[torch.tensor(rng.permutation(len(edges)))].T.contiguous()
        cases.append((torch.tensor(rng.standard_normal((4, I))).float(), edge_index, N))
    return cases


read_in = Graded(
    title="reading in",
    reference=_read_in,
    cases=_inputs_and_edges,
    mistakes={
        "your state is (B, E). Outside, samples come first; inside the network an edge is a row and a sample is a "
        "column.": lambda *case: _read_in(*case).T,
        "edges that leave a function node carry a value too. source - N is negative there, and a negative index counts "
        "from the end: those edges start at 0.": _from_the_end,
        "you numbered the inputs first. Functions come first: input i is node N + i.": (
            lambda x, edge_index, N: _read_in(x, edge_index, 0)
        ),
        "you filled the first rows of h. An edge of input i may stand anywhere, and there may be several: look where "
        "edge_index[0] is N + i.": _on_the_first_edges,
        "an input speaks on one of its edges only. Its value goes on every edge that leaves it.": _on_one_edge_each,
        "you divided an input's value among its edges. Each of them carries the whole value.": _shared_out,
        "you looked at the node in which an edge ends. A message comes from the node where it starts, edge_index[0].": (
            lambda x, edge_index, N: _read_in(x, edge_index.flip(0), N)
        ),
        "you looked for inputs in edge_index[1], and found outputs, of which x knows nothing. An edge starts in its "
        "input: edge_index[0].": lambda *case: _from_node_N_on(*case, end=1),
        "you left out node N. It is an input, the first one: source >= N.": (
            lambda *case: _from_node_N_on(*case, first=1)
        ),
        "an input has no edge, and you looked for its first one. Fill all rows where edge_index[0] is N + i: there may "
        "be several or none.": _an_edge_for_each,
    },
)

# W_in, message by message


def _hear(h, values, bias, edge_index, N, C):
    z = bias.expand(-1, h.shape[1]).clone()  # (N*C, B)
    k = 0
    for e, target in enumerate(edge_index[1].tolist()):
        if target < N:
            for c in range(C):
                z[target * C + c] += values[k] * h[e]
                k += 1
    return z


def _heard(messages, rows, bias):
    """Messages (k, C, B) added up in their rows (k, C)."""
    return bias.expand(-1, messages.shape[-1]).clone().index_add(0, rows.flatten(), messages.flatten(0, 1))


def _hear_with(h, values, bias, edge_index, N, C, *, end=1, heard=None, rows=None, by_channel=False, by_node=False):
    """W_in with one thing another way: the end that hears, the states heard, the channels' numbers, or the list."""
    ends = (edge_index[end] < N).nonzero().flatten()  # (k,)
    weights = values.view(C, -1).T if by_channel else values.view(-1, C)  # (k, C)
    if by_node:
        weights = weights[edge_index[1, ends].argsort(stable=True).argsort()]
    messages = weights[:, :, None] * (h[ends] if heard is None else heard(h, edge_index, ends))[:, None]
    number = rows or (lambda n, c: n * C + c)
    return _heard(messages, number(edge_index[end, ends][:, None], torch.arange(C)), bias)


def _one_by_one(h, values, bias, edge_index, N, C, *, picked=1, all_count=False):
    """W_in in loops: edges are picked by the node at an end, and perhaps the others count too."""
    z, k = bias.repeat(1, h.shape[1]), 0
    for e, target in enumerate(edge_index[1].tolist()):
        if edge_index[picked, e] < N:
            for c in range(C):
                z[target * C + c] += values[k + c] * h[e]
        k += C * bool(all_count or edge_index[picked, e] < N)
    return z


def _last_message_only(h, values, bias, edge_index, N, C):
    z = h.new_zeros(N * C, h.shape[1])
    for k, (e, row) in enumerate(win_indices(edge_index, N, C).T.tolist()):
        z[row] = values[k] * h[e]
    return z + bias


def _mean_message(h, values, bias, edge_index, N, C):
    edges = torch.bincount(edge_index[1], minlength=N)[:N].repeat_interleave(C).clamp(min=1)  # (N*C,)
    return (_hear(h, values, bias, edge_index, N, C) - bias) / edges[:, None] + bias


def _bias_with_each_message(h, values, bias, edge_index, N, C):
    edges = torch.bincount(edge_index[1], minlength=N)[:N].repeat_interleave(C)  # (N*C,)
    return _hear(h, values, bias, edge_index, N, C) + (edges[:, None] - 1) * bias


def _states_and_weights(seed):
    """A chain whose first node hears nothing, with as many edges into outputs as out of inputs; edges in no order."""
    rng = np.random.default_rng(seed)
    cases = []
    for N, C in [(4, 2), (int(rng.integers(5, 8)), 3)]:
        chain = rng.permutation(N).tolist()
        edges = [*zip(chain, chain[1:]), (chain[0], chain[2])]
        edges += [(N, chain[1]), (N + 1, chain[1]), (N + 1, chain[-1])]
        edges += [(chain[-1], N + 3), (chain[1], N + 3), (chain[1], N + 2)]
        order = rng.permutation(len(edges) - 2) + 1  # an edge into an output comes first, so that all others move up,
        edges = [edges[-1], *(edges[k] for k in order), edges[0]]  # and one into a function last
        edge_index = torch.tensor(edges).T.contiguous()
        weights = C * int((edge_index[1] < N).sum())
        sizes = [(len(edges), 4), (weights,), (N * C, 1)]
        cases.append((*(torch.tensor(rng.standard_normal(size)).float() for size in sizes), edge_index, N, C))
    return cases


hear = Graded(
    title="W_in without a matrix",
    reference=_hear,
    cases=_states_and_weights,
    tolerance=1e-4,
    mistakes={
        "each channel keeps the last message that came in. z[target] = ... and z[target] += ... with a list of targets "
        "write each row once; add the messages up, by index_add or in a loop.": _last_message_only,
        "the bias is missing. A channel adds it once, and a node that hears nothing has it alone.": (
            lambda h, values, bias, *case: _hear(h, values, bias * 0, *case)
        ),
        "you added the bias with every message. It comes once for each channel, however many edges it hears.": (
            _bias_with_each_message
        ),
        "you added a message up at the node where its edge starts. A node hears the edges that end in it, "
        "edge_index[1].": lambda *case: _hear_with(*case, end=0),
        "you multiplied by h[source]. The rows of h are edges, not nodes: edge e carries h[e].": (
            lambda *case: _hear_with(*case, heard=lambda h, edge_index, ends: h[edge_index[0, ends]])
        ),
        "you paired the weights with the first rows of h. Edges into outputs have no weight and may stand anywhere, so "
        "count only those that end in a function node.": (
            lambda *case: _hear_with(*case, heard=lambda h, edge_index, ends: h[: len(ends)])
        ),
        "you read the weights channel by channel. They run edge by edge, and for an edge over its channels: "
        "values.view(-1, C).": lambda *case: _hear_with(*case, by_channel=True),
        "you read the weights node by node. They run edge by edge, in the order of edge_index, whichever nodes the "
        "edges end in.": lambda *case: _hear_with(*case, by_node=True),
        "your counter moves on at edges into outputs too, so the weights run out. Only an edge that ends in a function "
        "node has weights.": lambda *case: _one_by_one(*case, all_count=True),
        "you picked the edges that start in a function node. Those that end in one have weights: edge_index[1] < N.": (
            lambda *case: _one_by_one(*case, picked=0)
        ),
        "your rows are numbered c*N + n. Channel c of node n has number n*C + c.": (
            lambda h, values, bias, edge_index, N, C: _hear_with(
                h, values, bias, edge_index, N, C, rows=lambda n, c: c * N + n
            )
        ),
        "you took the mean of a node's messages. A linear map adds them up.": _mean_message,
        "your result is transposed: a channel is a row and a sample is a column, (N*C, B).": lambda *case: (
            _hear(*case).T
        ),
    },
)

# The group norm, where nodes have different numbers of channels


def _group_norm(z, channels, gamma, beta):
    parts = []
    for n, group in enumerate(z.split(channels)):  # (channels[n], B)
        mean, std = group.mean(0), group.std(0)
        parts.append(gamma[n] * (group - mean) / (std + 0.1) + beta[n])
    return torch.cat(parts)


def _by_groups(node):
    """The norm whose nodes compute ``node(group, gamma, beta)``."""

    def answer(z, channels, gamma, beta):
        return torch.cat([node(group, gamma[n], beta[n]) for n, group in enumerate(z.split(channels))])

    return answer


def _standardised(z, dim=0, eps=0.1, **how):
    return (z - z.mean(dim, keepdim=True)) / (z.std(dim, keepdim=True, **how) + eps)


def _scaled(standardised):
    return _by_groups(lambda z, gamma, beta: gamma * standardised(z) + beta)


def _equal_groups(z, channels, gamma, beta):
    return _group_norm(z, [len(z) // len(channels)] * len(channels), gamma, beta)


def _over_all_nodes(z, channels, gamma, beta):
    owner = torch.arange(len(channels)).repeat_interleave(torch.tensor(channels))  # (all channels,)
    return gamma[owner, None] * _standardised(z) + beta[owner, None]


def _groups_of_channels(seed):
    """Nodes of different sizes and loudness; on average four channels each, so that equal groups can be cut too."""
    rng = np.random.default_rng(seed)
    cases = []
    for sizes in ([2, 3, 7], [2, 3, 5, 6]):
        channels = rng.permutation(sizes).tolist()
        loud, middle = (np.repeat(rng.permutation(values), channels)[:, None] for values in _loudness(len(sizes)))
        z = middle + loud * rng.standard_normal((sum(channels), 5))
        gamma, beta = rng.uniform(0.5, 2, len(sizes)), rng.uniform(-1, 1, len(sizes))
        cases.append((torch.tensor(z).float(), channels, torch.tensor(gamma).float(), torch.tensor(beta).float()))
    return cases


def _loudness(nodes):
    return np.linspace(0.3, 2, nodes), np.linspace(-1, 2, nodes)


group_norm = Graded(
    title="a norm for nodes of any size",
    reference=_group_norm,
    cases=_groups_of_channels,
    tolerance=1e-4,
    mistakes={
        "you normalised over the batch. Mean and std run over the channels of a node, and every sample is normalised "
        "alone.": _scaled(lambda z: _standardised(z, 1)),
        "you took one mean and std of a node for all samples. Every sample is normalised alone.": (
            _scaled(lambda z: _standardised(z, (0, 1)))
        ),
        "you normalised over the channels of all nodes. Each node has its own mean and std, or every node would hear "
        "of every other.": _over_all_nodes,
        "you cut z into groups of equal size. Node n has channels[n] rows.": _equal_groups,
        "your std is the biased one. With C channels the sum of squares is divided by C - 1: std() in torch, "
        "std(ddof=1) in NumPy.": _scaled(lambda z: _standardised(z, correction=0)),
        "the 0.1 is missing, or another number, such as 1e-5, stands in its place.": (
            _scaled(lambda z: _standardised(z, eps=0.0))
        ),
        "your 0.1 stands under the root, added to the variance. Here it is added to the std.": (
            _scaled(lambda z: (z - z.mean(0)) / (z.var(0) + 0.1).sqrt())
        ),
        "you divided by the variance. It is the std, its root, to which 0.1 is added.": (
            _scaled(lambda z: (z - z.mean(0)) / (z.var(0) + 0.1))
        ),
        "your 0.1 is added to the quotient. Put std + 0.1 in parentheses.": (
            _by_groups(lambda z, gamma, beta: gamma * (z - z.mean(0)) / z.std(0) + 0.1 + beta)
        ),
        "your 0.1 is added to the quotient, and gamma multiplies it. Put std + 0.1 in parentheses.": (
            _scaled(lambda z: (z - z.mean(0)) / z.std(0) + 0.1)
        ),
        "the mean is not subtracted.": _scaled(lambda z: z / (z.std(0) + 0.1)),
        "gamma and beta are missing.": _by_groups(lambda z, gamma, beta: _standardised(z)),
        "beta is missing.": _by_groups(lambda z, gamma, beta: gamma * _standardised(z)),
        "gamma is missing.": _by_groups(lambda z, gamma, beta: _standardised(z) + beta),
        "gamma multiplies beta too. First scale by gamma, then add beta.": (
            _by_groups(lambda z, gamma, beta: gamma * (_standardised(z) + beta))
        ),
    },
)

# The layer as a module


class _Layer(torch.nn.Module):
    def __init__(self, lin_in, norm, lin_out, N):
        super().__init__()
        self.lin_in, self.norm, self.lin_out, self.N = lin_in, norm, lin_out, N
        self.r = torch.nn.Parameter(torch.ones(1))

    def node(self, z):
        """What a node does with its channels, (N, C, B) -> (N, C, B)."""
        return F.elu(self.norm(z))

    def group(self, z):
        """(N*C, B) -> (N, C, B)"""
        return z.view(self.N, -1, z.shape[1])

    def ungroup(self, a):
        return a.reshape(-1, a.shape[2])

    def keep(self, h):
        """What the residual adds."""
        return torch.relu(self.r) * h

    def forward(self, h):
        a = self.node(self.group(self.lin_in(h)))  # (N, C, B)
        return self.lin_out(self.ungroup(a)) + self.keep(h)


def _layer(lin_in, norm, lin_out, N):
    return _Layer(lin_in, norm, lin_out, N)


def _layer_with(r=None, **methods):
    """Layers that do one thing in another way: ``methods`` in place of those of _Layer, ``r(r, E)`` for its r."""
    kind = type("Layer", (_Layer,), methods)

    def answer(*case):
        layer = kind(*case)
        if r is not None:
            parameter = layer.r
            del layer.r
            layer.r = r(parameter, case[0].N)
        return layer

    return answer


def _unregistered(*case):
    layer = _layer(*case)
    for name in ("lin_in", "norm", "lin_out"):
        module = getattr(layer, name)
        delattr(layer, name)
        object.__setattr__(layer, name, module)  # an attribute that torch does not look at, as in a list
    return layer


class _Unstarted(torch.nn.Module):
    """A module that forgets to call super().__init__()."""

    def __init__(self, part):
        self.part = part


def _behaviour(layer, lin_in, *case):
    """What a layer does: its number of parameters, its outputs for three values of r, and the gradient of r."""
    if callable(layer) and not isinstance(layer, torch.nn.Module):
        return "a class" if isinstance(layer, type) else "a function"
    if not isinstance(layer, torch.nn.Module):
        return layer
    if getattr(layer.forward, "__func__", None) is torch.nn.Module.forward:
        return "a module without forward"
    if not isinstance(getattr(layer, "r", None), torch.Tensor):
        return "a module without a tensor r"
    h = torch.randn(lin_in.N, 4, generator=torch.Generator().manual_seed(lin_in.N))  # (E, B)
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
    outputs[-1].square().sum().backward()
    learns = any(layer.r is parameter for parameter in parameters) and layer.r.grad is not None
    gradient = layer.r.grad.sum() if learns else float("nan")
    with torch.no_grad():
        layer.r.copy_(start)
    results = zip(("h' with r at its start", "h' with r = -0.7", "h' with r = 0.4"), outputs)
    count = sum(parameter.numel() for parameter in parameters)
    return {"how many numbers parameters() finds": count, **dict(results), "the gradient of r": gradient}


def _maps_and_norms(seed):
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


layer = Graded(
    title="a layer",
    reference=_layer,
    cases=_maps_and_norms,
    tolerance=1e-4,
    probe=_behaviour,
    mistakes={
        "you returned the class. Return a module, made of it: return Layer(...).": lambda *case: _Layer,
        "you returned a function. Return an instance of a class derived from torch.nn.Module.": (
            lambda *case: lambda h: h
        ),
        "your class assigns a module too early. Call super().__init__() first, in its __init__.": (
            lambda *case: _Unstarted(case[0])
        ),
        "your class assigns a parameter too early. Call super().__init__() first, in its __init__.": (
            lambda *case: _Unstarted(torch.nn.Parameter(torch.ones(1)))
        ),
        "your class has no forward(self, h), so it cannot be called.": _layer_with(forward=torch.nn.Module.forward),
        "your forward returns nothing. Let it end with return.": _layer_with(forward=lambda self, h: None),
        "the module has no tensor r. In __init__: self.r = torch.nn.Parameter(torch.ones(1)).": (
            _layer_with(r=lambda r, edges: 1.0)
        ),
        "r is a plain tensor, which no optimizer will find. Make it a torch.nn.Parameter.": (
            _layer_with(r=lambda r, edges: r.detach())
        ),
        "the maps and the norm are hidden from torch, in a list or a function, and will not be trained. Make each an "
        "attribute of the module: self.lin_in = lin_in.": _unregistered,
        "there is one number r in a layer, not one for each edge.": (
            _layer_with(r=lambda r, edges: torch.nn.Parameter(torch.ones(edges, 1)))
        ),
        "r starts at 1.": _layer_with(r=lambda r, edges: torch.nn.Parameter(torch.zeros(1))),
        "r gets no gradient: .item(), .data and .detach() cut it off.": (
            _layer_with(keep=lambda self, h: torch.relu(self.r.detach()) * h)
        ),
        "the residual is missing: add relu(r) h to what the nodes have written.": (
            _layer_with(keep=lambda self, h: 0 * h)
        ),
        "your residual lacks its relu. A negative r counts as 0.": _layer_with(keep=lambda self, h: self.r * h),
        "you took the relu of r h. Only r goes through it; a message may be negative.": (
            _layer_with(keep=lambda self, h: torch.relu(self.r * h))
        ),
        "the norm is not used: it comes before the ELU.": _layer_with(node=lambda self, z: F.elu(z)),
        "the ELU is missing: it comes after the norm.": _layer_with(node=lambda self, z: self.norm(z)),
        "your nonlinearity is ReLU. Here it is ELU, which lets negative values through as exp(z) - 1.": (
            _layer_with(node=lambda self, z: F.relu(self.norm(z)))
        ),
        "norm and ELU are in the wrong order: first the norm.": (_layer_with(node=lambda self, z: self.norm(F.elu(z)))),
        "your channels are grouped wrongly. Channel c of node n has number n*C + c: view(N, -1, B), and flatten(0, 1) "
        "undoes it.": _layer_with(
            group=lambda self, z: z.view(-1, self.N, z.shape[1]).transpose(0, 1),
            ungroup=lambda self, a: a.transpose(0, 1).reshape(-1, a.shape[2]),
        ),
    },
)

# A linear model


def _linear_mse(x_train, y_train, x_test, y_test):
    with_one = [torch.cat([x, torch.ones(len(x), 1)], dim=1) for x in (x_train, x_test)]  # (samples, inputs + 1)
    W = torch.linalg.lstsq(with_one[0], y_train).solution  # (inputs + 1, outputs)
    return (with_one[1] @ W - y_test).square().mean()


def _predicted(x_train, y_train, x_test):
    """The prediction of the right answer."""
    ones = torch.ones(len(x_test), 1)
    W = torch.linalg.lstsq(torch.cat([x_train, torch.ones(len(x_train), 1)], 1), y_train).solution
    return torch.cat([x_test, ones], 1) @ W


def _without_intercept(x_train, y_train, x_test, y_test):
    return (x_test @ torch.linalg.lstsq(x_train, y_train).solution - y_test).square().mean()


def _on_all_rows(x_train, y_train, x_test, y_test):
    return _linear_mse(torch.cat([x_train, x_test]), torch.cat([y_train, y_test]), x_test, y_test)


def _centred_apart(x_train, y_train, x_test, y_test):
    return _linear_mse(x_train - x_train.mean(0), y_train, x_test - x_test.mean(0), y_test)


def _centred_by_test_rows(x_train, y_train, x_test, y_test):
    return _centred_apart(x_train, y_train - y_train.mean(0), x_test, y_test - y_test.mean(0))


def _r_squared(x_train, y_train, x_test, y_test):
    residuals = (_predicted(x_train, y_train, x_test) - y_test).square().mean(0)  # (outputs,)
    return (1 - residuals / y_test.var(0, correction=0)).mean()


def _almost_linear(seed):
    """Inputs and outputs far from mean 0, a little noise and a little curvature.

    The inputs are small, so that a small ridge matters.
    """
    rng = np.random.default_rng(seed)
    cases = []
    for I, O, n_train, n_test in [(3, 2, 20, 9), (int(rng.integers(4, 6)), 3, 30, 12)]:
        x = 1 + rng.standard_normal((n_train + n_test, I))
        y = x @ rng.standard_normal((I, O)) + 0.3 * x[:, :1] ** 2 + 2 + 0.5 * rng.standard_normal((len(x), O))
        x, y = torch.tensor(0.1 * x).float(), torch.tensor(y).float()
        cases.append((x[:n_train], y[:n_train], x[n_train:], y[n_train:]))
    return cases


linear_mse = Graded(
    title="the bar, a linear model",
    reference=_linear_mse,
    cases=_almost_linear,
    tolerance=1e-4,
    mistakes={
        "the intercept is missing: y = 0 at x = 0 is not given. Append a column of ones to x.": _without_intercept,
        "this is the error on the training rows. Fit on them, and measure on the test rows.": (
            lambda x_train, y_train, x_test, y_test: _linear_mse(x_train, y_train, x_train, y_train)
        ),
        "you fitted on the test rows. A model that has seen the answers is not tested by them.": (
            lambda x_train, y_train, x_test, y_test: _linear_mse(x_test, y_test, x_test, y_test)
        ),
        "you fitted on all rows. The test rows are for testing only.": _on_all_rows,
        "you moved training and test rows by different means. What is done to a row is learned on the training rows.": (
            _centred_apart
        ),
        "you moved the test rows, y too, by means of their own. y is not known before the test: the intercept comes "
        "from the training rows.": _centred_by_test_rows,
        "this is the root of the MSE.": lambda *case: _linear_mse(*case).sqrt(),
        "you added up the outputs, and took the mean over rows only. It runs over rows and outputs.": (
            lambda *case: _linear_mse(*case) * case[1].shape[1]
        ),
        "this is R squared, as score() gives it. Return the mean of squared differences.": _r_squared,
        "this is the error of the training mean, which does not look at x.": (
            lambda x_train, y_train, x_test, y_test: (y_train.mean(0) - y_test).square().mean()
        ),
    },
)

# A training run


def _fit(model, x_train, y_train, x_test, y_test, epochs, lr):
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=lr), []
    model.train()
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x_train), y_train)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        return losses, F.mse_loss(model(x_test), y_test).item()


def _fit_with(
    model, x_train, y_train, x_test, y_test, epochs, lr, *,
    kind=torch.optim.Adam, lasting=True, mode=True, zero=True, step=True, again=False, end=False, best=False,
    stay=False, early=False, batch=None, error=F.mse_loss, loss_of=None,
):  # fmt: skip
    """Training with one thing another way."""
    optimizer, losses, test = kind(model.parameters(), lr=lr), [], []
    for epoch in range(epochs):
        if mode and not (stay and epoch):
            model.train()
        if not lasting:
            optimizer = kind(model.parameters(), lr=lr)
        for x, y in zip(x_train.split(batch or len(x_train)), y_train.split(batch or len(y_train))):
            if zero:
                optimizer.zero_grad()
            loss = (loss_of or error)(model(x), y)
            loss.backward()
            if early:
                test.append(error(model.eval()(x_test), y_test).item())
            if step:
                optimizer.step()
        losses.append(error(model(x_train), y_train).item() if again else loss.item())
        if best or stay:
            test.append(error(model.eval()(x_test), y_test).item())
    if best or early:
        return losses, min(test) if best else test[-1]
    return losses, error(model.train(end)(x_test), y_test).item()


def _fits(**how):
    return lambda *case: _fit_with(*case, **how)


def _sum(prediction, y):
    return F.mse_loss(prediction, y, reduction="sum")


def _sum_of_outputs(prediction, y):
    return (prediction - y).square().sum(1).mean()


def _fit_on_all_rows(model, x_train, y_train, x_test, y_test, *settings):
    return _fit(model, torch.cat([x_train, x_test]), torch.cat([y_train, y_test]), x_test, y_test, *settings)


class _Watched(GSNN):
    """A GSNN that keeps a list of how many rows it was trained on at a time, and a parameter without influence.

    Its gradient is 0, so that only a decay of the weights moves it.
    """

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.rows, self.idle = [], torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        if self.training:
            self.rows.append(len(x))
        return super().forward(x) + 0 * self.idle


def _losses_and_error(result, model, x_train, y_train, x_test, *case):
    """A pair by its parts, or in a word what was done to the model; anything else as it is."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return result
    if any(rows < len(x_train) and rows != len(x_test) for rows in model.rows):
        return "batches"
    if model.idle != 1:
        return "decay"
    parts = [_one_list(*(part if isinstance(part, (tuple, list)) else [part])).squeeze() for part in result]
    return dict(zip(("the losses", "the test error"), parts))


def _small_runs(seed):
    """A small GSNN whose norm is another one in training than in evaluation; it comes in either mode.

    The second case's test rows obey the opposite of its training rows, so that training makes the test error worse.
    In double precision: Adam divides a gradient by its size, and would make rounding errors large.
    """
    rng = np.random.default_rng(seed)
    graph = pathway_graph(K=2, n_in=2, n_func=1, n_out=1).with_spurious_edges(2, seed=seed)
    cases = []
    for k, (epochs, lr) in enumerate([(3, 0.05), (5, 0.1)]):
        start = torch.Generator().manual_seed(seed + k)
        how = {"norm": "batch", "node_mlp": False, "bias": False, "generator": start}
        model = _Watched(graph.edge_index_dict, graph.names, channels=3, layers=1, **how).double()
        x = torch.tensor(rng.standard_normal((85, 4)))  # more training rows than a usual batch
        y = torch.stack([x[:, 0].tanh() + x[:, 1], x[:, 2] * x[:, 3]], dim=1)
        y = y + 0.5 + 0.3 * torch.tensor(rng.standard_normal(y.shape))
        y_test = y[72:] if k == 0 else -y[72:]
        cases.append((model.train(k == 1), x[:72], y[:72], x[72:], y_test, epochs, lr))
    return cases


fit = Graded(
    title="training",
    reference=_fit,
    cases=_small_runs,
    tolerance=1e-4,
    probe=_losses_and_error,
    mistakes={
        "gradients pile up from epoch to epoch: optimizer.zero_grad() is missing.": _fits(zero=False),
        "the weights never move: optimizer.step() is missing, or the gradients are cleared before it.": (
            _fits(step=False)
        ),
        "you make a new optimizer in every epoch. Adam's averages have to outlive an epoch: make it before the loop.": (
            _fits(lasting=False)
        ),
        "your optimizer is SGD. Here it is Adam.": _fits(kind=torch.optim.SGD),
        "the weights decay. Leave weight_decay at 0, and take Adam, not AdamW.": _fits(kind=torch.optim.AdamW),
        "you stepped on batches. Take all training rows together, one step in an epoch.": _fits(batch=32),
        "your optimizer does not know lr, and takes its own.": lambda *case: _fit(*case[:-1], 1e-3),
        "the model is tested in training mode, where its norm looks at the other test rows. Call model.eval() first.": (
            _fits(end=True)
        ),
        "the model was trained in the mode in which it came. Call model.train() before the loop.": _fits(mode=False),
        "from the second epoch on the model was trained in evaluation mode. Call model.train() again after a test in "
        "the loop, or test once, at the end.": _fits(stay=True),
        "your squared errors are added up. Take their mean over rows and outputs.": _fits(error=_sum),
        "your losses are sums of squared errors, your test error is a mean. Both are means over rows and outputs.": (
            _fits(loss_of=_sum)
        ),
        "your squared errors are added up over the outputs. Take their mean over rows and outputs.": (
            _fits(error=_sum_of_outputs)
        ),
        "your test error is older than the last step. Test the model as it is in the end.": _fits(early=True),
        "this is an epoch's loss after its step. Keep the one from which the gradients were computed, and run the "
        "model on the training rows once in an epoch.": _fits(again=True),
        "you trained on the test rows too. They are for the end only.": _fit_on_all_rows,
        "your test error is one of the training rows.": lambda model, x_train, y_train, x_test, y_test, *settings: _fit(
            model, x_train, y_train, x_train, y_train, *settings
        ),
        "you report the best test error of all epochs, so the test rows chose the model. Test once, at the end.": (
            _fits(best=True)
        ),
        "you return the losses only. Return a pair: the losses, and the test error.": lambda *case: _fit(*case)[0],
        "your pair is the wrong way round: first the losses, then the test error.": lambda *case: _fit(*case)[::-1],
        "you return the last loss only. Return a list with the loss of every epoch.": lambda *case: (
            _fit(*case)[0][-1],
            _fit(*case)[1],
        ),
    },
)
