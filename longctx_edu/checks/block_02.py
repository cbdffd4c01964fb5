"""Checks of lesson 02: the feed-forward part, and the block around two parts."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from longctx_edu.checks.ask import ask, on_error, tensor_of
from longctx_edu.checks.compare import agree
from longctx_edu.checks.oracles import drawn, slow_product
from longctx_edu.checks.report import check, require

__all__ = ["check_feed_forward", "check_pre_norm_block"]


@check("Wider, bent, and back: each token for itself.")
def check_feed_forward(feed_forward: Callable):
    """Three tokens from 2 to 5 numbers and back, then a batch."""
    x, w_in, w_out = drawn(3, 2), drawn(2, 5), drawn(5, 2)
    b_in, b_out = drawn(5), drawn(2) + 1
    sizes = "x @ w_in has d_ff numbers a token, and @ w_out has d_model again"
    with on_error(sizes):
        got = ask(feed_forward, x, w_in, b_in, w_out, b_out)
    before = slow_product(x, w_in).float()
    inside = before + b_in

    def back(hidden: Tensor) -> Tensor:
        return slow_product(hidden, w_out).float() + b_out

    want = back(F.gelu(inside))
    agree(
        "two linear maps, and GELU between them",
        tensor_of(got, (3, 2), "token d_model", hint=sizes),
        want,
        given={"x": x, "w_in": w_in, "b_in": b_in, "w_out": w_out, "b_out": b_out},
        hint="F.gelu(x @ w_in + b_in) @ w_out + b_out",
        mistakes=[
            (back(inside), "without a bend two linear maps are one: F.gelu between"),
            (back(inside.relu()), "this is ReLU, as in 2017; here the bend is F.gelu"),
            (F.gelu(back(F.gelu(inside))), "no bend at the end: the part must be able "
             "to take something away"),
            (F.gelu(back(inside)), "the bend stands between the maps, not after them"),
            (back(F.gelu(before)), "b_in is missing, inside the bend"),
            (back(F.gelu(before) + b_in), "b_in belongs inside the bend"),
            (want - b_out, "b_out is missing"),
            (back(F.gelu(before)) - b_out, "both biases are missing"),
            (want + x, "without the residual: the block adds x, not this part"),
            (back(F.gelu(inside, approximate="tanh")), "GELU itself, not its "
             "approximation by tanh"),
        ],
    )  # fmt: skip
    many = drawn(2, 3, 2)
    with on_error("@ keeps all axes but the last: no .T, no flatten is needed"):
        got = ask(feed_forward, many, w_in, b_in, w_out, b_out)
    flat = slow_product(many.reshape(6, 2), w_in).float() + b_in
    agree(
        "a batch of texts goes through the same weights",
        tensor_of(got, (2, 3, 2), "batch token d_model"),
        back(F.gelu(flat)).view(2, 3, 2),
        hint="@ keeps all axes but the last",
    )


# Parts that leave their mark on a number: what came first can be read off.
PARTS: dict[str, Callable[[Tensor], Tensor]] = {
    "norm_1": lambda x: 10 * x,
    "attention": lambda x: x + 3,
    "norm_2": lambda x: 100 * x,
    "feed": lambda x: x + 7,
}
X = torch.tensor([[1.0, 2.0]])


@check("What came in goes straight through; each part adds to it what it found.")
def check_pre_norm_block(pre_norm_block: Callable):
    """Parts that add or multiply, so that their order shows; then who was called."""
    called: list[str] = []

    def marked(name: str) -> Callable[[Tensor], Tensor]:
        def part(x: Tensor) -> Tensor:
            called.append(name)
            return PARTS[name](x)

        return part

    parts = [marked(name) for name in PARTS]
    got = ask(pre_norm_block, X, *parts)
    norm_1, attention, norm_2, feed = PARTS.values()
    agree(
        "x + attention(norm_1(x)), and to that the feed-forward part of its norm_2",
        tensor_of(got, (1, 2), "token d_model"),
        pre(X, norm_1, attention, norm_2, feed),
        given={
            "x": X,
            "norm_1": "times 10",
            "attention": "plus 3",
            "norm_2": "times 100",
            "feed": "plus 7",
        },
        hint="x = x + attention(norm_1(x)), then x = x + feed(norm_2(x))",
        mistakes=misbuilt(),
    )
    require(
        called == list(PARTS),
        "each part is asked once, in this order",
        came=called,
        expected=list(PARTS),
        hint="keep a part's answer in a variable: asking again costs as much again",
    )


def pre(x: Tensor, norm_1, attention, norm_2, feed) -> Tensor:
    """Normalise before each part, and add what it gives."""
    x = x + attention(norm_1(x))
    return x + feed(norm_2(x))


def misbuilt() -> list[tuple[Tensor, str]]:
    """Build the block wrongly, in every way that is known."""
    n1, att, n2, feed = PARTS.values()
    same = n2(n1(X)) * 0 + X  # no norm at all
    a = X + att(n1(X))
    normed = n1(X)
    on_norm = normed + att(normed)
    return [
        (n2(n1(X + att(X)) + feed(n1(X + att(X)))), "this is post-norm: here the norm "
         "stands before each part, and never on the sum"),
        (a + feed(n1(a)), "each part has its own norm: norm_2 before feed"),
        (X + att(n2(X)) + feed(n1(X + att(n2(X)))), "the norms are swapped"),
        (pre(same, lambda x: x, att, lambda x: x, feed), "both norms are forgotten"),
        (pre(X, lambda x: x, att, n2, feed), "norm_1 is forgotten"),
        (pre(X, n1, att, lambda x: x, feed), "norm_2 is forgotten"),
        (on_norm + feed(n2(on_norm)), "the residual is x itself, not its norm: add to "
         "what came in"),
        (n2(on_norm) + feed(n2(on_norm)), "the residual is x itself, not its norm: add "
         "to what came in"),
        (n2(a) + feed(n2(a)), "the residual is x itself, not its norm: add to what "
         "came in"),
        (feed(n2(att(n1(X)))), "both residuals are missing: x + ..."),
        (att(n1(X)) + feed(n2(att(n1(X)))), "the first residual is missing: x + "
         "attention(...)"),
        (feed(n2(a)), "the second residual is missing: x + feed(...)"),
        (X + att(n1(X)) + feed(n2(X)), "feed reads what attention left, not x again"),
        (X + feed(n2(a)), "the second sum adds to the first one, not to x"),
    ]  # fmt: skip
