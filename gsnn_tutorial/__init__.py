"""Graph Structured Neural Networks and the pathway regularizer: a teaching kit.

Read the files in this order: graph, wiring, simulation, sparse, gsnn, regularizer, training, evaluation, attribution.
The folders beside them are wings: kernels (fast paths), study (arms, seeds, verdicts, and a reader's own data),
exercises, plots and commands.
"""

from gsnn_tutorial import moved  # noqa: F401  it makes the old names of modules work
from gsnn_tutorial.graph import PathwayGraph, pathway_graph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.simulation import simulate, standardize
from gsnn_tutorial.sparse import SparseLinear
from gsnn_tutorial.study.priors.memberships import shuffled_membership
from gsnn_tutorial.study.problem import Problem
from gsnn_tutorial.study.union_regularizer import disjoint_union
from gsnn_tutorial.training import train
from gsnn_tutorial.wiring import nx2pyg

__version__ = "0.4.0"

__all__ = [
    "GSNN", "PathwayGraph", "PathwayLatentRegularizer", "Problem", "SparseLinear", "disjoint_union",
    "nx2pyg", "pathway_graph", "shuffled_membership", "simulate", "standardize", "train",
]  # fmt: skip
