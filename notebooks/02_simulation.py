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
# # 2 · Simulation
#
# Suppose that a model reaches an MSE of 0.4. Is that good? If the best possible error is 0.39, it is
# excellent, and if the best possible error is 0.1, it is poor. With real data we cannot tell the two
# apart, because nobody knows how much of an output is noise.
#
# With data that we make ourselves, we can. We know which function lies behind every output and how
# much noise lies on top of it, and so we can compute the best error that *any* model could reach. We
# call it the **noise floor**. In this chapter you write the simulation in ten lines, and you compute
# the floor of every output. On the way you will see why we need a nonlinear model at all. The figure
# below is where we end.
#
# **You will be able to**
#
# 1. say what a structural causal model is, write one for any graph, and draw samples from it;
# 2. say what each of the four nonlinearities does with its two parents, and when you may apply a
#    function to all samples at once;
# 3. compute the noise floor of an output, in closed form and by simulation;
# 4. standardise targets so that test rows stay unseen, and name what goes wrong otherwise;
# 5. explain why a linear model learns nothing from an even function.
#
# **Before you start:** you need [1 · Pathway graph](01_pathway_graph.ipynb), or the idea of inputs, a
# chain of functions, and outputs. **Time:** 40 minutes to read and 25 for the exercises, under a
# minute to run on two CPU cores, less than 1 GB of memory.

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

# %% tags=["hide-input"]
# The data of the whole chapter, of which the opening figure is made.
import pandas as pd

from gsnn_tutorial import pathway_graph, simulate
from gsnn_tutorial.simulation import pathway_functions

graph, SIGMA = pathway_graph(), 0.3
functions = pathway_functions(graph)  # {"f_0_0": tanh, "f_1_0": half_square, ...}


def data(n_train, n_test, noise_scale, seed):
    """x_train, x_test, y_train, y_test: two inputs and two outputs for each of four pathways."""
    return simulate(
        graph.networkx(), n_train, n_test, graph.input_nodes, graph.output_nodes,
        noise_scale=noise_scale, special_functions=functions, vectorized=True, seed=seed,
    )  # fmt: skip


# %% tags=["hide-input"]
x_train, x_test, y_train, y_test = data(256, 1024, SIGMA, seed=0)
_, _, _, signal_test = data(256, 1024, 0, seed=0)  # the same inputs, and no noise
words = [f.__name__.replace("_", " ") for f in functions.values()]  # tanh, half square, ...
rows = pd.Index([f"{name}, out {k}" for name in words for k in range(2)], name="output")
unit = y_train.std(0, ddof=1)  # the training rows' standard deviation: the unit of every error


def error(prediction):
    """Test MSE of each output, in standardised units."""
    return pd.Series((((y_test - prediction) / unit) ** 2).mean(0), rows)


# %% slideshow={"slide_type": "skip"} tags=["hide-input"]
import matplotlib.pyplot as plt
from sklearn.linear_model import LinearRegression

from gsnn_tutorial import plots
from gsnn_tutorial.plots import chapter_2 as pictures

linear = error(LinearRegression().fit(x_train, y_train).predict(x_test))
mean_only = error(y_train.mean(0))
figure, ax = plt.subplots(figsize=(9.0, 4.2), layout="constrained")
pictures.plot_limits(error(signal_test), {"training mean": mean_only, "linear model": linear}, ax)
plots.show(
    figure,
    "For eight outputs, the noise floor as a hatched bar, the test MSE of a linear model, and "
    "that of predicting the training mean. The linear model gains much on tanh and cubic and "
    "nothing on half_square and cosine.",
)

# %% [markdown]
# In each row, the hatched part is noise. It ends at the error of a predictor that knows the exact
# function, and no model gets into it except by luck. The cross shows the error of a predictor that
# always says the mean of the training rows. What lies between the hatched part and the cross can be
# learned. In four rows a linear model gets far. In the other four it has learned nothing, and it is
# even a little worse than the cross. In the rest of the chapter we find out why.
#
# Everything in this chapter happens on the graph of chapter 1: four pathways, each with two inputs, a
# chain of three functions, and two outputs. You find our data in the folded cells above the figure; open
# them. One call of `simulate` draws the data. A second call repeats the first with the noise turned off,
# and so it tells us what the outputs would have been without noise. We call this the *signal*.

# %% slideshow={"slide_type": "skip"}
import time

import ipywidgets
import networkx as nx
import numpy as np
import torch
from sklearn.metrics import r2_score
from sklearn.preprocessing import PolynomialFeatures

from gsnn_tutorial import GSNN, standardize, train
from gsnn_tutorial.exercises import chapter_2 as checks
from gsnn_tutorial.simulation import NONLINEARITIES, cosine, half_square, tanh

pd.set_option("display.precision", 3)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1 · A structural causal model
#
# We want a recipe that makes one sample after another. A **structural causal model** is such a
# recipe: we take a directed graph without cycles, and every node $v$ gets an equation that makes its
# value from the values of its *parents*, which are the nodes with an edge to it, and from some noise
# of its own:
#
# $$v \;=\; f_v(\text{parents of } v) + \sigma\,\varepsilon_v, \qquad \varepsilon_v \sim \mathcal N(0, 1).$$
#
# Inputs have no parents, so we draw them from a standard normal distribution. Then we walk through
# the graph in such an order that parents always come before their children, which is called a
# *topological order*, and we apply each equation once. In our data $f_v$ is simply the sum of the
# parents, except at the first function node of each pathway, which has a function of its own.
#
# You should notice two things. First, $\sigma$ (the argument `noise_scale`) is a standard deviation
# and not a variance. Second, the noise comes *after* the function, and it comes at every node but the
# inputs. So it piles up on the way down.
#
# We start with one sample of one pathway, by hand. The function is `half_square`, which is half the
# sum of the *squared* parents. The five noise draws are round numbers, so that you can check each
# line in your head.

