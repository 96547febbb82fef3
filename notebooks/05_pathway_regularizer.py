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
# # 5 · Pathway regularizer
#
# The wiring of a GSNN comes from prior knowledge, but it leaves much open: there are many ways to
# route a signal through the graph that fit the data equally well. We know more than the wiring.
# Pathway databases list which nodes *work together*, and we would like to tell the model about it,
# without new nodes and without new edges.
#
# The idea of this chapter fits into one sentence: **members of a pathway are active together.**
# When a pathway is on in a sample, its members are on, and when it is off, they are off. We turn this
# sentence into a number and the number into a loss. Then we ask what the loss can see, what it cannot
# see, and how much of its value comes for free.
#
# **You will be able to**
#
# 1. write the loss down, from two nodes to the matrix form, and check it against the package;
# 2. say what `phi='mean'` reads after a group norm, and why `phi='learned'` reads more;
# 3. tell which part of a correlation between member and pathway comes for free;
# 4. choose lambda, warm-up and batch size for a reason;
# 5. use soft memberships and pairs of pathways that should differ.
#
# **Before you start:** [3 · GSNN](03_gsnn.ipynb): the state lives on edges, every function node has
# C channels, and a signal moves one hop per layer. **Time:** 60 minutes to read and 45 for the
# exercises; under a minute to run on two CPU cores, less than 1 GB of memory.

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
# The opening figure needs a model that has been trained with the regularizer; here are its helpers.
import matplotlib.pyplot as plt
import torch

from gsnn_tutorial import GSNN, PathwayLatentRegularizer, plots, train
from gsnn_tutorial.plots import chapter_5 as figures
from gsnn_tutorial.study import published_draw

draw = published_draw()
graph, M = draw.graph, draw.graph.membership()  # M: (P, N)

# %% tags=["hide-input"]
def new_model(lambda_sim=1.0, phi="learned", membership=M, data=draw, **options):
    torch.manual_seed(0)
    model = GSNN(data.graph.edge_index_dict, data.graph.names, channels=8, layers=4, node_mlp=False)
    return model, PathwayLatentRegularizer(
        model, membership, lambda_sim=lambda_sim, phi=phi, **options
    )

def train_briefly(model, regularizer, data=draw, **options):
    test = {"x_test": data.x_test, "y_test": data.y_test}
    options = {"regularizer": regularizer, "epochs": 150, "progress": False, **options}
    return train(model, data.x_train, data.y_train, **test, **options)

@torch.no_grad()
def last_scores(model, regularizer, data=draw):
    return regularizer.phi(model.layer_activations(data.x_test)[:, -1])  # (B, N)

# %% slideshow={"slide_type": "subslide"} tags=["hide-input"]
trained, reader = new_model()
before = last_scores(trained, reader)
train_briefly(trained, reader)
after = last_scores(trained, reader)

figure, axes = plt.subplots(
    2, 4, figsize=(11.5, 6.0), layout="constrained", sharex=True, sharey=True
)
figures.plot_pathway_scatters(before, graph, axes[0])
figures.plot_pathway_scatters(after, graph, axes[1])
for ax in axes[1]:
    ax.set_title("")
axes[0, 0].set_ylabel("before training\nmember's score")
axes[1, 0].set_ylabel("after training\nmember's score")
plots.show(figure, "Scores of the members of four pathways against the pathway's score: "
                   "clouds before training, narrow bands along the diagonal after it")

# %% [markdown]
# Every mark is one node in one test sample. The x axis shows the score of its pathway and the y axis
# its own score, both standardised (a few extreme samples lie outside the frame). In the upper row
# nothing has been trained yet. In the lower row we have trained the model for 150 epochs with the
# regularizer that you are about to build, and the members have fallen into step.
#
# We work on the data of the *published tutorial*, from which this kit started: four pathways, each a chain of three
# function nodes, and eight spurious edges between them. In the folded cells above the figure you find three small
# helpers that we need all through the chapter. The first makes a model and a regularizer that reads it, the second
# trains them briefly, and the third gives us the score of every node in the last layer.

# %% slideshow={"slide_type": "skip"}
import math

import networkx as nx
import numpy as np
import pandas as pd
from ipywidgets import SelectionSlider, interact

from gsnn_tutorial import Problem
from gsnn_tutorial.exercises import chapter_5 as checks
from gsnn_tutorial.gsnn import ActivationRecorder, GroupLayerNorm
from gsnn_tutorial.study import paired_study, Recipe

pd.set_option("display.precision", 3)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 1 · Two nodes
#
# We give each node one number per sample, its *score*. Later we decide how to make it from the channels of
# the node. Here are the scores of two nodes in four samples.

# %%
s_1 = [0.0, 1.0, 2.0, 5.0]
s_2 = [2.0, 1.0, 3.0, 6.0]

# %% [markdown] slideshow={"slide_type": "subslide"}
# They are equal in only one sample, and that does not matter: a node may be louder than
# another, or start from another level. What matters is that they rise and fall together from sample
# to sample. That is a correlation **over the batch**:
#
# $$ r = \frac{\frac1B \sum_b (s_{b} - \bar s)(t_{b} - \bar t)}
#             {\sqrt{\frac1B \sum_b (s_{b} - \bar s)^2}\;\sqrt{\frac1B \sum_b (t_{b} - \bar t)^2}} $$
#
# We can compute it by hand. The deviations from the mean are $(-2, -1, 0, 3)$ and $(-1, -2, 0, 3)$. Both have squared
# length 14, and their product is 13. So $r = 13/14$.

# %% tags=["nbval-check-output"]
def correlation(s, t):
    """Correlation over the batch of two lists of scores."""
    B = len(s)
    mean_s, mean_t = sum(s) / B, sum(t) / B
    covariance = variance_s = variance_t = 0.0
    for b in range(B):
        covariance += (s[b] - mean_s) * (t[b] - mean_t) / B
        variance_s += (s[b] - mean_s) ** 2 / B
        variance_t += (t[b] - mean_t) ** 2 / B
    return covariance / math.sqrt(variance_s * variance_t)

r_12 = correlation(s_1, s_2)
assert math.isclose(r_12, 13 / 14)
f"{r_12:.4f}"

# %% [markdown] slideshow={"slide_type": "subslide"}
# Loudness and level are gone, as we wanted:

# %%
assert math.isclose(correlation(s_1, [10 + 3 * s for s in s_1]), 1)
assert math.isclose(correlation(s_1, [10 - 3 * s for s in s_1]), -1)

