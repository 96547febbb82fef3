# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,nbgrader,slideshow,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown] slideshow={"slide_type": "slide"}
# # 1 · The pathway graph
#
# In most networks every unit of a layer is connected to every unit of the next, and training has
# to find out which connections matter. Sometimes we know that beforehand. For decades, biologists
# have written down which protein acts on which, and which of them work together as a *pathway*.
# A Graph Structured Neural Network (GSNN) takes such a graph as its wiring: where the graph has no
# edge, the network has no weight.
#
# So we start with the graph, because no training can do what the graph does not allow. In this
# chapter you build the graph that the whole tutorial works on. It is small enough for you to see
# every edge of it. At the end we ask the question that the figure below answers: after a given number
# of layers, what can each node have heard of?
#
# **You will be able to**
#
# 1. name the three node types of a GSNN and the three types of edges between them;
# 2. turn a networkx graph into a PyG `HeteroData`, and check it;
# 3. read an adjacency matrix, with and without spurious edges;
# 4. write down a membership matrix and a fair shuffled control for it;
# 5. say how many layers a signal needs, and what a node can have heard of by then.
#
# **Before you start:** you need Python, NumPy and a little PyTorch, and you need to know nothing
# about GSNNs. **Time:** 30 minutes to read, 30 for the exercises, under a minute to run on two CPU
# cores, less than 1 GB of memory.

# %% slideshow={"slide_type": "skip"} tags=["hide-input"]
def bring_the_kit(address):
    """On Colab, install the kit: from a wheel beside this notebook, or else from its address."""
    import glob, sys

    if "google.colab" in sys.modules:
        source = (glob.glob("gsnn_tutorial-*.whl") or [address])[0]
        if not source:
            raise RuntimeError("This copy of the kit has no address to install it from. Build a wheel at home, with "
                               "'pip wheel --no-deps -w . .', upload it here, and run this cell again.")
        get_ipython().run_line_magic("pip", f"install -q {source}")

bring_the_kit("")

# %% slideshow={"slide_type": "subslide"} tags=["hide-input"]
# The opening figure. The last section explains what it counts.
import matplotlib.pyplot as plt

from gsnn_tutorial import pathway_graph, plots
from gsnn_tutorial.plots.chapter_1 import plot_spread_layers

example = pathway_graph().with_spurious_edges(8, seed=0)
figure, row = plt.subplots(1, 4, figsize=(13, 3.1), layout="constrained")
plot_spread_layers(example, [1, 2, 3, 4], row, legend=True)
plots.show(figure, "The same graph after layers 1 to 4: crosses, nodes that have heard of no "
           "input, give way to circles, triangles and pluses from top to bottom")

# %% [markdown]
# Four pathways stand side by side, with their inputs on top and their outputs at the bottom. A
# signal moves one hop per layer, and we draw an edge in full colour once it has something to carry.
# A grey cross is a node that no input has reached: whatever we feed in, its value stays the same. A
# circle has heard of its own pathway only, a triangle of other pathways only, and a plus of both.
# The dashed edges are the ones that should not be there.
#
# Next comes the map of the book. An arrow says what one chapter hands to another, and this chapter is the
# coloured box.

# %% slideshow={"slide_type": "skip"}
from itertools import permutations
from math import factorial

import networkx as nx
import numpy as np
import pandas as pd
import torch
from torch_geometric.data import HeteroData

from gsnn_tutorial import GSNN, nx2pyg, shuffled_membership
from gsnn_tutorial.exercises import chapter_1 as checks
from gsnn_tutorial.plots.chapter_1 import (
    plot_adjacency,
    plot_arrival,
    plot_graph_and_adjacency,
    plot_kept_pairs,
    plot_membership,
)

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(12.6, 3.4), layout="constrained")
plots.plot_book(1, ax)
plots.show(figure, "The map of the book. Pathway graph hands edges to Simulation and memberships to "
           "Pathway regularizer; Simulation hands samples to GSNN; from there the road leads through "
           "speed, regularizer and evaluation to your own network")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1 · Three types of nodes
#
# | node | what it is | edges that it may have |
# |---|---|---|
# | **input** | an observed value enters here: a dose, a mutation | out, to functions |
# | **function** | a small neural unit: a protein, say | in from inputs and functions, out to functions and outputs |
# | **output** | a predicted value leaves here: the expression of a gene | in, from functions |
#
# This gives us three types of edges: input to function, function to function, and function to
# output. An input never feeds an output directly. Chapter 3 looks inside a function node; here it
# is only a dot.
#
# Each of our pathways has two inputs, a chain of three functions, and two outputs. The code calls the second
# function of the first pathway `f_0_1`, since we count from 0, and the figures write f0.1 to save room. We
# can write the edges of a pathway down by hand:

