"""The exercises of chapter 4, the sparse map.

``messages`` is the map itself, ``pointers`` its layout, and ``traffic`` the bytes that it moves.
"""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import exercise

# ---- Gather, weigh, scatter, edge-major


def map_cases(seed):
    """Two maps with several weights into a target, and more sources than targets.

    The last sources have no weight, so that an answer which reads W the wrong way round runs too.
    The last target has none either: only `targets` says that it is there.
    """
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for sources, targets, weights, samples in [(8, 6, 14, 3), (10, 7, 20, 4)]:
        used = targets - 1
        place = torch.randperm(used * used, generator=generator)[:weights].sort().values
        indices = torch.stack([place // used, place % used])  # (2, nnz)
        values = torch.randn(weights, generator=generator)  # (nnz,)
        cases.append((values, indices, torch.randn(sources, samples, generator=generator), targets))
    return cases


@exercise("gather, weigh, scatter", cases=map_cases)
def gather_scatter(values, indices, x, targets):
    """y = W x, edge-major: x is (sources, B), y is (targets, B)."""
    source, target = indices
    weighed = values[:, None] * x[source]  # (nnz, B)
    return x.new_zeros(targets, x.shape[1]).index_add(0, target, weighed)


@gather_scatter.mistake(
    "where several weights lead into one target only the last one counted: y[target] = ... and "
    "y[target] += ... write each row once. index_add accumulates."
)
def assigned(values, indices, x, targets):
    source, target = indices
    y = x.new_zeros(targets, x.shape[1])  # (targets, B)
    y[target] = values[:, None] * x[source]
    return y


@gather_scatter.mistake(
    "this is W^T: the messages were read at the targets and added up at the sources. Row 0 of "
    "indices says where a message comes from, row 1 where it goes."
)
def wrong_way_round(values, indices, x, targets):
    target, source = indices
    weighed = values[:, None] * x[source]
    return x.new_zeros(targets, x.shape[1]).index_add(0, target, weighed)


@gather_scatter.mistake(
    "the result is batch-major, (B, targets). Edge-major keeps one row per target and one column per sample."
)
def batch_major(values, indices, x, targets):
    return gather_scatter.reference(values, indices, x, targets).t()


@gather_scatter.mistake("the messages were added up as they came: each is multiplied by its weight first.")
def not_weighed(values, indices, x, targets):
    source, target = indices
    return x.new_zeros(targets, x.shape[1]).index_add(0, target, x[source])


@gather_scatter.mistake("a target's messages were averaged. A linear map adds them up.")
def averaged(values, indices, x, targets):
    count = torch.bincount(indices[1], minlength=targets).clamp(min=1)  # (targets,)
    return gather_scatter.reference(values, indices, x, targets) / count[:, None]


@gather_scatter.mistake(
    "a target's messages were averaged, and a target without any became NaN. A linear map adds "
    "them up, and the sum of none is 0."
)
def averaged_over_none(values, indices, x, targets):
    count = torch.bincount(indices[1], minlength=targets)  # (targets,)
    return gather_scatter.reference(values, indices, x, targets) / count[:, None]


@gather_scatter.mistake(
    "the empty targets at the end are missing: the largest target that is met does not say how "
    "many there are. The result has `targets` rows."
)
def targets_guessed(values, indices, x, targets):
    return gather_scatter.reference(values, indices, x, int(indices[1].max()) + 1)


@gather_scatter.mistake("the result has a row for every source. It has `targets` rows.")
def row_for_every_source(values, indices, x, targets):
    return gather_scatter.reference(values, indices, x, len(x))


# ---- Row pointers


def row_cases(seed):
    """Sorted rows: some empty in the middle, the last ones empty."""
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for rows, entries in [(8, 12), (11, 15)]:
        used = torch.tensor([r for r in range(rows - 2) if r != 2])
        cases.append((used[torch.randint(len(used), (entries,), generator=generator)].sort().values, rows))
    return cases


@exercise("row pointers", cases=row_cases)
def row_starts(row, rows):
    """Where each row's entries start in an array that is sorted by row, (rows + 1,)."""
    counts = torch.bincount(row, minlength=rows)  # (rows,)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


@row_starts.mistake("these are the numbers of entries in each row. A pointer adds up those of all rows before.")
def counts_only(row, rows):
    return torch.bincount(row, minlength=rows)


@row_starts.mistake("these are the ends of the rows. Row 0 starts at 0, so a 0 belongs in front.")
def ends_of_rows(row, rows):
    return torch.bincount(row, minlength=rows).cumsum(0)


@row_starts.mistake("the last pointer is missing: it says where the last row ends, so there are rows + 1.")
def last_pointer_missing(row, rows):
    return row_starts.reference(row, rows)[:-1]


@row_starts.mistake("rows without entries were left out. They start and end at the same place, and have a pointer too.")
def empty_rows_left_out(row, rows):
    starts = row.diff().nonzero().flatten() + 1  # where the row number changes
    return torch.cat([row.new_zeros(1), starts, row.new_tensor([len(row)])])


@row_starts.mistake(
    "the empty rows at the end are missing: bincount counts as far as the largest row that it "
    "meets, unless you say minlength=rows."
)
def last_empty_rows_missing(row, rows):
    counts = torch.bincount(row)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


@row_starts.mistake(
    "your pointers are those of the next row: searchsorted with right=True counts the entries of a row to its start."
)
def right_of_the_row(row, rows):
    return torch.searchsorted(row, torch.arange(rows + 1), right=True)


@row_starts.mistake("a 0 stands in front of the counts, but they were not added up.")
def counts_not_added_up(row, rows):
    counts = torch.bincount(row, minlength=rows)
    return torch.cat([counts.new_zeros(1), counts])


# ---- The bytes of one forward pass


def traffic_cases(seed):
    """Always more weights than numbers in y, so that no two mistakes come to the same bytes."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(3):
        sources, targets, B = (int(n) for n in rng.integers((20, 10, 3), (60, 18, 9)))
        cases.append((sources, targets, int(rng.integers(140, 190)), B))
    return cases


@exercise("bytes of a forward pass", cases=traffic_cases, tolerance=1e-9)
def forward_bytes(sources, targets, nnz, B):
    """Bytes that y = W x has to move if everything is read or written once."""
    weights = nnz + nnz + (targets + 1)  # values, their sources, row pointers
    return 4 * (weights + sources * B + targets * B)


@forward_bytes.mistake("these are numbers, not bytes: each takes 4.")
def numbers_not_bytes(sources, targets, nnz, B):
    weights = nnz + nnz + (targets + 1)
    return weights + sources * B + targets * B


@forward_bytes.mistake("y is missing: its numbers are written.")
def y_missing(sources, targets, nnz, B):
    weights = nnz + nnz + (targets + 1)
    return 4 * (weights + sources * B)


@forward_bytes.mistake("the layout is missing: a weight's source has to be read too, and so have the row pointers.")
def layout_missing(sources, targets, nnz, B):
    weights = nnz
    return 4 * (weights + sources * B + targets * B)


@forward_bytes.mistake("the column indices are missing: for each weight its source has to be read, besides its value.")
def column_indices_missing(sources, targets, nnz, B):
    weights = nnz + (targets + 1)
    return 4 * (weights + sources * B + targets * B)


@forward_bytes.mistake(
    "you counted the row pointers over the sources. The rows of W are the targets, so there are targets + 1 pointers."
)
def pointers_over_sources(sources, targets, nnz, B):
    weights = nnz + nnz + (sources + 1)
    return 4 * (weights + sources * B + targets * B)


@forward_bytes.mistake("the row pointers are missing: there are targets + 1 of them.")
def pointers_missing(sources, targets, nnz, B):
    weights = nnz + nnz
    return 4 * (weights + sources * B + targets * B)


@forward_bytes.mistake(
    "CSR has a pointer for each row. You counted a target for each weight, which is what gather-scatter keeps."
)
def target_for_each_weight(sources, targets, nnz, B):
    weights = nnz + nnz + nnz
    return 4 * (weights + sources * B + targets * B)


@forward_bytes.mistake(
    "you counted a row of x for every weight. The floor reads each row once, however many weights use it."
)
def row_of_x_for_every_weight(sources, targets, nnz, B):
    weights = nnz + nnz + (targets + 1)
    return 4 * (weights + nnz * B + targets * B)


@forward_bytes.mistake("the indices have 32 bits here, which is 4 bytes; you counted 8.")
def indices_of_64_bits(sources, targets, nnz, B):
    values, indices = nnz, nnz + (targets + 1)
    return 8 * indices + 4 * (values + sources * B + targets * B)


@forward_bytes.mistake("there is one pointer more than there are rows: the last one says where the last row ends.")
def one_pointer_for_each_row(sources, targets, nnz, B):
    weights = nnz + nnz + targets
    return 4 * (weights + sources * B + targets * B)
