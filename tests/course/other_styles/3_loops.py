"""Assignment 3 in plain Python: loops and lists, sums instead of means, Adam by hand."""

import math

import torch


def read_in(x, edge_index, N):
    rows = []
    for source in edge_index[0].tolist():
        if source < N or source - N >= len(x[0]):
            rows.append([0.0] * len(x))
        else:
            rows.append([sample[source - N].item() for sample in x])
    return rows


def hear(h, values, bias, edge_index, N, C):
    z = [[bias[row].item()] * h.shape[1] for row in range(N * C)]
    weights = iter(values.tolist())
    for e, target in enumerate(edge_index[1].tolist()):
        if target >= N:
            continue
        for c in range(C):
            weight = next(weights)
            for b in range(h.shape[1]):
                z[target * C + c][b] += weight * h[e, b].item()
    return z


def group_norm(z, channels, gamma, beta):
    result, first = [[0.0] * z.shape[1] for _ in range(len(z))], 0
    for n, C in enumerate(channels):
        for b in range(z.shape[1]):
            own = [z[k, b].item() for k in range(first, first + C)]
            mean = sum(own) / C
            std = math.sqrt(sum((value - mean) ** 2 for value in own) / (C - 1))
            for k in range(C):
                result[first + k][b] = gamma[n].item() * (own[k] - mean) / (std + 0.1) + beta[n].item()
        first += C
    return result


def layer(lin_in, norm, lin_out, N):
    class Layer(torch.nn.Module):
        def __init__(self, lin_in, norm, lin_out, N):
            torch.nn.Module.__init__(self)
            self.maps = torch.nn.ModuleList([lin_in, lin_out])
            self.norm, self.elu, self.N = norm, torch.nn.ELU(), N
            self.register_parameter("r", torch.nn.Parameter(torch.ones(1)))

        def forward(self, h):
            z = self.maps[0](h)
            C = len(z) // self.N
            z = torch.stack([z[n * C : (n + 1) * C] for n in range(self.N)])
            a = torch.cat([node for node in self.elu(self.norm(z))])
            return self.maps[1](a) + self.r.clamp(min=0) * h

    return Layer(lin_in, norm, lin_out, N)


def linear_mse(x_train, y_train, x_test, y_test):
    mean_x, errors = x_train.mean(0), []
    for o in range(y_train.shape[1]):
        centred = x_train - mean_x
        b = y_train[:, o].mean()
        w = torch.linalg.solve(centred.T @ centred, centred.T @ (y_train[:, o] - b))
        for x, y in zip(x_test, y_test[:, o]):
            errors.append((w @ (x - mean_x) + b - y).item() ** 2)
    return sum(errors) / len(errors)


def fit(model, x_train, y_train, x_test, y_test, epochs, lr):
    parameters = list(model.parameters())
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    losses = []
    model.train()
    for t in range(1, epochs + 1):
        loss = ((model(x_train) - y_train) ** 2).sum() / y_train.numel()
        losses.append(loss)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, g, m, v in zip(parameters, gradients, first, second):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
    model.eval()
    return losses, ((model(x_test) - y_test) ** 2).mean()
