"""The graded exercises of assignment 4, the latent-factor loss."""

from __future__ import annotations

import numpy as np
import torch

from gsnn_tutorial.checks.diagnosis import Graded
from gsnn_tutorial.regularizer import standardize_over_batch


def _centred(t, dim=0):
    return t - t.mean(dim, keepdim=True)


def _std(t, dim=0):
    """The population std: the sum of squares is divided by B."""
    return _centred(t, dim).square().mean(dim, keepdim=True).sqrt()


def _z(t):
    """Standardised over dimension 0, the batch; 0 where it does not vary."""
    return standardize_over_batch(t.movedim(0, -1)).movedim(-1, 0)


def _without_rule(t):
    return _centred(t) / _std(t)


def _by_sample_std(t):
    B = len(t)
    return _z(t) * ((B - 1) / B) ** 0.5


def _normal(rng, *size):
    return torch.tensor(rng.standard_normal(size)).float()


# Pairs of nodes


def _in_step(s, pairs):
    r = []
    for i, j in pairs:
        x, y = _centred(s[:, i]), _centred(s[:, j])
        r.append((x * y).mean() / (x.square().mean() * y.square().mean()).sqrt())
    return torch.stack(r)


def _pairs_by(value):
    """``value(x, y)`` of the scores of each pair."""
    return lambda s, pairs: torch.stack([value(s[:, i], s[:, j]) for i, j in pairs])


def _covariance(x, y):
    return (_centred(x) * _centred(y)).mean()


def _variance(x):
    return _covariance(x, x)


def _cosine(x, y):
    return (x * y).mean() / (x.square().mean() * y.square().mean()).sqrt()


def _correlation(x, y):
    return _covariance(x, y) / (_variance(x) * _variance(y)).sqrt()


def _scores_and_pairs(seed):
    """Scores of different levels and loudness; pairs out of order, some that rise and fall against each other."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N in [(6, 4), (9, int(rng.integers(5, 8)))]:
        common = _normal(rng, B, 1) * torch.tensor([1.0, -1.0]).repeat(N)[:N]  # neighbours go against each other
        level, loudness = torch.linspace(1, 2, N), torch.linspace(0.5, 2, N)
        s = level + loudness * (common + _normal(rng, B, N))
        pairs = [(1, 0), (0, 2), (N - 1, 1), (2, N - 1), (1, 2)]
        cases.append((s, [pairs[k] for k in rng.permutation(len(pairs))]))
    return cases


in_step = Graded(
    title="nodes in step",
    reference=_in_step,
    cases=_scores_and_pairs,
    tolerance=1e-4,
    mistakes={
        "you did not centre. Subtract each node's mean over the batch first, or this is a cosine, which a node's level "
        "changes.": _pairs_by(_cosine),
        "you centred over the nodes of a sample. The mean, like the std, runs over the batch, dimension 0, each node "
        "for itself.": lambda s, pairs: _pairs_by(_cosine)(_centred(s, 1), pairs),
        "you took one mean over all scores. Each node has its own.": (
            lambda s, pairs: _pairs_by(_cosine)(s - s.mean(), pairs)
        ),
        "this is the covariance. Divide it by both standard deviations.": _pairs_by(_covariance),
        "you divided the covariance by one of the variances; that is a slope. Divide by both standard deviations.": (
            _pairs_by(lambda x, y: _covariance(x, y) / _variance(x))
        ),
        "you divided the covariance by both variances. Divide by both standard deviations, their roots.": (
            _pairs_by(lambda x, y: _covariance(x, y) / (_variance(x) * _variance(y)))
        ),
        "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use std(correction=0).": (
            lambda s, pairs: _in_step(s, pairs) * (len(s) - 1) / len(s)
        ),
        "you mixed B - 1 and B: the covariance divides by B - 1, the standard deviations by B. Use one of them "
        "throughout.": lambda s, pairs: _in_step(s, pairs) * len(s) / (len(s) - 1),
        "you squared the correlation, or dropped the root. Here opposite is not as good as alike: the sign counts.": (
            _pairs_by(lambda x, y: _correlation(x, y).square())
        ),
        "you dropped the sign. Two nodes that go against each other have r < 0.": (
            _pairs_by(lambda x, y: _correlation(x, y).abs())
        ),
    },
)

# Scores of pathways with repressors


def _pathway_scores(s, M):
    """s (B, L, N) and M (P, N), signed -> (B, L, P)."""
    return s @ M.T / M.abs().sum(1).clamp_min(1)


def _scores_over(size, weights=lambda M: M):
    """Pathway scores with other normalisers, or of other weights."""
    return lambda s, M: s @ weights(M).T / size(M)


def _total(M):
    return M.abs().sum(1).clamp_min(1)


def _activators_and_repressors(seed):
    """As many pathways as nodes; one is faint, one without members, one of opposites, and one has a single member."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, L, N in [(3, 2, 5), (4, 3, int(rng.integers(6, 8)))]:
        M = rng.uniform(0.3, 1.5, (N, N)) * rng.choice([-1, 1], (N, N)) * (rng.random((N, N)) < 0.6)
        M[:5] = 0
        M[0, :3] = [0.25, -0.2, 0.15]  # faint
        M[2, 1:4] = [1.4, -1.4, 0.5]  # opposites
        M[3, :4] = [1.2, 0.9, -0.6, 0.7]
        M[4, 2:5] = [-1.3, 0.8, -0.7]  # row 1 stays empty
        M = M[rng.permutation(N)][:, rng.permutation(N)]
        cases.append((_normal(rng, B, L, N), torch.tensor(M).float()))
    return cases


