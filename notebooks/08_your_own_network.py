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
# # 8 · Your own network
#
# So far the data came from a simulation, and we knew which pathways were true. Here nobody knows. We take real
# measurements, a network drawn from the literature and gene sets from textbooks, and ask a question of the field:
# *can we predict combinations of stimuli and inhibitors that were never measured?* A first GSNN does badly, and we find
# out why. Then you do the same with three files of your own.
#
# **You will be able to**
#
# 1. load a table, a network and gene sets of your own, and read the report on what of them can be used;
# 2. split by whole conditions, and compare with the rivals that a referee would ask for;
# 3. tell a model that is badly trained from a map that does not let the signal through;
# 4. judge a prior on pathways where no truth is known.
#
# **Before you start:** [7 · Does the prior help?](07_does_the_prior_help.ipynb). **Time:** 50 minutes to
# read, two minutes to run on two CPU cores, less than 1 GB of memory.

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

# %% slideshow={"slide_type": "skip"}
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

# %% slideshow={"slide_type": "skip"}
from gsnn_tutorial import attribution, plots
from gsnn_tutorial.checks import chapter_8 as checks
from gsnn_tutorial.own.asked import asked_inputs, heard, restricted_errors
from gsnn_tutorial.own.example import write_example
from gsnn_tutorial.own.fitting import errors, fitted
from gsnn_tutorial.worked.hepatocytes import FOLDER, hepatocytes
from gsnn_tutorial.worked.steps import CAREFUL, CARELESS, everywhere
from gsnn_tutorial.own.network import own_network
from gsnn_tutorial.own.paired import OWN_ARMS, paired_comparison, trainings
from gsnn_tutorial.own.problem import OwnProblem
from gsnn_tutorial.own.rivals import group_mean, mlp, pairwise, ridge
from gsnn_tutorial.own.tuned import own_tuning
from gsnn_tutorial.plots import chapter_8 as figures
from gsnn_tutorial.plots.chapter_5 import plot_curves
from gsnn_tutorial.study.inference import FEWEST_SEEDS, contrasts, interval, summarize
from gsnn_tutorial.study.verdict import verdict

pd.set_option("display.float_format", "{:.3f}".format)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1 · Three files, and a report
#
# Liver cells of five kinds were given stimuli and inhibitors, alone and together, and the phosphorylation of some
# proteins was measured. Four small files say it all: a **table** (samples by columns), a **network** (an edge list with
# source, target and sign), **gene sets** (GMT, the format of MSigDB and Reactome), and **columns**: which column of the
# table enters which node of the network, and which is read out of which.

# %%
files = hepatocytes()
display(pd.read_csv(files["columns"]).iloc[[0, 5, 8, 26, 27]], pd.read_csv(files["network"]).head(3))
print(Path(files["sets"]).read_text(encoding="utf-8").splitlines()[0][:90], "...")

# %% [markdown] slideshow={"slide_type": "subslide"}
# A stimulus or an inhibitor is an *input* of its node. The cell line is a *category*: one input for each label, wired to
# every node that is read out (`*outputs`). The columns of a *group* name the combination that a row belongs to.
# One call reads it all. Nothing is dropped without being counted:

# %%
own = own_network(**files)
print(own.report())

# %% [markdown] slideshow={"slide_type": "subslide"}
# Read such a report before you train anything. This one says that the network has feedback loops (allowed: a signal
# goes round once per layer), that most readouts cannot hear every input, and that some cannot hear any.

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(15, 9), layout="constrained")
figures.plot_own_network(own.graph, ax)
plots.show(figure, "The network by hops from the inputs: function nodes as circles, hollow ones are not reached by any input")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 2 · Look first
#
# The table holds log2 of the measured fluorescence, minus that of the cell line's own control (no stimulus, no
# inhibitor): 1 is twice the control.

