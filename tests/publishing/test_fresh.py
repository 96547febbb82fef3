"""A clean copy is made once, and what a pupil wrote is never lost."""

import json
import re
from pathlib import Path

import pytest

from gsnn_course.publishing.checkout import Checkout
from gsnn_course.publishing.fresh import fresh
from gsnn_tutorial.__main__ import main

ROOT = Path(__file__).parents[2]


def test_a_copy_has_every_notebook_no_source_and_links_that_resolve(tmp_path):
    copied, left = fresh(ROOT, tmp_path / "work")
    assert len(copied) == len(Checkout(ROOT).chapters + Checkout(ROOT).assignments) and left == []
    assert not list(tmp_path.rglob("*.py"))
    for path in copied:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert notebook["metadata"]["jupytext"] == {"formats": "ipynb"}  # JupyterLab writes no .py beside it
        text = "".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
        for target in re.findall(r"\]\((?!https?://|#|attachment:)([^)#]+)", text):
            assert (path.parent / target).exists(), target


def test_given_again_it_leaves_a_pupils_work_alone(tmp_path):
    copied, _ = fresh(ROOT, tmp_path)
    copied[0].write_text("my answer", encoding="utf-8")
    copied[1].unlink()
    assert fresh(ROOT, tmp_path) == ([copied[1]], [copied[0]])
    assert copied[0].read_text(encoding="utf-8") == "my answer"


def test_again_keeps_what_was_written_beside_a_clean_copy(tmp_path):
    copied, _ = fresh(ROOT, tmp_path)
    clean = copied[0].read_text(encoding="utf-8")
    for number in (1, 2):
        copied[0].write_text(f"answer {number}", encoding="utf-8")
        assert fresh(ROOT, tmp_path, again=True) == ([copied[0]], [])
        assert copied[0].read_text(encoding="utf-8") == clean
        kept = copied[0].with_name(f"{copied[0].stem} kept {number}.ipynb")
        assert kept.read_text(encoding="utf-8") == f"answer {number}"


def test_the_kits_own_notebooks_and_a_file_are_refused(tmp_path, capsys):
    (tmp_path / "file").touch()
    for output in (ROOT / "notebooks", ROOT / "notebooks" / "assignments", tmp_path / "file"):
        with pytest.raises(ValueError, match="output must be a folder of your own"):
            fresh(ROOT, output)
    assert main(["fresh", "--root", str(tmp_path)]) == 2 and "root must be a clone" in capsys.readouterr().err


def test_git_ignores_the_folder_to_work_in():
    assert "work/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
