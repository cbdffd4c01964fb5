"""The operations that a case needs: those on visible pairs, and no others."""

from longctx_edu.benchmarks.cases import Case

PRODUCTS = {"forward": 2, "forward_backward": 6}
"""Products over the pairs: scores and sums; with backward, four more gradients."""


def needed_in_full(case: Case) -> int:
    """Count the pairs of full attention among real tokens.

    Args:
        case: What is asked.

    Example:
        >>> from longctx_edu.benchmarks.cases import Setting
        >>> needed_in_full(Case(Setting(causal=True), 4, "float32"))
        10
    """
    n = case.n_real
    return n * (n + 1) // 2 if case.setting.causal else n * n


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
    import torch

    asked, n = case.setting, case.n_real
    i = torch.arange(n)
    pairs = (i // asked.dilation).clamp(max=asked.left).sum() + n
    pairs += ((n - 1 - i) // asked.dilation).clamp(max=case.right).sum()
    if not with_globals:
        return int(pairs)
    for g in range(min(asked.n_global, n)):
        for far in (i[g + 1 :] - g,):
            new = (far % asked.dilation != 0) | (far > asked.left * asked.dilation)
            pairs += new.sum()
            if not asked.causal:
                new = (far % asked.dilation != 0) | (far > case.right * asked.dilation)
                pairs += new.sum()
    return int(pairs)


def needed_operations(case: Case, pairs: int, mode: str) -> int:
    """Count the operations on the pairs of all heads and texts.

    A multiplication and the addition behind it are two operations.

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
    each = 2 * case.setting.d_head * PRODUCTS[mode]
    return pairs * each * case.setting.n_heads * case.setting.batch
