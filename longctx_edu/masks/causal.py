"""A causal mask: nobody looks ahead."""

from longctx_edu.masks.predicate import Predicate


def causal(offset: int = 0) -> Predicate:
    """Let each query look at itself and at what came before it.

    Args:
        offset: Position of query 0 among the keys, in tokens. With fewer queries than
            keys, `n_key - n_query` aligns the last query with the last key.

    Example:
        >>> from longctx_edu.masks import dense_mask
        >>> dense_mask(causal(offset=1), 2, 3).int().tolist()
        [[1, 1, 0], [1, 1, 1]]

    Source: Vaswani et al. 2017, section 3.2.3. Built in lesson 01.
    """
    return Predicate(lambda query, key: key <= query + offset)
