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
# # Assignment 3 · A GSNN layer
#
# We put the inputs on edges. Then each node listens to the edges that end in it, calms its channels down, and
# speaks again. This is a layer, and here you write it piece by piece, for any graph. You begin by hand, you go
# on with a module, and in the end you train a model, which has to beat a straight line.
#
# **You will be able to**
#
# 1. put a batch of inputs on the edges, and apply $W_{in}$ message by message;
# 2. normalise the channels of each node, however many it has;
# 3. assemble a layer as a module whose every parameter is found and trained;
# 4. train a model, and hold its test error against that of a linear model.
#
# **Before you start:** chapters 3, *The GSNN*, and 4, *Sparse maps*. **Time:** 45 to 60 minutes;
# 20 points; it runs in seconds.
#
# **How it works.** Replace each `raise NotImplementedError` by your answer, and run the cell below it. It
# tells you that you are *right*, or what went wrong. You may add cells, and you may change your answers as
# often as you like. If you see a button *Validate*, you can ignore it, because only what the check cells print
# counts. When we grade, we run your notebook from top to bottom, on the data of these checks and on other data. So write
# functions that work for any graph and any model. Each exercise counts by itself, and its function gets all
# that it needs as arguments. Data come as torch tensors: `edge_index` holds integers (long), and all others hold
# floats. Use loops, NumPy or torch, as you like. If you prefer NumPy, begin with `x = x.numpy()`, and so on.
# Only exercises 4 and 6 need torch.

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
import torch.nn.functional as F

from gsnn_tutorial import GSNN, PathwayGraph, Problem, plots
from gsnn_tutorial.graph import Node
from gsnn_tutorial.plots.chapter_3 import plot_messages

SEED = 2026  # the data, and what the checks ask, follow from it

# %% [markdown]
# ## The graph
#
# For the examples in the text we use a graph that fits in your head. It has the functions 0 and 1, the inputs 2
# and 3, and the output 4. As always, we number the functions first, then the inputs, then the outputs. An edge is a
# column of `edge_index`, with its source in row 0 and its target in row 1. This time the edges are in no
# particular order, here and in the checks. Whether there are self-loops makes no difference.

# %%
tiny = torch.tensor([[2, 0, 2, 0, 3, 1],
                     [0, 4, 1, 1, 1, 4]])  # (2, E)
places = [(0, 1), (1.6, 0.4), (0, 2), (1.6, 1.8), (0.4, -0.7)]
types = ["function", "function", "input", "input", "output"]
nodes = tuple(Node(str(n), types[n], 0, places[n]) for n in range(5))
small = PathwayGraph(nodes, tuple((str(u), str(v)) for u, v in tiny.T.tolist()))
figure, ax = plt.subplots(figsize=(3.6, 3.9), layout="constrained")
plot_messages(small, [f"edge {e}" for e in range(6)], ax)
plots.show(figure, "Input 2 leads to functions 0 and 1 by edges 0 and 2, input 3 to function 1 by edge 4; "
           "function 0 leads to output 4 by edge 1 and to function 1 by edge 3; function 1 to output 4 by edge 5")

# %% [markdown]
# ## 1 · By hand
#
# ### Exercise 1 · Reading in
#
# ●○○ · 5 minutes · 2 points
#
# The state of a GSNN is one number for each edge and sample, $(E, B)$. At the start only the inputs speak. Every
# edge that leaves input $i$ carries $x_i$, and all other edges carry 0. You get the inputs as a batch, with
# the samples first, and column $i$ of `x` belongs to node $N + i$. An input may have several edges, or none.
#
# For example, in the tiny graph the sample $x = (7, 8)$ becomes the column 7, 0, 7, 0, 8, 0.

# %% nbgrader={"grade": false, "grade_id": "read_in", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def read_in(x, edge_index, N):
    """Inputs (B, I), edges (2, E) and the number of function nodes -> the state at the start, (E, B)."""
    ### BEGIN SOLUTION
    source = edge_index[0]
    leaves_input = (source >= N) & (source < N + x.shape[1])
    h = torch.zeros(len(source), len(x))
    h[leaves_input] = x.T[source[leaves_input] - N]
    return h
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "read_in-test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_3 as checks