# %% tags=["nbval-check-output"]
x1, x2 = 1.0, 2.0
f0 = 0.5 * (x1**2 + x2**2) + 0.3 * 1.0  # 2.5, and 0.3 of noise
f1 = f0 + 0.3 * -1.0
f2 = f1 + 0.3 * 0.5
out0 = f2 + 0.3 * 2.0
out1 = f2 + 0.3 * -1.0
print(f"f0 {f0:.2f}   f1 {f1:.2f}   f2 {f2:.2f}   out0 {out0:.2f}   out1 {out1:.2f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now we do the same for any graph, any functions, and as many samples as we like. The value of a node
# becomes an array with one entry per sample, and nothing else changes.


# %%
def structural_model(G, given, noise, functions, noise_scale):
    """{node: values (B,)} from the inputs' values and every other node's noise draws, (B,) each."""
    values = dict(given)
    for node in nx.topological_sort(G):  # parents before children
        if node not in values:
            parents = [values[p] for p in G.predecessors(node)]
            f = functions.get(node, sum)  # the parents' sum, unless told otherwise
            values[node] = f(parents) + noise_scale * noise[node]
    return values


# %% [markdown] slideshow={"slide_type": "subslide"}
# We run it on two samples. The first is the sample from above, and its numbers should come back. The
# second has the same noise, and the signs of its two inputs are flipped.
#
# **Predict first.** At which nodes will the second sample differ from the first?

# %%
one = pathway_graph(K=1)
two_samples = {"in_0_0": np.array([1.0, -1.0]), "in_0_1": np.array([2.0, -2.0])}
draws_by_hand = {"f_0_0": 1.0, "f_0_1": -1.0, "f_0_2": 0.5, "out_0_0": 2.0, "out_0_1": -1.0}
made = structural_model(one.networkx(), two_samples, draws_by_hand, {"f_0_0": half_square}, 0.3)
for node, by_hand in zip(draws_by_hand, [f0, f1, f2, out0, out1]):
    np.testing.assert_allclose(made[node], [by_hand, by_hand])

# %% [markdown] slideshow={"slide_type": "subslide"}
# The two samples agree at every node but the two inputs, because a square forgets the sign. Keep this in
# mind until section 6.
#
# Now we only have to draw: first the inputs, then the noise of each node in topological order, all
# from one generator. The package draws in this order too. So with the same seed, our ten lines give
# the samples of the package, to the last bit.


# %%
def draws(G, inputs, n, seed):
    """Standard normal draws: {input: (n,)} and {other node: (n,)}."""
    rng = np.random.default_rng(seed)
    given = dict(zip(inputs, rng.standard_normal((n, len(inputs))).T))
    others = [node for node in nx.topological_sort(G) if node not in given]
    return given, {node: rng.standard_normal(n) for node in others}


given, noise = draws(graph.networkx(), graph.input_nodes, 256 + 1024, seed=0)
values = structural_model(graph.networkx(), given, noise, functions, SIGMA)
np.testing.assert_array_equal(np.stack([values[v] for v in graph.input_nodes], 1)[256:], x_test)
np.testing.assert_array_equal(np.stack([values[v] for v in graph.output_nodes], 1)[256:], y_test)

# %% [markdown] slideshow={"slide_type": "skip"}
# **The file.** What you have just written is `gsnn_tutorial/simulation.py`. Its `simulate` runs over the nodes as
# your loop does, and adds the choices of section 3. You can read it here: run `from gsnn_tutorial import simulation`
# in a new cell, and then `simulation??`.
#
# There is no randomness inside `structural_model`. All of it is in the inputs and in the noise
# draws, and once we have those, every value follows. So we can hold some draws fixed and change
# others. In section 4 we use this to find out what can be learned.
#
# ### Exercise 1 · A chain, all samples at once
#
# ●○○ · 5 minutes
#
# Write the simulation of a chain without a loop over samples. Node $a$ is the tanh of the sum of two
# inputs, plus noise. Node $b$ is $a$ plus noise, and node $c$ is $b$ plus noise. You are given the
# draws, which are standard normal, with one column for each node. We will use your function on the
# first of our four pathways.
#
# <details><summary>Hint 1</summary>
#
# `x.sum(1)` is the sum of the parents for every sample, of shape (B,). Write the three equations
# one below the other.
#
# <details><summary>Hint 2</summary>
#
# The noise comes after tanh, and you multiply it by `noise_scale` as it is:
# `np.tanh(x.sum(1)) + noise_scale * noise[:, 0]`.
#
# <details><summary>Hint 3</summary>
#
# `np.stack([a, b, c], axis=1)` makes three columns of three vectors.
#
# </details></details></details>


# %% slideshow={"slide_type": "skip"}
def simulate_chain(x, noise, noise_scale):
    """x (B, 2), noise (B, 3) -> values of a, b and c, (B, 3)."""
    raise NotImplementedError


checks.simulate_chain(simulate_chain);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def simulate_chain(x, noise, noise_scale):
#     a = np.tanh(x.sum(1)) + noise_scale * noise[:, 0]  # (B,)
#     b = a + noise_scale * noise[:, 1]
#     c = b + noise_scale * noise[:, 2]
#     return np.stack([a, b, c], axis=1)  # (B, 3)
# ```
#
# </details>

# %% slideshow={"slide_type": "skip"}
def yours(check, answer):
    """Your answer if it is right, and the solution as long as it is not."""
    return answer if check.diagnose(answer) is None else check.reference


chain = ["f_0_0", "f_0_1", "f_0_2"]  # the pathway that begins with tanh
parents, own_noise = (np.stack(columns, axis=1) for columns in
                      ([given["in_0_0"], given["in_0_1"]], [noise[v] for v in chain]))
your_chain = yours(checks.simulate_chain, simulate_chain)(parents, own_noise, SIGMA)
np.testing.assert_allclose(your_chain, np.stack([values[v] for v in chain], axis=1))

# %% [markdown] slideshow={"slide_type": "skip"}
# Your three lines give the values of the first pathway, in all 1,280 samples. (What you write in an
# exercise is used by the cells that follow. As long as an answer is not right yet, they take the
# solution in its place.)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 2 · Four nonlinearities
#
# The first function node of each pathway computes something else. With the parents $x_1$ and $x_2$,
# the four functions are
#
# $$\tanh(x_1 + x_2), \qquad \tfrac12 (x_1^2 + x_2^2), \qquad \cos(x_1 + x_2), \qquad 0.3\,(x_1^3 + x_2^3).$$
#
# Look closely at the brackets. `tanh` and `cosine` act on the *sum* of the parents. `half_square` and
# `cubic` act on each parent *before* the sum.
#
# **Predict first.** The next figure shows the value of each function against the sum of its parents,
# for many samples. For which of the four will the samples lie on a line, and for which will they form
# a cloud? The lower row shows the same functions over the plane of both parents.

# %% slideshow={"slide_type": "subslide"}
figure, axes = plt.subplots(2, 4, figsize=(14, 6.6), layout="constrained")
for function, above, below in zip(NONLINEARITIES, *axes):
    pictures.plot_against_parent_sum(function, above)
    pictures.plot_input_plane(function, below)
axes[0, 0].legend(frameon=False, fontsize=10, loc="lower right")
figure.colorbar(axes[0, 3].collections[0], ax=axes[0, 3], label="distance of the parents")
plots.show(
    figure,
    "Top: each nonlinearity against the sum of its parents. tanh and cosine are curves; "
    "half_square and cubic are clouds, higher or steeper where the parents are far apart. "
    "Bottom: contour maps over both parents: straight diagonal stripes for tanh and cosine, "
    "circles for half_square, bent lines for cubic.",
)

# %% [markdown]
# For `tanh` and `cosine` the sum says everything: every sample lies on the line, and in the plane the
# stripes run straight across. For the other two functions, samples with the same sum have different
# values, and the colour tells us which: at the same sum, the half square is higher where the parents
# are farther apart.
#
# If a model only ever saw the sum of the parents, it could reach the orange line and no more. A
# function node of a GSNN has several channels, and each channel weighs the parents in its own way, so
# the node is not bound to their plain sum.
#
# There is one more property that we need later. What happens to the value when we flip the sign of
# both parents? Guess for each of the four, and then run the cell.

# %% tags=["nbval-check-output"]
a, b = np.random.default_rng(0).standard_normal((2, 1000))
for f in NONLINEARITIES:
    even, odd = np.allclose(f([-a, -b]), f([a, b])), np.allclose(f([-a, -b]), -f([a, b]))
    kind = "even, the same value" if even else "odd, the opposite value" if odd else "neither"
    print(f"{f.__name__:>11}: {kind}")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 3 · Two choices that you make
#
# **One sample at a time, or all at once.** You can write a function of your own for single numbers,
# and `simulate` calls it once per sample. Or you can write it for arrays, and `simulate` calls it
# once for all samples. Arrays are faster, and single numbers are safer. `simulate` does not guess
# which of the two you mean: you say `vectorized=True` if your function is meant for arrays. We look
# at the speed first.


# %%
def seconds(vectorized):
    start = time.perf_counter()
    simulate(graph.networkx(), 20_000, 0, graph.input_nodes, graph.output_nodes,
             special_functions=functions, vectorized=vectorized, seed=0)  # fmt: skip
    return time.perf_counter() - start


taken = {"one sample at a time": seconds(False), "all at once": seconds(True)}
pd.Series(taken, name="seconds for 20,000 samples").to_frame()

# %% [markdown] slideshow={"slide_type": "subslide"}
# Why doesn't `simulate` try the fast way, and fall back on the slow one if that fails? Because the
# fast way may go wrong without failing. Take the larger of two parents, written with NumPy. For one
# sample it is right. For arrays, `np.max` takes the maximum over parents *and* samples, and our ten
# lines from section 1 do not even notice: they give every sample that same number.


# %%
def larger(parents):
    return np.max(parents)


G, NAMES = nx.DiGraph([("x1", "y"), ("x2", "y")]), (["x1", "x2"], ["y"])
with_larger = {"noise_scale": 0, "special_functions": {"y": larger}}
x_two, _, right, _ = simulate(G, 1000, 0, *NAMES, **with_larger, seed=0)
np.testing.assert_array_equal(right[:, 0], x_two.max(1))  # scalar: sample by sample
whole = structural_model(G, *draws(G, ["x1", "x2"], 1000, seed=0), {"y": larger}, noise_scale=0)
assert len(np.unique(whole["y"])) == 1  # vectorised: one number for all samples

# %% [markdown] slideshow={"slide_type": "subslide"}
# The package looks at the shape of the result, and refuses:

# %% tags=["nbval-check-output"]
try:
    simulate(G, 1000, 0, *NAMES, special_functions={"y": larger}, vectorized=True, seed=0)
except ValueError as message:
    print(message)

# %% [markdown] slideshow={"slide_type": "subslide"}
# But a check of shapes cannot save us from the next function, which takes the distance of the first
# parent from the mean of the parents. Its result has the right shape either way, and the numbers are
# different. This is why the choice is yours.


# %%
def distance_from_mean(parents):
    return parents[0] - np.mean(parents)  # for arrays: the mean over the samples as well


with_distance = {"noise_scale": 0, "special_functions": {"y": distance_from_mean}, "seed": 0}
singly, at_once = (simulate(G, 1000, 0, *NAMES, **with_distance, vectorized=choice)[2]
                   for choice in (False, True))  # fmt: skip
assert singly.shape == at_once.shape
print(f"the two ways differ by up to {np.abs(singly - at_once).max():.2f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Signs.** In biology, a parent may repress its child. An edge can carry the sign $-1$, either as an
# attribute in the graph or through the argument `signed_edges`, and the default sum takes it into
# account. A function of your own reads its parents as they are, so it would lose the sign of an edge.
# `simulate` tells you so:

# %% tags=["nbval-check-output"]
minus = {("x2", "y"): -1}
x_two, _, difference, _ = simulate(G, 1000, 0, *NAMES, noise_scale=0, signed_edges=minus, seed=0)
np.testing.assert_allclose(difference[:, 0], x_two[:, 0] - x_two[:, 1])
try:
    simulate(G, 1000, 0, *NAMES, special_functions={"y": tanh}, signed_edges=minus, seed=0)
except ValueError as message:
    print(message)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 4 · What can be learned at all
#
# A model sees the inputs $x$ and predicts an output $y$. It does not see the noise. Among all
# functions of $x$, the conditional mean $\mathbb E[y \mid x]$ has the least expected squared error.
# What remains is variance that no function of $x$ explains:
#
# $$\operatorname{Var}(y) \;=\; \underbrace{\operatorname{Var}\big(\mathbb E[y \mid x]\big)}_{\text{signal}}
# \;+\; \underbrace{\mathbb E\big[\operatorname{Var}(y \mid x)\big]}_{\text{noise}}.$$
#
# The noise part is the floor of the MSE. If we scale $y$ so that it has variance 1, the floor is
# noise / (signal + noise), and one minus the floor is the largest $R^2$ that a model can reach. We
# call this the *ceiling* of $R^2$.
#
# What is the conditional mean in our data? We add the noise after the nonlinearity, and all nodes
# further down only add. So the noise averages out, and exactly $\mathbb E[y \mid x] = f(x)$ is left.
# This is why, for the opening figure, we could simulate the same seed with `noise_scale=0`. An argument is
# good and a test is better, so we hold the inputs of five samples fixed, draw their noise anew 20,000
# times, and average.

# %%
REPEATS = 20_000
noisy_nodes = graph.function_nodes + graph.output_nodes


def average(functions, seed, samples=5):
    """Mean outputs over all draws of noise, and standard errors; both (samples, outputs)."""
    rng = np.random.default_rng(seed)
    given = {v: np.repeat(column, REPEATS) for v, column in zip(graph.input_nodes, x_test[:samples].T)}
    noise = {v: rng.standard_normal(samples * REPEATS) for v in noisy_nodes}
    values = structural_model(graph.networkx(), given, noise, functions, SIGMA)
    y = np.stack([values[v].reshape(samples, REPEATS) for v in graph.output_nodes], axis=-1)
    return y.mean(1), y.std(1) / REPEATS**0.5  # y is (samples, REPEATS, outputs)


mean, standard_error = average(functions, seed=1)
assert (np.abs(mean - signal_test[:5]) < 4 * standard_error).all()
first = {"without noise": signal_test[0], "mean over noise": mean[0]}
pd.DataFrame({**first, "standard error": standard_error[0]}, index=rows)

# %% [markdown] slideshow={"slide_type": "subslide"}
# This holds because the noise comes after the function. Suppose that we move the cosine one node
# further down, behind the noise of the first function node. Now we take the cosine of something
# noisy, and on average this is a flatter cosine, by the factor $e^{-\sigma^2/2}$. Then the run
# without noise is *not* the best predictor. The table shows how far the mean over the noise lies from
# each of the two, in standard errors:

# %%
moved = {**functions, "f_2_0": sum, "f_2_1": cosine}
mean_moved, se_moved = average(moved, seed=1)
k = graph.output_nodes.index("out_2_0")  # its noise-free value is still the cosine of the sum
flatter = np.exp(-(SIGMA**2) / 2)
distance = pd.DataFrame({
    "from the noise-free value": (mean_moved - signal_test[:5])[:, k] / se_moved[:, k],
    "from the flatter cosine": (mean_moved - flatter * signal_test[:5])[:, k] / se_moved[:, k],
}).rename_axis("sample")  # fmt: skip
assert (distance["from the flatter cosine"].abs() < 4).all()
distance.round(1)

# %% [markdown] slideshow={"slide_type": "subslide"}
# In our own graph the floor has a closed form. An output collects the noise of three function nodes
# and its own noise. All four are independent, and each has the variance $\sigma^2$, so together they
# have $4\sigma^2$. The variance of the signal is the variance of $f$ over two standard normal parents.
# For three of the four functions we can write it down:
#
# $$\operatorname{Var}\tfrac12(x_1^2 + x_2^2) = 1, \qquad
# \operatorname{Var}\cos(x_1 + x_2) = \tfrac{1 + e^{-4}}{2} - e^{-2}, \qquad
# \operatorname{Var} 0.3(x_1^3 + x_2^3) = 0.09 \cdot 30.$$
#
# For tanh we have to integrate. We use Gauss-Hermite quadrature, which is a weighted sum over a grid
# of values of the two parents. The same grid reproduces the other three.
#
# **Predict first.** Every output has the same noise. For which of the four functions will the floor
# of the standardised MSE be the highest?

# %%
points, weights = np.polynomial.hermite_e.hermegauss(80)
grid = np.meshgrid(points, points)  # values of two parents, each (80, 80)
weights = np.outer(weights, weights) / weights.sum() ** 2


def expect(values):
    """Mean of a function of two standard normal parents, from its values on the grid."""
    return float((weights * values).sum())


signal = {f.__name__: expect(f(grid) ** 2) - expect(f(grid)) ** 2 for f in NONLINEARITIES}
closed = {"half_square": 1, "cosine": (1 + np.exp(-4)) / 2 - np.exp(-2), "cubic": 0.09 * 30}
np.testing.assert_allclose([signal[name] for name in closed], list(closed.values()), rtol=1e-9)

# %% [markdown] slideshow={"slide_type": "subslide"}
# We put a simulation beside the closed form. It has 200,000 samples, and we run each of them twice
# from the same draws, with noise and without.

# %%
_, _, noisy, _ = data(200_000, 0, SIGMA, seed=2)
_, _, clean, _ = data(200_000, 0, 0, seed=2)
floors = pd.DataFrame({"signal": signal})
floors["noise"] = 4 * SIGMA**2
floors["floor of the MSE"] = floors["noise"] / (floors["signal"] + floors["noise"])
floors["ceiling of R²"] = 1 - floors["floor of the MSE"]
floors["floor, simulated"] = ((noisy - clean).var(0) / noisy.var(0))[::2]  # one output each
np.testing.assert_allclose(floors["floor, simulated"], floors["floor of the MSE"], rtol=0.04)
floors.rename_axis("pathway")

# %% tags=["nbval-check-output"]
print(f"floor of the mean MSE over the outputs: {floors['floor of the MSE'].mean():.3f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Keep this number in mind whenever you see a test MSE of this problem, with one digit of caution: in section 5
# we will see that every draw of the data has a floor of its own, a little above or below. The pathways differ
# a great deal. The cosine is bounded and varies little, so the noise drowns about half of it. The cubic
# varies widely, so the same noise is only a small part of it.
#
# The two outputs of a pathway are not independent measurements. Each has four noise terms, and they
# share three of these, the terms of the chain. So their errors rise and fall together, with a correlation
# of 3/4:

# %%
errors = (noisy - clean).T  # (outputs, samples)
shared = [np.corrcoef(errors[2 * p], errors[2 * p + 1])[0, 1] for p in range(4)]
np.testing.assert_allclose(shared, 3 / 4, atol=0.01)
pd.Series(shared, floors.index, name="correlation of the errors").to_frame().rename_axis("pathway")

# %% [markdown] slideshow={"slide_type": "subslide"}
# How does the floor move with the noise? The left plot shows one pathway: what the inputs explain is
# coloured, and what we observe is grey. The right plot shows the floor of all four.


# %% slideshow={"slide_type": "subslide"}
def explore(function=half_square, noise_scale=SIGMA):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.4, 4.2), layout="constrained")
    pictures.plot_drowned(function, noise_scale, left)
    pictures.plot_floor_curve(signal, right, noise_scale=noise_scale, function=function.__name__)
    alt = f"{function.__name__} with and without noise of scale {noise_scale:g}; its noise floor"
    plots.show(figure, alt)


explore()

# %% [markdown]
# In JupyterLab, choose a function and move the slider. At which noise can you no longer see the shape
# of the cosine in the grey points? How high is its floor by then?
#
# <details><summary>Answer</summary>
#
# There is no single right answer, since your eye decides. But look at the floor when it happens: it tells
# you which share of what you see is noise. A model that has many samples can average, and so it may still
# find a shape that you no longer see.
#
# </details>

# %% tags=["widget", "nbval-ignore-output"]
ipywidgets.interact(
    explore,
    function=ipywidgets.ToggleButtons(options={f.__name__: f for f in NONLINEARITIES}, value=half_square),
    noise_scale=ipywidgets.FloatSlider(SIGMA, min=0, max=1.5, step=0.1, continuous_update=False),
);

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 2 · The floor on any graph of sums
#
# ●●● · 15 minutes
#
# In a chain, the noise of every node reaches the output once. In a graph with detours, it may arrive
# over several routes, and if edges have signs, these routes may cancel each other. Write the floor of
# the standardised MSE of the last node, for any such graph.
#
# The nodes $0, \dots, N-1$ are in topological order. $A_{uv}$ is the sign of the edge from $u$ to
# $v$, or 0 if there is no such edge. Node 0 is $f(x)$ plus noise, where $f(x)$ has the variance
# `signal_variance`. Every other node is the signed sum of its parents, plus noise.
#
# <details><summary>Hint 1</summary>
#
# Ask for each node $v$ how often its noise arrives at the last node: this is the sum over all routes
# of the product of their signs. Call it `reach[v]`. For the last node itself it is 1.
#
# <details><summary>Hint 2</summary>
#
# The noise leaves $v$ along each of its edges and goes on from there. So `reach[v] = A[v] @ reach`,
# and you compute it from the last node backwards.
#
# <details><summary>Hint 3</summary>
#
# The noise of $v$ arrives multiplied by `reach[v]`, so it adds $\sigma^2$ `reach[v]**2` to the
# variance. The signal starts at node 0, and it travels as the noise of that node does.
#
# </details></details></details>


# %% slideshow={"slide_type": "skip"}
def mse_floor(A, noise_scale, signal_variance):
    """A (N, N), numbers -> the floor of the last node's standardised MSE, a number."""
    raise NotImplementedError


checks.mse_floor(mse_floor);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def mse_floor(A, noise_scale, signal_variance):
#     reach = np.zeros(len(A))  # (N,): over how many routes, signs counted, node v reaches the output
#     reach[-1] = 1  # the output reaches itself
#     for v in reversed(range(len(A) - 1)):
#         reach[v] = A[v] @ reach  # one step along each edge, then on from there
#     noise = noise_scale**2 * (reach**2).sum()
#     signal = signal_variance * reach[0] ** 2
#     return noise / (signal + noise)
# ```
#
# </details>

# %% [markdown] slideshow={"slide_type": "skip"}
# Now we ask your function about graphs that we have not seen yet. All begin with the half square. In
# the first three rows the chain gets longer. In the last two rows, the chain of three has a shortcut:
# one more edge that leads from its head straight to the output.
#
# **Predict first.** What does a longer chain do to the floor? And what does a shortcut do, if its
# sign is $+1$, and if its sign is $-1$?

# %% slideshow={"slide_type": "skip"}
def chain_of(length, shortcut=0):
    """The signs of a chain of function nodes that ends in an output, (length + 1, length + 1)."""
    A = np.diag(np.ones(length), 1)
    A[0, -1] += shortcut
    return A


floor_of = yours(checks.mse_floor, mse_floor)
asked = {f"a chain of {length}": chain_of(length) for length in (3, 6, 12)}
asked |= {f"a chain of 3, shortcut {sign:+d}": chain_of(3, sign) for sign in (1, -1)}
answers = {name: floor_of(A, SIGMA, signal["half_square"]) for name, A in asked.items()}
np.testing.assert_allclose(answers["a chain of 3"], floors.loc["half_square", "floor of the MSE"])
pd.Series(answers, name="floor of the MSE").to_frame()

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Answer</summary>
#
# Every node of a longer chain adds noise, and none adds signal, so the floor rises. A shortcut with
# the sign $+1$ lets the signal arrive twice, so its variance is four times as large. Of the noise, only the
# part from the head arrives twice as well, so the floor falls. With the sign $-1$ the two routes cancel
# each other: no signal arrives at all, and the floor is 1. All nodes are still connected, and yet nothing
# can be learned.
#
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 5 · Standardising, with training statistics only
#
# The eight outputs live on different scales, and an MSE over all of them would listen to the loudest.
# So we bring each output to mean 0 and standard deviation 1. We compute the mean and the standard
# deviation from the training rows, and we apply the *same* two numbers to the test rows:
#
# $$z = \frac{y - \bar y_{\text{train}}}{s_{\text{train}} + 10^{-8}}.$$
#
# Here $s$ divides by $n - 1$. Without the small constant, an output that does not vary would become NaN.

# %%
centre, spread = y_train.mean(0), y_train.std(0, ddof=1)
z_train, z_test = standardize(y_train, y_test)  # the package's: float32 tensors
np.testing.assert_allclose(z_train, (y_train - centre) / (spread + 1e-8), atol=1e-5)
np.testing.assert_allclose(z_test, (y_test - centre) / (spread + 1e-8), atol=1e-5)
extent = {
    "std, training rows": z_train.std(0), "std, test rows": z_test.std(0),
    "farthest training row": z_train.abs().amax(0), "farthest test row": z_test.abs().amax(0),
}  # fmt: skip
pd.DataFrame(extent, index=rows)

# %% [markdown] slideshow={"slide_type": "subslide"}
# The test rows do *not* have standard deviation 1, and they need not have it. In the last two outputs
# they are far from it. The cubic has heavy tails, so its standard deviation depends on a few rows,
# and among these 256 training rows at least one lies farther out than any of the 1,024 test rows. It
# has stretched the ruler. This is also why the crosses of the cubic lie so far to the left in the
# opening figure: the training mean costs 1 on the training rows, but on the test rows it may cost more or less.
#
# It follows that each draw of the data has a floor of its own, $4\sigma^2 / s^2_{\text{train}}$. Here
# are the floors of 200 draws of 256 training rows. (Their mean is a little above the closed form. This is no
# mistake: the mean of $1 / s^2$ is larger than one over the mean of $s^2$.)

# %%
spreads = [data(256, 0, SIGMA, seed)[2].std(0, ddof=1)[::2] for seed in range(200)]
each = pd.DataFrame(4 * SIGMA**2 / np.square(spreads), columns=floors.index)
summary = each.agg(["mean", "std", "min", "max"])
summary.loc["this draw"] = 4 * SIGMA**2 / unit[::2] ** 2
summary.loc["closed form"] = floors["floor of the MSE"]
summary

# %% [markdown] slideshow={"slide_type": "subslide"}
# **What goes wrong otherwise?** Suppose that we scale the test rows by their *own* mean and standard
# deviation. Then a predictor that was fitted on the training scale answers in one unit, and we mark
# its answers in another. We give it the best chance there is: the predictor is the exact function, on
# the training scale. We try test sets of 4 to 1,024 rows, each size 400 times.

# %%
_, _, pool_y, _ = data(100_000, 0, SIGMA, seed=3)
_, _, pool_f, _ = data(100_000, 0, 0, seed=3)
best = (pool_f - centre) / spread  # the exact function, on the training scale
tried, rng = [], np.random.default_rng(4)
for n in 2 ** np.arange(2, 11):
    for _ in range(400):
        chosen = rng.integers(len(pool_y), size=n)
        test = pool_y[chosen]
        proper = (test - centre) / spread
        own = (test - test.mean(0)) / test.std(0, ddof=1)
        tried.append((n, *(((z - best[chosen]) ** 2).mean() for z in (proper, own))))
columns = ["rows", "training statistics", "the test rows' own"]
by_rows = pd.DataFrame(tried, columns=columns).groupby("rows").mean()

# %% slideshow={"slide_type": "subslide"}
floor = float((4 * SIGMA**2 / spread**2).mean())  # of this draw, mean over the outputs
figure, ax = plt.subplots(figsize=(7.4, 3.7), layout="constrained")
pictures.plot_scaled_by(by_rows, floor, ax)
plots.show(
    figure,
    "MSE of the best predictor against the number of test rows. Scaled by training statistics "
    "it lies on the floor at every size; scaled by the test rows' own statistics it lies above, "
    "far above for few rows.",
)

# %% [markdown]
# When we scale by the training rows, the exact function scores at the floor, whatever the size of the
# test set is. When the test set is scaled by itself, the error is too high: far too high if the test
# set is small, and still too high if it is large. Part of the reason is that the unit itself has
# changed, and the floor with it. But then you can no longer compare the number with the training
# error, either. And a test set of one row has no standard deviation at all.
#
# It is also wrong to pool all rows before the split, for the opposite reason: now the *training*
# targets depend on test rows, and we call this a leak. To see it, we double every test value and look
# at the training targets:

# %%
pooled = [standardize(np.concatenate([y_train, k * y_test]))[0][:256] for k in (1, 2)]
apart = [standardize(y_train, k * y_test)[0] for k in (1, 2)]
moved_by = [float((doubled - plain).abs().max()) for plain, doubled in (pooled, apart)]
assert moved_by[1] == 0
scaled_by = ["all rows together", "training rows only"]
pd.Series(moved_by, scaled_by, name="largest change of a training target").to_frame()

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 3 · Test rows on the training scale
#
# ●○○ · 5 minutes
#
# Return the test rows, standardised column by column as the package does it: by the training rows,
# with the standard deviation that divides by $n - 1$, and so that a column with the same value in all rows becomes
# 0 instead of NaN. In section 7, the test error of a GSNN will be measured on the rows that your function returns.
#
# <details><summary>Hint 1</summary>
#
# You need two numbers per column, and both come from `train`.
#
# <details><summary>Hint 2</summary>
#
# NumPy's `std` divides by $n$ unless you say `ddof=1`. The `std` of torch divides by $n - 1$.
#
# <details><summary>Hint 3</summary>
#
# 0 / 0 is NaN. Add `1e-8` to the standard deviation.
#
# </details></details></details>


# %% slideshow={"slide_type": "skip"}
def scale_test(train, test):
    """train (n, outputs), test (m, outputs) -> the scaled test rows, (m, outputs)."""
    raise NotImplementedError


checks.scale_test(scale_test);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def scale_test(train, test):
#     mean, std = train.mean(axis=0), train.std(axis=0, ddof=1)  # (outputs,), training rows only
#     return (test - mean) / (std + 1e-8)
# ```
#
# </details>

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 6 · Why even functions are hard for a linear model
#
# Now we can say why the linear model learned nothing in four of the eight rows. For each standard
# normal parent $x_i$, the best straight line through $f$ has the slope $\mathbb E[x_i f(x)]$. If $f$
# is even, which means that $f(-x) = f(x)$, then every sample at $x$ has a mirror image at $-x$ that
# pulls the line the other way with the same force. So the slope is 0. Nothing is wrong with the data,
# because the inputs determine the signal as they do for any other function. But *the sign of an input*
# says nothing about it, and a line needs that sign. We compute the slopes by quadrature,
# and the $R^2$ that they give:

# %%
slope = pd.Series({f.__name__: expect(grid[0] * f(grid)) for f in NONLINEARITIES})
explained = 2 * slope**2  # two parents, each with variance 1
by_theory = pd.DataFrame({"slope": slope})
by_theory["best linear R²"] = explained / (floors["signal"] + floors["noise"])
by_theory["ceiling of R²"] = floors["ceiling of R²"]
np.testing.assert_allclose(slope[["half_square", "cosine"]], 0, atol=1e-12)
by_theory.round(3).abs().rename_axis("pathway")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Now we fit one. We train a linear regression for each pathway, on that pathway's own two inputs,
# with 256 rows, and we score it on 1,024 rows. Then we train the same regression once more with three
# more features: both squares, and the product of the two inputs.
#
# **Predict first.** For which of the four functions will the three new features help?


# %%
def scores(degree):
    """Test R^2 of a linear regression on the polynomials of a pathway's two inputs, by output."""
    r2 = []
    for p in range(4):
        own = outs = slice(2 * p, 2 * p + 2)
        features = PolynomialFeatures(degree, include_bias=False)
        line = LinearRegression().fit(features.fit_transform(x_train[:, own]), y_train[:, outs])
        prediction = line.predict(features.transform(x_test[:, own]))
        r2 += list(r2_score(y_test[:, outs], prediction, multioutput="raw_values"))
    return pd.Series(r2, rows)


ceiling = pd.Series(r2_score(y_test, signal_test, multioutput="raw_values"), rows)

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(9.0, 4.2), layout="constrained")
marks = {"linear model": scores(1), "with squares and products": scores(2)}
pictures.plot_limits(ceiling, marks, ax, quantity="test R^2")
plots.show(
    figure,
    "Test R squared by output, with the noise ceiling. The linear model is at zero for "
    "half_square and cosine. With squares and products half_square comes up to its ceiling and "
    "cosine part of the way.",
)

