"""The exercises of chapter 3, the network.

``wout_mask`` says where W_out has weights, ``read_out`` turns edges into outputs, and ``layer`` is one layer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gsnn_tutorial.exercises.diagnosis import exercise

# ---- The mask of W_out


def mask_cases(seed):
    """Chains with a shortcut, of two sizes: functions 0 .. N-1, then inputs, then outputs."""
    rng = torch.Generator().manual_seed(seed)
    cases = []
    for N, C in [(3, 2), (5, 4)]:
        order = torch.randperm(N, generator=rng).tolist()
        inside = list(zip(order, order[1:])) + [(order[0], order[-1])]
        edges = inside + [(N, order[0]), (N + 1, order[1]), (order[-1], N + 2), (order[1], N + 3)]
        cases.append((torch.tensor(edges).t().contiguous(), N, C))
    return cases


@exercise("Mask of W_out", cases=mask_cases)
def wout_mask(edge_index, N, C):
    """1 where W_out has a weight: channel (n, c) writes edge e if e starts at function node n."""
    source = edge_index[0]  # (E,)
    node_of_channel = torch.arange(N).repeat_interleave(C)  # (N*C,)
    return (source[:, None] == node_of_channel[None, :]).float()  # (E, N*C)


@wout_mask.mistake(
    "your matrix is transposed. W_out turns channels into edges, W_out @ a, so edges are its rows: shape (E, N*C)."
)
def transposed(edge_index, N, C):
    return wout_mask.reference(edge_index, N, C).t()


@wout_mask.mistake(
    "you marked the channels of the node in which an edge ends; that is W_in. An edge is written by the "
    "node at which it starts, edge_index[0]."
)
def mask_of_win(edge_index, N, C):
    target = edge_index[1]  # (E,)
    node_of_channel = torch.arange(N).repeat_interleave(C)
    return (target[:, None] == node_of_channel[None, :]).float()


@wout_mask.mistake(
    "your channels run in another order: all first channels, then all second ones. Channel (n, c) has "
    "number n*C + c, so a node's channels stand side by side."
)
def channels_first(edge_index, N, C):
    source = edge_index[0]
    node_of_channel = torch.arange(N).repeat(C)  # 0, 1, .., N-1, 0, 1, ..
    return (source[:, None] == node_of_channel[None, :]).float()


@wout_mask.mistake(
    "you left out the edges from functions to outputs. They start at a function node like any other "
    "message, and without them nothing leaves."
)
def without_outputs(edge_index, N, C):
    ends_in_function = edge_index[1] < N  # (E,)
    return wout_mask.reference(edge_index, N, C) * ends_in_function.float()[:, None]


@wout_mask.mistake("you marked one channel for each edge. An edge is a mixture of all C channels of its source.")
def first_channel_only(edge_index, N, C):
    is_first = torch.arange(N * C) % C == 0  # (N*C,)
    return wout_mask.reference(edge_index, N, C) * is_first.float()


@wout_mask.mistake("your blocks overlap: node n's channels start at n*C, not at n.")
def overlapping(edge_index, N, C):
    mask = torch.zeros(edge_index.shape[1], N * C)  # (E, N*C)
    for e, source in enumerate(edge_index[0].tolist()):
        if source < N:
            mask[e, source : source + C] = 1
    return mask


# ---- The read-out


def read_out_cases(seed):
    rng = torch.Generator().manual_seed(seed)
    target = torch.tensor([0, 7, 8, 1, 8, 9, 0, 9, 9])[torch.randperm(9, generator=rng)]
    h = torch.randn(9, 4, generator=rng)  # (E, B)
    return [(h, target, torch.tensor([7, 8, 9]), 3), (h, target, torch.tensor([9, 7]), 5)]


@exercise("Read-out", cases=read_out_cases)
def read_out(h, target, outputs, L):
    """Sum of each output's in-edges over sqrt(in-degree) and sqrt(L), (E, B) -> (B, outputs)."""
    ends_in = (target[None, :] == outputs[:, None]).float()  # (outputs, E)
    degree = ends_in.sum(dim=1, keepdim=True)  # (outputs, 1)
    return (ends_in @ h / (degree * L).sqrt()).t()


def sum_and_degree(h, target, outputs):
    """The sum of each output's in-edges, (B, outputs), and how many there are, (outputs,)."""
    ends_in = (target[None, :] == outputs[:, None]).float()  # (outputs, E)
    return (ends_in @ h).t(), ends_in.sum(dim=1)