checks.read_in(read_in, SEED);
### BEGIN HIDDEN TESTS
checks.read_in.grade(read_in, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · $W_{in}$ without a matrix
#
# ●●○ · 12 minutes · 4 points
#
# A function node has $C$ channels, and channel $c$ of node $n$ has number $nC + c$. Each channel takes its own
# bias, and it adds weight times message for every edge that ends in its node:
#
# $$z_{nC+c} = b_{nC+c} + \sum_{e \text{ ends in } n} w_{ec}\, h_e$$
#
# The package keeps the weights in one long tensor. It runs over the edges that end in a *function* node, in
# their order, and for each of them over its $C$ weights. An edge into an output has no weight.
# A node that hears nothing is left with its bias.
#
# For example, the tiny graph with $C = 2$ has eight weights, which belong to the edges 0, 2, 3 and 4. Let the
# weights be 1, 2, 3, 4, 5, 6, 7, 8 and the biases 0, 0, 0, 1, and take one sample, $h = (1, 9, 1, 2, 3, 9)$. Then
# node 0 gets $1 \cdot 1$ and $2 \cdot 1$, and altogether $z = (1, 2, 34, 41)$.
#
# <details><summary>Hint</summary>
#
# Two loops and a counter that moves on with each weight are a good answer. If you prefer to do without loops, first
# pick the edges that end in a function node. `values.view(-1, C)` has a row for each of them, and `index_add`
# adds up the messages that go to the same channel.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "hear", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def hear(h, values, bias, edge_index, N, C):
    """State (E, B), weights (number,), biases (N*C, 1), edges (2, E), function nodes, channels -> (N*C, B)."""
    ### BEGIN SOLUTION
    edges = (edge_index[1] < N).nonzero().flatten()  # (k,) that end in a function node
    messages = values.view(-1, C, 1) * h[edges, None]  # (k, C, B)
    channel = edge_index[1, edges, None] * C + torch.arange(C)  # (k, C)
    z = bias.repeat(1, h.shape[1])
    return z.index_add(0, channel.flatten(), messages.flatten(0, 1))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "hear-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_3 as checks

checks.hear(hear, SEED);
### BEGIN HIDDEN TESTS
checks.hear.grade(hear, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3 · A norm for nodes of any size
#
# ●●○ · 10 minutes · 4 points
#
# Chapter 3 gave every node the same number of channels, and its norm could view them as $(N, C, B)$.
# Now suppose that important proteins get more channels, so that node $n$ has `channels[n]` of them, at least two.
# The rows of `z` are the channels, those of node 0 first, then those of node 1, and so on. The norm treats each
# sample by itself. It turns row $k$, which belongs to node $n$, into
#
# $$\gamma_n \frac{z_k - \bar z_n}{s_n + 0.1} + \beta_n$$
#
# where $\bar z_n$ is the mean and $s_n$ the unbiased standard deviation (divided by `channels[n]` $- 1$) of the
# node's own channels in that sample.
#
# For example, a single node with $z = (1, 2, 3)$ has $\bar z = 2$ and $s = 1$. With $\gamma = 2.2$ and
# $\beta = 5$ it becomes $(3, 5, 7)$.

# %% nbgrader={"grade": false, "grade_id": "group_norm", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def group_norm(z, channels, gamma, beta):
    """z (sum of channels, B), `channels`: a list of N counts, gamma and beta (N,) -> (sum of channels, B)."""
    ### BEGIN SOLUTION
    groups = []
    for group, g, b in zip(z.split(channels), gamma, beta):
        groups.append(g * (group - group.mean(dim=0)) / (group.std(dim=0) + 0.1) + b)
    return torch.cat(groups)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "group_norm-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_3 as checks

checks.group_norm(group_norm, SEED);
### BEGIN HIDDEN TESTS
checks.group_norm.grade(group_norm, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · The module
#
# ### Exercise 4 · A layer
#
# ●●○ · 12 minutes · 4 points
#
# Now you build a layer that can be trained. We give you its parts as modules. The two maps are `lin_in`, from $(E, B)$
# to $(NC, B)$, and `lin_out`, from $(NC, B)$ to $(E, B)$, and both have their biases in them. The `norm` takes and
# gives $(N, C, B)$. Channel $c$ of node $n$ is row $nC + c$ again. What is missing is the module around them,
# which computes
#
# $$h' = \mathrm{lin_{out}}\big(\mathrm{ELU}(\mathrm{norm}(\mathrm{lin_{in}}(h)))\big) + \mathrm{relu}(r)\, h$$
#
# The layer has a parameter of its own, called `r`, which holds one number and starts at 1. Return such a
# module, which is an instance of a class that you write. The check calls it with states, sets its `r` to other
# numbers, and looks whether `parameters()` finds everything that we want to train.
#
# <details><summary>Hint</summary>
#
# You may write the class inside the function, or in a cell of its own above. Torch finds parameters and modules
# if you set them as attributes in `__init__`, after you have called the `__init__` of `torch.nn.Module`.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "layer", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def layer(lin_in, norm, lin_out, N):
    """Three modules and the number of function nodes -> a torch.nn.Module, (E, B) -> (E, B)."""
    ### BEGIN SOLUTION
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lin_in, self.norm, self.lin_out = lin_in, norm, lin_out
            self.r = torch.nn.Parameter(torch.tensor(1.0))

        def forward(self, h):
            z = self.lin_in(h).view(N, -1, h.shape[1])  # (N, C, B)
            a = F.elu(self.norm(z))
            return self.lin_out(a.flatten(0, 1)) + F.relu(self.r) * h

    return Layer()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "layer-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_3 as checks

checks.layer(layer, SEED);
### BEGIN HIDDEN TESTS
checks.layer.grade(layer, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# A whole GSNN is `read_in`, $L$ such layers that share the two maps, and the read-out of chapter 3. The model of
# the package is built like that, and we use it from here on.
#
# ## 3 · A training run
#
# ### Exercise 5 · The bar
#
# ●○○ · 6 minutes · 2 points
#
# If a deep model does not beat a linear one, it was not worth the trouble. So we fit the linear model first.
# Fit $\hat y = W x + b$, with the intercept $b$, to the training rows by plain least squares, and return its
# MSE on the test rows. This is one number, the mean of the squared differences over all rows and all outputs.
# Neither `x` nor `y` need have mean 0.

# %% nbgrader={"grade": false, "grade_id": "linear_mse", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def linear_mse(x_train, y_train, x_test, y_test):
    """Inputs (rows, I) and outputs (rows, O), of training and of test -> the test MSE of least squares."""
    ### BEGIN SOLUTION
    def with_ones(x):
        return torch.cat([x, torch.ones(len(x), 1)], dim=1)

    W = torch.linalg.lstsq(with_ones(x_train), y_train).solution
    return F.mse_loss(with_ones(x_test) @ W, y_test)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "linear_mse-test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_3 as checks

checks.linear_mse(linear_mse, SEED);
### BEGIN HIDDEN TESTS
checks.linear_mse.grade(linear_mse, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6 · Training
#
# ●●○ · 10 minutes · 4 points
#
# Train any model, in place, with `torch.optim.Adam`. Set its learning rate to `lr`, and leave its other settings
# as they are. In each of the `epochs`, take one step on all training rows together, and run the model on
# them just once. The loss is the MSE, the mean over rows and outputs. In the end, run the trained model
# on the test rows. Return a pair:
#
# * a list with the loss of every epoch, as it was *before* the step of that epoch;
# * the MSE on the test rows after the last step.
#
# Some modules, for example dropout, behave differently in training mode and in evaluation mode. Train in training
# mode and test in evaluation mode. You may get the model in either of the two. In the check it is a small GSNN
# with `norm="batch"`, whose norm depends on the mode too.

# %% nbgrader={"grade": false, "grade_id": "fit", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def fit(model, x_train, y_train, x_test, y_test, epochs, lr):
    """A model, training and test rows, and settings -> (list of training losses, test MSE)."""
    ### BEGIN SOLUTION
    losses = []
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    for _ in range(epochs):
        loss = F.mse_loss(model(x_train), y_train)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        return losses, F.mse_loss(model(x_test), y_test).item()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "fit-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_3 as checks

checks.fit(fit, SEED);
### BEGIN HIDDEN TESTS
checks.fit.grade(fit, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### The race
#
# Now we use your last two functions on the GSNN of the package, on a new draw of the problem of chapter 3. The noise
# floor is the test error of the best possible prediction. There is nothing to answer here. Look where the GSNN ends
# between the linear model and the floor, and how far its test error lies from its training loss.

# %% nbgrader={"grade": false, "grade_id": "race", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if checks.linear_mse.diagnose(linear_mse, SEED) or checks.fit.diagnose(fit, SEED):
    print("The race starts when exercises 5 and 6 are right.")
else:
    draw = Problem().draw(seed=SEED)
    data = draw.x_train, draw.y_train, draw.x_test, draw.y_test
    start = torch.Generator().manual_seed(SEED)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    line = float(linear_mse(*data))
    losses, error = fit(model, *data, epochs=150, lr=5e-3)
    figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    ax.plot([float(loss) for loss in losses], color="#0072B2", label="GSNN, training loss")
    ax.plot(len(losses), float(error), "s", color="#0072B2", label="GSNN, test error")
    ax.axhline(line, color="#D55E00", linestyle="--", label="linear model, test error")
    plots.draw_floor(ax, draw.floor)
    ax.set(xlabel="epoch", ylabel="MSE", ylim=(0, None))
    ax.legend(frameon=False)
    plots.show(figure, f"A GSNN's training loss falls; its test error, {float(error):.2f}, stands beside the "
               f"linear model's, {line:.2f}, and the noise floor, {draw.floor:.2f}")

# %% [markdown]
# ## Recap
#
# 1. The state has a row for each edge. It starts with $x_i$ on all edges that leave input $i$. Then $W_{in}$ adds up
#    messages: each weight belongs to an edge and to a channel of the node where the edge ends.
# 2. The norm takes the mean and the unbiased standard deviation over a node's own channels, in each sample by itself,
#    and it adds 0.1 to the standard deviation.
# 3. A layer is two maps, a norm, an ELU and a residual with one learned number. If we want torch to train something,
#    we have to make it an attribute of the module.
# 4. One step is `zero_grad`, forward, `backward`, `step`. We keep the test rows for the end, we use them in evaluation
#    mode, and we put a linear model beside them that was fitted to the same training rows.
#
# Before you hand in, restart the kernel, run all cells, and read what the six checks say.
# Then save the notebook, and hand it in as your course tells you, under the name that it has.
#
# ## References
#
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv 2024.02.28.582164.
# * Wu and He 2018, *Group Normalization*, ECCV.
# * Kingma and Ba 2015, *Adam: A Method for Stochastic Optimization*, ICLR.
