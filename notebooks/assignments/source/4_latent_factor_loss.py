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
# # Assignment 4 · The latent-factor loss
#
# The members of a pathway should be active together. In chapter 5 we made a loss of this sentence, and here you
# take the loss apart, from two nodes to a long list of memberships. You will see what it asks of a node, of
# which nodes it must ask nothing, and what it cannot see.
#
# **You will be able to**
#
# 1. correlate nodes over a batch, and score pathways with soft members and repressors;
# 2. write the gradient of a correlation, and keep it finite where a score does not vary;
# 3. write $L_{sim}$ of all layers from a list of memberships, without a $P \times N$ matrix;
# 4. say how far a member follows the *other* members of its pathway;
# 5. measure what `phi='mean'` misses, against the best direction that there is.
#
# **Before you start:** chapter 5, *Pathway regularizer*. **Time:** 45 to 60 minutes; 20 points; it runs in
# seconds.
#
# **How it works.** Replace each `raise NotImplementedError` by your answer, and run the cell below it. It
# tells you that you are *right*, or what went wrong. You may add cells, and you may change your answers as
# often as you like. If you see a button *Validate*, you can ignore it, because only what the check cells print
# counts. When we grade, we run your notebook from top to bottom, on the data of these checks and on other data. So write
# functions that work for any scores and pathways. Each exercise counts by itself, and its function gets all that it
# needs as arguments. These are torch tensors unless the text says otherwise. Use loops, NumPy or torch, as you like.
# If you prefer NumPy, begin with `s = s.numpy()`, and so on.

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

from gsnn_tutorial import GSNN, Problem, plots
from gsnn_tutorial.regularizer import standardize_over_batch

SEED = 2026  # the data, and what the checks ask, follow from it

# %% [markdown]
# ## The scores
#
# As in chapter 5, each node has one number in each sample, its score. For the examples in the text we use
# two nodes in three samples, which fit in your head.

# %%
tiny = torch.tensor([[0.0, 3.0],
                     [2.0, 1.0],
                     [4.0, 5.0]])  # (B, N)
figure, ax = plt.subplots(figsize=(5.6, 2.8), layout="constrained")
ax.plot([0, 1, 2], tiny[:, 0], "o-", color="#0072B2", label="node 0")
ax.plot([0, 1, 2], tiny[:, 1], "^--", color="#D55E00", label="node 1")
ax.set(xlabel="sample", ylabel="score", xticks=[0, 1, 2])
ax.legend(frameon=False)
plots.show(figure, "Scores of two nodes in three samples: that of node 0 rises from 0 to 2 to 4, that of node 1 "
           "falls from 3 to 1 and rises to 5")

# %% [markdown]
# The deviations of the two nodes from their means are $(-2, 0, 2)$ and $(0, -2, 2)$. All standard deviations in this
# assignment are those of the population, so you divide the sum of squares by $B$.
#
# ## 1 · Nodes and pathways
#
# ### Exercise 1 · In step
#
# ●○○ · 6 minutes · 3 points
#
# Write the correlation over the batch of two nodes, for a list of pairs of nodes. For the pair $(i, j)$ you correlate
# column $i$ of `s` with column $j$. All scores vary. For example, the pair $(0, 1)$ of the tiny scores has
# $r = \frac{0 + 0 + 4}{\sqrt 8 \sqrt 8} = \frac12$.

# %% nbgrader={"grade": false, "grade_id": "in_step", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def in_step(s, pairs):
    """Scores (B, N) and a list of K pairs (i, j) -> their correlations, (K,)."""
    ### BEGIN SOLUTION
    centred = s - s.mean(0)
    z = centred / centred.square().mean(0).sqrt()
    i, j = torch.tensor(pairs).T
    return (z[:, i] * z[:, j]).mean(0)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "in_step-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_4 as checks

