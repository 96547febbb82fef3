"""The network, and what happens inside its function nodes: read ``model``, then ``node``."""

from gsnn_tutorial.gsnn.model import GSNN, ResBlock, Residual, win_indices, wout_indices
from gsnn_tutorial.gsnn.node import ActivationRecorder, GroupLayerNorm

__all__ = ["GSNN", "ActivationRecorder", "GroupLayerNorm", "ResBlock", "Residual", "win_indices", "wout_indices"]