# %%
by_hand = [
    ("in_0_0", "f_0_0"), ("in_0_1", "f_0_0"),    # both inputs feed the head of the chain
    ("f_0_0", "f_0_1"), ("f_0_1", "f_0_2"),      # the chain
    ("f_0_2", "out_0_0"), ("f_0_2", "out_0_1"),  # its tail feeds both outputs
]


# %% [markdown] slideshow={"slide_type": "subslide"}
# Now we write the same edges as a function of the pathway's number and its sizes:

# %%
def pathway_edges(p, n_in=2, n_func=3, n_out=2):
    """One pathway: inputs feed the head of a chain of functions, its tail feeds outputs."""
    chain = [f"f_{p}_{j}" for j in range(n_func)]
    into = [(f"in_{p}_{i}", chain[0]) for i in range(n_in)]
    out = [(chain[-1], f"out_{p}_{k}") for k in range(n_out)]
    return into + list(zip(chain, chain[1:])) + out


assert pathway_edges(0) == by_hand

# %% [markdown] slideshow={"slide_type": "subslide"}
# Four pathways ($K = 4$), with nothing in between, make our true graph. The package's
# `pathway_graph` builds the same graph, and also gives every node a place in a figure.

# %% tags=["nbval-check-output"]
G = nx.DiGraph([edge for p in range(4) for edge in pathway_edges(p)])
true_graph = pathway_graph(K=4, n_in=2, n_func=3, n_out=2)

assert set(G) == {node.name for node in true_graph.nodes}
assert set(G.edges) == set(true_graph.edges)
print(true_graph)

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(8.6, 4.3), layout="constrained")
plots.plot_graph(true_graph, ax)
plots.show(figure, "Four separate pathways: two square inputs, a chain of three round function "
           "nodes, two output diamonds")

# %% [markdown]
# What does the wiring save? We compare the edges that are there with the edges that the three types
# would allow, for 4, 40 and 400 such pathways. Before you run the cell, guess: when there are ten
# times as many pathways, how many times as many edges are there, and how many times as many would
# be allowed?

# %% tags=["nbval-check-output"]
rows = []
for K in (4, 40, 400):
    bigger = pathway_graph(K=K)
    n_in, n_func, n_out = (len(bigger.names[t]) for t in ("input", "function", "output"))
    allowed = n_in * n_func + n_func * (n_func - 1) + n_func * n_out
    rows.append({"pathways": K, "edges": len(bigger.edges), "allowed": allowed})
table = pd.DataFrame(rows).set_index("pathways")
table.assign(share=(table["edges"] / table["allowed"]).map("{:.2%}".format))

# %% [markdown] slideshow={"slide_type": "subslide"}
# The number of edges grows with the number of pathways, and the number of allowed pairs grows with
# its square. So the larger the system is, the more a known graph tells us by what it leaves out.
# There is a price as well: if an edge that matters is missing from the graph, no training can put
# it there.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 2 · From networkx to PyG
#
# A model works with numbers, so we have to turn names into numbers. PyTorch Geometric (PyG) keeps a
# graph with several types of nodes in a `HeteroData`. Nodes are numbered within their type, and
# each type of edge is an integer tensor of shape $(2, E)$, with the sources in its first row and
# the targets in its second. We build one step by step.
#
# We start with the nodes. In this graph we can read a node's type off its edges: nothing leads into
# an input, and nothing leads out of an output.

# %%
names = {
    "input": [v for v in G if G.in_degree(v) == 0],
    "function": [v for v in G if G.in_degree(v) and G.out_degree(v)],
    "output": [v for v in G if G.out_degree(v) == 0],
}
assert names == true_graph.names
names["function"]

# %% [markdown] slideshow={"slide_type": "subslide"}
# From now on, a node's place in this list is its number. Every matrix of this tutorial that has a
# row or a column for each function node has them in this order.
#
# Then we sort the edges by the types of their two ends.

# %%
kind = {v: t for t, group in names.items() for v in group}
place = {v: i for group in names.values() for i, v in enumerate(group)}

pairs = {}
for u, v in G.edges:
    pairs.setdefault((kind[u], "to", kind[v]), []).append((place[u], place[v]))
pairs["function", "to", "function"]

# %% [markdown] slideshow={"slide_type": "subslide"}
# These are the four chains: 0 → 1 → 2, then 3 → 4 → 5, and so on. Now we hand everything over to
# PyG, which can check the result itself: `validate()` complains about indices that point nowhere.

# %%
data = HeteroData()
for t, group in names.items():
    data[t].num_nodes = len(group)
    data[t].node_names = group
for edge_type, found in pairs.items():
    data[edge_type].edge_index = torch.tensor(found).t().contiguous()  # (2, E)

assert data.validate(raise_on_error=True)

# %% [markdown] slideshow={"slide_type": "subslide"}
# The package gives you two ways to the same object: the function `nx2pyg` for any networkx graph,
# and the method `hetero_data` of its own graph. All three agree, index by index.

