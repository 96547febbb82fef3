"""The named studies: what they ask, that they go on, and that the saved rows are what the code gives."""

import json
from dataclasses import asdict
from functools import cache

import numpy as np
import pandas as pd
import pytest

from gsnn_tutorial.__main__ import main
from gsnn_tutorial.commands import named_study as command
from gsnn_tutorial.commands.named_study import run_study
from gsnn_tutorial.study.named import (
    CONFIRMATION,
    EXPLORATORY,
    PUBLISHED_SEEDS,
    SECOND_CONFIRMATION,
    UNTUNED,
    NamedStudy,
    Part,
)
from gsnn_tutorial.study.paired import paired_study
from gsnn_tutorial.study.plans import PLANNED
from gsnn_tutorial.study.problem import Problem
from gsnn_tutorial.study.recipe import Recipe
from gsnn_tutorial.study.saved import STUDIES, saved_settings, saved_study

SHORT = NamedStudy(
    "Is it short?",
    tuple(
        Part({"n_train": n}, Problem(n_train=n, n_test=40), Recipe(epochs=4), ("baseline", "control"), range(3))
        for n in (32, 48)
    ),
)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setitem(STUDIES, "short", SHORT)


def test_what_is_claimed_was_not_chosen_on_the_same_seeds():
    assert len(CONFIRMATION) >= 24 and not set(CONFIRMATION) & set(EXPLORATORY)
    assert len(SECOND_CONFIRMATION) >= 24 and not set(SECOND_CONFIRMATION) & {*CONFIRMATION, *EXPLORATORY}
    assert all(part.seeds == SECOND_CONFIRMATION for part in STUDIES["leave_one_out"].parts)
    for name in ("confirmation", "crosstalk"):
        assert all(part.seeds == CONFIRMATION for part in STUDIES[name].parts)


def test_a_study_is_all_of_its_parts_with_their_labels(short, tmp_path, capsys):
    assert run_study("short", tmp_path / "run", progress=False)
    table = pd.read_csv(tmp_path / "run" / "short.csv")
    assert list(table)[:3] == ["n_train", "seed", "arm"] and len(table) == 2 * 3 * 2
    part = SHORT.parts[1]
    alone = paired_study(part.problem, part.arms, part.seeds, recipe=part.recipe, measures="cka", progress=False)
    rows = table[table["n_train"] == 48].drop(columns="n_train").reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, alone.round(4))
    run = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert run["finished"] and run["settings"]["parts"][1]["problem"]["n_train"] == 48
    printed = capsys.readouterr().out
    assert "Is it short?" in printed and "shuffled control" in printed and "CKA gap" in printed
    assert set(table["arm"]) == {"baseline", "control"}  # files keep the names in code


def test_an_interrupted_study_goes_on_with_the_parts_that_are_missing(short, tmp_path, monkeypatch, capsys):
    computed, real = [], command.paired_study

    def interrupted(problem, arms, seeds, **options):
        if problem.n_train == 48 and not computed:
            table = real(problem, arms, [0], **options)  # as a study returns that was interrupted after a seed
            computed.append(len(table))
            return table
        return real(problem, arms, seeds, **options)

    monkeypatch.setattr(command, "paired_study", interrupted)
    assert not run_study("short", tmp_path / "run", progress=False)
    assert not json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["finished"]
    assert len(pd.read_csv(tmp_path / "run" / "short.csv")) == 3 * 2 + 2
    assert run_study("short", tmp_path / "run", progress=False)
    assert run_study("short", tmp_path / "whole", progress=False)
    whole = [(tmp_path / folder / "short.csv").read_text(encoding="utf-8") for folder in ("run", "whole")]
    assert whole[0] == whole[1]


def test_a_folder_of_other_seeds_is_not_gone_on_with(short, tmp_path):
    run_study("short", tmp_path, seeds=1, progress=False)
    with pytest.raises(ValueError, match="output must be a folder of this study with these seeds"):
        run_study("short", tmp_path, seeds=2, progress=False)


def test_the_command_runs_a_study_and_names_an_unknown_one(short, tmp_path, capsys):
    assert main(["study", "short", "--seeds", "2", "--output", str(tmp_path / "run")]) == 0
    assert len(pd.read_csv(tmp_path / "run" / "short.csv")) == 2 * 2 * 2
    assert main(["study", "nonesuch"]) == 2
    assert "name must be one of" in capsys.readouterr().err


# What the package carries


@pytest.mark.parametrize("name", STUDIES)
def test_a_saved_table_has_every_seed_and_arm_and_says_how_it_came_about(name):
    table, run, parts = saved_study(name), saved_settings(name), STUDIES[name].parts
    assert len(table) == sum(len(part.seeds) * len(part.arms) for part in parts)
    assert run["finished"] and run["command"] == f"python -m gsnn_tutorial study {name}"
    assert {"versions", "device", "wall_seconds", "seconds_of_all_runs"} <= set(run)
    assert run.get("plan", "") == STUDIES[name].plan
    for part, settings in zip(parts, run["settings"]["parts"], strict=True):
        assert settings["seeds"] == list(part.seeds) and settings["arms"] == list(part.arms)
        assert settings["recipe"] == part.recipe.described and settings["problem"] == vars(part.problem)
        assert settings.get("tuning") == (part.tuning and json.loads(json.dumps(asdict(part.tuning))))
        rows = table[np.logical_and.reduce([table[column] == value for column, value in part.label.items()])]
        assert set(zip(rows["seed"], rows["arm"])) == {(s, a) for s in part.seeds for a in part.arms}