pathway_scores = Graded(
    title="scores of pathways",
    reference=_pathway_scores,
    cases=_activators_and_repressors,
    tolerance=1e-4,
    mistakes={
        "you used M transposed. Row p of M holds the weights of pathway p, so sum over its columns: s @ M.T.": (
            lambda s, M: s @ M / _total(M)
        ),
        "you used M transposed, and the totals of its columns. Row p of M holds the weights of pathway p.": (
            lambda s, M: _pathway_scores(s, M.T)
        ),
        "the totals are those of the columns. Pathway p's total weight is that of row p.": (
            lambda s, M: s @ M.T / _total(M.T)
        ),
        "you took the sum. Divide it by the pathway's total weight, or large pathways are loud.": (
            _scores_over(lambda M: torch.ones(len(M)))
        ),
        "in the total, repressors cancel activators. A repressor has weight too: add up absolute values.": (
            _scores_over(lambda M: M.sum(1).clamp_min(1))
        ),
        "you divided by the number of members. A soft member counts with its weight: add up absolute values of "
        "weights.": _scores_over(lambda M: (M != 0).sum(1).clamp_min(1)),
        "you divided by the number of all nodes. Divide by the total weight of the pathway's members.": (
            _scores_over(lambda M: M.shape[1])
        ),
        "you divided by the total weight even where it is below 1. A pathway without members gives 0/0, and a faint "
        "one is blown up: divide by max(total, 1).": _scores_over(lambda M: M.abs().sum(1)),
        "you took care of pathways without members only. Where the total is below 1 divide by 1 as well, or a faint "
        "pathway is blown up.": (
            _scores_over(lambda M: torch.where(M.abs().sum(1) > 0, M.abs().sum(1), torch.ones(len(M))))
        ),
        "your repressors act as activators. The absolute value belongs in the total, not in the sum.": (
            _scores_over(_total, torch.abs)
        ),
        "your repressors are gone. A negative weight is a member too.": _scores_over(_total, lambda M: M.clamp_min(0)),
        "every member counts the same in your sum. A soft member counts with its weight.": (
            _scores_over(_total, torch.sign)
        ),
        "every member counts the same, in your sum and in your total. A soft member counts with its weight.": (
            lambda s, M: _pathway_scores(s, M.sign())
        ),
    },
)

# The gradient of a correlation


