"""The exercises of chapter 4, the sparse map.

``messages`` is the map itself, ``pointers`` its layout, and ``traffic`` the bytes that it moves.
"""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.exercises.diagnosis import exercise


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


SUM = "x.new_zeros(targets, x.shape[1]).index_add(0, target, weighed)"
gather_scatter.slips({
    "where several weights lead into one target only the last one counted: y[target] = ... and y[target] += ... write "
    "each row once. index_add accumulates.":
        {f"return {SUM}": "y = x.new_zeros(targets, x.shape[1])\n    y[target] = weighed\n    return y"},
    "this is W^T: the messages were read at the targets and added up at the sources. Row 0 of indices says where a "
    "message comes from, row 1 where it goes.": {"source, target = indices": "target, source = indices"},
    "the result is batch-major, (B, targets). Edge-major keeps one row per target and one column per sample.":
        {SUM: f"{SUM}.t()"},
    "the messages were added up as they came: each is multiplied by its weight first.": {"values[:, None] * ": ""},
    "a target's messages were averaged. A linear map adds them up.":
        {SUM: f"{SUM} / torch.bincount(target, minlength=targets).clamp(min=1)[:, None]"},
    "a target's messages were averaged, and a target without any became NaN. A linear map adds them up, and the sum of "
    "none is 0.": {SUM: f"{SUM} / torch.bincount(target, minlength=targets)[:, None]"},
    "the empty targets at the end are missing: the largest target that is met does not say how many there are. The "
    "result has `targets` rows.": {"new_zeros(targets": "new_zeros(int(target.max()) + 1"},
    "the result has a row for every source. It has `targets` rows.": {"new_zeros(targets": "new_zeros(len(x)"},
})  # fmt: skip


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
    """The start of each row's entries in an array that is sorted by row, (rows + 1,)."""
    counts = torch.bincount(row, minlength=rows)  # (rows,)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


ANSWER = "torch.cat([counts.new_zeros(1), counts.cumsum(0)])"
row_starts.slips({
    "these are the numbers of entries in each row. A pointer adds up those of all rows before.": {ANSWER: "counts"},
    "these are the ends of the rows. Row 0 starts at 0, so a 0 belongs in front.": {ANSWER: "counts.cumsum(0)"},
    "the last pointer is missing: it says where the last row ends, so there are rows + 1.": {ANSWER: f"{ANSWER}[:-1]"},
    "rows without entries were left out. They start and end at the same place, and have a pointer too.":
        {"counts.cumsum(0)": "counts[counts > 0].cumsum(0)"},
    "the empty rows at the end are missing: bincount counts as far as the largest row that it meets, unless you say "
    "minlength=rows.": {", minlength=rows": ""},
    "your pointers are those of the next row: searchsorted with right=True counts the entries of a row to its start.":
        {ANSWER: "torch.searchsorted(row, torch.arange(rows + 1), right=True)"},
    "a 0 stands in front of the counts, but they were not added up.": {"counts.cumsum(0)": "counts"},
})  # fmt: skip


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


forward_bytes.slips({
    "these are numbers, not bytes: each takes 4.": {"4 * ": ""},
    "y is missing: its numbers are written.": {" + targets * B": ""},
    "the layout is missing: a weight's source has to be read too, and so have the row pointers.":
        {"nnz + nnz + (targets + 1)": "nnz"},
    "the column indices are missing: for each weight its source has to be read, besides its value.":
        {"nnz + nnz": "nnz"},
    "you counted the row pointers over the sources. The rows of W are the targets, so there are targets + 1 pointers.":
        {"targets + 1": "sources + 1"},
    "the row pointers are missing: there are targets + 1 of them.": {" + (targets + 1)": ""},
    "CSR has a pointer for each row. You counted a target for each weight, which is what gather-scatter keeps.":
        {"(targets + 1)": "nnz"},
    "you counted a row of x for every weight. The floor reads each row once, however many weights use it.":
        {"sources * B": "nnz * B"},
    "the indices have 32 bits here, which is 4 bytes; you counted 8.":
        {"nnz + nnz + (targets + 1)": "nnz + 2 * (nnz + targets + 1)"},
    "there is one pointer more than there are rows: the last one says where the last row ends.":
        {"targets + 1": "targets"},
})  # fmt: skip