# %% [markdown] slideshow={"slide_type": "subslide"}
# For tensors, it is shorter if we standardise each score over the batch first. Then the correlation is
# the mean of a product. We divide by $B$ throughout (the population standard deviation), and add a
# small eps to it as the package does.

# %%
def standardize(s, eps=1e-6):
    """Mean 0 and standard deviation 1 over the batch, which is dimension 0."""
    return (s - s.mean(0)) / (s.std(0, correction=0) + eps)

t_1, t_2 = torch.tensor(s_1), torch.tensor(s_2)
r = (standardize(t_1) * standardize(t_2)).mean()
torch.testing.assert_close(r.item(), r_12, atol=1e-5, rtol=0)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 2 · A pathway and its score
#
# A pathway of m members has m(m - 1)/2 pairs, so the cost of comparing them all grows with the square of m. It
# is cheaper, and closer to the idea, to let the members have **one common factor**, the pathway's
# score, and to ask each of them to follow it:
#
# $$ S = \frac1m \sum_i s_i, \qquad r_i = \mathrm{corr}_B(s_i, S), \qquad
#    L = -\frac1m \sum_i r_i $$
#
# A third node joins our two.

# %% slideshow={"slide_type": "subslide"}
s_3 = [1.0, 6.0, 2.0, 3.0]
members = [s_1, s_2, s_3]

S_three = [sum(s[b] for s in members) / len(members) for b in range(4)]
r_members = [correlation(s, S_three) for s in members]
loss_by_hand = -sum(r_members) / len(members)

figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
figures.plot_members(torch.tensor(members).T, ax)
plots.show(figure, "Scores of three members in four samples, over a broad band, their mean; "
                   "two rise together at the end, the third peaks at sample 2")

# %% tags=["nbval-check-output"]
with_each_other = pd.DataFrame(
    [[correlation(s, t) for t in members] for s in members],
    index=["s_1", "s_2", "s_3"], columns=["with s_1", "with s_2", "with s_3"],
)
with_each_other.assign(**{"with S": r_members}).round(3)

# %% [markdown] slideshow={"slide_type": "skip"}
# Look at the last row. The third node hardly correlates with the first, and it correlates negatively
# with the second, so it does not belong to them in any way. And yet its correlation with the pathway
# is clearly positive. Keep this in mind: section 9 comes back to it.
#
# ### Exercise 1 · A pathway score from the membership matrix
#
# ●○○ · 10 minutes
#
# With several pathways, the members are written as a matrix $M$, (P, N): $M_{pi} = 1$ if node $i$
# belongs to pathway $p$. A node may be in several pathways or in none, and a weight between 0 and 1
# says "somewhat". Write all pathway scores at once,
# $S_p = \sum_i M_{pi} s_i \,/\, \max(\sum_i M_{pi}, 1)$, from the node scores `s` (B, N).
#
# <details><summary>Hint 1</summary>
# The sum over nodes is a matrix product. Which of its two sides has the
# nodes as columns, which as rows?
# <details><summary>Hint 2</summary>
# <code>s @ M.t()</code> is (B, P). What is left is one number per pathway to
# divide by.
# <details><summary>Hint 3</summary>
# <code>M.sum(1)</code> is the total weight of each pathway;
# <code>clamp_min(1)</code> is the max.
# </details></details></details>

# %% slideshow={"slide_type": "skip"}
def pathway_scores(s, M):
    """Node scores s (B, N), membership M (P, N) -> pathway scores (B, P)."""
    raise NotImplementedError

checks.pathway_scores(pathway_scores);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def pathway_scores(s, M):
#     """s (B, N) and M (P, N) -> (B, P): the weighted mean of each pathway's members."""
#     return s @ M.t() / M.sum(1).clamp_min(1)
# ```
#
# </details>
#
# We use your function at once, on the three nodes of this section. (As long as an answer is not right yet, the
# cells that follow take the solution in its place.)

# %% slideshow={"slide_type": "skip"}
def yours(check, answer):
    """Your answer if it is right, and the solution as long as it is not."""
    return answer if check.diagnose(answer) is None else check.reference


scores_of = yours(checks.pathway_scores, pathway_scores)
by_matrix = scores_of(torch.tensor(members).T, torch.ones(1, 3))  # (B, 1)
torch.testing.assert_close(by_matrix[:, 0], torch.tensor(S_three))

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 3 · All pathways at once
#
# We take two pathways over five nodes. Node 2 is in both, and node 4 is in none. We begin with loops, so that
# there is no doubt about what we mean.

# %%
torch.manual_seed(0)
s_random = torch.randn(64, 5)  # (B, N)
M_small = torch.tensor([[1.0, 1, 1, 0, 0], [0, 0, 1, 1, 0]])  # (P, N)

total = 0.0
for p in range(2):
    in_p = M_small[p].nonzero().flatten().tolist()
    S_p = s_random[:, in_p].mean(1)
    for i in in_p:
        total += correlation(s_random[:, i].tolist(), S_p.tolist())
loss_by_loops = -total / M_small.sum().item()

# %% [markdown] slideshow={"slide_type": "subslide"}
# Then we write the same as matrices. $R$, (P, N), holds every correlation of a node with a pathway, and $M$ picks the
# members:
#
# $$ R = \tfrac1B Z_S^\top Z_s, \qquad
#    L_{sim} = - \frac{\sum_{pi} M_{pi} R_{pi}}{\max(\sum_{pi} M_{pi}, 1)} $$
#
# where $Z_s$, (B, N), and $Z_S$, (B, P), are the standardised scores.

# %%
def pathway_loss(s, M, standardized=standardize):
    """Minus the mean correlation of members, s (B, N), with their pathways, M (P, N)."""
    S = s @ M.t() / M.sum(1).clamp_min(1)  # (B, P)
    R = standardized(S).t() @ standardized(s) / len(s)  # (P, N)
    return -(M * R).sum() / M.sum().clamp_min(1)

torch.testing.assert_close(pathway_loss(s_random, M_small).item(), loss_by_loops, atol=1e-5, rtol=0)

three = torch.tensor(members).T  # (B, 3): the pathway of section 2
loss_of_three = pathway_loss(three, torch.ones(1, 3)).item()
torch.testing.assert_close(loss_of_three, loss_by_hand, atol=1e-5, rtol=0)

# %% [markdown] slideshow={"slide_type": "subslide"}
# This computes correlations with pathways that a node does not belong to, only to multiply them
# by 0. There is a better order. $r_{pi}$ is linear in the standardised score of node $i$, so we
# may add the members up *before* we multiply with the pathway's score:
#
# $$ \sum_i M_{pi}\, r_{pi} = \tfrac1B \sum_b Z_{S,bp} \Big( \sum_i M_{pi} Z_{s,bi} \Big) $$
#
# The inner sum is a sparse map from nodes to pathways. The package computes the loss in this way, and so the
# price grows with the number of memberships and not with the number of pathways times the number of nodes.