def _pull(s, t):
    """dr_i / ds_bi = (Z_t - r_i Z_s) / (B std_s), and 0 where s_i does not vary."""
    mean, std = s.mean(0), _std(s)[0]  # (N,)
    varies = std > 1e-6 * (1 + mean.abs())
    return torch.where(varies, _slope(s, t), 0.0)


def _slope(s, t, eps=0.0):
    """The gradient without the rule."""
    t = t[:, None]
    std = _std(s) + eps
    z, target = _centred(s) / std, _centred(t) / _std(t)
    return (target - (z * target).mean(0) * z) / (len(t) * std)


def _from_where(varies, otherwise=0.0):
    """The gradient where ``varies(mean, std)``, and another number, or what ``otherwise(s, t)`` says, elsewhere."""

    def answer(s, t):
        rest = otherwise(s, t) if callable(otherwise) else torch.full_like(s, otherwise)
        return torch.where(varies(s.mean(0), _std(s)[0]), _slope(s, t), rest)

    return answer


def _nan_where_constant(answer):
    def with_nan(s, t):
        return torch.where(_std(s)[0] == 0, torch.nan, answer(s, t))

    return with_nan


def _covariance_pull(s, t):
    """As if the std did not depend on s."""
    target = (_centred(t) / _std(t))[:, None]
    return torch.where(_pull(s, t) != 0, target / (len(t) * _std(s)), 0.0)


def _formula_by_sample_std(s, t):
    """The formula as it stands, with another std in all its places."""
    z, target, share = _z(s), _z(t)[:, None], (len(t) - 1) / len(t)
    slope = share * (target - share * (z * target).mean(0) * z) / (len(t) * _std(s))
    return torch.where(_pull(s, t) != 0, slope, 0.0)


def _pull_on_the_target(s, t):
    z, target = _z(s), _z(t)[:, None]
    return torch.where(z != 0, (z - (z * target).mean(0) * target) / (len(t) * _std(t)), 0.0)


def _scores_that_vary_or_not(seed):
    """Double precision: three scores that vary, one that is constant, one too quiet, one too quiet for its level.

    B is a power of 2 and the constant a fraction of 2, so that its deviations are 0 to the last digit.
    """
    rng = np.random.default_rng(seed)
    cases = []
    for B in (8, 16):
        t = rng.standard_normal(B)
        noise = rng.standard_normal((B, 6)) + 0.5 * t[:, None]
        z = (noise - noise.mean(0)) / noise.std(0)
        s = [-0.5, 1.0, 2.0, 0.25, 0.0, 1e5] + z * [0.3, 1.0, 3.0, 0.0, 1e-12, 0.03]
        cases.append((torch.tensor(s[:, rng.permutation(6)]), torch.tensor(1 + 2 * t)))
    return cases


def _eps_alone(s, t):
    return _slope(s, t, eps=1e-6)


pull = Graded(
    title="the pull on a score",
    reference=_pull,
    cases=_scores_that_vary_or_not,
    tolerance=1e-4,
    mistakes={
        "a score that does not vary is not looked after: a constant gives NaN, a score that hardly varies an enormous "
        "gradient. Both are to be 0.": _slope,
        "an eps beside the std keeps r finite, but where a score does not vary its gradient is of the order of "
        "1 / eps. Set it to 0 there.": _eps_alone,
        "an eps beside the std does not help the root: its slope at 0 is infinite, and gives NaN for a constant. Set "
        "the gradient to 0 where a score does not vary.": _nan_where_constant(_eps_alone),
        "r is 0 for a constant, but its gradient is NaN: torch.where picks 0, and the root of 0 that it passed over "
        "sends back 0 times infinity. Put a harmless number under the root first.": _nan_where_constant(_pull),
        "you looked after a std of exactly 0 only. A std within 1e-6 (1 + |mean|) counts as 0.": (
            _from_where(lambda mean, std: std > 0)
        ),
        "you compared the std with 1e-6 whatever the score's level. Rounding grows with the level: compare with "
        "1e-6 (1 + |mean|).": _from_where(lambda mean, std: std > 1e-6),
        "you compared the std with 1e-6 |mean|. Near a mean of 0 that is nothing: compare with 1e-6 (1 + |mean|).": (
            _from_where(lambda mean, std: std > 1e-6 * mean.abs())
        ),
        "you treated the std as a constant. It depends on the score too, and takes r_i Z_s away.": _covariance_pull,
        "your gradient is B times too large. r is a mean over the batch.": lambda s, t: _pull(s, t) * len(t),
        "your gradient has the wrong sign. This is that of r, not of the loss, -r.": lambda s, t: -_pull(s, t),
        "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.": (
            lambda s, t: _pull(s, t) * (len(t) - 1) / len(t)
        ),
        "you mixed B and B - 1: the std of s divides by B - 1, that of t and the mean of the products by B. Use "
        "correction=0.": lambda s, t: _pull(s, t) * ((len(t) - 1) / len(t)) ** 0.5,
        "your std() divides by B - 1, and the formula holds for the one that divides by B. Use correction=0.": (
            _formula_by_sample_std
        ),
        "this is the gradient with respect to t. Move the scores s and keep t.": _pull_on_the_target,
    },
)

