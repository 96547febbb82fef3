"""The drawings say what the code does: a line is a weight, and the map has the book's chapters."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

from gsnn_tutorial import GSNN, pathway_graph, plots
from gsnn_tutorial.plots import drawings

SOURCES = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.py"))


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_layer_has_a_line_for_every_weight(channels):
    graph = pathway_graph(K=2, n_in=1, n_func=2, n_out=1).with_spurious_edges(1, seed=0)
    options = {"norm": "none", "node_mlp": False, "add_function_self_edges": False}
    block = GSNN(graph.edge_index_dict, graph.names, channels, 1, **options).ResBlocks[0]
    patches = plots.plot_layer(graph, channels).patches
    colors = [to_hex(patch.get_edgecolor()) for patch in patches if isinstance(patch, FancyArrowPatch)]
    assert colors.count(drawings.HEARS.lower()) == len(block.lin_in.values)
    assert colors.count(drawings.TELLS.lower()) == len(block.lin_out.values)
    assert colors.count(drawings.KEPT.lower()) == 1


@pytest.mark.parametrize("plot", [lambda: plots.plot_layer(pathway_graph(K=1)), plots.plot_book])
def test_no_text_of_a_drawing_is_smaller_than_10_points(plot):
    texts = [text for text in plot().figure.findobj(Text) if text.get_text().strip()]
    assert texts and min(text.get_fontsize() for text in texts) >= 10


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_map_calls_a_chapter_by_its_title(source):
    number, title = re.search(r"^# # (\d) · (?:The )?(.+)$", source.read_text(encoding="utf-8"), re.M).groups()
    assert title.lower() in {name.lower() for n, name, *_ in drawings.CHAPTERS if n == int(number)}


def test_the_map_marks_the_chapter_where_you_are_and_no_arrow_leads_back():
    faces = [to_hex(patch.get_facecolor()) for patch in plots.plot_book(3).patches]
    assert faces.count(drawings.HERE_BOX.lower()) == 1
    assert drawings.HERE_BOX.lower() not in [to_hex(patch.get_facecolor()) for patch in plots.plot_book().patches]
    assert all(giver < taker for giver, taker, *_ in drawings.HANDS_ON)
    assert np.all(np.diff([number for number, *_ in drawings.CHAPTERS]) == 1)
    with pytest.raises(ValueError, match="here must be one of 1, 2"):
        plots.plot_book(9)
