import math

import pytest
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, disjoint_union, simulate, train


def quiet(model, draw, **options):
    return train(model, draw.x_train, draw.y_train, **{"progress": False} | options)


def weights(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def on_training_pass(model, action):
    """Call ``action(k, output)`` after the k-th forward pass in training mode; what it returns replaces the output."""
    passes = []

    def hook(module, inputs, output):
        if module.training:
            passes.append(inputs[0])
            return action(len(passes) - 1, output)

    model.register_forward_hook(hook)
    return passes


def test_the_baseline_follows_the_reference_through_epoch_100(model, draw, golden_trajectories):
    history = quiet(model, draw, x_test=draw.x_test, y_test=draw.y_test, epochs=101)
    for ours, reference in [(history.train_mse, "baseline_train"), (history.test_mse, "baseline_test")]:
        torch.testing.assert_close(torch.tensor(ours), golden_trajectories[reference][:101], rtol=0, atol=1e-3)
    assert history.L_sim == history.L_dis == [0.0] * 101 and history.stopped == ""


@pytest.mark.parametrize("arm", ["regularized", "random_ctrl"])
def test_regularized_arms_start_as_the_reference_does(model, draw, golden, golden_trajectories, arm):
    membership = golden["M_true"] if arm == "regularized" else golden["M_shuffled"]
    regularizer = PathwayLatentRegularizer(model, membership, lambda_sim=0.01)
    history = quiet(model, draw, regularizer=regularizer, epochs=1)
    assert history.L_sim[0] == pytest.approx(golden_trajectories[f"{arm}_L_sim"][0].item(), abs=1e-7)
    assert history.train_mse[0] == pytest.approx(golden_trajectories[f"{arm}_train"][0].item(), abs=1e-5)


def test_the_regularizer_changes_the_weights(make_model, draw):
    plain, regularized = make_model(), make_model()
    quiet(plain, draw, epochs=2)
    quiet(regularized, draw, epochs=2, regularizer=PathwayLatentRegularizer(regularized, draw.graph.membership()))
    assert (weights(plain) - weights(regularized)).abs().max() > 1e-4


def test_a_learned_phi_is_trained_too(model, draw):
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership(), phi="learned")
    (phi,) = regularizer.parameters()
    before = phi.detach().clone()
    quiet(model, draw, regularizer=regularizer, epochs=2)
    assert (phi - before).abs().min() > 0


def test_test_data_are_only_watched(make_model, draw):
    watched, alone = make_model(), make_model()
    history = quiet(watched, draw, x_test=draw.x_test, y_test=draw.y_test, epochs=3)
    quiet(alone, draw, epochs=3)
    assert torch.equal(weights(watched), weights(alone)) and len(history.test_mse) == 3


def test_a_model_ends_in_evaluation_mode_and_its_last_test_error_is_reproducible(model, draw):
    history = quiet(model, draw, x_test=draw.x_test, y_test=draw.y_test, epochs=2)
    assert not model.training
    error = torch.nn.functional.mse_loss(model(draw.x_test), draw.y_test).item()
    assert history.test_mse[-1] == pytest.approx(error, abs=1e-6)


def test_every_sample_comes_once_per_epoch_in_minibatches_in_a_new_order(model, draw):
    seen = on_training_pass(model, lambda k, output: None)
    quiet(model, draw, epochs=2, batch_size=100)
    assert [len(batch) for batch in seen] == [100, 100, 56] * 2
    epochs = torch.cat(seen[:3]), torch.cat(seen[3:])
    for epoch in epochs:
        assert sorted(epoch.tolist()) == sorted(draw.x_train.tolist())
        assert not torch.equal(epoch, draw.x_train)
    assert not torch.equal(*epochs)


def test_without_a_batch_size_all_samples_come_at_once_as_they_stand(model, draw):
    seen = on_training_pass(model, lambda k, output: None)
    quiet(model, draw, epochs=2)
    assert len(seen) == 2 and all(torch.equal(batch, draw.x_train) for batch in seen)