# The loss of all layers, from a list of memberships


def _by_layers(s, pathway, node, weight, z=_z, counts=None):
    """Scores (B, L, N) and K memberships -> r (K, L). ``counts``: what they weigh in a pathway's score."""
    counts = weight if counts is None else counts
    totals = s.new_zeros(*s.shape[:2], int(pathway.max()) + 1)  # (B, L, P)
    totals = totals.index_add(2, pathway, counts * s[:, :, node])
    return (z(totals)[:, :, pathway] * z(s)[:, :, node]).mean(0).T


def _mean_r(r, weight):
    """r (K, L): weighted mean over memberships, mean over layers."""
    return (weight[:, None] * r).sum(0).mean() / weight.sum().clamp_min(1)


def _sim_loss(s, pathway, node, weight):
    return -_mean_r(_by_layers(s, pathway, node, weight), weight)


def _loss_with(**how):
    """L_sim with another standardisation, or another share in the pathway's score."""
    return lambda s, *case: -_mean_r(_by_layers(s, *case, **how), case[-1])


def _equal_shares(s, pathway, node, weight):
    return -_mean_r(_by_layers(s, pathway, node, weight, counts=torch.ones_like(weight)), weight)


def _unweighted_mean(s, pathway, node, weight):
    return -_by_layers(s, pathway, node, weight).mean()


def _over_their_number(s, pathway, node, weight):
    return -(weight[:, None] * _by_layers(s, pathway, node, weight)).mean()


def _no_clamp(s, *case):
    return _sim_loss(s, *case) * case[-1].sum().clamp_min(1) / case[-1].sum()


def _sum_of_r(s, *case):
    return _sim_loss(s, *case) * case[-1].sum().clamp_min(1)


def _pathway_by_pathway(s, pathway, node, weight):
    """The weighted mean in each pathway, then the mean of these."""
    r = weight * _by_layers(s, pathway, node, weight).mean(1)  # (K,)
    return -torch.stack([r[pathway == p].sum() / weight[pathway == p].sum() for p in pathway.unique()]).mean()


def _last_member_only(s, pathway, node, weight):
    """totals[..., pathway] += ... with a list that names a pathway more than once."""
    last = {p: k for k, p in enumerate(pathway.tolist())}
    counts = torch.tensor([float(last[p] == k) for k, p in enumerate(pathway.tolist())])
    return -_mean_r(_by_layers(s, pathway, node, weight, counts=counts * weight), weight)


def _layers_as_samples(s, *case):
    return _sim_loss(s.flatten(0, 1)[:, None], *case)


def _mean_score_of_the_layers(s, *case):
    return _sim_loss(s.mean(1, keepdim=True), *case)


def _last_layer(s, *case):
    return _sim_loss(s[:, -1:], *case)