# %% slideshow={"slide_type": "subslide"}
table = pd.read_csv(files["table"])
line = own.x.filter(like="cell_line=").idxmax(axis=1).str.removeprefix("cell_line=")
figure, ax = plt.subplots(figsize=(10, 4), layout="constrained")
figures.plot_spread(own.y, line, ax)
plots.show(figure, "Log2 change of each readout: grey bars hold the middle 90 percent, marks are the medians of the cell lines")

# %% [markdown]
# **Copies.** In the original table every unstimulated row at 30 minutes is the copy of one at 0 minutes. The
# script that made our table (`worked/make_hepatocytes.py`) leaves the copies out: else some test rows would have been
# training rows. **Noise.** Real duplicates are left of the controls, two for each cell line and inhibitor combination.
# Half their mean squared difference is the variance of one measurement:

# %%
given = list(pd.read_csv(files["columns"]).query("role in ['stimulus', 'inhibitor']")["column"])
controls = table[table["minutes"] == 0].groupby(["cell_line", *given])
readouts = [name.removesuffix(" (measured)") for name in own.y]
noise = controls[readouts].agg(lambda pair: (pair.iloc[0] - pair.iloc[1]) ** 2 / 2).mean()
noise = (noise / table[readouts].var()).set_axis(own.y.columns)
print(f"duplicates: {len(controls)} pairs; variance of a measurement, in variances of the readout: {noise.mean():.2f}")
noise.sort_values().to_frame("noise").T.round(2)

# %% [markdown] slideshow={"slide_type": "subslide"}
# No model can predict noise, and for some readouts it is a large part. It is an estimate and no floor: noise under
# stimulation may be another. **The question** is about combinations, so we hold out whole ones: all rows of a stimulus
# with an inhibitor combination, in every cell line.

# %%
problem = OwnProblem(own, test=0.2)
draw = problem.draw(seed=0)
print(f"{len(draw.x_train)} training rows, {len(draw.x_test)} test rows; "
      f"{len(np.unique(draw.groups))} of {own.groups.nunique()} combinations to train on; noise floor: {draw.floor}")

# %% [markdown] slideshow={"slide_type": "skip"}
# The draw is what chapter 6 knows: data, sets, their shuffle. Nobody knows its noise floor, so that is NaN, and what
# needs a true graph says so with an error.
#
# ### Exercise 1 · Whole groups
#
# ●○○ · 5 minutes
#
# Write the split. You get each row's group, the share of the *groups* to hold out, and the groups in an order that was
# drawn. Return a mask of the rows that are held out: those of the first round(share * number of groups) of the order.
#
# <details><summary>Hint 1</summary>
#
# `np.isin(groups, some_groups)` says for each row whether its group is among some.
#
# </details>

# %% slideshow={"slide_type": "skip"}
def held_out(groups, share, order):
    """Groups (rows,), a share, group numbers in a drawn order -> mask (rows,) of the rows that are held out."""
    raise NotImplementedError


checks.held_out(held_out);

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Solution</summary>
#
# ```python
# def held_out(groups, share, order):
#     count = round(share * len(order))
#     return np.isin(groups, order[:count])
# ```
#
# </details>
#
# ## 3 · The rivals
#
# A referee would ask for models without a network. Each chooses its penalty from four values, by folds of whole
# combinations of the training rows. *Pairwise* ridge also has the product of every two inputs: an inhibitor may act
# differently under one stimulus, or in one cell line.

# %%
inputs = own.graph.input_nodes
x, x_test = (pd.DataFrame(t.numpy(), columns=inputs) for t in (draw.x_train, draw.x_test))
both = pairwise(pd.concat([x, x_test], ignore_index=True))
lines = [name for name in inputs if "=" in name]
predicted = {
    "mean of the cell line": group_mean(x[lines], draw.y_train, x_test[lines]),
    "additive ridge": ridge(x, draw.y_train, x_test, draw.groups),
    "pairwise ridge": ridge(both[: len(x)], draw.y_train, both[len(x) :], draw.groups),
    "MLP": mlp(x, draw.y_train, x_test, draw.groups),
}
found = {name: pd.Series(((p - draw.y_test.numpy()) ** 2).mean(0), own.y.columns) for name, p in predicted.items()}
pd.DataFrame(found).mean().to_frame("held-out error").T