@read_out.mistake(
    "your result is (outputs, B). Inside the network samples come last; outside they come first: transpose at the end."
)
def samples_last(h, target, outputs, L):
    return read_out.reference(h, target, outputs, L).t()


@read_out.mistake(
    "you took the mean, and divided by the in-degree. The root of the in-degree keeps the scale of a "
    "sum of independent messages; the mean shrinks it."
)
def mean_of_in_edges(h, target, outputs, L):
    total, degree = sum_and_degree(h, target, outputs)
    return total / degree / L**0.5


@read_out.mistake(
    "the in-degree is missing: an output with many in-edges is louder than one with few. Divide each "
    "output by the root of its own in-degree."
)
def degree_missing(h, target, outputs, L):
    total, _ = sum_and_degree(h, target, outputs)
    return total / L**0.5


@read_out.mistake("the layers are missing: every layer has added to h. Divide by sqrt(L) too.")
def layers_missing(h, target, outputs, L):
    total, degree = sum_and_degree(h, target, outputs)
    return total / degree.sqrt()


@read_out.mistake("you divided by L. It is the root of L that keeps the scale.")
def layers_unrooted(h, target, outputs, L):
    total, degree = sum_and_degree(h, target, outputs)
    return total / degree.sqrt() / L


@read_out.mistake("you added up the in-edges, and scaled by nothing. Divide by sqrt(in-degree) and by sqrt(L).")
def not_scaled(h, target, outputs, L):
    total, _ = sum_and_degree(h, target, outputs)
    return total


@read_out.mistake("you divided all outputs by the same number. Each has an in-degree of its own.")
def one_degree_for_all(h, target, outputs, L):
    total, degree = sum_and_degree(h, target, outputs)
    return total / (degree.sum() * L).sqrt()


# ---- One layer


def layer_cases(seed):
    rng = torch.Generator().manual_seed(seed)
    h, W_in, W_out = (torch.randn(*size, generator=rng) for size in [(7, 5), (12, 7), (7, 12)])
    return [(h, W_in, W_out, torch.tensor(0.7), 4), (h, W_in, W_out, torch.tensor(-0.4), 3)]


@exercise("One layer", cases=layer_cases)
def layer(h, W_in, W_out, r, C):
    """One GSNN layer without biases, (E, B) -> (E, B)."""
    z = (W_in @ h).view(-1, C, h.shape[1])  # (N, C, B)
    z = (z - z.mean(dim=1, keepdim=True)) / (z.std(dim=1, keepdim=True) + 0.1)
    a = F.elu(z)
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


def standardised(z, dim):
    """z with mean 0 and, but for the 0.1, standard deviation 1 over a dimension or several."""
    return (z - z.mean(dim=dim, keepdim=True)) / (z.std(dim=dim, keepdim=True) + 0.1)


