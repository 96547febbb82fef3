"""The groups of metrics that a study chooses from: their columns, their numbers, and where they are missing."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from gsnn_tutorial import GSNN, Problem, attribution, evaluation, pathway_graph
from gsnn_tutorial.study import metrics
from gsnn_tutorial.study.metrics import MEASURES, METRICS, USUAL_METRICS, Subject, chosen, metric_named
from gsnn_tutorial.study.table import table_columns

EVERYTHING = tuple(MEASURES)


def measure(model, graph, draw, told=None, which=("published", "cka")):
    return metrics.measure(Subject(model, graph, draw, told), which)


def test_the_usual_groups_give_the_numbers_that_a_study_has_always_had(model, draw):
    graph, labels, is_true = draw.graph, draw.graph.labels, draw.graph.function_edge_is_true
    activations, norms = evaluation.activations(model, draw.x_test), attribution.edge_norms(model)
    within, cross = evaluation.within_and_cross(evaluation.cosine_similarity(activations), labels)
    expected = {"cos_within": within, "cos_cross": cross, "cos_gap": within - cross}
    expected["ari"] = adjusted_rand_score(labels, evaluation.kmeans_clusters(activations, 4))
    expected |= {"lin_in_norm_true": norms[is_true].mean(), "lin_in_norm_spurious": norms[~is_true].mean()}
    expected["norm_ratio_true_over_spurious"] = float(norms[is_true].mean()) / float(norms[~is_true].mean())
    similarity = evaluation.linear_cka(activations)
    within, cross = evaluation.within_and_cross(similarity, labels)
    expected |= {"cka_within": within, "cka_cross": cross, "cka_gap": within - cross}
    expected["cka_ari"] = adjusted_rand_score(labels, evaluation.cka_clusters(similarity, 4))
    expected["cka_gap_told"] = evaluation.gap(similarity, draw.shuffled.argmax(0))
    found = measure(model, graph, draw, draw.shuffled)
    assert found == expected  # to the last bit
    assert list(found) == list(expected) == table_columns()[5:]


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_computes_its_column(name, model, draw):
    metric, subject = METRICS[name], Subject(model, draw.graph, draw, draw.shuffled)
    value = metric.compute(subject)
    groups = [group for group, of_group in MEASURES.items() if metric in of_group]
    assert metric.name == name and np.ndim(value) == 0
    if name == "test_mse":  # is in every table
        assert not groups and value == evaluation.mse(model, draw.x_test, draw.y_test)
    else:
        (group,) = groups
        np.testing.assert_equal(measure(model, draw.graph, draw, draw.shuffled, group)[name], float(value))


def test_a_metric_says_in_words_what_it_is_what_it_is_compared_with_and_which_way_is_better():
    judged = [metric for metric in METRICS.values() if metric.margin is not None]
    assert len({metric.words for metric in METRICS.values()}) == len(METRICS)
    assert [metric.name for metric in METRICS.values() if metric.null is None] == ["test_mse"]  # the only error
    assert all(metric.null and "_" not in metric.words + metric.null for metric in judged if metric.null is not None)
    less = [metric.name for metric in METRICS.values() if metric.better == "less is better"]
    assert less == [metric.name for metric in METRICS.values() if metric.direction == -1] == ["test_mse", "leakage"]
    assert set(USUAL_METRICS) <= {metric.name for metric in judged}
    assert metric_named("leakage") is METRICS["leakage"]
    with pytest.raises(ValueError, match="metric must be one of .*; got 'cka_within'"):
        metric_named("cka_within")  # reported, and not judged


def test_every_group_gives_its_columns_in_order_and_every_metric_has_a_column(model, draw):
    names = [name for group in EVERYTHING for name in table_columns([group])[5:]]
    assert list(measure(model, draw.graph, draw, which=EVERYTHING)) == names == table_columns(EVERYTHING)[5:]
    assert len(set(names)) == len(names)
    assert set(METRICS) == {"test_mse", *names}
    assert chosen("edges") == chosen(["edges"])


def test_a_group_is_the_same_in_any_company(model, draw):
    together = measure(model, draw.graph, draw, draw.shuffled, EVERYTHING)
    for group in EVERYTHING:
        alone = measure(model, draw.graph, draw, draw.shuffled, group)
        np.testing.assert_equal(alone, {name: together[name] for name in table_columns(group)[5:]})


def test_activations_are_computed_once(model, draw, monkeypatch):
    calls, real = [], GSNN.layer_activations
    monkeypatch.setattr(GSNN, "layer_activations", lambda self, x: calls.append(len(x)) or real(self, x))
    measure(model, draw.graph, draw, draw.shuffled, EVERYTHING)
    assert calls == [len(draw.x_test)]


def test_what_metrics_share_is_computed_once(model, draw, monkeypatch):
    calls = []
    for module, name in [(evaluation, "linear_cka"), (attribution, "edge_effects"), (attribution, "edge_norms")]:

        def counted(*given, _real=getattr(module, name), _name=name, **options):
            calls.append(_name)
            return _real(*given, **options)

        monkeypatch.setattr(module, name, counted)
    measure(model, draw.graph, draw, draw.shuffled, EVERYTHING)
    assert sorted(calls) == ["edge_effects", "edge_norms", "linear_cka", "linear_cka"]  # the last layer, and all


def test_similarity_looks_at_all_layers_at_hidden_members_and_at_the_controls_groups(model, draw):
    found = measure(model, draw.graph, draw, which="similarity")
    a, labels = evaluation.activations(model, draw.x_test), draw.graph.labels
    assert found["cka_gap_all"] == evaluation.gap(evaluation.linear_cka(a, "all"), labels)
    last = evaluation.linear_cka(a)
    pairs = [(i, j) for i in range(12) for j in range(i) if i % 3 == 1 or j % 3 == 1]
    within, cross = (np.mean([last[i, j] for i, j in pairs if (i // 3 == j // 3) == same]) for same in (True, False))
    assert found["cka_gap_hidden"] == pytest.approx(within - cross)
    assert found["cka_gap_shuffled"] == pytest.approx(evaluation.gap(last, draw.shuffled.argmax(0)))
    assert found["centred_cosine_gap"] == evaluation.gap(evaluation.centred_cosine(a), labels)


def test_the_told_gap_is_of_those_told_of(model, draw):
    told = draw.graph.membership() * torch.as_tensor(~draw.hidden)
    similarity = evaluation.linear_cka(evaluation.activations(model, draw.x_test))
    seen = ~draw.hidden
    expected = evaluation.gap(similarity[np.ix_(seen, seen)], draw.graph.labels[seen])
    assert measure(model, draw.graph, draw, told, "cka")["cka_gap_told"] == pytest.approx(expected)
    assert np.isnan(measure(model, draw.graph, draw, which="cka")["cka_gap_told"])


def test_cross_talk_counts_as_true_and_is_ranked_against_spurious_edges_that_run_forward_too():
    draw = Problem(n_crosstalk=4).draw(1)
    torch.manual_seed(0)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, channels=4, layers=4, node_mlp=False)
    found = measure(model, draw.graph, draw, which="edges")
    effects = attribution.edge_effects(model, draw.x_test[:256], keep_mean=True)  # 8 within, 4 real, 8 spurious
    forward = np.array([int(u[-1]) < int(v[-1]) for u, v in draw.graph.spurious_edges])  # f_pathway_position
    assert 0 < forward.sum() < 8
    real, spurious = effects[8:12], effects[12:]
    assert found["auc_crosstalk"] == pytest.approx(np.mean([a > b for a in real for b in spurious[forward]]))
    assert found["auc_ablation"] == pytest.approx(np.mean([a > b for a in effects[:12] for b in spurious]))


def test_what_a_graph_does_not_have_is_missing_and_the_rest_is_not(make_model, draw):
    graph = draw.graph.without_spurious_edges()
    found = measure(make_model(graph), graph, draw, which=EVERYTHING)
    missing = {name for name, value in found.items() if np.isnan(value)}
    assert missing == {
        "lin_in_norm_spurious", "norm_ratio_true_over_spurious", "cka_gap_told",
        "auc_norm", "auc_ablation", "auc_crosstalk",
    }  # fmt: skip
    assert found["leakage"] == 0 and found["coherence"] == pytest.approx(1)
    nothing_hidden = SimpleNamespace(graph=graph, x_test=draw.x_test, shuffled=draw.shuffled, hidden=np.zeros(12, bool))
    assert np.isnan(measure(make_model(graph), graph, nothing_hidden, which="similarity")["cka_gap_hidden"])


def test_the_first_rows_alone_say_nearly_the_same_of_attribution(model, draw, monkeypatch):
    found = measure(model, draw.graph, draw, which=["edges", "attribution"])
    monkeypatch.setattr("gsnn_tutorial.study.metrics.ATTRIBUTION_ROWS", len(draw.x_test))
    full = measure(model, draw.graph, draw, which=["edges", "attribution"])
    for name in ("auc_ablation", "leakage", "coherence"):
        assert found[name] == pytest.approx(full[name], abs=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, s: chosen(["beauty"]), "which must be one of .*; got 'beauty'"),
        (lambda m, s: chosen(["cka", "cka"]), "which must name each group once"),
        (lambda m, s: measure(m, s.graph, s, torch.ones(2, 3)), "membership must have 12 columns"),
        (lambda m, s: measure(m, pathway_graph(), s), "graph must have the model's 16 function-function edges, got 8"),
    ],
)
def test_bad_input_is_named(call, message, model, draw):
    with pytest.raises(ValueError, match=message):
        call(model, draw)
