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
# # 4 · Sparse maps
#
# Your network of chapter 3 has twelve function nodes. A cell has thousands of proteins. Take the dense
# matrices of chapter 3 to ten thousand nodes, and a single one of them would need more memory than
# most laptops have, although hardly any of its entries is a weight. Can you train such a network on a
# laptop at all? You can, and by the end of this chapter you will have written the few lines that do it.
# The figure below shows how large the largest array is that each of three ways must hold.
#
# A layer of a GSNN applies two linear maps: one from edges to the channels of the function nodes, and
# one back. So we have to answer one question: how do we compute
#
# $$y = W x$$
#
# when nearly all of $W$ does not exist? There are three ways. We can pretend that it exists and fill it
# with zeros. We can send a message along every weight. Or we can write down where the weights are, and
# let a sparse product do the rest. All three give us the same numbers, but they do not cost the same,
# and this chapter is about the price, in time and in memory. We measured it on a CPU. The same cells run on a
# GPU if you have one.
#
# **You will be able to**
#
# 1. compute one sparse map in three ways, and show that values and gradients agree;
# 2. write a forward and a backward pass from sparse kernels, as a `torch.autograd.Function`;
# 3. measure time and memory so that you can trust the numbers;
# 4. say which way wins at which size, and why the state is kept edge-major;
# 5. run many models as one, and say what that saves.
#
# **Before you start:** you need [3 · GSNN](03_gsnn.ipynb), or the idea that a state lives on every edge.
# **Time:** 45 minutes to read and 21 for the exercises, under a minute to run on two CPU cores, less than
# 1 GB of memory.

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
# The opening figure. We come to its three formulas by counting, a few cells below.
import matplotlib.pyplot as plt
import pandas as pd

from gsnn_tutorial import plots
from gsnn_tutorial.plots.chapter_4 import plot_against_size

B, C, DEGREE = 32, 8, 10  # samples, channels, edges out of each node
nodes = pd.Index([10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000])
numbers = {"dense mask": DEGREE * nodes * C * nodes, "gather-scatter": B * DEGREE * nodes * C,
           "edge-major": B * DEGREE * nodes}
figure, ax = plt.subplots(figsize=(7.4, 3.4), layout="constrained")
plot_against_size(4e-6 * pd.DataFrame(numbers, index=nodes), ax, ylabel="MB of the largest array")
plots.show(figure, "Megabytes of the largest array against function nodes, both axes logarithmic: "
           "the dense mask rises twice as steeply as the other two "
           "and edge-major lies below gather-scatter at every size, by the same factor")

# %% [markdown]
# This is where we end, and counting alone brings us there. The dense matrix grows with the square of the
# graph, and the other two grow in proportion to it. What we still have to find out is whether a clock agrees.

# %% slideshow={"slide_type": "skip"}
import json, os, tempfile, time
from pathlib import Path

import torch
from ipywidgets import SelectionSlider, interact
from torch.profiler import ProfilerActivity, profile
from torch_geometric.nn import MessagePassing

from gsnn_tutorial import GSNN, Problem, SparseLinear, kernels
from gsnn_tutorial.exercises import chapter_4 as checks
from gsnn_tutorial.gsnn import win_indices
from gsnn_tutorial.plots.chapter_4 import plot_csr, plot_dense, plot_messages, plot_models, plot_one_size
from gsnn_tutorial.plots.scaling import IN_WORDS, plot_all_scaling
from gsnn_tutorial.sparse import SparseMap, SparsePattern, sparse_map
from gsnn_tutorial.study import (
    GSNNUnion, random_model, read_csv, saved_bench, slopes, training_step, write_csv,
)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Everything below runs on one device, which we choose here. If you have a GPU, you need not change
# anything else in the chapter.

# %%
pd.set_option("display.float_format", "{:.3g}".format)
os.environ["KINETO_LOG_LEVEL"] = "99"  # torch's profiler need not announce itself
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
print("running on", torch.cuda.get_device_name() if device.type == "cuda" else "the CPU")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Before we start any clock, we count what the figure shows. Take a graph of $N$ function nodes with ten
# edges out of each, $C = 8$ channels, and a batch of $B = 32$ samples. The map $W_{in}$ has a weight for
# every edge and every channel of the node in which the edge ends. (We write *nnz* for the number of weights,
# "number of nonzeros".) The dense mask has a place for each pair
# of an edge and a channel. Gather-scatter holds a message for every weight and sample, and edge-major a
# number for every edge and sample.
#
# **Predict first.** In the figure, gather-scatter lies above edge-major by the same factor at every size.
# Which of the numbers $B$, $C$ and ten is that factor?

# %%
def largest_array(N):
    """How many numbers the largest array holds when W_in is applied to a batch."""
    sources, targets = DEGREE * N, N * C  # edges, channels
    nnz = sources * C  # weights that exist
    return {
        "dense mask": sources * targets,
        "gather-scatter": B * nnz,
        "edge-major": max(nnz, B * sources, B * targets),
    }

by_hand = pd.DataFrame({N: largest_array(N) for N in nodes}).T
assert by_hand.equals(pd.DataFrame(numbers, index=nodes))  # the lines of the figure
by_hand["factor"] = by_hand["gather-scatter"] // by_hand["edge-major"]
by_hand.loc[[10, 100, 1000, 10_000]].map("{:,}".format)

# %% [markdown] slideshow={"slide_type": "subslide"}
# The factor is the number of channels, $C$. An edge has as many weights as the node has channels in which
# it ends, and gather-scatter holds a message for each of them, where edge-major holds the edge's number once.
#
# We will measure each way up to a limit that a small machine can bear: four million numbers in one array.
# On a GPU we go further.

# %%
SIZES = list(nodes)
LIMIT = 4_000_000  # numbers in one array
if device.type == "cuda":
    SIZES += [20_000, 50_000, 100_000]
    LIMIT = torch.cuda.get_device_properties(device).total_memory // 100

counted = pd.DataFrame({N: largest_array(N) for N in SIZES}).T
within = counted.where(counted <= LIMIT).apply(pd.Series.last_valid_index)
within.rename("the largest size within the limit").to_frame()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1 · One map, by hand
#
# We start with three sources, two targets, four weights, and a batch of two samples. A weight leads from a
# source to a target. In $x$, each row belongs to a source and each column to a sample. We call this layout
# **edge-major**: one row per edge, and one column per sample.

# %%
indices = torch.tensor([[0, 0, 1, 2],  # the source of each weight
                        [0, 1, 1, 0]])  # and its target
values = torch.tensor([2.0, -1.0, 3.0, 1.0])
size = (3, 2)  # sources, targets
x = torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.0, 4.0]])  # (sources, B)

