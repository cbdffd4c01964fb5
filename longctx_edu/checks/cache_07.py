"""Checks of lesson 07: one step with a cache, and what a cache forgets."""

from collections.abc import Callable

import torch
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, shape_of, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn, slow_attention
from longctx_edu.checks.report import check, require

__all__ = ["check_cached_step", "check_forget"]

AXES = "keys have a row for each token: cat along dim 0, q @ keys.mT, softmax of dim 1"


@check("A step reads one token, and the cache says the rest.")
def check_cached_step(cached_step: Callable):
    """A third token by hand, then six tokens in a row from nothing."""
    k, v, q = drawn(3, 4), drawn(3, 2), drawn(1, 4)
    given = (q, k[2:], v[2:], k[:2], v[:2])
    out, keys, values = step_asked(cached_step, *given)
    shown = {"q": q, "k": k[2:], "keys": k[:2], "values": v[:2], "v": v[2:]}
    agree(
        "a token sees all before it, and itself",
        out,
        slow_attention(q, k, v),
        given=shown,
        hint="put k and v behind the others, then attend with q to all of them",
        mistakes=[
            (slow_attention(q, k[:2], v[:2]), "a token sees itself: attend after k "
             "and v are in the cache, not before"),
            (slow_attention(q, k[2:], v[2:]), "the cache is not used: attend to "
             "keys, not to k alone"),
            (slow_attention(q, k, v, None, 1.0), "the scale is missing: sqrt(d_head)"),
            (slow_attention(q, k, v, None, 4.0), "the root is missing: sqrt(d_head)"),
            (v.mean(0, keepdim=True), "softmax over the keys, dim=1: over dim 0 every "
             "weight is 1"),
            (v.sum(0, keepdim=True), "softmax over the keys, dim=1: over dim 0 every "
             "weight is 1"),
            (slow_attention(q, k[[2, 0, 1]], v), "k went to another place than v: "
             "both behind the others"),
            (slow_attention(q, k, v[[2, 0, 1]]), "v went to another place than k: "
             "both behind the others"),
        ],
    )  # fmt: skip
    for name, got, want, new in (("keys", keys, k, "k"), ("values", values, v, "v")):
        rows = tensor_of(got, got.shape, "token d")
        agree(
            f"the {name} that come back hold the new token, newest last",
            rows,
            want,
            given={name: want[:2], new: want[2:]},
            hint=f"torch.cat([{name}, {new}])",
            mistakes=[
                (want[:2], f"the new token is not in the cache: torch.cat([{name}, "
                 f"{new}])"),
                (want[2:], "the old tokens are lost: the cache grows by one row"),
                (want[[2, 0, 1]], "newest last: the order of the text"),
                (want[1:], "nothing is forgotten here: the cache grows by one row"),
            ],
        )  # fmt: skip
    steps_in_a_row(cached_step)


def steps_in_a_row(cached_step: Callable) -> None:
    """Read six tokens from an empty cache: the rows of causal attention."""
    q, k, v = drawn(6, 4), drawn(6, 4) + 1, drawn(6, 3)
    want = slow_attention(q, k, v, torch.ones(6, 6).tril().bool())
    keys, values = k[:0], v[:0]
    for n in range(6):
        row = slice(n, n + 1)
        out, keys, values = step_asked(
            cached_step, q[row], k[row], v[row], keys, values
        )
        agree(
            "from an empty cache, step by step, it is causal attention",
            out,
            want[row],
            given={"tokens before": n, "d_head": 4, "d_value": 3},
            hint="with nothing before, a token takes its own value",
        )


