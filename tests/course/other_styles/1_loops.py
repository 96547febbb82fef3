"""Assignment 1 in plain Python: loops, lists and sets."""


def membership(pairs, names, P):
    functions = names["function"]
    M = [[0] * len(functions) for _ in range(P)]
    for p, name in pairs:
        if name in functions:
            M[p][functions.index(name)] = 1
    return M


def inside(M, edge_index):
    pathways = [{p for p in range(len(M)) if M[p][i]} for i in range(len(M[0]))]
    answer = []
    for u, v in zip(edge_index[0].tolist(), edge_index[1].tolist()):
        both_functions = u < len(pathways) and v < len(pathways)
        answer.append(both_functions and not pathways[u].isdisjoint(pathways[v]))
    return answer


def self_loops(edge_index, N):
    source, target = edge_index.tolist()
    for n in range(N):
        source.append(n)
        target.append(n)
    return [source, target]


def win_mask(edge_index, channels):
    rows = []
    for n, C in enumerate(channels):
        row = [int(v == n) for v in edge_index[1].tolist()]
        rows += [row] * C
    return rows


def wout(values, edge_index, N, C):
    rows = [[0.0] * (N * C) for _ in range(edge_index.shape[1])]
    weights = iter(values.tolist())
    for n in range(N):
        for c in range(C):
            for e, source in enumerate(edge_index[0].tolist()):
                if source == n:
                    rows[e][n * C + c] = next(weights)
    return rows


def reach(edge_index, N, I, O, L):
    heard = [[0] * O for _ in range(I)]
    for i in range(I):
        known = {N + i}
        for _ in range(L + 1):
            known |= {v for u, v in edge_index.T.tolist() if u in known}
        for o in range(O):
            heard[i][o] = int(N + I + o in known)
    return heard