# %% [markdown] slideshow={"slide_type": "subslide"}
# For every target $t$ and sample $b$, the map adds up what comes in along the weights:
#
# $$y_{tb} = \sum_{s:\,(s,t)} w_{st}\, x_{sb}$$

# %% tags=["nbval-check-output"]
y = torch.zeros(2, 2)  # (targets, B)
for (s, t), w in zip(indices.t().tolist(), values):
    for b in range(2):
        y[t, b] += w * x[s, b]
y.tolist()

# %% [markdown] slideshow={"slide_type": "subslide"}
# In the backward pass, we are given $g_{tb} = \partial L / \partial y_{tb}$, and we need two things: the
# gradient of the inputs and the gradient of the weights. We get both from the line above when we take one
# derivative at a time:
#
# $$\frac{\partial L}{\partial x_{sb}} = \sum_{t:\,(s,t)} w_{st}\, g_{tb}
# \qquad\qquad \frac{\partial L}{\partial w_{st}} = \sum_b x_{sb}\, g_{tb}$$
#
# The first is the transposed map. The second multiplies a row of $x$ with a row of $g$, and only where a
# weight exists. Here it is with a pencil, for this $g$:

# %% tags=["nbval-check-output"]
g = torch.tensor([[1.0, 2.0], [0.0, 1.0]])  # (targets, B)
grad_x, grad_values = torch.zeros(3, 2), torch.zeros(4)
for i, (s, t) in enumerate(indices.t().tolist()):
    grad_x[s] += values[i] * g[t]
    grad_values[i] = (x[s] * g[t]).sum()
grad_x.tolist(), grad_values.tolist()

# %% [markdown] slideshow={"slide_type": "slide"}
# We will meet these numbers three more times.
#
# ## 2 · Three ways
#
# Here are the same four weights, as each of the three ways sees them.

# %% slideshow={"slide_type": "subslide"}
figure, (a, b, c) = plt.subplots(1, 3, figsize=(12.4, 3.3), layout="constrained",
                                 width_ratios=[1.35, 2.4, 1.5])
plot_dense(indices, values, size, a)
plot_messages(indices, values, size, 2, b)
plot_csr([0, 2, 4], [0, 2, 0, 1], [2.0, 1.0, -1.0, 3.0], c)
titles = ["dense mask: 6 places, 2 of them empty", "gather-scatter: 4 weights, 2 samples",
          "edge-major CSR: 4 weights, once"]
for ax, title in zip((a, b, c), titles):
    ax.set_title(title, fontsize=10.5)
plots.show(figure, "Left: a matrix of two rows and three columns in which two entries are hatched, "
           "since they do not exist. Middle: the graph of three sources and two targets drawn once "
           "for each of two samples, an arrow for each weight. Right: the three arrays of CSR, "
           "start, source and value, with the boxes of one target side by side")

# %% [markdown]
# ### The dense mask
#
# We fill a matrix with zeros and multiply. In the forward pass the mask does nothing, as long as the
# zeros are zeros. We need it for the backward pass: without it, the optimizer would give weights to edges
# that the graph does not have.

# %%
class DenseMask(torch.nn.Module):
    """y = (M * W) x, M being 1 where a weight exists; (B, sources) -> (B, targets)."""

    def __init__(self, indices, size, values):
        super().__init__()
        source, target = indices
        W, M = torch.zeros(2, size[1], size[0], device=values.device)  # (targets, sources) each
        W[target, source], M[target, source] = values, 1.0
        self.weight = torch.nn.Parameter(W)
        self.register_buffer("mask", M)

    def forward(self, x):
        return x @ (self.mask * self.weight).t()

# %%
dense = DenseMask(indices, size, values)
batch = x.t().contiguous().requires_grad_()  # (B, sources), as torch's own layers have it
out = dense(batch)
grad_W, grad_batch = torch.autograd.grad(out, (dense.weight, batch), g.t())

assert torch.equal(out.t(), y) and torch.equal(grad_batch.t(), grad_x)
assert torch.equal(grad_W[indices[1], indices[0]], grad_values)
assert not grad_W[dense.mask == 0].any()  # the edges that are not there learn nothing

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### Gather and scatter
#
# Most graph networks are written as messages. For every weight we *gather* the value of its source, then we
# multiply, and then we *scatter*: we add up what arrives at the same target. This is the loop of section 1
# with all rounds at once.
#
# ### Exercise 1 · Gather, weigh, scatter
#
# ●○○ · 5 minutes
#
# Write the forward pass as messages, edge-major and without a loop: read the rows of `x` that the
# weights need, multiply each by its weight, and add up the rows that have the same target. Row 0 of
# `indices` holds the source of each weight, and row 1 its target.
#
# <details><summary>Hint 1</summary>
#
# `x[source]` is a row for every weight, of shape (nnz, B), where nnz is the number of weights. `values`
# has the shape (nnz,), so it needs one more axis before you can multiply the two.
#
# <details><summary>Hint 2</summary>
#
# `y[target] = messages` would keep only one message of every target. `torch.Tensor.index_add` adds them
# up. It starts from zeros of the right shape.
#
# </details></details>

# %% slideshow={"slide_type": "skip"}
def gather_scatter(values, indices, x, targets):
    """y = W x for values (nnz,), indices (2, nnz) and x (sources, B); returns (targets, B)."""
    raise NotImplementedError

checks.gather_scatter(gather_scatter);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def gather_scatter(values, indices, x, targets):
#     """y = W x, edge-major: x is (sources, B), y is (targets, B)."""
#     source, target = indices
#     weighed = values[:, None] * x[source]  # (nnz, B)
#     return x.new_zeros(targets, x.shape[1]).index_add(0, target, weighed)
# ```
#
# </details>
#
# PyG's `MessagePassing` is this idea as a class: it gathers `x_j`, calls `message`, and aggregates.
# It knows one graph and no batch. A batch of $B$ samples becomes $B$ copies of the bipartite graph
# side by side, and each copy's numbers are moved up by the nodes of those before it. We make that
# long index once and keep it, so that no step has to pay for making it.

# %% slideshow={"slide_type": "skip"}
class GatherScatter(MessagePassing):
    """y = W x by a message per weight and sample; (B, sources) -> (B, targets)."""

    def __init__(self, indices, size, values, B):
        super().__init__(aggr="add")
        self.weight = torch.nn.Parameter(values.clone())
        self.B, self.size = B, (B * size[0], B * size[1])
        copy = torch.arange(B, device=values.device)[:, None]
        index = [one + many * copy for one, many in zip(indices, size)]  # (B, nnz) each
        self.register_buffer("edge_index", torch.stack(index).flatten(1))  # (2, B * nnz)

    def forward(self, x):
        nodes = x.reshape(-1, 1)  # the sources of all copies, one below the other
        weight = self.weight.repeat(self.B)
        y = self.propagate(self.edge_index, x=(nodes, None), weight=weight, size=self.size)
        return y.view(self.B, -1)

    def message(self, x_j, weight):
        return weight[:, None] * x_j  # (B * nnz, 1)