# %%
S_random = s_random @ M_small.t() / M_small.sum(1)
agreement = (standardize(S_random) * (standardize(s_random) @ M_small.t())).mean(0)  # (P,)
loss_members_first = (-agreement.sum() / M_small.sum()).item()
torch.testing.assert_close(loss_members_first, loss_by_loops, atol=1e-5, rtol=0)

# %% [markdown] slideshow={"slide_type": "skip"}
# ### Exercise 2 · Correlation over the batch
#
# ●●○ · 15 minutes
#
# Write $R$ yourself, from the raw scores of nodes and pathways, without the helper above. A node
# whose score is the same in every sample has no correlation: let it count 0.
#
# <details><summary>Hint 1</summary>
# Which dimension is the batch? Every mean and every standard deviation
# goes over that one.
# <details><summary>Hint 2</summary>
# The mean of a product divides by B. The standard deviation has to divide
# by the same number, or no correlation reaches 1.
# <details><summary>Hint 3</summary>
# A constant score is 0 after centring. Divide it by anything but 0.
# </details></details></details>

# %% slideshow={"slide_type": "skip"}
def correlations(s, S):
    """Node scores s (B, N), pathway scores S (B, P) -> correlations (P, N)."""
    raise NotImplementedError

checks.correlations(correlations);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def correlations(s, S):
#     """s (B, N) and S (B, P) -> (P, N): correlation over the batch, 0 where a score does not vary."""
#
#     def standardize(t):
#         centred = t - t.mean(0)
#         std = centred.square().mean(0).sqrt()
#         return centred / std.where(std > 0, torch.ones_like(std))
#
#     return standardize(S).t() @ standardize(s) / len(s)
# ```
#
# </details>
#
# With your two functions, the loss of this section takes one line:

# %% slideshow={"slide_type": "skip"}
R_yours = yours(checks.correlations, correlations)(s_random, scores_of(s_random, M_small))  # (P, N)
loss_yours = (-(M_small * R_yours).sum() / M_small.sum()).item()
torch.testing.assert_close(loss_yours, loss_by_loops, atol=1e-5, rtol=0)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 4 · A node that no signal has reached
#
# Now we take a real model that nobody has trained. Its activations are (B, L, N, C): samples, layers, function
# nodes, channels. For the moment, let the score be the mean over the channels. We look at how much the score of
# each node varies over the batch, layer by layer.
#
# **Predict first.** Which nodes will not vary at all in layer 1?

# %% slideshow={"slide_type": "subslide"}
untrained, _ = new_model()
a_untrained = untrained.layer_activations(draw.x_train)  # (B, L, N, C)
std = a_untrained.mean(-1).std(0, correction=0)  # (L, N)

figure, ax = plt.subplots(figsize=(8.6, 2.9), layout="constrained")
figures.plot_score_std(std, graph.function_nodes, ax)
plots.show(figure, "Standard deviation of twelve node scores in four layers; in layer 1 only the "
                   "first node of each chain varies, the others are hatched, by layer 3 all vary")

# %% [markdown]
# In the first layer only the nodes next to an input have heard anything. All others do the same in
# every sample. A signal moves one hop per layer, so a node $h$ hops from the nearest input is
# constant before layer $h$. That is a statement about the graph, and we can check it square by
# square:

# %% tags=["nbval-check-output"]
hops = nx.multi_source_dijkstra_path_length(graph.networkx(), set(graph.input_nodes))
hops = torch.tensor([hops[name] for name in graph.function_nodes])  # (N,)
reached = torch.arange(1, 5)[:, None] >= hops  # (L, N)
assert torch.equal(std > 1e-6, reached)
print(f"{int(reached.sum())} of {reached.numel()} scores vary, "
      f"so the loss cannot fall below {-reached.float().mean():.3f}")

# %% [markdown] slideshow={"slide_type": "subslide"}
# A constant cannot correlate with anything. We let it count as $r = 0$, and we keep it in the mean. So the
# best value that the loss can reach is not -1, but minus the share of the scores that vary at all, and no
# training can change this.
#
# A constant also needs care. `standardize` divides by the standard deviation plus eps. For a constant, that
# is eps alone, and one over eps is a million. Three scores, each against the same target: one that
# varies, one that differs in nothing but its last binary digits, and one that is exactly constant.

# %%
torch.manual_seed(0)
target, noise = standardize(torch.randn(64)), torch.randn(64)
cases = {
    "varies": 0.3 + 0.1 * noise,
    "last digit": 0.3 + 2e-8 * noise,
    "constant": 0.3 + 0.0 * noise,
}

# %%
def against_target(standardised):
    """The correlation with the target, and its largest gradient, for each of the three scores."""
    rows = {}
    for name, score in cases.items():
        score = score.clone().requires_grad_()
        r = (standardised(score) * target).mean()
        r.backward()
        gradient = score.grad.abs().max()
        rows[name] = {"std": score.std().item(), "r": r.item(), "gradient": gradient.item()}
    return pd.DataFrame(rows).T

against_target(standardize).map("{:.2g}".format)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Look at the gradients. Where there is nothing to correlate, they are larger by orders of magnitude.
# Not even the constant score has a standard deviation of exactly 0, because the mean of equal numbers
# is rounded, too. Such gradients would be the loudest voice in the training, although all that they
# tell us is how numbers are rounded. So we say plainly what we mean: a score that does not vary counts
# as 0, and asks for nothing. We give this version a name of its own, `careful_standardize`, and use it from here on.

# %%
def careful_standardize(s, eps=1e-6):
    """Over the batch, dimension 0; a score that does not vary becomes 0, with zero gradient."""
    mean = s.mean(0)
    centred = s - mean
    variance = centred.square().mean(0)
    varies = variance.detach() > (eps * (1 + mean.detach().abs())) ** 2
    std = torch.where(varies, variance, 1.0).sqrt()  # never the root of 0: its slope is infinite
    return torch.where(varies, centred / (std + eps), 0.0)

careful_loss = pathway_loss(s_random, M_small, careful_standardize).item()
torch.testing.assert_close(careful_loss, loss_by_loops, atol=1e-5, rtol=0)
against_target(careful_standardize).map("{:.2g}".format)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 5 · The module, and the package's
#
# Two things are still missing: the layers, over which the loss is averaged, and the score of a
# node, $s_i = \varphi(a_i)$, which makes one number of $C$ channels. We leave $\varphi$ open and
# pass it in.