def _constants_left_out(s, pathway, node, weight):
    """The mean over memberships of nodes that vary, layer by layer."""
    r = weight[:, None] * _by_layers(s, pathway, node, weight)  # (K, L)
    varying = weight[:, None] * (_std(s)[0].T[node] > 1e-6)
    total = varying.sum(0)
    return -(r.sum(0) / total.where(total > 0, torch.ones_like(total))).mean()


def _standardised_over_nodes(t):
    return _centred(t, -1) / (_std(t, -1) + 1e-6)


def _scores_of_layers(seed):
    """Nodes that no signal has reached in early layers; pathways of unequal size; in one case a total below 1."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, L, N, P in [(8, 3, 6, 3), (16, 2, 7, 4), (8, 2, 6, 3)]:
        level, common = rng.uniform(-1, 1, N), 1.5 * rng.standard_normal((B, L, 1))
        s = level + rng.uniform(0.5, 2, N) * (common + rng.standard_normal((B, L, N)))
        hops = np.clip(rng.permutation(N) // 2, 0, L - 1)
        for l in range(L):
            s[:, l, hops > l] = 0.5
        sizes = [4, 2, 3, 2][:P]
        members = [(p, i) for p, m in enumerate(sizes) for i in rng.permutation(N)[:m]]
        pathway, node = np.array(members)[rng.permutation(len(members))].T
        weight = rng.uniform(0.3, 1.2, len(members))
        cases.append((s, pathway, node, weight))
    cases[-1] = (*cases[-1][:3], 0.06 * cases[-1][3])  # nine weights, of 0.072 at most
    return [tuple(_as_tensor(value) for value in case) for case in cases]


def _as_tensor(value):
    value = torch.tensor(np.ascontiguousarray(value))
    return value.float() if value.is_floating_point() else value.long()


sim_loss = Graded(
    title="L_sim from a list",
    reference=_sim_loss,
    cases=_scores_of_layers,
    tolerance=1e-4,
    mistakes={
        "your loss has the wrong sign. Training makes a loss small, and agreement is to be large.": (
            lambda *case: -_sim_loss(*case)
        ),
        "each pathway keeps its last member only. S[:, :, pathway] += ... with a list of pathways writes each of them "
        "once; add the members up, by index_add or in a loop.": _last_member_only,
        "every member counts the same in the pathway's score. It counts with its weight.": _equal_shares,
        "every membership counts the same in the mean of r. It counts with its weight, and the sum is divided by "
        "max(sum of weights, 1).": _unweighted_mean,
        "you divided by the number of memberships. Divide by max(sum of their weights, 1).": _over_their_number,
        "you divided by the sum of the weights even where it is below 1. Divide by max(sum, 1).": _no_clamp,
        "you did not divide by the weights. The loss is a mean over memberships: divide by max(sum of weights, 1).": (
            _sum_of_r
        ),
        "you took a mean for each pathway, then the mean of these. All memberships of all pathways go into one mean.": (
            _pathway_by_pathway
        ),
        "you added the layers up. The loss is their mean.": lambda s, *case: _sim_loss(s, *case) * s.shape[1],
        "you took the last layer only. The loss is the mean over all layers.": _last_layer,
        "you took samples of all layers for one large batch. Correlate in each layer by itself, then take the mean.": (
            _layers_as_samples
        ),
        "you took the mean of the scores over the layers first. Correlate in each layer by itself, then take the "
        "mean.": _mean_score_of_the_layers,
        "you left scores that do not vary out of the mean. They count r = 0 and keep their place in it.": (
            _constants_left_out
        ),
        "you standardised over the nodes or pathways of a sample. Put the batch last: standardize_over_batch works on "
        "the last dimension, whatever that is.": _loss_with(z=_standardised_over_nodes),
        "a score that does not vary gave NaN. It counts r = 0.": _loss_with(z=_without_rule),
        "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.": (
            _loss_with(z=_by_sample_std)
        ),
        "you did not centre. r is a correlation: subtract the mean over the batch.": (
            _loss_with(z=lambda t: t / t.square().mean(0, keepdim=True).sqrt())
        ),
    },
)

# What a member shares with the others


def _correlations(s, S, z=_z):
    """s (B, N) and S (B, P, N), a score for each pair of pathway and node -> (P, N)."""
    return (z(s)[:, None] * z(S)).mean(0)


def _others(s, M):
    """S (B, P, N): the weighted sum over the members other than i, which are those of M without column i."""
    sums = [s @ (M * (torch.arange(len(M.T)) != i)).T for i in range(len(M.T))]  # N of (B, P)
    return torch.stack(sums, dim=-1)


def _follow(s, M):
    return torch.where(M > 0, _correlations(s, _others(s, M)), 0.0)


def _follow_with(score, z=_z):
    """The same with the score of another ``score(s, M)``, (B, P, N) or (B, P, 1), or standardised otherwise."""
    return lambda s, M: torch.where(M > 0, _correlations(s, score(s, M), z), 0.0)


def _whole(s, M):
    return (s @ M.T)[:, :, None]


def _members_of_pathways(seed):
    """Soft pathways that overlap; node 0 is in none; one node is constant; one pathway has a single member, one has
    a single member that varies."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N in [(8, 7), (16, int(rng.integers(8, 10)))]:
        s = rng.standard_normal((B, N)) + 0.8 * rng.standard_normal((B, 1))
        s = s * rng.uniform(0.5, 2, N) + rng.uniform(0.5, 1.5, N)
        s[:, 1] = 0
        M = np.zeros((5, N))
        M[0, 2:6], M[1, [1, 3, 6]], M[2, [2, 4, N - 1]] = 1, 1, 1
        M[3, 5] = M[4, [1, 4]] = 1  # a single member; one beside a constant
        M *= rng.uniform(0.4, 1.8, M.shape)
        M, order = M[rng.permutation(5)], rng.permutation(N)
        cases.append((torch.tensor(s[:, order]).float(), torch.tensor(M[:, order]).float()))
    return cases


