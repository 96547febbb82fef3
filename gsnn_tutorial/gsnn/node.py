r"""Inside a function node: C channels become an activation, and a recorder keeps it.

.. math:: a = \mathrm{dropout}(\mathrm{ELU}(\mathrm{norm}(z))), \qquad z, a: (N, C, B)

``a`` is the *activation*: the regularizer and the metrics read it through an ``ActivationRecorder``.
"""

from __future__ import annotations

import weakref
from functools import partial

import torch

from gsnn_tutorial import kernels


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
        return channel_norm(z, self.gamma, self.beta, self.eps)


@kernels.plain_path
def channel_norm(z: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float) -> torch.Tensor:
    """Standardise the channels of z (N, C, B); gamma and beta are (N,)."""
    with torch.no_grad():  # the reference detaches mean and std: the gradient takes them for constants
        std, mean = torch.std_mean(z, 1, keepdim=True)  # (N, 1, B)
    return gamma[:, None, None] * (z - mean) / (std + eps) + beta[:, None, None]


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
        # torch's own layers draw from the global generator only: a given one draws in their stead.
        linear = torch.nn.Linear if generator is None else partial(torch.nn.utils.skip_init, torch.nn.Linear)
        self.mlp = torch.nn.Sequential(
            linear(channels, hidden),
            torch.nn.LayerNorm(hidden),
            nonlin(),
            torch.nn.Dropout(dropout),
            linear(hidden, channels),
            torch.nn.Dropout(dropout),
        )
        if generator is not None:
            for linear in (self.mlp[0], self.mlp[4]):
                for parameter in linear.parameters():
                    torch.nn.init.uniform_(parameter, -(linear.in_features**-0.5), linear.in_features**-0.5, generator)

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return self.mlp(a.transpose(1, 2)).transpose(1, 2)


NORMS = {"layer": GroupLayerNorm, "batch": BatchNorm, "none": lambda nodes, channels: torch.nn.Identity()}


class NodeFunction(torch.nn.Module):
    """All function nodes at once: norm, nonlinearity, dropout, and an MLP if asked for; (N*C, B) -> (N, C, B)."""

    def __init__(self, nodes, channels, *, norm, nonlin, dropout, node_mlp, node_mlp_hidden, generator):
        super().__init__()
        self.shape = (nodes, channels, -1)
        self.norm = NORMS[norm](nodes, channels)
        self.nonlin = nonlin()
        self.dropout = torch.nn.Dropout(dropout)
        self.mlp = NodeMLP(channels, node_mlp_hidden, nonlin, dropout, generator) if node_mlp else torch.nn.Identity()

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        a = activated(z.view(self.shape), self.norm, self.nonlin)
        return self.mlp(self.dropout(a))


@kernels.plain_path
def activated(z: torch.Tensor, norm: torch.nn.Module, nonlin: torch.nn.Module) -> torch.Tensor:
    """The nonlinearity of the normed channels, (N, C, B) -> (N, C, B)."""
    return nonlin(norm(z))


class _Keep:
    """The forward hook of one layer. It knows its recorder weakly: when that is gone, it takes itself away."""

    def __init__(self, recorder: ActivationRecorder, layer: int, node: torch.nn.Module):
        self.recorder, self.layer = weakref.ref(recorder), layer
        self.handle = node.register_forward_hook(self)

    def __call__(self, module, inputs, output):
        recorder = self.recorder()
        if recorder is None:
            self.handle.remove()
        else:
            recorder._latest[self.layer] = output

    def __getstate__(self) -> dict:
        return self.__dict__ | {"recorder": self.recorder()}

    def __setstate__(self, state: dict):
        recorder = state["recorder"]
        self.__dict__ |= state | {"recorder": type(None) if recorder is None else weakref.ref(recorder)}


class ActivationRecorder:
    """Keeps every layer's activation of the latest forward pass, through forward hooks, as long as it lives."""

    def __init__(self, model: torch.nn.Module):
        self._latest = [None] * len(model.ResBlocks)
        self._hooks = [_Keep(self, layer, block.node) for layer, block in enumerate(model.ResBlocks)]

    def __getstate__(self) -> dict:
        """The state for a copy or a file: the hooks go along, the activations that they kept stay here."""
        return self.__dict__ | {"_latest": [None] * len(self._latest)}

    def activations(self) -> list[torch.Tensor]:
        """L tensors of shape (N, C, B). Raises RuntimeError if no forward pass has run yet."""
        if self._latest[-1] is None:
            raise RuntimeError("no activations yet: run model(x) first")
        return self._latest

    def remove(self):
        """Take the hooks away and forget their activations."""
        for hook in self._hooks:
            hook.handle.remove()
        self._latest = [None] * len(self._latest)
