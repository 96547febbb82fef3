# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,nbgrader,slideshow,-all
#     formats: py:percent
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

# %% [markdown]
# # Assignment 1 · Graph and masks
#
# A GSNN is a graph that we have turned into matrices. The membership matrix says which node belongs to which
# pathway. The masks of $W_{in}$ and $W_{out}$ say which edge may talk to which channel. And a power of the
# adjacency matrix tells us which inputs can be heard at the end. In this assignment you write all four, for any
# graph, in six short functions.
#
# **You will be able to**
#
# 1. turn a table of annotations into a membership matrix, and ask it which edges stay in a pathway;
# 2. give every function node its self-loop without renumbering an edge;
# 3. write the mask of $W_{in}$, and put a list of weights into $W_{out}$;
# 4. say which inputs an output can hear of after $L$ layers.
#
# **Before you start:** chapters 1, *The pathway graph*, and 3, *The GSNN*. **Time:** 45 to 60
# minutes; 20 points; it runs in seconds.
#
# **How it works.** Replace each `raise NotImplementedError` by your answer, and run the cell below it. It
# tells you that you are *right*, or what went wrong. You may add cells, and you may change your answers as
# often as you like. If you see a button *Validate*, you can ignore it, because only what the check cells print
# counts. When we grade, we run your notebook from top to bottom, on the data of these checks and on other data. So write
# functions that work for any graph. Each exercise counts by itself. You may use loops, NumPy or torch, as
# you like, and 0 and 1 may be numbers or booleans. We hand you edges, memberships and weights as torch
# tensors. If you prefer NumPy, begin with `edge_index = edge_index.numpy()`, and so on.

# %% tags=["hide-input"]
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

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
import matplotlib.pyplot as plt
import torch

from gsnn_tutorial import pathway_graph, plots

SEED = 2026  # the data, and what the checks ask, follow from it

# %% [markdown]
# ## The graph
#
# To try things out, you have a graph of three pathways and three spurious edges, which we draw from the seed.

# %%
graph = pathway_graph(K=3, n_in=1, n_func=2, n_out=1).with_spurious_edges(3, seed=SEED)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
plots.plot_graph(graph, ax)
plots.show(figure, "Three pathways side by side, each an input, a chain of two function nodes and an "
           "output, with three dashed spurious edges between them")

# %% [markdown]
# As in chapter 3, we number the functions first, then the inputs, then the outputs. An edge is a column
# of `edge_index`, with its source in row 0 and its target in row 1.

# %%
names = graph.names
order = names["function"] + names["input"] + names["output"]
number = {name: i for i, name in enumerate(order)}
edge_index = torch.tensor([[number[u], number[v]] for u, v in graph.all_edges]).T  # (2, E)
print(number)
edge_index

# %% [markdown]
# For the examples in the text we use a smaller graph, which fits in your head. It has the functions 0 and 1,
# the input 2 and the output 3, and a single path $2 \to 0 \to 1 \to 3$.

# %%
tiny = torch.tensor([[2, 0, 1],
                     [0, 1, 3]])  # (2, E)

# %% [markdown]
# ## 1 · Pathways
#
# ### Exercise 1 · Membership
#
# ●○○ · 8 minutes · 3 points
#
# Databases keep pathways as long tables, with one line for each pair of a pathway and a gene. Such a table
# knows nothing of our three types of nodes, so it lists inputs and outputs too. Its lines come in no
# particular order, some lines come twice, and a gene may be in several pathways. Write the membership matrix
# of the *function* nodes: $M_{pi} = 1$ if the table has pathway $p$ for function node $i$, and 0 if not.
#
# For example, with `names = {"input": ["a"], "function": ["b", "c"], "output": ["d"]}`, $P = 2$ and the
# table `[(0, "c"), (1, "c"), (0, "a"), (0, "c")]` it is $\begin{pmatrix} 0 & 1 \\ 0 & 1 \end{pmatrix}$.

