"""Small models train on one thread, large ones on as many as torch is set to, and the setting is given back."""

import pytest
import torch

from gsnn_tutorial import train
from gsnn_tutorial.kernels import cores, threads


class Watched(torch.nn.Linear):
    """A model that notes on how many threads it runs."""

    def forward(self, x):
        self.seen = torch.get_num_threads()
        return super().forward(x)


@pytest.fixture
def three_threads():
    with threads(3):
        yield


def trained(**options):
    model = Watched(4, 2)
    x = torch.randn(32, 4)
    train(model, x, x[:, :2], epochs=1, progress=False, **options)
    return model.seen


def test_a_small_model_trains_on_one_thread_and_the_setting_is_given_back(three_threads):
    assert trained() == 1
    assert torch.get_num_threads() == 3


def test_a_large_model_trains_on_as_many_threads_as_torch_is_set_to(three_threads, monkeypatch):
    monkeypatch.setattr(cores, "SMALL", 10 * 32 - 1)  # the model has ten weights
    assert trained() == 3
    monkeypatch.setattr(cores, "SMALL", 10 * 32)
    assert trained() == 1


def test_it_is_the_batch_that_counts_and_not_all_samples(three_threads, monkeypatch):
    monkeypatch.setattr(cores, "SMALL", 10 * 8)
    assert (trained(batch_size=8), trained(batch_size=16)) == (1, 3)


def test_the_setting_is_given_back_after_an_error(three_threads):
    with pytest.raises(KeyError), threads(2):
        assert torch.get_num_threads() == 2
        raise KeyError
    assert torch.get_num_threads() == 3
