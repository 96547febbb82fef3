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
# # 3 · The GSNN
#
# In chapter 1 we drew a graph that says who talks to whom, and in chapter 2 we made data along it. Now we turn the graph into
# a network. Where the graph has an edge, the network gets weights, and where it has none, there is nothing to learn. A signal
# can only take roads that are on the map.
#
# The idea fits on a sheet of paper, so we start there: with five edges, twelve weights, and numbers that you can check with a
# pencil. Then we add the four ingredients that make the network trainable, watch a signal spread, and train. In the end we
# ask what a trained model does with each edge that it was given, with the true ones and with the false ones. The figure below
# is where we end.
#
# **You will be able to**
#
# 1. say where the state of a GSNN lives, and compute one layer by hand;
# 2. write its two linear maps as masked dense matrices, and a whole GSNN in twenty lines;
# 3. give the reason for the residual, the shared layers, the scaled read-out and the group norm;
# 4. say how a GSNN differs from an MLP, from a graph convolution, and from its relatives;
# 5. ask a trained model which edges it uses and what a node has learned, and read the answer with care.
#
# **Before you start:** you need PyTorch modules, the three node types
# ([1 · Pathway graph](01_pathway_graph.ipynb)) and the noise floor
# ([2 · Simulation](02_simulation.ipynb)). **Time:** 60 minutes to read and 40 for the exercises, about a minute to run on
# two CPU cores, less than 1 GB of memory.

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
# The opening figure: data of chapter 2 (`draw`), and a GSNN that was trained on them (`trained`). Both stay with us.
import matplotlib.pyplot as plt
import torch

from gsnn_tutorial import GSNN, Problem, plots, train
from gsnn_tutorial.attribution import edge_effects
from gsnn_tutorial.plots.chapter_3 import plot_edge_effects

problem = Problem()
draw = problem.draw(seed=0)
start = torch.Generator().manual_seed(0)
trained = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
train(trained, draw.x_train, draw.y_train, epochs=200, progress=False)
figure, ax = plt.subplots(figsize=(9, 4.4), layout="constrained")
plot_edge_effects(draw.graph, edge_effects(trained, draw.x_test, keep_mean=True), ax)
plots.show(figure, "The pathway graph; the thickness of an edge shows how much its message matters to the "
    "outputs: the solid true edges down the four chains are thick, the dashed spurious edges thin")

# %% [markdown]
# You see four pathways, each with a chain of true edges, and eight spurious edges that were mixed in. `Problem` is the
# package's name for the data of chapter 2: `problem.draw(seed=0)` draws the spurious edges and the samples from one seed, and
# the result, `draw`, also knows its noise floor, `draw.floor`. We did not tell the model which edges are spurious. The more
# the outputs change when an edge carries no information any more, the thicker we draw it. (We measure this for the edges
# between functions only, and draw the edges of inputs and outputs as dots.) It takes a whole chapter to get there, and there
# is a small surprise in section 8.

# %% slideshow={"slide_type": "skip"}
import copy

import networkx as nx
import numpy as np
import pandas as pd
import torch.nn.functional as F
from ipywidgets import SelectionSlider, interact
from sklearn.metrics import roc_auc_score
from torch_geometric.nn import GCNConv

# %% slideshow={"slide_type": "skip"}
from gsnn_tutorial import PathwayGraph
from gsnn_tutorial.exercises import chapter_3 as checks
from gsnn_tutorial.attribution import NodeAlone, edge_norms
from gsnn_tutorial.evaluation import mse
from gsnn_tutorial.graph import Node
from gsnn_tutorial.gsnn import GroupLayerNorm, win_indices
from gsnn_tutorial.plots.chapter_3 import (
    plot_messages, plot_models, plot_spread, plot_true_spurious, plot_validation, plot_weights, spread_colorbar,
)
from gsnn_tutorial.plots.learned import plane, plot_learned
from gsnn_tutorial.simulation import pathway_functions

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1 · The state lives on edges
#
# We begin with a graph for the pencil: two inputs, two function nodes and one output. We number its nodes and edges as a GSNN
# does: functions first, then inputs, then outputs, and edges between functions before all others. (In chapter 1 we listed the
# inputs first, to draw the matrices. From here on, the functions come first.)

# %%
places = {"x_1": (0, 2), "x_2": (1.6, 1.8), "f_1": (0, 1), "f_2": (1.6, 0.4), "y": (0.4, -0.7)}
types = {"x_1": "input", "x_2": "input", "f_1": "function", "f_2": "function", "y": "output"}
edges = [("f_1", "f_2"), ("x_1", "f_1"), ("x_2", "f_2"), ("f_1", "y"), ("f_2", "y")]
nodes = tuple(Node(name, types[name], 0, places[name]) for name in types)
small = PathwayGraph(nodes, tuple(edges))

number = {"f_1": 0, "f_2": 1, "x_1": 2, "x_2": 3, "y": 4}
edge_index = torch.tensor([[number[u], number[v]] for u, v in edges]).t()  # (2, E)
N, E, C = 2, len(edges), 2
edge_index

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(3.6, 3.9), layout="constrained")
plot_messages(small, [f"edge {e}" for e in range(E)], ax)
plots.show(figure, "Inputs x1 and x2 lead to functions f1 and f2; f1 leads to f2; both lead to "
    "the output y; the edges are numbered 0 to 4")

# %% [markdown]
# Most graph networks keep a vector at each *node*, and every neighbour receives the same one. A GSNN keeps one number on each
# *edge* instead: the message that the source of the edge sends along it. Why on edges? A protein can activate one partner and
# repress another, and so may $f_1$ here. What it tells $f_2$ need not be what it tells $y$.
#
# So a function node is a small dense network. It leads from the in-edges of the node to $C$ hidden units, which we call its
# *channels*, and from the channels to its out-edges. Channels stay inside their node, and only messages travel. One layer does
# this for all nodes at once:
#
# $$z = W_{in} h + b_{in} \qquad a = \sigma(z) \qquad h' = W_{out}\, a + b_{out}$$
#
# Here $h$ is the state of the $E$ edges, $a$ holds the $N \cdot C$ channels, and $\sigma$ is a nonlinearity such as ReLU or
# ELU, which works on each number by itself. (In chapter 2, $\sigma$ was the scale of the noise. From here on it is this
# function.) This is the layer as a drawing:

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(9, 5.2), layout="constrained")
plots.plot_layer(small, C, ax)
plots.show(figure, "One layer: on the left the five messages, in the middle two function nodes with two "
    "channels each, on the right the five messages again; a line for each weight of W_in and W_out, "
    "and a dashed arrow for the residual, which section 3 adds")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 2 · One layer by hand
#
# We choose $C = 2$, small whole weights, no biases, and ReLU in place of the usual ELU, so that you can do everything in your
# head. The inputs are $x_1 = 1$ and $x_2 = 2$.

# %%
def relu(value):
    return max(value, 0.0)


x_1, x_2 = 1.0, 2.0
f_1 = relu(2 * x_1), relu(-1 * x_1)  # two channels, which hear x_1
f_2 = relu(1 * 0 + 1 * x_2), relu(1 * 0 - 1 * x_2)  # hear f_1, which is still silent, and x_2
f_1, f_2