def test_an_epochs_error_is_the_mean_over_samples_whatever_the_batches(make_model, draw):
    options = {"epochs": 1, "lr": 0.0, "weight_decay": 0.0}
    whole, parts = quiet(make_model(), draw, **options), quiet(make_model(), draw, batch_size=100, **options)
    assert whole.train_mse[0] == pytest.approx(parts.train_mse[0], abs=1e-6)


def test_minibatches_follow_their_seed(make_model, draw):
    def run(seed):
        model = make_model()
        quiet(model, draw, epochs=2, batch_size=64, seed=seed)
        return weights(model)

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_warm_up_raises_the_strength_linearly_to_1(model, draw):
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership())
    strengths = []
    on_training_pass(model, lambda k, output: strengths.append(regularizer.strength))
    quiet(model, draw, regularizer=regularizer, epochs=6, warmup_epochs=4)
    assert strengths == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_without_warm_up_the_strength_is_left_alone(model, draw):
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership(), lambda_sim=1.0)
    regularizer.strength = 0.5
    history = quiet(model, draw, regularizer=regularizer, epochs=1)
    assert regularizer.strength == 0.5 and -0.5 <= history.L_sim[0] < 0


def test_a_loss_that_is_not_finite_stops_with_a_warning_before_it_reaches_the_weights(model, draw):
    on_training_pass(model, lambda k, output: output * math.nan if k == 3 else None)
    with pytest.warns(UserWarning, match=r"stopped: the loss became nan in epoch 3; try a smaller lr or lambda"):
        history = quiet(model, draw, x_test=draw.x_test, y_test=draw.y_test, epochs=10)
    assert history.stopped
    assert [len(column) for column in (history.train_mse, history.test_mse, history.L_sim, history.L_dis)] == [3] * 4
    assert torch.isfinite(weights(model)).all() and torch.isfinite(torch.tensor(history.test_mse)).all()
    assert not model.training


def test_a_learning_rate_that_is_far_too_large_stops_too(model, draw):
    with pytest.warns(UserWarning, match="the loss became (nan|inf)"):
        history = quiet(model, draw, epochs=50, lr=1e12)
    assert history.stopped and torch.isfinite(weights(model)).all()


def test_an_interrupt_keeps_the_history_and_says_so(model, draw):
    def interrupt(k, output):
        if k == 4:
            raise KeyboardInterrupt

    on_training_pass(model, interrupt)
    with pytest.warns(UserWarning, match="interrupted after 4 of 9 epochs; the history so far is kept"):
        history = quiet(model, draw, x_test=draw.x_test, y_test=draw.y_test, epochs=9)
    assert "interrupted" in history.stopped
    assert len(history.train_mse) == len(history.test_mse) == len(history.table()) == 4
    assert not model.training


def test_the_table_has_one_row_per_epoch_and_blanks_where_nothing_was_watched(model, draw):
    history = quiet(model, draw, epochs=3)
    table = history.table()
    assert list(table.columns) == ["train_mse", "test_mse", "L_sim", "L_dis"]
    assert table.index.name == "epoch" and table.index.tolist() == [0, 1, 2]
    assert table["train_mse"].tolist() == history.train_mse and table["test_mse"].isna().all()


def test_the_progress_bar_carries_its_title_and_can_be_switched_off(model, draw, capsys):
    quiet(model, draw, epochs=2, progress="the baseline")
    assert "the baseline" in capsys.readouterr().err
    quiet(model, draw, epochs=2, progress=False)
    assert capsys.readouterr().err == ""


def test_arrays_as_simulate_gives_them_can_be_trained_on(draw):
    graph = draw.graph
    x, x_test, y, y_test = simulate(
        graph.networkx(spurious=False), 6, 3, graph.input_nodes, graph.output_nodes, seed=0
    )  # fmt: skip
    model = GSNN(graph.edge_index_dict, graph.names, channels=2, layers=4, node_mlp=False)
    assert len(train(model, x, y, x_test=x_test, y_test=y_test, epochs=1, progress=False).test_mse) == 1
    assert model(x).shape == (6, 8)


