"""Assignment 4 in plain Python: loops, lists, and power iteration for the best direction."""

import math


def in_step(s, pairs):
    columns = s.T.tolist()

    def correlation(x, y):
        B, mean_x, mean_y = len(x), sum(x) / len(x), sum(y) / len(y)
        covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / B
        variance_x = sum((a - mean_x) ** 2 for a in x) / B
        variance_y = sum((b - mean_y) ** 2 for b in y) / B
        return covariance / math.sqrt(variance_x * variance_y)

    return [correlation(columns[i], columns[j]) for i, j in pairs]


def pathway_scores(s, M):
    def score(weights, scores):
        total = sum(abs(weight) for weight in weights)
        return sum(weight * x for weight, x in zip(weights, scores)) / max(total, 1)

    return [[[score(weights, scores) for weights in M.tolist()] for scores in layer] for layer in s.tolist()]


def pull(s, t):
    def standardized(x):
        mean = sum(x) / len(x)
        std = math.sqrt(sum((a - mean) ** 2 for a in x) / len(x))
        return mean, std, [(a - mean) / std if std else 0.0 for a in x]

    B, columns = len(t), []
    target = standardized(t.tolist())[2]
    for x in s.T.tolist():
        mean, std, z = standardized(x)
        if std <= 1e-6 * (1 + abs(mean)):
            columns.append([0.0] * B)
            continue
        r = sum(a * b for a, b in zip(z, target)) / B
        columns.append([(b - r * a) / (B * std) for a, b in zip(z, target)])
    return [list(row) for row in zip(*columns)]


def sim_loss(s, pathway, node, weight):
    memberships = list(zip(pathway.tolist(), node.tolist(), weight.tolist()))
    B, L, N = s.shape

    def standardized(x):
        mean = sum(x) / B
        std = math.sqrt(sum((a - mean) ** 2 for a in x) / B)
        return [(a - mean) / std if std > 1e-6 * (1 + abs(mean)) else 0.0 for a in x]

    total = 0.0
    for l in range(L):
        scores = s[:, l].T.tolist()
        for p, i, w in memberships:
            whole = [sum(v * scores[j][b] for q, j, v in memberships if q == p) for b in range(B)]
            total += w * sum(x * y for x, y in zip(standardized(scores[i]), standardized(whole))) / B
    return -total / L / max(sum(w for _, _, w in memberships), 1)


def follow(s, M):
    B, N = s.shape
    scores, weights = s.T.tolist(), M.tolist()

    def deviations(x):
        return [a - sum(x) / B for a in x]

    R = [[0.0] * N for _ in weights]
    for p, row in enumerate(weights):
        for i in range(N):
            others = [sum(row[j] * scores[j][b] for j in range(N) if j != i) for b in range(B)]
            x, y = deviations(scores[i]), deviations(others)
            length = math.sqrt(sum(a * a for a in x) * sum(b * b for b in y))
            if row[i] > 0 and length > 0:
                R[p][i] = sum(a * b for a, b in zip(x, y)) / length
    return R


def best_share(a):
    B, N, C = a.shape
    covariance = [[0.0] * C for _ in range(C)]
    for n in range(N):
        columns = [column for column in a[:, n].T.tolist()]
        columns = [[x - sum(column) / B for x in column] for column in columns]
        for c in range(C):
            for d in range(C):
                covariance[c][d] += sum(x * y for x, y in zip(columns[c], columns[d])) / B
    w = [math.sin(1 + c) for c in range(C)]  # any start will do: power iteration
    for _ in range(2000):
        w = [sum(covariance[c][d] * w[d] for d in range(C)) for c in range(C)]
        length = math.sqrt(sum(x * x for x in w))
        w = [x / length for x in w]
    return length / sum(covariance[c][c] for c in range(C))
