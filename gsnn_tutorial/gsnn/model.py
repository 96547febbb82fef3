r"""The Graph Structured Neural Network.

The hidden state is one number per *edge*: the message that the edge's source sends. One layer
turns edge states into C channels per function node and back:

.. math::
    z  &= W_{in} h + b_{in}                 && (N \cdot C, B) \\
    a  &= \mathrm{ELU}(\mathrm{norm}(z))    && (N, C, B) \quad\text{the activation} \\
    h' &= W_{out} a + b_{out} + \mathrm{relu}(r)\, h  && (E, B)

Inside the network everything is edge-major, samples last. Outside, ``model(x)`` takes and gives
(B, inputs) -> (B, outputs) as any module does.

Source: Evans et al. 2024, Graph Structured Neural Networks for Perturbation Biology, bioRxiv 2024.02.28.582164.
"""

from __future__ import annotations

import torch

from gsnn_tutorial import kernels, validate
from gsnn_tutorial.gsnn.node import NORMS, ActivationRecorder, NodeFunction
from gsnn_tutorial.sparse import FixedMap, SparseLinear
from gsnn_tutorial.wiring import checked_edges, checked_names, fingerprint

INITS = ("degree_normalized",)
AGGREGATIONS = ("sum", "mean", "max", "last", "all")