# %% tags=["nbval-check-output"]
f_1_to_f_2 = 1 * f_1[0] + 1 * f_1[1]
f_1_to_y = -1 * f_1[0] + 2 * f_1[1]
f_2_to_y = 1 * f_2[0] + 1 * f_2[1]
f_1_to_f_2, f_1_to_y, f_2_to_y

# %% [markdown] slideshow={"slide_type": "subslide"}
# The same node says 2 to one neighbour and $-2$ to the other. This is why we keep the state on the edges.
#
# Now we write the same numbers as matrices. $W_{in}$ has a row for each channel and a column for each edge, and a weight
# exists only where the edge *ends* in the node of the channel. We keep the channels of a node side by side: channel $c$ of node
# $n$ has the number $nC + c$.

# %%
source, target = edge_index
node_of_channel = torch.arange(N).repeat_interleave(C)  # (N*C,): 0 0 1 1
mask_in = (target[None, :] == node_of_channel[:, None]).float()  # (N*C, E)
heard_edge, hearing_channel = win_indices(edge_index, N, C)  # the package's list of the same places
assert mask_in[hearing_channel, heard_edge].all() and mask_in.sum() == len(heard_edge)
mask_in

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 1 · The other mask
#
# ●○○ · 5 minutes
#
# $W_{out}$ turns channels into edges. Write its mask, in which a weight exists where the edge *starts* at
# the node of the channel. Functions have the first numbers, so a source below $N$ is a function node.
#
# <details><summary>Hint 1</summary>
# In <code>W_out @ a</code> the columns are channels. What are the rows, and what is the shape?
# <details><summary>Hint 2</summary>
# The cell above needs two changes: which end of the edge is compared, and which of the two vectors
# becomes a column.
# </details></details>

# %% slideshow={"slide_type": "skip"}
def wout_mask(edge_index, N, C):
    """(2, E) pairs of source and target -> (E, N*C), 1 where W_out has a weight, else 0."""
    raise NotImplementedError


checks.wout_mask(wout_mask);


# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def wout_mask(edge_index, N, C):
#     """1 where W_out has a weight: channel (n, c) writes edge e if e starts at function node n."""
#     source = edge_index[0]  # (E,)
#     node_of_channel = torch.arange(N).repeat_interleave(C)  # (N*C,)
#     return (source[:, None] == node_of_channel[None, :]).float()  # (E, N*C)
# ```
#
# </details>
#
# From here on we use your mask, and fill in the weights that we used above. (As long as an answer is not right yet, the cells
# that follow take the solution in its place.)

# %% slideshow={"slide_type": "skip"}
def yours(check, answer):
    """Your answer if it is right, and the solution as long as it is not."""
    return answer if check.diagnose(answer) is None else check.reference


mask_out = yours(checks.wout_mask, wout_mask)(edge_index, N, C)  # (E, N*C)

W_in = torch.tensor([[0.0, 2, 0, 0, 0], [0, -1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, -1, 0, 0]])
W_out = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [-1, 2, 0, 0], [0, 0, 1, 1]])
assert torch.equal(W_in * mask_in, W_in) and torch.equal(W_out * mask_out, W_out)

# %% slideshow={"slide_type": "skip"}
edge_names = [f"{u.replace('_', '')}→{v.replace('_', '')}" for u, v in edges]
channel_names = [f"f{n + 1}, ch {c + 1}" for n in range(N) for c in range(C)]
figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.7), layout="constrained")
plot_weights(W_in, mask_in, channel_names, edge_names, left)
left.set(title="$W_{in}$", xlabel="from edge", ylabel="to channel")
plot_weights(W_out, mask_out, edge_names, channel_names, right)
right.set(title="$W_{out}$", xlabel="from channel", ylabel="to edge")
plots.show(figure, "W_in, four channels by five edges, and W_out, five edges by four channels; six "
    "weights exist in each, in the blocks that the graph allows, and the other cells are hatched")

# %% [markdown] slideshow={"slide_type": "skip"}
# The hatched places do not exist. The layer is two matrix products, and the numbers of the scalar version should come back.
# The state starts as $x_i$ on the edges that leave input $i$, and as 0 on all others. From now on we have a batch of two
# samples as columns, and the second has $x_1 = -1$.

# %% slideshow={"slide_type": "skip"} tags=["nbval-check-output"]
x = torch.tensor([[1.0, 2.0], [-1.0, 2.0]])  # (B, inputs)
h_0 = torch.zeros(E, 2)
h_0[1], h_0[2] = x[:, 0], x[:, 1]  # (E, B)

h_1 = W_out @ F.relu(W_in @ h_0)  # (E, B)
assert (h_1[0, 0], h_1[3, 0], h_1[4, 0]) == (f_1_to_f_2, f_1_to_y, f_2_to_y)
h_1

# %% [markdown] slideshow={"slide_type": "skip"}
# For training we need a module. It is enough to multiply by the mask in the forward pass: a weight that is multiplied by 0
# gets a gradient of 0, and so it never comes to life.

# %% slideshow={"slide_type": "skip"}
class MaskedLinear(torch.nn.Module):
    """y = (W * mask) x + b, a dense layer without the weights that the graph does not have."""

    def __init__(self, mask):  # (targets, sources)
        super().__init__()
        self.register_buffer("mask", mask)
        self.W = torch.nn.Parameter(torch.zeros_like(mask))
        self.b = torch.nn.Parameter(torch.zeros(len(mask), 1))

    def forward(self, x):  # (sources, B) -> (targets, B)
        return (self.W * self.mask) @ x + self.b


# %% slideshow={"slide_type": "skip"}
lin_in, lin_out = MaskedLinear(mask_in), MaskedLinear(mask_out)
with torch.no_grad():
    lin_in.W.copy_(W_in)
    lin_out.W.copy_(W_out)
out = lin_out(F.relu(lin_in(h_0)))
assert torch.equal(out, h_1)

out.square().sum().backward()
assert not lin_in.W.grad[mask_in == 0].any()

# %% [markdown] slideshow={"slide_type": "skip"}
# The package stores only the weights that exist, as one vector `values` with their `indices`. We switch off what you have not
# met yet, copy our weights in, and expect our numbers. (`node_mlp=False` stays with us throughout. It leaves out a small
# network after the nonlinearity of each node, an extra that the models of this tutorial do without.)

# %% slideshow={"slide_type": "skip"}
plain = dict(nonlin=torch.nn.ReLU, norm="none", add_function_self_edges=False, node_mlp=False)


def fill(model, W_in, W_out):
    """Put dense weights into a GSNN with shared layers."""
    with torch.no_grad():
        for lin, W in [(model.ResBlocks[0].lin_in, W_in), (model.ResBlocks[0].lin_out, W_out)]:
            source, target = lin.indices  # a weight leads from a source to a target
            lin.values.copy_(W[target, source])


one_layer = GSNN(small.edge_index_dict, small.names, channels=C, layers=1, residual=False, **plain)
fill(one_layer, W_in, W_out)
assert torch.equal(one_layer.edge_index, edge_index)
torch.testing.assert_close(one_layer.ResBlocks[0](h_0), h_1)