SAMPLES = [
    ("published_size", 0, "control", 7),
    ("published_size", 1, "regularized", 3),
    ("published_fresh", 0, "connected_control", 211),
    ("both_controls", 0, "regularized_loo", 3004),
    ("again", 0, "regularized", 1003),
    ("crosstalk_large", 0, "edge_penalty", 4011),
    ("confirmation", 0, "regularized", 1003),
    ("confirmation", 1, "baseline", 1007),
    ("leave_one_out", 0, "control_loo", 2004),
    ("crosstalk", 1, "edge_penalty", 1011),
    ("sizes", 0, "control", 2),
    ("lambda", 3, "regularized", 5),
    ("wrong", 2, "regularized", 6),
    ("tuned", 0, "edge_penalty", 20004),
    ("curves", 0, "baseline", 22003),
    ("worlds", 7, "recombination", 21003),
]


@cache
def recomputed(name, number, arm, seed):
    """A row as the code gives it, and as it was saved."""
    part, table = STUDIES[name].parts[number], saved_study(name)
    row = paired_study(
        part.problem, [arm], [seed], recipe=part.recipe, tuning=part.tuning, measures=part.measures, progress=False
    ).iloc[0]
    of_part = [table[column] == value for column, value in part.label.items()]
    return row, table[np.logical_and.reduce([*of_part, table["seed"] == seed, table["arm"] == arm])].iloc[0]


@pytest.mark.parametrize(("name", "number", "arm", "seed"), SAMPLES)
def test_a_saved_row_is_what_the_code_gives(name, number, arm, seed):
    """500 epochs enlarge any other rounding, be it of another processor or of sums in another order.

    How far a row moves by that alone, ``again`` beside ``confirmation`` shows: see the last test of this section.
    """
    row, saved = recomputed(name, number, arm, seed)
    assert saved["floor"] == pytest.approx(row["floor"], abs=1e-3, nan_ok=True)  # no World knows its floor
    assert saved["test_mse"] == pytest.approx(row["test_mse"], abs=0.1)
    assert saved["cka_gap"] == pytest.approx(row["cka_gap"], abs=0.15)


def test_saved_rows_are_what_the_code_gives_in_the_median():
    """Rounding moves the median row by less than half of this: a wrong setting or metric would not pass."""
    pairs = [recomputed(*sample) for sample in SAMPLES]
    for metric, tolerance in {"test_mse": 0.03, "cka_gap": 0.05}.items():
        assert np.median([abs(saved[metric] - row[metric]) for row, saved in pairs]) < tolerance


@pytest.mark.parametrize(("name", "number"), [(n, 0) for n in ("published_size", "confirmation", "crosstalk_large")])
def test_what_no_epoch_has_enlarged_is_the_same_everywhere(name, number):
    seed = STUDIES[name].parts[number].seeds[-1]
    row, saved = recomputed(name, number, "untrained", seed)
    for metric in ("floor", "test_mse", "cka_gap", "cka_ari"):
        assert saved[metric] == pytest.approx(row[metric], abs=1e-3)


def test_rounding_moves_rows_and_hardly_the_means():
    """The same seeds, arms and settings, added up in another order: what the tolerance of the rows is about."""
    again, first = saved_study("again"), saved_study("confirmation")
    rows = again[again["first_seed"] == CONFIRMATION[0]].merge(first[first["epoch"] == "last"], on=["seed", "arm"])
    moved = rows["test_mse_x"] - rows["test_mse_y"]
    assert len(rows) == 24 * 5 and moved.abs().quantile(0.9) < 0.1 and moved.abs().max() > 0.05
    assert moved.groupby(rows["arm"]).mean().abs().max() < 0.02


# Claims


@pytest.mark.parametrize("name", [name for name in STUDIES if STUDIES[name].primary])
def test_a_claim_is_about_arms_and_metrics_that_its_study_has(name):
    claim, part = STUDIES[name].primary, STUDIES[name].parts[0]
    assert {claim.arm, "baseline", *claim.controls} <= set(part.arms)
    assert saved_study(name)[claim.metric].notna().any()


def test_every_fair_study_has_a_plan_and_fresh_seeds_and_its_arms_choose_from_as_many():
    used = {seed for study in UNTUNED.values() for part in study.parts for seed in part.seeds} | set(range(8000, 8006))
    for name, study in PLANNED.items():
        assert "Written before a seed of it was run." in study.plan and all(part.tuning for part in study.parts), name
        assert not {seed for part in study.parts for seed in part.seeds} & used, name
    seeds = [set(study.parts[0].seeds) for name, study in PLANNED.items() if name != "starts"]
    assert sum(map(len, seeds)) == len(set().union(*seeds)) and len(PLANNED["tuned"].parts[0].seeds) >= 48
    for claim in PLANNED["tuned"].claims:
        assert {claim.arm, "baseline", "oracle", *claim.controls} <= set(PLANNED["tuned"].parts[0].arms)


def test_no_confirmation_is_read_from_seeds_that_were_looked_at():
    looked_at = {*EXPLORATORY, *PUBLISHED_SEEDS}
    claims = [set(STUDIES[name].parts[0].seeds) for name in STUDIES if STUDIES[name].primary]
    for number, seeds in enumerate(claims):
        assert len(seeds) >= 24 and not seeds & looked_at
        assert not any(seeds & others for others in claims[:number])
