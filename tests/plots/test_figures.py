import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

from gsnn_tutorial import pathway_graph, plots
from gsnn_tutorial.plots.forests import plot_power
from gsnn_tutorial.study.arms import ARMS, USUAL_ARMS
from gsnn_tutorial.study.inference import summarize, summarize_by
from gsnn_tutorial.study.published import published_log, published_table
from gsnn_tutorial.training import History

HISTORIES = {
    "baseline": History([3.0, 2.0, 1.0], [4.0, 3.0, 2.5], [0.0] * 3, [0.0] * 3),
    "regularized": History([3.0, 1.5, 0.8], [4.0, 2.5, 2.0], [-0.1, -0.2, -0.3], [0.0] * 3),
}
GRAPH = pathway_graph(K=2).with_spurious_edges(3, seed=0)
SIMILARITY = np.where(GRAPH.labels[:, None] == GRAPH.labels, 0.9, 0.1)
OURS = published_table() + 0.01
STUDY = pd.DataFrame(
    [(seed, arm, 0.2 * place + 0.01 * seed) for seed in range(5) for place, arm in enumerate(published_table().index)],
    columns=["seed", "arm", "cka_gap"],
)
SUMMARY = summarize(STUDY, ["cka_gap"])

PLOTS = {
    "graph": lambda ax=None: plots.plot_graph(GRAPH, ax),
    "training": lambda ax=None: plots.plot_training(HISTORIES, ax),
    "similarity": lambda ax=None: plots.plot_similarity(SIMILARITY, GRAPH, ax),
    "table": lambda ax=None: plots.plot_table(OURS, published_table(), "cos_gap", ax),
    "arms": lambda ax=None: plots.plot_arms(STUDY, "cka_gap", ax),
    "forest": lambda ax=None: plots.plot_forest(STUDY, SUMMARY, "cka_gap", ax),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def arrows(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_plot_draws_into_the_given_ax_and_returns_it(plot):
    figure, (left, right) = plt.subplots(1, 2)
    assert plot(left) is left
    assert left.has_data() and not right.has_data()
    figure.canvas.draw()


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_plot_makes_its_own_ax_if_it_is_given_none(plot):
    before = plt.get_fignums()
    ax = plot()
    assert ax.has_data() and len(plt.get_fignums()) == len(before) + 1
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", ["training", "similarity", "table", "arms"])
def test_axes_are_labelled(name):
    ax = PLOTS[name]()
    assert ax.get_xlabel() and ax.get_ylabel()


def test_the_graph_has_no_axes_but_a_legend_of_node_and_edge_types():
    ax = plots.plot_graph(GRAPH)
    assert not ax.axison
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "input node", "function node", "output node", "true edge", "spurious edge",
    ]  # fmt: skip
    assert plots.plot_graph(GRAPH, legend=False).get_legend() is None


def test_spurious_edges_are_dashed_and_true_ones_are_not():
    styles = [arrow.get_linestyle() for arrow in arrows(plots.plot_graph(GRAPH))]
    assert sorted(styles) == ["dashed"] * 3 + ["solid"] * len(GRAPH.edges)


@pytest.mark.parametrize("graph, options", [(GRAPH, {"spurious": False}), (GRAPH.without_spurious_edges(), {})])
def test_a_graph_without_spurious_edges_has_none_in_figure_and_legend(graph, options):
    ax = plots.plot_graph(graph, **options)
    assert len(arrows(ax)) == len(GRAPH.edges)
    assert "spurious edge" not in [text.get_text() for text in ax.get_legend().get_texts()]


def test_node_types_differ_in_shape_and_in_colour():
    nodes = plots.plot_graph(GRAPH).collections
    assert [len(group.get_offsets()) for group in nodes] == [4, 6, 4]
    assert len({group.get_paths()[0].vertices.tobytes() for group in nodes}) == 3
    assert len({tuple(group.get_facecolor()[0]) for group in nodes}) == 3


def test_every_node_stands_at_its_position_with_its_name():
    ax = plots.plot_graph(GRAPH)
    drawn = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    assert drawn.keys() == {node.position for node in GRAPH.nodes} and len(set(drawn.values())) == len(GRAPH.nodes)


def test_training_curves_show_the_history_of_each_arm_in_a_line_of_its_own_style():
    ax = plots.plot_training(HISTORIES, quantity="L_sim")
    assert {line.get_label(): list(line.get_ydata()) for line in ax.lines} == {
        arm: history.L_sim for arm, history in HISTORIES.items()
    }
    assert len({line.get_linestyle() for line in ax.lines}) == len(HISTORIES)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(HISTORIES)


def test_the_published_log_is_shown_as_points_beside_the_curves():
    ax = plots.plot_training(HISTORIES, printed=published_log())
    points = {line.get_label(): line for line in ax.lines}["baseline, as published"]
    log = published_log().query("arm == 'baseline'")
    assert points.get_linestyle() == "None" and points.get_marker() != "None"
    assert list(points.get_ydata()) == list(log["test_mse"]) and list(points.get_xdata()) == list(log["epoch"])


def test_an_unknown_arm_gets_a_line_too():
    assert len(plots.plot_training({"mine": HISTORIES["baseline"]}).lines) == 1


def test_the_similarity_matrix_is_ordered_by_pathway_with_a_line_between_pathways():
    mixed = pathway_graph(K=2)
    nodes = sorted(mixed.nodes, key=lambda node: node.name[::-1])  # pathways alternate
    mixed = type(mixed)(tuple(nodes), mixed.edges)
    assert mixed.labels.tolist() == [0, 1, 0, 1, 0, 1]
    same = mixed.labels[:, None] == mixed.labels
    ax = plots.plot_similarity(np.where(same, 0.9, 0.1), mixed)
    shown = np.asarray(ax.images[0].get_array())
    assert (shown[:3, :3] == 0.9).all() and (shown[3:, 3:] == 0.9).all() and (shown[:3, 3:] == 0.1).all()
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert [tick[:2] for tick in ticks] == ["f0"] * 3 + ["f1"] * 3
    assert [line.get_ydata()[0] for line in ax.lines if len(set(line.get_ydata())) == 1] == [2.5]


def test_the_table_plot_shows_each_arms_published_and_own_value_hollow_and_filled():
    ax = plots.plot_table(OURS, published_table(), "test_mse_final")
    hollow, filled = {}, {}
    for line in ax.lines:
        values = hollow if line.get_markerfacecolor() == "white" else filled
        values[round(line.get_xdata()[0])] = line.get_ydata()[0]
    assert hollow == dict(enumerate(published_table()["test_mse_final"]))
    assert filled == dict(enumerate(OURS["test_mse_final"]))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["baseline", "regularized", "shuffled\ncontrol"]


def test_the_table_plot_leaves_out_an_arm_that_was_not_finished():
    ax = plots.plot_table(OURS.loc[["baseline"]], published_table(), "ari")
    assert sum(line.get_marker() not in ("None", "") for line in ax.lines) == 4


def test_no_two_arms_share_a_marker_or_a_colour():
    styles = pd.DataFrame([vars(ARMS[name]) for name in USUAL_ARMS])
    assert styles["marker"].is_unique and styles["color"].is_unique


def test_the_forest_plot_has_each_comparisons_mean_interval_and_seeds_in_a_row_of_its_own():
    ax = plots.plot_forest(STUDY, SUMMARY, "cka_gap")
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "regularized - baseline", "regularized - shuffled control", "shuffled control - baseline",
    ]  # fmt: skip
    assert "paired difference in CKA gap" in ax.get_xlabel() and "more is better" in ax.get_xlabel()
    assert not ax.get_ylabel()  # the ticks say it
    lines = [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines]
    for place, row in enumerate(SUMMARY.itertuples()):
        assert ([row.difference], [place]) in lines and ([row.low, row.high], [place, place]) in lines
    assert sum(len(x) == 5 for x, _ in lines) == len(SUMMARY)


