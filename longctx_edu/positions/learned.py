"""Learned positions: a table with one trained row a place, and how to lengthen it."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from longctx_edu.positions.inputs import check_count


def learned_positions(
    table: Float[Tensor, "position d_model"], positions: Int[Tensor, "*batch token"]
) -> Float[Tensor, "*batch token d_model"]:
    """Read the row of each token's place, to be added to its vector.

    Args:
        table: One row a place.
        positions: Place of each token, in tokens; the first is 0.

    Raises:
        ValueError: If a place has no row.

    Example:
        >>> table = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
        >>> learned_positions(table, torch.tensor([2, 0])).tolist()
        [[4.0, 5.0], [0.0, 1.0]]

    Source: BERT (Devlin et al. 2019), section 3. Built in lesson 06.
    """
    if positions.numel() == 0:
        return table.new_zeros(*positions.shape, table.shape[1])
    lowest, highest = positions.aminmax()
    if lowest < 0 or highest >= len(table):
        raise ValueError(
            f"need positions from 0 to {len(table) - 1}, the rows of the table, got "
            f"{lowest} to {highest}: cut the text, or use extend_table"
        )
    return F.embedding(positions, table)


def extend_table(
    table: Float[Tensor, "old d_model"], max_tokens: int, *, first: int = 0
) -> Float[Tensor, "new d_model"]:
    """Lengthen a table by copying its rows over and over, so that none is untrained.

    Near tokens keep the distance that they had in training; only where one copy ends
    and the next begins do two neighbours look far apart. A table that is long enough
    comes back as it is.

    Args:
        table: Rows to skip, then one row a place.
        max_tokens: Longest text afterwards, in tokens.
        first: Rows before the one of place 0, which are kept once; RoBERTa has 2.

    Raises:
        ValueError: If a number is no number of tokens, or no row has a place.

    Example:
        >>> table = torch.tensor([[9], [1], [2]]).float()
        >>> extend_table(table, 5, first=1).flatten().int().tolist()
        [9, 1, 2, 1, 2, 1]

    Source: Longformer (Beltagy et al. 2020), section 5. Built in lesson 06.
    """
    check_count("max_tokens", max_tokens)
    if type(first) is not int or not 0 <= first < len(table):
        raise ValueError(
            f"need first from 0 to below the {len(table)} rows of the table, "
            f"got {first}"
        )
    have = len(table) - first
    if have >= max_tokens:
        return table
    copied = torch.arange(max_tokens, device=table.device) % have
    return torch.cat([table[:first], table[first + copied]])