# %% [markdown] slideshow={"slide_type": "slide"}
# We have written the same layer four times: as scalars, as matrices, as a module, and with the package. How the package makes
# it fast is the subject of [4 · Sparse maps](04_gpu_forward.ipynb), and nothing about the mathematics changes there.
#
# ## 3 · From a layer to a network
#
# **The residual.** Look at rows 1 and 2 of `h_1` above, the edges that leave the inputs. They are 0, because no function node
# writes to them. So after one layer the inputs are gone, and $f_2$ will never see $x_2$ together with what $f_1$ makes of
# $x_1$. The remedy is to keep what was there:
#
# $$h' = W_{out}\, a + b_{out} + \mathrm{relu}(r)\, h$$
#
# Each layer has one learned number $r$, which starts at 1. Training can turn it down, and the relu keeps it from turning a
# message into its opposite.
#
# **Shared layers.** All layers use the same $W_{in}$ and $W_{out}$. So an edge means the same thing whenever a signal comes
# by, and depth costs next to nothing: with more layers we get more hops, and hardly more weights.

# %% tags=["nbval-check-output"]
def count(model):
    return sum(p.numel() for p in model.parameters())


def size(L, share):
    """Parameters of a GSNN with L layers on the graph of the opening figure."""
    edges, names = draw.graph.edge_index_dict, draw.graph.names
    return count(GSNN(edges, names, 8, L, share_layers=share, node_mlp=False))


sizes = pd.DataFrame({f"share_layers={s}": {L: size(L, s) for L in (2, 4, 8)} for s in (True, False)})
sizes.rename_axis("layers L")

# %% [markdown] slideshow={"slide_type": "subslide"}
# What still grows with depth are a few numbers for each layer: its norm and its $r$. On our small graph, the second layer
# therefore repeats the first:

# %% tags=["nbval-check-output"]
r = torch.tensor([1.0, 1.0])  # one per layer
states = [h_0]
for l in range(2):
    states.append(W_out @ F.relu(W_in @ states[l]) + F.relu(r[l]) * states[l])
states[2]

# %% slideshow={"slide_type": "subslide"}
figure, axes = plt.subplots(1, 3, figsize=(10.4, 3.6), layout="constrained")
for l, ax in enumerate(axes):
    title = "start" if l == 0 else f"after layer {l}"
    plot_messages(small, [f"{value:g}" for value in states[l][:, 0].tolist()], ax, title=title)
plots.show(figure, "The first sample's state on the five edges: at the start only the inputs "
    "speak; after layer 1 both functions do; after layer 2 what f1 said has gone through f2 to y")

# %% [markdown]
# Each layer moves the signal by one hop. $x_1$ needs two layers to reach $y$ by way of $f_2$. The messages grow on the way,
# because every layer adds to what is already there.
#
# **The read-out.** An output adds up its in-edges. The sum of $d$ independent messages of size 1 has size $\sqrt d$. So we
# divide it by $\sqrt d$, where $d$ is the in-degree, and then an output with many in-edges is no louder than one with few.
# For the same reason we divide by $\sqrt L$, because $L$ layers have added to each edge. We try it with random numbers:

# %%
rng = np.random.default_rng(0)
sums = {d: rng.standard_normal((20000, d)).sum(1) for d in (1, 4, 16)}
scaled = {"std of sum": {d: s.std() for d, s in sums.items()}}
scaled["sum / d"] = {d: (s / d).std() for d, s in sums.items()}
scaled["sum / sqrt(d)"] = {d: (s / d**0.5).std() for d, s in sums.items()}
pd.DataFrame(scaled).rename_axis("terms d").round(2)

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 2 · Read out
#
# ●●○ · 10 minutes
#
# Turn the state of the edges into the outputs. For each output node, take the sum of its in-edges, and divide it by the root
# of its in-degree and by the root of $L$. Samples come first in the result.
#
# <details><summary>Hint 1</summary>
# The sum over in-edges is again a matrix product. Its matrix has a row for each output and a 1
# where an edge ends in it.
# <details><summary>Hint 2</summary>
# Comparing <code>target[None, :]</code> with <code>outputs[:, None]</code> gives that matrix, and
# its row sums are the in-degrees.
# </details></details>

# %% slideshow={"slide_type": "skip"}
def read_out(h, target, outputs, L):
    """(E, B) -> (B, outputs). target (E,): node in which an edge ends; outputs: the output nodes."""
    raise NotImplementedError


checks.read_out(read_out);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def read_out(h, target, outputs, L):
#     """Sum of each output's in-edges over sqrt(in-degree) and sqrt(L), (E, B) -> (B, outputs)."""
#     ends_in = (target[None, :] == outputs[:, None]).float()  # (outputs, E)
#     degree = ends_in.sum(dim=1, keepdim=True)  # (outputs, 1)
#     return (ends_in @ h / (degree * L).sqrt()).t()
# ```
#
# </details>
#
# We check it by hand for the first sample. The edges into $y$ carry $-4$ and $6$, the in-degree is 2 and $L$ is 2, so
# $y = (-4 + 6) / (\sqrt 2 \sqrt 2) = 1$. Your function and the package, with residual and two layers, agree.

# %% slideshow={"slide_type": "skip"} tags=["nbval-check-output"]
by_hand = (states[2][3] + states[2][4]) / (2**0.5 * 2**0.5)  # (B,)
your_y = yours(checks.read_out, read_out)(states[2], target, torch.tensor([number["y"]]), 2)  # (B, 1)
two_layers = GSNN(small.edge_index_dict, small.names, channels=C, layers=2, **plain)
fill(two_layers, W_in, W_out)
torch.testing.assert_close(your_y[:, 0], by_hand)
torch.testing.assert_close(two_layers(x)[:, 0], by_hand)
by_hand.round(decimals=4)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 4 · The group norm
#
# One ingredient is still missing. Without it, messages grow from layer to layer, as you have just seen. So before the
# nonlinearity we standardise the $C$ channels of each node, in each sample by itself:
#
# $$\hat z_{nc} = \gamma_n \frac{z_{nc} - \bar z_n}{s_n + 0.1} + \beta_n$$
#
# Here $\bar z_n$ and $s_n$ are the mean and the unbiased standard deviation over the channels of node $n$.

# %%
def group_norm(z, gamma, beta):
    """Standardise each node's channels, (N, C, B) -> (N, C, B); gamma and beta are (N,)."""
    mean = z.mean(dim=1, keepdim=True).detach()
    std = z.std(dim=1, keepdim=True).detach()  # unbiased: divided by C - 1
    return gamma[:, None, None] * (z - mean) / (std + 0.1) + beta[:, None, None]


z = torch.randn(3, 8, 5, generator=torch.Generator().manual_seed(0))  # (N, C, B)
package = GroupLayerNorm(nodes=3, channels=8)
torch.testing.assert_close(group_norm(z, package.gamma, package.beta), package(z))

# %% [markdown] slideshow={"slide_type": "subslide"}
# Three details are worth a look. **Why by node?** If the mean ran over all nodes, every node would hear of every other in a
# single layer, and the graph would be decoration. We move node 0 and see who notices.

# %%
moved = z.clone()
moved[0, 0] += 1.0
ones, zeros = torch.ones(3), torch.zeros(3)