class Residual(torch.nn.Module):
    """out + relu(r) h with one learned r, which starts at 1; (E, B) -> (E, B)."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, out: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return add_residual(out, self.weight, h)


@kernels.plain_path
def add_residual(out: torch.Tensor, r: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """out + relu(r) h: r (1,), out and h (E, B)."""
    return out + r.relu() * h


class ResBlock(torch.nn.Module):
    """One layer: edges to channels, the node functions, channels to edges, and the residual."""

    def __init__(self, lin_in: SparseLinear, lin_out: SparseLinear, node: NodeFunction, residual: Residual | None):
        super().__init__()
        self.lin_in, self.node, self.lin_out, self.residual = lin_in, node, lin_out, residual

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        a = self.node(self.lin_in(h))  # (N, C, B)
        out = self.lin_out(a.reshape(-1, h.shape[1]))  # (E, B)
        return out if self.residual is None else self.residual(out, h)


class GSNN(torch.nn.Module):
    """A neural network that is wired as the graph is.

    Arguments
        edge_index_dict: (2, edges) index pairs for each of ``EDGE_TYPES``, as ``nx2pyg`` gives them.
        node_names_dict: names for each of ``NODE_TYPES``.
        channels: C, hidden units of each function node.
        layers: L; a signal moves one hop per layer.
        dropout, nonlin, bias: as in any network; ``nonlin`` is a class such as ``torch.nn.ELU``.
        share_layers: one W_in and W_out for all layers; norms and residual weights stay per layer.
        add_function_self_edges: give every function node an edge to itself.
        norm: 'layer' (over a node's channels), 'batch' (over the batch), 'none'.
        init: 'degree_normalized', see ``SparseLinear``.
        residual: add relu(r) h to each layer's output, r learned, and divide the end by sqrt(L).
        node_mlp, node_mlp_hidden: a shared two-layer MLP after each node's nonlinearity.
        generator: where initial weights are drawn; None is torch's global one, as in the reference
            (call ``torch.manual_seed`` first).

    Raises ValueError for bad values, and TypeError for an argument that only the reference has, unless it is at the
    value that means off (``checkpoint=False`` and so on, see ``validate.REFERENCE_ONLY``).

    Shapes
        input (B, inputs), output (B, outputs), columns in the order of ``node_names_dict``.
    """

    def __init__(
        self,
        edge_index_dict,
        node_names_dict,
        channels: int,
        layers: int,
        dropout: float = 0.0,
        nonlin=torch.nn.ELU,
        bias: bool = True,
        share_layers: bool = True,
        add_function_self_edges: bool = True,
        norm: str = "layer",
        init: str = "degree_normalized",
        *,
        residual: bool = True,
        node_mlp: bool = True,
        node_mlp_hidden: int = 128,
        generator: torch.Generator | None = None,
        **unknown,
    ):
        super().__init__()
        self.settings = {
            "channels": channels, "layers": layers, "dropout": dropout, "nonlin": nonlin, "bias": bias,
            "share_layers": share_layers, "add_function_self_edges": add_function_self_edges, "norm": norm,
            "init": init, "residual": residual, "node_mlp": node_mlp, "node_mlp_hidden": node_mlp_hidden,
        }  # fmt: skip
        check_settings(self.settings, unknown)
        channels, layers = self.channels, self.layers = self.settings["channels"], self.settings["layers"]  # C, L
        validate.torch_generator(generator)
        self.node_names_dict = checked_names(node_names_dict)
        self.edge_index_dict = checked_edges(edge_index_dict, self.node_names_dict)
        edge_index = self._edge_list()
        if not edge_index.shape[1]:
            raise ValueError("edge_index_dict must have at least one edge, got none")
        self.E, self.N = edge_index.shape[1], len(self.node_names_dict["function"])
        self.register_buffer("edge_index", edge_index, persistent=False)
        self.register_buffer("function_edge_mask", (edge_index < self.N).all(0), persistent=False)

        shared = self._linear_pair(generator) if share_layers else None
        self.ResBlocks = torch.nn.ModuleList()
        for _ in range(layers):
            lin_in, lin_out = shared or self._linear_pair(generator)
            node = NodeFunction(
                self.N, channels, norm=norm, nonlin=nonlin, dropout=dropout,
                node_mlp=node_mlp, node_mlp_hidden=node_mlp_hidden, generator=generator,
            )  # fmt: skip
            self.ResBlocks.append(ResBlock(lin_in, lin_out, node, Residual() if residual else None))
        self.read_in, self.read_out = self._ends()

    def _linear_pair(self, generator) -> tuple[SparseLinear, SparseLinear]:
        """W_in, from edges to channels, and W_out, from channels to edges."""
        size, bias = (self.E, self.N * self.channels), self.settings["bias"]
        lin_in = SparseLinear(win_indices(self.edge_index, self.N, self.channels), size, bias, generator)
        return lin_in, SparseLinear(wout_indices(self.edge_index, self.N, self.channels), size[::-1], bias, generator)

    def _ends(self) -> tuple[FixedMap, FixedMap]:
        """Reading in and reading out, two maps that learn nothing.

        Reading in copies x_i to the edges that leave input i. Reading out adds up the in-edges of each output, over
        sqrt(in-degree) and, with residuals, sqrt(L).
        """
        source, target = self.edge_index
        inputs, outputs = (len(self.node_names_dict[t]) for t in ("input", "output"))
        entering = (source >= self.N).nonzero().squeeze(1)
        leaving = (target >= self.N + inputs).nonzero().squeeze(1)
        read_in = FixedMap(source[entering] - self.N, entering, (inputs, self.E), torch.ones_like(entering))
        output = target[leaving] - self.N - inputs
        degree = torch.bincount(output, minlength=outputs)[output]
        layers = self.layers if self.settings["residual"] else 1
        return read_in, FixedMap(leaving, output, (self.E, outputs), degree, layers)

    def _edge_list(self) -> torch.Tensor:
        """All edges as one (2, E) list.

        Nodes are numbered function, input, output. Edges run function-function, input-function,
        function-output, then the self-loops.
        """
        n_input, n_function = len(self.node_names_dict["input"]), len(self.node_names_dict["function"])
        first = {"function": 0, "input": n_function, "output": n_function + n_input}
        order = ("function", "to", "function"), ("input", "to", "function"), ("function", "to", "output")
        edges = [self.edge_index_dict[s, to, t] + torch.tensor([[first[s]], [first[t]]]) for s, to, t in order]
        if self.settings["add_function_self_edges"]:
            edges.append(torch.arange(n_function).expand(2, -1))
        return torch.cat(edges, dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict: (B, inputs) -> (B, outputs). x is moved to the model's device and dtype."""
        names, like = self.node_names_dict["input"], self.ResBlocks[0].lin_in.values
        x = validate.filled("x", validate.matrix("x", x, columns=len(names), names=names, like=like))
        h = self.read_in(x.t())  # (E, B): edges are rows, since each layer gathers and adds up whole rows
        for block in self.ResBlocks:
            h = block(h)
        return self.read_out(h).t()  # (B, outputs)

    def get_node_activations(self, x: torch.Tensor, agg: str = "sum") -> dict[str, torch.Tensor]:
        """Each function node's activations for a batch, by node name.

        ``agg`` joins the layers: 'sum', 'mean', 'max' or 'last' give (B, C); 'all' gives (B, L*C),
        layer by layer. Computed in the model's present mode, without gradients.
        """
        validate.choice("agg", agg, AGGREGATIONS)
        a = self.layer_activations(x)  # (B, L, N, C)
        if agg == "all":
            joined = a.transpose(1, 2).flatten(2)  # (B, N, L*C)
        elif agg == "last":
            joined = a[:, -1]  # (B, N, C)
        else:
            joined = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}[agg](a, dim=1)  # (B, N, C)
        return dict(zip(self.node_names_dict["function"], joined.unbind(1)))

    def get_extra_state(self) -> torch.Tensor:
        """A fingerprint of nodes and edges, 32 bytes: it tells us to which graph a state dict belongs."""
        return fingerprint(self.node_names_dict, self.edge_index)

    def set_extra_state(self, state: torch.Tensor):
        """Raise ValueError if a state dict belongs to another graph, before any weight is read."""
        if state.tolist() != self.get_extra_state().tolist():
            raise ValueError("state_dict must be of a GSNN with the same nodes and edges, got one of another graph")

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        state_dict.setdefault(f"{prefix}_extra_state", self.get_extra_state())  # an older one has no fingerprint
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @torch.no_grad()
    def layer_activations(self, x: torch.Tensor) -> torch.Tensor:
        """The activations of all layers and function nodes as one tensor, (B, L, N, C)."""
        recorder = ActivationRecorder(self)
        try:
            self(x)
            return torch.stack(recorder.activations()).permute(3, 0, 1, 2)
        finally:
            recorder.remove()


