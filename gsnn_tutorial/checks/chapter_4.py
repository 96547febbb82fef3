"""Exercises of chapter 4: the sparse map, its layout, and the bytes that it moves."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.checks.diagnosis import Exercise

# ---- Exercise 1: gather, weigh, scatter, edge-major


def gather_scatter(values, indices, x, targets):
    """y = W x, edge-major: x is (sources, B), y is (targets, B)."""
    source, target = indices
    messages = values[:, None] * x[source]  # (nnz, B)
    return x.new_zeros(targets, x.shape[1]).index_add(0, target, messages)


def _maps(seed):
    """Two maps with several weights into a target, and more sources than targets.

    The last sources have no weight, so that an answer which reads W the wrong way round runs too.
    The last target has none either: only `targets` says that it is there.
    """
    generator = torch.Generator().manual_seed(seed)
    for sources, targets, weights, samples in [(8, 6, 14, 3), (10, 7, 20, 4)]:
        used = targets - 1
        place = torch.randperm(used * used, generator=generator)[:weights].sort().values
        indices = torch.stack([place // used, place % used])
        values = torch.randn(weights, generator=generator)
        yield values, indices, torch.randn(sources, samples, generator=generator), targets


def _assigned(values, indices, x, targets):
    source, target = indices
    y = x.new_zeros(targets, x.shape[1])
    y[target] = values[:, None] * x[source]
    return y


def _unweighted(values, indices, x, targets):
    return gather_scatter(torch.ones_like(values), indices, x, targets)


def _mean(values, indices, x, targets):
    count = torch.bincount(indices[1], minlength=targets).clamp(min=1)
    return gather_scatter(values, indices, x, targets) / count[:, None]


def _mean_of_none(values, indices, x, targets):
    count = torch.bincount(indices[1], minlength=targets)
    return gather_scatter(values, indices, x, targets) / count[:, None]


def _targets_guessed(values, indices, x, targets):
    return gather_scatter(values, indices, x, int(indices[1].max()) + 1)


messages = Exercise(
    title="gather, weigh, scatter",
    reference=gather_scatter,
    cases=lambda seed: list(_maps(seed)),
    mistakes={
        "where several weights lead into one target only the last one counted: y[target] = ... and "
        "y[target] += ... write each row once. index_add accumulates.": _assigned,
        "this is W^T: the messages were read at the targets and added up at the sources. Row 0 of "
        "indices says where a message comes from, row 1 where it goes.": (
            lambda values, indices, x, targets: gather_scatter(values, indices.flip(0), x, targets)
        ),
        "the result is batch-major, (B, targets). Edge-major keeps one row per target and one "
        "column per sample.": lambda *arguments: gather_scatter(*arguments).t(),
        "the messages were added up as they came: each is multiplied by its weight first.": _unweighted,
        "a target's messages were averaged. A linear map adds them up.": _mean,
        "a target's messages were averaged, and a target without any became NaN. A linear map adds "
        "them up, and the sum of none is 0.": _mean_of_none,
        "the empty targets at the end are missing: the largest target that is met does not say how "
        "many there are. The result has `targets` rows.": _targets_guessed,
        "the result has a row for every source. It has `targets` rows.": (
            lambda values, indices, x, targets: gather_scatter(values, indices, x, len(x))
        ),
    },
)


# ---- Exercise 2: row pointers


def row_starts(row, rows):
    """Where each row's entries start in an array that is sorted by row, (rows + 1,)."""
    counts = torch.bincount(row, minlength=rows)  # (rows,)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _rows(seed):
    """Sorted rows: some empty in the middle, the last ones empty."""
    generator = torch.Generator().manual_seed(seed)
    for rows, entries in [(8, 12), (11, 15)]:
        used = torch.tensor([r for r in range(rows - 2) if r != 2])
        yield used[torch.randint(len(used), (entries,), generator=generator)].sort().values, rows