# %% [markdown] slideshow={"slide_type": "slide"}
# Errors are in variances of the readout over the training rows. Interactions matter: pairwise ridge is far ahead of
# additive ridge, and it is the model to beat.
#
# ## 4 · A careless GSNN, and a careful one
#
# A first attempt takes what the chapters before used: layer norm, shared layers, all rows at once, and the cell line
# wired to *every* function node. Then we take more care of the same map:

# %%
def gsnn_errors(graph, settings):
    """Train on the draw's training rows: errors of each readout on test rows, and the mean on training rows."""
    model = fitted(replace(draw, graph=graph), settings, settings.layers)
    each = pd.Series(errors(model, draw.x_test, draw.y_test), own.y.columns)
    return model, each, float(errors(model, draw.x_train, draw.y_train).mean())


_, found["careless GSNN"], train_careless = gsnn_errors(everywhere(own), replace(CARELESS, epochs=60))
careful, found["GSNN on the map"], train_careful = gsnn_errors(own.graph, replace(CAREFUL, epochs=80))
rows = [(name, train, found[name].mean()) for name, train in
        [("careless GSNN", train_careless), ("GSNN on the map", train_careful)]]
pd.DataFrame(rows, columns=["model", "training error", "held-out error"]).set_index("model")

# %% [markdown] slideshow={"slide_type": "subslide"}
# Look at the *training* error of the careless model: it does not even fit the rows that it was trained on. That points
# at training or at the map, and not at too little data. The saved study changes one thing at a time, over several splits
# (`python -m gsnn_tutorial.worked.steps steps.csv`):

# %% slideshow={"slide_type": "subslide"}
saved = pd.read_csv(FOLDER / "steps.csv")
first = ["mean", "careless", "minibatches", "norm over the batch", "cell line at the read-outs", "layers of their own",
         "six layers", "inhibitors one hop further too", "pairwise ridge"]
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
figures.plot_steps(saved[saved["step"].isin(first)].sort_values("step", key=lambda s: s.map(first.index), kind="stable"), ax)
plots.show(figure, "Held-out error of each split for each step from the mean to pairwise ridge, which stays ahead")
saved[saved["step"].isin(first)].groupby("step")[["train_mse", "test_mse"]].mean().loc[first]

# %%
def step_difference(step, versus, column="test_mse"):
    """Mean paired difference of two steps over the splits, with its interval where there are enough of them."""
    wide = saved.pivot(index="seed", columns="step", values=column)
    d = (wide[step] - wide[versus]).dropna()
    low, high = interval(d) if len(d) >= FEWEST_SEEDS else (np.nan, np.nan)
    return {"step": step, "versus": versus, "difference": d.mean(), "low": low, "high": high, "splits": len(d)}


before = ["careless", *first[2:5], "layers of their own", "layers of their own"]
pd.DataFrame([step_difference(*pair) for pair in zip(first[2:8], before)])

# %% [markdown] slideshow={"slide_type": "slide"}
# * **Norm.** Layer norm divides a node's channels by their own spread, so it takes away how *strong* a signal is. What
#   we predict is strength. A norm over the batch keeps it.
# * **Depth.** A signal moves one function node per layer. With six layers, readouts far down hear only some inputs.
# * **How an inhibitor enters.** It is an input of the node that it blocks. But that node is what is *measured*: a
#   blocked kinase may carry more phosphate and hand on less. In the last step an inhibitor enters what its node acts on as
#   well. (A plain GSNN cannot be told that it *multiplies* what a node sends.)
# * **Who had which chance?** Ridge chose inside the training rows. We found the other steps by looking at
#   held-out errors of such splits, and splits share rows. So the steps explain, and they confirm nothing.
#
# Now the map.
#
# ## 5 · What the map lets through
#
# A readout can only depend on inputs that some path leads from. How far are they?

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(8, 6), layout="constrained")
figures.plot_hops(own.outputs, ax)
plots.show(figure, "Hops from the nearest and from the farthest input to each readout; a cross where no input reaches it")
own.outputs[["nearest", "hops", "not from", "needed"]]

