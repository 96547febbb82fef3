"""The earlier studies, by name: what is asked, and with which seeds. Nobody tuned their arms.

Every model is trained for 500 epochs by one recipe. ``plans`` holds the studies in which every arm chooses for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

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


@dataclass(frozen=True)
class Part:
    """A study of one setting, and the columns, ``label``, by which its rows are told from other parts'."""

    label: dict[str, float | str]
    problem: Problem | World
    recipe: Recipe
    arms: Sequence[str]
    seeds: range
    measures: Sequence[str] = ("cka",)
    tuning: Tuning | None = None


def settings_of_part(part: Part) -> dict:
    """A part as JSON keeps it. One that tunes nothing says nothing of tuning, as those of earlier versions."""
    settings = asdict(part) | {"seeds": list(part.seeds)}
    return {name: value for name, value in settings.items() if name != "tuning" or value is not None}


@dataclass(frozen=True)
class Claim:
    """What a confirmation is about: one metric of one arm, against the baseline and against every control."""

    metric: str
    arm: str
    controls: tuple[str, ...]


@dataclass(frozen=True)
class NamedStudy:
    """What is asked, and the parts that answer it. ``primary`` is the claim, of the first part; None: exploratory.

    ``claims`` are several that stand side by side, corrected together; ``plan`` is what was decided before the run.
    """

    question: str
    parts: tuple[Part, ...]
    primary: Claim | None = None
    claims: tuple[Claim, ...] = ()
    plan: str = ""


def _confirmation() -> NamedStudy:
    arms = (
        "untrained", *THREE, "oracle", "connected_control", "adjacency", "regularized_held_out", "control_held_out",
        "regularized_loo", "edge_penalty", "weight_tying", "weight_tying_norms", "weight_tying_control",
    )  # fmt: skip
    early = Recipe(layers=6, lambda_sim=0.3, validation=0.25)
    stopped = ("baseline", "regularized", "control", "connected_control", "oracle")
    return NamedStudy(
        "Does the prior help at the large size, and is it the pathways that help?",
        (
            Part({"epoch": "last"}, LARGE, LARGE_RECIPE, arms, CONFIRMATION,
                 ("published", "cka", "similarity", "edges", "attribution")),
            Part({"epoch": "best on validation"}, LARGE, early, stopped, CONFIRMATION),
        ),
        Claim("test_mse", "regularized", ("control", "connected_control")),
    )  # fmt: skip


def _leave_one_out() -> NamedStudy:
    arms = ("untrained", "baseline", "regularized", "regularized_loo", "control_loo", "oracle")
    part = Part({"epoch": "last"}, LARGE, LARGE_RECIPE, arms, SECOND_CONFIRMATION)
    question = "Does the leave-one-out score help, as the confirmation study suggests?"
    return NamedStudy(question, (part,), Claim("test_mse", "regularized_loo", ("control_loo",)))


LOO_CLAIM = Claim("test_mse", "regularized_loo", ("control_loo", "connected_control_loo"))


def _both_controls() -> NamedStudy:
    arms = ("untrained", "baseline", "regularized", "regularized_loo", *LOO_CLAIM.controls, "oracle")
    part = Part({"epoch": "last"}, LARGE, LARGE_RECIPE, arms, THIRD_CONFIRMATION)
    return NamedStudy("Does the leave-one-out score help, and more than both controls?", (part,), LOO_CLAIM)


def _again() -> NamedStudy:
    first = ("baseline", "regularized", "control", "connected_control", "regularized_loo")
    second = ("baseline", "regularized", "regularized_loo", "control_loo")
    parts = [
        Part({"first_seed": seeds[0]}, LARGE, LARGE_RECIPE, arms, seeds)
        for seeds, arms in ((CONFIRMATION, first), (SECOND_CONFIRMATION, second))
    ]
    return NamedStudy("Do both confirmations stand when the same is computed with other rounding?", tuple(parts))