follow = Graded(
    title="following the others",
    reference=_follow,
    cases=_members_of_pathways,
    tolerance=1e-4,
    mistakes={
        "nothing is left out: you correlated a member with the whole pathway, of which it is a part.": (
            _follow_with(_whole)
        ),
        "you took a member's score away without its weight. Its share in the sum is M[p, i] * s[:, i].": (
            _follow_with(lambda s, M: _whole(s, M) - s[:, None])
        ),
        "you took a member's share from the pathway's mean. Take it from the weighted sum, in which its share is "
        "M[p, i] * s[:, i].": (
            _follow_with(lambda s, M: _whole(s, M) / M.sum(1).clamp_min(1)[:, None] - s[:, None] * M)
        ),
        "the others count all the same in your score. Each counts with its weight.": (
            _follow_with(lambda s, M: _others(s, (M > 0).float()))
        ),
        "nodes that are no members have a correlation in your answer. They get 0.": (
            lambda s, M: _correlations(s, _others(s, M))
        ),
        "0/0: a constant member, or a member without another that varies, gives NaN. It counts r = 0.": (
            _follow_with(_others, _without_rule)
        ),
        "you multiplied r by the weights. The weight counts in the score of the others; here r itself is asked for.": (
            lambda s, M: M * _follow(s, M)
        ),
        "you did not centre. r is a correlation: subtract the mean over the batch.": (
            _follow_with(_others, lambda t: t / (t.square().mean(0).sqrt() + 1e-12))
        ),
        "you mixed B and B - 1: the mean of the products divides by B, std() by B - 1. Use correction=0.": (
            _follow_with(_others, _by_sample_std)
        ),
        "your matrix is transposed: a pathway is a row and a node is a column.": lambda *case: _follow(*case).T,
    },
)

# What one number for each node can keep


def _best_share(a):
    """The largest eigenvalue of the covariances of all nodes together, over their trace."""
    centred = _centred(a).flatten(0, 1)  # (B*N, C)
    return _top_share(centred.T @ centred)