# %% [markdown]
# What does that cost? We can say without training a network: pairwise ridge, for each readout, is told only of the inputs
# that *reach* it (the cell line always does). What it loses, no GSNN on this map can win back by training, unless ridge
# is too simple.

# %%
told = heard(own.graph)
y_rows, groups = own.y.iloc[draw.rows], own.groups.iloc[draw.rows]
x_rows = own.x.iloc[draw.rows]
cost = pd.DataFrame({
    "all inputs": restricted_errors(x_rows, y_rows, groups, {name: list(own.x) for name in own.y}),
    "inputs that reach it": restricted_errors(x_rows, y_rows, groups, told),
    "hops": own.outputs["hops"],
})
print(cost[["all inputs", "inputs that reach it"]].mean().round(3).to_string())
cost.assign(cost=cost["inputs that reach it"] - cost["all inputs"]).sort_values("cost", ascending=False).head(6)

# %% [markdown] slideshow={"slide_type": "slide"}
# Missing paths alone cost that much of the error, by folds of the training rows.
#
# ## 6 · The map's faults
#
# **Edges that the data asks for.** For each readout, which input that does not reach it would lower ridge's error most?
# We add one input at a time, judged by folds of whole combinations of the *training* rows.

# %%
asked = asked_inputs(x_rows, y_rows, groups, told)
print(asked.groupby("input")["gain"].agg(["size", "mean"]).sort_values("size", ascending=False).round(3).to_string())
asked.sort_values("gain", ascending=False).head(5)

# %% [markdown] slideshow={"slide_type": "subslide"}
# The input at the top is asked for by most readouts. Inhibitors are seldom specific at the doses that are used, and a
# map of intended targets does not say so. (It could also be a pathway that the map lacks, or something of the assay:
# these data cannot tell which.) We draw those edges from the input to the node that is read out, and train again. As a
# control we draw as many edges at random.

# %% slideshow={"slide_type": "subslide"}
node = {name: source for source, name in own.graph.edges if name in set(own.graph.output_nodes)}
new = tuple((u, node[name]) for u, name in zip(asked["input"], asked["output"]))
mended = replace(own.graph, edges=own.graph.edges + new)
model, found["GSNN, edges asked for"], _ = gsnn_errors(mended, replace(CAREFUL, epochs=80))
last = ["layers of their own", "as many random edges", "edges asked for", "100 spurious edges", "pairwise ridge"]
figure, ax = plt.subplots(figsize=(8, 3.0), layout="constrained")
figures.plot_steps(saved[saved["step"].isin(last)].sort_values("step", key=lambda s: s.map(last.index), kind="stable"), ax)
plots.show(figure, "Held-out error of each split on the map as drawn, with edges asked for, random ones, and 100 spurious ones")
pd.DataFrame([step_difference(a, b) for a, b in [
    ("edges asked for", "layers of their own"), ("edges asked for", "as many random edges"),
    ("100 spurious edges", "layers of their own"), ("100 spurious edges", "edges asked for"),
    ("edges asked for", "pairwise ridge")]])

