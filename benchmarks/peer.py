r"""The peer of the benchmark: the same computations as the reference formulates them.

* A sparse map sends one message per weight and sample, over B copies of its bipartite graph. The
  indices of the copies (int64, B * nnz each for sources and targets) are made once per batch size
  and kept, which is kinder than to make them at every call.
* The model's index lists come from loops over nodes and edges.
* The regularizer holds every P x N matrix in full.
* A simulation draws one sample after the other.

Nothing but the benchmark and the tests imports this: PyG takes seconds to load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import networkx as nx
import numpy as np
import torch
from torch_geometric.nn import MessagePassing

from gsnn_tutorial.gsnn import GSNN, ResBlock
from gsnn_tutorial.gsnn.node import ActivationRecorder, GroupLayerNorm
from gsnn_tutorial.regularizer import PathwayLatentRegularizer, standardize_over_batch
from gsnn_tutorial.sparse import SparseLinear
from gsnn_tutorial.study.speed import random_model
from gsnn_tutorial.training import Regularizer


class GatherScatterLinear(MessagePassing):
    """y = W x + b with the weights of ``linear``, a message for each of them and each sample.

    Shapes
        input (B, N), output (B, M); ``values`` (nnz,), ``bias`` (M,).
    """

    def __init__(self, linear: SparseLinear):
        super().__init__(aggr="add")
        self.N, self.M = linear.N, linear.M
        self.values = _copy(linear.values)
        self.bias = None if linear.bias is None else _copy(linear.bias.flatten())
        self.register_buffer("indices", linear.indices, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        B = len(x)
        nodes = x.reshape(B * self.N, 1)  # the sources of all copies, one below the other
        weight = self.values.repeat(B)[:, None]  # (B * nnz, 1)
        y = self.propagate(self._copies(B), x=(nodes, None), weight=weight, size=(B * self.N, B * self.M))
        y = y.view(B, self.M)
        return y if self.bias is None else y + self.bias

    def message(self, x_j: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return weight * x_j

    def _copies(self, B: int) -> torch.Tensor:
        """Edges of B copies of the bipartite graph, (2, B * nnz): each moved up by the nodes of those before it."""
        name, kept = f"edges_of_{B}_copies", dict(self.named_buffers(recurse=False))
        if name not in kept:
            shift = torch.arange(B, device=self.indices.device)[:, None]  # (B, 1)
            index = [one + nodes * shift for one, nodes in zip(self.indices, (self.N, self.M))]
            kept[name] = torch.stack(index).flatten(1)
            self.register_buffer(name, kept[name], persistent=False)
        return kept[name]


class GatherScatterGSNN(torch.nn.Module):
    """The GSNN of ``model``, from copies of its weights, batch-major and with gather-scatter maps.

    It needs the settings that the published model has. Raises TypeError for a union of models,
    ValueError for other settings.

    Shapes
        input (B, inputs), output (B, outputs); the state is (B, E), activations are (B, N, C).
    """

    def __init__(self, model: GSNN):
        super().__init__()
        if type(model) is not GSNN:
            raise TypeError(f"model must be a single GSNN, got {type(model).__name__}")
        needed = {"norm": "layer", "nonlin": torch.nn.ELU, "dropout": 0, "residual": True, "node_mlp": False}
        for name, value in needed.items():
            if model.settings[name] != value:
                raise ValueError(f"model must have {name}={value}, got {model.settings[name]}")
        # Layers that share a map in the model share its peer.
        linears = {lin for block in model.ResBlocks for lin in (block.lin_in, block.lin_out)}
        peers = {linear: GatherScatterLinear(linear) for linear in linears}
        self.ResBlocks = torch.nn.ModuleList(_Block(block, peers, model) for block in model.ResBlocks)

        source, target = model.edge_index
        n_input, n_output = (len(model.node_names_dict[t]) for t in ("input", "output"))
        entering, leaving = (source >= model.N).nonzero()[:, 0], (target >= model.N + n_input).nonzero()[:, 0]
        output = target[leaving] - model.N - n_input
        scale = torch.bincount(output, minlength=n_output).clamp_min(1).float().rsqrt() / model.layers**0.5
        for name, tensor in [
            ("entering", entering), ("input", source[entering] - model.N),
            ("leaving", leaving), ("output", output), ("scale", scale),
        ]:  # fmt: skip
            self.register_buffer(name, tensor, persistent=False)
        self.E = model.E

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x.new_zeros(len(x), self.E).index_copy(1, self.entering, x[:, self.input])  # (B, E)
        for block in self.ResBlocks:
            h = block(h)
        out = h.new_zeros(len(x), len(self.scale)).index_add(1, self.output, h[:, self.leaving])
        return out * self.scale  # (B, outputs)


class _Block(torch.nn.Module):
    """One layer; (B, E) -> (B, E)."""

    def __init__(self, block: ResBlock, peers: Mapping[SparseLinear, GatherScatterLinear], model: GSNN):
        super().__init__()
        self.lin_in, self.lin_out = peers[block.lin_in], peers[block.lin_out]
        self.node = _Node(block.node.norm, (model.N, model.channels))
        self.residual = _copy(block.residual.weight)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        a = self.node(self.lin_in(h))  # (B, N, C)
        return self.lin_out(a.flatten(1)) + self.residual.relu() * h


class _Node(torch.nn.Module):
    """Group norm and ELU; (B, N * C) -> (B, N, C)."""

    def __init__(self, norm: GroupLayerNorm, shape: tuple[int, int]):
        super().__init__()
        self.shape, self.eps = shape, norm.eps
        self.gamma, self.beta = _copy(norm.gamma), _copy(norm.beta)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        z = z.view(len(z), *self.shape)  # (B, N, C)
        with torch.no_grad():
            std, mean = torch.std_mean(z, -1, keepdim=True)  # (B, N, 1)
        normed = self.gamma[:, None] * ((z - mean) / (std + self.eps)) + self.beta[:, None]
        return torch.nn.functional.elu(normed)


def _copy(parameter: torch.Tensor) -> torch.nn.Parameter:
    return torch.nn.Parameter(parameter.detach().clone())


class DenseRegularizer(Regularizer):
    """L_sim of ``regularizer`` for ``model``, a peer, with dense M (P, N) and all P x N correlations.

    L_dis is 0: the benchmark has no pairs.
    """

    def __init__(self, model: GatherScatterGSNN, regularizer: PathwayLatentRegularizer):
        super().__init__()
        self.register_buffer("M", dense_membership(regularizer))
        self.phi, self.lambda_sim, self.eps = regularizer.phi, regularizer.lambda_sim, regularizer.eps
        self._recorder = ActivationRecorder(model)

    def loss(self, model: GatherScatterGSNN) -> tuple[torch.Tensor, torch.Tensor]:
        L_sim = self.lambda_sim * dense_loss(self._recorder.activations(), self.M, self.phi, self.eps)
        return L_sim, torch.zeros_like(L_sim)


def dense_membership(regularizer: PathwayLatentRegularizer) -> torch.Tensor:
    """M as a dense matrix, (P, N)."""
    node, pathway = regularizer.membership.indices
    M = regularizer.weights.new_zeros(regularizer.membership.targets, regularizer.membership.sources)
    return M.index_put((pathway, node), regularizer.weights)


def dense_loss(activations: Sequence[torch.Tensor], M: torch.Tensor, phi, eps: float) -> torch.Tensor:
    """L_sim / lambda_sim of L activations (B, N, C) and dense M (P, N), through all P x N correlations."""
    of_layers = []
    for a in activations:
        s = phi(a).t()  # (N, B)
        S = M @ s / M.sum(1, keepdim=True).clamp_min(1)  # (P, B)
        r = standardize_over_batch(S, eps) @ standardize_over_batch(s, eps).t() / len(a)  # (P, N)
        of_layers.append((M * r).sum() / M.sum().clamp_min(1))
    return -torch.stack(of_layers).mean()


def loop_indices(edge_index: torch.Tensor, nodes: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The places of the weights of W_in and W_out, (2, nnz) each, by loops over edges, nodes and channels."""
    edges = edge_index.t().tolist()
    win, wout, leaving = [], [], [[] for _ in range(nodes)]
    for e, (source, target) in enumerate(edges):
        if source < nodes:
            leaving[source].append(e)
        if target < nodes:
            for c in range(channels):
                win.append((e, target * channels + c))
    for n in range(nodes):
        for c in range(channels):
            for e in leaving[n]:
                wout.append((n * channels + c, e))
    return torch.tensor(win).t(), torch.tensor(wout).t()


