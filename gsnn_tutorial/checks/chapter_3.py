"""Exercises of chapter 3: the mask of W_out, the read-out, one layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gsnn_tutorial.checks.diagnosis import Exercise

# The mask of W_out


def _wout_mask(edge_index, N, C):
    """1 where W_out has a weight: channel (n, c) writes edge e if e starts at function node n."""
    source = edge_index[0]  # (E,)
    node_of_channel = torch.arange(N).repeat_interleave(C)  # (N*C,)
    return (source[:, None] == node_of_channel[None, :]).float()  # (E, N*C)


def _mask_in_transposed(edge_index, N, C):
    return _wout_mask(edge_index.flip(0), N, C)


def _mask_channels_first(edge_index, N, C):
    return (edge_index[0][:, None] == torch.arange(N).repeat(C)[None, :]).float()


def _mask_without_outputs(edge_index, N, C):
    return _wout_mask(edge_index, N, C) * (edge_index[1] < N).float()[:, None]


def _mask_first_channel(edge_index, N, C):
    return _wout_mask(edge_index, N, C) * (torch.arange(N * C) % C == 0).float()


def _mask_overlapping(edge_index, N, C):
    mask = torch.zeros(edge_index.shape[1], N * C)
    for e, source in enumerate(edge_index[0].tolist()):
        if source < N:
            mask[e, source : source + C] = 1
    return mask


def _mask_cases(seed):
    """Chains with a shortcut, of two sizes: functions 0 .. N-1, then inputs, then outputs."""
    rng = torch.Generator().manual_seed(seed)
    cases = []
    for N, C in [(3, 2), (5, 4)]:
        order = torch.randperm(N, generator=rng).tolist()
        inside = list(zip(order, order[1:])) + [(order[0], order[-1])]
        edges = inside + [(N, order[0]), (N + 1, order[1]), (order[-1], N + 2), (order[1], N + 3)]
        cases.append((torch.tensor(edges).t().contiguous(), N, C))
    return cases


wout_mask = Exercise(
    title="Mask of W_out",
    reference=_wout_mask,
    cases=_mask_cases,
    mistakes={
        "your matrix is transposed. W_out turns channels into edges, W_out @ a, so edges are its rows: "
        "shape (E, N*C).": lambda *case: _wout_mask(*case).t(),
        "you marked the channels of the node in which an edge ends; that is W_in. An edge is written by the "
        "node at which it starts, edge_index[0].": _mask_in_transposed,
        "your channels run in another order: all first channels, then all second ones. Channel (n, c) has "
        "number n*C + c, so a node's channels stand side by side.": _mask_channels_first,
        "you left out the edges from functions to outputs. They start at a function node like any other "
        "message, and without them nothing leaves.": _mask_without_outputs,
        "you marked one channel for each edge. An edge is a mixture of all C channels of its source.": (
            _mask_first_channel
        ),
        "your blocks overlap: node n's channels start at n*C, not at n.": _mask_overlapping,
    },
)

# The read-out


def _read_out(h, target, outputs, L):
    """Sum of each output's in-edges over sqrt(in-degree) and sqrt(L), (E, B) -> (B, outputs)."""
    ends_in = (target[None, :] == outputs[:, None]).float()  # (outputs, E)
    degree = ends_in.sum(dim=1, keepdim=True)  # (outputs, 1)
    return (ends_in @ h / (degree * L).sqrt()).t()


def _sums(h, target, outputs):
    ends_in = (target[None, :] == outputs[:, None]).float()
    return (ends_in @ h).t(), ends_in.sum(dim=1)  # (B, outputs), (outputs,)


def _read_out_mean(h, target, outputs, L):
    total, degree = _sums(h, target, outputs)
    return total / degree / L**0.5


def _read_out_no_degree(h, target, outputs, L):
    return _sums(h, target, outputs)[0] / L**0.5


def _read_out_no_layers(h, target, outputs, L):
    total, degree = _sums(h, target, outputs)
    return total / degree.sqrt()


def _read_out_layers_unrooted(h, target, outputs, L):
    return _read_out_no_layers(h, target, outputs, L) / L


def _read_out_bare(h, target, outputs, L):
    return _sums(h, target, outputs)[0]


def _read_out_one_degree(h, target, outputs, L):
    total, degree = _sums(h, target, outputs)
    return total / (degree.sum() * L).sqrt()


def _read_out_cases(seed):
    rng = torch.Generator().manual_seed(seed)
    target = torch.tensor([0, 7, 8, 1, 8, 9, 0, 9, 9])[torch.randperm(9, generator=rng)]
    h = torch.randn(9, 4, generator=rng)
    return [(h, target, torch.tensor([7, 8, 9]), 3), (h, target, torch.tensor([9, 7]), 5)]