@layer.mistake(
    "you normalised over the batch, not over the channels. A node's channels are dimension 1 of "
    "(N, C, B), and every sample is normalised alone."
)
def norm_over_batch(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.elu(standardised(z, 2))
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


@layer.mistake(
    "you normalised over all nodes at once. Each node has a norm of its own, or every node would "
    "hear of every other within one layer."
)
def norm_over_nodes(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.elu(standardised(z, (0, 1)))
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


@layer.mistake("your std is the biased one. With C channels the sum of squares is divided by C - 1.")
def biased_std(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    z = (z - z.mean(dim=1, keepdim=True)) / (z.std(dim=1, keepdim=True, correction=0) + 0.1)
    return W_out @ F.elu(z).flatten(0, 1) + torch.relu(r) * h


@layer.mistake(
    "the 0.1 is missing. It is added to the std, and keeps a node with almost equal channels from being blown up."
)
def eps_missing(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    z = (z - z.mean(dim=1, keepdim=True)) / z.std(dim=1, keepdim=True)
    return W_out @ F.elu(z).flatten(0, 1) + torch.relu(r) * h


@layer.mistake("your 0.1 stands under the root, added to the variance. Here it is added to the std.")
def eps_under_root(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    z = (z - z.mean(dim=1, keepdim=True)) / (z.var(dim=1, keepdim=True) + 0.1).sqrt()
    return W_out @ F.elu(z).flatten(0, 1) + torch.relu(r) * h


@layer.mistake("the norm is missing.")
def norm_missing(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.elu(z)
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


@layer.mistake("the nonlinearity is missing: the channels go through ELU after the norm.")
def elu_missing(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = standardised(z, 1)
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


@layer.mistake("your nonlinearity is ReLU. Here it is ELU, which lets negative values through as exp(z) - 1.")
def relu_for_elu(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.relu(standardised(z, 1))
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


@layer.mistake("norm and ELU are in the wrong order: first the norm, then the nonlinearity.")
def elu_before_norm(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = standardised(F.elu(z), 1)
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


@layer.mistake("the residual is missing: add relu(r) h to what the nodes have written.")
def residual_missing(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.elu(standardised(z, 1))
    return W_out @ a.flatten(0, 1)


@layer.mistake("your residual lacks its relu. A negative r has to count as 0.")
def residual_without_relu(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.elu(standardised(z, 1))
    return W_out @ a.flatten(0, 1) + r * h


@layer.mistake("you took the relu of r h. Only r goes through it; a message may be negative.")
def relu_of_the_product(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.elu(standardised(z, 1))
    return W_out @ a.flatten(0, 1) + torch.relu(r * h)


@layer.mistake(
    "you took the relu of the whole sum. Only r goes through it: a message may be negative, the old one and the new."
)
def relu_of_the_sum(h, W_in, W_out, r, C):
    z = (W_in @ h).view(-1, C, h.shape[1])
    a = F.elu(standardised(z, 1))
    return torch.relu(W_out @ a.flatten(0, 1) + r * h)


@layer.mistake("your channels are grouped wrongly. Channel (n, c) has number n*C + c, so the view is (N, C, B).")
def grouped_channels_first(h, W_in, W_out, r, C):
    z = (W_in @ h).view(C, -1, h.shape[1])  # (C, N, B)
    a = F.elu(standardised(z, 0))
    return W_out @ a.flatten(0, 1) + torch.relu(r) * h


# ---- A loss that does not mind outliers


def loss_cases(seed):
    rng = torch.Generator().manual_seed(seed)
    y, off = (torch.randn(6, 3, generator=rng) for _ in range(2))
    far = y + 4 * off.sign() + off
    beyond = y + 1.5 * off.sign()  # not far beyond the distance of 1
    near, both = y + 0.4 * off.clamp(-1.5, 1.5), torch.cat([far[:2], y[2:] + 0.2])
    return [(prediction.requires_grad_(), y) for prediction in (near, far, both, beyond)]


def loss_and_gradient(result, prediction, y):
    """The loss, and what training sees of it; a number that no gradient flows through has none, NaN."""
    if result is None or isinstance(result, BaseException):
        return result
    gradient = torch.full_like(prediction, torch.nan)
    if isinstance(result, torch.Tensor) and result.requires_grad:
        gradient = torch.autograd.grad(result.sum(), prediction)[0]
    return {"the loss": result, "its gradient with respect to the prediction": gradient}


@exercise("Huber's loss", cases=loss_cases, probe=loss_and_gradient)
def huber(prediction, y):
    """Mean over samples and outputs of d^2 / 2 where |d| is at most 1, and of |d| - 1/2 elsewhere."""
    d = (prediction - y).abs()
    return torch.where(d <= 1, d.square() / 2, d - 0.5).mean()


@huber.mistake("this is the squared error everywhere. Beyond a distance of 1 the loss goes on as a straight line.")
def squared(prediction, y):
    return (prediction - y).square().mean() / 2


@huber.mistake("this is the absolute error everywhere. Up to a distance of 1 the loss is d^2 / 2.")
def absolute(prediction, y):
    return (prediction - y).abs().mean()


@huber.mistake("your loss jumps at a distance of 1: d^2 / 2 has reached 1/2 there, so the line is |d| - 1/2.")
def jumping(prediction, y):
    d = (prediction - y).abs()
    return torch.where(d <= 1, d.square() / 2, d).mean()


@huber.mistake("the half is missing from the square: d^2 / 2 and |d| - 1/2 have the same value and slope at 1.")
def half_missing(prediction, y):
    d = (prediction - y).abs()
    return torch.where(d <= 1, d.square(), d - 0.5).mean()


@huber.mistake("you added up over samples and outputs. A loss that is a mean does not grow with the batch.")
def summed(prediction, y):
    return huber.reference(prediction, y) * y.numel()


@huber.mistake(
    "no gradient flows through your number: .item(), float(), .detach() and NumPy cut it off from the predictions. "
    "Return a tensor that torch has computed from them."
)
def cut_off_from_the_predictions(prediction, y):
    return huber.reference(prediction, y).detach()


@huber.mistake("a distance has no sign: take the absolute value of prediction - y before you compare it with 1.")
def signed(prediction, y):
    d = prediction - y
    return torch.where(d <= 1, d.square() / 2, d - 0.5).mean()