# %% slideshow={"slide_type": "skip"}
messages = GatherScatter(indices, size, values, B=2)
out = messages(batch)
grad_weight, grad_batch = torch.autograd.grad(out, (messages.weight, batch), g.t())

assert torch.equal(out.t(), y) and torch.equal(grad_batch.t(), grad_x)
assert torch.equal(grad_weight, grad_values)
messages.edge_index

# %% [markdown] slideshow={"slide_type": "subslide"}
# There are eight messages for four weights. The second half of each row is the second sample: its sources
# are moved up by three, and its targets by two.
#
# ### Edge-major CSR
#
# In *compressed sparse rows* (CSR) we keep the weights in the order of their targets. Then the weights of
# one target lie side by side, and we only have to know where each row **starts**. So we need three arrays,
# and a loop that adds a whole row of $B$ numbers at a time:

# %%
start = [0, 2, 4]  # row t owns the places start[t] to start[t + 1]
source = [0, 2, 0, 1]  # which row of x each weight reads
value = [2.0, 1.0, -1.0, 3.0]

rows = torch.zeros(2, 2)  # (targets, B)
for t in range(2):
    for e in range(start[t], start[t + 1]):
        rows[t] += value[e] * x[source[e]]
assert torch.equal(rows, y)

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 2 · Row pointers
#
# ●●○ · 8 minutes
#
# For weights that are sorted already, `row` says which row each of them belongs to. Compute `start`
# for any number of rows. Rows may be empty, the last ones too: an empty row starts where it ends.
#
# <details><summary>Hint 1</summary>
#
# Row 3 starts after everything that belongs to rows 0, 1 and 2. How many is that?
#
# <details><summary>Hint 2</summary>
#
# `torch.bincount` counts the entries of each row and can be told how many rows there are. A running
# sum of the counts gives the ends of the rows. The end of one is the start of the next.
#
# </details></details>

# %% slideshow={"slide_type": "skip"}
def row_starts(row, rows):
    """Where each row starts, for sorted row numbers row (nnz,); returns (rows + 1,)."""
    raise NotImplementedError

checks.row_starts(row_starts);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def row_starts(row, rows):
#     """Where each row's entries start in an array that is sorted by row, (rows + 1,)."""
#     counts = torch.bincount(row, minlength=rows)  # (rows,)
#     return torch.cat([counts.new_zeros(1), counts.cumsum(0)])
# ```
#
# </details>
#
# torch has kernels for such matrices. The forward pass is one product. For the backward pass we need
# the transposed map, which is CSR again, now by source; and for the weights a product that is
# computed only where weights exist, `sampled_addmm`. It takes $x$ and $g^T$ and never forms the full
# $x g^T$, which would be as large as the dense matrix. Our four weights, once more:

# %% slideshow={"slide_type": "skip"}
W = torch.sparse_csr_tensor(start, source, value, (2, 3), check_invariants=True)
assert torch.equal(W @ x, y)

source_start = [0, 2, 3, 4]  # by source, the weights lie as in `indices`
WT = torch.sparse_csr_tensor(source_start, indices[1], values, (3, 2), check_invariants=True)
assert torch.equal(WT @ g, grad_x)
assert torch.equal(torch.sparse.sampled_addmm(WT, x, g.t(), beta=0).values(), grad_values)

# %% [markdown] slideshow={"slide_type": "skip"}
# The graph does not change during training, so we make both layouts once. `SparsePattern` of the package
# does this and keeps them: the row starts and the columns of $W$ (sorted by target) and of $W^T$ (sorted
# by source), and the permutation that leads from one order to the other.

# %% slideshow={"slide_type": "skip"} tags=["nbval-check-output"]
pattern = SparsePattern(indices, size)
assert pattern.target_start.tolist() == start and pattern.source.tolist() == source
assert values[pattern.by_target].tolist() == value
{name: buffer.tolist() for name, buffer in pattern.named_buffers() if name != "indices"}

# %% [markdown] slideshow={"slide_type": "skip"}
# torch could differentiate a sparse product by itself, but not in the way that we want: a weight would
# have to be a sparse matrix, and we want a plain vector that every optimizer knows. So we say ourselves
# what forward and backward are. The class consists of the three formulas of section 1, one line each.

# %% slideshow={"slide_type": "skip"}
def csr(start, column, values, size):
    return torch.sparse_csr_tensor(start, column, values, size, check_invariants=False)

class EdgeMajorMap(torch.autograd.Function):
    """y = W x from two CSR layouts; nothing in here has B * nnz entries."""

    @staticmethod
    def forward(ctx, values, x, p):
        ctx.pattern = p
        ctx.save_for_backward(values, x)
        W = csr(p.target_start, p.source, values[p.by_target], (p.targets, p.sources))
        return W @ x  # (targets, B)

    @staticmethod
    def backward(ctx, g):
        (values, x), p, g = ctx.saved_tensors, ctx.pattern, g.contiguous()
        WT = csr(p.source_start, p.target, values, (p.sources, p.targets))
        grad_values = torch.sparse.sampled_addmm(WT, x, g.t(), beta=0).values()  # (nnz,)
        return grad_values, WT @ g, None

# %% slideshow={"slide_type": "skip"}
class EdgeMajor(torch.nn.Module):
    """y = W x with a row per source and a column per sample; (sources, B) -> (targets, B)."""

    def __init__(self, indices, size, values):
        super().__init__()
        self.weight = torch.nn.Parameter(values.clone())
        self.pattern = SparsePattern(indices, size)

    def forward(self, x):
        return EdgeMajorMap.apply(self.weight, x, self.pattern)

# %% slideshow={"slide_type": "skip"}
edges = EdgeMajor(indices, size, values)
x_rows = x.clone().requires_grad_()
out = edges(x_rows)
grad_weight, grad_rows = torch.autograd.grad(out, (edges.weight, x_rows), g)
assert torch.equal(out, y) and torch.equal(grad_rows, grad_x)
assert torch.equal(grad_weight, grad_values)

double = values.double().requires_grad_(), x.double().requires_grad_()
assert torch.autograd.gradcheck(lambda v, x: EdgeMajorMap.apply(v, x, pattern), double)