def _first_places(row, rows):
    """The place of each row's first entry, rows without one left out."""
    return torch.cat([row.new_zeros(1), row.diff().nonzero().flatten() + 1, row.new_tensor([len(row)])])


pointers = Exercise(
    title="row pointers",
    reference=row_starts,
    cases=lambda seed: list(_rows(seed)),
    mistakes={
        "these are the numbers of entries in each row. A pointer adds up those of all rows before.": (
            lambda row, rows: torch.bincount(row, minlength=rows)
        ),
        "these are the ends of the rows. Row 0 starts at 0, so a 0 belongs in front.": (
            lambda row, rows: row_starts(row, rows)[1:]
        ),
        "the last pointer is missing: it says where the last row ends, so there are rows + 1.": (
            lambda row, rows: row_starts(row, rows)[:-1]
        ),
        "rows without entries were left out. They start and end at the same place, and have a "
        "pointer too.": _first_places,
        "the empty rows at the end are missing: bincount counts as far as the largest row that it "
        "meets, unless you say minlength=rows.": lambda row, rows: row_starts(row, int(row.max()) + 1),
        "a 0 stands in front of the counts, but they were not added up.": (
            lambda row, rows: row_starts(row, rows).diff(prepend=row.new_zeros(1))
        ),
    },
)


# ---- Exercise 3: the bytes of one forward pass


def forward_bytes(sources, targets, nnz, B):
    """Bytes that y = W x has to move if everything is read or written once."""
    weights = nnz + nnz + (targets + 1)  # values, their sources, row pointers
    return 4 * (weights + sources * B + targets * B)


def _sizes(seed):
    """Always more weights than numbers in y, so that no two mistakes come to the same bytes."""
    rng = np.random.default_rng(seed)
    for _ in range(3):
        sources, targets, B = (int(n) for n in rng.integers((20, 10, 3), (60, 18, 9)))
        yield sources, targets, int(rng.integers(140, 190)), B


def _off_by(change):
    """The right answer plus so many bytes."""
    return lambda sources, targets, nnz, B: forward_bytes(sources, targets, nnz, B) + change(sources, targets, nnz, B)


traffic = Exercise(
    title="bytes of a forward pass",
    reference=forward_bytes,
    cases=lambda seed: list(_sizes(seed)),
    mistakes={
        "these are numbers, not bytes: each takes 4.": (
            lambda sources, targets, nnz, B: forward_bytes(sources, targets, nnz, B) // 4
        ),
        "y is missing: its numbers are written.": _off_by(lambda s, t, nnz, B: -4 * t * B),
        "the layout is missing: a weight's source has to be read too, and so have the row pointers.": _off_by(
            lambda s, t, nnz, B: -4 * (nnz + t + 1)
        ),
        "the column indices are missing: for each weight its source has to be read, besides its value.": _off_by(
            lambda s, t, nnz, B: -4 * nnz
        ),
        "you counted the row pointers over the sources. The rows of W are the targets, so there are "
        "targets + 1 pointers.": _off_by(lambda s, t, nnz, B: 4 * (s - t)),
        "the row pointers are missing: there are targets + 1 of them.": (_off_by(lambda s, t, nnz, B: -4 * (t + 1))),
        "CSR has a pointer for each row. You counted a target for each weight, which is what "
        "gather-scatter keeps.": _off_by(lambda s, t, nnz, B: 4 * (nnz - t - 1)),
        "you counted a row of x for every weight. The floor reads each row once, however many weights use it.": _off_by(
            lambda s, t, nnz, B: 4 * B * (nnz - s)
        ),
        "the indices have 32 bits here, which is 4 bytes; you counted 8.": (
            _off_by(lambda s, t, nnz, B: 4 * (nnz + t + 1))
        ),
        "there is one pointer more than there are rows: the last one says where the last row ends.": _off_by(
            lambda s, t, nnz, B: -4
        ),
    },
    tolerance=1e-9,
)
