"""The check of lesson 08 on a step of AdamW."""

from collections.abc import Callable

from longctx_edu.checks.adam_08 import FIRST_STEP, NAMES, NONE, SIGN, START, G
from longctx_edu.checks.ask import ask
from longctx_edu.checks.compare import agree
from longctx_edu.checks.momentum_08 import parts_of
from longctx_edu.checks.report import check

__all__ = ["check_adamw_step"]


@check("Adam's step, and beside it a share of theta: the means never see the decay.")
def check_adamw_step(adamw_step: Callable):
    """The first step with a decay of a half; then without decay."""
    came = ask(adamw_step, START, G, NONE, NONE, 1, 0.1, 0.5)
    theta, first, second = parts_of(came, NAMES)
    given = {**FIRST_STEP, "decay": 0.5}
    through = "the decay went through the gradient: that is L2; take it off theta"
    for name, mean, want, wrong in (
        ("gradient", first, 0.1 * G, 0.1 * (G + 0.5 * START)),
        ("square", second, 0.001 * G**2, 0.001 * (G + 0.5 * START) ** 2),
    ):
        agree(
            f"the running mean of the {name} sees the gradient alone",
            mean,
            want,
            given=given,
            hint="first and second are Adam's, untouched by the decay",
            mistakes=[(wrong, through)],
        )
    adam = START - 0.1 * SIGN
    agree(
        "theta loses rate * decay of itself, and Adam's step",
        theta,
        adam - 0.05 * START,
        given=given,
        hint="theta - rate * direction - rate * decay * theta",
        mistakes=[
            (adam, "nothing was taken off theta: rate * decay * theta"),
            (adam - 0.5 * START, "the rate scales the decay as well: rate * decay"),
            (adam + 0.05 * START, "the sign: decay pulls towards 0"),
            (0.95 * adam, "the share is of the old theta: before the step, not after"),
            (adam - 0.05, "a share of theta, not a constant: rate * decay * theta"),
            (adam - 0.05 * G, "the share is of theta, not of the gradient"),
            (0.95 * START, "Adam's own step is missing"),
        ],
    )
    came = ask(adamw_step, START, G, NONE, NONE, 1, 0.1, 0.0)
    agree(
        "without decay it is Adam",
        parts_of(came, NAMES)[0],
        adam,
        given={**FIRST_STEP, "decay": 0.0},
        hint="use the parameter decay",
    )