# %%
class PathwayLoss(torch.nn.Module):
    """L_sim of activations (B, L, N, C), for a membership matrix M (P, N)."""

    def __init__(self, M, phi, lambda_sim=1.0):
        super().__init__()
        self.M, self.phi, self.lambda_sim = M, phi, lambda_sim

    def forward(self, a):
        s = self.phi(a).squeeze(-1)  # (B, L, N)
        S = s @ self.M.t() / self.M.sum(1).clamp_min(1)  # (B, L, P)
        R = torch.einsum("blp,bln->lpn", careful_standardize(S), careful_standardize(s)) / len(a)
        agreement = (self.M * R).sum((1, 2)) / self.M.sum().clamp_min(1)  # (L,)
        return -self.lambda_sim * agreement.mean()

# %% [markdown] slideshow={"slide_type": "subslide"}
# With one layer and one channel it is the loss from before:

# %%
def channel_mean(a):
    return a.mean(-1)

one_layer = PathwayLoss(M_small, channel_mean)(s_random[:, None, :, None])
torch.testing.assert_close(one_layer, pathway_loss(s_random, M_small, careful_standardize))

# %% [markdown] slideshow={"slide_type": "subslide"}
# The package's `PathwayLatentRegularizer` reads the activations by itself, through forward hooks:
# run the model, then ask for the loss. It returns two numbers; the second is the subject of section
# 8. On the real model, with both choices of $\varphi$ and with gradients:

# %%
def check_module(name, phi):
    """Our module and the package's regularizer give one model the same loss and the same gradient."""
    model, regularizer = new_model(lambda_sim=0.7, phi=name)
    if name == "learned":
        phi.load_state_dict(regularizer.phi.state_dict())  # the same w
    recorder = ActivationRecorder(model)
    model(draw.x_train)
    a = torch.stack(recorder.activations()).permute(3, 0, 1, 2)  # (B, L, N, C)

    ours, theirs = PathwayLoss(M, phi, 0.7)(a), regularizer.loss(model)[0]
    torch.testing.assert_close(ours, theirs)
    W_in = model.ResBlocks[0].lin_in.values
    gradients = [torch.autograd.grad(l, W_in, retain_graph=True)[0] for l in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-6)

check_module("mean", channel_mean)
check_module("learned", torch.nn.Linear(8, 1, bias=False))

# %% [markdown] slideshow={"slide_type": "slide"}
# This is the whole regularizer. In training we add its loss, which carries its lambda, to the error, and
# `train(..., regularizer=...)` does just that. In the rest of the chapter we ask what it does.
#
# **The file.** What you have just written is `gsnn_tutorial/regularizer.py`, with the members added up first and the
# hooks that read the model. You can read it here: run `from gsnn_tutorial import regularizer as file` in a new cell,
# and then `file??`.
#
# ## 6 · What the mean of the channels can still see
#
# The plainest score is the mean of a node's channels, `phi='mean'`. It has no parameters. It also
# comes right after a group norm, which has just subtracted the mean of the channels, in every
# node and every sample. What is left of it?
#
# Take any direction $w$ among the $C$ channels. The share of a node's variance over the batch that
# this direction carries is
#
# $$ \frac{\mathrm{var}_B(w \cdot a_i)}{\lVert w \rVert^2 \sum_c \mathrm{var}_B(a_{ic})} $$
#
# and a direction drawn at random carries $1/C$ of it on average. The mean of the channels is the
# direction $w = (1, \dots, 1)$.

# %%
def share(a, w):
    """Share of each node's variance over the batch along w (C,), a (B, N, C) -> (N,)."""
    return (a @ w).var(0) / (w.square().sum() * a.var(0).sum(-1))

a_random = torch.randn(4096, 3, 8, generator=torch.Generator().manual_seed(0))
orthogonal = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(1)))[0]
torch.testing.assert_close(sum(share(a_random, w) for w in orthogonal.T), torch.ones(3))

# %% [markdown] slideshow={"slide_type": "subslide"}
# (The shares of eight orthogonal directions add up to one, as shares should.) Now we look into the last layer of the
# model that we trained for the opening figure. We measure the share of the channel mean before the norm, after it, and
# after ELU. In the last row you find the direction $w$ that the model has learned instead. (A grey dot is a node, a
# coloured mark the mean of all twelve.)

# %% slideshow={"slide_type": "subslide"}
seen = {}
norm = trained.ResBlocks[-1].node.norm
hook = norm.register_forward_hook(lambda _, z, y: seen.update(z=z[0].detach(), y=y.detach()))
a_trained = trained.layer_activations(draw.x_test)[:, -1]  # (B, N, C)
hook.remove()

ones, w = torch.ones(8), reader.phi.weight[0].detach()
shares = {
    "channel mean, before the norm": share(seen["z"].permute(2, 0, 1), ones),
    "channel mean, after the norm": share(seen["y"].permute(2, 0, 1), ones),
    "channel mean, after ELU": share(a_trained, ones),
    "learned $w$, after ELU": share(a_trained, w),
}
assert shares["channel mean, after the norm"].max() < 1e-6
figure, ax = plt.subplots(figsize=(8.2, 3.1), layout="constrained")
figures.plot_shares(shares, 1 / 8, ax)
plots.show(figure, "Share of each node's variance in four directions: the channel mean has none "
                   "after the norm and hardly any after ELU; the learned direction has much more")

# %%
pd.DataFrame({"mean share": {name: f"{values.mean():.3f}" for name, values in shares.items()}})

# %% [markdown] slideshow={"slide_type": "subslide"}
# The norm removes the mean of the channels entirely. Only the bend of ELU lets a trace of it
# through, and this trace is all that `phi='mean'` can correlate. The learned direction carries about
# as much as a random one, because training chose it for agreement and not for variance. Even so, it
# reads many times what the mean reads.
#
# It gets worse. The norm treats its mean and standard deviation as constants in the backward pass, so
# the gradient does not know that the mean is about to be subtracted. It promises an effect, and the
# forward pass takes it back. We can watch this happen: we take random channels, ask for a larger mean,
# make a step along the gradient, and compare what the gradient promised with what we got.

# %%
one_norm = GroupLayerNorm(nodes=1, channels=8)
readers = {"after the norm": one_norm, "after ELU": lambda z: torch.nn.functional.elu(one_norm(z))}

def promised_and_got(read):
    """Of a step along the gradient of the mean: the gain that the gradient promises, and the gain."""
    z = torch.randn(1, 8, 256, generator=torch.Generator().manual_seed(0)).requires_grad_()  # (N, C, B)
    value = read(z).mean(1).sum()
    value.backward()
    step = 0.1 * z.grad
    got = read(z + step).mean(1).sum() - value
    return {"promised": (step * z.grad).sum().item(), "got": got.item()}

