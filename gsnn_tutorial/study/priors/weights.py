r"""Regularizers that read weights, not activations: the pathways once more, used in other ways.

An edge has a row of W_in, C numbers by which it enters the channels of a node, and a column of W_out, C numbers by
which it leaves the channels of another.

.. math::
    L_{edge} &= \lambda_{edge} \sum_{e} \lVert W_{in}[e, :] \rVert + \lVert W_{out}[:, e] \rVert
                && \text{over chosen edges: a group lasso} \\
    L_w &= \frac{\lambda_w}{|\{(p, e)\}|} \sum_p \sum_{e \in E_p} \lVert w_e - \bar w_p \rVert^2
                && E_p \text{: the edges with both ends in pathway } p

No batch is needed, and nothing is left to do at inference. But a weight is the same in every sample: it cannot
express that nodes act together in some samples and not in others.
"""

from __future__ import annotations

from collections.abc import Sequence

import scipy.sparse
import torch

from gsnn_tutorial import validate
from gsnn_tutorial.gsnn import GSNN
from gsnn_tutorial.training import Regularizer
from gsnn_tutorial.validate import arrays

TIES = ("weights", "norms")


class WeightRegularizer(Regularizer):
    """A sum over terms t: coefficient_t cost(w_t), w_t the row of W_in, and the column of W_out, of term t's edge.

    Arguments
        model: the GSNN whose edges are meant; each ``loss`` reads its present weights.
        edge, group, coefficient: (T,) each term's edge, the group in which it is compared, and its share.

    Layers that do not share their weights add up.
    """

    def __init__(self, model: GSNN, edge: torch.Tensor, group: torch.Tensor, coefficient: Sequence[float]):
        super().__init__()
        block, C = model.ResBlocks[0], model.channels
        self.register_buffer("edge_index", model.edge_index.clone(), persistent=False)
        self.register_buffer("edge", edge, persistent=False)
        self.register_buffer("group", group, persistent=False)
        coefficient = torch.as_tensor(coefficient, dtype=block.lin_in.values.dtype)
        self.register_buffer("coefficient", coefficient, persistent=False)
        self.register_buffer("in_row", _weights_of(edge, block.lin_in.indices[0].cpu(), C), persistent=False)
        self.register_buffer("out_column", _weights_of(edge, block.lin_out.indices[1].cpu(), C), persistent=False)
        self.to(next(model.parameters()))

    @property
    def scale(self) -> float:
        """The factor of every term."""
        return self.strength

    def cost(self, w: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
        """The terms' costs: their edges' weights (T, C), and the groups in which they are compared -> (T,)."""
        raise NotImplementedError

    def loss(self, model: GSNN) -> tuple[torch.Tensor, torch.Tensor]:
        """``(loss, 0)`` of the model's present weights, times lambda and ``strength``.

        Raises ValueError for a model with other edges.
        """
        if not torch.equal(model.edge_index, self.edge_index):
            raise ValueError("model must have the edges of the model that this regularizer was made for")
        cost = 0.0
        for block in {id(block.lin_in): block for block in model.ResBlocks}.values():  # one where layers share weights
            for w in block.lin_in.values[self.in_row], block.lin_out.values[self.out_column]:  # (T, C)
                cost = cost + self.cost(w, self.group)  # (T,)
        total = self._sum(self.coefficient * self.scale * cost)
        return total, torch.zeros_like(total)

    def _sum(self, terms: torch.Tensor) -> torch.Tensor:
        return terms.sum()


class EdgePenalty(WeightRegularizer):
    """Group lasso: lambda_edge times the sum over chosen edges of ||W_in[e, :]|| + ||W_out[:, e]||.

    It pulls an edge's weights to 0 together. At 0 the gradient is 0.

    Arguments
        model: the GSNN.
        edges: which edges, True or False: (E,) for all of ``model.edge_index``, or for its
            function-function edges without self-loops, as ``edges_outside`` and ``function_edge_is_true`` have them.
        lambda_edge: the weight of the penalty.

    Raises ValueError if no edge is chosen, or one that enters or leaves the network.
    """

    def __init__(self, model: GSNN, edges, lambda_edge: float):
        source, target = validate.instance("model", model, GSNN).edge_index.cpu()
        between = model.function_edge_mask.cpu()
        functions = (between & (source != target)).nonzero().flatten()
        chosen = arrays.numbers("edges", edges, "a mask, True or False for each edge", boolean=True).cpu()
        if chosen.dtype != torch.bool or chosen.dim() != 1 or len(chosen) not in (model.E, len(functions)):
            raise ValueError(
                f"edges must say True or False of each of {model.E} edges, or of each of {len(functions)} "
                f"function-function edges; got {chosen.dtype} of shape {tuple(chosen.shape)}"
            )
        edge = chosen.nonzero().flatten() if len(chosen) == model.E else functions[chosen]
        if not len(edge) or not between[edge].all():
            raise ValueError(
                f"edges must choose at least one edge, and only between function nodes; got {len(edge)} edges, "
                f"{int((~between[edge]).sum())} of them to or from elsewhere"
            )
        super().__init__(model, edge, torch.zeros_like(edge), [1.0] * len(edge))
        self.lambda_edge = validate.number("lambda_edge", lambda_edge, 0)

    @property
    def scale(self) -> float:
        return self.strength * self.lambda_edge

    def cost(self, w: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
        return torch.linalg.vector_norm(w, dim=1)


class WeightTyingRegularizer(WeightRegularizer):
    """Ties the weights of a pathway's edges softly to their mean: lambda_weight times L_w.

    Arguments
        model: the GSNN.
        pathway_membership: (P, N), dense or sparse; a node is a member where its weight is not 0.
        lambda_weight: the weight of the loss.
        tie: 'weights' compares the C numbers one by one; 'norms' compares their norms only.

    *Caveat.* Channels are exchangeable: channel c of one node has nothing to do with channel c of
    another, so 'weights' asks for more than that edges behave alike; it ties the nodes' bases too.
    'norms' asks only that the edges of a pathway be equally strong.

    Self-loops are left out: they would be in every pathway that holds their node.

    Raises ValueError if no pathway holds both ends of an edge.
    """

    def __init__(self, model: GSNN, pathway_membership, lambda_weight: float, tie: str = "weights"):
        names = validate.instance("model", model, GSNN).node_names_dict["function"]
        M = validate.membership(pathway_membership, model.N, signed=True, names=names)
        shared = _shared_pathways(model.edge_index, M)
        edge, pathway = (torch.from_numpy(index).long() for index in shared.nonzero())
        if not len(edge):
            raise ValueError("pathway_membership must have a pathway that holds both ends of an edge, got none")
        super().__init__(model, edge, pathway, [1 / len(edge)] * len(edge))
        self.lambda_weight = validate.number("lambda_weight", lambda_weight, 0)
        self.tie = validate.choice("tie", tie, TIES)

    @property
    def scale(self) -> float:
        return self.strength * self.lambda_weight

    def cost(self, w: torch.Tensor, group: torch.Tensor) -> torch.Tensor:
        if self.tie == "norms":
            w = torch.linalg.vector_norm(w, dim=1, keepdim=True)
        size = torch.bincount(group)
        mean = w.new_zeros(len(size), w.shape[1]).index_add(0, group, w) / size.clamp_min(1)[:, None]  # (P, C)
        return (w - mean[group]).square().sum(1)


class RegularizerSum(Regularizer):
    """Several regularizers of one model side by side: their losses are added, and ``strength`` multiplies the sum."""

    def __init__(self, parts: Sequence[Regularizer]):
        super().__init__()
        parts = validate.ordered("parts", parts)
        if not parts:
            raise ValueError("parts must hold at least one regularizer, got none")
        for part in parts:
            validate.instance("every one of parts", part, Regularizer)
        self.parts = torch.nn.ModuleList(parts)
        self.smallest_batch = max(part.smallest_batch for part in parts)

    def loss(self, model: GSNN) -> tuple[torch.Tensor, torch.Tensor]:
        """The sums of the parts' first and second losses."""
        first, second = zip(*(part.loss(model) for part in self.parts))
        return self.strength * sum(first), self.strength * sum(second)


def edges_outside(edges: GSNN | torch.Tensor, membership) -> torch.Tensor:
    """True for the function-function edges that join two nodes without a common pathway, (E,); not for self-loops.

    Arguments
        edges: a GSNN, all of whose edges are meant, or (2, E) indices, numbers from N on being no function nodes.
        membership: (P, N), dense or sparse; a node is a member where its weight is not 0.
    """
    if isinstance(edges, GSNN):
        edge_index, names = edges.edge_index.cpu(), edges.node_names_dict["function"]
        M = validate.membership(membership, edges.N, signed=True, names=names)
    else:
        edge_index = validate.index_pairs("edges (unless a GSNN)", edges)
        M = validate.membership(membership, None, signed=True)
    source, target = edge_index
    between_functions = (source < M.shape[1]) & (target < M.shape[1])
    shared = torch.from_numpy(_shared_pathways(edge_index, M).sum(1) > 0)
    return between_functions & (source != target) & ~shared


def _shared_pathways(edge_index: torch.Tensor, M: torch.Tensor) -> scipy.sparse.csr_array:
    """(E, P): for each edge, the pathways that hold both of its ends; none for self-loops and other edges.

    No step of it is dense: its size is that of the edges' memberships.
    """
    P, N = M.shape
    pathway, node = M.indices().numpy()
    of_node = scipy.sparse.csr_array(([True] * len(node), (node, pathway)), shape=(N + 1, P))  # row N: no function node
    source, target = edge_index.cpu().clamp(max=N).numpy()
    target[source == target] = N
    return (of_node[source] * of_node[target]).tocsr()


def _weights_of(edges: torch.Tensor, edge_of_weight: torch.Tensor, channels: int) -> torch.Tensor:
    """The places of each edge's C weights in a map's values, in the order of their channels: (T, C)."""
    order = torch.argsort(edge_of_weight, stable=True)
    first = torch.searchsorted(edge_of_weight[order], edges)
    return order[first[:, None] + torch.arange(channels)]
