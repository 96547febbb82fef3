r"""A graph convolutional network on the same graph: a rival that has the map too, and one matrix for all nodes.

.. math:: H^{(l+1)} = H^{(l)} + \mathrm{ELU}\left(\tilde D^{-1/2} \tilde A \tilde D^{-1/2} H^{(l)} W^{(l)}\right)

A-tilde is the graph without directions, with self-loops (Kipf and Welling 2017); H is (B, nodes, width). A GSNN has
weights for every edge. Here a node differs from another by its place, and by the features that it starts with.
"""

from __future__ import annotations

import numpy as np
import torch
from torch_geometric.nn import DenseGCNConv

from gsnn_tutorial import validate
from gsnn_tutorial.wiring import Graph
from gsnn_tutorial.study.own.splits import OwnDraw
from gsnn_tutorial.study.replicas import output_errors
from gsnn_tutorial.study.tuning import chosen, folds
from gsnn_tutorial.training import train

DEPTHS = (2, 4, 8)  # it chooses from these
LOOKS = (10, 20, 30, 40, 50, 60)  # epochs


class GraphConvolutions(torch.nn.Module):
    """(B, inputs) -> (B, outputs): every node starts with learned features of its own, an input's times its value.

    Arguments
        graph: inputs, function nodes and outputs, all of them nodes that take part.
        width: features of a node.
        layers: convolutions.
        seed: of the weights.
    """

    def __init__(self, graph: Graph, width: int = 32, layers: int = 4, seed: int = 0):
        super().__init__()
        nodes = {name: place for place, name in enumerate(validate.instance("graph", graph, Graph).networkx())}
        width, layers = validate.integer("width", width, 1), validate.integer("layers", layers, 1)
        adjacency = torch.zeros(len(nodes), len(nodes))
        for u, v in graph.all_edges:
            adjacency[nodes[u], nodes[v]] = adjacency[nodes[v], nodes[u]] = 1.0
        self.register_buffer("adjacency", adjacency)
        self.register_buffer("entering", torch.tensor([nodes[name] for name in graph.input_nodes]))
        self.register_buffer("leaving", torch.tensor([nodes[name] for name in graph.output_nodes]))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(validate.integer("seed", seed, 0))
            self.start = torch.nn.Parameter(torch.randn(len(nodes), width))
            self.given = torch.nn.Parameter(torch.randn(len(graph.input_nodes), width))
            self.convolutions = torch.nn.ModuleList(DenseGCNConv(width, width) for _ in range(layers))  # a small graph
            self.read = torch.nn.Parameter(torch.randn(len(graph.output_nodes), width) / width**0.5)
        self.offset = torch.nn.Parameter(torch.zeros(len(graph.output_nodes)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.start.expand(len(x), -1, -1)
        h = h.index_add(1, self.entering, x[:, :, None] * self.given)
        for convolution in self.convolutions:
            h = h + torch.nn.functional.elu(convolution(h, self.adjacency))
        return (h[:, self.leaving] * self.read).sum(2) + self.offset


def gcn_errors(
    draw: OwnDraw, looks: tuple[int, ...] = LOOKS, depths: tuple[int, ...] = DEPTHS, n_folds: int = 3
) -> np.ndarray:
    """MSE of each output on the test rows, (outputs,), of a GCN that chose its depth and epoch as the arms of a tuned study do."""
    found = np.full((len(depths), n_folds, len(looks)), np.nan)
    for place, depth in enumerate(depths):
        for fold, (kept, left) in enumerate(folds(len(draw.x_train), n_folds, draw.groups)):
            _trained(draw, depth, looks, kept, left, found[place, fold])
    depth, epoch = chosen(found)
    model = _trained(draw, depths[depth], looks[: epoch + 1])
    return output_errors(model, draw.x_test, draw.y_test)


def _trained(draw, depth, looks, kept=slice(None), left=None, found=None) -> GraphConvolutions:
    model = GraphConvolutions(draw.graph, layers=depth, seed=draw.seed)

    def look(epoch: int):
        if left is not None and epoch + 1 in looks:
            found[looks.index(epoch + 1)] = output_errors(model, draw.x_train[left], draw.y_train[left]).mean()

    history = train(model, draw.x_train[kept], draw.y_train[kept], epochs=looks[-1], lr=5e-3, batch_size=32,
                    seed=draw.seed, progress=False, after_epoch=look)  # fmt: skip
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return model