def test_the_strength_is_the_same_after_training_as_before(make_model, draw):
    model = make_model()
    regularizer = PathwayLatentRegularizer(model, draw.graph.membership())
    train(model, draw.x_train, draw.y_train, regularizer=regularizer, epochs=2, warmup_epochs=10, progress=False)
    assert regularizer.strength == 1.0


# Early stopping


def split(draw, rows=192):
    return draw.x_train[:rows], draw.y_train[:rows], {"x_val": draw.x_train[rows:], "y_val": draw.y_train[rows:]}


def test_the_model_ends_with_the_weights_of_its_best_epoch_on_validation_data(make_model, draw):
    _, _, held_back = split(draw)
    x, y = draw.x_train[:32], draw.y_train[:32]  # so few that the best epoch is far from the last, however one rounds
    stopped = make_model()
    history = train(stopped, x, y, **held_back, epochs=60, lr=0.05, progress=False)
    assert len(history.val_mse) == 60 and history.best_epoch == min(range(60), key=history.val_mse.__getitem__) < 59
    error = torch.nn.functional.mse_loss(stopped(held_back["x_val"]), held_back["y_val"]).item()
    assert error == pytest.approx(history.val_mse[history.best_epoch], abs=1e-7)
    plain = make_model()
    train(plain, x, y, epochs=history.best_epoch + 1, lr=0.05, progress=False)
    assert torch.equal(weights(plain), weights(stopped))  # as if training had ended there
    assert list(history.table())[:2] == ["train_mse", "val_mse"]


def test_validation_data_are_only_looked_at(make_model, draw):
    x, y, held_back = split(draw)
    watched, plain = make_model(), make_model()
    with_val = train(watched, x, y, **held_back, epochs=5, progress=False)
    assert with_val.train_mse == train(plain, x, y, epochs=5, progress=False).train_mse


def test_each_model_of_a_union_keeps_its_own_best_epoch(make_model, draw):
    x, y, held_back = split(draw)
    together = [make_model(), make_model(generator=torch.Generator().manual_seed(9))]
    alone = [make_model(), make_model(generator=torch.Generator().manual_seed(9))]
    union, _ = disjoint_union(together)
    twice = {name: torch.cat([value] * 2, 1) for name, value in held_back.items()}
    history = train(union, torch.cat([x] * 2, 1), torch.cat([y] * 2, 1), **twice, epochs=40, lr=0.05, progress=False)
    union.write_back(together)
    each = [train(model, x, y, **held_back, epochs=40, lr=0.05, progress=False) for model in alone]
    assert history.best_epoch == [single.best_epoch for single in each]
    assert len(set(history.best_epoch)) == 2
    for a, b in zip(alone, together):
        torch.testing.assert_close(weights(b), weights(a), atol=1e-4, rtol=1e-4)


def test_a_run_that_diverges_ends_with_the_best_weights_that_it_had(make_model, draw):
    x, y, held_back = split(draw)
    model = make_model()
    on_training_pass(model, lambda k, output: output * math.inf if k == 8 else None)
    with pytest.warns(UserWarning, match="in epoch 8"):
        history = train(model, x, y, **held_back, epochs=20, progress=False)
    assert history.best_epoch <= 7 and torch.isfinite(weights(model)).all()


def test_validation_data_of_the_wrong_shape_are_named(model, draw):
    with pytest.raises(ValueError, match="x_val and y_val belong together"):
        quiet(model, draw, x_val=draw.x_test)
    with pytest.raises(ValueError, match="y_val must have the model's"):
        quiet(model, draw, x_val=draw.x_test, y_val=draw.y_test[:, :2])


def test_after_each_epoch_its_number_is_told_when_the_step_is_done(model, draw):
    told, before = [], weights(model).clone()
    quiet(model, draw, epochs=3, after_epoch=lambda epoch: told.append((epoch, (weights(model) - before).abs().sum())))
    assert [epoch for epoch, _ in told] == [0, 1, 2]
    assert 0 < told[0][1] and len({moved.item() for _, moved in told}) == 3