# %% [markdown] slideshow={"slide_type": "skip"}
# We find the same numbers a third time. `gradcheck` changes every entry a little, compares what happens with our
# backward pass, and agrees.
#
# **The file.** What you have just written is `gsnn_tutorial/sparse.py`. Its `SparseMap` and `SparseLinear` are
# these two classes with checks at the door, initial weights and a bias. You can read it here: run
# `from gsnn_tutorial import sparse` in a new cell, and then `sparse??`. Given our weights, they return our numbers:

# %% slideshow={"slide_type": "skip"}
linear = SparseLinear(indices, size, bias=False)
with torch.no_grad():
    linear.values.copy_(values)
assert torch.equal(linear(x), y) and torch.equal(SparseMap.apply(values, x, pattern), y)
linear

# %% [markdown] slideshow={"slide_type": "skip"}
# The kit also has a faster version of these products, in the folder `gsnn_tutorial/kernels`. It handles memory with
# more care, and that makes its code harder to read. The function `sparse_map` uses the fast version unless we ask for
# the plain one with `kernels.plain()`. You need not read the fast version. Here both compute our map, and the results
# are equal:

# %% slideshow={"slide_type": "skip"}
fast = sparse_map(values, x, pattern)
with kernels.plain():
    assert torch.equal(sparse_map(values, x, pattern), fast)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 3 · Equal, forward and backward
#
# Four weights fit on paper, and whole numbers add up exactly in any order. A real map has thousands
# of weights, and floating-point sums depend on the order. We draw graphs of any size: every node
# sends to ten others, and $W_{in}$ follows from the edges as in chapter 3.