promise = pd.DataFrame({name: promised_and_got(read) for name, read in readers.items()}).T
assert (promise["got"].abs() < 0.1 * promise["promised"]).all()
promise.assign(kept=(promise["got"] / promise["promised"]).map("{:.1%}".format))

# %% [markdown] slideshow={"slide_type": "subslide"}
# After the norm, nothing of the promise is kept, and after ELU a few per cent. Pulling on this
# score bends the weights a long way for little. What does that cost? Six draws of the problem, each
# trained without the regularizer, with `phi='mean'` and with `phi='learned'`, 150 epochs, lambda 1
# for both.

# %%
brief = {"seeds": range(6), "progress": False}
learned = paired_study(Problem(), ["baseline", "regularized"], recipe=Recipe(epochs=150), **brief)
mean_phi = paired_study(Problem(), ["regularized"], recipe=Recipe(epochs=150, phi="mean"), **brief)
runs = pd.concat([learned, mean_phi.assign(arm="phi='mean'")])
runs["arm"] = runs["arm"].replace({"baseline": "no regularizer", "regularized": "phi='learned'"})
table = runs.groupby("arm", sort=False)["test_mse"].agg(["mean", "std", "min", "max"])
table.loc["noise floor"] = runs["floor"].agg(["mean", "std", "min", "max"])
table

# %% [markdown] slideshow={"slide_type": "slide"}
# An output has variance 1, so a test MSE near 1 says that the model predicts nothing. That is what
# the pull on the channel mean has done at this strength. The learned direction, at the same
# strength, costs far less. (With the hundred times smaller lambda of the published tutorial,
# `phi='mean'` is tried over twenty seeds in chapter 6.)
#
# ## 7 · A direction that is learned
#
# With `phi='learned'`, the score is $s_i = w \cdot a_i$, and one vector $w$ in $\mathbb{R}^C$ serves all
# nodes and all layers. These are $C$ parameters, and we train them together with the model. When you write
# a training loop of your own, remember to give the optimiser `regularizer.parameters()` too (`train` does).
#
# When all nodes share one $w$, we save parameters, and we gain something more. Channel 3 of one node has
# nothing to do with channel 3 of another until one $w$ for all of them gives the number 3 a common meaning.
#
# Now a fair question: who has done the work in the opening figure? Perhaps the members were in step all
# along, and $w$ has only found the direction in which we can see it. So we also fit $w$ alone, to a
# model that is not allowed to move.

# %%
def fit_direction(model, regularizer, data=draw):
    """Train w only; the model stays as it is."""
    optimizer = torch.optim.Adam(regularizer.parameters(), lr=2e-2)
    model.requires_grad_(False)
    for _ in range(150):
        optimizer.zero_grad()
        model(data.x_train)
        regularizer.loss(model)[0].backward()
        optimizer.step()
    model.requires_grad_(True)

# %%
scores = {"untrained, first w": before}
fresh_model, fresh_reader = new_model()
fit_direction(fresh_model, fresh_reader)
scores["untrained, w fitted"] = last_scores(fresh_model, fresh_reader)

plain_model, plain_reader = new_model()
baseline = train_briefly(plain_model, None)
fit_direction(plain_model, plain_reader)
scores["trained without, w fitted"] = last_scores(plain_model, plain_reader)
scores["trained with the regularizer"] = after

# %%
def member_correlations(s, M):
    """Correlation of each node with its own pathway, s (B, N), M (P, N) -> (N,)."""
    S = s @ M.t() / M.sum(1)
    return (M * (careful_standardize(S).t() @ careful_standardize(s) / len(s))).sum(0)

r_table = pd.DataFrame({
    name: {"mean r": member_correlations(s, M).mean().item(),
           "lowest r": member_correlations(s, M).min().item()}
    for name, s in scores.items()
}).T
r_table

# %% [markdown] slideshow={"slide_type": "slide"}
# Both the direction $w$ and the model have done part of the work. Fitting $w$ alone seems to account for a
# good part of the way. (Seems: section 9 will show how much of it comes for free.) Training on the data goes
# further, because the members of a chain that carries a signal follow that signal. The rest is what the
# regularizer has done to the model, and we see it most at the member that follows least.
#
# ## 8 · Soft members, and pathways that should differ
#
# Membership need not be yes or no. A database may be sure of some members and doubtful of others, so
# $M_{pi}$ may be any weight that is not negative. The weight enters twice: in the score, and in the
# mean of the correlations. We go back to our three nodes and let the weight of the third go from 1 to 0.
#
# **Predict first.** What will happen to the correlation of each of the three with the pathway?

# %%
weights = torch.linspace(0, 1, 11)
soft = []
for weight in weights:
    M_soft = torch.tensor([[1.0, 1.0, weight]])
    S_soft = three @ M_soft.t() / M_soft.sum()
    r_soft = (careful_standardize(S_soft) * careful_standardize(three)).mean(0)
    soft.append([*r_soft.tolist(), -pathway_loss(three, M_soft).item()])
torch.testing.assert_close(soft[-1][:3], r_members, atol=1e-5, rtol=0)

# %% slideshow={"slide_type": "subslide"}
names = ["$r_1$", "$r_2$", "$r_3$", "$-L_{sim}$"]
figure, ax = plt.subplots(figsize=(6.6, 3.6), layout="constrained")
figures.plot_curves(weights, dict(zip(names, np.transpose(soft))), ax,
                    xlabel="weight of the third member", ylabel="correlation with the pathway")
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
ax.axhline(0, color="#BBBBBB", linewidth=0.8)
plots.show(figure, "Correlation of three members with the pathway, against the third's weight: "
                   "as the weight falls, the third falls below zero, the others rise towards 1")

# %% [markdown]
# The pathway smoothly becomes that of the other two nodes. At weight 0 the third node has no say in the
# score any more, and its correlation with the score is *negative*. So all that it had before was its
# own part in the whole.
#
# The other addition is about pathways that should **not** go together. The package takes pairs
# $(p, q)$ and adds
#
# $$ L_{dis} = \lambda_{dis}\; \mathrm{mean}_L\;
#    \mathrm{mean}_{(p, q)}\; \mathrm{corr}_B(S_p, S_q)^2 $$
#
# The correlation is squared, since two pathways that do the opposite of each other differ no more than
# two that do the same. We write it down and compare it with the package, for all six pairs:

