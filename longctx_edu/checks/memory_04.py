"""Check of lesson 04: what one segment leaves for the next."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, is_tensor, on_error
from longctx_edu.checks.compare import Mistake, agree
from longctx_edu.checks.report import check, require

__all__ = ["check_next_memory"]

ORDER = "the memory is older: torch.cat([memory, x])"
TWICE = "the next segment reads the last `again` tokens itself: it would see them twice"
EMPTY = "x[-0:] is everything and x[:-0] nothing: count from the front instead"


def tokens(*places: int) -> Tensor:
    """Make a row for each token, its place in it twice."""
    return torch.tensor(places, dtype=torch.float32)[:, None].expand(-1, 2).clone()


# memory, segment, length, again, what is left, property, hint, misconceptions
STEPS: tuple[tuple[list, int, int, list, str, str, list], ...] = (
    (
        [(1, 2), (3, 4, 5)], 4, 0, [2, 3, 4, 5],
        "the last four of all that was read",
        "torch.cat([memory, x]), then its last `length` rows",
        [
            ([4, 5, 1, 2], ORDER),
            ([1, 2, 3, 4], "the last rows, not the first: what was read latest"),
            ([3, 4, 5], "the old memory is lost: a memory may be longer than a "
             "segment"),
            ([1, 2], "nothing was taken up: all rows of x join, and x[:-0] is none"),
            ([1, 2, 3, 4, 5], "it grows without end: the last `length` rows alone"),
            ([], EMPTY),
        ],
    ),
    (
        [(), (5, 6)], 3, 0, [5, 6],
        "at the start there is less than `length`",
        "slices take what is there: no filling up",
        [([0, 5, 6], "no filling up: a row of zeros would be looked at"), ([], EMPTY)],
    ),
    (
        [(1, 2), (3, 4)], 0, 0, [],
        "a memory of length 0 keeps nothing",
        EMPTY,
        [([1, 2, 3, 4], EMPTY)],
    ),
    (
        [(1, 2, 3), (4, 5, 6)], 4, 2, [1, 2, 3, 4],
        "the last two come again, so they are left out, and older ones stay",
        "leave out the last `again` rows first, then take the last `length`",
        [
            ([3, 4, 5, 6], TWICE),
            ([3, 4], "leave out first, then take `length` rows: two more have room"),
        ],
    ),
    (
        [(), (4, 5, 6)], 4, 1, [4, 5],
        "with no memory yet, the last row is left out all the same",
        "stop = len(memory) + len(x) - again: both lengths, each in its place",
        [([4, 5, 6], "len(memory) and len(x) changed places: the last `again` rows "
          "belong to x")],
    ),
    (
        [(1, 2, 3), (4,)], 9, 1, [1, 2, 3],
        "a segment that comes again as a whole adds nothing",
        "stop = len(memory) + len(x) - again",
        [],
    ),
)  # fmt: skip


@check("The latest tokens, in their order, none twice, and no gradient into the past.")
def check_next_memory(next_memory: Callable):
    """Six tokens by hand, the start, no memory, tokens that come again; gradients."""
    for (old, new), length, again, left, prop, hint, mistakes in STEPS:
        given = {"memory": str(list(old)), "x": str(list(new)), "length": length}
        given |= {"again": again} if again else {}
        near: list[Mistake] = [(tokens(*rows), words) for rows, words in mistakes]
        came = memory_from(next_memory, tokens(*old), tokens(*new), length, again)
        agree(prop, came, tokens(*left), given=given, hint=hint, mistakes=near)
    x = tokens(3, 4).requires_grad_()
    for length in (3, 4):
        came = next_memory(tokens(1, 2), x, length)
        require(
            not came.requires_grad,
            "the memory carries numbers, and no way back to the segment before",
            given={"x": "rows that a gradient may reach", "length": length},
            came="requires_grad is True",
            expected="False",
            hint="detach(): without it, training would go back through all segments",
        )


def memory_from(
    next_memory: Callable, memory: Tensor, x: Tensor, length: int, again: int
) -> Tensor:
    """Ask for the next memory, and take the answer for rows of two numbers."""
    named = {"again": again} if again else {}
    with on_error("memory and x have a row for each token: join them along dim=0"):
        came = ask(next_memory, memory, x, length, **named)
    is_tensor(came)
    require(
        came.ndim == 2 and came.shape[1] == 2,
        "the memory has the axes token, number",
        came=f"shape {tuple(came.shape)}",
        expected="shape (tokens, 2)",
        hint="rows are tokens: join and cut along dim=0",
    )
    return came
