"""Assignment 2 in plain Python: loops and lists, one sample at a time."""

import numpy as np


def levels(parents):
    done, waiting, level = {}, list(parents), 0
    while waiting:
        ready = [node for node in waiting if all(parent in done for parent in parents[node])]
        done.update(dict.fromkeys(ready, level))
        waiting = [node for node in waiting if node not in done]
        level += 1
    return [done[node] for node in parents]


def strongest(parents):
    result = []
    for b in range(len(parents[0])):
        best = 0.0
        for parent in parents:
            if abs(parent[b]) > abs(best):
                best = parent[b]
        result.append(best)
    return result


def scm(parents, functions, z, sigma):
    rows = []
    for draws in z.tolist():
        value = {}
        for (node, signs), e in zip(parents.items(), draws):
            if len(signs) == 0:
                value[node] = e
            elif node in functions:
                given = [np.array([value[parent]]) for parent in signs]
                value[node] = float(functions[node](given)[0]) + sigma * e
            else:
                value[node] = sigma * e
                for parent in signs:
                    value[node] += signs[parent] * value[parent]
        rows.append([value[node] for node in parents])
    return rows


def shared_noise(parents, outputs, sigma):
    def ways(start, end):
        """From one node to another, signs counted."""
        if start == end:
            return 1
        return sum(sign * ways(start, parent) for parent, sign in parents[end].items())

    noisy = [node for node in parents if parents[node]]
    return [[sum(ways(v, o) * ways(v, p) for v in noisy) * sigma**2 for p in outputs] for o in outputs]


def through(f, s, z, sigma):
    predictions, errors = [], []
    for known in s:
        values = [float(f(np.array([known + sigma * noise]))[0]) for noise in z]
        mean = sum(values) / len(values)
        predictions.append(mean)
        errors.append(sum((value - mean) ** 2 for value in values) / len(values) + sigma**2)
    return predictions, errors


def limits(y_train, y_test, expected):
    floors, ceilings = [], []
    for train, test, best in zip(y_train.T.tolist(), y_test.T.tolist(), expected.T.tolist()):
        mean = sum(train) / len(train)
        std = (sum((y - mean) ** 2 for y in train) / (len(train) - 1)) ** 0.5
        floors.append(sum(((y - mean) / std - (e - mean) / std) ** 2 for y, e in zip(test, best)) / len(test))
        centre = sum(test) / len(test)
        missed = sum((y - e) ** 2 for y, e in zip(test, best))
        ceilings.append(1 - missed / sum((y - centre) ** 2 for y in test))
    return floors, ceilings