# %%
def dissimilarity_loss(a, M, phi, pairs):
    """Mean squared correlation of pathway scores, a (B, L, N, C), pairs (p, q)."""
    s = phi(a)
    Z = careful_standardize(s @ M.t() / M.sum(1).clamp_min(1))  # (B, L, P)
    p, q = torch.tensor(pairs).t()
    return (Z[..., p] * Z[..., q]).mean(0).square().mean()  # over layers and pairs

pairs = [(p, q) for p in range(4) for q in range(p)]
pair_model, pair_reader = new_model(phi="mean", dissim_pairs=pairs, lambda_dis=0.5)
pair_model(draw.x_train)
a_pairs = pair_model.layer_activations(draw.x_train)
torch.testing.assert_close(0.5 * dissimilarity_loss(a_pairs, M, channel_mean, pairs),
                           pair_reader.loss(pair_model)[1], atol=1e-6, rtol=1e-4)

# %% [markdown] slideshow={"slide_type": "subslide"}
# Each of our pathways has inputs of its own. Do their scores correlate in the model of the opening
# figure?

# %%
S_after = after @ M.t() / M.sum(1)  # (B, P)
pathways = [f"pathway {p}" for p in range(4)]
pd.DataFrame(torch.corrcoef(S_after.t()).numpy(), pathways, pathways)

# %% [markdown] slideshow={"slide_type": "subslide"}
# They hardly do, so there is little to push apart. This changes where pathways overlap. Suppose that a
# database lists two nodes of pathway 1 in pathway 0 as well, and one node of pathway 0 in pathway 1. We
# train with that membership, once without $L_{dis}$ and once with it.

# %%
overlapping = M.clone()
overlapping[0, [3, 4]] = overlapping[1, 2] = 1

def train_overlapping(lambda_dis):
    """Scores of the overlapping pathways (B, P), and the history of the training."""
    pair = {"dissim_pairs": [(0, 1)], "lambda_dis": lambda_dis}
    model, regularizer = new_model(membership=overlapping, **pair)
    history = train_briefly(model, regularizer)
    s = last_scores(model, regularizer)
    return s @ overlapping.t() / overlapping.sum(1), history

apart = {lambda_dis: train_overlapping(lambda_dis) for lambda_dis in (0, 3)}

# %% slideshow={"slide_type": "subslide"}
figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.5), layout="constrained")
for ax, (strength_dis, (S_apart, its_history)) in zip(axes, apart.items()):
    figures.plot_pathway_pair(S_apart[:, 0], S_apart[:, 1], ax)
    title = rf"$\lambda_{{dis}}$ = {strength_dis}, test MSE {its_history.test_mse[-1]:.2f}"
    ax.set_title(title, fontsize=10)
plots.show(figure, "Score of pathway 1 against that of pathway 0, where members overlap: "
                   "strongly correlated without the dissimilarity loss, hardly with it")

# %% [markdown] slideshow={"slide_type": "slide"}
# The shared members had pulled the two pathways into one. The pair term takes them apart again, against
# the pull of $L_{sim}$, and the titles show that this costs error. (Each is a single run, so look at the
# scatter and not at the second digit.) Look at the shape, too: two scores that do not
# correlate can still depend on each other.
#
# ## 9 · The part and the whole
#
# A member is a part of its own pathway score. How much of its correlation is just that? Take $m$
# members that have nothing to do with each other, independent and of equal variance. Then
#
# $$ \mathrm{cov}(s_i, S) = \tfrac1m \mathrm{var}(s_i),
#    \qquad \mathrm{var}(S) = \tfrac1m \mathrm{var}(s_i),
#    \qquad r_i = \frac{1/m}{\sqrt{1/m}} = \frac{1}{\sqrt m} $$
#
# This is the **floor** of the correlation: what chance alone gives. The honest question is whether a member
# follows *the others*, so we leave it out of the mean:
#
# $$ S_{-i} = \frac{1}{m - 1} \sum_{j \ne i} s_j $$

# %%
def others(s):
    """For each member of one pathway, the mean of the other members; (B, m) -> (B, m)."""
    return (s.sum(1, keepdim=True) - s) / (s.shape[1] - 1)

def r_with(s, S):
    """Correlation over the batch, column by column."""
    return (careful_standardize(s) * careful_standardize(S)).mean(0)

s_others = [[(x + y) / 2 for x, y in zip(*(t for t in members if t is not s))] for s in members]
by_hand = [correlation(s, t) for s, t in zip(members, s_others)]
torch.testing.assert_close(r_with(three, others(three)).tolist(), by_hand, atol=1e-5, rtol=0)
torch.testing.assert_close(by_hand[2], soft[0][2], atol=1e-5, rtol=0)  # weight 0 in section 8

# %% [markdown] slideshow={"slide_type": "subslide"}
# When we leave the third node out, we get the number that we met at weight 0 in the last section. Now we
# measure the floor, with members that are independent because we draw them so:

# %%
sizes = [2, 3, 4, 6, 8, 16, 32]
generator = torch.Generator().manual_seed(0)
measured = {"with the pathway score": [], "with the other members": []}
for m in sizes:
    s_chance = torch.randn(4096, m, generator=generator)
    measured["with the pathway score"].append(r_with(s_chance, s_chance.mean(1, keepdim=True)).mean().item())
    measured["with the other members"].append(r_with(s_chance, others(s_chance)).mean().item())

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(6.6, 3.8), layout="constrained")
figures.plot_floor(sizes, measured, ax)
plots.show(figure, "Mean correlation of independent members against the size of the pathway: with "
                   "the pathway score on the curve one over root m, with the other members at zero")

# %%
theory = np.array(sizes) ** -0.5
np.testing.assert_allclose(measured["with the pathway score"], theory, atol=0.03)
np.testing.assert_allclose(measured["with the other members"], 0, atol=0.03)
pd.DataFrame(measured, index=pd.Index(sizes, name="m")).assign(floor=theory)

# %% [markdown] slideshow={"slide_type": "subslide"}
# With the pathway score, the marks lie on the curve. With the other members, there is no floor. Our
# pathways have three members, so the row $m = 3$ tells us how much of any $r$ comes for free.
#
# This does not harm the loss, because its minimum lies where all members are in step, whether we leave the
# member out or not. But when you *report* a correlation, you should compare it with its floor, or leave the
# member out. Here is the table of section 7 once more, with the member left out in the last column:

# %%
def left_one_out(s):
    """Mean correlation of members with the others of their pathway, over all four pathways."""
    pathways = [s[:, M[p] > 0] for p in range(len(M))]
    return torch.cat([r_with(t, others(t)) for t in pathways]).mean().item()

