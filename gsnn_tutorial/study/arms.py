"""The arms of a study: each knows something of the pathways, uses it, is built from it, and has a look in figures.

``ARMS`` holds every arm by the name that tables and files have for it. The colour and line of an arm stand for its
knowledge, its marker is its own: so any two arms of a figure differ in shape, and readers need not tell colours apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.regularizer import PathwayLatentRegularizer
from gsnn_tutorial.study.priors.memberships import adjacency_membership, connected_membership, matched_membership
from gsnn_tutorial.study.priors.recombination import recombined
from gsnn_tutorial.study.priors.weights import EdgePenalty, RegularizerSum, WeightTyingRegularizer, edges_outside
from gsnn_tutorial.study.problem import Draw
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.wiring import Graph

MakeRegularizer = Callable[[GSNN, torch.Tensor, Draw, Recipe, torch.Generator], torch.nn.Module]


@dataclass(frozen=True)
class Arm:
    """Everything about one arm of a study.

    Arguments
        name, words: its name in code, tables and files, and in verdicts, figures and printed tables.
        told, use: its knowledge of the pathways, and the use that it makes of it, in words.
        graph: makes the graph that its model is given, of a draw.
        membership: makes the sets that it knows, (P, N), of a draw; None where it knows of none.
        regularizer: makes its regularizer of (model, membership, draw, recipe, generator); None where it has none.
        data: makes its training rows of (draw, membership, x, y); None takes them as they are.
        trained: False for an arm that keeps its initial weights.
        truth: True if it can be built only where the truth is known, as in a simulation.
        tunes: which of the grids of a ``Tuning`` it chooses from.
        color, marker, linestyle: how it is drawn, as matplotlib has them.
    """

    name: str
    words: str
    told: str = "nothing"
    use: str = "is trained on the data alone"
    graph: Callable[[Draw], Graph] = lambda draw: draw.graph
    membership: Callable[[Draw], torch.Tensor] | None = None
    regularizer: MakeRegularizer | None = None
    data: Callable[[Draw, torch.Tensor, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]] | None = None
    trained: bool = True
    truth: bool = False
    tunes: str = "decay"
    color: str = "#000000"
    marker: str | tuple = "o"
    linestyle: str = "-"


def score(leave_one_out: bool = False) -> MakeRegularizer:
    """A maker of the pathway regularizer. It reads no single model: it is for a union's regularizer to take up."""

    def make(model, membership, draw, recipe, generator):
        settings = {"lambda_sim": recipe.lambda_sim, "phi": recipe.phi, "generator": generator, "signed": True}
        regularizer = PathwayLatentRegularizer(model, membership, **settings, leave_one_out=leave_one_out)
        regularizer.disable(model)
        return regularizer

    return make


def penalty(model, membership, draw, recipe, generator) -> EdgePenalty:
    """The penalty on edges whose ends share no set of the membership."""
    return EdgePenalty(model, edges_outside(model, membership), recipe.lambda_edge)


def random_penalty(model, membership, draw, recipe, generator) -> EdgePenalty:
    """The penalty on as many edges between function nodes as ``penalty`` has, but any ones."""
    functions = model.edge_index_dict["function", "to", "function"]
    count = int(edges_outside(functions, membership).sum())
    chosen = torch.from_numpy(draw.stream("random_edges").permutation(functions.shape[1])[:count])
    return EdgePenalty(model, torch.isin(torch.arange(functions.shape[1]), chosen), recipe.lambda_edge)


def penalty_everywhere(model, membership, draw, recipe, generator) -> EdgePenalty:
    """The penalty on all edges between function nodes."""
    functions = model.edge_index_dict["function", "to", "function"]
    return EdgePenalty(model, functions[0] != functions[1], recipe.lambda_edge)


def score_and_penalty(model, membership, draw, recipe, generator) -> RegularizerSum:
    """The leave-one-out score, and the penalty."""
    return RegularizerSum([make(model, membership, draw, recipe, generator) for make in (score(True), penalty)])


def tying(tie: str) -> MakeRegularizer:
    """A maker of the regularizer that ties the 'weights' or the 'norms' of the edges inside a set."""
    return lambda model, membership, draw, recipe, generator: WeightTyingRegularizer(
        model, membership, recipe.lambda_weight, tie
    )