# %% tags=["nbval-check-output"]
from_networkx = nx2pyg(G, names["input"], names["function"], names["output"])
for other in (from_networkx, true_graph.hetero_data()):
    assert other.validate(raise_on_error=True)
    assert other.node_names_dict == data.node_names_dict
    for edge_type, edge_index in data.edge_index_dict.items():
        assert torch.equal(other[edge_type].edge_index, edge_index)
{" ".join(edge_type): tuple(index.shape) for edge_type, index in data.edge_index_dict.items()}

# %% [markdown] slideshow={"slide_type": "subslide"}
# There is one thing that our own version does not do. It would give an edge that a GSNN cannot have,
# such as an edge from an input straight to an output, a type of its own, and a model would never
# look at it. You would rather hear of it:

# %% tags=["nbval-check-output"]
wrong = G.copy()
wrong.add_edge("in_0_0", "out_0_0")
try:
    nx2pyg(wrong, names["input"], names["function"], names["output"])
except ValueError as error:
    print(error)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 3 · The graph as a matrix
#
# The adjacency matrix has a row and a column for each node, and
#
# $$A_{uv} = 1 \text{ if there is an edge } u \to v, \text{ else } 0.$$
#
# The row is the source and the column is the target. We fill the matrix in edge by edge, then a
# second time by indexing with the `HeteroData`, and compare both with networkx.

# %%
everyone = names["input"] + names["function"] + names["output"]
number = {v: i for i, v in enumerate(everyone)}
A_all = np.zeros((len(everyone), len(everyone)), dtype=bool)
for u, v in G.edges:
    A_all[number[u], number[v]] = True

# %%
first = {"input": 0, "function": 8, "output": 20}  # the number of each type's first node
from_index = np.zeros_like(A_all)
for (source, _, target), (u, v) in data.edge_index_dict.items():
    from_index[first[source] + u.numpy(), first[target] + v.numpy()] = True

np.testing.assert_array_equal(from_index, A_all)
np.testing.assert_array_equal(nx.to_numpy_array(G, nodelist=everyone), A_all)

# %% [markdown] slideshow={"slide_type": "subslide"}
# We can look at a matrix as a picture, and what we see in it depends on the order of the nodes. Here
# are the same edges twice: on the left the nodes are sorted by type, as we have just numbered them,
# and on the right the nodes of each pathway are next to each other.

# %% slideshow={"slide_type": "subslide"}
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.7), layout="constrained")
for ax, order in [(left, "type"), (right, "pathway")]:
    plot_adjacency(true_graph, ax, order=order, legend=False).set_title(f"by {order}", fontsize=10)
plots.show(figure, "Adjacency matrix of the true graph: by type, all marks in three shaded blocks; "
           "by pathway, all marks in four equal blocks on the diagonal")

# %% [markdown]
# When we sort by type, every mark falls into one of the three shaded blocks, which are the types of
# edges. When we sort by pathway, every mark falls into a block on the diagonal, and the four blocks
# look alike. Nothing has changed but the order.
#
# The stripe just above the diagonal is a chain, in which each node feeds the next. Every mark lies
# above the diagonal, so no signal ever returns to where it has been. We check what we see:

# %%
by_pathway = np.argsort([int(v.split("_")[1]) for v in everyone], kind="stable")
blocks = A_all[np.ix_(by_pathway, by_pathway)].reshape(4, 7, 4, 7).swapaxes(1, 2)  # (K, K, 7, 7)

assert blocks[~np.eye(4, dtype=bool)].sum() == 0  # nothing between pathways
assert (blocks[range(4), range(4)] == blocks[0, 0]).all()  # four times the same block
assert not np.tril(blocks[0, 0]).any()  # all above the diagonal

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 4 · Edges that should not be there
#
# Real interaction graphs are not this tidy. They pool interactions that were seen in any tissue and under
# any condition, so in the cells that you study many of their edges carry nothing. To learn about
# this, we add **spurious edges**: edges between function nodes of different pathways. The model gets
# them as part of its graph, but the data are made without them.
#
# Any ordered pair of function nodes from different pathways is a candidate. We draw eight of them,
# without replacement.

# %% tags=["nbval-check-output"]
labels = np.array([int(v.split("_")[1]) for v in names["function"]])  # (N,): each node's pathway
candidates = np.argwhere(labels[:, None] != labels[None, :])  # (candidates, 2)
drawn = np.random.default_rng(0).choice(len(candidates), size=8, replace=False)
spurious = [(names["function"][i], names["function"][j]) for i, j in candidates[drawn]]

graph = true_graph.with_spurious_edges(8, seed=0)
assert graph.spurious_edges == tuple(spurious)
len(candidates)

# %% slideshow={"slide_type": "subslide"}
figure = plot_graph_and_adjacency(graph)
plots.show(figure, "Left, the four pathways with eight dashed edges across; right, their adjacency "
           "matrix with eight triangles outside the shaded diagonal blocks")

