"""What attention costs, by formula: operations, and bytes. `pairs` counts the pairs.

All numbers are exact. An operation is one multiplication or one addition, so the
product of an `a x b` and a `b x c` matrix takes `2 a b c`. Softmax, masks and scaling
are left out: they grow with the pairs, but not with the width.
"""


def attention_operations(
    pairs: int,
    *,
    n_heads: int,
    d_head: int,
    d_value: int | None = None,
    backward: bool = False,
    recompute: bool = False,
) -> int:
    """Count the operations of attention's matrix products.

    Forward there are two, scores and output; backward four more, the gradients of v,
    of the weights, of q and of k. An attention that does not keep its weights forms
    the scores once more. With equal widths: 4, 12, and 14 a pair, head and number.

    Args:
        pairs: Queries and keys that meet, in each head.
        n_heads: Heads of queries; how many of them share keys changes nothing.
        d_head: Width of a query and of a key.
        d_value: Width of a value; `d_head` by default.
        backward: Count forward and backward.
        recompute: Count the scores that the backward pass forms again.

    Raises:
        ValueError: If `recompute` comes without `backward`.

    Example:
        >>> attention_operations(10, n_heads=2, d_head=3)
        240
        >>> attention_operations(10, n_heads=2, d_head=3, backward=True)
        720

    Source: FlashAttention (Dao et al. 2022), section 3.1 and appendix B; FlashAttention
    2 (Dao 2023), section 4.1, on what is counted. Built in lesson 03.
    """
    if recompute and not backward:
        raise ValueError("need backward=True with recompute=True, got backward=False")
    d_value = d_head if d_value is None else d_value
    widths = 3 * (d_head + d_value) if backward else d_head + d_value
    return 2 * pairs * n_heads * (widths + recompute * d_head)


def score_bytes(
    n_query: int,
    n_key: int | None = None,
    *,
    n_heads: int,
    number_bytes: int = 4,
    batch: int = 1,
) -> int:
    """Count the bytes of the whole square of scores, which only `dense` forms.

    Args:
        n_query: Number of queries, in tokens.
        n_key: Number of keys, in tokens; as many as queries by default.
        n_heads: Heads of queries.
        number_bytes: Bytes of one number: 4 for float32, 2 for bfloat16.
        batch: Texts side by side.

    Example:
        >>> score_bytes(1024, n_heads=8) // 2**20
        32

    Source: FlashAttention (Dao et al. 2022), section 2.2. Built in lesson 03.
    """
    n_key = n_query if n_key is None else n_key
    return batch * n_heads * n_query * n_key * number_bytes


def input_output_bytes(
    n_query: int,
    n_key: int | None = None,
    *,
    n_heads: int,
    d_head: int,
    n_kv_heads: int | None = None,
    d_value: int | None = None,
    number_bytes: int = 4,
    batch: int = 1,
) -> int:
    """Count the bytes of q, k, v and the output: what must be read and written once.

    Args:
        n_query: Number of queries, in tokens.
        n_key: Number of keys, in tokens; as many as queries by default.
        n_heads: Heads of queries.
        d_head: Width of a query and of a key.
        n_kv_heads: Heads of keys and values; as many as of queries by default.
        d_value: Width of a value; `d_head` by default.
        number_bytes: Bytes of one number: 4 for float32, 2 for bfloat16.
        batch: Texts side by side.

    Example:
        >>> input_output_bytes(1024, n_heads=8, d_head=64) // 2**20
        8

    Source: FlashAttention (Dao et al. 2022), theorem 2. Built in lesson 03.
    """
    n_key = n_query if n_key is None else n_key
    n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
    d_value = d_head if d_value is None else d_value
    vectors = n_heads * n_query + n_kv_heads * n_key
    return batch * vectors * (d_head + d_value) * number_bytes


def kv_cache_bytes(
    n_tokens: int,
    *,
    n_layers: int,
    n_kv_heads: int,
    d_head: int,
    number_bytes: int = 2,
    window: int | None = None,
    sinks: int = 0,
    batch: int = 1,
) -> int:
    """Count the bytes of the keys and values that decoding keeps.

    Args:
        n_tokens: Tokens read so far.
        n_layers: Layers.
        n_kv_heads: Heads of keys and values in a layer.
        d_head: Width of a key, and of a value.
        number_bytes: Bytes of one number: 4 for float32, 2 for bfloat16.
        window: Most recent tokens that are kept, the newest counted; None for all.
        sinks: First tokens that are kept besides the window.
        batch: Texts side by side.

    Raises:
        ValueError: If `sinks` come without a window.

    Example:
        >>> llama = {"n_layers": 32, "n_kv_heads": 8, "d_head": 128}
        >>> kv_cache_bytes(1, **llama) // 2**10, kv_cache_bytes(2**17, **llama) // 2**30
        (128, 16)

    Source: grouped queries: Ainslie et al. 2023, section 2; sinks: StreamingLLM (Xiao
    et al. 2024), section 3.2; the sizes: Llama 3 (2024), table 3. Built in lesson 07.
    """
    if sinks and window is None:
        raise ValueError(f"need a window beside sinks, got sinks={sinks} and none")
    kept = n_tokens if window is None else min(n_tokens, window + sinks)
    return batch * 2 * n_layers * n_kv_heads * kept * d_head * number_bytes
