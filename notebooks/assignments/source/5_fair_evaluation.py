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
# # Assignment 5 · A fair three-way evaluation
#
# We tell a prior which nodes form pathways. Does this make the model better, and if it does, is it because of the
# pathways? An evaluation can go wrong at every step. The control may be the truth in disguise. The similarity may
# depend on how channels are numbered. The null may not be 0. The seeds may not be paired, and somebody may read the
# verdict off a mean. Here you take these steps yourself, one by one, and in the end you write the verdict.
#
# **You will be able to**
#
# 1. build a control that cannot be the truth, whatever pathways overlap;
# 2. compare nodes by a similarity that does not depend on their basis;
# 3. test a gap against shuffled pathways, and say why that null is too weak;
# 4. give a paired difference its interval, where seeds are missing and out of order;
# 5. turn intervals into a verdict by a rule, and write it down with its limits.
#
# **Before you start:** chapters 6, *Three-way evaluation*, and 7, *Does the prior help?* **Time:** 50 to 65
# minutes; 20 points; it runs in seconds.
#
# **How it works.** Replace each `raise NotImplementedError` by your answer, and run the cell below it. It
# tells you that you are *right*, or what went wrong. You may add cells, and you may change your answers as
# often as you like. If you see a button *Validate*, you can ignore it, because only what the check cells print
# counts. When we grade, we run your notebook from top to bottom, on the data of these checks and on other data. So write
# functions that work for any pathways, models and studies. Each exercise counts by itself, and its function gets all
# that it needs as arguments. These are NumPy arrays unless the text says otherwise. Use loops, NumPy or torch, as you
# like. You answer the last exercise in words, and a person reads it.

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
import torch
from scipy import stats

from gsnn_tutorial import GSNN, Problem, plots
from gsnn_tutorial.evaluation import told_gap
from gsnn_tutorial.study.inference import summarize
from gsnn_tutorial.study.saved import saved_study

SEED = 2026  # the data, and what the checks ask, follow from it

# %% [markdown]
# ## 1 · Control, measure, null
#
# ### Exercise 1 · A fair control
#
# ●●○ · 9 minutes · 3 points
#
# We tell the control pathways that are as many and as large as the true ones and that overlap as much, but that are
# not the true ones. So we take the true memberships, $(P, N)$ with entries 0 and 1, and move them to other nodes. A
# shuffle `s` is an array with each node once, and under it node $i$ gets the memberships of node `s[i]`. A node may be
# in several pathways, or in none.
#
# A shuffle may give us the true pathways again. A pathway is the set of its members, and it does not matter which
# pathway comes first. With two pathways of two nodes, a third of all shuffles are the truth! Return the membership
# matrix, $(P, N)$, of the *first* shuffle in the list that gives other pathways than the truth. There is such a
# shuffle in the list. It may leave some nodes, some pairs and even some pathways as they were. If you sorted these out
# too, your control would not be random any more.
#
# For example, let three nodes have the pathways $\{0, 1\}$ and $\{1, 2\}$. The shuffle $(2, 1, 0)$ gives $\{1, 2\}$ and
# $\{0, 1\}$, which is the truth in another order. The shuffle $(0, 2, 1)$ gives $\{0, 2\}$ and $\{1, 2\}$, so you
# return this one.
#
# <details><summary>Hint</summary>
#
# The columns of `M` are the nodes: `M[:, s]`. To compare sets of pathways, sort the rows, or put them into a `set`
# as tuples.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "fair_control", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def fair_control(M, shuffles):
    """Membership (P, N) and a list of shuffles (N,) -> the membership (P, N) of the first that is a fair control."""
    ### BEGIN SOLUTION
    for shuffle in shuffles:
        control = M[:, shuffle]
        if sorted(control.tolist()) != sorted(M.tolist()):
            return control
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "fair_control-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_5 as checks

