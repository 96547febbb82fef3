"""The graded exercises of assignment 1, graph and masks."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.checks.diagnosis import Graded

# Membership from a table of annotations


def _membership(pairs, names, P):
    """M[p, i] = 1 if the table has pathway p for function node i; inputs and outputs are passed over."""
    place = {name: i for i, name in enumerate(names["function"])}
    M = torch.zeros(P, len(place))  # (P, N)
    for p, name in pairs:
        if name in place:
            M[p, place[name]] = 1
    return M


def _table(pairs, columns, P):
    """A membership matrix with the given names as its columns; other names are passed over."""
    return _membership(pairs, {"function": list(columns)}, P)


def _last_pathway_only(pairs, names, P):
    return _membership({name: (p, name) for p, name in pairs}.values(), names, P)


def _annotations(seed):
    """Names of all types in no particular order; an overlap, a pair listed twice, a pathway without function nodes."""
    rng = np.random.default_rng(seed)
    cases = []
    for N, P in [(4, 3), (int(rng.integers(5, 8)), 4)]:
        codes = [f"g{code}" for code in rng.permutation(100)[: N + 4]]
        codes[2:4] = sorted(codes[2:4], reverse=True)  # the function nodes do not stand in the order of their names
        names = {"input": codes[:2], "function": codes[2:-2], "output": codes[-2:]}
        empty, *others = rng.permutation(np.arange(P - 1)).tolist()  # not the last one, so that its row cannot be lost
        others.append(P - 1)
        pairs = [(p, names["function"][i]) for i in range(N - 1) for p in rng.permutation(others)[:1].tolist()]
        pairs += [(p, names["function"][-1]) for p in others]  # in several pathways
        pairs += [(empty, names["input"][0]), (others[0], names["output"][1]), (others[-1], names["input"][1])]
        pairs = [pairs[k] for k in rng.permutation(len(pairs))]
        cases.append((pairs + [pairs[0], (others[0], names["function"][-1])] * 2, names, P))
    return cases


membership = Graded(
    title="membership",
    reference=_membership,
    cases=_annotations,
    mistakes={
        "your matrix is transposed: a pathway is a row and a function node is a column, (P, N).": (
            lambda pairs, names, P: _membership(pairs, names, P).T
        ),
        "your columns are all nodes. A membership matrix is about function nodes: a column for each of "
        "names['function'], none for inputs and outputs.": (
            lambda pairs, names, P: _table(pairs, sum(names.values(), []), P)
        ),
        "you counted lines of the table. A pair may be listed twice, and a member is a member once: set 1, do not add "
        "1.": lambda pairs, names, P: torch.tensor(
            [[float(pairs.count((p, name))) for name in names["function"]] for p in range(P)]
        ),
        "a node in two pathways is a member of the last one only. One label per node cannot hold an overlap: set "
        "M[p, i] for each line of the table.": _last_pathway_only,
        "a pathway has no row. One whose members are all inputs or outputs keeps its row, of zeros: there are P rows, "
        "whatever the table says.": lambda pairs, names, P: _membership(pairs, names, P)[
            sorted({p for p, name in pairs if name in names["function"]})
        ],
        "your columns are sorted by name. Column i belongs to names['function'][i], in the order given.": (
            lambda pairs, names, P: _table(pairs, sorted(names["function"]), P)
        ),
        "your columns stand in the order in which the table mentions the nodes. Column i belongs to "
        "names['function'][i].": lambda pairs, names, P: _table(
            pairs, dict.fromkeys(name for _, name in pairs if name in names["function"]), P
        ),
    },
)

# Edges inside a pathway


def _inside(M, edge_index):
    """1 for an edge whose two ends are function nodes that share a pathway, else 0."""
    shared = M.T @ M  # (N, N): how many pathways two nodes share
    result = torch.zeros(edge_index.shape[1])  # (E,)
    for e, (u, v) in enumerate(edge_index.T.tolist()):
        if u < len(shared) and v < len(shared):
            result[e] = shared[u, v] > 0
    return result


def _inside_by(rule):
    """The answer that looks at the ends' columns of M in its own way."""

    def answer(M, edge_index):
        N = M.shape[1]
        return torch.tensor([float(rule(M[:, u], M[:, v])) if max(u, v) < N else 0 for u, v in edge_index.T.tolist()])

    return answer


def _only_function_edges(M, edge_index):
    return _inside(M, edge_index)[(edge_index < M.shape[1]).all(0)]