def _crosstalk_large() -> NamedStudy:
    problem = Problem(K=8, n_func=4, n_spurious=32, n_train=128, n_crosstalk=8)
    arms = ("untrained", "baseline", "regularized_loo", *LOO_CLAIM.controls, "edge_penalty", "pruned", "oracle")
    part = Part({"n_crosstalk": 8}, problem, LARGE_RECIPE, arms, CROSSTALK_SEEDS, ("cka", "edges"))
    question = "Does the leave-one-out score help at the large size where real edges cross between pathways?"
    return NamedStudy(question, (part,), LOO_CLAIM)


def _published_size() -> NamedStudy:
    measures = ("published", "cka", "similarity")
    as_published = Recipe(phi="mean", lambda_sim=0.01)
    return NamedStudy(
        "What do the published claims look like over twenty seeds, and with a learned score?",
        (
            Part({"setting": "learned"}, Problem(), Recipe(), USUAL_ARMS, PUBLISHED_SEEDS, measures),
            # The arms that know nothing of the regularizer are those of the part above.
            Part({"setting": "as published"}, Problem(), as_published, THREE[1:], PUBLISHED_SEEDS, measures),
        ),
    )


def _published_fresh() -> NamedStudy:
    arms = ("untrained", *THREE, "connected_control")
    part = Part({"setting": "learned"}, Problem(), Recipe(), arms, PUBLISHED_FRESH, ("cka", "similarity", "edges"))
    question = "Do the clusters of a told model agree with the pathways more, on fresh seeds of the published size?"
    return NamedStudy(question, (part,), Claim("cka_ari", "regularized", ("control", "connected_control")))


def _sizes() -> NamedStudy:
    parts = [
        Part({"K": K, "n_train": n, "n_spurious": K * each},
             Problem(K=K, n_func=4, n_spurious=K * each, n_train=n), LARGE_RECIPE, THREE, EXPLORATORY)
        for K in (4, 8) for n in (64, 128, 256) for each in (1, 4, 8)
    ]  # fmt: skip
    return NamedStudy("At which numbers of samples, pathways and spurious edges does the prior help?", tuple(parts))


def _lambdas() -> NamedStudy:
    parts = [Part({"lambda_sim": 0.0}, LARGE, LARGE_RECIPE, ("untrained", "baseline"), EXPLORATORY)]
    for value in (0.1, 0.3, 1.0, 3.0, 10.0):
        recipe = Recipe(layers=6, lambda_sim=value)
        parts.append(Part({"lambda_sim": value}, LARGE, recipe, ("regularized", "control"), EXPLORATORY))
    return NamedStudy("How strong should the prior be?", tuple(parts))


def _wrong() -> NamedStudy:
    parts = [Part({"wrong": 0.0}, LARGE, LARGE_RECIPE, THREE, EXPLORATORY)]
    for share in (0.125, 0.25, 0.5, 0.75):
        problem = Problem(K=8, n_func=4, n_spurious=32, n_train=128, wrong=share)
        parts.append(Part({"wrong": share}, problem, LARGE_RECIPE, ("regularized",), EXPLORATORY))
    return NamedStudy("How many memberships may be wrong before the prior stops helping?", tuple(parts))


def _crosstalk() -> NamedStudy:
    arms = ("untrained", *THREE, "oracle", "edge_penalty", "edge_penalty_random", "pruned", "weight_tying")
    parts = [
        Part({"n_crosstalk": count}, Problem(n_crosstalk=count), Recipe(layers=6, lambda_sim=0.3), arms,
             CONFIRMATION, ("cka", "edges"))
        for count in (0, 4)
    ]  # fmt: skip
    return NamedStudy("What if real edges cross between pathways?", tuple(parts))


UNTUNED = {
    "published_size": _published_size(),
    "published_fresh": _published_fresh(),
    "confirmation": _confirmation(),
    "leave_one_out": _leave_one_out(),
    "both_controls": _both_controls(),
    "again": _again(),
    "sizes": _sizes(),
    "lambda": _lambdas(),
    "wrong": _wrong(),
    "crosstalk": _crosstalk(),
    "crosstalk_large": _crosstalk_large(),
}