# %% [markdown]
# In the matrix, the true edges are still the squares in the blocks. The triangles are the spurious
# edges, and every one of them lies outside the blocks. A triangle below the diagonal leads to a
# pathway that is further left in the drawing of the graph.
#
# We can tell them apart because we made them. A model cannot: in its edge list they look like all
# other edges. The package writes down beside the edges which ones are true, and only the evaluation
# reads it.

# %% tags=["nbval-check-output"]
with_spurious = graph.hetero_data()
between = with_spurious["function", "to", "function"]
u, v = (np.array(names["function"])[index] for index in between.edge_index.numpy())
pd.DataFrame({"source": u, "target": v, "is_true": between.is_true.int()}).T

# %% [markdown] slideshow={"slide_type": "subslide"}
# Between functions there are now as many spurious edges as true ones, eight of each. This is the problem of the whole
# tutorial in one line: if we tell a model which nodes work together, will it learn to leave the
# spurious edges alone?
#
# In JupyterLab, you can move the sliders for the number of pathways, the length of their chains, and
# the number of spurious edges. Watch the matrix rather than the graph. As the number of pathways
# grows, the blocks shrink against the rest of the matrix, and there is more and more room to be
# wrong in.

# %% slideshow={"slide_type": "skip"} tags=["widget", "nbval-ignore-output"]
from ipywidgets import interact


@interact(K=(2, 6), chain=(3, 6), spurious=(0, 18))
def explore(K=4, chain=3, spurious=8):
    chosen = pathway_graph(K=K, n_func=chain).with_spurious_edges(spurious, seed=0)
    plots.show(plot_graph_and_adjacency(chosen), f"{chosen}, as a graph and as a matrix")


# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 1 · Room to be wrong
#
# ●○○ · 5 minutes
#
# You are given the sizes of the pathways, as numbers of function nodes. How many spurious edges could
# there be in all? The sizes need not be equal. For `[3, 3, 3, 3]` we have counted the candidates
# above. Find a formula that does not have to make the list.
#
# <details><summary>Hint 1</summary>
#
# An edge has a direction. Count ordered pairs.
#
# <details><summary>Hint 2</summary>
#
# There are $N^2$ ordered pairs of function nodes in all, a node with itself included. Which of
# them stay inside pathway $p$ of size $n_p$?
#
# </details></details>

# %% slideshow={"slide_type": "skip"}
def count_candidates(sizes):
    """How many ordered pairs (u, v) of function nodes lie in different pathways: an int."""
    raise NotImplementedError


checks.count_candidates(count_candidates);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def count_candidates(sizes):
#     """All ordered pairs of nodes, less those (n_p squared of them) that stay in pathway p."""
#     return sum(sizes) ** 2 - sum(n * n for n in sizes)
# ```
#
# </details>

# %% [markdown] slideshow={"slide_type": "skip"}
# What you write in an exercise is used by the cells that follow. As long as an answer is not right
# yet, they take the solution in its place, so that you can read on and come back.

# %% slideshow={"slide_type": "skip"}
def yours(check, answer):
    """Your answer if it is right, and the solution as long as it is not."""
    return answer if check.diagnose(answer) is None else check.reference


# %% slideshow={"slide_type": "skip"} tags=["nbval-check-output"]
count = yours(checks.count_candidates, count_candidates)
assert count([3, 3, 3, 3]) == len(candidates)
for K in (4, 40, 400):
    print(f"{K} pathways of 3: {2 * K} true edges between functions, {count([3] * K):,} candidates")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 5 · Who works with whom
#
# The second piece of prior knowledge is not about edges. For each pathway, databases list its
# members. We write such a list as a **membership matrix** $M \in \mathbb{R}^{P \times N}$, with one
# row for each of $P$ pathways and one column for each of $N$ function nodes:
#
# $$M_{pi} = 1 \text{ if function node } i \text{ belongs to pathway } p, \text{ else } 0.$$

# %%
P, N = 4, len(names["function"])
M = torch.zeros(P, N)
for i, p in enumerate(labels):
    M[p, i] = 1.0
M.int()

# %%
vectorised = torch.tensor(np.arange(P)[:, None] == labels[None, :], dtype=torch.float32)  # (P, N)
torch.testing.assert_close(vectorised, M)
torch.testing.assert_close(graph.membership(), M)

# %% [markdown] slideshow={"slide_type": "subslide"}
# The sum of a row is the size of a pathway, and the sum of a column is the number of pathways that a
# node is in. Here each node is in one. In general pathways overlap, a node may be in none of them,
# and the entries may be weights between 0 and 1.
#
# What will we do with $M$? In chapter 5 we give it to a **regularizer**: a second loss, which is
# added to the error of the predictions and says what else we wish for. Ours wishes that the members
# of a pathway are active together. For that it makes one number of what a node does in a sample, the
# node's **score**, and asks whether the scores of the members rise and fall together.
#
# ### A control
#
# Suppose that a model that is told $M$ predicts better than a model that is not. Is this because $M$
# is *true*? Perhaps any grouping of the nodes would have steadied the training. To find out, we need
# a second matrix that is like $M$ in every way, except that it is not true. We get one when we
# permute the columns of $M$.