# %% [markdown] slideshow={"slide_type": "slide"}
# The linear model is at zero, or just below, where the function is even, just as we computed. When we
# give it squares, the half square is at its ceiling, because it *is* a linear function of squares.
# The cosine comes part of the way, because a parabola is not a cosine. So the even pathways are not
# hard as such. They need a model that bends, and the model has to find the bend by itself, since with
# real data nobody hands us the right feature. For the cubic, which is odd, squares even cost a little.
#
# ## 7 · A first curve, with its floor
#
# The model that finds the bend is the GSNN, and you will build it in chapter 3. Here we only look at
# its training curve, because now we know how to read one. As in chapter 1, the graph of the model has
# eight spurious edges, which played no part in making the data. The test rows are on the scale that you wrote in
# exercise 3.
#
# **Predict first.** The model sees the same 256 rows again and again. Can its *training* error fall
# below the noise floor? And can its test error?

# %%
wired = graph.with_spurious_edges(8, seed=0)
torch.manual_seed(0)
model = GSNN(wired.edge_index_dict, wired.names, channels=8, layers=4, node_mlp=False)
inputs = [torch.tensor(x, dtype=torch.float32) for x in (x_train, x_test)]
your_test = torch.tensor(yours(checks.scale_test, scale_test)(y_train, y_test), dtype=torch.float32)
torch.testing.assert_close(your_test, z_test)
history = train(model, inputs[0], z_train, x_test=inputs[1], y_test=your_test, epochs=500)

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(7.4, 3.7), layout="constrained")
pictures.plot_history_above_floor(history, floor, ax)
plots.show(
    figure,
    "Train and test MSE of a GSNN over 500 epochs with the noise floor. The test MSE levels off "
    "above the floor; the train MSE goes below it.",
)