def _pathways_and_edges(seed):
    """A chain with shortcuts. Ends share one of two pathways, or two, or none, or have none at all."""
    rng = np.random.default_rng(seed)
    by_hand = torch.tensor([[1.0, 1, 0, 0, 0, 1], [0, 1, 1, 0, 0, 1], [1, 0, 0, 0, 0, 1]])  # (P, N)
    edges = torch.tensor([[6, 0, 1, 2, 3, 4, 0, 0, 5], [0, 1, 2, 3, 4, 5, 2, 5, 7]])
    cases = [(by_hand, edges)]
    for N in (6, int(rng.integers(7, 9))):
        number = torch.tensor([*rng.permutation(N), N, N + 1])  # who is who among the functions, the input, the output
        M = torch.tensor(rng.random((4, N)) < 0.3).float()
        M[:3, number[:6]] = by_hand
        M[3, number[:6]] = 0
        extra = torch.tensor([[6], [0]]) if N > 6 else torch.zeros(2, 0, dtype=torch.long)
        whole = torch.cat([edges + (edges > 5) * (N - 6), extra], dim=1)
        order = torch.tensor(rng.permutation(whole.shape[1]))
        cases.append((M[torch.tensor(rng.permutation(4))], number[whole[:, order]]))
    return cases


inside = Graded(
    title="edges inside a pathway",
    reference=_inside,
    cases=_pathways_and_edges,
    mistakes={
        "you gave each node the label of its first pathway. A node may be in several, and a node in none has no label "
        "(argmax says 0): compare the whole columns of M.": _inside_by(lambda u, v: u.argmax() == v.argmax()),
        "you asked for the same set of pathways. One that both ends share is enough, and two nodes without any share "
        "none.": _inside_by(lambda u, v: (u == v).all()),
        "you asked whether both ends are in some pathway. It must be the same one.": (
            _inside_by(lambda u, v: u.any() and v.any())
        ),
        "you counted the pathways that the ends share. The answer is 1 as soon as there is one.": (
            _inside_by(lambda u, v: u @ v)
        ),
        "one end in a pathway was enough for you. Both have to be in it.": _inside_by(lambda u, v: u.any() or v.any()),
        "you left edges out. Return a value for every edge, in their order: 0 for one from an input or into an "
        "output.": _only_function_edges,
    },
)

# Self-loops


def _wiring(rng, N):
    """Two inputs, a chain of functions with a shortcut, two outputs, as a (2, E) list without order.

    The end of the chain says nothing to anyone. Functions are 0 .. N-1, inputs N and N+1, outputs N+2 and N+3.
    """
    chain = rng.permutation(N).tolist()
    edges = [*zip(chain, chain[1:]), (chain[0], chain[-1]), (chain[0], chain[2])]
    edges += [(N, chain[0]), (N + 1, chain[1]), (N + 1, chain[2]), (chain[1], N + 2), (chain[-2], N + 2)]
    edges += [(chain[-2], N + 3)]
    return torch.tensor(edges)[torch.tensor(rng.permutation(len(edges)))].T.contiguous()


def _with_self_loops(edge_index, N):
    loops = torch.arange(N).expand(2, -1)  # (2, N): 0 -> 0, 1 -> 1, ...
    return torch.cat([edge_index, loops], dim=1)  # (2, E + N)


def _loops_at(nodes):
    return lambda edge_index, N: torch.cat([edge_index, nodes(edge_index, N).expand(2, -1)], dim=1)


def _wirings(seed):
    rng = np.random.default_rng(seed)
    return [(_wiring(rng, N), N) for N in (4, int(rng.integers(5, 9)))]


self_loops = Graded(
    title="self-loops",
    reference=_with_self_loops,
    cases=_wirings,
    mistakes={
        "you gave inputs and outputs a self-loop too. Only function nodes, 0 to N-1, have one.": (
            _loops_at(lambda edge_index, N: torch.arange(int(edge_index.max()) + 1))
        ),
        "a function node without an out-edge has no self-loop. It has something to remember too: take all of 0 to "
        "N-1.": _loops_at(lambda edge_index, N: torch.arange(N)[torch.isin(torch.arange(N), edge_index[0])]),
        "your self-loops stand in front. They come after the given edges, so that an edge keeps its number.": (
            lambda edge_index, N: _with_self_loops(edge_index, N).roll(N, dims=1)
        ),
        "these are the self-loops alone. Append them to the edges that were given.": (
            lambda edge_index, N: torch.arange(N).expand(2, -1)
        ),
        "your list is (E + N, 2). An edge is a column: sources in row 0, targets in row 1.": (
            lambda edge_index, N: _with_self_loops(edge_index, N).T
        ),
    },
)

# The mask of W_in


def _win_mask(edge_index, channels):
    node_of_channel = torch.arange(len(channels)).repeat_interleave(torch.tensor(channels))  # (all channels,)
    return (edge_index[1][None, :] == node_of_channel[:, None]).float()  # (all channels, E)