# %%
shuffled = M[:, torch.as_tensor(np.random.default_rng(0).permutation(N))]

assert torch.equal(shuffled.sum(1), M.sum(1))  # pathways keep their sizes
assert torch.equal(shuffled.sum(0), M.sum(0))  # each node is still in one pathway
torch.testing.assert_close(shuffled_membership(M, seed=0), shuffled)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Why must the sizes be the same?** The regularizer asks each member to follow the mean score of its
# pathway. A node is a part of that mean, so it follows it to some degree even when the members have
# nothing to do with each other. The fewer they are, the closer it follows. The correlation of one
# member with the mean of $n$ independent members is $1/\sqrt n$:

# %%
for n in (2, 3, 6, 12):
    members = np.random.default_rng(n).standard_normal((n, 100_000))  # n independent scores
    measured = np.corrcoef(members[0], members.mean(0))[0, 1]
    print(f"pathway of {n:2d}: measured {measured:.2f}, 1/sqrt(n) = {n**-0.5:.2f}")
    assert abs(measured - n**-0.5) < 0.01

# %% [markdown] slideshow={"slide_type": "subslide"}
# Groups of other sizes would start from another correlation, and so a comparison with them would tell us
# something about sizes and not about truth. You will meet $1/\sqrt n$ again in chapter 5.
#
# **Why must it never be the true partition?** A permutation can give us the same pathways again, only
# with the rows in another order. Then the control would be the treatment under another name. In
# large graphs this hardly ever happens, but in small ones it does. Of the $N!$ permutations of $K$
# pathways of size $n$, $K!\,(n!)^K$ leave the partition as it is:

# %% tags=["nbval-check-output"]
def share_unchanged(K, n):
    """Share of all permutations of K pathways of n members that give the same pathways again."""
    return factorial(K) * factorial(n) ** K / factorial(K * n)