def over_all_nodes(z):
    return (z - z.mean((0, 1))) / (z.std((0, 1)) + 0.1)


by_node = (group_norm(moved, ones, zeros) - group_norm(z, ones, zeros)).abs().mean((1, 2))
everywhere = (over_all_nodes(moved) - over_all_nodes(z)).abs().mean((1, 2))
assert by_node[0] > 0 and not by_node[1:].any()
noticed = pd.DataFrame({"norm by node": by_node, "norm over all nodes": everywhere})
noticed.rename_axis("node").round(3)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Why do we add 0.1 to the standard deviation?** A node that hears little has channels of almost equal size, and if we
# divided by their tiny spread, we would blow noise up to full volume. With the 0.1, nothing is enlarged more than tenfold,
# and a whisper stays quieter than a shout:

# %%
def std_after(z, eps):
    return ((z - z.mean()) / (z.std() + eps)).std().item()


shout = torch.tensor([2.0, -1.0, 0.5, 1.0])  # the channels of one node
sounds = {scale: scale * shout for scale in (1, 0.1, 0.01)}
volume = pd.DataFrame({"channel std": {scale: sound.std().item() for scale, sound in sounds.items()}})
for eps in (0.0, 0.1):
    volume[f"after the norm, eps {eps}"] = {scale: std_after(sound, eps) for scale, sound in sounds.items()}
volume.rename_axis("shout times").round(3)

# %% [markdown] slideshow={"slide_type": "subslide"}
# **What does detaching do?** In the backward pass, mean and standard deviation count as constants: we *detach* them. The forward
# pass does not notice this, but the gradient does. The norm makes the mean of the channels 0 whatever $z$ is, so the true gradient
# of their sum is 0. With detached statistics it is not:

# %%
def gradient_of_sum(normalise):
    """The largest entry of d(sum of normalised channels)/dz."""
    leaf = z.clone().requires_grad_()
    normalise(leaf).sum().backward()
    return leaf.grad.abs().max().item()


attached = gradient_of_sum(lambda z: (z - z.mean(1, keepdim=True)) / (z.std(1, keepdim=True) + 0.1))
detached = gradient_of_sum(lambda z: group_norm(z, ones, zeros))
pd.Series({"statistics in the backward pass": attached, "statistics detached": detached}).round(3)

# %% [markdown] slideshow={"slide_type": "skip"}
# We detach them because the reference implementation does, and because we want its numbers. In the backward pass each
# channel is then a plain scaled unit. We pay a price for this: the gradient may ask for a change that the next forward pass
# takes back. Remember it when [5 · Pathway regularizer](05_pathway_regularizer.ipynb) pulls on
# the mean of the channels.
#
# ### Exercise 3 · A whole layer
#
# ●●○ · 15 minutes
#
# Now put it all together. Write one layer with group norm ($\gamma = 1$, $\beta = 0$), ELU and residual, without
# biases. You are given $W_{in}$ and $W_{out}$ as dense masked matrices.
#
# <details><summary>Hint 1</summary>
# Between the two products the channels have to be grouped by node: a view of shape (N, C, B).
# <details><summary>Hint 2</summary>
# Mean and std run over dimension 1 with <code>keepdim=True</code>; torch's <code>std</code> is the
# unbiased one. <code>flatten(0, 1)</code> undoes the view.
# <details><summary>Hint 3</summary>
# The relu belongs to <code>r</code> alone. One of the check's cases has a negative r.
# </details></details></details>

# %% slideshow={"slide_type": "skip"}
def layer(h, W_in, W_out, r, C):
    """(E, B) -> (E, B). W_in is (N*C, E), W_out is (E, N*C), r a tensor with one number."""
    raise NotImplementedError


checks.layer(layer);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def layer(h, W_in, W_out, r, C):
#     """One GSNN layer without biases, (E, B) -> (E, B)."""
#     z = (W_in @ h).view(-1, C, h.shape[1])  # (N, C, B)
#     z = (z - z.mean(dim=1, keepdim=True)) / (z.std(dim=1, keepdim=True) + 0.1)
#     a = F.elu(z)
#     return W_out @ a.flatten(0, 1) + torch.relu(r) * h
# ```
#
# </details>
#
# And here is the whole network on one screen, from edge states to edge states. Each layer has norms and a residual weight of
# its own, and all layers share the two masked maps. Your layer and this network, with one layer, give the same state:

# %% slideshow={"slide_type": "skip"}
class DenseGSNN(torch.nn.Module):
    """The layers of a GSNN on dense masked matrices."""

    def __init__(self, mask_in, mask_out, C, L):
        super().__init__()
        self.C, N = C, len(mask_in) // C
        self.lin_in, self.lin_out = MaskedLinear(mask_in), MaskedLinear(mask_out)
        self.gamma = torch.nn.Parameter(torch.ones(L, N))
        self.beta = torch.nn.Parameter(torch.zeros(L, N))
        self.r = torch.nn.Parameter(torch.ones(L))

    def forward(self, h):  # (E, B) -> (E, B)
        for gamma, beta, r in zip(self.gamma, self.beta, self.r):
            z = self.lin_in(h).view(-1, self.C, h.shape[1])  # (N, C, B)
            a = F.elu(group_norm(z, gamma, beta))
            h = self.lin_out(a.flatten(0, 1)) + F.relu(r) * h
        return h


# %% slideshow={"slide_type": "skip"}
one_dense = DenseGSNN(mask_in, mask_out, C, L=1)
with torch.no_grad():
    one_dense.lin_in.W.copy_(W_in)
    one_dense.lin_out.W.copy_(W_out)
your_layer = yours(checks.layer, layer)(h_0, W_in, W_out, torch.tensor([1.0]), C)
torch.testing.assert_close(your_layer, one_dense(h_0))


# %% [markdown] slideshow={"slide_type": "skip"}
# To compare with the package, we copy every parameter of the model from the opening figure, which has twelve function nodes,
# eight channels and four layers, and which is trained. It also has a self-loop at each function node. This is an edge like
# any other. The residual already keeps each message, and with the self-loop a node can *hear* what it said itself.

# %% slideshow={"slide_type": "skip"}
@torch.no_grad()
def dense_copy(model):
    """A DenseGSNN with the parameters of a GSNN."""
    block, blocks = model.ResBlocks[0], model.ResBlocks
    masks = [torch.zeros(lin.M, lin.N) for lin in (block.lin_in, block.lin_out)]
    for mask, lin in zip(masks, (block.lin_in, block.lin_out)):
        source, target = lin.indices
        mask[target, source] = 1
    dense = DenseGSNN(*masks, model.channels, model.layers)
    for own, lin in [(dense.lin_in, block.lin_in), (dense.lin_out, block.lin_out)]:
        source, target = lin.indices
        own.W[target, source] = lin.values
        own.b.copy_(lin.bias)
    dense.gamma.copy_(torch.stack([b.node.norm.gamma for b in blocks]))
    dense.beta.copy_(torch.stack([b.node.norm.beta for b in blocks]))
    dense.r.copy_(torch.cat([b.residual.weight for b in blocks]))
    return dense


