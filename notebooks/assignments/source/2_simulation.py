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
# # Assignment 2 · Simulation
#
# In chapter 2 the pathways were chains, and the noise came after the functions. Here you work with any graph: paths
# part and meet again, a parent may repress its child, and noise may go through a function on its way down. First you
# write the simulation. Then you find out what no model can learn from the data that it makes.
#
# **You will be able to**
#
# 1. put the nodes of a graph in an order in which each can be computed;
# 2. write a special function, and with it a structural causal model, for all samples at once;
# 3. say how much noise two outputs have in common;
# 4. find the best prediction, and its error, where noise goes through a function;
# 5. compute the floor of the MSE and the ceiling of $R^2$ of one draw, and say why they are not one number.
#
# **Before you start:** chapter 2, *Simulation*. **Time:** 45 to 60 minutes; 20 points; it runs in seconds.
#
# **How it works.** Replace each `raise NotImplementedError` by your answer, and run the cell below it. It
# tells you that you are *right*, or what went wrong. You may add cells, and you may change your answers as
# often as you like. If you see a button *Validate*, you can ignore it, because only what the check cells print
# counts. When we grade, we run your notebook from top to bottom, on the data of these checks and on other data. So write
# functions that work for any graph and any samples. Each exercise counts by itself, and its function gets all
# that it needs as arguments. These are NumPy arrays unless the text says otherwise. Use loops or NumPy, as you like.

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
import numpy as np

from gsnn_tutorial import PathwayGraph, pathway_graph, plots, simulate
from gsnn_tutorial.graph import Node
from gsnn_tutorial.plots.chapter_3 import plot_messages
from gsnn_tutorial.simulation import expected_outputs, pathway_functions

SEED = 2026  # the data, and what the checks ask, follow from it

# %% [markdown]
# ## The graph
#
# Here a graph is a dict. `parents[node]` holds the parents of a node, each with the sign of its edge, which is $+1$, or
# $-1$ if the parent represses the node. A node without parents has an empty dict. For the examples in the text
# we use a graph that fits in your head. Its node $d$ hears $a$ twice: directly, and by way of $c$.

# %%
tiny = {"a": {}, "b": {}, "c": {"a": 1, "b": -1}, "d": {"c": 1, "a": 1}}
places = {"a": (0, 2), "b": (1.6, 2), "c": (1.1, 1), "d": (0.3, 0)}
nodes = tuple(Node(n, "function" if tiny[n] else "input", 0, places[n]) for n in tiny)
signs = {(parent, node): sign for node in tiny for parent, sign in tiny[node].items()}
figure, ax = plt.subplots(figsize=(3.4, 3.2), layout="constrained")
plot_messages(PathwayGraph(nodes, tuple(signs)), [f"{sign:+d}" for sign in signs.values()], ax)
plots.show(figure, "Nodes a and b lead to node c, a with sign plus one and b with sign minus one; c and a lead to "
           "node d, both with sign plus one")

# %% [markdown]
# ## 1 · Making data
#
# ### Exercise 1 · Who can be computed when
#
# ●●○ · 8 minutes · 3 points
#
# We can compute a node as soon as we have computed all of its parents. So we give each node a *level*. It is 0 if
# the node has no parents, and otherwise 1 more than the *largest* level of a parent. This is the number of edges on
# the longest path to the node. When we sort the nodes by level, parents come before their children, and all nodes of
# one level can be computed at the same time. The dict that you get lists the nodes in any order. Return their levels
# in that order. The graph has no cycle, and the signs play no part.
#
# In the tiny graph $a$ and $b$ have level 0, $c$ has 1 and $d$ has 2. If the dict lists them as $d, a, c, b$, you
# return `[2, 0, 1, 0]`.
#
# <details><summary>Hint</summary>
#
# A function that calls itself for the parents of a node is a good answer. So is a loop that starts with level 0
# everywhere and corrects all levels, again and again, until nothing changes.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "levels", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def levels(parents):
    """A graph {node: {parent: sign}}, in any order -> a list of N levels, in the same order."""
    ### BEGIN SOLUTION
    level = dict.fromkeys(parents, 0)
    for _ in parents:  # no path has more edges than there are nodes
        for node in parents:
            level[node] = 1 + max((level[parent] for parent in parents[node]), default=-1)
    return list(level.values())
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "levels-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_2 as checks

