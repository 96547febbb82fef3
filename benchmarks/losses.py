"""Both forms of L_sim, ready to be timed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.models import random_model
from benchmarks.peer import dense_loss, dense_membership
from gsnn_tutorial.gsnn.node import ActivationRecorder
from gsnn_tutorial.regularizer import PathwayLatentRegularizer


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