orders = list(permutations([0, 0, 1, 1]))  # two pathways of two, counted one by one
assert share_unchanged(2, 2) == sum(a == b and c == d for a, b, c, d in orders) / len(orders)
print(f"2 pathways of 2: 1 in {1 / share_unchanged(2, 2):.0f}")
print(f"4 pathways of 3: 1 in {1 / share_unchanged(4, 3):,.0f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# For this reason `shuffled_membership` draws again when it hits the true pathways, even if it lists them in
# another order.
#
# A shuffle that is not the truth can still hold a part of it. Four pathways of three nodes have
# twelve pairs of members. Guess before you run the cell: how many of these twelve pairs does a
# shuffle usually keep together, none, one or several?

# %%
rng = np.random.default_rng(0)
together = np.triu(labels[:, None] == labels[None, :], k=1)  # (N, N): each true pair once
kept = []
for _ in range(2000):
    told = rng.permutation(labels)  # the pathway that the control is told
    kept.append((together & (told[:, None] == told[None, :])).sum())
none, mean = np.mean(np.array(kept) == 0), np.mean(kept)
print(f"{together.sum()} true pairs; {mean:.1f} kept on average; {none:.0%} of shuffles keep none")

# %% slideshow={"slide_type": "subslide"}
widths = {"width_ratios": (1.3, 1.3, 1)}
figure, row = plt.subplots(1, 3, figsize=(13.5, 2.9), layout="constrained", **widths)
plot_membership(M, graph, row[0]).set_title("true", fontsize=10)
plot_membership(shuffled, graph, row[1]).set_title("shuffled, one draw", fontsize=10)
plot_kept_pairs(kept, row[2]).set_title("2,000 shuffles", fontsize=10)
handles, texts = row[1].get_legend_handles_labels()
figure.legend(handles, texts, loc="outside lower center", ncol=2, frameon=False)
plots.show(figure, "The true membership as four steps of three squares, the shuffled one scattered, "
           "and a bar chart of how many true pairs a shuffle keeps together")

# %% [markdown]
# A square is a node that the shuffle has left in its own row, and a triangle is a node that has come
# from elsewhere. When two nodes between the same grey lines share a row, a true pair was kept: here
# this happened to f1.0 and f1.1. The bars show that this is usual. Most shuffles keep one to three
# true pairs, so a control knows a little of the truth, and how much it knows depends on the draw. One
# shuffle is therefore not enough, and chapter 6 draws a new one for each seed.

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 2 · Membership from a database
#
# ●●○ · 10 minutes
#
# A database does not come with labels. It lists names, pathway by pathway. Some names stand in
# several pathways, and some are not in our graph at all. Turn such lists into a membership matrix
# whose columns are in the order of `nodes`, and pass over the names that are not in `nodes`.
#
# <details><summary>Hint 1</summary>
#
# Start from zeros of shape `(len(pathways), len(nodes))` and set ones. Do not make one label per
# node first: a node in two pathways would need two.
#
# <details><summary>Hint 2</summary>
#
# `{name: i for i, name in enumerate(nodes)}` finds the column of a name.
#
# </details></details>

# %% slideshow={"slide_type": "skip"}
def membership_from_sets(pathways, nodes):
    """pathways: a list of lists of names; nodes: a list of names. Returns M of 0 and 1, (P, N)."""
    raise NotImplementedError


checks.membership_from_sets(membership_from_sets);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def membership_from_sets(pathways, nodes):
#     """M[p, i] = 1 if node i is in pathway p; names that are not nodes are passed over."""
#     M = torch.zeros(len(pathways), len(nodes))  # (P, N)
#     for p, members in enumerate(pathways):
#         for name in members:
#             if name in nodes:
#                 M[p, nodes.index(name)] = 1
#     return M
# ```
#
# </details>

# %% [markdown] slideshow={"slide_type": "skip"}
# Here your function reads a small database of our own, in which one pathway lists a gene that our
# graph does not have, and two pathways share a node.

# %% slideshow={"slide_type": "skip"}
database = [["f_0_0", "f_0_1", "f_0_2", "TP53"], ["f_1_0", "f_1_1", "f_1_2", "f_0_2"]]
read = yours(checks.membership_from_sets, membership_from_sets)
listed = pd.DataFrame(np.asarray(read(database, names["function"])), columns=names["function"])
listed.astype(int).rename_axis("pathway")

# %% [markdown] slideshow={"slide_type": "skip"}
# **The file.** What you have just written is `gsnn_tutorial/graph.py`: nodes, true and spurious edges,
# the pathways and their membership matrix, with a check of every name that comes in. You can read it
# here: run `from gsnn_tutorial import graph` in a new cell, and then `graph??`.

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 6 · How far a signal gets
#
# In a GSNN a signal moves one hop per layer. In layer 1 the functions hear the inputs that feed
# them, in layer 2 they hear what their parents heard in layer 1, and so on. We have not built the
# network yet, but the graph alone tells us what can have arrived where.
#
# We start by hand, with one pathway and one input. The chain has three nodes, and after each layer
# we write a row of zeros and ones that says which of them have heard of the input.

# %%
A_chain = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])  # f0 -> f1 -> f2
heard = np.array([1, 0, 0])  # layer 1: the head of the chain hears the input
for layer in (2, 3):
    heard = np.minimum(heard + heard @ A_chain, 1)  # what I knew, or what my parents knew
    print("layer", layer, heard)
assert heard.tolist() == [1, 1, 1]

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now we do the same for all inputs and all functions at once. Let $A \in \{0,1\}^{N \times N}$ be the
# edges between functions, $A_{\text{in}}$ the edges from inputs to functions, and $A_{\text{out}}$
# the edges from functions to outputs. The matrix $H_l$ has an entry for every input and every
# function node, and says who has heard of whom after layer $l$:
#
# $$H_1 = A_{\text{in}}, \qquad H_{l+1} = H_l \lor H_l A.$$
#
# For boolean matrices NumPy's `@` is just what we need: it takes *or* for the sum and *and* for the
# product.

# %%
def split_adjacency(data):
    """A_in (inputs, N), A (N, N) and A_out (N, outputs), as booleans."""
    matrices = []
    for s, t in [("input", "function"), ("function", "function"), ("function", "output")]:
        matrix = np.zeros((data[s].num_nodes, data[t].num_nodes), dtype=bool)
        u, v = data[s, "to", t].edge_index.numpy()
        matrix[u, v] = True
        matrices.append(matrix)
    return matrices


def receptive_fields(A_in, A, layers):
    """H_1, ..., H_L as one array, (L, inputs, N)."""
    H = [A_in]
    for _ in range(layers - 1):
        H.append(H[-1] | H[-1] @ A)
    return np.stack(H)


# %% [markdown] slideshow={"slide_type": "subslide"}
# If we write the recursion out, we get a power: $H_l$ is 1 where $A_{\text{in}} (I + A)^{l-1}$ is not
# zero. The $I$ stands for remembering, since a node does not forget what it has heard. Chapter 3
# shows where a GSNN does that. An entry of the product counts the ways from an input to a node, and
# one way is enough to hear of it.

# %%
A_in, A, A_out = split_adjacency(with_spurious)
H = receptive_fields(A_in, A, layers=6)  # (L, inputs, N)
for l in range(6):
    paths = A_in.astype(int) @ np.linalg.matrix_power(np.eye(N, dtype=int) + A, l)
    np.testing.assert_array_equal(H[l], paths > 0)

