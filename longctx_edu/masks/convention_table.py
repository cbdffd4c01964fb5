"""The table behind `from_convention`: who writes which number, and what it means.

One row an option of a library or a paper. `W` in a rule is the number that the user
writes. Rows without `sides` are patterns that no fixed left and right can say.
"""

from longctx_edu.masks.convention_row import Convention


def _each(w):
    return w, w


def _half(w):
    return w // 2, w // 2


def _before(w):
    return w, 0


def _before_with_itself(w):
    return w - 1, 0


def _total(w):
    return w - w // 2 - 1, w // 2


def _left_and_right(sizes):
    left, right = (None if size == -1 else size for size in sizes)
    return left, right


# In each row: name, library, option, rule, source.
_WINDOWS = (
    Convention(
        "longformer_paper",
        "Longformer, the paper",
        "w = W",
        "W / 2 keys on each side",
        "Beltagy et al. 2020, section 3.1",
        sides=_half,
        least=2,
        even=True,
    ),
    Convention(
        "longformer_repo",
        "allenai/longformer",
        "attention_window=[W]",
        "W keys on each side",
        "longformer/longformer.py; mistaken for the total in allenai/longformer#194",
        sides=_each,
    ),
    Convention(
        "transformers_longformer",
        "transformers",
        "attention_window=W",
        "W / 2 keys on each side",
        "models/longformer/modeling_longformer.py, LongformerSelfAttention",
        sides=_half,
        least=2,
        even=True,
    ),
    Convention(
        "transformers_sliding_causal",
        "transformers",
        "sliding_window=W",
        "W keys: the query itself and W - 1 before it (Mistral, Qwen, Gemma)",
        "masking_utils.py, sliding_window_overlay; huggingface/transformers#39408",
        sides=_before_with_itself,
    ),
    Convention(
        "transformers_sliding_bidirectional",
        "transformers",
        "sliding_window=W, is_causal=False",
        "W keys on each side",
        "masking_utils.py, sliding_window_bidirectional_overlay",
        sides=_each,
        least=0,
    ),
    Convention(
        "transformers_modernbert",
        "transformers",
        "local_attention=W",
        "W / 2 keys on each side, rounded down",
        "models/modernbert/; huggingface/transformers#43030",
        sides=_half,
    ),
    Convention(
        "transformers_gemma3_bidirectional",
        "transformers",
        "sliding_window=W, use_bidirectional_attention=True",
        "W / 2 keys on each side, rounded down",
        "models/gemma3/configuration_gemma3.py; huggingface/transformers#40700",
        sides=_half,
    ),
    Convention(
        "mistral_paper",
        "Mistral 7B, the paper",
        "W",
        "W keys before the query and itself; the caption of figure 1 says W in all",
        "Jiang et al. 2023, section 2",
        sides=_before,
    ),
    Convention(
        "flash_attn",
        "flash-attn",
        "window_size=(L, R)",
        "L keys before and R after, -1 for all; causal=True makes R 0",
        "README, flash_attn_func",
        sides=_left_and_right,
        least=-1,
        pair=True,
    ),
    Convention(
        "local_attention_exact",
        "local-attention",
        "window_size=W, exact_windowsize=True",
        "W keys on each side",
        "local_attention.py, with look_backward = look_forward = 1",
        sides=_each,
    ),
    Convention(
        "local_attention_exact_causal",
        "local-attention",
        "window_size=W, exact_windowsize=True, causal=True",
        "W keys before the query and itself; its README says at most W",
        "local_attention.py, with look_backward = 1",
        sides=_before,
    ),
    Convention(
        "attention_gym_sliding",
        "attention-gym",
        "generate_sliding_window(W)",
        "W keys before the query and itself",
        "attn_gym/masks/sliding_window.py",
        sides=_before,
        least=0,
    ),
    Convention(
        "attention_gym_global_sliding",
        "attention-gym",
        "generate_global_sliding_window(W, is_global)",
        "W keys on each side, and the global tokens",
        "attn_gym/masks/global_sliding_window.py",
        sides=_each,
        least=0,
    ),
    Convention(
        "lra_longformer",
        "long-range-arena",
        "sliding_window_size=W",
        "W keys with the query; of an even W the right side has one more",
        "models/longformer/longformer_attention.py, whose docstring says the left",
        sides=_total,
    ),
    Convention(
        "fla",
        "flash-linear-attention",
        "window_size=W",
        "W keys: the query itself and W - 1 before it",
        "fla/ops/attn/naive.py",
        sides=_before_with_itself,
    ),
)

_OTHER_PATTERNS = (
    Convention(
        "local_attention",
        "local-attention",
        "window_size=W",
        "the query's own bucket of W keys and the whole buckets beside it (causal: "
        "none after the query), so the reach depends on the place in the bucket: "
        "W to 2 W - 1 keys",
        "local_attention.py",
        nearest="local_attention_exact or local_attention_exact_causal, within it",
    ),
    Convention(
        "longformer_no_overlap",
        "allenai/longformer",
        "attention_window=[W]",
        "three whole blocks of W keys (sliding_chunks_no_overlap), so the reach "
        "depends on the place in the block: W to 2 W - 1 keys",
        "longformer/sliding_chunks.py, sliding_chunks_matmul_qk_3",
        nearest="longformer_repo, within it",
    ),
    Convention(
        "bigbird",
        "BigBird",
        "block_size=W",
        "blocks of W keys: its own, one on each side, the global and the random ones",
        "Zaheer et al. 2020, section 2; models/big_bird/modeling_big_bird.py",
        nearest="blocks with window_blocks, global_blocks and random_blocks",
    ),
    Convention(
        "natten",
        "NATTEN",
        "kernel_size=W",
        "W keys for every query: near the ends the window moves inwards",
        "Hassani et al. 2023, Neighborhood Attention Transformer",
        nearest="left = right = W // 2, equal to it away from the ends",
    ),
    Convention(
        "transformers_chunked",
        "transformers",
        "attention_chunk_size=W",
        "the keys of the query's own chunk of W, up to itself (Llama 4)",
        "masking_utils.py, chunked_overlay",
        nearest="document(position // W) & causal(), equal to it",
    ),
    Convention(
        "attention_gym_dilated",
        "attention-gym",
        "generate_dilated_sliding_window(W, d)",
        "every d-th key up to W away on each side: the reach stays, keys get fewer",
        "attn_gym/masks/dilated_sliding_window.py",
        nearest="window(left=W // d, right=W // d, dilation=d), equal to it",
    ),
)

CONVENTIONS = {row.name: row for row in (*_WINDOWS, *_OTHER_PATTERNS)}