# %% slideshow={"slide_type": "skip"}
dense = dense_copy(trained)
h_start = trained.read_in(draw.x_test.t())  # (E, B): x_i on the edges that leave input i
y_dense = trained.read_out(dense(h_start)).t()  # (B, outputs)
torch.testing.assert_close(y_dense, trained(draw.x_test), rtol=1e-4, atol=1e-4)

# %% slideshow={"slide_type": "skip"} tags=["nbval-check-output"]
kept, possible = len(trained.ResBlocks[0].lin_in.values), dense.lin_in.W.numel()
print(f"W_in: {kept} weights exist, of {possible} in the dense matrix")

# %% [markdown] slideshow={"slide_type": "slide"}
# We get the same numbers, and a hint at why the package does not use dense matrices. Nearly all of their
# places are empty, and on a graph of thousands of nodes almost nothing else would be left.
#
# **The file.** What you have just written is `gsnn_tutorial/gsnn/model.py`, with sparse maps in place of the dense ones.
# What happens inside a node, the group norm among it, has a page of its own in `gsnn_tutorial/gsnn/node.py`. You can read
# both here: run `from gsnn_tutorial.gsnn import model, node` in a new cell, and then `model??` or `node??`.
#
# ## 5 · A signal spreads
#
# What does the wiring do to a signal? We move one input by 1 in all test samples, and look at how
# much the activation of each function node changes, layer by layer. **Predict first:** which nodes will have changed after
# layer 1, and which after layer 2?

# %%
def spread(model, x, i):
    """Mean |change| of each node's activation at each layer when input i moves by 1: (L, N)."""
    moved = x.clone()
    moved[:, i] += 1
    change = model.layer_activations(moved) - model.layer_activations(x)  # (B, L, N, C)
    return change.abs().mean((0, 3)).numpy()


node = "in_0_0"
change = spread(trained, draw.x_test, draw.graph.input_nodes.index(node))
changes = pd.DataFrame(change.T, index=draw.graph.function_nodes, columns=range(1, 5))
changes.rename_axis("node").rename_axis(columns="layer").round(3)

# %% slideshow={"slide_type": "subslide"}
figure, axes = plt.subplots(2, 2, figsize=(11.4, 6.6), layout="constrained")
for l, ax in enumerate(axes.flat):
    plot_spread(draw.graph, change[l], node, ax, largest=change.max())
    ax.set_title(f"layer {l + 1}", fontsize=10)
spread_colorbar(change.max(), list(axes.flat))
plots.show(figure, "The graph at layers 1 to 4 after input in_0_0 was moved: at layer 1 one "
    "function node has changed, and each further layer brings in the nodes one edge further on")

# %% [markdown]
# The blue square with the thick rim is the input that moved. A small hollow circle has not changed at all, not even in the
# last digit. The wiring decides who *can* hear of the change by when, and the weights decide how much they care. We can test
# the first half of that sentence exactly: a node has changed at layer $l$ if and only if it is at most $l$ hops from the
# input.

# %%
hops = nx.single_source_shortest_path_length(draw.graph.networkx(), node)
distance = np.array([hops.get(name, np.inf) for name in draw.graph.function_nodes])  # (N,)
for l in range(trained.layers):
    assert np.array_equal(change[l] > 0, distance <= l + 1)

# %% [markdown] slideshow={"slide_type": "subslide"}
# In JupyterLab, move the slider and choose another input. Which inputs never reach the first pathway, and why?
#
# <details><summary>Answer</summary>
#
# Those that have no path to it. A path follows the arrows, so look at the arrows that end in the first pathway in the opening
# figure, and then go back from where they start. An input that you do not meet on the way is never heard there.
#
# </details>

# %% slideshow={"slide_type": "subslide"} tags=["widget", "nbval-ignore-output"]
def explore(layer=1, node="in_0_0"):
    figure, ax = plt.subplots(figsize=(8.4, 4.4), layout="constrained")
    change = spread(trained, draw.x_test, draw.graph.input_nodes.index(node))
    plot_spread(draw.graph, change[layer - 1], node, ax, largest=change.max())
    plots.show(figure, f"Function nodes changed at layer {layer} after {node} was moved")


interact(explore, layer=(1, 4), node=SelectionSlider(options=draw.graph.input_nodes));

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 6 · Against other models
#
# Is the graph worth anything? To find out, we train a GSNN and three other kinds of model on the same data: a linear model, an
# MLP with about as many parameters as the GSNN, and a graph convolutional network (GCN) on the same graph. The GCN deserves a
# closer look, because it has the same graph and uses it differently.
#
# A graph convolution (Kipf and Welling 2017) keeps a vector at each node. In each layer a node takes a weighted mean of the
# vectors of its neighbours, and *one* matrix, the same at every node, transforms it:
#
# $$H' = \sigma\big(\hat A\, H\, W\big)$$
#
# Here $\hat A$ is the normalised adjacency, which is not learned. Whatever the model learns sits in $W$ and is shared, so we
# can move the model to a graph that it has never seen. The GSNN is the opposite: every edge has weights of its own, and the
# model belongs to its graph.

# %%
class GCN(torch.nn.Module):
    """Four graph convolutions and one linear read-out, the same at all output nodes."""

    def __init__(self, graph, width, names=False):
        super().__init__()
        nodes = graph.input_nodes + graph.function_nodes + graph.output_nodes
        place = {name: i for i, name in enumerate(nodes)}
        self.edge_index = torch.tensor([[place[u], place[v]] for u, v in graph.all_edges]).t()
        self.name = torch.eye(len(nodes)) if names else torch.zeros(len(nodes), 0)
        sizes = [1 + self.name.shape[1], width, width, width, width]
        convs = [GCNConv(i, o, cached=True) for i, o in zip(sizes, sizes[1:])]
        self.convs = torch.nn.ModuleList(convs)
        self.read, self.outputs = torch.nn.Linear(width, 1), len(graph.output_nodes)

    def forward(self, x):  # (B, inputs) -> (B, outputs)
        value = F.pad(x, (0, len(self.name) - x.shape[1]))[:, :, None]  # (B, nodes, 1)
        h = torch.cat([value, self.name.expand(len(x), -1, -1)], dim=2)  # (B, nodes, features)
        for conv in self.convs:
            h = F.elu(conv(h, self.edge_index))
        return self.read(h[:, -self.outputs :]).squeeze(2)


# %% [markdown] slideshow={"slide_type": "subslide"}
# An input node starts with its value, and all others start with 0. With `names=True` we also give each node a one-hot vector
# that says which node it is. Why would it need one? We take the graph without spurious edges, where the four pathways look
# alike, and we show all four the same two numbers. The simulation answers with four different functions. **Predict first:**
# what can the models answer?

# %%
clean = draw.graph.without_spurious_edges()
torch.manual_seed(0)
models = {
    "GCN": GCN(clean, 15),
    "GCN + names": GCN(clean, 12, names=True),
    "GSNN": GSNN(clean.edge_index_dict, clean.names, 8, 4, node_mlp=False),
}
same = torch.randn(64, 1, 2).expand(64, 4, 2).reshape(64, 8)  # the same two values, four times
with torch.no_grad():
    answers = {name: model(same).view(64, 4, 2) for name, model in models.items()}  # (B, P, 2)
