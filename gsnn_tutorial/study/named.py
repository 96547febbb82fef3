"""The earlier studies, by name: each has a question, seeds and parts. Nobody tuned their arms.

Every model is trained for 500 epochs by one recipe. ``plans`` holds the studies in which every arm chooses for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from gsnn_tutorial.study.arms import USUAL_ARMS
from gsnn_tutorial.study.problem import Problem
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.study.worlds import World

EXPLORATORY = range(8)  # settings were looked at on these
CONFIRMATION = range(1000, 1024)  # and claims are read from these, which nothing was chosen by
SECOND_CONFIRMATION = range(2000, 2024)  # for what the first confirmation suggested
THIRD_CONFIRMATION = range(3000, 3024)  # for that again, with both controls
CROSSTALK_SEEDS = range(4000, 4024)  # and for that where real edges cross between pathways
PUBLISHED_SEEDS = range(20)  # chapter 6 looks at these
PUBLISHED_FRESH = range(200, 224)  # and claims from these

LARGE = Problem(K=8, n_func=4, n_spurious=32, n_train=128)
LARGE_RECIPE = Recipe(layers=6, lambda_sim=0.3)
THREE = ("baseline", "regularized", "control")
LOO_AND_CONTROLS = ("regularized_loo", "control_loo", "connected_control_loo")


@dataclass(frozen=True)
class Part:
    """A study of one setting; its rows have the columns ``label`` besides, which other parts have with other values."""

    label: dict[str, float | str]
    problem: Problem | World
    recipe: Recipe
    arms: Sequence[str]
    seeds: range
    measures: Sequence[str] = ("cka",)
    tuning: Tuning | None = None


def settings_of_part(part: Part) -> dict:
    """A part as JSON keeps it. One that tunes nothing says nothing of tuning, as those of earlier versions."""
    settings = asdict(part) | {"seeds": list(part.seeds), "recipe": part.recipe.described}
    return {name: value for name, value in settings.items() if name != "tuning" or value is not None}


@dataclass(frozen=True)
class Claim:
    """The subject of a confirmation: one metric of one arm, against the baseline and against every control."""

    metric: str
    arm: str
    controls: tuple[str, ...]


@dataclass(frozen=True)
class NamedStudy:
    """A question, and the parts that answer it. ``primary`` is the claim, of the first part; None: exploratory.

    ``claims`` are several that stand side by side, corrected together; ``plan`` was written before the run.
    """

    question: str
    parts: tuple[Part, ...]
    primary: Claim | None = None
    claims: tuple[Claim, ...] = ()
    plan: str = ""


LOO_CLAIM = Claim("test_mse", "regularized_loo", ("control_loo", "connected_control_loo"))
BOTH_CONTROLS = ("control", "connected_control")

UNTUNED = {
    "published_size": NamedStudy(
        "What do the published claims look like over twenty seeds, and with a learned score?",
        tuple(
            Part({"setting": setting}, Problem(), recipe, arms, PUBLISHED_SEEDS, ("published", "cka", "similarity"))
            for setting, recipe, arms in (
                ("learned", Recipe(), USUAL_ARMS),
                # The arms that know nothing of the regularizer are those of the part above.
                ("as published", Recipe(phi="mean", lambda_sim=0.01), THREE[1:]),
            )
        ),
    ),
    "published_fresh": NamedStudy(
        "Do the clusters of a told model agree with the pathways more, on fresh seeds of the published size?",
        (Part({"setting": "learned"}, Problem(), Recipe(), ("untrained", *THREE, "connected_control"), PUBLISHED_FRESH,
              ("cka", "similarity", "edges")),),
        Claim("cka_ari", "regularized", BOTH_CONTROLS),
    ),
    "confirmation": NamedStudy(
        "Does the prior help at the large size, and is it the pathways that help?",
        (
            Part({"epoch": "last"}, LARGE, LARGE_RECIPE,
                 ("untrained", *THREE, "oracle", "connected_control", "adjacency", "regularized_held_out",
                  "control_held_out", "regularized_loo", "edge_penalty", "weight_tying", "weight_tying_norms",
                  "weight_tying_control"),
                 CONFIRMATION, ("published", "cka", "similarity", "edges", "attribution")),
            Part({"epoch": "best on validation"}, LARGE, Recipe(layers=6, lambda_sim=0.3, validation=0.25),
                 (*THREE, "connected_control", "oracle"), CONFIRMATION),
        ),
        Claim("test_mse", "regularized", BOTH_CONTROLS),
    ),
    "leave_one_out": NamedStudy(
        "Does the leave-one-out score help, as the confirmation study suggests?",
        (Part({"epoch": "last"}, LARGE, LARGE_RECIPE,
              ("untrained", "baseline", "regularized", "regularized_loo", "control_loo", "oracle"),
              SECOND_CONFIRMATION),),
        Claim("test_mse", "regularized_loo", ("control_loo",)),
    ),
    "both_controls": NamedStudy(
        "Does the leave-one-out score help, and more than both controls?",
        (Part({"epoch": "last"}, LARGE, LARGE_RECIPE,
              ("untrained", "baseline", "regularized", *LOO_AND_CONTROLS, "oracle"), THIRD_CONFIRMATION),),
        LOO_CLAIM,
    ),
    "again": NamedStudy(
        "Do both confirmations stand when the same is computed with other rounding?",
        tuple(
            Part({"first_seed": seeds[0]}, LARGE, LARGE_RECIPE, arms, seeds)
            for seeds, arms in (
                (CONFIRMATION, (*THREE, "connected_control", "regularized_loo")),
                (SECOND_CONFIRMATION, ("baseline", "regularized", "regularized_loo", "control_loo")),
            )
        ),
    ),
    "sizes": NamedStudy(
        "At which numbers of samples, pathways and spurious edges does the prior help?",
        tuple(
            Part({"K": K, "n_train": n, "n_spurious": K * each},
                 Problem(K=K, n_func=4, n_spurious=K * each, n_train=n), LARGE_RECIPE, THREE, EXPLORATORY)
            for K in (4, 8) for n in (64, 128, 256) for each in (1, 4, 8)
        ),
    ),
    "lambda": NamedStudy(
        "How strong should the prior be?",
        tuple(
            Part({"lambda_sim": value}, LARGE, replace(LARGE_RECIPE, lambda_sim=value or 0.3),
                 THREE[1:] if value else ("untrained", "baseline"), EXPLORATORY)
            for value in (0.0, 0.1, 0.3, 1.0, 3.0, 10.0)  # the arms of 0.0 have no prior
        ),
    ),
    "wrong": NamedStudy(
        "How many memberships may be wrong before the prior stops helping?",
        tuple(
            Part({"wrong": share}, replace(LARGE, wrong=share), LARGE_RECIPE, THREE[1:2] if share else THREE,
                 EXPLORATORY)
            for share in (0.0, 0.125, 0.25, 0.5, 0.75)
        ),
    ),
    "crosstalk": NamedStudy(
        "What if real edges cross between pathways?",
        tuple(
            Part({"n_crosstalk": count}, Problem(n_crosstalk=count), LARGE_RECIPE,
                 ("untrained", *THREE, "oracle", "edge_penalty", "edge_penalty_random", "pruned", "weight_tying"),
                 CONFIRMATION, ("cka", "edges"))
            for count in (0, 4)
        ),
    ),
    "crosstalk_large": NamedStudy(
        "Does the leave-one-out score help at the large size where real edges cross between pathways?",
        (Part({"n_crosstalk": 8}, replace(LARGE, n_crosstalk=8), LARGE_RECIPE,
              ("untrained", "baseline", *LOO_AND_CONTROLS, "edge_penalty", "pruned", "oracle"), CROSSTALK_SEEDS,
              ("cka", "edges")),),
        LOO_CLAIM,
    ),
}  # fmt: skip
