import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_info, threadpool_limits

from gsnn_tutorial import evaluation, pathway_graph
from gsnn_tutorial.attribution import edge_norms
from gsnn_tutorial.study.metrics import Subject, measure


@pytest.fixture
def activations():
    """Random activations, (B, L, N, C), not centred."""
    return torch.randn(40, 3, 5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.5


def textbook_cka(X, Y):
    """Kornblith et al. 2019, from the Gram matrices: HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))."""
    H = np.eye(len(X)) - 1 / len(X)
    K, L = H @ X @ X.T @ H, H @ Y @ Y.T @ H
    return (K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum())


@pytest.mark.parametrize("layers", ["last", "all"])
def test_cka_of_every_pair_is_the_textbooks(activations, layers):
    joined = activations[:, -1] if layers == "last" else activations.transpose(1, 2).flatten(2)
    X = joined.numpy().transpose(1, 0, 2)  # (N, B, C)
    expected = [[textbook_cka(X[i], X[j]) for j in range(5)] for i in range(5)]
    np.testing.assert_allclose(evaluation.linear_cka(activations, layers), expected, atol=1e-12)


def test_cka_looks_at_the_last_layer_unless_told_otherwise(activations):
    np.testing.assert_array_equal(evaluation.linear_cka(activations), evaluation.linear_cka(activations[:, -1:]))


def test_cka_does_not_see_a_nodes_basis_scale_or_offset_but_raw_cosine_does(activations):
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    turned = activations.clone()
    turned[:, :, 2] = 3.7 * activations[:, :, 2] @ torch.tensor(rotation) + 11
    np.testing.assert_allclose(evaluation.linear_cka(turned), evaluation.linear_cka(activations), atol=1e-10)
    change = np.abs(evaluation.cosine_similarity(turned) - evaluation.cosine_similarity(activations))
    assert change[2, [0, 1, 3, 4]].min() > 0.02


def test_a_node_that_does_not_vary_is_similar_to_none():
    rng = np.random.default_rng(0)
    a = torch.tensor(rng.normal(size=(30, 1, 3, 4)))
    a[:, :, 1] = torch.tensor([5.0, -2.0, 0.0, 1e3])
    a[:, :, 1] *= torch.tensor(1 + 1e-8 * rng.normal(size=(30, 1, 4)))  # rounding of float32
    similarity = evaluation.linear_cka(a)
    assert not similarity[1].any() and not similarity[:, 1].any()
    assert similarity[0, 0] == pytest.approx(1) and similarity[0, 2] > 0


def test_raw_cosine_and_kmeans_read_all_samples_layers_and_channels_as_published(activations):
    rows = np.stack([activations[:, :, n].reshape(-1).float().numpy() for n in range(5)])
    expected = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in rows] for a in rows]
    np.testing.assert_allclose(evaluation.cosine_similarity(activations), expected, atol=1e-5)
    clusters = KMeans(n_clusters=2, n_init=10, random_state=0).fit_predict(rows)
    assert evaluation.kmeans_clusters(activations, 2).tolist() == clusters.tolist()


def test_kmeans_gives_the_same_clusters_on_any_number_of_threads(activations, monkeypatch):
    corners = [scale * torch.eye(nodes)[None, None] for scale, nodes in ((0.3, 12), (0.1, 24))]
    large = torch.randn(4, 1, 300, 3, generator=torch.Generator().manual_seed(1))  # more nodes than k-means' chunk
    used, real = [], KMeans.fit_predict

    def fit_predict(self, points):
        used.extend(pool["num_threads"] for pool in threadpool_info())
        return real(self, points)

    monkeypatch.setattr(KMeans, "fit_predict", fit_predict)
    # All corners are as far from each other: many clusterings are as good, and rounding decides between them.
    for a, n_clusters in ((activations, 2), (corners[0], 2), (corners[1], 2), (large, 5)):
        clusters = []
        for threads in (1, 2, 4):
            with threadpool_limits(threads):
                before = [pool["num_threads"] for pool in threadpool_info()]
                clusters.append(evaluation.kmeans_clusters(a, n_clusters).tolist())
                assert [pool["num_threads"] for pool in threadpool_info()] == before  # as it was found
        assert clusters[0] == clusters[1] == clusters[2]
    assert set(used) == {1}