def _win_mask_by_channel(edge_index, channels):
    order = [n for c in range(max(channels)) for n, C in enumerate(channels) if c < C]
    return (edge_index[1][None, :] == torch.tensor(order)[:, None]).float()


def _first_channel_only(edge_index, channels):
    first = torch.cat([torch.arange(C) for C in channels]) == 0
    return _win_mask(edge_index, channels) * first[:, None]


def _channel_cases(seed):
    rng = np.random.default_rng(seed)
    cases = []
    for N in (4, int(rng.integers(5, 8))):
        channels = [2, 1, *rng.integers(1, 5, size=N - 3).tolist(), 3]
        cases.append((_with_self_loops(_wiring(rng, N), N), channels))
    return cases


win_mask = Graded(
    title="mask of W_in",
    reference=_win_mask,
    cases=_channel_cases,
    mistakes={
        "you marked the edges that start at a node; that is what it writes to. A node hears the edges that end in it, "
        "edge_index[1].": lambda edge_index, channels: _win_mask(edge_index.flip(0), channels),
        "you marked the edges at both of their ends. W_in has the edges that end in a node; those that start there, "
        "such as edges into outputs, belong to W_out.": lambda edge_index, channels: torch.maximum(
            _win_mask(edge_index, channels), _win_mask(edge_index.flip(0), channels)
        ),
        "your matrix is transposed. W_in turns edges into channels, W_in @ h, so a channel is a row.": (
            lambda edge_index, channels: _win_mask(edge_index, channels).T
        ),
        "the self-loops are missing. A self-loop ends in its node like any other edge.": lambda edge_index, channels: (
            _win_mask(edge_index, channels) * (edge_index[0] != edge_index[1])
        ),
        "you gave every node as many channels as the first one has. Node n has channels[n] of them.": (
            lambda edge_index, channels: _win_mask(edge_index, [channels[0]] * len(channels))
        ),
        "you gave every node as many channels as the widest one has. Node n has channels[n] of them.": (
            lambda edge_index, channels: _win_mask(edge_index, [max(channels)] * len(channels))
        ),
        "you marked one channel of a node. All of its channels hear all of its in-edges.": _first_channel_only,
        "your rows run in another order: all first channels, then all second ones. The channels of a node stand side "
        "by side.": _win_mask_by_channel,
    },
)

# Weights into W_out


def _wout(values, edge_index, N, C):
    W = torch.zeros(edge_index.shape[1], N * C)  # (E, N*C)
    k = 0
    for n in range(N):
        for c in range(C):
            for e in (edge_index[0] == n).nonzero().flatten().tolist():
                W[e, n * C + c] = values[k]
                k += 1
    return W


def _places(edge_index, N, node_of_channel):
    """Where W_out has weights, as booleans, (E, N*C)."""
    return edge_index[0][:, None] == node_of_channel[None, :]


def _filled(values, places):
    """A matrix with the values in the given places, row by row; values that are over are dropped."""
    W = torch.zeros(places.shape)
    W[places] = values[: int(places.sum())]
    return W


def _edge_by_edge(values, edge_index, N, C):
    return _filled(values, _places(edge_index, N, torch.arange(N).repeat_interleave(C)))


def _wout_numbered_by_channel(values, edge_index, N, C):
    return _wout(values, edge_index, N, C).view(-1, N, C).transpose(1, 2).flatten(1)


def _wout_by_target(values, edge_index, N, C):
    places = _places(edge_index.flip(0), N, torch.arange(N).repeat_interleave(C))
    padded = torch.cat([values, values.new_zeros(places.numel())])
    return _filled(padded, places.T).T


def _wout_channel_by_channel(values, edge_index, N, C):
    order = torch.arange(N * C).view(N, C).T.flatten()  # all first channels, then all second ones
    places = _places(edge_index, N, torch.arange(N).repeat(C))
    W = torch.zeros(places.shape)
    W[:, order] = _filled(values, places.T).T
    return W


def _without_outputs(values, edge_index, N, C):
    return _wout(values, edge_index, N, C) * (edge_index[1] < N).float()[:, None]


def _weight_lists(seed):
    rng = np.random.default_rng(seed)
    cases = []
    for N, C in [(4, 2), (int(rng.integers(5, 8)), 3)]:
        edge_index = _with_self_loops(_wiring(rng, N), N)
        weights = C * int((edge_index[0] < N).sum())
        cases.append((torch.tensor(rng.standard_normal(weights)).float(), edge_index, N, C))
    return cases