between = {name: y.std(dim=1).mean().item() for name, y in answers.items()}
assert between["GCN"] < 1e-6 < min(between["GCN + names"], between["GSNN"])
pd.Series(between, name="std between pathways").round(3)

# %% [markdown] slideshow={"slide_type": "subslide"}
# A plain GCN gives the same answer to all four, before training and after, because nothing in it differs between the
# pathways. It can tell nodes apart only if their features or their surroundings differ. This is a virtue for molecules, where
# we want to treat all carbon atoms alike, and it is a handicap here, where every node does something of its own. With names
# it can tell them apart.
#
# Now we set up all competitors. There are six of them, since the GCN comes without and with names, and since we add a second
# GSNN whose inputs are plugged into the neighbouring pathway. It has as many parameters as the first, but its map is wrong.
#
# **Predict first.** Which of the six will come closest to the noise floor, and which will not beat a straight line? And where
# will the GSNN with the wrong wires end up?

# %%
def competitors(graph, seed):
    """All models, with parameter counts as close to the GSNN's as their widths allow."""
    torch.manual_seed(seed)
    edges = dict(graph.edge_index_dict)
    inputs, functions = edges["input", "to", "function"]
    wrong = edges | {("input", "to", "function"): torch.stack([(inputs + 2) % 8, functions])}
    return {
        "linear": torch.nn.Linear(8, 8),
        "MLP": torch.nn.Sequential(torch.nn.Linear(8, 48), torch.nn.ELU(), torch.nn.Linear(48, 8)),
        "GCN": GCN(graph, 15),
        "GCN + names": GCN(graph, 12, names=True),
        "GSNN": GSNN(edges, graph.names, 8, 4, node_mlp=False),
        "GSNN, wrong wires": GSNN(wrong, graph.names, 8, 4, node_mlp=False),
    }


# %% tags=["nbval-check-output"]
counts = {name: count(model) for name, model in competitors(draw.graph, 0).items()}
pd.Series(counts, name="parameters").to_frame()

# %% [markdown] slideshow={"slide_type": "subslide"}
# How long should each of them train? A small network on 256 samples can overfit, and another may need more time, so any fixed
# number of epochs would favour somebody. And the test set must not choose. So we hold out 64 of the training rows, train on
# the other 192, and note the epoch with the smallest error on the held-out rows. Then we train a fresh copy for that long on
# all 256 rows, and only this one meets the test set.

# %%
def fit(model, draw, epochs=200):
    """Train for as many epochs as 64 held-out rows call for; the model and the validation curve."""
    fresh = copy.deepcopy(model)
    x, y = draw.x_train, draw.y_train
    held_out = dict(x_test=x[192:], y_test=y[192:])
    watched = train(model, x[:192], y[:192], **held_out, epochs=epochs, progress=False)
    best = int(np.argmin(watched.test_mse)) + 1
    train(fresh, x, y, epochs=best, progress=False)
    return fresh, watched.test_mse


# %% [markdown] slideshow={"slide_type": "subslide"}
# We take three seeds, which means three draws of data, spurious edges and initial weights, and we draw the noise floor into
# both figures. (It is the floor of the test rows. That of the validation rows, on the left, is nearly the same.) This is not a
# study, but it is enough to see how much moves by luck. (The cell takes longer than the others, since it
# trains 36 models.)

# %%
SEEDS = (0, 1, 2)
fitted, errors, floors = {}, {}, {}
for seed in SEEDS:
    data = problem.draw(seed)
    fitted[seed] = {name: fit(m, data) for name, m in competitors(data.graph, seed).items()}
    errors[seed] = {name: mse(m, data.x_test, data.y_test) for name, (m, _) in fitted[seed].items()}
    floors[seed] = data.floor  # the test error of the best possible prediction, as in chapter 2
errors = pd.DataFrame(errors).rename_axis(columns="seed")

# %% slideshow={"slide_type": "subslide"}
curves = {name: curve for name, (_, curve) in fitted[0].items()}
figure, (left, right) = plt.subplots(1, 2, figsize=(12.4, 4.0), layout="constrained")
plot_validation(curves, left, floor=draw.floor)
plot_models(errors, list(floors.values()), right)
plots.show(figure, "Left, validation error by epoch for one seed, each model's best epoch marked. "
    "Right, test error of six models in three seeds; the GSNN is closest to the noise floor")

# %%
ranking = errors.assign(mean=errors.mean(axis=1), parameters=counts)
ranking.loc["noise floor"] = pd.Series(floors | {"mean": np.mean(list(floors.values()))})
ranking["parameters"] = ranking["parameters"].astype("Int64")
ranking.round(3)


# %% [markdown] slideshow={"slide_type": "slide"}
# In each of the three seeds the GSNN comes closest to the floor, and the MLP is next. The plain GCN does worse than a
# straight line in each of them, and names help it, but not enough to reach the MLP. The same GSNN with the wrong
# wires falls behind the MLP and, in two of the seeds, behind the straight line. So a map helps as far as it is right.
#
# We should also say what this does not show. We simulated the data along this very graph, so the GSNN was handed the truth
# with eight false edges on top, and real maps are worse. Three seeds show a gap that is wider than its scatter, and no more.
# We tuned nobody's learning rate or depth, a GCN with residuals may do better, and where a best epoch lies at the end of its
# curve, more epochs would have helped. All that we take from here is that a right map is worth a lot with 256 samples.
#
# ## 7 · Relatives
#
# The idea of wiring a network by what we know about cells has several parents. Such models are often called *visible*
# networks, because their units have names. They differ in what the graph is, what a node is, and how signals run.
#
# | Model | The graph | A node is | Signals run |
# |---|---|---|---|
# | DCell (Ma et al. 2018) | the hierarchy of the Gene Ontology | a bank of neurons for a subsystem | once, from genes up to the root, growth |
# | KPNN (Fortelny and Bock 2020) | signalling and gene regulation, no cycles | one neuron for a protein or gene | once, from gene expression to an outcome |
# | P-NET (Elmarakeby et al. 2021) | the hierarchy of Reactome | one neuron for a gene, pathway or process | once, from genes through ever larger pathways to a clinical outcome |
# | LEMBAS (Nilsson et al. 2022) | signalling, with cycles | one number for a molecule, one weight for an interaction | again and again, to a steady state |
# | GSNN (Evans et al. 2024) | any directed graph, with cycles | $C$ private channels, and one message for each out-edge | $L$ times, one hop each |
#
# We can lay a hierarchy out in levels, and make a layer of each level. This is what masks are used for in DCell and P-NET. A
# signalling network has loops and no levels, and so LEMBAS and the GSNN apply one map over and over. The GSNN is not alone in
# keeping its state on edges: directed message passing on molecules (Yang et al. 2019) keeps it on bonds, but with one set of
# weights for all bonds, as in a GCN. What makes a GSNN is state on edges *and* weights for each edge.
#
# Does the knowledge help in such models, or only the sparsity that comes with it? A comparison of
# published pathway-informed networks with randomised copies of themselves found that the copies
# often did as well (Caranzano et al. 2025). This is why we had a row with wrong wires, and why you will meet a shuffled
# control in the chapters to come.
#
# ## 8 · What one edge does
#
# A visible network invites us to look. We gave the model of the opening figure eight true edges between functions and eight
# spurious ones. Which of them does it use? We could look at the weights, at the norm of each edge's column of $W_{in}$. Or we
# could try it out: we silence one edge, so that nobody hears its message, and see how far the outputs move.
#
# **Predict first.** Which edge will move the outputs most when you silence it: one at the head of a
# chain or one at its tail, and in which of the four pathways? And will all eight spurious edges come
# after all eight true ones? Write your guesses down; the table below answers them.

