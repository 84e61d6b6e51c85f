"""The space of the ENAS paper at its size."""

from __future__ import annotations

from awnas_core.options import Fraction, PositiveInt
from awnas_spaces.cnn import CnnSpace, ConcatOp

ENAS_PRIMITIVES = ("sep_conv_3x3", "sep_conv_5x5", "max_pool_3x3", "avg_pool_3x3", "skip_connect")


class EnasSpace(CnnSpace):
    """Normal and reduction cells of five inner nodes with two inputs each; loose ends make up the output.

    Holds 5.06·10¹² cells, as ordered encodings (2.56·10²⁵ pairs of them).

    The number of loose ends, and with it the number of channels, differs from architecture to architecture. Networks
    of one architecture take that as it is; a supernet, whose channels are fixed, needs an element-wise ``concat_op``
    (``mean`` or ``sum``), and says so when it gets ``concat``.

    Args:
        num_layers: Cells in the network; those at one and two thirds are reduction cells.
        concat_op: How loose ends make up the output: concat, sum, mean or mul.
        shared_primitives: Operations to choose from.
        node_mutate_prob: Probability that a mutation changes where an input comes from, rather than its operation.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.4; sampled
    for statistics by Radosavovic et al., "On Network Design Spaces for Visual Recognition", ICCV 2019.
    """

    def __init__(
        self,
        *,
        num_layers: PositiveInt = 20,
        concat_op: ConcatOp = "concat",
        shared_primitives: tuple[str, ...] = ENAS_PRIMITIVES,
        node_mutate_prob: Fraction = 0.5,
    ) -> None:
        super().__init__(
            num_layers=num_layers,
            num_steps=5,
            concat_op=concat_op,
            loose_end=True,
            shared_primitives=shared_primitives,
            node_mutate_prob=node_mutate_prob,
        )