def test_the_plot_of_arms_shows_each_arms_mean_and_joins_the_arms_of_a_seed():
    ax = plots.plot_arms(STUDY, "cka_gap")
    lines = [list(line.get_ydata()) for line in ax.lines]
    for seed, of_seed in STUDY.groupby("seed"):
        assert of_seed["cka_gap"].tolist() in lines, f"seed {seed}"
    for _, mean in STUDY.groupby("arm")["cka_gap"].mean().items():
        assert any(len(y) == 1 and y[0] == pytest.approx(mean) for y in lines)


EVERY_ARM = pd.DataFrame(
    [(seed, n, arm) for seed in range(6) for n in (32, 64) for arm in ARMS], columns=["seed", "n_train", "arm"]
).assign(cka_gap=lambda table: np.random.default_rng(0).normal(size=len(table)))


def test_every_arm_has_its_own_words_and_mark_in_a_figure():
    part = EVERY_ARM[EVERY_ARM["n_train"] == 32]
    versus = [(arm, "baseline") for arm in ARMS if arm != "baseline"]
    ax = plots.plot_forest(part, summarize(part, ["cka_gap"], versus, null=("", "")), "cka_gap")
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"{ARMS[a].words} - baseline" for a, _ in versus]
    means = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [(line.get_marker(), line.get_color()) for line in means] == [
        (ARMS[arm].marker, ARMS[arm].color) for arm, _ in versus
    ]
    shapes = [line._marker.get_path().transformed(line._marker.get_transform()).vertices.tobytes() for line in means]
    assert len(set(shapes)) == len(versus)
    ticks = plots.plot_arms(part, "cka_gap").get_xticklabels()
    assert [tick.get_text().replace("\n", " ") for tick in ticks] == [arm.words for arm in ARMS.values()]
    ax.figure.canvas.draw()