checks.levels(levels, SEED);
### BEGIN HIDDEN TESTS
checks.levels.grade(levels, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · The strongest parent
#
# ●○○ · 6 minutes · 2 points
#
# Some nodes have a special function in place of the sum. Here is a new one: the node takes the value of its
# *strongest* parent, which is the parent that is farthest from 0, together with its sign. It does not listen to the
# others. For one sample you could write `max(parents, key=abs)`. Write it for all samples at once. `parents` is a list
# with an array $(B,)$ for each parent, and each sample has a strongest parent of its own. In no sample are two parents
# equally strong.
#
# For example, the parents $(1, -3)$ give $-3$. Two samples of two parents, `[[1, 2], [-3, 0.5]]`, give
# $(-3, 2)$.
#
# <details><summary>Hint</summary>
#
# `np.stack(parents)` has a row for each parent and a column for each sample. Along which axis do you look for
# the strongest? And how do you get its *value*, once you have its row in each column?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "strongest", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def strongest(parents):
    """A list of K arrays (B,) -> for each sample the parent that is farthest from 0, (B,)."""
    ### BEGIN SOLUTION
    values = np.stack(parents)  # (K, B)
    index = np.abs(values).argmax(axis=0)  # (B,)
    return values[index, np.arange(len(index))]
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "strongest-test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_2 as checks

checks.strongest(strongest, SEED);
### BEGIN HIDDEN TESTS
checks.strongest.grade(strongest, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3 · A structural causal model
#
# ●●● · 12 minutes · 4 points
#
# Now you write the whole model. There is no chance in it, because we give you the standard normal draws, and every
# value follows from them. `z` has a row for each sample and a column for each node, in the order of the dict. This time the dict
# lists parents before their children. With $e_v$ for the column of node $v$,
#
# $$ v = \begin{cases} e_v & \text{without parents} \\
#                      f_v(\text{list of its parents}) + \sigma\, e_v & \text{if it has a special function } f_v \\
#                      \sum_u \mathrm{sign}_{uv}\, u + \sigma\, e_v & \text{else.} \end{cases} $$
#
# `functions[v]`, where there is one, takes a list of arrays $(B,)$, in the order in which `parents[v]` names them, and
# gives an array $(B,)$. All edges into such a node have the sign $+1$.
#
# For example, take one sample of the tiny graph with $e = (1, 4, 2, -4)$ and $\sigma = 0.5$. Then $a = 1$, $b = 4$,
# $c = 1 - 4 + 0.5 \cdot 2 = -2$ and $d = -2 + 1 + 0.5 \cdot (-4) = -3$. If $d$ takes its strongest parent instead
# of the sum, it is $-2 + 0.5 \cdot (-4) = -4$.
#
# <details><summary>Hint</summary>
#
# Keep a dict with the array of each node that has been computed, and walk through `parents` once. `z[:, k]` is the
# column of the $k$-th node. If you use `np.sum` on a list of arrays, think about what it adds up.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "scm", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def scm(parents, functions, z, sigma):
    """A graph {node: {parent: sign}}, {node: function}, draws (B, N) and a number -> values (B, N)."""
    ### BEGIN SOLUTION
    value = {}
    for (node, signs), e in zip(parents.items(), z.T):
        if not signs:
            value[node] = e
        elif node in functions:
            value[node] = functions[node]([value[parent] for parent in signs]) + sigma * e
        else:
            value[node] = sum(sign * value[parent] for parent, sign in signs.items()) + sigma * e
    return np.stack(list(value.values()), axis=1)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "scm-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_2 as checks

checks.scm(scm, SEED);
### BEGIN HIDDEN TESTS
checks.scm.grade(scm, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · What cannot be learned
#
# ### Exercise 4 · Noise in common
#
# ●●● · 12 minutes · 4 points
#
# A model sees the nodes without parents, which are the inputs. It does not see the noise of the other nodes. Suppose
# that each of these adds up its parents, with signs. (As in chapter 2, a special function that hears nothing but inputs
# would change nothing.) Then even the best prediction of a node misses a sum of noise terms. The node's own noise is in
# it once, and the noise of each noisy ancestor is in it once for each path from the ancestor to the node. A path counts
# $+1$ or $-1$, which is the product of the signs of its edges, so two paths may cancel. If two outputs have a noisy
# ancestor in common, their errors rise and fall together.
#
# Write the covariance matrix of these errors at the outputs. We want the exact matrix, without draws. The noise terms
# are independent, each with variance $\sigma^2$. The dict lists parents before their children. The outputs are some of
# its nodes, in an order of their own, and they may have children.
#
# In the tiny graph the best prediction misses $\sigma e_c$ at $c$ and $\sigma (e_c + e_d)$ at $d$. With the outputs
# $c, d$ the matrix is $\sigma^2 \begin{pmatrix} 1 & 1 \\ 1 & 2 \end{pmatrix}$.
#
# <details><summary>Hint</summary>
#
# For each node, write down a list of $N$ numbers that says how often the node hears the noise of each node. The list
# of a node is the sum of its parents' lists, with signs, and one more for its own noise. What is the covariance of
# two such sums?
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "shared_noise", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def shared_noise(parents, outputs, sigma):
    """A graph {node: {parent: sign}}, a list of O of its nodes and a number -> covariances (O, O)."""
    ### BEGIN SOLUTION
    heard = {}  # {node: how often it hears the noise of each node, (N,)}
    for own, (node, signs) in zip(np.eye(len(parents)), parents.items()):
        heard[node] = (own if signs else 0 * own) + sum(sign * heard[parent] for parent, sign in signs.items())
    R = np.stack([heard[node] for node in outputs])  # (O, N)
    return sigma**2 * R @ R.T
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "shared_noise-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_2 as checks

checks.shared_noise(shared_noise, SEED);
### BEGIN HIDDEN TESTS
checks.shared_noise.grade(shared_noise, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5 · Noise through a function
#
# ●●● · 11 minutes · 4 points
#
# As long as nothing but sums comes after the noise, the best prediction is the run without noise. Now we let a
# function come after it. A node in the middle has the value $a = s + \sigma z_a$, where $s$ is the sum of the inputs,
# which a model knows. The output is $y = f(a) + \sigma z_y$. The noise terms $z_a$ and $z_y$ are independent, with
# mean 0 and variance 1.
#
# Let $z_a$ be one of $M$ given values, all equally likely. Then the best prediction of $y$ and its expected
# squared error are two exact numbers for each sample: $\mathbb E[y \mid s]$ and $\mathrm{Var}(y \mid s)$.
# Return both. `f` works element by element on an array of any shape.
#
# For example, let $f(x) = x^2$, $s = 3$, $\sigma = 2$ and $z = (-1, 1)$. Then $a$ is 1 or 5, and $f(a)$ is 1 or
# 25. The best prediction is 13, although $f(3) = 9$. Its error is $144 + 4 = 148$: the variance of $f(a)$, and the
# variance $\sigma^2$ of the last noise.
#
# <details><summary>Hint</summary>
#
# First make all $B \times M$ values of $f(a)$: `s[:, None]` has the shape $(B, 1)$. All that we know of a sample is
# $s$, so each row is a distribution of its own, with $M$ values that are equally likely.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "through", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def through(f, s, z, sigma):
    """A function, s (B,), values of the noise (M,) and a number -> (predictions (B,), squared errors (B,))."""
    ### BEGIN SOLUTION
    values = f(s[:, None] + sigma * z)  # (B, M)
    return values.mean(axis=1), values.var(axis=1) + sigma**2
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "through-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_2 as checks

checks.through(through, SEED);
### BEGIN HIDDEN TESTS
checks.through.grade(through, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# Now we use your function on a cosine. On the left you see that the best prediction is flatter than the cosine, because
# noise in front of a function blurs it. On the right you see the expected squared errors. Where the cosine is steep, the
# noise in front of it goes through, and at a crest most of it is lost. So the error depends on the input, and the rule
# for sums, $2\sigma^2$, does not hold.

# %% nbgrader={"grade": false, "grade_id": "blurred", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if checks.through.diagnose(through, SEED):
    print("The figure comes when exercise 5 is right.")
else:
    s, sigma = np.linspace(-5, 5, 201), 0.8
    z = np.random.default_rng(SEED).standard_normal(2000)
    z = (z - z.mean()) / z.std()  # mean 0 and variance 1, as promised
    prediction, error = (np.array(part, dtype=float) for part in through(np.cos, s, z, sigma))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.plot(s, np.cos(s), color="#0072B2", label="f(s), without noise")
    left.plot(s, prediction, "--", color="#D55E00", label="best prediction")
    right.plot(s, error, "--", color="#D55E00", label="of the best prediction")
    right.plot(s, error + (np.cos(s) - prediction) ** 2, color="#0072B2", label="of f(s)")
    right.axhline(2 * sigma**2, color="#555555", linestyle=":", label="$2\\sigma^2$, the rule for sums")
    left.set(xlabel="sum of the inputs, s", ylabel="y", ylim=(-1.1, 1.8))
    right.set(xlabel="sum of the inputs, s", ylabel="expected squared error", ylim=(0, 1.8))
    for ax in (left, right):
        ax.legend(frameon=False, fontsize=10, loc="upper left" if ax is left else "lower left")
    plots.show(figure, "Left, a cosine and the best prediction, the same wave but flatter. Right, their expected "
               "squared errors, both wavy and below 2 sigma squared, that of the best prediction never the higher one")

# %% [markdown]
# ### Exercise 6 · Floor and ceiling of a draw
#
# ●○○ · 8 minutes · 3 points
#
# The MSE and $R^2$ tell us how well a model did, and both have a limit. Let `expected` be the best prediction of the test
# rows, $\mathbb E[y \mid x]$, in raw units like `y_train` and `y_test`. We cannot expect any model to do better.
# For each output, return what this prediction reaches:
#
# * the **floor** of the test MSE on *standardised* outputs, as in chapter 2: mean and standard deviation are
#   those of the training rows, and the standard deviation divides by $n - 1$;
# * the **ceiling** of the test $R^2 = 1 - \sum_b (y_b - \hat y_b)^2 \,/\, \sum_b (y_b - \bar y)^2$, where
#   $\hat y$ is the prediction and $\bar y$ the mean of `y_test`.
#
# For example, take one output with `y_train` $= (0, 2, 4)$, `y_test` $= (1, 7)$ and `expected` $= (2, 6)$. The
# training rows have standard deviation 2, and both squared errors are 1. The floor is $1/4$. The test rows lie 3
# below and 3 above their mean, so the ceiling is $1 - 2/18 = 8/9$.

# %% nbgrader={"grade": false, "grade_id": "limits", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def limits(y_train, y_test, expected):
    """Outputs (n, O) and (m, O), best predictions of the test rows (m, O) -> (floors (O,), ceilings (O,))."""
    ### BEGIN SOLUTION
    mse = np.square(y_test - expected).mean(axis=0)  # a mean that is subtracted from both makes no difference
    return mse / y_train.var(axis=0, ddof=1), 1 - mse / y_test.var(axis=0)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "limits-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_2 as checks

checks.limits(limits, SEED);
### BEGIN HIDDEN TESTS
checks.limits.grade(limits, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### One draw and many rows
#
# We use your function on the eight outputs of chapter 2, first with 64 training and 64 test rows, and then with 20,000
# of each. With many rows, the floor and $1 -$ ceiling are nearly the same. With few rows they need not be, because the
# floor is measured in units of the training rows, and the ceiling in units of the test rows. Where large values are
# rare, the two units can be far apart. There is nothing to answer here, but look at the figure: which of the four
# functions has such values?

# %% nbgrader={"grade": false, "grade_id": "draws", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if checks.limits.diagnose(limits, SEED):
    print("The figure comes when exercise 6 is right.")
else:
    graph = pathway_graph()
    functions = pathway_functions(graph)  # tanh, half_square, cosine and cubic, in this order

    def draw(n):
        """Floors and ceilings of n training and n test rows, (8,) each."""
        _, x_test, y_train, y_test = simulate(
            graph.networkx(), n, n, graph.input_nodes, graph.output_nodes,
            noise_scale=0.3, special_functions=functions, vectorized=True, seed=SEED,
        )
        pair = limits(y_train, y_test, expected_outputs(graph, x_test))
        return [np.array(part, dtype=float) for part in pair]

    (floor, ceiling), (long_run, _) = draw(64), draw(20_000)

# %% nbgrader={"grade": false, "grade_id": "draws-figure", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if not checks.limits.diagnose(limits, SEED):
    rows = [f"{f.__name__}, out {k}".replace("_", " ") for f in functions.values() for k in range(2)]
    figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
    ax.plot(long_run, rows, "|", color="#000000", markersize=16, markeredgewidth=2, label="floor, 20,000 rows")
    ax.plot(floor, rows, "o", color="#0072B2", markersize=8, label="floor, 64 rows")
    ax.plot(1 - ceiling, rows, "^", color="#D55E00", markersize=8, label="1 - ceiling, 64 rows")
    ax.set(xlabel="share of noise", ylabel="output", xlim=(0, None), ylim=(7.5, -0.5))
    ax.legend(frameon=False, fontsize=10)
    shares = "; ".join(f"{row} {a:.2f} and {b:.2f}" for row, a, b in zip(rows, floor, 1 - ceiling))
    plots.show(figure, f"Floor and one minus the ceiling of eight outputs on a draw of 64 rows: {shares}")

# %% [markdown]
# ## Recap
#
# 1. A node's level is 1 more than the largest level of its parents. Sorted by level, parents come before their
#    children.
# 2. `parents` is a list of arrays, so a special function for all samples must say that it reduces over the parents,
#    and not over the samples. Once the draws are given, a structural causal model has no chance left in it. Noise comes
#    after the function, in every node but the inputs.
# 3. The noise of a node arrives at an output once for each path, signs counted, and the square of that number counts in
#    the variance. Outputs with a noisy ancestor in common are not independent measurements.
# 4. Where noise goes through a function that bends, the run without noise is not the best prediction, and the error
#    depends on the input. Mean and variance over the noise give us both.
# 5. The floor of the MSE is in units of the training rows, and the ceiling of $R^2$ is in units of the test rows. In
#    the long run the two add up to 1, but on a single draw they need not.
#
# Before you hand in, restart the kernel, run all cells, and read what the six checks say.
# Then save the notebook, and hand it in as your course tells you, under the name that it has.
#
# ## References
#
# * Pearl 2009, *Causality: Models, Reasoning, and Inference*, Cambridge University Press.
# * Peters, Janzing and Schölkopf 2017, *Elements of Causal Inference*, MIT Press.
# * Hastie, Tibshirani and Friedman 2009, *The Elements of Statistical Learning*, Springer (sections 2.4 and 7.3).