# %% [markdown] slideshow={"slide_type": "subslide"}
# There is a third way to say it: a function has heard of an input after layer $l$ if the shortest
# path between them has at most $l$ edges. networkx finds shortest paths, and it agrees.

# %%
hops = dict(nx.all_pairs_shortest_path_length(graph.networkx()))
far = np.inf  # no path at all
distance = np.array([[hops[u].get(v, far) for v in names["function"]] for u in names["input"]])

for l, heard in enumerate(H, start=1):
    np.testing.assert_array_equal(heard, distance <= l)

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Ask a network
#
# So far we have asked the graph. Does a network with this wiring behave as the graph says? We take the
# package's GSNN as a black box, with random weights and without any training. (Chapter 3 opens the box and
# explains its options. Here it is enough that every function node has an *activation*, a few numbers that
# the network computes for it in each layer.) We feed it a sample, and then, for every input $i$, the same
# sample with input $i$ changed. Layer by layer, we look whose activation moves.

# %%
def black_box(graph, layers):
    """An untrained GSNN in double precision; its weights from a fixed seed."""
    generator = torch.Generator().manual_seed(0)
    options = {"channels": 8, "layers": layers, "node_mlp": False, "generator": generator}
    return GSNN(graph.edge_index_dict, graph.names, **options).double()


