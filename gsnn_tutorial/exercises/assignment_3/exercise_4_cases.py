"""The parts of a layer in exercise 4 of assignment 3, and the behaviour that is compared."""

from __future__ import annotations

import torch

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
    _set_back(h, *parts)
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


def _set_back(*tensors):
    for tensor in tensors:
        tensor.grad = None


def _size(*tensors) -> float:
    """The sum of all sizes of gradients; NaN if one of the tensors gets none."""
    cut_off = any(tensor.grad is None for tensor in tensors)
    return float("nan") if cut_off else float(sum(tensor.grad.abs().sum() for tensor in tensors))
