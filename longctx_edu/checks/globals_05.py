"""Check of lesson 05: global tokens in one softmax with the window, counted once."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.band_05 import attention_asked, linear, text
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import slow_attention
from longctx_edu.checks.patterns_05 import band_of
from longctx_edu.checks.report import check

__all__ = ["check_window_and_globals"]

PARTS = (
    "a row may see no global key beyond its window, and there may be no global token: "
    "an empty part takes nothing, and is not nan"
)


@check("One softmax over near and global keys, and each key counts once.")
def check_window_and_globals(window_and_globals: Callable):
    """Ten tokens with the first and the sixth global; other sets; room and work."""
    q, k, v = text(10)
    places = torch.tensor([0, 5])
    near, here = band_of(10, 1, 1), torch.zeros(10).bool()
    here[places] = True
    columns = here.expand(10, 10)

    def under(mask: Tensor, rows: bool = True) -> Tensor:
        out = slow_attention(q, k, v, mask)
        return torch.where(here[:, None] & rows, slow_attention(q, k, v), out)

    apart = [slow_attention(q, k, v, mask) for mask in (near, columns)]
    beyond = slow_attention(q, k, v, columns & ~near)
    full = slow_attention(q, k, v)[places]
    agree(
        "the window, the global keys, and rows of global tokens that see all",
        attention_asked(window_and_globals, q, k, v, 1, 1, 4, places),
        under(near | columns),
        given={"q, k, v": "10 tokens", "left": 1, "right": 1, "places": places},
        hint="near keys and global keys beyond them in one softmax, then the rows",
        mistakes=[
            (twice(q, k, v, near, places, full), "a global key within the window is "
             "counted twice: leave it out in one of the two"),
            (twice(q, k, v, near, places, None), "a global key within the window is "
             "counted twice, and the global tokens' own rows are missing"),
            *((put(x, places, full), "two softmaxes were added or averaged: there is "
               "one softmax over near and global keys together")
              for x in (sum(apart) / 2, sum(apart), (apart[0] + beyond) / 2,
                        apart[0] + beyond)),
            (under(near | columns, False), "a global token also sees all: its row is "
             "missing"),
            (under(near), "the other tokens do not see the global ones: the columns "
             "are missing"),
            (under(near, False), "this is the window alone"),
            (under(columns), "the window is lost: only global keys are seen"),
            (under((near & ~columns) | (columns & ~near)), "a global key within the "
             "window is counted nowhere: leave it out once, not twice"),
            (under(near & ~columns), "the global keys are counted nowhere"),
            (slow_attention(q, k, v), "nothing is hidden: this is full attention"),
            (under(band_of(10, 2, 2) | columns), "twice as wide: left and right are "
             "one side each"),
        ],
    )  # fmt: skip
    other_globals(window_and_globals)
    linear(window_and_globals, 8, 8, 16, torch.tensor([0, 320]))


def other_globals(window_and_globals: Callable) -> None:
    """No global token, one at the end, neighbours, a window as long as the text."""
    cases = (
        (7, 2, 1, 3, []), (7, 1, 0, 3, [6]), (9, 1, 2, 4, [3, 4]), (6, 9, 9, 4, [1]),
        (5, 0, 0, 2, [0, 1, 2, 3, 4]), (1, 1, 1, 2, [0]), (12, 1, 1, 4, [0, 11]),
    )  # fmt: skip
    for n, left, right, size, chosen in cases:
        q, k, v = text(n)
        places = torch.tensor(chosen, dtype=torch.long)
        here = torch.zeros(n).bool()
        here[places] = True
        agree(
            "any places, also none",
            attention_asked(
                window_and_globals, q, k, v, left, right, size, places, hint=PARTS
            ),
            slow_attention(q, k, v, band_of(n, left, right) | here[:, None] | here),
            given={"tokens": n, "left": left, "right": right, "places": chosen},
            hint=PARTS,
        )


def twice(
    q: Tensor, k: Tensor, v: Tensor, near: Tensor, places: Tensor, full: Tensor | None
) -> Tensor:
    """Attend with the global keys beside all near ones, without leaving any out."""
    everybody = torch.ones(len(q), len(places)).bool()
    keys, values = (torch.cat([x, x[places]]) for x in (k, v))
    out = slow_attention(q, keys, values, torch.cat([near, everybody], dim=1))
    return out if full is None else put(out, places, full)


def put(out: Tensor, places: Tensor, rows: Tensor) -> Tensor:
    """Replace some rows."""
    return out.index_copy(0, places, rows)
