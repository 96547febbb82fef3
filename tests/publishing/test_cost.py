"""README's table says what was measured, and measuring is resumable."""

import re
import shutil
from pathlib import Path

import nbformat
import psutil
import pytest

from gsnn_course.publishing import cost
from gsnn_course.publishing.checkout import Checkout

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_has_the_measurements_that_are_saved():
    """If not: python -m gsnn_tutorial cost"""
    saved = cost.read(Checkout(ROOT))
    assert set(saved) <= {path.stem for path in Checkout(ROOT).chapters}
    assert cost.readme_with_costs(README, saved) == README


def test_a_row_gets_its_numbers_and_no_other_changes():
    row = "| [1 · Pathway graph](notebooks/01_pathway_graph.ipynb) | turn a graph | 30 min | {} | {} |{}\n"
    other = "| [2 · Simulation](notebooks/02_simulation.ipynb) | simulate | 35 min | 13 s | 0.6 GB |\n"
    for end in ("", " [![Open in Colab](x)](y) |"):
        text = row.format("10 s", "0.6 GB", end) + other
        new = cost.readme_with_costs(text, {"01_pathway_graph": {"seconds": 20.1, "GB": 1.31}})
        assert new == row.format("25 s", "1.4 GB", end) + other


def test_a_notebook_is_measured_on_one_core_and_its_kernel_s_memory_counts(tmp_path):
    code = "import os, time; time.sleep(1); a = bytearray(300_000_000)\nassert len(os.sched_getaffinity(0)) == 1"
    code += "\nassert os.environ['OMP_NUM_THREADS'] == '1'"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), tmp_path / "a.ipynb")
    seconds, kilobytes = cost.run_on_one_core(tmp_path / "a.ipynb")
    assert seconds > 1 and 300_000 < kilobytes < 600_000
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), tmp_path / "b.ipynb")
    with pytest.raises(ValueError, match=r"b\.ipynb must run without an error.*ZeroDivisionError"):
        cost.run_on_one_core(tmp_path / "b.ipynb")


@pytest.mark.slow
def test_a_notebook_that_does_not_end_is_named_with_its_cell_and_leaves_no_kernel(tmp_path):
    code = ["1 + 1", "import time; time.sleep(600)"]
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, code))), tmp_path / "a.ipynb")
    with pytest.raises(ValueError, match=r"a\.ipynb must come to its end within 20 s, got as far as cell 2: .*sleep"):
        cost.run_on_one_core(tmp_path / "a.ipynb", longest=20)
    children = psutil.Process().children(recursive=True)
    assert [child for child in children if "ipykernel_launcher" in " ".join(child.cmdline())] == []


def test_what_is_saved_is_not_measured_again_unless_the_code_has_changed(tmp_path, monkeypatch):
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns("*.ipynb", "cost.json"))
    sources, measured = Checkout(tmp_path).chapters, []

    def interrupted(notebook):
        measured.append(notebook.stem)
        if len(measured) == 3:
            raise KeyboardInterrupt
        return 10.0, 600_000

    monkeypatch.setattr(cost, "run_on_one_core", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cost.measure(tmp_path, progress=len)
    saved = cost.measure(tmp_path, progress=len)
    names = [source.stem for source in sources]
    assert measured == names[:3] + names[2:] and list(saved) == names
    assert cost.measure(tmp_path, progress=len) == saved and len(measured) == len(names) + 1
    sources[0].write_text(sources[0].read_text(encoding="utf-8") + "\n# %%\n1\n", encoding="utf-8")
    cost.measure(tmp_path, progress=len)
    assert measured[-1] == names[0] and len(measured) == len(names) + 2
    assert cost.write_readme(tmp_path) and re.search(
        r"\| 10 s \| 0\.7 GB \|", (tmp_path / "README.md").read_text(encoding="utf-8")
    )
