"""The groups of metrics that a study chooses from: their columns, their numbers, and where they are missing."""

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gsnn_tutorial import GSNN, attribution, evaluation, pathway_graph
from gsnn_tutorial.inference import METRICS, MORE_METRICS
from gsnn_tutorial.measures import MEASURES, columns, measure
from gsnn_tutorial.study import COLUMNS

EVERYTHING = tuple(MEASURES)


@pytest.fixture
def subject(draw):
    """The published draw, with the middle member of each chain hidden."""
    hidden = torch.tensor([False, True, False] * 4)
    return SimpleNamespace(**{f.name: getattr(draw, f.name) for f in fields(draw)} | {"hidden": hidden})


def test_the_usual_groups_give_the_numbers_that_a_study_has_always_had(model, subject):
    graph, x, told = subject.graph, subject.x_test, subject.shuffled
    expected = evaluation.published_metrics(model, x, graph.labels, graph.function_edge_is_true)
    expected |= evaluation.cka_metrics(model, x, graph.labels, told.argmax(0))
    found = measure(model, graph, subject, told)
    assert found == expected  # to the last bit
    assert list(found) == columns() and set(columns()) <= set(COLUMNS)


def test_every_group_gives_its_columns_in_order_and_every_metric_has_a_column(model, subject):
    names = [name for group in EVERYTHING for name in columns([group])]
    assert list(measure(model, subject.graph, subject, which=EVERYTHING)) == names == columns(EVERYTHING)
    assert len(set(names)) == len(names)
    assert set(METRICS | MORE_METRICS) <= {"test_mse", *names}
    assert columns("edges") == columns(["edges"])


def test_a_group_is_the_same_in_any_company(model, subject):
    together = measure(model, subject.graph, subject, subject.shuffled, EVERYTHING)
    for group in EVERYTHING:
        alone = measure(model, subject.graph, subject, subject.shuffled, group)
        np.testing.assert_equal(alone, {name: together[name] for name in columns(group)})


def test_activations_are_computed_once(model, subject, monkeypatch):
    calls, real = [], GSNN.layer_activations
    monkeypatch.setattr(GSNN, "layer_activations", lambda self, x: calls.append(len(x)) or real(self, x))
    measure(model, subject.graph, subject, subject.shuffled, EVERYTHING)
    assert calls == [len(subject.x_test)]


def test_similarity_looks_at_all_layers_at_hidden_members_and_at_the_controls_groups(model, subject):
    found = measure(model, subject.graph, subject, which="similarity")
    a, labels = evaluation.activations(model, subject.x_test), subject.graph.labels
    assert found["cka_gap_all"] == evaluation.gap(evaluation.linear_cka(a, "all"), labels)
    last = evaluation.linear_cka(a)
    pairs = [(i, j) for i in range(12) for j in range(i) if i % 3 == 1 or j % 3 == 1]
    within, cross = (np.mean([last[i, j] for i, j in pairs if (i // 3 == j // 3) == same]) for same in (True, False))
    assert found["cka_gap_hidden"] == pytest.approx(within - cross)
    assert found["cka_gap_shuffled"] == pytest.approx(evaluation.gap(last, subject.shuffled.argmax(0)))
    assert found["centred_cosine_gap"] == evaluation.gap(evaluation.centred_cosine(a), labels)


def test_the_told_gap_is_of_those_told_of(model, subject):
    told = subject.graph.membership() * ~subject.hidden
    similarity = evaluation.linear_cka(evaluation.activations(model, subject.x_test))
    seen = ~subject.hidden.numpy()
    expected = evaluation.gap(similarity[np.ix_(seen, seen)], subject.graph.labels[seen])
    assert measure(model, subject.graph, subject, told, "cka")["cka_gap_told"] == pytest.approx(expected)
    assert np.isnan(measure(model, subject.graph, subject, which="cka")["cka_gap_told"])


def test_cross_talk_is_ranked_against_spurious_edges_and_counts_as_true(make_model, subject):
    graph = subject.graph
    real, spurious = graph.spurious_edges[:3], graph.spurious_edges[3:]
    crossed = replace(graph, edges=graph.edges + real, spurious_edges=spurious)
    model = make_model(crossed)
    found = measure(model, crossed, subject, which="edges")
    effects = attribution.edge_effects(model, subject.x_test[:256], keep_mean=True)  # 8 within, 3 real, 5 spurious
    wins = [(a > b) for a in effects[8:11] for b in effects[11:]]
    assert found["auc_crosstalk"] == pytest.approx(np.mean(wins))
    wins = [(a > b) for a in effects[:11] for b in effects[11:]]
    assert found["auc_ablation"] == pytest.approx(np.mean(wins))
    assert np.isnan(measure(make_model(), graph, subject, which="edges")["auc_crosstalk"])


def test_what_a_graph_does_not_have_is_missing_and_the_rest_is_not(make_model, subject):
    graph = subject.graph.without_spurious_edges()
    found = measure(make_model(graph), graph, subject, which=EVERYTHING)
    missing = {name for name, value in found.items() if np.isnan(value)}
    assert missing == {
        "lin_in_norm_spurious", "norm_ratio_true_over_spurious", "cka_gap_told",
        "auc_norm", "auc_ablation", "auc_crosstalk",
    }  # fmt: skip
    assert found["leakage"] == 0 and found["coherence"] == pytest.approx(1)
    subject.hidden[:] = False
    assert np.isnan(measure(make_model(graph), graph, subject, which="similarity")["cka_gap_hidden"])


def test_the_first_rows_alone_say_nearly_the_same_of_attribution(model, subject, monkeypatch):
    found = measure(model, subject.graph, subject, which=["edges", "attribution"])
    monkeypatch.setattr("gsnn_tutorial.measures.ATTRIBUTION_ROWS", len(subject.x_test))
    full = measure(model, subject.graph, subject, which=["edges", "attribution"])
    for name in ("auc_ablation", "leakage", "coherence"):
        assert found[name] == pytest.approx(full[name], abs=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, s: columns(["beauty"]), "which must be one of .*; got 'beauty'"),
        (lambda m, s: columns(["cka", "cka"]), "which must name each group once"),
        (lambda m, s: measure(m, s.graph, s, torch.ones(2, 3)), "membership must have 12 columns"),
        (lambda m, s: measure(m, pathway_graph(), s), "edge_is_true must say of each of the 16"),
    ],
)
def test_bad_input_is_named(call, message, model, subject):
    with pytest.raises(ValueError, match=message):
        call(model, subject)
