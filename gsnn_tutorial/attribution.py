r"""Attribution: the edges and the inputs that a prediction uses.

Similarity of representations says what a node knows; this module says what the prediction uses.
Three ways to ask, each answered for a whole batch:

* *silence* an edge, and see how far the outputs move (``edge_effects``);
* *differentiate* each output by each input (``jacobian``);
* *occlude* an input by its mean, and see how far each output moves (``occlusion``).

The last two give a matrix (outputs, inputs). ``leakage`` and ``coherence`` sum it up by pathways.
A fourth way is to take one node out (``NodeAlone``), and to look at the function that it has learned.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from gsnn_tutorial import validate
from gsnn_tutorial.evaluation import evaluating
from gsnn_tutorial.graph import PathwayGraph
from gsnn_tutorial.gsnn import GSNN

COLUMNS_AT_ONCE = 1024  # of a forward pass with copies of a batch side by side: few enough for the cache


def function_edges(model: GSNN) -> torch.Tensor:
    """Numbers of the function-function edges, self-loops left out, in the order of the graph's edges."""
    source, target = validate.instance("model", model, GSNN).edge_index
    return (model.function_edge_mask & (source != target)).nonzero().flatten()


def edge_norms(model: GSNN) -> np.ndarray:
    """Norm of W_in's row, sqrt(sum_c w_ec^2), for each function-function edge, self-loops left out.

    Its null is not "all alike": initial weights are scaled by degrees, in which true and spurious
    edges differ before any training.
    """
    lin_in = validate.instance("model", model, GSNN).ResBlocks[0].lin_in
    squares = lin_in.values.detach().cpu().square()
    squares = squares.new_zeros(lin_in.N).index_add_(0, lin_in.indices[0].cpu(), squares)
    return squares.sqrt()[function_edges(model).cpu()].numpy()


