"""The fair studies: claims, arms, grids and seeds stood here before a seed of them was run.

In each of them every arm chooses its settings and its epoch by the same rule, see ``tuning``.
"""

from __future__ import annotations

from gsnn_tutorial.study.named import LARGE, LARGE_RECIPE, Claim, NamedStudy, Part
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.tuning import Tuning
from gsnn_tutorial.study.worlds import World

TUNED_SEEDS, WORLD_SEEDS, CURVE_SEEDS = range(20000, 20048), range(21000, 21012), range(22000, 22024)
TUNED_RECIPE, TUNING = Recipe(weight_decay=1e-4), Tuning(folds=2)

TUNED_CLAIMS = (
    Claim("test_mse", "edge_penalty", ("edge_penalty_matched", "lasso")),
    Claim("test_mse", "recombination", ("recombination_matched",)),
    Claim("test_mse", "regularized_loo", ("matched_control_loo",)),
    Claim("test_mse", "loo_penalty", ("matched_control_loo", "edge_penalty_matched", "lasso")),
)
TUNED_PLAN = """Written before a seed of it was run. Six earlier seeds (8000 to 8005) chose the grids, and nothing else.
Every arm tunes itself: three settings, nine epochs, two folds. Four uses of the pathways are claimed to predict better
than the tuned baseline and than their controls, by test MSE; the four are corrected together by Holm. Structure
(cka_gap, cka_ari) is secondary, and so is the share of the way to the oracle. 48 seeds, none used before."""
CURVES_PLAN = """Written before a seed of it was run. The settings are those of the earlier studies, which nobody tuned,
and so is the last epoch, 500. Two differences are read on the same seeds: leave-one-out minus baseline after epoch 500,
as the earlier studies had it, and the same where both stop at the epoch that two folds of the training rows choose.
The curves are looked at, and choose nothing. 24 seeds, none used before."""
UNTUNED_GRIDS = {  # one setting for each arm: folds choose nothing but the epoch
    "decay": ({"weight_decay": LARGE_RECIPE.weight_decay},), "score": ({"lambda_sim": LARGE_RECIPE.lambda_sim},),
    "penalty": ({"lambda_edge": LARGE_RECIPE.lambda_edge},), "lasso": ({"lambda_edge": 3e-4},),
    "both": ({"lambda_sim": LARGE_RECIPE.lambda_sim, "lambda_edge": 0.01},),
}  # fmt: skip
CURVE_EPOCHS = (25, 50, 75, 100, 125, 150, 175, 200, 250, 300, 350, 400, 450, 500)

STARTS_PLAN = """Written before a seed of it was run. The first 24 seeds of the tuned study once more, with four initial
weights a seed in place of one: by how much does the variance of the difference between seeds fall?"""

PLANNED = {
    "tuned": NamedStudy(
        "Which use of the pathways helps, when every arm is tuned by the same rule?",
        (Part({"n_crosstalk": 0}, LARGE, TUNED_RECIPE,
              ("untrained", "baseline", "oracle", "lasso", "regularized_loo", "matched_control_loo", "edge_penalty",
               "edge_penalty_matched", "loo_penalty", "recombination", "recombination_matched"),
              TUNED_SEEDS, ("cka",), TUNING),),
        claims=TUNED_CLAIMS, plan=TUNED_PLAN,
    ),
    "worlds": NamedStudy(
        "Where does which use of the pathways still pay, as the assumption fails?",
        tuple(
            Part({"broken": broken, "n_crosstalk": crosstalk, "dynamics": dynamics},
                 World(branching=broken, inside=broken, overlap=broken / 2, partial=broken / 2, n_crosstalk=crosstalk,
                       dynamics=dynamics), TUNED_RECIPE,
                 ("baseline", "oracle", "regularized_loo", "edge_penalty", "recombination"), WORLD_SEEDS, ("cka",),
                 TUNING)
            for dynamics, broken, crosstalk in (
                ("sum", 0.0, 0), ("sum", 0.0, 8), ("sum", 0.0, 24), ("sum", 0.5, 0), ("sum", 0.5, 8), ("sum", 0.5, 24),
                ("sum", 1.0, 0), ("sum", 1.0, 8), ("sum", 1.0, 24), ("rest", 0.0, 0), ("rest", 0.0, 8),
            )
        ),
        plan="Written before a seed of it was run. Every cell is judged by itself, with Holm over its three arms.",
    ),
    "curves": NamedStudy(
        "What does stopping alone do for the baseline, and what is left of the earlier answer then?",
        (Part({"settings": "untuned"}, LARGE, LARGE_RECIPE,
              ("baseline", "oracle", "regularized_loo", "control_loo", "edge_penalty", "recombination"), CURVE_SEEDS,
              ("cka",), Tuning(folds=2, epochs=CURVE_EPOCHS, grids=UNTUNED_GRIDS)),),
        plan=CURVES_PLAN,
    ),
    "starts": NamedStudy(
        "How much of the spread between seeds is the luck of a start?",
        (Part({"starts": 4}, LARGE, TUNED_RECIPE, ("baseline", "edge_penalty"), TUNED_SEEDS[:24], ("cka",),
              Tuning(folds=2, starts=4)),),
        plan=STARTS_PLAN,
    ),
}  # fmt: skip
