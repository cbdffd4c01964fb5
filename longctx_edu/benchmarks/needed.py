"""The work that a case needs: operations on visible pairs of real tokens, no others."""

from longctx_edu.attention import attention_operations, full_pairs, window_pairs
from longctx_edu.benchmarks.cases import Case


def needed_in_full(case: Case) -> int:
    """Count the pairs of full attention among real tokens.

    Args:
        case: What is asked.

    Example:
        >>> from longctx_edu.benchmarks.cases import Setting
        >>> needed_in_full(Case(Setting(causal=True), 4, "float32"))
        10
    """
    return full_pairs(case.n_real, causal=case.setting.causal)


def needed_in_window(case: Case, *, with_globals: bool = True) -> int:
    """Count the pairs of the window and the global tokens among real tokens.

    Args:
        case: What is asked.
        with_globals: The global tokens count as well.

    Example:
        >>> from longctx_edu.benchmarks.cases import Setting
        >>> needed_in_window(Case(Setting(left=1, right=1, n_global=1), 5, "float32"))
        19
    """
    asked = case.setting
    n_global = min(asked.n_global, case.n_real) if with_globals else 0
    return window_pairs(
        case.n_real,
        left=asked.left,
        right=asked.right,
        dilation=asked.dilation,
        global_places=range(n_global),
        causal=asked.causal,
    )


def needed_operations(case: Case, pairs: int, mode: str) -> int:
    """Count the operations on the pairs of all heads and texts.

    Args:
        case: What is asked.
        pairs: Query-key pairs of a head of a text.
        mode: With or without backward.

    Example:
        >>> from longctx_edu.benchmarks.cases import Setting
        >>> case = Case(Setting(n_heads=2, d_head=4), 5, "float32")
        >>> needed_operations(case, 25, "forward")
        800
    """
    asked, backward = case.setting, mode != "forward"
    each = attention_operations(
        pairs, n_heads=asked.n_heads, d_head=asked.d_head, backward=backward
    )
    return asked.batch * each