r_table.assign(**{"mean r, left one out": [left_one_out(s) for s in scores.values()]})

# %% [markdown] slideshow={"slide_type": "skip"}
# Look at the untrained model first. Seen along its fitted $w$, it is hardly above the floor, and little is
# left of it when we take away the member's own part. So what $w$ alone seemed to achieve in section 7 was
# mostly the floor. Along its first $w$ the members even oppose each
# other. Training on the data brings a good deal. What the regularizer adds to that is real, in the sense
# that it is still there when we leave the member out.
#
# ### Exercise 3 · Leave one out, for any membership
#
# ●●● · 20 minutes
#
# `others` handles one pathway with members that all count alike. Write it for a membership matrix
# with any weights: entry $(b, p, i)$ is the score of pathway $p$ in sample $b$ without node $i$,
# $\sum_{j \ne i} M_{pj} s_{bj} \,/\, \sum_{j \ne i} M_{pj}$. For a node that is no member nothing
# is taken away. You may take for granted that every pathway has at least two members.
#
# <details><summary>Hint 1</summary>
# No loop is needed: start from the sum over all members and take one
# term away.
# <details><summary>Hint 2</summary>
# The sum is <code>(s @ M.t())[:, :, None]</code>, (B, P, 1). The term to take
# away is (B, P, N).
# <details><summary>Hint 3</summary>
# What remains has the weight <code>M.sum(1, keepdim=True) - M</code>, (P, N).
# </details></details></details>

# %% slideshow={"slide_type": "skip"}
def leave_one_out(s, M):
    """Node scores s (B, N), membership M (P, N) -> scores without each node (B, P, N)."""
    raise NotImplementedError

checks.leave_one_out(leave_one_out);

# %% [markdown] slideshow={"slide_type": "skip"}
# <details><summary>Solution</summary>
#
# ```python
# def leave_one_out(s, M):
#     """s (B, N) and M (P, N) -> (B, P, N): pathway p's score without node i."""
#     total = (s @ M.t())[:, :, None] - s[:, None, :] * M  # (B, P, N)
#     return total / (M.sum(1, keepdim=True) - M)
# ```
#
# </details>
#
# Your function does for all pathways at once what `left_one_out` did pathway by pathway. We use it on the model
# that we trained with the regularizer. It has to give the same number as the last row of the table above:

# %% slideshow={"slide_type": "skip"}
without_me = yours(checks.leave_one_out, leave_one_out)(after, M)  # (B, P, N)
R_without = (careful_standardize(without_me) * careful_standardize(after)[:, None]).mean(0)  # (P, N)
all_at_once = ((M * R_without).sum() / M.sum()).item()
assert math.isclose(all_at_once, left_one_out(after), abs_tol=1e-4)

# %% [markdown] slideshow={"slide_type": "slide"}
# ## 10 · How many samples a correlation needs
#
# A correlation over a batch is an estimate. In a small batch it is mostly noise: with two samples
# it is +1 or -1, whatever the nodes do. How noisy is it with $B$ samples? We take the model that we
# trained without the regularizer, draw 500 batches of each size from the test samples, and look at
# the standard deviation of three numbers: the correlation of a node with another pathway, to which it
# does not belong; that of a typical member with its own pathway; and the mean over all members, which
# is what enters the loss.

# %%
s_plain = scores["trained without, w fitted"]
S_plain = s_plain @ M.t() / M.sum(1)
middling = (member_correlations(s_plain, M) - 0.7).abs().argmin()  # the member with r nearest 0.7
batch_sizes = [2, 4, 8, 16, 32, 64, 128, 256]
generator = torch.Generator().manual_seed(0)
spread = {"with another pathway": [], "with its own pathway": [], "mean over all members": []}
for B in batch_sizes:
    rows = torch.randint(len(s_plain), (500, B), generator=generator)
    z, Z = (careful_standardize(t[rows].transpose(0, 1)) for t in (s_plain, S_plain))  # (B, 500, N), (B, 500, P)
    R = torch.einsum("brp,brn->rpn", Z, z) / B  # (500, P, N)
    own = R[:, graph.labels[middling], middling]
    drawn = [R[:, 3, 0], own, (R * M).sum((1, 2)) / M.sum()]
    for values, estimates in zip(spread.values(), drawn):
        values.append(estimates.std().item())

# %% slideshow={"slide_type": "subslide"}
figure, ax = plt.subplots(figsize=(6.8, 4.0), layout="constrained")
figures.plot_batch_noise(batch_sizes, spread, ax)
plots.show(figure, "Standard deviation of correlations against batch size, log-log: "
                   "for another pathway it follows one over root B, for a member it is lower")

# %%
by_size = pd.DataFrame(spread, index=pd.Index(batch_sizes, name="B"))
by_size.assign(**{"1 / root B": by_size.index**-0.5})

# %% [markdown] slideshow={"slide_type": "slide"}
# Where there is nothing to find, the noise follows $1/\sqrt B$ (in the smallest batches it lies above; for
# independent normal scores theory says $1/\sqrt{B - 1}$ exactly). The correlation of a member with its own
# pathway is steadier, and the mean over all members, which enters the loss, is the steadiest in small
# batches. So the loss itself can live with few samples. But when you *look* for a correlation that nobody
# promised you, eight samples are too few: the noise is then more than a third, as large as many correlations
# that we might find. From $B = 32$ on it is below 0.2, and this is a reason for our rule of thumb: **use at
# least 32 samples in a batch**. Nothing special happens at 32, though. The noise falls by about $\sqrt 2$
# with every doubling of $B$, there as elsewhere.
#
# ## 11 · How strong, and when
#
# How large should lambda be? We train with six values and leave everything else as it is. At lambda 0 there is
# no regularizer, and we fit $w$ afterwards to the frozen model, as in section 7.
#
# **Predict first.** As lambda grows, what will happen to the correlation of the members, and what will happen
# to the test error?

# %%
lambdas = [0, 0.1, 0.3, 1, 3, 10]

def train_at(lambda_sim):
    """The scores of all nodes (B, N), and the test MSE at the end."""
    model, regularizer = new_model(lambda_sim)
    history = train_briefly(model, regularizer)
    return last_scores(model, regularizer), history.test_mse[-1]

kept = {0: (scores["trained without, w fitted"], baseline.test_mse[-1])}
kept |= {lambda_sim: train_at(lambda_sim) for lambda_sim in lambdas[1:]}
sweep = pd.DataFrame({
    f"{lambda_sim:g}": {"mean r": member_correlations(s, M).mean().item(),
                        "left one out": left_one_out(s), "test MSE": mse}
    for lambda_sim, (s, mse) in kept.items()
}).T.rename_axis("lambda")