checks.in_step(in_step, SEED);
### BEGIN HIDDEN TESTS
checks.in_step.grade(in_step, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · Pathways with repressors
#
# ●○○ · 8 minutes · 3 points
#
# When a pathway is on, a repressor in it is off. So we let the weights in $M$ have signs: an activator has a
# weight above 0, a repressor has a weight below 0, and a node with weight 0 is not a member. A weight may be soft,
# and of any size. The score of a pathway is
#
# $$ S_p = \frac{\sum_i M_{pi}\, s_i}{\max\big(\sum_i |M_{pi}|,\; 1\big)} $$
#
# in every sample and every layer. It is defined for all pathways: if one has no members, its score is 0.
#
# For example, with the weights $(1, -0.5)$ the scores $s = (2, 5)$ give $(2 - 2.5) / 1.5 = -\frac13$. With the
# weights $(0, 0.2)$ they give 1, because we do not divide by a total below 1.

# %% nbgrader={"grade": false, "grade_id": "pathway_scores", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def pathway_scores(s, M):
    """Scores (B, L, N) and signed weights (P, N) -> scores of pathways (B, L, P)."""
    ### BEGIN SOLUTION
    total = M.abs().sum(dim=1).clamp_min(1)  # (P,)
    return torch.einsum("bln,pn->blp", s, M) / total
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "pathway_scores-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_4 as checks

checks.pathway_scores(pathway_scores, SEED);
### BEGIN HIDDEN TESTS
checks.pathway_scores.grade(pathway_scores, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · What the loss asks of a node
#
# ### Exercise 3 · The pull
#
# ●●● · 13 minutes · 4 points
#
# Training does not see a correlation. It sees the gradient of the correlation. Let $r_i$ be the correlation
# over the batch of a node's score $s_i$ with a target $t$ that stays as it is. Return
# $\partial r_i / \partial s_{bi}$, which says how each score in the batch should move so that $r_i$ rises. The
# target always varies.
#
# A score may vary or not. We say that it *does not vary* if its standard deviation is at most $10^{-6} (1 + |\bar s_i|)$, where
# $\bar s_i$ is its mean; the level counts since rounding errors grow with it. Then $r_i$ is 0 and nothing is
# asked of the node: its gradient is 0 in every sample. The check contains scores that vary by less than that. They
# are in double precision, so rounding does not hide them.
#
# For example, in the tiny scores node 0 with node 1 as its target has the gradient
# $(\frac18, -\frac14, \frac18)$.
#
# <details><summary>Hint</summary>
#
# By hand it is $\frac{1}{B \sigma_i} \big(Z_{tb} - r_i\, Z_{sbi}\big)$, with $Z$ the standardised scores
# and $\sigma_i$ the standard deviation of $s_i$. Or let torch do it: `s.requires_grad_()`, the sum of all
# $r_i$, `backward()`. Then mind that the slope of a root at 0 is infinite.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "pull", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def pull(s, t):
    """Scores (B, N) and a target (B,) -> the gradient of each node's r with respect to its scores, (B, N)."""
    ### BEGIN SOLUTION
    mean, centred = s.mean(0), s - s.mean(0)
    std = centred.square().mean(0).sqrt()
    varies = std > 1e-6 * (1 + mean.abs())
    std = torch.where(varies, std, 1.0)  # a harmless number to divide by
    z, target = centred / std, ((t - t.mean()) / t.std(correction=0))[:, None]
    r = (z * target).mean(0)
    return torch.where(varies, (target - r * z) / (len(t) * std), 0.0)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "pull-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_4 as checks

checks.pull(pull, SEED);
### BEGIN HIDDEN TESTS
checks.pull.grade(pull, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# Now we use your function on the same score three times: loud, unchanged, and quiet. All three have the same $r$, and
# the quiet one would have to move the least to raise it. But it is pulled the hardest: when a score is half as loud, the
# pull is twice as strong. This is why we have to take care of a score that hardly varies at all.

# %% nbgrader={"grade": false, "grade_id": "step", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if checks.pull.diagnose(pull, SEED):
    print("The figure comes when exercise 3 is right.")
else:
    start = torch.Generator().manual_seed(SEED)
    target = torch.randn(8, dtype=torch.float64, generator=start)
    loudness = {"loud": 2, "unchanged": 1, "quiet": 0.5}
    s = torch.randn(8, 1, dtype=torch.float64, generator=start) * torch.tensor(list(loudness.values()))
    step = torch.tensor([[float(x) for x in row] for row in pull(s.clone(), target.clone())])
    arrow = 2 * step / step.abs().max()  # of the longest, two units are drawn
    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained", sharey=True)
    for i, (name, ax) in enumerate(zip(loudness, axes)):
        ax.plot(target, s[:, i], "o", color="#0072B2")
        ax.quiver(target, s[:, i], 0 * target, arrow[:, i], angles="xy", scale_units="xy", scale=1, width=0.01)
        ax.plot(target, s[:, i] + arrow[:, i], alpha=0)  # unseen, so that the frame has room for the arrows
        ax.set(title=name, xlabel="target", ylabel="" if i else "score")
        ax.margins(x=0.1, y=0.1)
    plots.show(figure, "A score against the target at three loudnesses, with arrows up or down from each sample: "
               "the quieter the score, the longer the arrows, which point the same way in all three")

# %% [markdown]
# ## 3 · The loss of all layers
#
# ### Exercise 4 · From a list of memberships
#
# ●●● · 14 minutes · 4 points
#
# When there are thousands of pathways, nearly everything in a $P \times N$ matrix is 0. So databases, and the
# package too, keep $K$ memberships as three lists: membership $k$ says that node `node[k]` is in pathway
# `pathway[k]` with the weight `weight[k]`, which is above 0. The lists are in no particular order. A node may be in
# several pathways, and no membership is listed twice. In every layer, we compute
#
# $$ S_p = \sum_{k \text{ in } p} w_k\, s_{\mathrm{node}(k)}, \qquad
#    r_k = \mathrm{corr}_B\big(s_{\mathrm{node}(k)},\, S_{\mathrm{pathway}(k)}\big), \qquad
#    L_{sim} = -\,\mathrm{mean}_L\, \frac{\sum_k w_k\, r_k}{\max\big(\sum_k w_k,\; 1\big)}. $$
#
# We do not divide $S_p$ by anything, because no divisor would change a correlation. A score that does not vary, by the
# rule of exercise 3, has $r_k = 0$ and keeps its place in the mean. Lambda is 1.
#
# You may use `standardize_over_batch(scores)` of the package. It standardises over the *last* dimension, with the
# population's standard deviation, and it gives 0 for a score that does not vary.
#
# For example, take the tiny scores as a single layer, with both nodes in one pathway at weight 1. Then $S = (3, 3, 9)$,
# both nodes have $r = \sqrt 3 / 2$, and $L_{sim} = -\sqrt 3 / 2$. With a second layer in which nothing varies, the
# loss is half of that.
#
# <details><summary>Hint</summary>
#
# `s[:, :, node]` is $(B, L, K)$: a score for each membership. To add those of a pathway up, loop over
# $k$, or use `index_add`. The line `S[:, :, pathway] += ...` does not add up where a pathway is named twice.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "sim_loss", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def sim_loss(s, pathway, node, weight):
    """Scores (B, L, N) and K memberships, (K,) each -> L_sim, one number."""
    ### BEGIN SOLUTION
    s = s.permute(2, 1, 0)  # (N, L, B)
    members = weight[:, None, None] * s[node]  # (K, L, B)
    S = torch.zeros(int(pathway.max()) + 1, *s.shape[1:]).index_add(0, pathway, members)  # (P, L, B)
    r = (standardize_over_batch(s)[node] * standardize_over_batch(S)[pathway]).mean(-1)  # (K, L)
    return -(weight @ r).mean() / weight.sum().clamp_min(1)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "sim_loss-test", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_4 as checks

checks.sim_loss(sim_loss, SEED);
### BEGIN HIDDEN TESTS
checks.sim_loss.grade(sim_loss, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · What the loss cannot see
#
# ### Exercise 5 · Following the others
#
# ●●○ · 10 minutes · 3 points
#
# A member is a part of its pathway's score, so it correlates with the score even if it has nothing in common with
# the other members. So we report how well it follows the *others*. For a member $i$ of pathway $p$, which means that
# $M_{pi} > 0$, compute
#
# $$ r_{pi} = \mathrm{corr}_B\Big(s_i,\; \sum_{j \ne i} M_{pj}\, s_j\Big). $$
#
# The correlation is 0 if one of the two does not vary. A sum without members does not vary, and neither does a sum of
# members that are all 0 in every sample. A node that is not a member of $p$ gets 0 too. All weights are at least 0, and
# you may use `standardize_over_batch` again.
#
# For example, when both nodes of the tiny scores are in one pathway, each follows the other with $r = \frac12$. In
# exercise 4, each of them had $\sqrt 3 / 2$ with the pathway.

# %% nbgrader={"grade": false, "grade_id": "follow", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def follow(s, M):
    """Scores (B, N) and weights (P, N) -> each member's correlation with the others, (P, N)."""
    ### BEGIN SOLUTION
    s = s.T  # (N, B)
    others = (M @ s)[:, None] - M[:, :, None] * s  # (P, N, B)
    r = (standardize_over_batch(others) * standardize_over_batch(s)).mean(-1)
    return torch.where(M > 0, r, 0.0)
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "follow-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_4 as checks

checks.follow(follow, SEED);
### BEGIN HIDDEN TESTS
checks.follow.grade(follow, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6 · The best direction
#
# ●●○ · 9 minutes · 3 points
#
# A score makes one number of $C$ channels, $s_i = w \cdot a_i$, with one $w$ for all nodes. Whatever the channels
# do at right angles to $w$, the loss does not see. The share of the variance over the batch that $w$ keeps is
#
# $$ \mathrm{kept}(w) = \frac{\sum_n \mathrm{var}_B(w \cdot a_n)}
#                           {\lVert w \rVert^2 \, \sum_n \sum_c \mathrm{var}_B(a_{nc})}. $$
#
# The channel mean of `phi='mean'` is $w = (1, \dots, 1)$. What is the largest share that any $w$ can keep?
#
# For example, take two nodes with two channels in two samples. Node 0 has $(2, -2)$ and then $(-2, 2)$, and node 1
# has $(4, 4)$ and then $(2, 2)$. The variances are 4, 4, 1 and 1. The best $w$ is $(1, -1)$. It keeps all that node
# 0 does and nothing of what node 1 does, so its share is 0.8. The channel mean keeps 0.2.
#
# <details><summary>Hint</summary>
#
# The share is a quadratic form in $w$: $w^\top \Sigma\, w / (\lVert w \rVert^2\, \mathrm{tr}\, \Sigma)$, with
# $\Sigma$ the sum of the nodes' covariance matrices $(C, C)$. Which $w$ makes it largest, and how large does it get?
# You find the answer with `torch.linalg.eigvalsh`, or with a principal component analysis of the right rows.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "best_share", "locked": false, "schema_version": 3, "solution": true, "task": false, "cell_type": "code"}
def best_share(a):
    """Activations (B, N, C) -> the largest share of the variance over the batch that one w keeps, a number."""
    ### BEGIN SOLUTION
    centred = a - a.mean(0)  # each node and channel by itself
    covariance = torch.einsum("bnc,bnd->cd", centred, centred)
    return torch.linalg.eigvalsh(covariance)[-1] / covariance.trace()
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "best_share-test", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
from gsnn_tutorial.exercises import assignment_4 as checks

checks.best_share(best_share, SEED);
### BEGIN HIDDEN TESTS
checks.best_share.grade(best_share, SEED, hidden=SEED + 1000)
### END HIDDEN TESTS

# %% [markdown]
# ### What `phi='mean'` misses
#
# Now we use your function on the last layer of a real model that nobody has trained. The group norm makes the channels
# of a node add up to the same number in every sample, and the ELU behind it lets a trace through. There is nothing to
# answer here. Compare the two marks of each row.

# %% nbgrader={"grade": false, "grade_id": "missed", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if checks.best_share.diagnose(best_share, SEED):
    print("The figure comes when exercise 6 is right.")
else:
    draw = Problem().draw(seed=SEED)
    start = torch.Generator().manual_seed(SEED)
    model = GSNN(draw.graph.edge_index_dict, draw.graph.names, 8, 4, node_mlp=False, generator=start)
    seen = {}
    hook = model.ResBlocks[-1].node.norm.register_forward_hook(lambda _, z, y: seen.update(before=z[0], after=y))
    elu = model.layer_activations(draw.x_test)[:, -1].detach()  # (B, N, C)
    hook.remove()
    before, after = (seen[name].detach().permute(2, 0, 1) for name in ("before", "after"))
    stages = {"before the norm": before, "after the norm": after, "after ELU": elu}
    mean = [float((8 * a.mean(-1).var(0)).sum() / a.var(0).sum()) for a in stages.values()]
    best = [float(best_share(a.clone())) for a in stages.values()]

# %% nbgrader={"grade": false, "grade_id": "missed-figure", "locked": true, "schema_version": 3, "solution": false, "task": false, "cell_type": "code"}
if not checks.best_share.diagnose(best_share, SEED):
    figure, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
    ax.plot(best, list(stages), "o", color="#0072B2", markersize=9, label="best direction")
    ax.plot(mean, list(stages), "^", color="#D55E00", markersize=9, label="channel mean")
    ax.axvline(1 / 8, color="#777777", linestyle="--", linewidth=1, label="a direction drawn at random")
    ax.set(xlabel="share of the variance over the batch", ylabel="activations", xlim=(-0.03, 1), ylim=(2.5, -0.5))
    ax.legend(frameon=False, fontsize=10)
    shares = "; ".join(f"{stage} {m:.2f} and {b:.2f}" for stage, m, b in zip(stages, mean, best))
    plots.show(figure, f"Shares that the channel mean and the best direction keep: {shares}")

# %% [markdown]
# ## Recap
#
# 1. A correlation takes the mean and the standard deviation of each node over the batch, and it divides by $B$ in both
#    places or by $B - 1$ in both. The score of a pathway is a weighted mean. A repressor counts with its sign in the sum,
#    and without its sign in the total.
# 2. The gradient of $r$ is large where a score is quiet. A score that does not vary gets $r = 0$ *and* a gradient of
#    0. An eps in the denominator does not do this, and neither does a `torch.where` after the root.
# 3. $L_{sim}$ is minus the weighted mean of $r$ over all memberships, then over the layers. With a list,
#    time and memory grow with the number of memberships.
# 4. A member always agrees with a pathway that it is a part of. Leave it out before you interpret the agreement.
# 5. One direction for all nodes keeps at most the largest eigenvalue's share of the variance. Behind a group norm, the
#    channel mean keeps hardly anything.
#
# Before you hand in, restart the kernel, run all cells, and read what the six checks say.
# Then save the notebook, and hand it in as your course tells you, under the name that it has.
#
# ## References
#
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv 2024.02.28.582164.
# * Wu and He 2018, *Group Normalization*, ECCV.
# * Jolliffe 2002, *Principal Component Analysis*, Springer.