def without_edges_between(draw: Draw) -> Graph:
    """The graph without the function-function edges whose ends share no pathway of the draw's membership."""
    graph = draw.graph
    i = {name: place for place, name in enumerate(graph.function_nodes)}
    member = (draw.membership != 0).float()  # weights of opposite signs would cancel
    alike = member.T @ member
    return graph.keeping(lambda edge: not i.keys() >= set(edge) or bool(alike[i[edge[0]], i[edge[1]]] > 0))


def hiding(membership: Callable[[Draw], torch.Tensor]) -> Callable[[Draw], torch.Tensor]:
    """The same sets without the nodes that are hidden: those are in none."""
    return lambda draw: membership(draw) * ~torch.tensor(draw.hidden)


# The knowledge of an arm, with the colour and line that stand for it: Okabe and Ito's colours.
TRUTH = {"told": "the pathways", "color": "#0072B2", "linestyle": "--", "membership": lambda draw: draw.membership}
SHUFFLED = {
    "told": "shuffled pathways, of the same sizes", "color": "#D55E00", "linestyle": "-.",
    "membership": lambda draw: draw.shuffled,
}  # fmt: skip
CONNECTED = {
    "told": "random connected sets of nodes, of the same sizes", "color": "#CC79A7", "linestyle": ":",
    "membership": lambda draw: connected_membership(draw.graph, draw.stream("connected")),
}  # fmt: skip
MATCHED = {
    "told": "the graph cut into connected sets, of the same sizes", "color": "#CC79A7", "linestyle": "-.",
    "membership": lambda draw: matched_membership(draw.graph, draw.stream("connected")),
}  # fmt: skip
EDGES = {"color": "#E69F00", "linestyle": ":"}
BAR = ((-0.4, -1), (0.4, -1), (0.4, 1), (-0.4, 1), (-0.4, -1))  # markers that matplotlib has no letter for
BOW_TIE = ((-1, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
HOURGLASS = ((-1, -1), (1, -1), (-1, 1), (1, 1), (-1, -1))
HOUSE = ((-1, -1), (1, -1), (1, 0.2), (0, 1), (-1, 0.2), (-1, -1))
ROOF = ((-1, -1), (0, 0), (1, -1), (1, 0), (0, 1), (-1, 0), (-1, -1))
BOWL = ((-1, 1), (0, 0), (1, 1), (1, 0), (0, -1), (-1, 0), (-1, 1))
SLANT = ((-1, -0.7), (0.4, -0.7), (1, 0.7), (-0.4, 0.7), (-1, -0.7))
TRAPEZE = ((-1, -0.7), (1, -0.7), (0.5, 0.7), (-0.5, 0.7), (-1, -0.7))
CORNER = ((-1, -1), (1, -1), (1, -0.2), (-0.2, -0.2), (-0.2, 1), (-1, 1), (-1, -1))
HIDING = ", without the middle node of each chain"

# How it uses that.
SCORE = {"use": "rewards members that follow their set's score", "regularizer": score(), "tunes": "score"}
OTHERS = SCORE | {
    "use": "rewards members that follow the score of the others of their set", "regularizer": score(True),
}  # fmt: skip
PENALTY = {
    "use": "penalises the edges between nodes that share no set", "regularizer": penalty, "tunes": "penalty",
}  # fmt: skip
RECOMBINED = {
    "use": "trains also on samples put together from the sets of different samples",
    "data": lambda draw, membership, x, y: recombined(draw.graph, membership, x, y, draw.stream("recombination")),
}  # fmt: skip
TYING = {"use": "ties the weights of the edges inside a set to their mean", "regularizer": tying("weights")}
TYING_NORMS = {"use": "ties the norms of the edges inside a set to their mean", "regularizer": tying("norms")}

ARMS = {arm.name: arm for arm in (
    # The null of every structural metric, the three of the evaluation, and the best that a graph could do.
    Arm("untrained", "untrained", use="is not trained", trained=False, color="#555555", marker="X", linestyle=":"),
    Arm("baseline", "baseline"),
    Arm("regularized", "regularized", **TRUTH, **SCORE, marker="s"),
    Arm("control", "shuffled control", **SHUFFLED, **SCORE, marker="^"),
    Arm("oracle", "oracle", "the true graph", "is given the graph without spurious edges",
        lambda draw: draw.graph.without_spurious_edges(), truth=True, color="#009E73", marker="D"),
    # Members that the loss does not know of: the middle node of each chain, in no pathway.
    Arm("regularized_held_out", "regularized (hidden members)",
        **TRUTH | {"told": TRUTH["told"] + HIDING, "membership": hiding(TRUTH["membership"])}, **SCORE, truth=True,
        marker="p"),
    Arm("control_held_out", "shuffled control (hidden members)",
        **SHUFFLED | {"told": SHUFFLED["told"] + HIDING, "membership": hiding(SHUFFLED["membership"])}, **SCORE,
        truth=True, marker=(3, 1, 0)),
    # A member is compared with the others only.
    Arm("regularized_loo", "leave-one-out", **TRUTH, **OTHERS, marker="P"),
    Arm("control_loo", "shuffled control (leave-one-out)", **SHUFFLED, **OTHERS, marker="v"),
    # Controls that know the graph, and not the pathways.
    Arm("connected_control", "connected control", **CONNECTED, **SCORE, marker="<"),
    Arm("connected_control_loo", "connected control (leave-one-out)", **CONNECTED, **OTHERS, marker=">"),
    Arm("adjacency", "adjacency", "the edges of the graph, spurious ones too",
        "rewards the two ends of an edge that follow their score", regularizer=score(),
        membership=lambda draw: adjacency_membership(draw.graph), **EDGES, marker=BAR),
    # The same pathways, used on the weights: edges between pathways are suppressed, or cut.
    Arm("edge_penalty", "edge penalty", **TRUTH, **PENALTY, marker="*"),
    Arm("edge_penalty_control", "edge penalty (shuffled)", **SHUFFLED, **PENALTY, marker=(4, 1, 0)),
    Arm("edge_penalty_random", "edge penalty (random edges)", "how many edges run between pathways",
        "penalises as many edges, drawn at random", membership=TRUTH["membership"], regularizer=random_penalty,
        **EDGES, marker=(6, 1, 0)),
    Arm("pruned", "pruned", TRUTH["told"], "cuts the edges between nodes that share no pathway", without_edges_between,
        color=TRUTH["color"], linestyle=TRUTH["linestyle"], marker="d"),
    Arm("edge_penalty_matched", "edge penalty (matched)", **MATCHED, **PENALTY, marker=HOUSE),
    Arm("matched_control_loo", "matched control (leave-one-out)", **MATCHED, **OTHERS, marker=ROOF),
    Arm("loo_penalty", "leave-one-out and penalty", **TRUTH, marker=BOWL, regularizer=score_and_penalty, tunes="both",
        use=f"{OTHERS['use']}, and {PENALTY['use']}"),
    Arm("lasso", "lasso", use="penalises all edges between function nodes", regularizer=penalty_everywhere,
        tunes="lasso", marker=SLANT),
    # The same pathways, used on the data.
    Arm("recombination", "recombination", **TRUTH, **RECOMBINED, marker=TRAPEZE),
    Arm("recombination_matched", "recombination (matched)", **MATCHED, **RECOMBINED, marker=CORNER),
    # Edges of a pathway are alike.
    Arm("weight_tying", "weight tying", **TRUTH, **TYING, marker=BOW_TIE),
    Arm("weight_tying_norms", "weight tying (norms)", **TRUTH, **TYING_NORMS, marker=HOURGLASS),
    Arm("weight_tying_control", "weight tying (connected)", **CONNECTED, **TYING, marker="h"),
)}  # fmt: skip

USUAL_ARMS = ("untrained", "baseline", "regularized", "control", "oracle")
OWN_ARMS = ("baseline", "regularized_loo", "control_loo", "connected_control_loo")  # for data without a known truth


def arm_named(name: str) -> Arm:
    """The arm of this name in code; one that ``ARMS`` does not have is drawn and named too, but cannot be built."""
    return ARMS.get(name) or Arm(name, name.replace("_", " "), "?", "?", color="#56B4E9", marker="H", linestyle=":")


def arms_in_words(names: Iterable[str] = tuple(ARMS)) -> pd.DataFrame:
    """A table with a row for each arm: its name in code and in words, its knowledge and its use of it.

    Raises ValueError for a name that ``ARMS`` does not have.
    """
    arms = [ARMS[validate.choice("names", name, tuple(ARMS))] for name in names]
    rows = [(arm.name, arm.words, arm.told, arm.use) for arm in arms]
    return pd.DataFrame(rows, columns=["arm", "in words", "what it is told", "how it uses it"]).set_index("arm")