def _top_share(covariance):
    return torch.linalg.eigvalsh(covariance)[..., -1] / covariance.diagonal(dim1=-2, dim2=-1).sum(-1)


def _node_covariances(a):
    """a (B, N, C) -> (N, C, C)"""
    return torch.einsum("bnc,bnd->ncd", _centred(a), _centred(a)) / len(a)


def _of_covariance(function):
    """``function`` of the covariance of the channels, summed over the nodes."""
    return lambda a: function(_node_covariances(a).sum(0))


def _uncentred_share(a):
    return _top_share(torch.einsum("bnc,bnd->cd", a, a))


def _nodes_as_samples(a):
    rows = _centred(a.flatten(0, 1))
    return _top_share(rows.T @ rows)


def _singular_share(a):
    singular = torch.linalg.svdvals(_centred(a).flatten(0, 1))
    return singular[0] / singular.sum()


def _mean_share(covariance):
    return covariance.mean() * len(covariance) / covariance.trace()


def _a_direction_for_each_node(a):
    covariances = _node_covariances(a)
    return torch.linalg.eigvalsh(covariances)[:, -1].sum() / covariances.diagonal(dim1=1, dim2=2).sum()


def _quiet_as_loud(a):
    covariances = _node_covariances(a)
    return _top_share((covariances / covariances.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]).sum(0))


def _channels_as_loud(covariance):
    std = covariance.diagonal().sqrt()
    return _top_share(covariance / std[:, None] / std)


def _activations(seed):
    """After a norm and an ELU: nodes that listen in part to one direction, at levels of their own, some louder."""
    rng = np.random.default_rng(seed)
    cases = []
    for B, N, C in [(30, 3, 4), (40, 4, 5), (50, 2, int(rng.integers(6, 8)))]:
        direction = rng.standard_normal(C)
        own = rng.standard_normal((B, N, C)) * rng.uniform(0.3, 1.5, C) + 0.5 * direction * rng.standard_normal(
            (B, N, 1)
        )
        z = (own - own.mean(-1, keepdims=True)) * np.linspace(0.4, 1.2, N)[:, None] + rng.standard_normal((N, C))
        cases.append((torch.nn.functional.elu(torch.tensor(z)).float(),))
    return cases


best_share = Graded(
    title="the best direction",
    reference=_best_share,
    cases=_activations,
    tolerance=1e-4,
    mistakes={
        "this is what the channel mean keeps, w = (1, ..., 1). The best direction keeps more.": (
            _of_covariance(_mean_share)
        ),
        "this is what the best single channel keeps. A direction may mix the channels.": (
            _of_covariance(lambda S: S.diagonal().max() / S.trace())
        ),
        "this is the worst direction. Eigenvalues come in rising order, so the largest is the last.": (
            _of_covariance(lambda S: torch.linalg.eigvalsh(S)[0] / S.trace())
        ),
        "this is the variance along the best direction, added up over the nodes. Divide by that in all directions.": (
            _of_covariance(lambda S: torch.linalg.eigvalsh(S)[-1])
        ),
        "you did not centre. Variance over the batch is about each node's and channel's mean over the batch.": (
            _uncentred_share
        ),
        "you took nodes for samples, with one mean for all of them. Differences between the levels of nodes are no "
        "variance over the batch: each node has its own mean.": _nodes_as_samples,
        "your singular values are not squared. Variances are their squares.": _singular_share,
        "each node has a direction of its own. phi = 'learned' has one w for all nodes.": _a_direction_for_each_node,
        "each node has a direction of its own, and you took the mean of the shares. phi = 'learned' has one w for all "
        "nodes, and shares of all their variance together.": lambda a: _top_share(_node_covariances(a)).mean(),
        "you made all nodes equally loud. Add up their variances as they are, then divide.": _quiet_as_loud,
        "you made all channels equally loud, as with correlations. Use covariances.": _of_covariance(_channels_as_loud),
        "you took the mean over the nodes first. Each node keeps variance of its own: add up the nodes' variances.": (
            lambda a: _best_share(a.mean(1, keepdim=True))
        ),
    },
)
