"""The text of a figure arrives where readers are: a notebook is executed, rendered, and its images are read."""

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

FOLDER = Path(__file__).parents[2] / "notebooks"
TEXT = 'Left, "a" < b & c; right, a line that rises'
CODE = f"""
import matplotlib.pyplot as plt
from gsnn_tutorial import plots
figure, ax = plt.subplots()
ax.plot([1, 2])
ax.set(xlabel="epoch", ylabel="test MSE")
plots.show(figure, {TEXT!r})
"""


class Images(HTMLParser):
    """The alt texts of a page's images, and those in its scripts left out."""

    def __init__(self, page):
        super().__init__()
        self.alts = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.alts.append(dict(attrs).get("alt"))


def rendered(notebook, template):
    return Images(HTMLExporter(template_name=template).from_notebook_node(notebook)[0]).alts


@pytest.fixture(scope="module")
def shown():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(notebook, timeout=120).execute()
    return notebook


@pytest.mark.parametrize("template", ["lab", "classic", "basic"])
def test_a_figure_that_is_shown_has_its_text_in_every_template(shown, template):
    assert rendered(shown, template) == [TEXT]


def test_what_shows_no_html_has_the_text_too(shown):
    (output,) = [output for output in shown.cells[0].outputs if output.output_type == "display_data"]
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"] == TEXT
    assert len(output.data["image/png"]) < 40_000 and output.data["image/png"].strip() in output.data["text/html"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_every_image_of_a_rendered_chapter_says_what_is_to_be_seen(path):
    notebook = nbformat.read(path, as_version=4)
    figures = sum(
        "image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
    )
    notebook.cells[0].source = re.sub(r"\[!\[Open in.*", "", notebook.cells[0].source)
    alts = rendered(notebook, "lab")
    assert len(alts) == figures >= 3
    assert [alt for alt in alts if not alt or len(alt) <= 20 or "description" in alt] == []
