"""The window's variants beside the plain window: what each costs more."""

from dataclasses import replace

from longctx_edu.benchmarks.cases import Case
from longctx_edu.benchmarks.record import Row

VARIANTS = {
    "plain": {},
    "causal": {"causal": True},
    "dilation_2": {"dilation": 2},
    "global_16": {"n_global": 16},
    "padded": {"padded": 0.25},
}
"""Each variant, and what it changes in the setting."""


def variant_cases(case: Case) -> dict[str, Case]:
    """Make a case of each variant.

    Args:
        case: The plain one.

    Example:
        >>> from longctx_edu.benchmarks.cases import Setting
        >>> cases = variant_cases(Case(Setting(), 1024, "float32"))
        >>> cases["padded"].n_real, cases["global_16"].setting.n_global
        (768, 16)
    """
    return {
        name: replace(case, setting=replace(case.setting, **change))
        for name, change in VARIANTS.items()
    }


def as_variant(row: Row, plain_s: float) -> Row:
    """Turn a row of the window into one of its variant.

    Args:
        row: Its `impl` is the variant's name.
        plain_s: Seconds of the plain window, timed in the same rounds.
    """
    row = {"variant": row["impl"], **row}
    del row["impl"]
    return {**row, "ratio_to_plain": row["seconds"] / plain_s}