sample = torch.randn(8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
changed = sample + torch.eye(8, dtype=torch.float64)  # row i: the sample with input i changed
x = torch.cat([sample[None], changed])  # (1 + inputs, inputs)

a = black_box(graph, layers=6).layer_activations(x)  # (1 + inputs, L, N, C)
moved = (a[1:] - a[0]).abs().amax(-1) > 1e-9  # (inputs, L, N)
np.testing.assert_array_equal(moved.transpose(0, 1), H)

# %% [markdown] slideshow={"slide_type": "subslide"}
# The two agree entry by entry: a node moves where the graph says that it can, and nowhere else. The
# zeros do not depend on the weights. Where $H_l$ is 0 there is no way for a number to get there, and
# training cannot make one. A node that is more than $l$ hops from *every* input is constant at layer
# $l$: it has the same value for every sample, and so it correlates with nothing.
#
# The outputs are read once, after the last layer, so the hop into an output costs no layer. After $L$
# layers an output has heard of everything that is at most $L + 1$ hops away.

# %%
for L in range(1, 7):
    y = black_box(graph, layers=L)(x).detach()  # (1 + inputs, outputs)
    moved = (y[1:] - y[0]).abs() > 1e-9
    np.testing.assert_array_equal(moved, H[L - 1] @ A_out)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now we draw it layer by layer, in the upper row for the true graph and in the lower row for the graph
# with spurious edges. Predict before you look: in the lower row, which shape will the last node of
# the third chain (f2.2) have in layer 2? The list of spurious edges above tells you.

# %% slideshow={"slide_type": "subslide"}
figure, axes = plt.subplots(2, 4, figsize=(13, 5.8), layout="constrained")
plot_spread_layers(true_graph, [1, 2, 3, 4], axes[0], name="true graph")
plot_spread_layers(graph, [1, 2, 3, 4], axes[1], name="with spurious edges", legend=True)
plots.show(figure, "Signals spreading over layers 1 to 4. Above, without spurious edges, crosses "
           "turn into circles row by row. Below, triangles and pluses appear from layer 2 on")

# %% [markdown]
# In the upper row the crosses give way one after another, and every node has heard of its own pathway
# only. Three layers are just enough for the outputs. In the lower row, news travels faster and comes
# from elsewhere. By layer 2 there are triangles: nodes at the end of a chain that have heard of
# another pathway before the news of their own has arrived.
#
# <details><summary>Answer</summary>
#
# A triangle. A spurious edge leads from f1.0 straight to f2.2, and f1.0 has heard of its own inputs in
# layer 1. The inputs of f2.2 are three hops away.
#
# </details>
#
# We can write the same as a table of first arrivals: in which layer does a function node first hear
# of the inputs of each pathway? Where the table is blank, it never does.

# %%
def arrival(H):
    """First layer in which node i hears of an input of pathway p, 0 for never: (K, N)."""
    by_pathway = H.reshape(len(H), 4, 2, -1).any(2)  # (L, K, N): two inputs each, in order
    first = by_pathway.argmax(0) + 1  # argmax finds the first True
    return np.where(by_pathway.any(0), first, 0)


H_true = receptive_fields(*split_adjacency(true_graph.hetero_data())[:2], layers=6)
assert arrival(H_true)[0].tolist() == [1, 2, 3] + [0] * 9  # the chain that we did by hand

# %% slideshow={"slide_type": "subslide"}
figure, (left, right) = plt.subplots(1, 2, figsize=(12.4, 2.6), layout="constrained")
plot_arrival(arrival(H_true), true_graph, left).set_title("true graph", fontsize=10)
plot_arrival(arrival(H), graph, right).set_title("with spurious edges", fontsize=10)
plots.show(figure, "Tables of first arrivals: 1, 2, 3 along each chain in the true graph; with "
           "spurious edges many more cells are filled, some with larger numbers")

# %% [markdown]
# Each chain still hears of its own inputs in layers 1, 2 and 3. What has changed is how much else it
# hears. Late arrivals matter too: the 5 in the last column is news that a network of four layers
# never gets. What does this mean for the outputs? We count how many of the eight inputs an output can
# hear of, on average, in a network of $L$ layers.

# %% tags=["nbval-check-output"]
fields = {"true graph": H_true @ A_out, "with spurious edges": H @ A_out}  # (L, inputs, outputs)
heard_of = {name: field.sum(1).mean(1) for name, field in fields.items()}
pd.DataFrame(heard_of, index=pd.Index(range(1, 7), name="layers")).T

# %% [markdown] slideshow={"slide_type": "subslide"}
# On the true graph an output hears of its own two inputs from three layers on, and it never hears of
# any other, however deep the network is. That is what the wiring guarantees. Eight spurious edges are
# enough to take the guarantee away. From here on it is a question of weights, and so of training.

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 3 · How many layers?
#
# ●●● · 15 minutes
#
# If a network is too shallow, some outputs never hear of inputs that have a path to them. The
# **receptive field** of an output is the set of inputs that it has heard of. For each output, find the
# smallest number of layers after which its receptive field no longer grows. An output that no input
# leads to needs 0.
#
# <details><summary>Hint 1</summary>
#
# Go through the layers as `receptive_fields` does. The outputs' receptive field after a layer is
# one more product, with `A_out`.
#
# <details><summary>Hint 2</summary>
#
# Note the layer whenever an output's field has grown. A shortest path visits each function at most once,
# so `len(A)` layers are enough.
#
# <details><summary>Hint 3</summary>
#
# `(new & ~old).any(0)` is True for the outputs whose field has grown.
#
# </details></details></details>

# %% slideshow={"slide_type": "skip"}
def layers_needed(A_in, A, A_out):
    """Boolean (inputs, N), (N, N), (N, outputs) -> whole numbers of layers, (outputs,)."""
    raise NotImplementedError


checks.layers_needed(layers_needed);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def layers_needed(A_in, A, A_out):
#     """Grow the receptive fields hop by hop; note the layer of each output's last gain."""
#     heard = A_in.astype(bool)  # (inputs, N): after layer 1
#     field = heard @ A_out.astype(bool)  # (inputs, outputs): what a network of 1 layer reads out
#     needed = field.any(0).astype(int)
#     for layer in range(2, len(A) + 1):
#         heard = heard | heard @ A.astype(bool)
#         grown = heard @ A_out.astype(bool)
#         needed[(grown & ~field).any(0)] = layer
#         field = grown
#     return needed
# ```
#
# </details>

# %% [markdown] slideshow={"slide_type": "skip"}
# We use your function on our graph with its spurious edges. Which outputs need more than four layers, the
# depth of the models in chapters 2 to 5?

# %% slideshow={"slide_type": "skip"} tags=["nbval-check-output"]
needed = yours(checks.layers_needed, layers_needed)(A_in, A, A_out)
pd.Series(needed, names["output"], name="layers needed").to_frame().T

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Recap
#
# 1. A GSNN has input, function and output nodes. Edges lead from input to function, from function to
#    function, and from function to output. An edge of any other type is an error, and should say so.
# 2. `HeteroData` numbers the nodes within their type and keeps a $(2, E)$ tensor for each type of
#    edge. We built one, PyG validated it, and `nx2pyg` and `hetero_data` gave us the same.
# 3. When we sort the nodes by pathway, the true edges are blocks on the diagonal. The spurious edges
#    lie outside, and nobody tells the model which they are.
# 4. $M_{pi}$ is 1 for a member. The control permutes the columns. It keeps the sizes, because members
#    of a small group correlate with its mean more easily. It is never the true partition, although
#    most draws keep some true pairs together.
# 5. A signal moves one hop per layer: $H_l$ is 1 where $A_{\text{in}}(I + A)^{l-1}$ is not zero, and
#    the read-out adds one more hop. What no input has reached is constant.
#
# **Next:** our graph is ready, but no data flow along it yet. In [2 · Simulation](02_simulation.ipynb) you
# make data that follow its true edges, and you find out how well any model could ever predict them.
#
# ## References
#
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv 2024.02.28.582164.
# * Fey and Lenssen 2019, *Fast Graph Representation Learning with PyTorch Geometric*, ICLR workshop.
# * Hagberg, Schult and Swart 2008, *Exploring network structure, dynamics, and function using NetworkX*, SciPy.