checks.fair_control(fair_control, SEED);
### BEGIN HIDDEN TESTS
checks.fair_control.grade(fair_control, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · A similarity in any basis
#
# ●●○ · 12 minutes · 4 points
#
# Now you write the measure. Channel 3 of one node has nothing to do with channel 3 of another. So it must not change
# how alike two nodes are if one of them numbers its channels in another order, or turns them into another
# orthogonal basis. Linear CKA (centred kernel alignment) has this property. Write it for all pairs of nodes. For the activations $X$ and $Y$ of two nodes,
# $(B, C)$ each, and each channel centred over the batch,
#
# $$ \mathrm{CKA}(X, Y) = \frac{\lVert X^\top Y \rVert_F^2}{\lVert X^\top X \rVert_F \, \lVert Y^\top Y \rVert_F}, $$
#
# where $\lVert \cdot \rVert_F$ is the Frobenius norm, the root of the sum of all squared entries. A node of which no
# channel varies over the batch has 0 with every node, *itself included*: it says nothing about the samples. In the
# check such a channel has exactly the same value in every sample.
#
# For example, take two nodes with two channels in three samples. Over the samples, the channels of node 0 are
# $(1, 0, -1)$ and $(5, 5, 5)$, and those of node 1 $(1, -2, 1)$ and $(2, 0, -2)$. Then $X^\top Y$ has the entries
# 0, 4, 0, 0, and the CKA is $16 / (2 \cdot 10) = 0.8$. The cosine of the centred channels, one below the other,
# is 0. If you exchange the two channels of node 1, the cosine becomes 0.76, and the CKA stays as it was.
#
# <details><summary>Hint</summary>
#
# Two loops over the nodes are a good answer. Without loops, `np.einsum("bnc,bmd->nmcd", X, X)` holds $X^\top Y$ for
# every pair. Divide only where the denominator is above 0.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "cka", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def cka(a):
    """Activations (B, N, C) -> linear CKA of all pairs of nodes, (N, N)."""
    ### BEGIN SOLUTION
    X = a - a.mean(axis=0)
    cross = np.einsum("bnc,bmd->nmcd", X, X)
    squared = (cross**2).sum(axis=(2, 3))  # (N, N)
    own = np.sqrt(np.diag(squared))
    scale = np.outer(own, own)
    return np.where(scale > 0, squared / np.where(scale > 0, scale, 1), 0)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "cka-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_5 as checks

checks.cka(cka, SEED);
### BEGIN HIDDEN TESTS
checks.cka.grade(cka, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3 · Better than chance?
#
# ●●○ · 11 minutes · 3 points
#
# The *gap* of pathways is the mean similarity of pairs of nodes that share a pathway minus the mean of pairs that
# share none. It leaves out nodes that are in no pathway. `told_gap(S, M)` of the package computes it from a similarity
# $(N, N)$ and memberships $(P, N)$. Is a gap of 0.2 large? That depends on what you would get if the
# pathways meant nothing. So you shuffle the memberships, as in exercise 1, and see how often the gap is at least as
# large. This time you take all $R$ shuffles, and sort *none* of them out:
#
# $$ p = \frac{1 + \#\{\text{shuffles whose gap is at least the observed one}\}}{1 + R}. $$
#
# The 1 stands for the observed pathways: under the null they are one draw like the others. Return the pair (gap, p).
# In the check, shuffles that give the true pathways again are among the $R$; `told_gap` gives them the same gap to the
# last digit.
#
# For example, nodes 0 and 1 form a pathway and have the similarity 0.9, nodes 2 and 3 form another and have 0.7, and
# all other pairs have 0.2. The gap is $0.8 - 0.2 = 0.6$. Of the shuffles $(1, 0, 2, 3)$, $(0, 2, 1, 3)$ and
# $(2, 1, 0, 3)$ the first has the gap 0.6 too, and the others have $-0.3$. So $p = 2/4$.

# %% nbgrader={"grade": false, "grade_id": "beyond_chance", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def beyond_chance(S, M, shuffles):
    """Similarity (N, N), membership (P, N) and shuffles (R, N) -> (gap, p)."""
    ### BEGIN SOLUTION
    gap = told_gap(S, M)
    as_large = sum(told_gap(S, M[:, shuffle]) >= gap for shuffle in shuffles)
    return gap, (1 + as_large) / (1 + len(shuffles))
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "beyond_chance-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_5 as checks

checks.beyond_chance(beyond_chance, SEED);
### BEGIN HIDDEN TESTS
checks.beyond_chance.grade(beyond_chance, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### A null that is too weak
#
# Now we use your two functions on a model that *nobody has trained*, on a new draw of the problem of chapter 6. There
# is nothing to answer here. Look where its gap lies among those of the shuffles, and ask what you would have
# concluded had somebody told you that this model was trained with the prior.

# %% nbgrader={"grade": false, "grade_id": "null", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
ready = not (checks.cka.diagnose(cka, SEED) or checks.beyond_chance.diagnose(beyond_chance, SEED))
if not ready:
    print("The figure comes when exercises 2 and 3 are right.")
else:
    draw = Problem().draw(seed=SEED)
    start = torch.Generator().manual_seed(SEED)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    a = model.layer_activations(draw.x_test[:128])[:, -1].detach().double().numpy()  # (B, N, C)
    S, M = np.array(cka(a.copy()), dtype=float), draw.membership.numpy()
    rng = np.random.default_rng(SEED)
    shuffles = np.array([rng.permutation(M.shape[1]) for _ in range(499)])
    gap, p = (float(value) for value in beyond_chance(S, M, shuffles))
    by_chance = [told_gap(S, M[:, shuffle]) for shuffle in shuffles]

# %% nbgrader={"grade": false, "grade_id": "null-figure", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if ready:
    figure, ax = plt.subplots(figsize=(6.4, 3), layout="constrained")
    ax.hist(by_chance, bins=30, color="#56B4E9", edgecolor="white", label="shuffled pathways")
    ax.axvline(gap, ymax=0.75, color="#D55E00", linestyle="--", linewidth=1)
    ax.plot(gap, 2, "D", color="#D55E00", markersize=9, label=f"true pathways, p = {p:.3f}")
    ax.set(xlabel="CKA gap of an untrained model", ylabel="number of shuffles")
    ax.legend(frameon=False, fontsize=10)
    plots.show(figure, f"Histogram of the gaps of 499 shuffles, from {min(by_chance):.2f} to {max(by_chance):.2f}; "
               f"the gap of the true pathways is {gap:.2f}, p = {p:.3f}")

# %% [markdown]
# Members of a pathway see the same inputs, whatever the weights are. A small $p$ shows that the *graph* has pathways,
# and not that the model has learned them. The null of a structural metric is the untrained model.
#
# ## 2 · Over seeds
#
# ### Exercise 4 · A paired interval
#
# ●●○ · 9 minutes · 3 points
#
# Each arm of a study comes as a dictionary, {seed: value of a metric}. The arms of one seed share their data and
# initial weights, so the difference *within* a seed is what counts. The two dictionaries list their seeds in
# different orders. Where a model diverged, its seed is missing, and a seed that is missing in one arm does not count
# in the other either. Return the 95% interval of the mean difference, arm minus other, as a pair (low, high):
#
# $$ \bar d \pm t_{0.975,\, n-1} \, \frac{s}{\sqrt n}, $$
#
# with the mean $\bar d$ and the standard deviation $s$ (divided by $n - 1$) of the $n$ differences. The quantile of
# the t distribution is `stats.t.ppf(0.975, n - 1)`. This is the interval that chapter 6 chose by its coverage.
#
# For example, `{7: 5, 8: 9, 9: 4, 10: 6}` and `{10: 3, 8: 7, 7: 4, 11: 1}` share the seeds 7, 8 and 10. The differences
# are 1, 2 and 3, so $\bar d = 2$ and $s = 1$. With $t_{0.975,\,2} = 4.303$ the interval is $(-0.484, 4.484)$.

# %% nbgrader={"grade": false, "grade_id": "paired_interval", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def paired_interval(arm, other):
    """Two dictionaries {seed: value} -> (low, high), the 95% interval of the mean difference arm - other."""
    ### BEGIN SOLUTION
    d = np.array([arm[seed] - other[seed] for seed in arm if seed in other])
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean() - half, d.mean() + half
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "paired_interval-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_5 as checks

checks.paired_interval(paired_interval, SEED);
### BEGIN HIDDEN TESTS
checks.paired_interval.grade(paired_interval, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5 · A verdict by rule
#
# ●●○ · 10 minutes · 3 points
#
# Now the rule, for any metric. You get two intervals of paired differences, (low, high), of prior $-$ baseline and of
# prior $-$ control; the margin, which is the smallest gain that matters; and whether less is better, as for an error.
# First turn differences into *gains*, so that more is better. Then the first line that fits counts:
#
# * the whole interval against the baseline lies above 0: **`'pathways'`** if that against the control does too,
#   else **`'smoother'`**;
# * the whole interval against the baseline lies below 0: **`'harms'`**;
# * the whole interval against the baseline lies below the margin: **`'does not help'`**, since a gain, if there is one,
#   is too small to matter;
# * none of these: **`"can't tell"`**.
#
# The last two lines differ, and the difference matters: if no gain is *shown*, this does not show that there is none.
#
# For example, with a margin of 0.01 and test MSE as the metric, the differences $(-0.04, -0.01)$ from the
# baseline and $(-0.03, 0.01)$ from the control make a `'smoother'`. If the difference from the baseline has
# $(-0.005, 0.02)$, the gain lies between $-0.02$ and 0.005: `'does not help'`. With $(-0.03, 0.02)$ you
# `"can't tell"`.

# %% nbgrader={"grade": false, "grade_id": "conclude", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def conclude(versus_baseline, versus_control, margin, less_is_better):
    """Two intervals (low, high), a margin above 0, True or False -> one of the five words."""
    ### BEGIN SOLUTION
    def gain(interval):
        low, high = interval
        return (-high, -low) if less_is_better else (low, high)

    low, high = gain(versus_baseline)
    if low > 0:
        return "pathways" if gain(versus_control)[0] > 0 else "smoother"
    if high < 0:
        return "harms"
    return "does not help" if high < margin else "can't tell"
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "conclude-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_5 as checks

checks.conclude(conclude, SEED);
### BEGIN HIDDEN TESTS
checks.conclude.grade(conclude, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · The verdict
#
# Now you get one of the studies of chapter 7. It has the published size, six layers, lambda 0.3, and four edges
# between pathways that are *real*. You see 16 of its 24 seeds, which the seed at the top has drawn. The plan was
# fixed before the numbers were there, and they do not change it:
#
# * the primary metric is the **test MSE**, less is better, with a margin of 0.01;
# * the **CKA gap** is secondary, more is better: it may explain a verdict, and cannot replace one.

# %% nbgrader={"grade": false, "grade_id": "table", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
saved = saved_study("crosstalk")
drawn = np.random.default_rng(SEED).choice(saved["seed"].unique(), 16, replace=False)
arms = ["untrained", "baseline", "regularized", "control", "oracle"]
table = saved[(saved["n_crosstalk"] == 4) & saved["seed"].isin(drawn) & saved["arm"].isin(arms)]
metrics = ["test_mse", "cka_gap"]
table.groupby("arm", sort=False)[metrics].mean().round(3)

# %% [markdown]
# Here are the paired differences with their 95% intervals, those of your exercise 4:

# %% nbgrader={"grade": false, "grade_id": "differences", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
summary = summarize(table, metrics)
summary.drop(columns=["arm_mean", "versus_mean"]).round(3)

# %% nbgrader={"grade": false, "grade_id": "forest", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
figure, axes = plt.subplots(1, 2, figsize=(11.6, 2.9), layout="constrained")
for metric, ax in zip(metrics, axes):
    plots.plot_forest(table, summary, metric, ax)
intervals = [f"{row.metric}, {row.arm} - {row.versus}: {row.low:.3f} to {row.high:.3f}" for row in summary.itertuples()]
plots.show(figure, "Forest plots of the table above, test MSE left and CKA gap right. " + "; ".join(intervals))

# %% [markdown]
# ### Exercise 6 · Write it down
#
# ●●● · 12 minutes · 4 points
#
# Write the verdict in six to ten sentences, for a reader who has not seen the table. Does the prior help, and is it
# because of the pathways? A person reads what you write, and gives a point for each of the following, or half a point if
# half of it is there:
#
# 1. **The primary metric.** You name it, quote its difference from the baseline with an interval, the table's or that
#    of your exercise 4, and give the verdict of the rule in exercise 5 for that interval.
# 2. **The control.** For the primary metric you quote prior $-$ control and control $-$ baseline, and say what
#    they allow you to say about *pathways*, and what they do not.
# 3. **The null.** You say what the CKA gap has to be compared with, quote that difference, and say what is left
#    of the gain over the baseline.
# 4. **The limits.** You name two things that these numbers cannot say, and for one of them what you would do
#    next.
#
# If your verdict goes against the rule, or takes "not shown" for "shown not to be", it loses the point that it is about.
# Length and eloquence count for nothing. Your own functions from exercises 4 and 5 may help, and you can use `table` and
# `summary`.

# %% [markdown] nbgrader={"grade": true, "grade_id": "written", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false, "cell_type": "markdown"}
# *An example, for the seed 2026. Other seeds draw other numbers, and for some of them another word of the rule;
# what a full answer holds is the list above.*
#
# The question was whether telling a GSNN its pathways lowers the test MSE, which was named as primary beforehand.
# Over 16 paired seeds the prior's difference from the baseline is -0.001 (95% interval -0.034 to +0.032). The
# interval reaches across 0 and, as a gain, beyond the margin of 0.01: by the rule, can't tell.
#
# From the control, which is told shuffled pathways, the prior differs by +0.003 (-0.024 to +0.031), and the control
# from the baseline by -0.005 (-0.033 to +0.024). So no effect of the true pathways on the error is shown, and none of
# shuffled ones. Nor is it shown that there is none: all three intervals hold gains that would matter.
#
# The CKA gap is ahead of the baseline's by +0.224 (+0.151 to +0.298) and of the control's by +0.196 (+0.123 to
# +0.270); the control differs from the baseline by +0.028 (-0.018 to +0.074). So it takes the true pathways to
# make their members alike. But the null of this metric is the untrained model, and from that the prior differs by
# +0.079 (-0.026 to +0.184): more structure than the graph gives by itself is not shown. In the means, most of the
# gain over the baseline is what the baseline lost in training. The gap is also close to what the loss asks for.
#
# Limits: the primary interval reaches about three margins to either side, so 16 seeds are too few to find a gain that
# matters, or to rule it out. Next I would compute how many seeds that takes, and run fresh ones. And this is one size,
# one lambda and simulated data: nothing here says how it would be on a larger graph or with real pathways.

# %% [markdown]
# ## Recap
#
# 1. A control has the sizes and the overlap of the truth, and other pathways. It is fair to take the first random
#    shuffle that is not the truth, and it is not fair to choose among the shuffles that are left.
# 2. Every node numbers its channels in its own way. Linear CKA compares all channels with all, centred over the batch,
#    and a node that does not vary is similar to no other.
# 3. A p-value counts the observed pathways as one of the draws. Shuffles are a weak null for a structural metric:
#    an untrained model beats them.
# 4. Pair by seed, and not by position. $n$ is the number of pairs, and with so few seeds you need the quantile of t.
# 5. An interval that reaches across 0 says "can't tell", unless it rules out a gain that matters. A verdict names
#    its metric, control, null and limits.
#
# Before you hand in, restart the kernel, run all cells, and read what the five checks say.
# Then save the notebook, and hand it in as your course tells you, under the name that it has.
#
# ## References
#
# * Kornblith, Norouzi, Lee and Hinton 2019, *Similarity of Neural Network Representations Revisited*, ICML.
# * Phipson and Smyth 2010, *Permutation P-values Should Never Be Zero*, Statistical Applications in Genetics and
#   Molecular Biology 9.
# * Altman and Bland 1995, *Absence of evidence is not evidence of absence*, BMJ 311.
# * Student 1908, *The probable error of a mean*, Biometrika 6.