# %%
_, _, signal_train, _ = data(256, 1024, 0, seed=0)
pairs = (y_train, signal_train), (y_test, signal_test)
exact = [(((y - f) / spread) ** 2).mean() for y, f in pairs]
reached = [history.train_mse[-1], history.test_mse[-1]]
against = {"GSNN, last epoch": reached, "exact function, same rows": exact, "floor": floor}
pd.DataFrame(against, ["train MSE", "test MSE"])

# %% [markdown] slideshow={"slide_type": "subslide"}
# The test error levels off above the floor, and the table shows how much is left to win. The training error
# goes *below* what the exact function scores on the same rows, and there is only one way to get there: the
# model has begun to learn the noise. Without the floor, the two curves would only have told us that there is
# a gap between them. With the floor, we see which part of the gap is overfitting, and which part the model
# could still win on the test rows. Here is the same for each output:

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(9.0, 4.2), layout="constrained")
with torch.no_grad():
    gsnn = error(model(inputs[1]).double().numpy() * spread + centre)
three = {"training mean": mean_only, "linear model": linear, "GSNN": gsnn}
pictures.plot_limits(error(signal_test), three, ax)
plots.show(
    figure,
    "The opening figure with the GSNN added: it is nearer to the floor than the linear model in "
    "every output, the even functions included, and farthest from it for the cosine.",
)

