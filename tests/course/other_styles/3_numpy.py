"""Assignment 3 in NumPy, with einsum, and scikit-learn's linear model."""

import numpy as np
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error


def read_in(x, edge_index, N):
    inputs = N + np.arange(x.shape[1])
    starts = np.equal.outer(np.asarray(edge_index[0]), inputs)  # (E, I)
    return np.einsum("ei,bi->eb", starts.astype(float), np.asarray(x))


def hear(h, values, bias, edge_index, N, C):
    h, weights, target = np.asarray(h, dtype=float), np.asarray(values).reshape(-1, C), np.asarray(edge_index[1])
    ends = target < N
    z = np.zeros((N, C, h.shape[1])) + np.asarray(bias).reshape(N, C, 1)
    np.add.at(z, target[ends], np.einsum("ec,eb->ecb", weights, h[ends]))
    return z.reshape(N * C, -1)


def group_norm(z, channels, gamma, beta):
    owner = np.repeat(np.arange(len(channels)), channels)
    own = np.equal.outer(np.arange(len(channels)), owner).astype(float)  # (N, all channels)
    size, z = np.array(channels)[:, None], np.asarray(z, dtype=float)
    centred = z - (np.einsum("nk,kb->nb", own, z) / size)[owner]
    std = np.sqrt(np.einsum("nk,kb->nb", own, centred**2) / (size - 1))
    return np.asarray(gamma)[owner, None] * centred / (std[owner] + 0.1) + np.asarray(beta)[owner, None]


def layer(lin_in, norm, lin_out, N):
    class Group(torch.nn.Module):
        def forward(self, z):
            return z.unflatten(0, (N, -1))

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.write = torch.nn.Sequential(lin_in, Group(), norm, torch.nn.ELU(), torch.nn.Flatten(0, 1), lin_out)
            self.r = torch.nn.Parameter(torch.ones(()))

        def forward(self, h):
            return torch.einsum(",eb->eb", torch.relu(self.r), h) + self.write(h)

    return Layer()


def linear_mse(x_train, y_train, x_test, y_test):
    line = LinearRegression().fit(x_train.numpy(), y_train.numpy())
    return mean_squared_error(y_test.numpy(), line.predict(x_test.numpy()))


def fit(model, x_train, y_train, x_test, y_test, epochs, lr):
    adam, losses = torch.optim.Adam(model.parameters(), lr), np.zeros(epochs)

    def closure():
        adam.zero_grad()
        loss = torch.einsum("bo,bo->", *2 * [model.train()(x_train) - y_train]) / y_train.numel()
        loss.backward()
        return loss

    for epoch in range(epochs):
        losses[epoch] = adam.step(closure).detach().numpy()
    prediction = model.eval()(x_test).detach().numpy()
    return losses, mean_squared_error(y_test.numpy(), prediction)