def test_the_gap_of_three_nodes_by_hand():
    similarity = np.array([[1.0, 0.8, 0.1], [0.8, 1.0, 0.3], [0.1, 0.3, 1.0]])
    assert evaluation.within_and_cross(similarity, ["a", "a", "b"]) == pytest.approx((0.8, 0.2))
    assert evaluation.gap(similarity, ["a", "a", "b"]) == pytest.approx(0.6)
    assert evaluation.gap(similarity, [0, 1, 1]) == pytest.approx(0.3 - 0.45)


def test_the_gap_of_pairs_that_involve_a_node_by_hand():
    similarity = np.array([[1.0, 0.8, 0.1, 0.5], [0.8, 1.0, 0.3, 0.0], [0.1, 0.3, 1.0, 0.6], [0.5, 0.0, 0.6, 1.0]])
    labels, hidden = [0, 0, 1, 1], [False, True, False, False]
    assert evaluation.within_and_cross(similarity, labels, hidden) == pytest.approx((0.8, (0.3 + 0.0) / 2))
    assert evaluation.gap(similarity, labels, [True] * 4) == pytest.approx(evaluation.gap(similarity, labels))


def test_the_told_gap_of_overlapping_pathways_that_leave_a_node_out_by_hand():
    similarity = np.array([[1.0, 0.8, 0.1, 9.0], [0.8, 1.0, 0.3, 9.0], [0.1, 0.3, 1.0, 9.0], [9.0, 9.0, 9.0, 1.0]])
    told = torch.tensor([[1.0, 0.5, 0.0, 0.0], [0.0, -1.0, 1.0, 0.0]])  # soft and signed; node 3 is in none
    assert evaluation.told_gap(similarity, told) == pytest.approx((0.8 + 0.3) / 2 - 0.1)


def test_the_told_gap_of_plain_pathways_is_the_gap_and_of_single_members_is_missing(draw):
    similarity = np.corrcoef(np.random.default_rng(0).normal(size=(12, 30)))
    expected = evaluation.gap(similarity, draw.shuffled.argmax(0))
    assert evaluation.told_gap(similarity, draw.shuffled) == expected
    assert np.isnan(evaluation.told_gap(similarity, torch.eye(12)))


def test_the_centred_cosine_is_that_of_the_last_layers_stacked_channels(activations):
    X = activations[:, -1].numpy()
    rows = (X - X.mean(0)).transpose(1, 0, 2).reshape(5, -1)
    expected = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in rows] for a in rows]
    np.testing.assert_allclose(evaluation.centred_cosine(activations), expected, atol=1e-12)


def test_the_centred_cosine_forgets_offsets_but_not_the_basis(activations):
    shifted, turned = activations + torch.tensor([5.0, -3.0, 0.0, 1.0]), activations.clone()
    np.testing.assert_allclose(evaluation.centred_cosine(shifted), evaluation.centred_cosine(activations), atol=1e-10)
    turned[:, :, 2] = activations[:, :, 2].flip(-1)
    assert np.abs(evaluation.centred_cosine(turned) - evaluation.centred_cosine(activations)).max() > 0.02
    turned[:, :, 2] = 7.0
    assert not evaluation.centred_cosine(turned)[2].any()


def test_clusters_of_a_block_matrix_are_its_blocks():
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    similarity = np.where(labels[:, None] == labels, 0.9, 0.2) + 0.1 * np.eye(7)
    assert adjusted_rand_score(labels, evaluation.cka_clusters(similarity, 3)) == 1
    assert evaluation.cka_clusters(similarity, 1).tolist() == [0] * 7


def test_clusters_are_joined_by_average_linkage_and_not_by_single_or_complete():
    points = np.random.default_rng(0).normal(size=(14, 2))
    distance = np.linalg.norm(points[:, None] - points, axis=-1) / 10
    clusters = evaluation.cka_clusters(1 - distance, 3)
    agreement = {
        method: adjusted_rand_score(fcluster(linkage(squareform(distance), method), 3, "maxclust"), clusters)
        for method in ("average", "single", "complete")
    }
    assert agreement["average"] == 1 and agreement["single"] < 1 and agreement["complete"] < 1


def norms_by_loop(model):
    """W_in's row norm of each function-function edge that is no self-loop, from the weight list."""
    lin_in, norms = model.ResBlocks[0].lin_in, []
    for e, (source, target) in enumerate(model.edge_index.T.tolist()):
        if model.function_edge_mask[e] and source != target:
            row = [w for w, k in zip(lin_in.values.tolist(), lin_in.indices[0].tolist()) if k == e]
            norms.append(np.sqrt(np.sum(np.square(row))))
    return np.array(norms)


