"""Check of lesson 03: two parts of a row, merged by their log-sum-exps."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree, close
from longctx_edu.checks.oracles import drawn, slow_attention, slow_scores
from longctx_edu.checks.report import check, require

__all__ = ["check_merge_two"]


@check("Parts that never met make one answer, also where a part saw nothing.")
def check_merge_two(merge_two: Callable):
    """Two parts by hand, a square cut in two, large sums, parts that saw nothing."""
    one = merged(merge_two, [[1.4]], [5.0], [[14.0]], [2.0])
    agree(
        "1.4 stands for weights of 5, 14 for weights of 2: together 35 / 7",
        one[0],
        [[5.0]],
        given={"out_a": 1.4, "lse_a": "log 5", "out_b": 14.0, "lse_b": "log 2"},
        hint="a part counts with exp(its lse) out of the sum of both",
        mistakes=[
            ([[7.7]], "a plain mean: the part with the larger lse counts for more"),
            ([[10.4]], "the other way round: a's answer counts with a's lse"),
            ([[35.0]], "divide by the sum of both exps: the shares add up to 1"),
            (by_logs(), "an lse is a logarithm: exp before it is a share"),
            ([[15.4]], "a mean, not a sum: the shares add up to 1"),
        ],
    )
    agree(
        "the lse of both is the logarithm of the sum: log(5 + 2)",
        one[1],
        [math.log(7)],
        given={"lse_a": "log 5", "lse_b": "log 2"},
        hint="torch.logaddexp(lse_a, lse_b) adds inside the logarithm",
        mistakes=[
            ([math.log(10)], "a sum of logarithms is a product: exp, add, then log"),
            ([7.0], "log is missing: the lse is a logarithm again"),
            ([math.log(5)], "the larger alone: the other part's weights count too"),
            ([math.log(3.5)], "a sum, not a mean: log(5 + 2)"),
        ],
    )
    q, k, v = drawn(2, 4), drawn(9, 4), drawn(9, 3)
    scores = slow_scores(q, k, 2.0)
    halves = [
        (slow_attention(q, k[c], v[c]).float(), scores[:, c].logsumexp(1).float())
        for c in (slice(0, 6), slice(6, 9))
    ]
    got = merge_asked(merge_two, *halves)
    whole = slow_attention(q, k, v)
    agree("a row cut in two is the row", got[0], whole, hint="one share a query")
    agree("so is its lse", got[1], scores.logsumexp(1), hint="one lse a query")
    parts_at_the_edge(merge_two)


def parts_at_the_edge(merge_two: Callable) -> None:
    """Large sums, then parts that saw nothing."""
    out, lse = merge_asked(
        merge_two,
        (torch.tensor([[7.0]]), torch.tensor([1000.0])),
        (torch.tensor([[14.0]]), torch.tensor([1000.0])),
    )
    large = "exp(1000) overflows: subtract the larger lse first, as softmax does"
    shown = {"lse_a": 1000.0, "lse_b": 1000.0, "out_a": 7.0, "out_b": 14.0}
    for prop, got, want in (
        ("large sums mix like small ones", out, [[10.5]]),
        ("and their lse stays finite", lse, [1000 + math.log(2)]),
    ):
        require(
            close(got, want, atol=1e-2),  # float32 near 1000 has four digits to give
            prop,
            given=shown,
            came=got,
            expected=torch.tensor(want),
            hint=large,
        )
    seen, nothing = ([[3.0]], [5.0]), ([[0.0]], [0.0])
    rule = "torch.where or nan_to_num: where the common lse is -inf the answer is 0"
    for a, b, want, hint in (
        (seen, nothing, 3.0, "exp(-inf) is 0: its share is 0, and no case is needed"),
        (nothing, seen, 3.0, "either part may have seen nothing"),
        (nothing, nothing, 0.0, "-inf minus -inf is nan. " + rule),
    ):
        out, lse = merged(merge_two, *a, *b)
        shown = {"lse_a": math.log(5) if a is seen else -math.inf}
        shown |= {"lse_b": math.log(5) if b is seen else -math.inf}
        agree("who saw nothing adds nothing", out, [[want]], given=shown, hint=hint)
        gone = want == 0
        require(
            lse.item() == -math.inf if gone else abs(lse.item() - math.log(5)) < 1e-5,
            "the lse of nothing is -inf, and adds nothing",
            given=shown,
            came=lse,
            expected=-math.inf if gone else math.log(5),
            hint="the logarithm of 0 is -inf: let it stand",
        )


def by_logs() -> list[list[float]]:
    """Mix with the logarithms themselves, as if they were shares."""
    a, b = math.log(5), math.log(2)
    return [[(a * 1.4 + b * 14) / (a + b)]]


def merged(merge_two: Callable, out_a, weight_a, out_b, weight_b) -> tuple:
    """Ask for two parts whose summed exponentials are given."""
    a = (torch.tensor(out_a), torch.tensor(weight_a).log())
    b = (torch.tensor(out_b), torch.tensor(weight_b).log())
    return merge_asked(merge_two, a, b)


def merge_asked(merge_two: Callable, a: tuple, b: tuple) -> tuple[Tensor, Tensor]:
    """Ask for two parts, and take the answer for an output and its lse."""
    thin = (
        "lse has one number a query, out a row: lse[..., None] stands beside a row, "
        "and torch.where asks each number where an if asks only one"
    )
    with on_error(thin):
        got = ask(merge_two, *a, *b)
    out, lse = out_and_lse(got)
    out = tensor_of(out, tuple(a[0].shape), "query d_value", hint=thin)
    return out, tensor_of(lse, tuple(a[1].shape), "query", hint=thin)


def out_and_lse(got: object) -> tuple:
    """Take an answer for a pair, or say what it is."""
    require(
        isinstance(got, tuple | list) and len(got) == 2,
        "the result is a pair: out and lse",
        came=type(got).__name__,
        expected="out, lse",
        hint="a function without return gives None: end it with return out, lse"
        if got is None
        else "return both, with a comma between: return out, lse",
    )
    return tuple(got)