# %% slideshow={"slide_type": "subslide"}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
figures.plot_curves(sweep.index, sweep[["mean r", "left one out"]], left,
                    xlabel=r"$\lambda_{sim}$", ylabel="correlation, last layer")
left.legend(frameon=False, fontsize=10, loc="lower right")
figures.plot_curves(sweep.index, sweep[["test MSE"]], right,
                    xlabel=r"$\lambda_{sim}$", ylabel="test MSE after 150 epochs")
plots.draw_floor(right, draw.floor)
right.legend(frameon=False, fontsize=10)
plots.show(figure, "Left, the mean correlation of members with their pathway rises with lambda and "
                   "levels off; right, test MSE, above its noise floor, is lowest at lambda 0 and "
                   "highest at the largest lambda")

# %% [markdown]
# The members are in step long before lambda reaches its largest values. From there on, a larger lambda
# buys little agreement and costs much error, because the model listens to the prior and no longer to
# the data. And did you expect that a small lambda would lower the error? It does not: in these runs the best
# lambda is 0. But they are single, short runs, in which nothing was tuned. To find out what a lambda is
# *worth* we need many seeds, a fair rival and a control, and that is the question of [6 · Three-way evaluation](06_three_way_evaluation.ipynb).
#
# Behind the leftmost points stands a model that has never heard of pathways. Here are its scores, seen
# along the $w$ that we fitted to it.

# %% slideshow={"slide_type": "subslide"}
def at(lambda_sim):
    figure, axes = plt.subplots(
        1, 4, figsize=(11.5, 3.4), layout="constrained", sharex=True, sharey=True
    )
    figures.plot_pathway_scatters(kept[lambda_sim][0], graph, axes)
    figure.suptitle(rf"$\lambda_{{sim}}$ = {lambda_sim:g}", fontsize=11)
    plots.show(figure, f"Members' scores against their pathway's, lambda {lambda_sim:g}")

at(0)

# %% [markdown]
# In JupyterLab, move the slider, and watch how the clouds shrink to lines. Which pathway follows its score
# best at lambda 0, without having been asked? The models are trained already, so the slider answers at once.

# %% tags=["widget", "nbval-ignore-output"]
interact(at, lambda_sim=SelectionSlider(options=lambdas, value=0, description="lambda"));

# %% [markdown] slideshow={"slide_type": "subslide"}
# **Warm-up.** At the start of training the activations mean nothing yet. If we ask them to agree right
# away, they may agree on something that predicts nothing. So we let the data speak first, and we
# raise the strength of the regularizer linearly,
#
# $$ \mathrm{strength}(e) = \min\!\big(1, (e + 1) / W\big), $$
#
# over the first $W$ epochs. Does it help? We try it with a lambda of 3, which is rather too large, on four
# fresh draws of the problem:

# %%
def test_curve(seed, W):
    """Test MSE by epoch, and the members' r, left one out, for W epochs of warm-up."""
    data = Problem().draw(seed)
    model, regularizer = new_model(3.0, data=data)
    history = train_briefly(model, regularizer, data, warmup_epochs=W)
    return history.test_mse, left_one_out(last_scores(model, regularizer, data))

fresh = range(100, 104)
warm = {W: [test_curve(seed, W) for seed in fresh] for W in (0, 50)}

# %% slideshow={"slide_type": "subslide"}
epochs = np.arange(150)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
strength = {"no warm-up": np.ones(150), "50 epochs": np.minimum(1, (epochs + 1) / 50)}
curves = {name: np.mean([mse for mse, _ in warm[W]], 0) for name, W in zip(strength, warm)}
figures.plot_curves(epochs, strength, left, xlabel="epoch", ylabel="strength", every=15)
figures.plot_curves(epochs, curves, right, xlabel="epoch",
                    ylabel="test MSE, mean of four draws", every=15)
plots.draw_floor(right, np.mean([Problem().draw(seed).floor for seed in fresh]))
right.legend(frameon=False, fontsize=10)
left.set_ylim(0, 1.08)
left.legend(frameon=False, fontsize=10, loc="lower right")
plots.show(figure, "Left, the strength, rising to 1 over 50 epochs or 1 throughout; right, "
                   "test MSE with and without warm-up: with it, lower from early on")

# %%
at_the_end = {W: [(mse[-1], r) for mse, r in rows] for W, rows in warm.items()}
columns, draws = ["test MSE", "left one out"], pd.Index(fresh, name="draw")
tables = {f"W = {W}": pd.DataFrame(rows, draws, columns) for W, rows in at_the_end.items()}
pd.concat(tables, axis=1)

# %% [markdown] slideshow={"slide_type": "slide"}
# With warm-up the error falls faster from early on. At the end it is clearly lower on two of the
# four draws and about the same on the other two, and the members agree as well either way. So you may
# take it as an insurance for a strong lambda, but it promises nothing. `train(..., warmup_epochs=50)` is
# all that you have to write.
#
# ## Recap
#
# 1. The loss is minus the mean correlation, over the batch, of members with their pathway's score. Our
#    loop, our matrices, our module and the package all gave the same numbers. A node that no signal has
#    reached counts as 0, and it gets no gradient.
# 2. After a group norm, the mean of the channels is gone except for what the bend of ELU lets through, and
#    the gradient promises effects that are not kept. A learned direction reads many times more.
# 3. Independent members of a pathway of size $m$ correlate $1/\sqrt m$ with their own mean. Report
#    above that floor, or leave the member out.
# 4. Beyond the point of agreement, a larger lambda buys little and costs error. Warm-up lets the data speak
#    first. The noise of a correlation is about $1/\sqrt B$, so you should take at least 32 samples.
# 5. The weights in $M$ may be soft, and pairs of pathways that should differ get a term of their own, the
#    squared correlation of their scores.
#
# **Next:** we can tell a model which nodes work together, and it listens. Whether this *helps* is
# another matter. In [6 · Three-way evaluation](06_three_way_evaluation.ipynb) you put the question
# fairly: with many seeds, and with a control that is told something false.
#
# ## References
#
# * Evans et al. 2024, *Graph Structured Neural Networks for Perturbation Biology*, bioRxiv
#   2024.02.28.582164.
# * Ba, Kiros and Hinton 2016, *Layer Normalization*, arXiv 1607.06450.
# * Wu and He 2018, *Group Normalization*, ECCV.
# * Clevert, Unterthiner and Hochreiter 2016, *Fast and Accurate Deep Network Learning by
#   Exponential Linear Units (ELUs)*, ICLR.
