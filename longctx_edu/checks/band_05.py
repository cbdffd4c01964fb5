"""Check of lesson 05: window attention that is exact, and linear in the text."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from longctx_edu.checks.ask import ask, on_error, shape_of, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.largest import largest_tensor
from longctx_edu.checks.oracles import drawn, slow_attention
from longctx_edu.checks.patterns_05 import band_of
from longctx_edu.checks.plain import on_kind
from longctx_edu.checks.report import check, require

__all__ = ["check_window_in_blocks"]

CLIP = (
    "clip the keys to the text, max(first - left, 0) and min(stop + right, n): a "
    "negative start counts from the end; the last block may be shorter than size"
)
SIZES = (
    "clip the keys to the text, max(first - left, 0) and min(stop + right, n): at both "
    "ends a block reads fewer keys, and its mask is as much smaller"
)
JOIN = (
    "rows are missing: collect those of every block, the short last one too, and join "
    "them with torch.cat"
)
SCALE = "the scale is missing: 1 / sqrt(d_head)"


def text(n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw queries, keys and values of different meaning and width."""
    return drawn(n, 4), drawn(n, 4, 1)[..., 0] - 0.5, drawn(n, 3)


@check("Exact at every edge, and no tensor grows with the square of the text.")
def check_window_in_blocks(window_in_blocks: Callable):
    """Eight tokens in two blocks, other lengths and sides; then room and work."""
    q, k, v = text(8)
    given = (q, k, v, 2, 1, 4)
    block = torch.arange(8) // 4
    own = block[:, None] == block

    def under(mask: Tensor, divisor: float | None = None) -> Tensor:
        return slow_attention(q, k, v, mask, divisor)

    read = torch.tensor([[key < 5 for key in range(8)], [key > 1 for key in range(8)]])
    agree(
        "two blocks of 4 queries give what the mask of the window gives",
        attention_asked(window_in_blocks, *given),
        under(band_of(8, 2, 1)),
        given={"q, k, v": "8 tokens", "left": 2, "right": 1, "size": 4},
        hint="per block: slice keys and values, mask inside, softmax, values",
        mistakes=[
            (under(band_of(8, 4, 2)), "twice as wide: left and right are one side "
             "each"),
            (under(band_of(8, 1, 1)), "off by one: left counts without the query"),
            (under(band_of(8, 1, 0)), "off by one: both ends are included"),
            (under(band_of(8, 2, 0)), "off by one on the right: k[low:high] ends "
             "before high"),
            (under(band_of(8, 3, 1)), "off by one: one key too many on the left"),
            (under(band_of(8, 2, 2)), "off by one: one key too many on the right"),
            (under(band_of(8, 3, 2)), "off by one: one key too many on each side"),
            (under(band_of(8, 1, 2)), "left and right are swapped"),
            (under(own), "each block sees its own keys only: these are chunks"),
            (under(band_of(8, 2, 1) & own), "a block also needs the keys beside it: "
             "from first - left to stop + right"),
            (under(read[block]), "the mask inside the block is missing: its queries "
             "do not all see the same keys"),
            (under(band_of(8, 8, 8)), "nothing is hidden: this is full attention"),
            (under(band_of(8, 2, 1), 1.0), SCALE),
            (under(band_of(8, 2, 1) & ~torch.eye(8).bool()), "a query sees itself"),
            *((under(mask & (block > 0)[:, None]), CLIP)
              for mask in (band_of(8, 2, 1), read[block])),
        ],
    )  # fmt: skip
    other_texts(window_in_blocks)
    linear(window_in_blocks, 8, 8, 16)


def other_texts(window_in_blocks: Callable) -> None:
    """Lengths that no block divides, empty sides, windows longer than the text."""
    sizes = (
        (7, 2, 1, 3), (5, 1, 1, 8), (1, 4, 4, 2), (9, 0, 3, 2), (9, 3, 0, 4),
        (6, 9, 9, 2), (10, 0, 0, 3), (12, 5, 1, 2), (11, 1, 5, 2), (24, 3, 2, 4),
    )  # fmt: skip
    for n, left, right, size in sizes:
        q, k, v = text(n)
        agree(
            "any length, any sides, any size",
            attention_asked(window_in_blocks, q, k, v, left, right, size),
            slow_attention(q, k, v, band_of(n, left, right)),
            given={"tokens": n, "left": left, "right": right, "size": size},
            hint=CLIP,
        )


def attention_asked(answer: Callable, *given: object, hint: str = SIZES) -> Tensor:
    """Ask for attention, and take the answer for one vector a query."""
    q, _, v, *_ = given
    with on_kind(ValueError, hint), on_error(hint):
        got = ask(answer, *given)
    fits = shape_of(got) >= (len(q),)
    axes = {} if fits else {"hint": JOIN}
    return tensor_of(got, (len(q), v.shape[1]), "token d_value", **axes)


def linear(answer: Callable, left: int, right: int, size: int, *rest: Tensor) -> None:
    """Count the largest tensor and the products for 640 tokens."""
    n, q, k, v = 640, *text(640)
    width = left + size + right
    shown = {"tokens": n, "left": left, "right": right, "size": size}
    with FlopCounterMode(display=False) as counter:
        largest = largest_tensor(answer, q, k, v, left, right, size, *rest)
    allowed = 2 * n * width
    require(
        largest <= allowed,
        "no tensor grows with the square of the text",
        given=shown,
        came=f"a tensor of {largest} numbers",
        expected=f"{allowed} at most, twice tokens times (left + size + right)",
        hint="dense in disguise: a mask of the whole text, or scores of all pairs, is "
        "the square; slice the keys first",
    )
    pairs = counter.get_total_flops() / (2 * (q.shape[1] + v.shape[1]))
    allowed = 2 * n * (width + 2 * sum(map(len, rest)))
    require(
        pairs <= allowed,
        "no work grows with the square of the text",
        given=shown,
        came=f"{pairs:.0f} scores",
        expected=f"{allowed} at most, twice tokens times (left + size + right)",
        hint="each block was scored against all keys: slice k[low:high] before the "
        "product, a mask only hides what was computed",
    )
