"""A batch of *models*: R of them, side by side, are one GSNN on the disjoint union of their graphs.

No edge runs between two replicas, so their states, losses and gradients never meet. Weights,
biases and norms of each are entries of their own already. What a single model has once becomes
one per replica: the residual weights (R,) of each layer, the learned phi (R, C), the losses (R,).
Adam and weight decay act entry by entry. Training the union is training each alone, at a fraction
of the price: a few large products instead of R times as many small ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from gsnn_tutorial import validate
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.training import BestWeights, SideBySide
from gsnn_tutorial.wiring import EDGE_TYPES, NODE_TYPES


class UnionResidual(torch.nn.Module):
    """out + relu(r) h, with an r for each of R replicas: ``weight`` is (R,), ``replica`` (E,) says whose an edge is."""

    def __init__(self, replica: torch.Tensor, replicas: int):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(replicas))
        self.register_buffer("replica", replica, persistent=False)

    def forward(self, out: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return out.addcmul_(self.weight.relu().index_select(0, self.replica)[:, None], h)


class BestOfEach(BestWeights):
    """Of R models, each one's weights of its own best epoch."""

    def __init__(self, union: GSNNUnion):
        super().__init__(union)
        self.owner = union.replica_of_rows()
        self._epoch = torch.tensor(-1)

    @property
    def epoch(self) -> list[int]:
        """The best epoch of each model, -1 where none had a finite error."""
        return self._epoch.tolist()

    @epoch.setter
    def epoch(self, epoch: int):
        self._epoch = torch.tensor(epoch)

    def look(self, error: torch.Tensor, epoch: int):
        """Keep the present weights of the models whose validation error, (R,), is lower than before."""
        lower = error < self.error.to(error)
        self.error = torch.where(lower, error, self.error.to(error))
        self._epoch = torch.where(lower, epoch, self._epoch.to(error.device))
        for name, tensor in self.weights.items():
            if name in self.owner:
                chosen = lower[self.owner[name]].reshape(-1, *[1] * (tensor.dim() - 1))
            else:  # a tensor without rows is the same for all
                chosen = lower.any()
            self.kept[name] = torch.where(chosen, tensor, self.kept[name])


