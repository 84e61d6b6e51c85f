"""The space of recurrent cells of ENAS and DARTS."""

from __future__ import annotations

from typing import ClassVar

from awnas_core.options import Fraction, PositiveInt
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.genotype import CellGenotype

RNN_PRIMITIVES = ("tanh", "relu", "sigmoid", "identity")
CELL = "cell"
IN_THE_LITERATURE = "recurrent"


class RnnGenotype(CellGenotype):
    """A recurrent cell: ``RNNGenotype(cell=(('tanh', 0, 1), …), cell_concat=(1, 2, …))``."""

    title: ClassVar[str] = "RNNGenotype"

    def darts_text(self) -> str:
        """Return ``Genotype(recurrent=[(op, from), …], concat=[…])``, as the DARTS literature writes it."""
        (cell,) = self.cells
        connections = [(op, source) for op, source, _ in cell.connections]
        return f"Genotype({IN_THE_LITERATURE}={connections}, concat={list(cell.concat)})"


class RnnSpace(CnnSpace):
    """Cells whose node 0 joins input and last hidden state, and whose inner nodes each apply an activation to another.

    The mean of the inner nodes, or of those that no other inner node uses, is the next hidden state. With one input
    for each of eight nodes there are 8!·4⁸ = 2.64·10⁹ cells.

    Args:
        num_layers: Cells stacked in the network, all of one architecture.
        num_steps: Inner nodes.
        num_node_inputs: Inputs of an inner node, which are summed up.
        loose_end: The hidden state is the mean of the inner nodes that no other inner node uses, as in ENAS.
        shared_primitives: Activations to choose from: tanh, relu, sigmoid, identity, none.
        derive_without_none_op: A relaxed architecture never becomes one with the operation ``none``, as in DARTS.
        node_mutate_prob: Probability that a mutation changes where an input comes from, rather than its activation.

    Source: Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018, section 2.1; Liu et
    al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.1 and appendix A.
    """

    genotype_class = RnnGenotype

    def __init__(
        self,
        *,
        num_layers: PositiveInt = 1,
        num_steps: PositiveInt = 8,
        num_node_inputs: PositiveInt = 1,
        loose_end: bool = False,
        shared_primitives: tuple[str, ...] = RNN_PRIMITIVES,
        derive_without_none_op: bool = False,
        node_mutate_prob: Fraction = 0.5,
    ) -> None:
        super().__init__(
            num_cell_groups=1,
            num_init_nodes=1,
            num_layers=num_layers,
            cell_layout=(0,) * num_layers,
            reduce_cell_groups=(),
            num_steps=num_steps,
            num_node_inputs=num_node_inputs,
            concat_op="mean",
            loose_end=loose_end,
            shared_primitives=shared_primitives,
            derive_without_none_op=derive_without_none_op,
            node_mutate_prob=node_mutate_prob,
        )

    @property
    def group_names(self) -> tuple[str, ...]:
        """The one group."""
        return (CELL,)

    def _group_called(self, name: str) -> int:
        return super()._group_called(CELL if name == IN_THE_LITERATURE else name)