def test_published_metrics_are_the_published_computation(model, draw):
    x, labels, is_true = draw.x_test, draw.graph.labels, draw.graph.function_edge_is_true
    torch.nn.init.normal_(model.ResBlocks[0].lin_in.values)
    activations = model.get_node_activations(x, agg="all")
    features = np.stack([activations[name].numpy().reshape(-1) for name in draw.graph.function_nodes])
    unit = features / (np.linalg.norm(features, axis=1, keepdims=True) + 1e-8)
    pairs = [(unit[i] @ unit[j], labels[i] == labels[j]) for i in range(12) for j in range(i)]
    within, cross = (np.mean([cosine for cosine, same in pairs if same == wanted]) for wanted in (True, False))
    clusters = KMeans(n_clusters=4, n_init=10, random_state=0).fit_predict(features)
    norms = norms_by_loop(model)
    true, spurious = norms[is_true].mean(), norms[~is_true].mean()
    expected = {
        "cos_within": within,
        "cos_cross": cross,
        "cos_gap": within - cross,
        "ari": adjusted_rand_score(labels, clusters),
        "lin_in_norm_true": true,
        "lin_in_norm_spurious": spurious,
        "norm_ratio_true_over_spurious": true / spurious,
    }
    metrics = measure(Subject(model, draw.graph, draw), "published")
    assert list(metrics) == list(expected)
    assert metrics == pytest.approx(expected, abs=1e-5)


def test_cka_metrics_are_gap_and_agreement_of_the_last_layers_clusters(model, draw):
    last = torch.stack(list(model.get_node_activations(draw.x_test, agg="last").values()), dim=1)
    similarity = evaluation.linear_cka(last[:, None])
    expected = {
        "cka_gap": evaluation.gap(similarity, draw.graph.labels),
        "cka_ari": adjusted_rand_score(draw.graph.labels, evaluation.cka_clusters(similarity, 4)),
    }
    within, cross = evaluation.within_and_cross(similarity, draw.graph.labels)
    expected |= {"cka_within": within, "cka_cross": cross}
    expected["cka_gap_told"] = evaluation.gap(similarity, draw.shuffled.argmax(0))
    assert measure(Subject(model, draw.graph, draw, draw.shuffled), "cka") == pytest.approx(expected)


def test_on_the_true_graph_members_of_a_pathway_are_similar_and_others_are_not(make_model, draw):
    graph = draw.graph.without_spurious_edges()
    metrics = measure(Subject(make_model(graph), graph, draw), "cka")
    assert metrics["cka_gap"] > 0.5 and metrics["cka_ari"] == 1


def test_mse_is_taken_in_evaluation_mode_which_is_put_back(make_model, draw):
    model = make_model(dropout=0.5)
    error = evaluation.mse(model, draw.x_test, draw.y_test)
    assert model.training
    model.eval()
    assert error == pytest.approx(((model(draw.x_test) - draw.y_test) ** 2).mean().item(), abs=1e-6)
    evaluation.mse(model, draw.x_test, draw.y_test)
    assert not model.training


def test_metrics_of_a_model_with_other_pathway_numbers_are_the_same(make_model):
    graph = pathway_graph(K=2).with_spurious_edges(3, seed=0)
    activations, found = evaluation.activations(make_model(graph), torch.randn(50, 4)), []
    for labels in (graph.labels, 7 - 3 * graph.labels, np.where(graph.labels, "b", "a")):
        clusters = adjusted_rand_score(labels, evaluation.kmeans_clusters(activations, 2))
        found.append((evaluation.gap(evaluation.cosine_similarity(activations), labels), clusters))
    assert found[0] == found[1] == found[2]


def test_looking_at_a_model_in_training_changes_nothing(make_model, draw):
    model = make_model(norm="batch").train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    evaluation.activations(model, draw.x_test)
    evaluation.mse(model, draw.x_test, draw.y_test)
    edge_norms(model)
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda S: evaluation.gap(S, [0, 0, 1], [True, False]), "involving must be a mask of the 3 nodes"),
        (lambda S: evaluation.gap(S, [0, 0, 1], [False, False, True]), "involving must leave pairs"),
        (lambda S: evaluation.gap(S, [0, 1, 2]), "two nodes into one pathway"),
        (lambda S: evaluation.told_gap(S, torch.eye(2)), "membership must have 3 columns"),
        (lambda S: evaluation.linear_cka(torch.zeros(1, 2, 3, 4)), "B=1"),
        (lambda S: evaluation.centred_cosine(torch.full((5, 2, 3, 4), torch.nan)), "diverged"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.eye(3))