# %% [markdown]
# Look at the lines of *100 spurious edges*: edges between function nodes, drawn at random, that nobody believes in. Any
# edges make ways for a signal to get through. So a better prediction does **not** show that the new edges are real.
# Readout by readout, at our one split:

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(11, 4.4), layout="constrained")
shown = {name: found[name] for name in ("pairwise ridge", "careless GSNN", "GSNN on the map", "GSNN, edges asked for")}
hops = own.outputs["hops"]
ticks = {name: f"{name.removesuffix(' (measured)')} ({'no path' if np.isinf(h) else int(h)})" for name, h in hops.items()}
order = hops.sort_values(kind="stable").index
figures.plot_readouts({name: e.loc[order] for name, e in shown.items()} | {"noise of duplicates": noise.loc[order]}, ax, ticks=ticks)
plots.show(figure, "Held-out error of each readout, from near the inputs to no path, for ridge and three GSNNs, with the noise")
pd.DataFrame(found).mean().to_frame("held-out error, one split").T

# %% [markdown]
# **Edges that it does not use.** Silence each edge between function nodes, and see how far the predictions move:

# %%
effects = pd.Series(attribution.edge_effects(model, draw.x_test, keep_mean=True))
source, target = mended.edge_index_dict["function", "to", "function"].numpy()
effects.index = [f"{mended.function_nodes[i]} -> {mended.function_nodes[j]}" for i, j in zip(source, target)]
unused = int((effects < 0.01 * effects.max()).sum())
print(f"{unused} of {len(effects)} edges move the predictions by less than 1% of what the strongest one does")
effects.sort_values(ascending=False).head(5).to_frame("mean squared change")

# %% [markdown] slideshow={"slide_type": "slide"}
# An edge is unused where it leads to no readout, where nothing reaches it, or where another way carries the same. Another
# start may use others (chapter 6).
#
# ## 7 · The prior on pathways
#
# On the mended map, now with the regularizer of chapter 5: each member of a textbook set should co-vary with the *others*
# of its set. The controls are told shuffled sets, or random connected sets of the same sizes. Here all arms have the same
# settings, and no strength was tuned.

# %%
names = {"edges asked for": "baseline"} | {name: name for name in ("regularized_loo", "control_loo", "connected_control_loo")}
arms = saved[saved["step"].isin(names)].assign(arm=lambda t: t["step"].map(names))
controls = ("control_loo", "connected_control_loo")
summary = summarize(arms, ["test_mse"], contrasts("regularized_loo", controls))
print(verdict(summary, "test_mse", "regularized_loo", controls=controls))

# %% [markdown] slideshow={"slide_type": "slide"}
# This is a statement about these sets, this map and this strength. "It is the pathways" would have to be better than the
# baseline *and* than both controls: the rule of chapter 6, fixed before.
#
# **The file.** What you have just written is `gsnn_tutorial/own/problem.py`, with a seed for every choice. You can read it
# here: run `from gsnn_tutorial.own import problem as file` in a new cell, and then `file??`.
#
# ## 8 · Five lines for your own files
#
# `write_example` writes a set of small files to start from. Replace them by yours; DataFrames do as well. With a `tuning`
# each arm chooses its strength or weight decay, and its epoch, by folds of whole groups of the training rows:

# %%
example = write_example(Path(mkdtemp()) / "example")
mine = own_network(**example)
print(mine.report().split("\n\n")[3])
tuning = own_tuning(epochs=20)
results = paired_comparison(OwnProblem(mine), seeds=[0], tuning=tuning, progress=False)
print(f"{trainings(len(OWN_ARMS), 1, tuning)} trainings for one split, {trainings(len(OWN_ARMS), FEWEST_SEEDS, tuning)} for a verdict")
results.set_index("arm")[["test_mse", "cv_mse", "epoch", "weight_decay", "lambda_sim"]].map("{:.3g}".format)

