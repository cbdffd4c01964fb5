"""Check of lesson 05: random blocks, drawn once, each marked once."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import is_tensor, on_error, tensor_of
from longctx_edu.checks.patterns_05 import band_of
from longctx_edu.checks.report import check, require

__all__ = ["check_random_layout"]

KIND = "random numbers come from torch.rand(..., generator=generator)"


@check("Near blocks, and so many others a row: seeded, each marked once.")
def check_random_layout(random_layout: Callable):
    """Eight blocks with two drawn each; then the seed, the spread, and full rows."""
    near = band_of(8, 1, 1)
    got = layout_asked(random_layout, near, 2, 0)
    shown = {"near": near, "n_random": 2}
    require(
        bool((got | ~near).all()),
        "what is near stays",
        given=shown,
        came=got,
        expected="all squares of near, and two more a row",
        hint="join the drawn blocks with near: near | drawn",
    )
    more = got.sum(dim=1) - near.sum(dim=1)
    require(
        bool((more == 2).all()),
        "each row has two blocks beside the near ones",
        given=shown,
        came=got,
        expected="two more squares in each row",
        hint=too_few_or_many(more),
    )
    same_seed(random_layout, near, got)
    layouts = torch.stack([layout_asked(random_layout, near, 2, s) for s in range(40)])
    column = (torch.arange(8) == 0).repeat(8, 1)
    spread(layouts, near, layout_asked(random_layout, column, 3, 1))
    nearly_full(random_layout, near)


def same_seed(random_layout: Callable, near: Tensor, got: Tensor) -> None:
    """Ask once more with the seed of `got`."""
    state = torch.get_rng_state()
    again = layout_asked(random_layout, near, 2, 0)
    moved = not torch.equal(state, torch.get_rng_state())
    require(
        torch.equal(got, again) and not moved,
        "the same seed gives the same graph",
        given={"near": near, "n_random": 2, "generator": "seed 0, twice"},
        came="another layout"
        if not torch.equal(got, again)
        else "the same, but torch's own generator was moved",
        expected="the same layout, drawn from `generator` alone",
        hint="hand `generator` to everything random: generator=generator; without it, "
        "or with manual_seed inside, the caller's seed means nothing",
    )


def nearly_full(random_layout: Callable, near: Tensor) -> None:
    """Ask for more blocks than some rows have left."""
    full = near.clone()
    full[0], full[3, :7] = True, True
    left_over = "fewer than n_random blocks may be left: min(n_random, left over)"
    got = layout_asked(random_layout, full, 2, 0, hint=left_over)
    require(
        bool((got | ~full).all()) and bool(got[3].all()),
        "a row that is nearly full takes what is left",
        given={"near": full, "n_random": 2},
        came=got,
        expected="row 0 stays as it is, row 3 gets its last block",
        hint=left_over,
    )


def spread(layouts: Tensor, near: Tensor, alike: Tensor) -> None:
    """Refuse a draw that does not depend on the seed, on the row, or on the block."""
    drawn = layouts & ~near
    require(
        len({tuple(layout.flatten().tolist()) for layout in layouts}) > 20,
        "another seed gives another graph",
        came="40 seeds, hardly two layouts that differ",
        expected="another one for nearly each seed",
        hint="draw from the generator that is given; do not seed one inside",
    )
    require(
        bool((alike[:1] != alike).any()),
        "each row draws its own blocks",
        given={"near": "the first block alone, for every row"},
        came=alike,
        expected="rows that differ",
        hint="one draw for all rows: draw for each row, or a whole square of numbers",
    )
    require(
        bool((drawn.any(dim=0) | near).all()),
        "every block can be drawn",
        came=drawn.any(dim=0) | near,
        expected="after 40 seeds, every square was dark once",
        hint="some blocks are never drawn: draw from all that are not near, before "
        "and after the row",
    )


def too_few_or_many(more: Tensor) -> str:
    """Say why a row has another number of drawn blocks."""
    if (more > 2).any() and len(more.unique()) > 1:
        return (
            "chance decides how many there are: take the n_random highest lots of "
            "each row, near blocks left out"
        )
    if (more > 2).any():
        return "n_random is the number for each row, near blocks not counted"
    if (more == 0).all():
        return "nothing was drawn beside the near blocks"
    return (
        "a block was drawn twice, or one that is near: give near blocks the lowest "
        "lots, and take n_random different ones, as topk or randperm does"
    )


def layout_asked(
    answer: Callable, near: Tensor, n_random: int, seed: int, hint: str = KIND
) -> Tensor:
    """Ask for a layout from one seed."""
    given = near.clone()
    with on_error(hint):
        got = answer(given, n_random, torch.Generator().manual_seed(seed))
    is_tensor(got)
    require(
        torch.equal(given, near) and got is not given,
        "the input stays as it is",
        came=given,
        expected=near,
        hint="write into a copy: near.clone()",
    )
    return tensor_of(got, tuple(near.shape), "block block", dtype=torch.bool)
