r"""The Graph Structured Neural Network.

The hidden state is one number per *edge*: the message that the edge's source sends. One layer
turns edge states into C channels per function node and back:

.. math::
    z  &= W_{in} h + b_{in}                 && (N \cdot C, B) \\
    a  &= \mathrm{ELU}(\mathrm{norm}(z))    && (N, C, B) \quad\text{the activation} \\
    h' &= W_{out} a + b_{out} + \mathrm{relu}(r)\, h  && (E, B)

Inside the network everything is edge-major, samples last. Outside, ``model(x)`` takes and gives
(B, inputs) -> (B, outputs) as any module does.

Source: Evans et al. 2024, Graph Structured Neural Networks for Perturbation Biology,
bioRxiv 2024.02.28.582164.
"""

from __future__ import annotations

from functools import partial

import torch
from torch.autograd.function import once_differentiable

from gsnn_tutorial import validate
from gsnn_tutorial.graph import EDGE_TYPES, NODE_TYPES, check_names
from gsnn_tutorial.sparse import SparseLinear, SparsePattern, sparse_map

NORMS = ("layer", "batch", "none")
INITS = ("degree_normalized",)
AGGREGATIONS = ("sum", "mean", "max", "last", "all")
REFERENCE_ONLY = ("verbose", "edge_channels", "checkpoint", "norm_first", "node_attn", "edge_weight_dict")


class GroupLayerNorm(torch.nn.Module):
    r"""Standardise the C channels of each node, in each sample.

    .. math:: y_{nc} = \gamma_n \frac{z_{nc} - \bar z_n}{s_n + 0.1} + \beta_n

    :math:`\bar z_n, s_n` are mean and unbiased std over the node's channels, constants in the
    backward pass. Shapes: (N, C, B) -> (N, C, B); ``gamma``, ``beta`` (N,).
    """

    def __init__(self, nodes: int, channels: int, eps: float = 0.1):
        super().__init__()
        if channels < 2:
            raise ValueError(f"norm='layer' compares a node's channels and needs channels >= 2, got {channels}")
        self.eps = eps
        self.gamma = torch.nn.Parameter(torch.ones(nodes))
        self.beta = torch.nn.Parameter(torch.zeros(nodes))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return _ChannelNorm.apply(z, self.gamma, self.beta, self.eps)


class _ChannelNorm(torch.autograd.Function):
    """GroupLayerNorm, with its backward pass by hand: one step where autograd would take eight."""

    @staticmethod
    def forward(ctx, z, gamma, beta, eps):
        centred = z - z.mean(1, keepdim=True)  # (N, C, B)
        # Two sums: torch's own std over a middle dimension is several times slower.
        out = centred * centred  # and the memory of the result, below: a new block of it costs more than the sum
        variance = out.sum(1, keepdim=True).div_(z.shape[1] - 1)
        scale = variance.sqrt_().add_(eps).reciprocal_()  # (N, 1, B)
        ctx.save_for_backward(centred, scale, gamma)
        return torch.addcmul(beta[:, None, None], centred, scale * gamma[:, None, None], out=out)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        centred, scale, gamma = ctx.saved_tensors
        out = grad * centred
        grad_gamma = (out.sum(1, keepdim=True) * scale).sum((1, 2))
        return torch.mul(grad, scale * gamma[:, None, None], out=out), grad_gamma, grad.sum((1, 2)), None


class BatchNorm(torch.nn.BatchNorm1d):
    """BatchNorm1d with one mean and std per channel of each node, over the batch; (N, C, B) -> (N, C, B)."""

    def __init__(self, nodes: int, channels: int):
        super().__init__(nodes * channels, eps=1e-3)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        if self.training and z.shape[-1] < 2:
            raise ValueError(
                "x must have at least 2 rows to train with norm='batch', which needs a std over them; got 1"
            )
        return super().forward(z.flatten(0, 1).unsqueeze(0)).view_as(z)


