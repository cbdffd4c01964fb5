"""Checks of lesson 09: all of them, and the one of a published row."""

from collections.abc import Callable

from longctx_edu.checks.align_09 import check_align_labels, check_tags_of_words
from longctx_edu.checks.entities_09 import check_read_entities
from longctx_edu.checks.loss_09 import check_masked_cross_entropy
from longctx_edu.checks.plain import ask_plain, on_kind
from longctx_edu.checks.report import check, require
from longctx_edu.checks.scores_09 import check_micro_scores
from longctx_edu.checks.training_09 import check_rate_at, check_stop_at

__all__ = [
    "check_align_labels",
    "check_is_consistent",
    "check_masked_cross_entropy",
    "check_micro_scores",
    "check_rate_at",
    "check_read_entities",
    "check_stop_at",
    "check_tags_of_words",
]

# (precision, recall, F1, digits), what is true, property, hint
PUBLISHED = (
    ((0.5, 0.5, 0.5, 3), True, "equal parts: F1 is the same", "F1 is 2PR / (P + R)"),
    (
        (0.9, 0.5, 0.643, 3),
        True,
        "F1 is the harmonic mean: 0.9 and 0.5 give 0.643",
        "2PR / (P + R), not (P + R) / 2",
    ),
    (
        (0.88, 0.855, 0.862, 3),
        False,
        "0.8795 to 0.8805 and 0.8545 to 0.8555 give 0.867, not 0.862",
        "five thousandths are more than rounding: half of 10**-digits each way",
    ),
    (
        (0.885, 0.829, 0.857, 3),
        True,
        "at the high ends, 0.8855 and 0.8295, F1 is 0.8566, printed as 0.857",
        "precision and recall are rounded too: try both ends of their ranges",
    ),
    (
        (0.98, 0.974, 0.975, 3),
        False,
        "at the low ends F1 is 0.9765, and 0.975 is at most 0.9755",
        "the ranges are too wide: rounding moves a number by half a digit at most",
    ),
    (
        (0.896, 0.852, 0.875, 3),
        False,
        "at the high ends F1 is 0.8740, and 0.875 is at least 0.8745",
        "look at both sides: too large a printed F1 is as wrong as too small",
    ),
    (
        (0.037, 0.082, 0.05, 3),
        True,
        "at the low ends, 0.0365 and 0.0815, F1 is 0.0504, printed as 0.050",
        "F1 is smallest where precision and recall both are at their low ends",
    ),
    (
        (0.0, 0.041, 0.002, 3),
        False,
        "at the high ends, 0.0005 and 0.0415, F1 is 0.001; 0.002 is at least 0.0015",
        "the ranges are too wide: half a digit is 0.5 * 10**-digits",
    ),
    (
        (0.9, 0.8, 0.9, 1),
        True,
        "with one digit, 0.95 and 0.85 are possible, and F1 of 0.897",
        "use the parameter digits: half = 0.5 * 10**-digits",
    ),
    (
        (0.0, 0.0, 0.0, 3),
        True,
        "nothing right: all three are 0",
        "where P + R is 0, F1 is 0: ask before dividing",
    ),
)


@check("Some precision and recall in their ranges give this F1, or none do.")
def check_is_consistent(is_consistent: Callable):
    """Rows that can be true and rows that cannot, each for its own reason."""
    for (*row, digits), true, prop, hint in PUBLISHED:
        named = {} if digits == 3 else {"digits": digits}
        with on_kind(
            ZeroDivisionError, "where P + R is 0, F1 is 0: ask before dividing"
        ):
            got = ask_plain(is_consistent, *row, **named)
        require(
            type(got).__name__.startswith("bool"),  # NumPy's as well
            "the answer is True or False",
            came=got,
            expected=true,
            hint="return the comparison itself",
        )
        require(
            got == true,
            prop,
            given={"precision, recall, f1": repr(tuple(row)), **named},
            came=got,
            expected=true,
            hint=hint,
        )