wout = Graded(
    title="weights of W_out",
    reference=_wout,
    cases=_weight_lists,
    mistakes={
        "you filled the matrix edge by edge, as W[mask] = values does. The list runs node by node, channel by channel, "
        "and within a channel edge by edge.": _edge_by_edge,
        "you filled all first channels, then all second ones. The list finishes with a node, channel by channel, "
        "before it goes on to the next.": _wout_channel_by_channel,
        "your columns are numbered c*N + n. Channel c of node n has number n*C + c, so a node's channels stand side by "
        "side.": _wout_numbered_by_channel,
        "you put the weights where an edge ends; that is W_in. An edge is written by the node at which it starts, "
        "edge_index[0].": _wout_by_target,
        "your matrix is transposed. W_out turns channels into edges, W_out @ a, so an edge is a row.": (
            lambda *case: _wout(*case).T
        ),
        "edges into outputs are empty. They start at a function node like any other message, and without them nothing "
        "leaves.": _without_outputs,
        "these are ones, the mask. Put the values there.": (
            lambda values, *case: _wout(torch.ones_like(values), *case)
        ),
    },
)

# Who is heard at the end


def _reach(edge_index, N, I, O, L):
    hears = torch.zeros(I, N + I + O, dtype=torch.bool)  # (inputs, nodes)
    edges = edge_index.T.tolist()
    hears[range(I), range(N, N + I)] = True
    for _ in range(L + 1):  # L layers, then the read-out, which is one more hop
        before = hears.clone()
        for u, v in edges:
            hears[:, v] |= before[:, u]
    return hears[:, N + I :].float()  # (inputs, outputs)


def _step(edge_index, size):
    """A[u, v] = 1 for an edge u -> v, over all nodes."""
    A = torch.zeros(size, size)
    A[edge_index[0], edge_index[1]] = 1
    return A


def _walks(edge_index, N, I, O, L, stay=True):
    """In how many ways L + 1 hops lead from an input to an output; ``stay``: a hop may be a rest."""
    A = _step(edge_index, N + I + O)
    if stay:
        A = A + torch.eye(N + I + O)
    return torch.linalg.matrix_power(A, L + 1)[N : N + I, N + I :]


def _reach_exactly(*case):
    return (_walks(*case, stay=False) > 0).float()


def _both_ways(edge_index, *case):
    return _reach(torch.cat([edge_index, edge_index.flip(0)], dim=1), *case)


def _reach_cases(seed):
    """A chain with outputs near and far, over one to three layers, and random wirings; all under random numbers."""
    rng = np.random.default_rng(seed)
    N, I, O = 5, 2, 3
    f, i, o = rng.permutation(N), N + rng.permutation(I), N + I + rng.permutation(O)
    road = [*zip(f, f[1:]), (i[0], f[0]), (i[1], f[2]), (f[1], o[0]), (f[2], o[1]), (f[4], o[2])]
    road = torch.tensor(np.array(road)[rng.permutation(len(road))].T.copy())
    cases = [(road, N, I, O, L) for L in (1, 2, 3)]
    for L in (2, 3):
        N, I, O = rng.integers([7, 3, 4], [10, 5, 6]).tolist()
        order = rng.permutation(N)
        ahead = np.triu(rng.random((N, N)) < 0.25, 1)[np.ix_(order, order)]  # no way back
        into = [(N + k, rng.integers(N)) for k in range(I) for _ in range(2)]
        out = [(rng.integers(N), N + I + k) for k in range(O)]
        edges = np.unique(np.array([*np.argwhere(ahead), *into, *out]), axis=0)
        cases.append((torch.tensor(rng.permutation(edges).T.copy()), N, I, O, L))
    return cases


reach = Graded(
    title="who is heard",
    reference=_reach,
    cases=_reach_cases,
    mistakes={
        "you counted one hop too few. The signal is heard by a function in layer 1, and after layer L the read-out is "
        "one hop more: L + 1 edges.": lambda *case: _reach(*case[:-1], case[-1] - 1),
        "you counted one hop too many. The hop from the input to a function is layer 1: L + 1 edges in all.": (
            lambda *case: _reach(*case[:-1], case[-1] + 1)
        ),
        "you asked for paths of exactly L + 1 edges. What has been heard stays heard, by self-loop and residual: at "
        "most L + 1.": _reach_exactly,
        "you counted the ways from an input to an output. One is enough: 1 or 0.": _walks,
        "your signal runs both ways along an edge. It goes from edge_index[0] to edge_index[1] only.": _both_ways,
        "you let the signal run for ever. A network of L layers is over after L layers.": (
            lambda edge_index, N, I, O, L: _reach(edge_index, N, I, O, N + 1)
        ),
        "your matrix is transposed: an input is a row and an output is a column.": lambda *case: _reach(*case).T,
    },
)