# %% [markdown] slideshow={"slide_type": "slide"}
# This is one seed. It shows you how to read an error, and it does not show how good the model is. For
# that we need many seeds, and we take them in chapter 6. From here on, every MSE comes with its
# floor.
#
# ## Recap
#
# 1. In a structural causal model each node has an equation of its parents and its own noise. Ten
#    lines walk through the graph in topological order and draw samples, and with the same seed these
#    are the samples of the package.
# 2. `tanh` and `cosine` act on the sum of the parents, `half_square` and `cubic` act on each parent. A
#    function runs on all samples at once only if you say so, because the wrong way may go wrong
#    without failing.
# 3. Noise after the nonlinearity piles up along the chain, to $4\sigma^2$ at an output, and the
#    conditional mean is $f(x)$. The floor is noise / (signal + noise), and a simulation agrees.
# 4. Mean and standard deviation come from training rows only. If test rows are scaled by themselves,
#    even the exact function pays for it, and if all rows are pooled, test rows leak.
# 5. The best line through an even function is flat. Squares help if somebody hands them to the model,
#    and a model that bends finds the bend by itself.
#
# **Next:** we have data, and we know how well they can be predicted. In [3 · The GSNN](03_gsnn.ipynb)
# you build the network that finds the bend by itself, from five edges that you can check with a pencil.
#
# ## References
#
# * Pearl 2009, *Causality: Models, Reasoning, and Inference*, 2nd edition, Cambridge University
#   Press.
# * Peters, Janzing and Schölkopf 2017, *Elements of Causal Inference*, MIT Press (structural causal
#   models).
# * Hastie, Tibshirani and Friedman 2009, *The Elements of Statistical Learning*, 2nd edition,
#   Springer (conditional mean and irreducible error, section 2.4 and 7.3).
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv
#   2024.02.28.582164.