def simulate_one_by_one(
    G: nx.DiGraph,
    samples: int,
    input_nodes: Sequence[str],
    output_nodes: Sequence[str],
    noise_scale: float,
    special_functions: Mapping[str, Callable],
    draw: Callable[[int, str], float],
) -> tuple[np.ndarray, np.ndarray]:
    """``simulate`` in a loop: every node of a sample, then the next sample.

    ``draw(sample, node)`` is a standard normal number. Returns x (samples, inputs) and y (samples, outputs).
    """
    order = [(node, list(G.predecessors(node))) for node in nx.topological_sort(G)]
    x, y = np.empty((samples, len(input_nodes))), np.empty((samples, len(output_nodes)))
    for i in range(samples):
        values = {}
        for node, parents in order:
            z = draw(i, node)
            if parents:
                mean = special_functions.get(node, sum)([values[parent] for parent in parents])
                values[node] = mean + noise_scale * z
            else:
                values[node] = z
        x[i] = [values[node] for node in input_nodes]
        y[i] = [values[node] for node in output_nodes]
    return x, y


def both_losses(memberships: int, device: str) -> dict[str, Callable]:
    """Both forms of L_sim, forward and backward to the activations, B=32: 50 members a pathway, 5 pathways a node."""
    nodes, pathways = memberships // 10, memberships // 50
    rng = np.random.default_rng(0)
    members = np.concatenate([rng.choice(nodes, 50, replace=False) for _ in range(pathways)])
    index = torch.tensor(np.stack([np.repeat(np.arange(pathways), 50), members]))
    M = torch.sparse_coo_tensor(index, torch.ones(memberships), (pathways, nodes), check_invariants=True)
    model = random_model(nodes, nodes, layers=1).to(device)
    recorder = ActivationRecorder(model)
    regularizer = PathwayLatentRegularizer(model, M, lambda_sim=1.0, phi="learned").to(device)
    with torch.no_grad():
        model(torch.randn(32, len(model.node_names_dict["input"]), device=device))
    (a,) = recorder.activations()  # the tensor that the regularizer keeps too: from here on, it has no past
    a.requires_grad_()
    a_dense = a.detach().permute(2, 0, 1).contiguous().requires_grad_()  # (B, N, C)
    dense, w = dense_membership(regularizer), regularizer.phi.weight.detach()[0]
    return {
        "dense P x N": lambda: torch.autograd.grad(dense_loss([a_dense], dense, lambda a: a @ w, 1e-6), a_dense),
        "edge-major": lambda: torch.autograd.grad(regularizer.loss(model)[0], a),
    }
