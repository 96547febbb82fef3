"""Graph Structured Neural Networks and the pathway regularizer: a teaching kit.

Read the modules in this order: graph, simulate, problem, sparse, gsnn, regularizer, training,
evaluation, union, study, inference. Beside them stand published (the published run), plots,
checks (exercises), report and compare (the command), and validate (what every door checks).
"""

from gsnn_tutorial.graph import PathwayGraph, pathway_graph
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.priors.memberships import shuffled_membership
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.simulation import simulate, standardize
from gsnn_tutorial.sparse import SparseLinear
from gsnn_tutorial.study.problem import Problem
from gsnn_tutorial.study.union import disjoint_union
from gsnn_tutorial.training import train
from gsnn_tutorial.wiring import nx2pyg

__version__ = "0.1.0"

__all__ = [
    "GSNN",
    "PathwayGraph",
    "PathwayLatentRegularizer",
    "Problem",
    "SparseLinear",
    "disjoint_union",
    "nx2pyg",
    "pathway_graph",
    "shuffled_membership",
    "simulate",
    "standardize",
    "train",
]