def win_indices(edge_index: torch.Tensor, nodes: int, channels: int) -> torch.Tensor:
    """The places of the weights of W_in, (2, nnz): edge e -> channel (n, c) if e ends in function node n.

    Edge by edge, channel by channel; channel (n, c) has number n*C + c.
    """
    edges = (edge_index[1] < nodes).nonzero()  # (edges into functions, 1)
    channel = edge_index[1, edges] * channels + torch.arange(channels)  # (edges into functions, C)
    return torch.stack([edges.expand_as(channel).flatten(), channel.flatten()])


def wout_indices(edge_index: torch.Tensor, nodes: int, channels: int) -> torch.Tensor:
    """The places of the weights of W_out, (2, nnz): channel (n, c) -> edge e if e starts at function node n.

    Node by node, channel by channel, edge by edge.
    """
    edges = (edge_index[0] < nodes).nonzero()  # (edges out of functions, 1)
    channel = edge_index[0, edges] * channels + torch.arange(channels)  # (edges out of functions, C)
    order = torch.argsort(channel.flatten(), stable=True)
    return torch.stack([channel.flatten()[order], edges.expand_as(channel).flatten()[order]])


def check_settings(settings: dict, unknown: dict):
    """Raise for a setting that ``GSNN`` cannot have, and turn all others into Python's own numbers."""
    validate.reference_only("GSNN", unknown)
    for name in ("channels", "layers", "node_mlp_hidden"):
        settings[name] = validate.integer(name, settings[name], 1)
    for name in ("bias", "share_layers", "add_function_self_edges", "residual", "node_mlp"):
        settings[name] = validate.flag(name, settings[name])
    settings["dropout"] = validate.number("dropout", settings["dropout"], 0, 1)
    validate.choice("norm", settings["norm"], tuple(NORMS))
    validate.choice("init", settings["init"], INITS)
    validate.module_class("nonlin", settings["nonlin"])