def step_asked(answer: Callable, *given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Ask for one step, and take the answer for out, keys and values."""
    with on_error(AXES):
        got = ask(answer, *given)
    require(
        isinstance(got, tuple | list) and len(got) == 3,
        "the result is out, keys and values",
        came=type(got).__name__,
        expected="out, keys, values",
        hint="a function without return gives None: end it with return"
        if got is None
        else "return all three: the next step needs the cache",
    )
    _, _, v, keys, values = given
    out = tensor_of(got[0], tuple(v.shape), "one row of d_value", hint=AXES)
    for part, name in ((got[1], "keys"), (got[2], "values")):
        old = keys if name == "keys" else values
        require(
            isinstance(part, Tensor) and part.shape[1:] == old.shape[1:],
            f"{name} come back as rows, one a token",
            came=tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__,
            expected=(len(old) + 1, old.shape[1]),
            hint=f"torch.cat([{name}, ...]) puts a row behind the others",
        )
    return out, got[1], got[2]


@check("The first and the last, each once, and nothing else in memory.")
def check_forget(forget: Callable):
    """Ten tokens, short texts, a number that is 0, then the room that they take."""
    for n, left, sinks in ((10, 3, 2), (10, 3, 0), (4, 3, 2), (2, 3, 4), (1, 1, 1)):
        one_cache(forget, n, left, sinks)
    for n, left, sinks in ((6, 0, 2), (6, 0, 0), (0, 3, 2), (5, 9, 0), (5, 3, 2)):
        one_cache(forget, n, left, sinks)
    for sinks in (0, 2):
        keys = torch.arange(4000.0).reshape(1000, 4)
        got = forget(keys, 5, sinks)
        room = got.untyped_storage().nbytes() // 16
        require(
            room <= 2 * (5 + sinks),
            "what is forgotten leaves the memory",
            given={"tokens": 1000, "left": 5, "sinks": sinks},
            came=f"rows in memory: {room}",
            expected=f"rows in memory: {5 + sinks}",
            hint="a slice is a view of the whole text: torch.cat or .clone() copies",
        )


def one_cache(forget: Callable, n: int, left: int, sinks: int) -> None:
    """Ask which of n tokens stay; a token's row holds its place."""
    keys = torch.arange(float(n))[:, None] * torch.ones(2)
    with on_error("rows are tokens: keys[:sinks] are the first, keys[a:] the last"):
        got = ask(forget, keys, left, sinks)
    rows = tensor_of(got, shape_of(got), "token d")
    require(
        rows.ndim == 2 and rows.shape[1] == 2,
        "the result has a row for each token that stays",
        came=f"shape {tuple(rows.shape)}",
        expected="rows of 2 numbers",
        hint="cat along dim 0, the tokens",
    )
    places = [int(p) if p.is_integer() else p for p in rows[:, 0].tolist()]
    want = kept(n, left, sinks)
    require(
        places == want,
        "the first `sinks`, and the last `left` of the others",
        given={"tokens": n, "left": left, "sinks": sinks},
        came=f"tokens {places}",
        expected=f"tokens {want}",
        hint=explained(places, n, left, sinks),
    )


def kept(n: int, left: int, sinks: int) -> list[int]:
    """List the places of the tokens that stay.

    Example:
        >>> kept(10, left=3, sinks=2)
        [0, 1, 7, 8, 9]
    """
    return [t for t in range(n) if t < sinks or t >= n - left]


def explained(places: list[int | float], n: int, left: int, sinks: int) -> str:
    """Say which misconception keeps these tokens."""
    near = [
        (left == 0 and len(places) > len(kept(n, left, sinks)), "keys[-0:] is "
         "everything: count from the front, len(keys) - left"),
        (places and len(set(places)) < len(places), "a token is kept twice: in a short "
         "text sinks and window overlap, and the window begins behind the sinks"),
        (sinks and places == kept(n, left, 0), "the sinks are gone: the first tokens "
         "stay for good"),
        (places == kept(n, max(left - sinks, 0), sinks), "sinks come besides the "
         "window: left of the others stay"),
        (places == kept(n, left + 1, sinks), "one too many: left tokens before the "
         "next query, and that query is not read yet"),
        (places == kept(n, left - 1, sinks), "one too few: the next token sees left "
         "tokens before itself"),
        (places == list(range(n)), "nothing was forgotten"),
        (sorted(places) == kept(n, left, sinks), "in the order of the text: sinks, "
         "then the window, oldest first"),
        (places == list(range(min(n, left + sinks))), "the newest tokens stay, not "
         "the oldest: the window is at the end"),
        (len(places) < len(kept(n, left, sinks)), "a negative start counts from the "
         "end: in a short text nothing is forgotten"),
    ]  # fmt: skip
    general = "the window begins at max(sinks, n - left), counted from the front"
    return next((words for fits, words in near if fits), general)
