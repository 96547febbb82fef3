"""A network of one's own can be read one output at a time."""

import pytest

from gsnn_tutorial import pathway_graph
from gsnn_tutorial.plots.chapter_8 import plot_own_network


def test_only_the_shortest_paths_to_the_output_are_dark():
    graph = pathway_graph(K=3)
    ax = plot_own_network(graph, output="out_1_0")
    widths = [patch.get_linewidth() for patch in ax.patches]
    assert len(widths) == len(graph.edges)
    assert widths.count(1.8) == 2 + 2 + 1  # two inputs, a chain of three functions, one output


def test_without_an_output_all_edges_look_alike():
    assert {patch.get_linewidth() for patch in plot_own_network(pathway_graph(K=2)).patches} == {0.7}


def test_an_output_that_is_not_there_is_refused_by_name():
    with pytest.raises(ValueError, match="output"):
        plot_own_network(pathway_graph(K=2), output="nowhere")