# %% nbgrader={"grade": false, "grade_id": "membership", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def membership(pairs, names, P):
    """(pathway number, node name) pairs, names by type, number of pathways -> (P, N) zeros and ones."""
    ### BEGIN SOLUTION
    listed = set(pairs)
    return torch.tensor([[float((p, name) in listed) for name in names["function"]] for p in range(P)])
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "membership-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_1 as checks

checks.membership(membership, SEED);
### BEGIN HIDDEN TESTS
checks.membership.grade(membership, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · Inside or between
#
# ●●○ · 8 minutes · 3 points
#
# An edge lies *inside* a pathway if both of its ends are function nodes and some pathway has them both.
# The regularizer of chapter 5 hopes that signals stay on such edges. Mark these edges: return 1 for an edge
# inside a pathway and 0 for any other, in the order of the edges. `M` is a membership matrix. Its pathways may
# overlap, and a node may be in no pathway at all.
#
# In the tiny graph the edges are $2 \to 0$, $0 \to 1$, $1 \to 3$. With both functions in one pathway the
# answer is 0, 1, 0, since an input and an output are members of nothing.
#
# <details><summary>Hint</summary>
#
# `M.T @ M` has an entry for every pair of function nodes. What does it count?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "inside", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def inside(M, edge_index):
    """Membership (P, N) and edges (2, E) -> zeros and ones, (E,)."""
    ### BEGIN SOLUTION
    N, (source, target) = M.shape[1], edge_index
    functions = (source < N) & (target < N)
    result = torch.zeros(len(source))
    result[functions] = (M[:, source[functions]] * M[:, target[functions]]).amax(0)
    return result
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "inside-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_1 as checks

checks.inside(inside, SEED);
### BEGIN HIDDEN TESTS
checks.inside.grade(inside, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · Masks
#
# ### Exercise 3 · Self-loops
#
# ●○○ · 4 minutes · 2 points
#
# A GSNN gives each function node an edge to itself, and so the node remembers what it said. Append these
# edges to the list: first $0 \to 0$, then $1 \to 1$, and so on up to node $N - 1$. The edges that were there
# keep their places, and with them their numbers. The tiny graph gets two new columns: column 3 is $0 \to 0$,
# and column 4 is $1 \to 1$.

# %% nbgrader={"grade": false, "grade_id": "self_loops", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def self_loops(edge_index, N):
    """Edges (2, E) and the number of function nodes -> (2, E + N)."""
    ### BEGIN SOLUTION
    nodes = torch.arange(N)
    return torch.cat([edge_index, torch.stack([nodes, nodes])], dim=1)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "self_loops-test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_1 as checks

checks.self_loops(self_loops, SEED);
### BEGIN HIDDEN TESTS
checks.self_loops.grade(self_loops, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4 · The mask of $W_{in}$
#
# ●●○ · 10 minutes · 4 points
#
# $W_{in}$ turns edges into channels: `W_in @ h`. Chapter 3 gave every function node the same number of
# channels. Now suppose that important proteins get more of them, so that node $n$ has `channels[n]`. The
# channels of a node come one after the other, those of node 0 first. Write the mask, which is 1 where the node of a
# channel hears an edge, and 0 elsewhere. The edges that you get include the self-loops.
#
# For example, with `channels = [1, 2]` the tiny graph with its self-loops has three channels and five edges.
# Node 0 hears edges 0 and 3, and node 1 hears edges 1 and 4, so the mask is
#
# $$\begin{pmatrix} 1 & 0 & 0 & 1 & 0 \\ 0 & 1 & 0 & 0 & 1 \\ 0 & 1 & 0 & 0 & 1 \end{pmatrix}.$$
#
# <details><summary>Hint</summary>
#
# First write down whose channel each row is: 0, 1, 1 here. `repeat_interleave` does that, or
# `np.repeat`.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "win_mask", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def win_mask(edge_index, channels):
    """Edges (2, E) and a list with each function node's number of channels -> (sum of channels, E)."""
    ### BEGIN SOLUTION
    owner = torch.cat([torch.full((C,), n) for n, C in enumerate(channels)])  # (all channels,)
    return (owner[:, None] == edge_index[1]).float()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "win_mask-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_1 as checks

checks.win_mask(win_mask, SEED);
### BEGIN HIDDEN TESTS
checks.win_mask.grade(win_mask, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5 · Weights into $W_{out}$
#
# ●●● · 12 minutes · 4 points
#
# $W_{out}$ turns channels into edges: `W_out @ a`. Each node has $C$ channels again, and channel $c$ of node
# $n$ is number $nC + c$. The matrix has a weight wherever an edge *starts* at the node of the channel. The
# package keeps these weights as a plain list. The list runs node by node, within a node channel by channel,
# and within a channel over the edges that start at the node, in their order. Put the list into the dense
# matrix, and put 0 everywhere else.
#
# For example, take the tiny graph without self-loops, with $C = 2$ and the weights 5, 6, 7, 8. Node 0 writes
# edge 1, and node 1 writes edge 2, so that
#
# $$W_{out} = \begin{pmatrix} 0 & 0 & 0 & 0 \\ 5 & 6 & 0 & 0 \\ 0 & 0 & 7 & 8 \end{pmatrix}.$$
#
# <details><summary>Hint</summary>
#
# Three loops that do what the text says are a good answer. If you would rather fill a mask at once, remember
# that `W[mask] = values` goes through the mask row by row.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "wout", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def wout(values, edge_index, N, C):
    """Weights (one for each that exists), edges (2, E), function nodes, channels of each -> (E, N*C)."""
    ### BEGIN SOLUTION
    owner = torch.arange(N).repeat_interleave(C)  # (N*C,)
    turned = torch.zeros(N * C, edge_index.shape[1])  # W_out transposed: the list fills it row by row
    turned[owner[:, None] == edge_index[0]] = values
    return turned.T
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "wout-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_1 as checks

checks.wout(wout, SEED);
### BEGIN HIDDEN TESTS
checks.wout.grade(wout, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Who is heard
#
# ### Exercise 6 · From inputs to outputs
#
# ●●● · 12 minutes · 4 points
#
# In layer 1 a function node hears the inputs that feed it. In each further layer it hears what its
# parents have heard of, and it never forgets what it has heard. After layer $L$ we read the outputs: an
# output hears what the functions that feed it have heard of. Say which input is heard at which output, with
# 1 if it is and 0 if it is not.
#
# We number the functions first, then the inputs, then the outputs, and the edges that you get have no
# self-loops. In the tiny graph, the input is heard at the output from $L = 2$ on.
#
# <details><summary>Hint</summary>
#
# How many edges can a path have, at most, to be heard after $L$ layers? Count them in the tiny graph.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "reach", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def reach(edge_index, N, I, O, L):
    """Edges (2, E); numbers of functions, inputs, outputs and layers -> zeros and ones, (I, O)."""
    ### BEGIN SOLUTION
    A = torch.eye(N + I + O)  # the diagonal: what has been heard stays heard
    A[edge_index[0], edge_index[1]] = 1
    heard = torch.linalg.matrix_power(A, L + 1) > 0
    return heard[N : N + I, N + I :]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "reach-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_1 as checks

checks.reach(reach, SEED);
### BEGIN HIDDEN TESTS
checks.reach.grade(reach, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## Recap
#
# 1. A membership matrix has a row for each pathway and a column for each function node, even if the table
#    lists other nodes, too. Two nodes share a pathway where $M^\top M$ is not 0.
# 2. Self-loops are edges like any other. They come last, so that no edge changes its number.
# 3. $W_{in}$ has a row for each channel, and a weight where an edge ends. $W_{out}$ has a row for each edge,
#    and a weight where the edge starts. The channels of a node come one after the other.
# 4. An input is heard at an output after $L$ layers if a path of at most $L + 1$ edges leads there.
#
# Before you hand in, restart the kernel, run all cells, and read what the six checks say.
# Then save the notebook, and hand it in as your course tells you, under the name that it has.
#
# ## References
#
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv 2024.02.28.582164.