read_out = Exercise(
    title="Read-out",
    reference=_read_out,
    cases=_read_out_cases,
    mistakes={
        "your result is (outputs, B). Inside the network samples come last; outside they come first: "
        "transpose at the end.": lambda *case: _read_out(*case).t(),
        "you took the mean, and divided by the in-degree. The root of the in-degree keeps the scale of a "
        "sum of independent messages; the mean shrinks it.": _read_out_mean,
        "the in-degree is missing: an output with many in-edges is louder than one with few. Divide each "
        "output by the root of its own in-degree.": _read_out_no_degree,
        "the layers are missing: every layer has added to h. Divide by sqrt(L) too.": _read_out_no_layers,
        "you divided by L. It is the root of L that keeps the scale.": _read_out_layers_unrooted,
        "you added up the in-edges, and scaled by nothing. Divide by sqrt(in-degree) and by sqrt(L).": (_read_out_bare),
        "you divided all outputs by the same number. Each has an in-degree of its own.": _read_out_one_degree,
    },
)

# One layer


def _layer(h, W_in, W_out, r, C):
    """One GSNN layer without biases, (E, B) -> (E, B)."""
    z = (W_in @ h).view(-1, C, h.shape[1])  # (N, C, B)
    z = (z - z.mean(dim=1, keepdim=True)) / (z.std(dim=1, keepdim=True) + 0.1)
    a = F.elu(z)
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


def _layer_with(node, h, W_in, W_out, r, C):
    """A layer whose nodes compute ``node``, (N, C, B) -> (N, C, B), without the residual."""
    return W_out @ node((W_in @ h).view(-1, C, h.shape[1])).flatten(0, 1)


def _standardised(z, dim, eps=0.1, unbiased=True):
    mean, std = z.mean(dim=dim, keepdim=True), z.std(dim=dim, keepdim=True, unbiased=unbiased)
    return (z - mean) / (std + eps)


def _mistaken_node(node):
    return lambda h, W_in, W_out, r, C: _layer_with(node, h, W_in, W_out, r, C) + torch.relu(r) * h


def _eps_under_root(z):
    return F.elu((z - z.mean(dim=1, keepdim=True)) / (z.var(dim=1, keepdim=True) + 0.1).sqrt())


def _layer_no_residual(h, W_in, W_out, r, C):
    return _layer(h, W_in, W_out, r * 0, C)


def _layer_r_unclipped(h, W_in, W_out, r, C):
    return _layer(h, W_in, W_out, r * 0, C) + r * h


def _layer_relu_of_sum(h, W_in, W_out, r, C):
    return _layer(h, W_in, W_out, r * 0, C) + torch.relu(r * h)


def _layer_channels_first(h, W_in, W_out, r, C):
    z = (W_in @ h).view(C, -1, h.shape[1])
    return W_out @ F.elu(_standardised(z, 0)).flatten(0, 1) + torch.relu(r) * h


def _layer_cases(seed):
    rng = torch.Generator().manual_seed(seed)
    h, W_in, W_out = (torch.randn(*size, generator=rng) for size in [(7, 5), (12, 7), (7, 12)])
    return [(h, W_in, W_out, torch.tensor(0.7), 4), (h, W_in, W_out, torch.tensor(-0.4), 4)]


layer = Exercise(
    title="One layer",
    reference=_layer,
    cases=_layer_cases,
    mistakes={
        "you normalised over the batch, not over the channels. A node's channels are dimension 1 of "
        "(N, C, B), and every sample is normalised alone.": _mistaken_node(lambda z: F.elu(_standardised(z, 2))),
        "you normalised over all nodes at once. Each node has a norm of its own, or every node would "
        "hear of every other within one layer.": _mistaken_node(lambda z: F.elu(_standardised(z, (0, 1)))),
        "your std is the biased one. With C channels the sum of squares is divided by C - 1.": (
            _mistaken_node(lambda z: F.elu(_standardised(z, 1, unbiased=False)))
        ),
        "the 0.1 is missing. It is added to the std, and keeps a node with almost equal channels from "
        "being blown up.": _mistaken_node(lambda z: F.elu(_standardised(z, 1, eps=0.0))),
        "your 0.1 stands under the root, added to the variance. Here it is added to the std.": (
            _mistaken_node(_eps_under_root)
        ),
        "the norm is missing.": _mistaken_node(F.elu),
        "the nonlinearity is missing: the channels go through ELU after the norm.": (
            _mistaken_node(lambda z: _standardised(z, 1))
        ),
        "your nonlinearity is ReLU. Here it is ELU, which lets negative values through as exp(z) - 1.": (
            _mistaken_node(lambda z: F.relu(_standardised(z, 1)))
        ),
        "norm and ELU are in the wrong order: first the norm, then the nonlinearity.": (
            _mistaken_node(lambda z: _standardised(F.elu(z), 1))
        ),
        "the residual is missing: add relu(r) h to what the nodes have written.": _layer_no_residual,
        "your residual lacks its relu. A negative r has to count as 0.": _layer_r_unclipped,
        "you took the relu of r h. Only r goes through it; a message may be negative.": _layer_relu_of_sum,
        "your channels are grouped wrongly. Channel (n, c) has number n*C + c, so the view is (N, C, B).": (
            _layer_channels_first
        ),
    },
)
