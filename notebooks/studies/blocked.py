r"""A GSNN whose inhibitors multiply: a blocked node hands on less of what it would have handed on.

.. math:: h'_{uv} = \left(1 - \sigma(w_i)\, x_i\right) \left(W_{out} a + b_{out}\right)_{uv}

for the edges u -> v between two function nodes, where inhibitor i blocks u; x_i is 1 where it was given, and w_i, one
number for each inhibitor, is learned. What is read out of u is not scaled: a blocked kinase can be phosphorylated.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from gsnn_tutorial import validate
from gsnn_tutorial.gsnn import GSNN


class Blocked(torch.nn.Module):
    """(B, inputs) -> (B, outputs), as the model that it wraps, whose blocked nodes hand on less.

    Arguments
        model: the GSNN that is wrapped; its layers are changed for good.
        blocks: the node that each inhibitor, an input of the model, blocks.

    Raises ValueError for an inhibitor that is no input, and for a node that is no function node or is blocked twice.
    """

    def __init__(self, model: GSNN, blocks: Mapping[str, str]):
        super().__init__()
        self.model, names = validate.instance("model", model, GSNN), model.node_names_dict
        blocks = validate.mapping("blocks", blocks)
        for inhibitor, node in blocks.items():
            validate.choice("blocks", inhibitor, tuple(names["input"]))
            validate.choice(f"blocks[{inhibitor!r}]", node, tuple(names["function"]))
        if len(set(blocks.values())) < len(blocks):
            raise ValueError(f"blocks must name each node once, got {list(blocks.values())}")
        source, target = model.edge_index
        nodes = torch.tensor([names["function"].index(node) for node in blocks.values()])
        handed_on = model.function_edge_mask & (source != target)
        found = (handed_on[:, None] & (source[:, None] == nodes)).nonzero()  # (edges, 2): an edge, an inhibitor
        self.register_buffer("edges", found[:, 0], persistent=False)
        self.register_buffer("inhibitor", found[:, 1], persistent=False)
        self.register_buffer("column", torch.tensor([names["input"].index(name) for name in blocks]), persistent=False)
        self.weight = torch.nn.Parameter(torch.zeros(len(blocks)))
        for lin_out in {id(block.lin_out): block.lin_out for block in model.ResBlocks}.values():
            lin_out.register_forward_hook(self._scaled)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left = 1 - self.weight.sigmoid()[:, None] * x[:, self.column].T  # (inhibitors, B)
        self._left = left[self.inhibitor]  # (edges, B)
        return self.model(x)

    def _scaled(self, lin_out, args, out: torch.Tensor) -> torch.Tensor:
        """(E, B), the edges of blocked nodes scaled by what is left."""
        return out.index_copy(0, self.edges, out[self.edges] * self._left)