def test_a_sweep_names_its_comparisons_in_words():
    summary = summarize_by(EVERY_ARM, "n_train", ["cka_gap"], [("regularized_loo", "control_loo")])
    (label,) = plots.plot_sweep(summary, "n_train", "cka_gap").get_legend().get_texts()
    assert label.get_text() == "leave-one-out - shuffled control (leave-one-out)"


WORLDS = pd.concat([
    EVERY_ARM[EVERY_ARM["n_train"] == 32].assign(dynamics=dynamics, broken=broken, n_crosstalk=crosstalk)
    for dynamics, broken, crosstalk in (("sum", 0.0, 0), ("sum", 0.0, 8), ("sum", 1.0, 0), ("rest", 0.0, 8))
])  # fmt: skip
BY_WORLD = summarize_by(WORLDS, ["dynamics", "broken", "n_crosstalk"], ["cka_gap"], [("edge_penalty", "baseline")])
CURVES = pd.DataFrame({
    "seed": [0, 1, 0, 1, 0], "arm": ["baseline", "baseline", "oracle", "oracle", "untrained"],
    "epoch": [50, 100, 100, 100, np.nan], "test_mse@50": [1.0, 2.0, 0.5, 0.7, np.nan],
    "test_mse@100": [3.0, 4.0, 0.4, 0.4, np.nan],
})  # fmt: skip


def test_learning_curves_are_the_means_over_the_seeds_and_the_chosen_epoch_is_marked():
    ax = plots.plot_learning_curves(CURVES)
    curves = {line.get_label(): line for line in ax.lines if len(line.get_xdata()) == 2}
    assert list(curves["baseline"].get_ydata()) == [1.5, 3.5] and list(curves["oracle"].get_xdata()) == [50, 100]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["baseline", "oracle"]  # untrained has none
    marks = [list(line.get_xdata()) for line in ax.lines if list(line.get_ydata()) == [0, 0.05]]
    assert marks == [[75, 75], [100, 100]]
    with pytest.raises(ValueError, match="table must be that of a tuned study"):
        plots.plot_learning_curves(STUDY)