@torch.no_grad()
def edge_effects(model: GSNN, x: torch.Tensor, *, keep_mean: bool) -> np.ndarray:
    """Mean squared change of the outputs when an edge falls silent, for each function-function edge.

    No node hears the edge's message in any layer; with ``keep_mean`` all hear its mean over the
    batch instead, which takes away what the message tells and leaves what it serves for as a bias.
    Self-loops are left out, as in ``edge_norms``. Null: 0, an edge that tells nothing.
    """
    x, keep_mean = _rows(model, x), validate.flag("keep_mean", keep_mean)
    lin_ins, effects = {block.lin_in for block in model.ResBlocks}, []
    with evaluating(model):
        y = model(x)  # (B, outputs)
        for edges in function_edges(model).split(max(1, COLUMNS_AT_ONCE // len(x))):
            silence = partial(_silence, edges, keep_mean)
            hooks = [lin_in.register_forward_pre_hook(silence) for lin_in in lin_ins]
            try:
                moved = model(x.repeat(len(edges), 1)).view(len(edges), *y.shape)
            finally:
                for hook in hooks:
                    hook.remove()
            effects += [(one - y).square().mean().item() for one in moved]
    return np.array(effects)


def _silence(edges: torch.Tensor, keep_mean: bool, module, inputs) -> tuple[torch.Tensor]:
    """The columns of h are as many copies of the batch as there are edges; copy k hears nothing of edge k."""
    copies = inputs[0].unflatten(1, (len(edges), -1)).clone()  # (E, edges, B)
    k = torch.arange(len(edges), device=edges.device)
    copies[edges, k] = copies[edges, k].mean(1, keepdim=True) if keep_mean else 0.0
    return (copies.flatten(1),)


class NodeAlone:
    """One function node of a model, taken out: the function that it has learned.

    Called with the messages that it hears, it returns those that it sends in one layer. The residual is left out,
    since it is the edge that remembers and not the node.

    Arguments
        model: a GSNN; it is read when the node is called, so more training changes the answer.
        node: the name of a function node.
        layer: 1 to L. Maps are shared by all layers unless the model says otherwise; norms are not.

    ``hears`` and ``tells`` are the names of the nodes at the other end of its in-edges and its out-edges, in the
    order of the columns. A self-loop is in both. Other nodes' names are never needed: nothing else reaches a node.

    Raises ValueError for a node or layer that the model does not have, and for messages of another shape.

    Shapes
        messages (B, in-edges) -> (B, out-edges).
    """

    def __init__(self, model: GSNN, node: str, layer: int = 1):
        names = validate.instance("model", model, GSNN).node_names_dict
        number = names["function"].index(validate.choice("node", node, tuple(names["function"])))
        self.model, self.node, self.layer = model, node, validate.integer("layer", layer, 1)
        if self.layer > model.layers:
            raise ValueError(f"layer must be at most {model.layers}, the model's layers, got {layer}")
        everyone = [*names["function"], *names["input"], *names["output"]]
        source, target = model.edge_index
        self._in, self._out = ((end == number).nonzero().flatten() for end in (target, source))
        self.hears = [everyone[n] for n in source[self._in].tolist()]
        self.tells = [everyone[n] for n in target[self._out].tolist()]

    @torch.no_grad()
    def __call__(self, messages) -> torch.Tensor:
        like, block = next(self.model.parameters()), self.model.ResBlocks[self.layer - 1]
        given = validate.matrix("messages", messages, columns=len(self.hears), names=self.hears, like=like)
        given = validate.filled("messages", given)
        h = given.new_zeros(self.model.E, len(given))  # (E, B)
        h[self._in] = given.t()
        with evaluating(self.model):
            a = block.node(block.lin_in(h))  # (N, C, B)
            return block.lin_out(a.reshape(-1, len(given)))[self._out].t()


def auc(score, is_true) -> float:
    """The chance that a true one, picked at random, scores higher than one that is not; ties count half.

    0.5 is what scores give that know nothing. NaN if all are true, or none is.
    """
    checked = validate.tensor("score", score, "one score for each thing", 1).detach().cpu()
    score = np.asarray(score if isinstance(score, (list, tuple)) else checked, dtype=float)  # all digits of a list's
    validate.finite("score", torch.from_numpy(score))
    is_true = validate.mask("is_true", is_true, len(score), "scores")
    return float(roc_auc_score(is_true, score)) if 0 < is_true.sum() < len(is_true) else np.nan


def jacobian(model: GSNN, x: torch.Tensor) -> torch.Tensor:
    """d y_o / d x_i in every sample, (B, outputs, inputs), in evaluation mode.

    In that mode no sample depends on another, so one backward pass from the sum over samples serves them all.
    """
    x = _rows(model, x).detach().clone().requires_grad_()
    with evaluating(model), torch.enable_grad():
        y = model(x)
        rows = [torch.autograd.grad(column.sum(), x, retain_graph=True)[0] for column in y.unbind(1)]
    return torch.stack(rows, dim=1)


@torch.no_grad()
def occlusion(model: GSNN, x: torch.Tensor) -> torch.Tensor:
    """Mean squared change of output o when input i is replaced by its mean over the batch, (outputs, inputs)."""
    x = _rows(model, x)
    mean, moved = x.mean(0), []
    with evaluating(model):
        y = model(x)  # (B, outputs)
        for inputs in torch.arange(x.shape[1], device=x.device).split(max(1, COLUMNS_AT_ONCE // len(x))):
            copies = x.repeat(len(inputs), 1, 1)  # copy k has only the mean of input k
            copies[torch.arange(len(inputs)), :, inputs] = mean[inputs, None]
            moved.append(model(copies.flatten(0, 1)).view(len(inputs), *y.shape) - y)
    return torch.cat(moved).square().mean(1).T


def leakage(model: GSNN, x: torch.Tensor, graph: PathwayGraph) -> float:
    r"""Share of the input-output Jacobian that crosses pathways, in squared entries, averaged over samples.

    .. math:: \frac{1}{B} \sum_b \frac{\sum_{(o, i): p(o) \ne p(i)} J_{boi}^2}{\lVert J_b \rVert_F^2}

    Every sample counts the same: derivatives behind a norm are heavy-tailed, and a few samples would
    decide over a sum of squares. A sample with J = 0 has no share and is left out; NaN if all are.

    Null: what the graph lets through before any training, which may be nearly all. 0 is right only
    where pathways are separate: with real cross-talk a part of what crosses *should* cross.
    """
    own = _own_pathway(model, graph)
    squares = jacobian(model, x).double().square().cpu().numpy()  # (B, outputs, inputs)
    return _mean_share(squares[:, ~own].sum(1), squares.sum((1, 2)))


def coherence(model: GSNN, x: torch.Tensor, graph: PathwayGraph) -> float:
    """Share of an output's ``occlusion`` by inputs of its own pathway, averaged over outputs.

    Null: what the graph lets through before any training; 1 / P if every input moved every output alike.
    Real cross-talk makes less than 1 right. An output that no input moves has no share and is left out;
    NaN if none moves.
    """
    own = _own_pathway(model, graph)
    A = occlusion(model, x).double().cpu().numpy()  # (outputs, inputs)
    return _mean_share((A * own).sum(1), A.sum(1))


def _own_pathway(model: GSNN, graph: PathwayGraph) -> np.ndarray:
    """True for each output o and input i that are of one pathway, (outputs, inputs)."""
    validate.instance("model", model, GSNN)
    known = validate.instance("graph", graph, PathwayGraph, ", of which the true pathway of each node is known")
    if known.names != model.node_names_dict:
        raise ValueError("graph must have the model's nodes, in the model's order; it has others")
    outputs, inputs = (np.array([node.pathway for node in graph.nodes if node.type == t]) for t in ("output", "input"))
    return outputs[:, None] == inputs


def _rows(model: GSNN, x) -> torch.Tensor:
    """x as the model reads it, (B, inputs)."""
    names = validate.instance("model", model, GSNN).node_names_dict["input"]
    like = next(model.parameters())
    return validate.filled("x", validate.matrix("x", x, columns=len(names), names=names, like=like))


def _mean_share(parts: np.ndarray, wholes: np.ndarray) -> float:
    """Mean of parts / wholes, where there is a whole; NaN if there is none."""
    some = wholes > 0
    return float((parts[some] / wholes[some]).mean()) if some.any() else np.nan
