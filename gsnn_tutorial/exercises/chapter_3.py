"""The exercises of chapter 3, the network.

``wout_mask`` says where W_out has weights, ``read_out`` turns edges into outputs, and ``layer`` is one layer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gsnn_tutorial.exercises.diagnosis import exercise


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


wout_mask.slips({
    "your matrix is transposed. W_out turns channels into edges, W_out @ a, so edges are its rows: shape (E, N*C).":
        {".float()": ".float().t()"},
    "you marked the channels of the node in which an edge ends; that is W_in. An edge is written by the node at "
    "which it starts, edge_index[0].": {"edge_index[0]": "edge_index[1]"},
    "your channels run in another order: all first channels, then all second ones. Channel (n, c) has number n*C + "
    "c, so a node's channels stand side by side.": {"repeat_interleave": "repeat"},
    "you left out the edges from functions to outputs. They start at a function node like any other message, and "
    "without them nothing leaves.": {".float()": ".float() * (edge_index[1] < N)[:, None]"},
    "you marked one channel for each edge. An edge is a mixture of all C channels of its source.":
        {".float()": ".float() * (torch.arange(N * C) % C == 0)"},
    "your blocks overlap: node n's channels start at n*C, not at n.":
        {"source[:, None] == node_of_channel[None, :]":
         "((torch.arange(N * C) - source[:, None]) // C == 0) & (source[:, None] < N)"},
})  # fmt: skip


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


SCALE = "(degree * L).sqrt()"
read_out.slips({
    "your result is (outputs, B). Inside the network samples come last; outside they come first: transpose at the end.":
        {".t()": ""},
    "you took the mean, and divided by the in-degree. The root of the in-degree keeps the scale of a sum of "
    "independent messages; the mean shrinks it.": {SCALE: "(degree * L**0.5)"},
    "the in-degree is missing: an output with many in-edges is louder than one with few. Divide each output by the "
    "root of its own in-degree.": {SCALE: "L**0.5"},
    "the layers are missing: every layer has added to h. Divide by sqrt(L) too.": {"degree * L": "degree"},
    "you divided by L. It is the root of L that keeps the scale.": {SCALE: "(degree.sqrt() * L)"},
    "you added up the in-edges, and scaled by nothing. Divide by sqrt(in-degree) and by sqrt(L).": {f" / {SCALE}": ""},
    "you divided all outputs by the same number. Each has an in-degree of its own.": {"degree *": "degree.sum() *"},
})  # fmt: skip


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


layer.slips({
    "you normalised over the batch, not over the channels. A node's channels are dimension 1 of (N, C, B), and every "
    "sample is normalised alone.": {"dim=1": "dim=2"},
    "you normalised over all nodes at once. Each node has a norm of its own, or every node would hear of every other "
    "within one layer.": {"dim=1": "dim=(0, 1)"},
    "your std is the biased one. With C channels the sum of squares is divided by C - 1.":
        {"std(": "std(correction=0, "},
    "the 0.1 is missing. It is added to the std, and keeps a node with almost equal channels from being blown up.":
        {" + 0.1": ""},
    "your 0.1 stands under the root, added to the variance. Here it is added to the std.":
        {"z.std(": "z.var(", "+ 0.1)": "+ 0.1).sqrt()"},
    "the norm is missing.": {"z = (z - ": None},
    "the nonlinearity is missing: the channels go through ELU after the norm.": {"F.elu(z)": "z"},
    "your nonlinearity is ReLU. Here it is ELU, which lets negative values through as exp(z) - 1.": {"F.elu": "F.relu"},
    "norm and ELU are in the wrong order: first the norm, then the nonlinearity.":
        {"(W_in @ h)": "F.elu(W_in @ h)", "F.elu(z)": "z"},
    "the residual is missing: add relu(r) h to what the nodes have written.": {" + torch.relu(r) * h": ""},
    "your residual lacks its relu. A negative r has to count as 0.": {"torch.relu(r) * h": "r * h"},
    "you took the relu of r h. Only r goes through it; a message may be negative.":
        {"torch.relu(r) * h": "torch.relu(r * h)"},
    "you took the relu of the whole sum. Only r goes through it: a message may be negative, the old one and the new.":
        {"W_out @ a.flatten(0, 1) + torch.relu(r) * h": "torch.relu(W_out @ a.flatten(0, 1) + r * h)"},
    "your channels are grouped wrongly. Channel (n, c) has number n*C + c, so the view is (N, C, B).":
        {"view(-1, C, h": "view(C, -1, h", "dim=1": "dim=0"},
})  # fmt: skip


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


LOSS = "torch.where(d <= 1, d.square() / 2, d - 0.5)"
huber.slips({
    "this is the squared error everywhere. Beyond a distance of 1 the loss goes on as a straight line.":
        {LOSS: "(d.square() / 2)"},
    "this is the absolute error everywhere. Up to a distance of 1 the loss is d^2 / 2.": {LOSS: "d"},
    "your loss jumps at a distance of 1: d^2 / 2 has reached 1/2 there, so the line is |d| - 1/2.": {"d - 0.5": "d"},
    "the half is missing from the square: d^2 / 2 and |d| - 1/2 have the same value and slope at 1.": {" / 2": ""},
    "you added up over samples and outputs. A loss that is a mean does not grow with the batch.": {".mean()": ".sum()"},
    "no gradient flows through your number: .item(), float(), .detach() and NumPy cut it off from the predictions. "
    "Return a tensor that torch has computed from them.": {".mean()": ".mean().detach()"},
    "a distance has no sign: take the absolute value of prediction - y before you compare it with 1.": {".abs()": ""},
})  # fmt: skip