def test_the_map_over_worlds_has_the_difference_and_the_word_of_each_world_and_leaves_out_what_was_not_run():
    enough = BY_WORLD.assign(
        seeds=12, low=[0.1, -0.1, -0.5, 0.1], high=[0.2, 0.01, -0.4, 0.3], p=[0.01, 0.5, 0.01, 0.2]
    )
    ax = plots.plot_worlds(enough, "edge_penalty", "cka_gap")
    words = {text.get_position(): text.get_text() for text in ax.texts}
    assert [text.split("\n")[1] for text in words.values()] == ["helps", "does not help", "harms", "can't tell"]
    assert words[0, 0].startswith(f"{BY_WORLD['difference'][0]:+.3f}") and set(words) == {
        (0, 0),
        (1, 0),
        (0, 1),
        (1, 2),
    }
    assert np.isnan(ax.images[0].get_array().filled(np.nan)[1, 1])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["0", "1", "at rest, 0"]


def test_a_forest_says_the_word_beside_each_interval():
    table = pd.concat([STUDY.assign(seed=STUDY["seed"] + 5 * i, cka_gap=STUDY["cka_gap"] + 0.01 * i) for i in range(3)])
    summary = summarize(table, ["cka_gap"])
    ax = plots.plot_forest(table, summary.assign(p=[0.01, 0.2, 0.01, 0.01][: len(summary)]), "cka_gap")
    assert [text.get_text() for text in ax.texts][:2] == ["helps", "does not help"]  # p takes the second one back


MORE_PLOTS = {
    "learning curves": lambda: plots.plot_learning_curves(CURVES),
    "worlds": lambda: plots.plot_worlds(BY_WORLD, "edge_penalty", "cka_gap"),
    "sweep": lambda: plots.plot_sweep(summarize_by(EVERY_ARM, "n_train", ["cka_gap"]), "n_train", "cka_gap"),
    "power": lambda: plot_power([0.1, 0.2, 0.3, 0.1], "cka_gap"),
    "published log": lambda: plots.plot_training(HISTORIES, printed=published_log(), floor=0.2),
    "wide similarity": lambda: plots.plot_similarity(np.eye(32), pathway_graph(K=8, n_func=4)),
} | {name: plot for name, plot in PLOTS.items() if name != "graph"}


@pytest.mark.parametrize("plot", MORE_PLOTS.values(), ids=MORE_PLOTS)
def test_no_text_is_smaller_than_10_points(plot):
    texts = [text for text in plot().figure.findobj(Text) if text.get_text().strip()]
    assert texts and min(text.get_fontsize() for text in texts) >= 10


def test_a_large_similarity_names_the_first_node_of_each_pathway_only():
    ticks = MORE_PLOTS["wide similarity"]().get_xticklabels()
    assert [tick.get_text() for tick in ticks] == [f"f{p}.0" for p in range(8)]


def test_show_refuses_a_figure_without_text_or_labels():
    figure, ax = plt.subplots()
    with pytest.raises(ValueError, match="alt"):
        plots.show(figure, " ")
    with pytest.raises(ValueError, match="label"):
        plots.show(figure, "a line that rises")
    ax.set(xlabel="epoch", ylabel="test MSE")
    plots.show(figure, "a line that rises")


def test_show_asks_for_no_label_where_the_ticks_are_words_and_for_one_where_they_are_numbers():
    plots.show(plots.plot_forest(STUDY, SUMMARY, "cka_gap").figure, "three comparisons")
    figure, ax = plt.subplots()
    ax.set_xlabel("epoch")
    ax.set_yticks([0, 1], ["0.5", "1.5"])
    with pytest.raises(ValueError, match="label"):
        plots.show(figure, "two numbers")
    ax.set_yscale("log")
    with pytest.raises(ValueError, match="label"):
        plots.show(figure, "powers of ten")