# %%
@torch.no_grad()
def effect_of_silence(model, x, replacement):
    """Mean squared change of the outputs for each function edge, its message replaced."""
    lin_in, (source, target) = model.ResBlocks[0].lin_in, model.edge_index
    y, effects = model(x), []
    for edge in (model.function_edge_mask & (source != target)).nonzero().flatten():
        def silence(module, inputs):
            h = inputs[0].clone()  # (E, B)
            h[edge] = replacement(h[edge])
            return (h,)

        hook = lin_in.register_forward_pre_hook(silence)  # W_in is shared: every layer is silenced
        effects.append((model(x) - y).square().mean().item())
        hook.remove()
    return np.array(effects)


# %% slideshow={"slide_type": "subslide"}
is_true = draw.graph.function_edge_is_true
silent = effect_of_silence(trained, draw.x_test, lambda message: 0.0)
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.5), layout="constrained")
plot_true_spurious(edge_norms(trained), is_true, "norm of the edge's $W_{in}$", left)
plot_true_spurious(silent, is_true, "change when set to 0", right, floor=1e-4)
plots.show(figure, "Left, the norms of true and spurious edges overlap widely. Right, on a log "
    "scale, the effect of silencing: large for true edges, small for spurious ones but for one")

# %% [markdown]
# The weights tell us little, because a large weight may listen to a message that hardly varies, and the norm that follows may
# make up for a small one. Silence tells us more. But one spurious edge is ranked among the true ones. Which is it?

# %%
functions = set(draw.graph.function_nodes)
function_edges = [edge for edge in draw.graph.all_edges if functions.issuperset(edge)]
effects = pd.DataFrame({"true": is_true, "set to 0": silent})
effects.index = pd.Index([f"{u} → {v}" for u, v in function_edges], name="edge")
effects.sort_values("set to 0", ascending=False).head(4).round(2)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Among the true edges, it is the one at the head of the half square's chain (pathway 1) that moves the outputs most.
# Has the model fallen for the spurious one behind it? Think of what a message is made of: its mean over the samples,
# and what varies from sample to sample. When we set it to 0, we take both away. But a constant tells us nothing about
# a sample. The receiver has merely got used to it, as to a bias. To take away only what the message *tells*, we
# replace it by its mean.

# %%
told = effect_of_silence(trained, draw.x_test, lambda message: message.mean())
for on_screen, keep_mean in [(silent, False), (told, True)]:
    package = edge_effects(trained, draw.x_test, keep_mean=keep_mean)
    np.testing.assert_allclose(on_screen, package, rtol=1e-4, atol=1e-7)
effects["set to its mean"] = told
effects.sort_values("set to 0", ascending=False).head(4).round(3)

# %% slideshow={"slide_type": "subslide"}
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.5), sharey=True, layout="constrained")
plot_true_spurious(silent, is_true, "change when set to 0", left, floor=1e-4)
plot_true_spurious(told, is_true, "change when set to its mean", right, floor=1e-4)
plots.show(figure, "Left, messages set to 0, as before. Right, on the same scale, set to their "
    "mean: every true edge now lies far above every spurious one")

# %% [markdown]
# The exception is gone, so that edge served as a bias. When we keep the mean, what is left is what an edge tells, and this is
# what the opening figure draws. The true edges now lie close together: head or tail, each of them is needed to pass the signal
# on. To put a number on how well we can tell the two kinds apart, we take the AUC, which is the chance that a true edge, picked
# at random, ranks above a spurious one. Here 0.5 is guessing. We compute it for the model of the opening figure and for the
# GSNNs of section 6, which stopped at their best epoch, and we compute it for the norms before any training, too.

# %%
def edge_aucs(model, seed):
    """How well four scores of an edge tell true ones from spurious ones."""
    data = problem.draw(seed)
    edge_scores = {
        "norm, untrained": edge_norms(competitors(data.graph, seed)["GSNN"]),
        "norm": edge_norms(model),
        "set to 0": effect_of_silence(model, data.x_test, lambda message: 0.0),
        "set to its mean": effect_of_silence(model, data.x_test, lambda message: message.mean()),
    }
    return {name: roc_auc_score(data.graph.function_edge_is_true, s) for name, s in edge_scores.items()}


aucs = {"opening figure": edge_aucs(trained, 0)}
aucs |= {f"section 6, seed {seed}": edge_aucs(fitted[seed]["GSNN"][0], seed) for seed in SEEDS}
pd.DataFrame(aucs).rename_axis("AUC, true against spurious").rename_axis(columns="model").round(2)

# %% [markdown] slideshow={"slide_type": "slide"}
# The norms tell the two kinds apart somewhat, but they do so before any training, when they reflect nothing but the degrees
# of the nodes and the luck of the start. Setting a message to 0 does far better. It is fooled once, in the model of the opening
# figure, which we trained on without stopping it. Setting a message to its mean puts every true edge above every spurious one,
# in all four models. You should keep two things in mind. We can check this only because we made the data. And the method says
# what a model *uses*: if a model leans on a false edge for information, it will say that too, and rightly so.
#
# ## 9 · What one node has learned
#
# An edge is used or it is not. A node computes something. In chapter 2 we made the data with four
# functions, one at the head of each chain, and the model was never told which. Can we look inside a
# node and find its function?
#
# We can, because a function node depends on nothing but the messages that it hears. The package's
# `NodeAlone` takes one node out of a model. You give it the messages, and it returns what the node
# says in one layer.

# %%
head = NodeAlone(trained, "f_1_0", layer=1)
print("hears", head.hears)
print("tells", head.tells)

# %% [markdown] slideshow={"slide_type": "subslide"}
# In layer 1 only the inputs speak, and all other messages are 0. So we let the two inputs run over a
# square and listen to what the head of each chain tells the next node of its chain.
#
# **Predict first.** Of tanh, the half square, the cosine and the cubic, which does its node know best,
# and which worst? Think of the group norm, which stands between what a node hears and what it says.

# %% slideshow={"slide_type": "subslide"}
def what_it_says(model, p):
    """The message of the head of chain p to the next node, for all pairs of inputs of the square."""
    node = NodeAlone(model, f"f_{p}_0", layer=1)
    messages = torch.zeros(len(pairs), len(node.hears))
    for i in range(2):
        messages[:, node.hears.index(f"in_{p}_{i}")] = torch.tensor(pairs[:, i], dtype=torch.float32)
    return node(messages)[:, node.tells.index(f"f_{p}_1")].numpy()


pairs = plane()
by_pathway = dict(enumerate(pathway_functions(draw.graph).values()))
made = {f.__name__.replace("_", " "): f(list(pairs.T)) for f in by_pathway.values()}
learned = {name: what_it_says(trained, p) for p, name in enumerate(made)}
plots.show(plot_learned(made, learned), "Four functions of two inputs as maps, above as they made the "
    "data and below as the first node of each chain has learned them: tanh, half square and cosine "
    "come back in shape, the cubic only in part")