# %%
def random_edges(N, seed=0):
    """DEGREE edges out of each of N function nodes and as many into each, none twice: (2, E)."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.randperm(N, generator=generator)  # nodes in random order round a ring
    hops = torch.randperm(N, generator=generator)[:DEGREE]  # how far round each edge leads
    source = torch.arange(N).repeat_interleave(DEGREE)
    return place[torch.stack([source, (source + hops.repeat(N)) % N])]

# %% [markdown] slideshow={"slide_type": "subslide"}
# A *step* is what training does with the map: forward, and backward to weights and inputs. Each way
# gets the batch in the layout that it is made for.

# %%
def step(way, x, g):
    """A function that runs forward and backward of ``way`` once, for x (B, sources)."""
    if isinstance(way, EdgeMajor):
        x, g = x.t().contiguous(), g.t().contiguous()
    x = x.clone().requires_grad_()

    def run():
        y = way(x)
        return y, *torch.autograd.grad(y, (way.weight, x), g)

    return run

# %%
def ways(N, seed=0):
    """The modules that the limit admits for a graph of N function nodes, and a batch for them."""
    torch.manual_seed(seed)
    size = DEGREE * N, N * C
    indices = win_indices(random_edges(N, seed), N, C).to(device)  # (2, nnz)
    values = torch.randn(indices.shape[1]).to(device)
    x, g = torch.randn(B, size[0]).to(device), torch.randn(B, size[1]).to(device)
    make = {
        "dense mask": lambda: DenseMask(indices, size, values),
        "gather-scatter": lambda: GatherScatter(indices, size, values, B),
        "edge-major": lambda: EdgeMajor(indices, size, values),
    }
    admitted = [name for name, numbers in largest_array(N).items() if numbers <= LIMIT]
    return {name: make[name]() for name in admitted}, x, g

# %% [markdown] slideshow={"slide_type": "subslide"}
# A graph of a hundred function nodes, all three ways. We bring the results into one layout and ask
# how far apart they are, relative to the largest entry of each.

# %%
modules, x_100, g_100 = ways(100)
results = {name: list(step(way, x_100, g_100)()) for name, way in modules.items()}
column, row = modules["edge-major"].pattern.indices
results["dense mask"][1] = results["dense mask"][1][row, column]  # the weights that exist
for i in (0, 2):
    results["edge-major"][i] = results["edge-major"][i].t()

def distance(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()

what = ["y", "gradient of weights", "gradient of inputs"]
distances = pd.DataFrame({name: map(distance, results[name], results["edge-major"])
                          for name in ("dense mask", "gather-scatter")}, index=what)
assert (distances < 1e-5).all(axis=None)
distances.rename_axis("distance from edge-major")

# %% tags=["nbval-check-output"]
pd.DataFrame({way: [tuple(t.shape) for t in three] for way, three in results.items()}, index=what)

# %% [markdown] slideshow={"slide_type": "slide"}
# So the three ways differ by the rounding of 32-bit numbers and by nothing else. From here on we only ask
# for the price.
#
# ## 4 · A clock that you can trust
#
# You may skip this section on a first reading: run its cells, and come back for exercise 3 later.
#
# It is easy to take a timing, and it is easy to get it wrong. We follow four rules.
#
# **Wait for the device.** A GPU works *asynchronously*: a call puts its work in a queue and returns at
# once, long before the work is done. If we read a clock then, we have measured the queueing. CUDA *events*
# are marks in the same queue, and the GPU itself stamps them when it reaches them. On a CPU a call returns
# when its work is done, so we can use an ordinary clock.

# %%
def once(run):
    """Milliseconds that one call of ``run`` takes on the device."""
    if device.type != "cuda":
        began = time.perf_counter()
        run()
        return 1e3 * (time.perf_counter() - began)
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began.record()
    run()
    ended.record()
    ended.synchronize()  # wait until the GPU has passed the second mark
    return began.elapsed_time(ended)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Warm up.** The first calls find memory that is not yet allocated, caches that are empty and, on a
# GPU, kernels that are not yet loaded. Training sees none of this after its first steps, so we drop these
# calls.
#
# **Take turns.** A machine does other things too, and it heats up. We run everything that we compare in
# turn, round by round, so that a slow moment hits all of them alike.
#
# **Take the median.** One interruption spoils a mean.

# %%
def in_turn(runs, repeats=7, warmup=2):
    """Milliseconds of each of several runs, one after the other in every round: (repeats, runs)."""
    rounds = [{name: once(run) for name, run in runs.items()} for _ in range(warmup + repeats)]
    return pd.DataFrame(rounds[warmup:]).rename_axis("round")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Here are the rounds for a hundred nodes, freshly made and with no warm-up. Round 0 may stand out or
# not. Look at how much the other rounds vary: a difference smaller than that does not count.

# %%
in_turn({name: step(way, x_100, g_100) for name, way in modules.items()}, warmup=0)

# %% [markdown] slideshow={"slide_type": "subslide"}
# On a GPU the next cell shows what the events are for: the wall clock right after the call, and after
# waiting. On a CPU there is nothing to wait for.

# %%
run = step(modules["edge-major"], x_100, g_100)
if device.type == "cuda":
    torch.cuda.synchronize()
    began = time.perf_counter()
    run()
    returned = time.perf_counter()
    torch.cuda.synchronize()
    finished = time.perf_counter()
    print(f"returned after {1e3 * (returned - began):.2f} ms")
    print(f"finished after {1e3 * (finished - began):.2f} ms")
else:
    print("a CPU: when the call returns, the work is done")

# %% [markdown] slideshow={"slide_type": "subslide"}
# For memory, the worst moment counts: how much is alive at once during a step? The allocator of a GPU keeps
# count. On a CPU, the profiler of torch records every block that is taken or given back, and the running
# sum of these has a peak. The largest single block is what we counted at the top.

# %%
def memory(run):
    """Bytes that ``run`` needs at its worst moment, and (on a CPU) its largest single block."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return torch.cuda.max_memory_allocated() - before, float("nan")
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        run()
    with tempfile.TemporaryDirectory() as folder:
        recorded.export_chrome_trace(f"{folder}/trace.json")
        events = json.loads(Path(folder, "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    events = sorted((e for e in events if e["name"] == "[memory]"), key=lambda e: e["ts"])
    blocks = pd.Series([e["args"]["Bytes"] for e in events])  # negative where one is given back
    return blocks.cumsum().max(), blocks.max()

# %% [markdown] slideshow={"slide_type": "subslide"}
# ### The floor: the time to copy
#
# How fast could a step be? Nobody can multiply faster than the numbers arrive. A sparse product does one
# multiplication and one addition with each number that it gathers, too little to keep a processor
# busy, so memory sets the pace. The least that a step has to do is read every operand once and write
# every result once. The time to *copy* as many bytes is a floor under every step that keeps these
# arrays. (The *noise floor* of chapter 2 lies under an error. This floor lies under a time.)
#
# ### Exercise 3 · Count the bytes
#
# ●●○ · 8 minutes
#
# How many bytes does one edge-major **forward** pass $y = Wx$ have to move, if everything is read or
# written exactly once? Read: $W$ in CSR, which is three arrays, and $x$. Write: $y$. Numbers and
# indices have 32 bits each.
#
# <details><summary>Hint 1</summary>
#
# List the arrays with their lengths. Two of the three that make up $W$ have an entry per weight.
#
# <details><summary>Hint 2</summary>
#
# The third has one per row, and one more: where the last row ends. Count all entries, and remember
# how many bytes 32 bits are.
#
# </details></details>

# %% slideshow={"slide_type": "skip"}
def forward_bytes(sources, targets, nnz, B):
    """Bytes that one forward pass reads and writes, each array once; an integer."""
    raise NotImplementedError

checks.forward_bytes(forward_bytes);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def forward_bytes(sources, targets, nnz, B):
#     """Bytes that y = W x has to move if everything is read or written once."""
#     weights = nnz + nnz + (targets + 1)  # values, their sources, row pointers
#     return 4 * (weights + sources * B + targets * B)
# ```
#
# </details>
#
# For forward and backward together we let torch count: the arrays that the three lines of
# `EdgeMajorMap` read, and those that they write. A copy reads every byte and writes it again, so a
# copy of half as many moves the same.

# %% slideshow={"slide_type": "skip"}
def floor(way, x, g):
    """A function that copies as many bytes as an edge-major step has to move."""
    p, values = way.pattern, way.weight  # x (B, sources), g (B, targets)
    W, WT = (p.target_start, p.source, values), (p.source_start, p.target, values)
    forward = [*W, x, g]  # y is as large as g
    backward = [*WT, x, g, values, x]  # the gradients are as large as values and x
    moved = sum(t.nbytes for t in forward + backward)
    here, there = torch.zeros(2, moved // 8, device=device)  # 4 bytes each, half of them
    return lambda: there.copy_(here)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 5 · Time and memory against graph size
#
# Now we measure every size, and every way that the limit admits. The memory of a way is what it keeps
# between steps (weights, masks, indices) plus the peak of a step. A line stops where its largest array would
# exceed the limit.
#
# **Predict first.** At which number of nodes will the dense mask stop being the quickest of the three?

# %%
def measure(N):
    """Milliseconds and bytes of every way for a graph of N function nodes: a row each."""
    modules, x, g = ways(N)
    runs = {name: step(way, x, g) for name, way in modules.items()}
    runs["floor"] = floor(modules["edge-major"], x, g)
    times = in_turn(runs).median()
    rows = {name: {"nodes": N, "way": name, "ms": times[name]} for name in runs}
    for name, way in modules.items():
        kept = sum(t.nbytes for t in [*way.parameters(), *way.buffers()])
        peak, block = memory(runs[name])
        rows[name] |= {"kept": kept, "peak": peak, "block": block}
    return list(rows.values())

measured = pd.DataFrame([row for N in SIZES for row in measure(N)])

# %% slideshow={"slide_type": "subslide"}
measured["MB"] = (measured["kept"] + measured["peak"]) / 1e6
WAYS = ["dense mask", "gather-scatter", "edge-major"]
times = measured.pivot(index="nodes", columns="way", values="ms")[[*WAYS, "floor"]]
megabytes = measured.pivot(index="nodes", columns="way", values="MB")[WAYS]

figure, (left, right) = plt.subplots(1, 2, figsize=(12.4, 4.3), layout="constrained")
end = "stops: too large"
plot_against_size(times, left, ylabel="milliseconds, forward and backward", stopped=end)
plot_against_size(megabytes, right, ylabel="megabytes, kept and at the peak", stopped=end)
plots.show(figure, "Two log-log plots against the number of function nodes, for the dense mask, "
           "gather-scatter and edge-major. Left: milliseconds of a step, with the time to copy the "
           "same bytes as a dotted floor. Right: megabytes. The dense mask and gather-scatter stop "
           "early, where one array would exceed the limit")

# %% [markdown]
# The medians in milliseconds, and two ratios:

# %%
shown = times.rename_axis(None, axis=1)
shown["edge-major / floor"] = times["edge-major"] / times["floor"]
shown["gather-scatter / edge-major"] = times["gather-scatter"] / times["edge-major"]
shown.astype(object).where(shown.notna(), "-")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Which way is the quickest at each size, and by how much does it beat the next?

# %%
ranked = times[WAYS].apply(lambda row: pd.Series(row.sort_values().to_numpy()), axis=1)
winners = pd.DataFrame({"quickest": times[WAYS].idxmin(axis=1)})
winners["next / quickest"] = ranked[1] / ranked[0]  # empty where no other is within the limit
winners.astype(object).where(winners.notna(), "alone within the limit")

# %% [markdown] slideshow={"slide_type": "subslide"}
# The table holds for this machine. Read it with the counts in mind.
#
# * **The dense mask** reads its matrix in order, and multiplies mostly zeros. Its price grows with the square
#   of the graph. On a small graph, where there is little to multiply, nothing is wrong with it.
# * **Gather-scatter** grows with the graph, as it should, but pays for every weight once per sample: an
#   index, a gathered number, a message, and the same again in the backward pass.
# * **Edge-major** pays for an index once per weight and uses it for a whole row of samples.
# * **The floor** is a bound that we do not expect to reach: several weights need the same row of $x$, and
#   not all of them find it in the cache. So the distance from the floor is the *most* that is left to gain.
#
# If a time falls where the graph grows, then the smaller graph has probably met a slow moment of the machine that
# lasted for most of its rounds. Taking turns and the median protect us from short interruptions, and not from such
# a long one. Measure that size again before you conclude anything from it.
#
# To look at one size at a time:

# %% slideshow={"slide_type": "subslide"}
def at_size(nodes):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12.4, 3.7), layout="constrained")
    plot_against_size(times, left, ylabel="milliseconds, forward and backward", mark=nodes)
    plot_one_size(times, nodes, right)
    plots.show(figure, f"Left: milliseconds against graph size, the size of {nodes} nodes marked. "
               "Right: a point for each way at that size, and the floor as a dotted line")

at_size(200)

# %% [markdown]
# In JupyterLab, move the slider through the sizes. Watch how the order of the three changes, and which of
# them are still there at the end. The numbers are those measured above.

# %% tags=["widget", "nbval-ignore-output"]
interact(at_size, nodes=SelectionSlider(options=SIZES, value=200, continuous_update=False));

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 6 · Why edge-major
#
# There are two reasons, and we can see each of them.
#
# **No array of $B \cdot nnz$ entries.** At the top we counted the largest array of each way. Here is
# the largest block that torch really allocated during a step, beside the count. (On a GPU, torch
# does not report single blocks to us, so there the column stays empty.)

# %%
blocks = measured.pivot(index="nodes", columns="way", values="block")[WAYS] / 4  # bytes to numbers
both = pd.concat({"counted": counted[WAYS], "allocated": blocks}, axis=1)
both.loc[[10, 100, 1000, 10_000]].map("{:,.0f}".format).replace("nan", "-")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Rows that lie together.** A weight reads a source's value in *every* sample. Edge-major, those $B$
# numbers are neighbours in memory:

# %% tags=["nbval-check-output"]
N = 1000
torch.manual_seed(0)
by_edge = torch.randn(DEGREE * N, B).to(device)  # (sources, B)
by_sample = by_edge.t().contiguous()  # (B, sources)
for name, t, axis in [("edge-major", by_edge, 1), ("batch-major", by_sample, 0)]:
    print(f"{name:<12} from one sample of an edge to the next: {4 * t.stride(axis):>6,} bytes")
print(f"all {B} samples of an edge: {4 * B} bytes")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Memory does not deliver single numbers. It delivers lines, of 64 bytes on most CPUs and 128 on an
# NVIDIA GPU, where the 32 threads of a warp read together. Our 32 samples of an edge fill one such
# line, edge-major, and every byte in it is used: a *coalesced* read. Batch-major, the same numbers
# lie in 32 different lines, and whether the rest of each is used before it is thrown out is a matter
# of luck. The two gathers below read the same numbers, in turn.

# %%
read = win_indices(random_edges(N), N, C)[0].to(device)  # which edge each weight reads
read = read[torch.randperm(len(read)).to(device)]  # the edges of a graph come in no order
gathers = {"rows, edge-major": lambda: by_edge.index_select(0, read),
           "columns, batch-major": lambda: by_sample.index_select(1, read)}
assert torch.equal(gathers["rows, edge-major"](), gathers["columns, batch-major"]().t())
rounds = in_turn(gathers)
ratio = (rounds["columns, batch-major"] / rounds["rows, edge-major"]).median()
pd.Series({**rounds.median(), "columns / rows": ratio}, name="ms, and their ratio").to_frame()

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 7 · On a GPU
#
# You may skip this section on a first reading. **It holds no measurement of ours: we have run this chapter on a
# CPU only.** The cells above run on a GPU as they are, and from the way a GPU works we can say what to look out
# for there:
#
# * Every operation is at least one *launch*, and a launch takes its time however little there is to do. On
#   small graphs a step is mostly launches, so the curves start out flat.
# * The memory of a GPU is faster than that of a CPU, so the floor lies lower, and a map has to be large
#   before moving its bytes takes longer than launching it.
# * Operations that add up from many places (`index_add`, scatter) may do so in any order, so two runs can
#   differ in the last digits. Section 3 allows for that.
#
# If you have a GPU, run the notebook on it, with a CUDA build of torch. The cell below then writes your table, with
# the name of the device, to a file beside the notebook, and shows it from then on wherever there is no GPU.

# %%
SAVED = Path("04_gpu_forward_cuda.csv")
if device.type == "cuda" and not SAVED.exists():
    machine = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    write_csv(measured.assign(**machine), SAVED)
if SAVED.exists():
    saved = read_csv(SAVED)
    print("a saved run, not measured now, on", *saved[["device", "torch"]].iloc[0])
    display(saved.pivot(index="nodes", columns="way", values="ms")[[*WAYS, "floor"]])
else:
    print("no GPU measurement is saved yet")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 8 · A batch of models
#
# The samples of a batch share the weights. Can several *models* share the work, too? A study with many
# seeds trains many small GSNNs, each on its own graph. On paper the answer takes one line: we put the maps
# on the diagonal of a larger one.
#
# $$\begin{pmatrix} W_1 & \\ & W_2 \end{pmatrix} \begin{pmatrix} x_1 \\ x_2 \end{pmatrix}
# = \begin{pmatrix} W_1 x_1 \\ W_2 x_2 \end{pmatrix}$$
#
# As a dense matrix this would be wasteful, because for $R$ models only a fraction $1/R$ of it is filled. As
# a graph it is the **disjoint union**, and it costs nothing extra: the sources and targets of each map are
# moved up by those before it, as the copies were in section 2. Only now, every copy has its own weights.

# %%
def disjoint_union(maps):
    """Several (indices, size) as one."""
    shift, indices = torch.zeros(2, 1, dtype=torch.long), []
    for index, size in maps:
        indices.append(index + shift)
        shift = shift + torch.tensor(size)[:, None]
    return torch.cat(indices, dim=1), tuple(shift.flatten().tolist())

# %%
together, total = disjoint_union([(indices, size), (indices, size)])
two_graphs = EdgeMajor(together, total, torch.cat([values, 10 * values]))
assert torch.equal(two_graphs(torch.cat([x, x])), torch.cat([y, 10 * y]))
total

# %% [markdown] slideshow={"slide_type": "subslide"}
# The package's `GSNNUnion` does this to whole models. Weights, biases and norms are an entry per edge,
# channel or node already. What a model has once, such as its residual scalars, becomes one per model.
# Each of our models gets its own draw of chapter 2's small problem: other spurious edges, samples and weights.

# %%
R_MAX = 32
draws = [Problem().draw(seed) for seed in range(R_MAX)]

def one_model(r):
    graph, generator = draws[r].graph, torch.Generator().manual_seed(r)
    model = GSNN(graph.edge_index_dict, graph.names, channels=C, layers=4, node_mlp=False,
                 generator=generator)
    return model.to(device)

models = [one_model(r) for r in range(R_MAX)]
data = [(draw.x_train.to(device), draw.y_train.to(device)) for draw in draws]
union = GSNNUnion(models[:8]).to(device)
x_all, y_all = (torch.cat(columns, dim=1) for columns in zip(*data[:8]))
[sum(p.numel() for p in model.parameters()) for model in (models[0], union)]

# %% [markdown] slideshow={"slide_type": "subslide"}
# The parameters of one model, and of the union of eight. The union's columns are the models' columns,
# one model after the other. Outputs, losses and the gradients of the weights must be those of the
# single models.

# %%
near = {"rtol": 1e-5, "atol": 1e-6}
alone = [model(x_r) for model, (x_r, _) in zip(models, data[:8])]
torch.testing.assert_close(union(x_all), torch.cat(alone, dim=1), **near)

mse = torch.nn.functional.mse_loss
losses = torch.stack([mse(out, y_r) for out, (_, y_r) in zip(alone, data)])
torch.testing.assert_close(union.mse(union(x_all), y_all), losses, **near)

weight = union.ResBlocks[0].lin_in.values
grad, = torch.autograd.grad(union.mse(union(x_all), y_all).sum(), weight)
weights = [model.ResBlocks[0].lin_in.values for model in models[:8]]
grads = torch.autograd.grad(losses.sum(), weights)
torch.testing.assert_close(grad, torch.cat(grads), **near)

# %% [markdown] slideshow={"slide_type": "subslide"}
# What is saved is not arithmetic: every weight of every model still has to be used. What is saved is
# *calls*. We can count them, with the profiler: the operations that torch runs in one training step.

# %%
def training_steps(R, samples):
    """Loss and gradients of R models: one after another, and side by side as a union."""
    rows = [(x_r[:samples], y_r[:samples]) for x_r, y_r in data[:R]]
    x_all, y_all = (torch.cat(columns, dim=1) for columns in zip(*rows))
    union = GSNNUnion(models[:R]).to(device)

    def one_after_another():
        for model, (x_r, y_r) in zip(models, rows):
            torch.autograd.grad(mse(model(x_r), y_r), list(model.parameters()))

    def side_by_side():
        torch.autograd.grad(union.mse(union(x_all), y_all).sum(), list(union.parameters()))

    return {"one after another": one_after_another, "side by side": side_by_side}

# %%
def calls(run):
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        run()
    return sum(event.name.startswith("aten::") for event in recorded.events())

counts = {R: {name: calls(run) for name, run in training_steps(R, 32).items()}
          for R in (1, 2, 4, 8)}
pd.DataFrame(counts).rename_axis("calls for R models", axis=1)

# %% [markdown] slideshow={"slide_type": "subslide"}
# When the models run one after another, the number of calls grows with $R$. When they run side by side, it
# stays as it is, and each call has $R$ times as much to do. So we gain most where a call is mostly
# overhead: with small graphs, with small batches, and on a GPU, where most calls are launches. We measure
# it with 32 samples a step, and with 256.

# %%
def per_model(R, samples):
    """Milliseconds of a step, divided by the number of models; small R is measured more often."""
    with kernels.threads(1):  # models this small gain nothing from a second one
        return in_turn(training_steps(R, samples), repeats=max(5, R_MAX // R)).median() / R

SAMPLES, MODELS = (32, 256), [1, 2, 4, 8, 16, 32]
ms = {n: pd.DataFrame({R: per_model(R, n) for R in MODELS}).T for n in SAMPLES}

# %% slideshow={"slide_type": "subslide"}
figure, axes = plt.subplots(1, 2, figsize=(11.4, 3.7), layout="constrained")
for ax, (samples, table) in zip(axes, ms.items()):
    plot_models(table, ax).set_title(f"{samples} samples a step", fontsize=10)
plots.show(figure, "Milliseconds per model and step against the number of models, for 32 samples "
           "and for 256: models run one after another, and side by side as one union")

# %% [markdown]
# The table says how many times quicker the union is, for each number of models. Look whether the gain
# still grows at the right end, or whether it has come to a stop.

# %%
gain = {f"{n} samples": t["one after another"] / t["side by side"] for n, t in ms.items()}
pd.DataFrame(gain).T.rename_axis("models R", axis=1)

# %% [markdown] slideshow={"slide_type": "slide"}
# The study of [chapter 6](06_three_way_evaluation.ipynb) trains all its seeds and arms in this way.
#
# ## 9 · From one map to a whole model
#
# You may skip this section on a first reading.
#
# One map is not a model. A training step also has norms, nonlinearities and an optimizer. If these take most of
# the time, then a faster map gains us little. So we compare a whole training step of the kit with the same model
# written as messages, and we let one size grow at a time: edges, samples, channels and models. Everything else
# stays at ten thousand edges, 32 samples and 8 channels; the models are the small ones of section 8.
#
# A fifth column looks ahead to chapter 5, where a model is told which nodes belong to which pathway. There we
# compare the list of these memberships with a dense matrix that has a place for each pathway and node. All these
# runs take minutes, so we read a saved one.
#
# **Predict first.** Take the largest size that both ways reach. How many times quicker is edge-major there? In
# which of the five columns is this factor largest, and in which is it smallest?

# %%
bench, scaling = saved_bench()
print("a saved run, not measured now, on", *bench[["device", "torch"]].iloc[0])

# %% [markdown] slideshow={"slide_type": "subslide"}
# How do we read such a figure? Both axes are logarithmic, so a straight line is a power of the size, and
# two lines that run side by side differ by the same factor everywhere.

# %% slideshow={"slide_type": "subslide"}
plots.show(plot_all_scaling(scaling), "Ten log-log plots. Five columns: edges, samples, channels, memberships and "
           "models. Above, milliseconds of a training step, below, megabytes at its peak, a line for each way. "
           "Edge-major takes less time than gather-scatter everywhere, and less memory but for many models")

# %% [markdown]
# Here are the factors between edge-major and the other way, at the largest size that both of them reach:

# %%
other = scaling[scaling["way"].isin(["gather-scatter", "dense P x N"])]
beside = other.merge(scaling[scaling["way"] == "edge-major"], on=["axis", "value"], suffixes=("", " edge-major"))
largest = beside.sort_values("value").groupby("axis").tail(1).set_index("axis")
factors = pd.DataFrame({"largest size": largest["value"].map("{:,.0f}".format),
                        "times quicker": largest["ms"] / largest["ms edge-major"],
                        "times less memory": largest["MB"] / largest["MB edge-major"]})
factors.rename(index=IN_WORDS).sort_values("times quicker", ascending=False)

# %% [markdown] slideshow={"slide_type": "subslide"}
# A slope of 1 means that time or memory grows in proportion to the size. We fit these slopes to the upper
# half of each line, where the price of the calls themselves counts least:

# %%
slopes(scaling).replace(IN_WORDS)

# %% [markdown] slideshow={"slide_type": "subslide"}
# The dense matrix has the steepest slopes, because it grows with the number of pathways *and* with the number of
# nodes. Where a slope lies well below 1, the line still shares something that is paid once, such as a call, or an index
# that serves a whole row of samples. Where time has a slope above 1 and memory has not, larger arrays may no longer
# fit into the cache. We have not measured whether they do. Models that run one after another need hardly more
# memory than one of them. Side by side, they need all of it at once.
#
# In the column of samples, the line of edge-major has a bump at the left. We have not looked for its cause: it may
# be a slow moment of the machine, or a kernel that few samples do not suit.
#
# <details><summary>All that the kit measures</summary>
#
# In a clone of the kit, the command `python -m benchmarks` measures everything that the kit does often against the same
# work written as messages, or against the loop or the dense matrix that it replaces. It prints a table with
# a goal for each row, which was set before the run, and says which goals were missed. In the saved run you
# can see the whole table with `print(table_of(bench))`, after
# `from benchmarks.in_words import table_of`.
#
# </details>
#
# Where does the time of our own step go? Any further gain would have to come from there. We ask the profiler
# once more, for a step at two thousand nodes with ten edges out of each, measured now:

# %%
model = random_model(2_000, 20_000).to(device)
inputs = len(model.node_names_dict["input"])
large_step = training_step(model, *torch.randn(2, 32, inputs, device=device))
large_step()
with profile(activities=[ProfilerActivity.CPU]) as recorded:
    large_step()
spent = pd.Series({e.key: e.self_cpu_time_total for e in recorded.key_averages()})
(spent / spent.sum()).nlargest(8).map("{:.0%}".format).rename("share of the step").to_frame()

# %% [markdown] slideshow={"slide_type": "subslide"}
# The sparse products (`addmm`, `sampled_addmm`) share the list with plain elementwise work: the norm,
# the ELU and Adam go over every number several times. If a map took no time at all, these would still be
# there.
#
# ### When fewer operations do not mean less time
#
# We have counted multiplications and bytes. Two more costs hide in every program, and neither count shows
# them.
#
# **Every call costs something, however little it does.** The model of our small problem has little work to do
# in each call. Below you see all calls of one step, including those that torch's operators make inside, and how long a
# call takes on average. (The profiler slows each of them down a little.)
#
# **Predict first.** How many calls does one training step of our small model make?

# %%
draw = Problem().draw(seed=0)
small = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False)
small_step = training_step(small, draw.x_train, draw.y_train)
small_step()
with profile(activities=[ProfilerActivity.CPU]) as recorded_small:
    small_step()
operators = pd.DataFrame([(e.key, e.count, e.self_cpu_time_total) for e in recorded_small.key_averages()],
                     columns=["operator", "calls", "us"]).set_index("operator")  # fmt: skip
print(f"{operators['calls'].sum():,} calls, {operators['us'].sum() / operators['calls'].sum():.1f} us each")
operators.nlargest(6, "us")

# %% [markdown] slideshow={"slide_type": "subslide"}
# <details><summary>Answer</summary>
#
# You find the number in the line above the table. It is so large because operators call other operators, and
# because the backward pass and Adam make calls of their own.
#
# </details>
#
# A union of models makes hardly more calls than one model, as you counted in section 8. This is why a study trains
# its models side by side.
#
# **New memory costs something, too.** The system hands memory out page by page, and a result that is
# written into new memory can cost more than its arithmetic. We compute the same squares twice, once into
# new memory and once into memory that is there already:

# %%
copies = {}
for size_mb in (0.5, 2, 8, 36):
    one, old = torch.randn(2, int(size_mb * 250_000))
    runs = {"new memory": lambda: torch.mul(one, one), "old memory": lambda: torch.mul(one, one, out=old)}
    copies[f"{size_mb} MB"] = in_turn(runs, repeats=9).median()
pd.DataFrame(copies).T.rename_axis("size of the result")

# %% [markdown] slideshow={"slide_type": "slide"}
# How large the difference is depends on the system, and it may change from run to run. Memory that was
# freed a moment ago is often given back at once. Very large blocks are not, with the usual settings of
# Linux, and the last row shows what that costs. So the kit writes into memory that it has already
# wherever it can: in the norm, in the residual and in the ELU. You can do the same in your own code with
# `out=`, or with operations that end in an underscore.
#
# ## Recap
#
# 1. One map can be a masked matrix, a set of messages, or sorted rows. Values and both gradients agree
#    to rounding.
# 2. The forward pass is $Wx$, the backward pass $W^T g$ and the product $x g^T$ where weights exist: three
#    sparse kernels in one `autograd.Function`.
# 3. To time a step, we wait for the device, warm up, take turns and take the median. For memory, the worst
#    moment of a step counts. The time to copy the bytes is a floor.
# 4. The dense mask grows with the square of the graph, gather-scatter with samples times weights,
#    and the table says which way wins where. Edge-major keeps an index per weight, and reads whole rows of samples.
# 5. A batch of models is one model on the disjoint union of their graphs: the same numbers, in as many
#    calls for eight models as for one.
#
# **Next:** the network is built, and it is fast. In
# [5 · Pathway regularizer](05_pathway_regularizer.ipynb) you tell it a second thing that biologists
# know: which nodes work together.
#
# ## References
#
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv 2024.02.28.582164.
# * Fey and Lenssen 2019, *Fast Graph Representation Learning with PyTorch Geometric*, ICLR workshop on
#   representation learning on graphs and manifolds.
# * Williams, Waterman and Patterson 2009, *Roofline: an insightful visual performance model for multicore
#   architectures*, Communications of the ACM 52.
# * Saad 2003, *Iterative Methods for Sparse Linear Systems*, chapter 3 (compressed sparse rows), SIAM.