class NodeMLP(torch.nn.Module):
    """Two linear layers on a node's channels, shared by all nodes; (N, C, B) -> (N, C, B)."""

    def __init__(self, channels: int, hidden: int, nonlin, dropout: float, generator: torch.Generator | None):
        super().__init__()
        self.mlp = torch.nn.Sequential(
            torch.nn.Linear(channels, hidden),
            torch.nn.LayerNorm(hidden),
            nonlin(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(hidden, channels),
            torch.nn.Dropout(dropout),
        )
        if generator is not None:  # torch's own layers draw from the global generator only
            for linear in (self.mlp[0], self.mlp[4]):
                for parameter in linear.parameters():
                    torch.nn.init.uniform_(parameter, -(linear.in_features**-0.5), linear.in_features**-0.5, generator)

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return self.mlp(a.transpose(1, 2)).transpose(1, 2)


class NodeFunction(torch.nn.Module):
    """What every function node does with its channels: norm, nonlinearity, dropout, MLP if asked for.

    Its output, (N, C, B), is the activation that the regularizer and the metrics read.
    """

    def __init__(self, nodes, channels, *, norm, nonlin, dropout, node_mlp, node_mlp_hidden, generator):
        super().__init__()
        self.shape = (nodes, channels, -1)
        norms = {"layer": GroupLayerNorm, "batch": BatchNorm}
        self.norm = norms[norm](nodes, channels) if norm in norms else torch.nn.Identity()
        self.nonlin = nonlin()
        if hasattr(self.nonlin, "inplace"):
            # Nobody else needs what the norm gives (a hook that does keeps a copy). Written over it, a saved activation
            # is also its own derivative: ELU'(z) = ELU(z) + 1 below 0, so the backward pass takes no exponential.
            self.nonlin.inplace = True
        self.dropout = torch.nn.Dropout(dropout)
        self.mlp = NodeMLP(channels, node_mlp_hidden, nonlin, dropout, generator) if node_mlp else torch.nn.Identity()

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.mlp(self.dropout(self.nonlin(self.norm(z.view(self.shape)))))


class Residual(torch.nn.Module):
    """out + relu(r) h with one learned r, which starts at 1.

    A union of R models has R of them: ``weight`` is (R,), and ``replica`` (E,) says whose an edge is.
    """

    def __init__(self, replica: torch.Tensor):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(int(replica.max()) + 1))
        self.register_buffer("replica", replica, persistent=False)

    def forward(self, out: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return out.addcmul_(self.weight.relu().index_select(0, self.replica)[:, None], h)


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

    Raises ValueError for bad values, and TypeError for an argument that only the reference has.

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
        for name in unknown:
            owner = "is an argument of the reference implementation that this one does not have"
            raise TypeError(f"{name!r} " + (owner if name in REFERENCE_ONLY else "is not an argument of GSNN"))
        self.channels = validate.integer("channels", channels, 1)
        self.layers = validate.integer("layers", layers, 1)
        validate.number("dropout", dropout, 0, 1)
        validate.choice("norm", norm, NORMS)
        if not (isinstance(nonlin, type) and issubclass(nonlin, torch.nn.Module)):
            raise TypeError(f"nonlin must be a class of torch modules such as torch.nn.ELU, got {nonlin!r}")
        validate.choice("init", init, INITS)
        validate.integer("node_mlp_hidden", node_mlp_hidden, 1)

        self.settings = {
            "channels": channels, "layers": layers, "dropout": dropout, "nonlin": nonlin, "bias": bias,
            "share_layers": share_layers, "add_function_self_edges": add_function_self_edges, "norm": norm,
            "init": init, "residual": residual, "node_mlp": node_mlp, "node_mlp_hidden": node_mlp_hidden,
        }  # fmt: skip
        _need("node_names_dict", node_names_dict, NODE_TYPES)
        self.node_names_dict = {t: list(node_names_dict[t]) for t in NODE_TYPES}
        self.edge_index_dict = _checked_edges(edge_index_dict, self.node_names_dict)
        n_input, n_function, n_output = (len(self.node_names_dict[t]) for t in NODE_TYPES)
        edge_index = self._edge_list()
        if not edge_index.shape[1]:
            raise ValueError("edge_index_dict must have at least one edge, got none")
        source, target = edge_index
        self.E, self.N = edge_index.shape[1], n_function
        self.register_buffer("edge_index", edge_index, persistent=False)
        functions_only = (source < n_function) & (target < n_function)
        self.register_buffer("function_edge_mask", functions_only, persistent=False)

        def linear_pair():
            size = (self.E, n_function * channels)
            lin_in = SparseLinear(win_indices(edge_index, n_function, channels), size, bias, generator)
            return lin_in, SparseLinear(wout_indices(edge_index, n_function, channels), size[::-1], bias, generator)

        shared = linear_pair() if share_layers else None
        self.ResBlocks = torch.nn.ModuleList()
        for _ in range(layers):
            lin_in, lin_out = shared or linear_pair()
            node = NodeFunction(
                n_function, channels, norm=norm, nonlin=nonlin, dropout=dropout,
                node_mlp=node_mlp, node_mlp_hidden=node_mlp_hidden, generator=generator,
            )  # fmt: skip
            one_model = torch.zeros(self.E, dtype=torch.long)
            self.ResBlocks.append(ResBlock(lin_in, lin_out, node, Residual(one_model) if residual else None))

        # Reading in copies x_i to the edges that leave input i. Reading out adds up the in-edges of
        # each output, over sqrt(in-degree) and, with residuals, sqrt(L). Both are fixed sparse maps.
        is_input, is_output = (source >= n_function), (target >= n_function + n_input)
        entering, leaving = is_input.nonzero().squeeze(1), is_output.nonzero().squeeze(1)
        self.read_in = _FixedMap(source[entering] - n_function, entering, (n_input, self.E), torch.ones(len(entering)))
        outputs = target[leaving] - n_function - n_input
        weight = torch.bincount(outputs, minlength=n_output)[outputs].float().rsqrt()
        if residual:
            weight = weight / layers**0.5
        self.read_out = _FixedMap(leaving, outputs, (self.E, n_output), weight)

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
        x = validate.matrix("x", x, columns=self.read_in.pattern.sources).to(self.read_in.values)
        if not len(x):
            raise ValueError(f"x must have at least one row, got shape {tuple(x.shape)}")
        h = self.read_in(x.t())  # (E, B)
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

    @torch.no_grad()
    def layer_activations(self, x: torch.Tensor) -> torch.Tensor:
        """The activations of all layers and function nodes as one tensor, (B, L, N, C)."""
        recorder = ActivationRecorder(self)
        try:
            self(x)
            return torch.stack(recorder.activations()).permute(3, 0, 1, 2)
        finally:
            recorder.remove()


class ActivationRecorder:
    """Keeps every layer's activation of the latest forward pass, through forward hooks."""

    def __init__(self, model: GSNN):
        self._latest = [None] * len(model.ResBlocks)
        self._hooks = [
            block.node.register_forward_hook(partial(self._keep, layer)) for layer, block in enumerate(model.ResBlocks)
        ]

    def _keep(self, layer: int, module, inputs, output):
        self._latest[layer] = output

    def __getstate__(self) -> dict:
        """For a copy or a file: the hooks go along, what they kept stays here."""
        return self.__dict__ | {"_latest": [None] * len(self._latest)}

    def activations(self) -> list[torch.Tensor]:
        """L tensors of shape (N, C, B). Raises RuntimeError if no forward pass has run yet."""
        if self._latest[-1] is None:
            raise RuntimeError("no activations yet: run model(x) first")
        return self._latest

    def remove(self):
        """Take the hooks away and forget what they kept."""
        for hook in self._hooks:
            hook.remove()
        self._latest = [None] * len(self._latest)


class _FixedMap(torch.nn.Module):
    """A sparse map with constant weights, given in any order."""

    def __init__(self, source, target, size, values):
        super().__init__()
        order = torch.argsort(source * size[1] + target)
        self.pattern = SparsePattern(torch.stack([source, target])[:, order], size)
        self.register_buffer("values", values[order], persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sparse_map(self.values, x, self.pattern)


def win_indices(edge_index: torch.Tensor, nodes: int, channels: int) -> torch.Tensor:
    """Where W_in has weights, (2, nnz): edge e -> channel (n, c) if e ends in function node n.

    Edge by edge, channel by channel; channel (n, c) has number n*C + c.
    """
    edges = (edge_index[1] < nodes).nonzero()  # (edges into functions, 1)
    channel = edge_index[1, edges] * channels + torch.arange(channels)  # (edges into functions, C)
    return torch.stack([edges.expand_as(channel).flatten(), channel.flatten()])


def wout_indices(edge_index: torch.Tensor, nodes: int, channels: int) -> torch.Tensor:
    """Where W_out has weights, (2, nnz): channel (n, c) -> edge e if e starts at function node n.

    Node by node, channel by channel, edge by edge.
    """
    edges = (edge_index[0] < nodes).nonzero()  # (edges out of functions, 1)
    channel = edge_index[0, edges] * channels + torch.arange(channels)  # (edges out of functions, C)
    order = torch.argsort(channel.flatten(), stable=True)
    return torch.stack([channel.flatten()[order], edges.expand_as(channel).flatten()[order]])


def _need(name: str, given, keys):
    missing = [key for key in keys if key not in given]
    if missing:
        raise ValueError(f"{name} must have the keys {list(keys)}; {missing[0]!r} is missing")


def _checked_edges(edge_index_dict, names: dict[str, list[str]]) -> dict[tuple, torch.Tensor]:
    for t in NODE_TYPES:
        if not names[t]:
            raise ValueError(f"node_names_dict[{t!r}] must name at least one node, got none")
    check_names(names)
    extra = [key for key in edge_index_dict if key not in EDGE_TYPES]
    if extra:
        raise ValueError(f"edge_index_dict has edges of type {extra[0]}; a GSNN has only {list(EDGE_TYPES)}")
    _need("edge_index_dict", edge_index_dict, EDGE_TYPES)
    checked = {}
    for edge_type in EDGE_TYPES:
        source, _, target = edge_type
        index, name = torch.as_tensor(edge_index_dict[edge_type]).cpu(), f"edge_index_dict[{edge_type}]"
        if index.dim() != 2 or index.shape[0] != 2 or index.is_floating_point():
            raise ValueError(f"{name} must be integer pairs of shape (2, edges), got shape {tuple(index.shape)}")
        size = torch.tensor([[len(names[source])], [len(names[target])]])
        outside = ((index < 0) | (index >= size)).any(0)
        if outside.any():
            raise ValueError(
                f"{name} must index {len(names[source])} {source} nodes and {len(names[target])} {target} nodes, "
                f"got the pair {index[:, outside][:, 0].tolist()}"
            )
        if torch.unique(index, dim=1).shape[1] < index.shape[1]:
            raise ValueError(f"{name} must list every edge once, got a repeated one")
        checked[edge_type] = index.long().clone()
    return checked