class GSNNUnion(GSNN, SideBySide):
    """One GSNN on the disjoint union of R models' graphs, started from the models' weights.

    The models must have the same settings (channels, layers, norm, ...); their graphs may differ
    in everything. Columns of x and y are the models' columns, one model after the other. Node
    names become (replica, name).

    Raises ValueError for different settings, for a node MLP (all nodes of a model share its
    weights) and for dropout (its draws would depend on the company).
    """

    def __init__(self, models: Sequence[GSNN]):
        models = validate.ordered("models", models)
        _check_alike(models)
        names = {t: [(r, name) for r, m in enumerate(models) for name in m.node_names_dict[t]] for t in NODE_TYPES}
        # The weights drawn here are replaced below; a generator of their own leaves the global one alone.
        super().__init__(_disjoint_edges(models), names, **models[0].settings, generator=torch.Generator())
        self.to(next(models[0].parameters()))
        self.R = len(models)
        # A model has one residual weight for all of its edges: in the union every replica needs its own.
        replica_of_edge = self.replica_of_node()[self.edge_index[0]]
        for block in self.ResBlocks:
            if block.residual is not None:
                block.residual = UnionResidual(replica_of_edge, self.R)
        outputs = torch.tensor([r for r, _ in names["output"]])
        self.register_buffer("replica_of_output", outputs, persistent=False)
        self.register_buffer("outputs_per_replica", torch.bincount(outputs), persistent=False)
        for whole, parts in self._tensors(models):
            whole.copy_(torch.cat([part.reshape(-1, *whole.shape[1:]) for part in parts]) if whole.dim() else parts[0])
        # The rows that each model brought: by them the best epoch of one model is kept without touching the others.
        self._rows = {
            name: torch.tensor([len(part.reshape(-1, *whole.shape[1:])) for part in parts])
            for name, (whole, parts) in zip(_weights(self), self._tensors(models))
            if whole.dim()
        }

    def mse(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Each replica's mean squared error over samples and its own outputs, (R,). ``train`` uses it."""
        if prediction.shape != y.shape:
            raise ValueError(f"y must have the prediction's shape {tuple(prediction.shape)}, got {tuple(y.shape)}")
        per_output = (prediction - y).square().mean(0)
        # Replicas may differ in their outputs, so a reshape to (R, outputs) would not do.
        total = per_output.new_zeros(self.R).index_add(0, self.replica_of_output, per_output)
        return total / self.outputs_per_replica

    def replica_of_rows(self) -> dict[str, torch.Tensor]:
        """For each tensor of the state that has rows, the replica that each row belongs to: {name: (rows,)}."""
        owner, device = torch.arange(self.R), self.edge_index.device
        return {name: owner.repeat_interleave(rows).to(device) for name, rows in self._rows.items()}

    def best_weights(self) -> BestOfEach:
        return BestOfEach(self)

    def write_back(self, models: Sequence[GSNN]):
        """Copy the union's weights into the models that it was made of."""
        if len(models) != self.R:
            raise ValueError(f"models must be the {self.R} that the union was made of, got {len(models)}")
        for whole, parts in self._tensors(list(models)):
            rows = [part.numel() // whole[0].numel() for part in parts] if whole.dim() else []
            for part, values in zip(parts, whole.split(rows) if rows else [whole] * len(parts)):
                part.copy_(values.reshape(part.shape))

    def _edge_list(self) -> torch.Tensor:
        """Edges replica by replica, so that every tensor of the union is the models' one after the other."""
        edge_index = super()._edge_list()
        return edge_index[:, torch.argsort(self.replica_of_node()[edge_index[0]], stable=True)]

    def replica_of_node(self) -> torch.Tensor:
        """The replica that each node belongs to, in the order function, input, output."""
        return torch.tensor([r for t in ("function", "input", "output") for r, _ in self.node_names_dict[t]])

    def _tensors(self, models: list[GSNN]) -> Iterator[tuple[torch.Tensor, list[torch.Tensor]]]:
        """Each tensor of the union's state, with those of the models: its rows are theirs, one after the other.

        A tensor without rows (the batch counter of a BatchNorm) is the same in all.
        """
        states = [model.state_dict() for model in models]
        for name, whole in _weights(self).items():
            yield whole, [state[name] for state in states]


def _weights(model: GSNN) -> dict[str, torch.Tensor]:
    """The state of a model without the fingerprint of its graph."""
    return {name: tensor for name, tensor in model.state_dict().items() if name != "_extra_state"}


def _check_alike(models: list[GSNN]):
    if not models:
        raise ValueError("models must hold at least one GSNN, got none")
    for model in models:
        validate.instance("every one of models", model, GSNN)
    for model in models:
        for name, value in models[0].settings.items():
            if model.settings[name] != value:
                other = model.settings[name]
                raise ValueError(f"models must have the same settings; {name} is {value} in one and {other} in another")
    kinds = {(parameter.dtype, parameter.device) for model in models for parameter in model.parameters()}
    if len(kinds) > 1:
        raise ValueError(f"models must share one dtype and device, got {sorted(map(str, kinds))}")
    if models[0].settings["node_mlp"] or models[0].settings["dropout"]:
        raise ValueError("models must have node_mlp=False and dropout=0 to be trained side by side")


def _disjoint_edges(models: list[GSNN]) -> dict[tuple, torch.Tensor]:
    """The models' edges by type, each model's node numbers moved up by the nodes before it."""
    edges = {edge_type: [] for edge_type in EDGE_TYPES}
    first = dict.fromkeys(NODE_TYPES, 0)
    for model in models:
        for source, to, target in EDGE_TYPES:
            shift = torch.tensor([[first[source]], [first[target]]])
            edges[source, to, target].append(model.edge_index_dict[source, to, target] + shift)
        first = {t: first[t] + len(model.node_names_dict[t]) for t in NODE_TYPES}
    return {edge_type: torch.cat(parts, dim=1) for edge_type, parts in edges.items()}