# %% [markdown] slideshow={"slide_type": "skip"}
# One split gives no verdict: the rule asks for twelve. The command trains them, every arm tuned alike (`--untuned` trains
# each once, which large tables need). It writes the network, sets and data *as they were used*, report, table, figures and
# verdict into a folder, and goes on if it was interrupted:
#
#     python -m gsnn_tutorial mine --example my_files
#     python -m gsnn_tutorial mine --table my_files/table.csv --network my_files/network.csv \
#         --sets my_files/sets.gmt --columns my_files/columns.csv --output runs/mine
#
# ### Exercise 2 · Half wrong
#
# ●●○ · 15 minutes
#
# Bring a membership of which half is wrong. N // 2 nodes, the first half of a drawn order, exchange their columns of
# M (P, N) in a ring: each gets that of the one before it in the order, and the first gets that of the last. All other
# nodes keep theirs, and M itself stays as it is.
#
# <details><summary>Hint 1</summary>
#
# `chosen = order[: M.shape[1] // 2]` are the nodes, and `np.roll(chosen, 1)` are those before them.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Make a copy first: `wrong[:, chosen] = M[:, ...]` reads from M and writes to the copy.
#
# </details>

# %% slideshow={"slide_type": "skip"}
def half_wrong(M, order):
    """A membership (P, N) and the nodes in a drawn order -> (P, N), half of its columns exchanged."""
    raise NotImplementedError


checks.half_wrong(half_wrong);

# %% [markdown] slideshow={"slide_type": "slide"}
# <details><summary>Solution</summary>
#
# ```python
# def half_wrong(M, order):
#     chosen = order[: M.shape[1] // 2]
#     wrong = M.copy()
#     wrong[:, chosen] = M[:, np.roll(chosen, 1)]
#     return wrong
# ```
#
# </details>
#
# Then find out whether a comparison notices, on the example, whose true sets you know: give the sets of
# `half_wrong(mine.membership.to_numpy(), order)` to `own_network` as a DataFrame of set and member, and run
# `paired_comparison` over twelve splits with both.
#
# ## 9 · Scale
#
# Real networks have thousands of nodes. A saved run (`python -m gsnn_tutorial.worked.scale scale.csv`) reads such
# tables, and trains in minibatches of 64, without and with the regularizer over overlapping sets:

# %% slideshow={"slide_type": "subslide"}
scale = pd.read_csv(FOLDER.parent / "scale.csv")
display(scale.groupby("arm")[["nodes", "edges", "sets", "read_seconds", "seconds_per_epoch", "gigabytes", "threads"]].first())
curves = {arm: part["test_mse"].to_numpy() for arm, part in scale.groupby("arm")}
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
plot_curves(scale["epoch"].unique(), curves, ax, xlabel="epoch", ylabel="test MSE")
plots.show(figure, "Test error over the epochs of a large network, without and with the regularizer")

# %% [markdown] slideshow={"slide_type": "slide"}
# ## Recap
#
# 1. A table, a network and gene sets become a graph, a membership and data in one call, and a report says what was
#    dropped, changed, or cannot be reached.
# 2. Hold out whole conditions, look for copies, and bring the rivals: here ridge with interactions is the one to beat.
# 3. A training error as large as the test error is not overfitting. Norm, depth and steps are training; ridge on the
#    inputs that reach a readout shows what the map costs. That new edges help does not show that they are real.
# 4. Without a truth the controls are all there is: shuffled and connected sets, over twelve paired splits, by a rule that
#    was fixed before.
#
# **Next.** Take your own three files. The README says how to install the kit and what else its
# commands do, and [chapter 7](07_does_the_prior_help.ipynb) what to ask of a prior.
#
# **The same from the command line:** `python -m gsnn_tutorial mine --example my_files`.
#
# ## References
#
# * Alexopoulos, Saez-Rodriguez, Cosgrove, Lauffenburger and Sorger 2010, *Networks inferred from biochemical data reveal
#   profound differences in Toll-like receptor and inflammatory signaling between normal and transformed hepatocytes*,
#   Molecular & Cellular Proteomics 9, 1849.
# * Saez-Rodriguez et al. 2011, *Comparing signaling networks between normal and transformed hepatocytes using discrete
#   logical models*, Cancer Research 71, 5400.
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv 2024.02.28.582164.
# * Roberts et al. 2017, *Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic
#   structure*, Ecography 40 (on splits by whole groups).
