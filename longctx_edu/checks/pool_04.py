"""Check of lesson 04: from a logit a chunk to a logit a document."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import Mistake, agree
from longctx_edu.checks.report import check, require

__all__ = ["check_pool_chunks"]

LOGITS = torch.tensor([[4.0, -2.0, -2.0, -4.0], [-1.0, -3.0, 0.0, 0.0]])
KEEP = torch.tensor([[True] * 4, [True, True, False, False]])
ROWS = "one number a document: dim=1 goes along the chunks"
FILL = "the filling counts: the second document has two chunks, not four"


def by_hand(logits: Tensor, keep: Tensor, how: str) -> Tensor:
    """Pool each document alone, over its real chunks.

    Example:
        >>> by_hand(LOGITS, KEEP, "mean").tolist()
        [-1.0, -2.0]
    """
    pooled = []
    for row, real in zip(logits.tolist(), keep.tolist(), strict=True):
        kept = [x for x, is_real in zip(row, real, strict=True) if is_real]
        top = max(kept)
        lse = top + math.log(sum(math.exp(x - top) for x in kept))
        answers = {"mean": sum(kept) / len(kept), "max": top, "logsumexp": lse}
        pooled.append(answers[how])
    return torch.tensor(pooled)


def mistakes_of(how: str) -> list[Mistake]:
    """Say what misconceptions give on the documents by hand."""
    every = torch.ones_like(KEEP)
    counts = KEEP.sum(dim=1)
    mean, lse = by_hand(LOGITS, KEEP, "mean"), by_hand(LOGITS, KEEP, "logsumexp")
    zeroed = by_hand(LOGITS * KEEP, every, how)
    found: dict[str, list[Mistake]] = {
        "mean": [
            (zeroed, FILL),
            (mean * counts, "a sum, not a mean: divide by the number of real chunks"),
            (mean * counts / KEEP.sum(), "divide by the chunks of each document alone"),
        ],
        "max": [(zeroed, "a filling of 0 beats logits below 0: -inf where keep is "
                 "False")],
        "logsumexp": [
            (zeroed, "exp(0) is 1: the filling adds evidence; -inf where keep is "
             "False"),
            (lse - counts.log(), "no division by the number of chunks: log of the sum"),
            (lse.exp(), "the logarithm is missing: a logit again"),
            (by_hand(LOGITS, KEEP, "mean").exp().log(), "exp first, then the sum"),
        ],
    }  # fmt: skip
    return found[how]


@check("One logit a document, and the filling has no say.")
def check_pool_chunks(pool_chunks: Callable):
    """Four chunks and two, in three ways; large logits; whatever stands in the fill."""
    for how in ("mean", "max", "logsumexp"):
        others = [h for h in ("mean", "max", "logsumexp") if h != how]
        mixed = [
            (by_hand(LOGITS, KEEP, other), f"this is the {other}: look at how")
            for other in others
        ]
        agree(
            f"{how} over the real chunks of each document",
            pooled(pool_chunks, LOGITS, KEEP, how),
            by_hand(LOGITS, KEEP, how),
            given={"logits": LOGITS, "keep": KEEP, "how": how},
            hint="each document alone, over the chunks where keep is True",
            mistakes=[*mistakes_of(how), *mixed],
        )
    large = LOGITS * 1000
    for how in ("mean", "max", "logsumexp"):
        agree(
            "logits of a thousand are pooled like small ones",
            pooled(pool_chunks, large, KEEP, how),
            by_hand(large, KEEP, how),
            given={"logits": large, "how": how},
            hint="exp(1000) overflows: torch.logsumexp subtracts the maximum first",
        )
    rubbish = LOGITS.masked_fill(~KEEP, math.inf)
    for how in ("mean", "max", "logsumexp"):
        agree(
            "whatever stands in the filling, inf as well, changes nothing",
            pooled(pool_chunks, rubbish, KEEP, how),
            by_hand(LOGITS, KEEP, how),
            given={"logits": rubbish, "keep": KEEP, "how": how},
            hint="inf * 0 is nan: masked_fill or torch.where put another number there",
        )


def pooled(pool_chunks: Callable, logits: Tensor, keep: Tensor, how: str) -> Tensor:
    """Ask for the pooled logits, and take the answer for one number a document."""
    with on_error(ROWS):
        came = ask(pool_chunks, logits, keep, how)
    require(
        not isinstance(came, tuple),
        "the result is one tensor",
        came=f"{len(came)} values" if isinstance(came, tuple) else "",
        expected="one number a document",
        hint=".max(dim=1) gives values and their places: .amax(dim=1), or .values",
    )
    return tensor_of(came, (len(logits),), "document", hint=ROWS)