# %% [markdown]
# A message may have any sign and any size, since the next node weighs it as it likes. So we shifted and
# rescaled each message to fit the true function best, and the title gives the correlation of the two.
# Nobody showed the model these functions. It found them, more or less closely, because each of them had
# one place in the graph where it could live.
#
# The cubic comes out worst. Is it the group norm? A cubic rises steeply where its inputs are large, and
# the norm brings loud and quiet channels to the same size. We can ask the model: we train it once more
# without a norm, from the same start, and compare.

# %%
bare = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, norm="none",
            generator=torch.Generator().manual_seed(0))  # fmt: skip
train(bare, draw.x_train, draw.y_train, epochs=200, progress=False)


def likeness(model):
    """|r| of each learned function with the one that made the data."""
    return {name: abs(np.corrcoef(what_it_says(model, p), values)[0, 1])
            for p, (name, values) in enumerate(made.items())}  # fmt: skip


with_and_without = {"with the group norm": likeness(trained), "without a norm": likeness(bare)}
pd.DataFrame(with_and_without).T.rename_axis("first nodes of the chains, |r|").round(2)

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Answer</summary>
#
# With the norm, the node of tanh knows its function best and that of the cubic knows it worst. Without the
# norm the cubic gains, so the norm does stand in its way. But look at the other columns: in this run, the
# half square and above all the cosine lose much more than the cubic gains. This is one run. If you want to
# know how much of it is luck, change the seeds of `draw`, `trained` and `bare`, and run the chapter again.
#
# </details>
#
# ## 10 · Train it yourself
#
# Real measurements contain mistakes: a sample is swapped, or a reading slips. The squared error
# listens to such rows most of all, because a distance of 10 counts a hundred times as much as a
# distance of 1. A loss that you write yourself can do better.
#
# ### Exercise 4 · A loss of your own
#
# ●●○ · 10 minutes
#
# Write Huber's loss. Let $d = |\hat y - y|$ be the distance of one prediction. Up to a distance of 1 it
# counts $d^2 / 2$, and beyond that it goes on as a straight line, $d - 1/2$. The loss is the mean over
# all samples and outputs.
#
# <details><summary>Hint 1</summary>
#
# Compute both versions for all entries, and choose between them.
#
# <details><summary>Hint 2</summary>
#
# `torch.where(condition, a, b)` takes `a` where the condition holds, and `b` elsewhere.
#
# </details></details>

# %% slideshow={"slide_type": "skip"}
def huber(prediction, y):
    """Predictions and targets, (B, outputs) each -> one number, through which gradients flow."""
    raise NotImplementedError


checks.huber(huber);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def huber(prediction, y):
#     """Mean over samples and outputs of d^2 / 2 where |d| is at most 1, and of |d| - 1/2 elsewhere."""
#     d = (prediction - y).abs()
#     return torch.where(d <= 1, d.square() / 2, d - 0.5).mean()
# ```
#
# </details>
#
# Now train with it. We ruin twelve of the 256 training rows, and train the same model twice, once with
# the squared error and once with your loss. (As long as your answer is not right yet, the cell takes
# the solution.) Both are judged by the MSE on test rows that nobody has touched.

# %% slideshow={"slide_type": "skip"}
my_loss = yours(checks.huber, huber)
ruined = draw.y_train.clone()
chance = torch.Generator().manual_seed(0)
rows_hit = torch.randperm(len(ruined), generator=chance)[:12]
ruined[rows_hit] += 8 * torch.randn(12, ruined.shape[1], generator=chance)

judged = {}
for name, loss in {"squared error": F.mse_loss, "your loss": my_loss}.items():
    same_start = torch.Generator().manual_seed(0)
    robust = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=same_start)
    train(robust, draw.x_train, ruined, criterion=loss, epochs=200, progress=False)
    judged[name] = mse(robust, draw.x_test, draw.y_test)
judged |= {"squared error, no row ruined": mse(trained, draw.x_test, draw.y_test), "noise floor": draw.floor}
pd.Series(judged, name="test MSE").round(3).to_frame()

# %% [markdown] slideshow={"slide_type": "slide"}
# With the squared error, a few ruined rows cost the model a good part of what it had learned. With your loss, it does nearly
# as well as if nothing had been ruined.
#
# This model is yours. Silence its edges, take out its nodes, or write another loss: `edge_effects`,
# `NodeAlone` and `train` take any model of this chapter.
#
# ## Recap
#
# 1. The state of a GSNN is one number for each edge, the message that its source sends. A function
#    node turns its in-edges into $C$ channels, and the channels into its out-edges.
# 2. $W_{in}$ and $W_{out}$ are dense layers with a mask: weights exist where an edge ends in a
#    node, and where it starts at one. Scalars, matrices, module and package gave us the same numbers.
# 3. The residual keeps inputs alive, shared layers turn depth into hops, the roots of $L$ and of
#    the in-degree keep the scale of sums, and the group norm calms each node without letting it
#    hear others.
# 4. An MLP has no map, a GCN has the map and one rule for all nodes, and a GSNN has the map and
#    weights for every edge. With a right map it came closest to the floor, and with a wrong one it
#    lost.
# 5. Norms of weights say little about use. Silence an edge and see what happens, but keep its mean, or a bias will
#    pass for a signal. Take a node out, and you can look at the function that it has learned.
#
# **Next:** our dense matrices are nearly empty. In [4 · Sparse maps](04_gpu_forward.ipynb) you compute
# the same layer in three ways, and find out which of them carries a graph of ten thousand nodes.
#
# ## References
#
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv
#   2024.02.28.582164.
# * Wu and He 2018, *Group Normalization*, ECCV; Ba, Kiros and Hinton 2016, *Layer Normalization*,
#   arXiv 1607.06450.
# * He, Zhang, Ren and Sun 2016, *Deep Residual Learning for Image Recognition*, CVPR.
# * Kipf and Welling 2017, *Semi-Supervised Classification with Graph Convolutional Networks*,
#   ICLR.
# * Caranzano et al. 2025, *Sparsity is All You Need: Rethinking Biological Pathway-Informed
#   Approaches in Deep Learning*, arXiv 2505.04300.
# * Fey and Lenssen 2019, *Fast Graph Representation Learning with PyTorch Geometric*, ICLR
#   workshop.
# * Yang et al. 2019, *Analyzing Learned Molecular Representations for Property Prediction*,
#   Journal of Chemical Information and Modeling 59.
# * Ma et al. 2018, *Using deep learning to model the hierarchical structure and function of a
#   cell*, Nature Methods 15.
# * Fortelny and Bock 2020, *Knowledge-primed neural networks enable biologically interpretable
#   deep learning on single-cell sequencing data*, Genome Biology 21.
# * Elmarakeby et al. 2021, *Biologically informed deep neural network for prostate cancer
#   discovery*, Nature 598.
# * Nilsson et al. 2022, *Artificial neural networks enable genome-scale simulations of
#   intracellular signaling*, Nature Communications 13.
