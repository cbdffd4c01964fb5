"""Longformer's own attention, as transformers has it."""

from functools import partial

import torch
from torch import Tensor

from longctx_edu.benchmarks.cases import DTYPES, Case
from longctx_edu.benchmarks.contender import Built, CannotRun, Contender, claims
from longctx_edu.benchmarks.given import Copy, given_projections
from longctx_edu.benchmarks.needed import needed_in_window
from longctx_edu.measure import device


def build_longformer(case: Case) -> Built:
    """Prepare `LongformerSelfAttention`.

    Args:
        case: What is asked.

    Raises:
        CannotRun: If it has no such window.
    """
    asked = case.setting
    if asked.causal:
        raise CannotRun("it has no causal mode")
    if asked.dilation > 1:
        raise CannotRun("it has no dilation")
    if asked.left == 0 or asked.right != asked.left:
        raise CannotRun("it needs left = right > 0")
    if case.n % (2 * asked.left):
        raise CannotRun(f"it needs a length that {2 * asked.left} divides")
    from transformers.models.longformer import modeling_longformer as peer

    config = peer.LongformerConfig(
        hidden_size=asked.n_heads * asked.d_head,
        num_attention_heads=asked.n_heads,
        attention_window=[2 * asked.left],
        attention_probs_dropout_prob=0.0,
    )
    module = peer.LongformerSelfAttention(config, layer_id=0).eval()
    key, value = given_projections(module, transposed=True)
    module.query = module.query_global = Copy()
    module.key_global, module.value_global = key, value
    masks = longformer_masks(case)

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        key.x, value.x = k, v
        try:
            return module(q, **masks)[0]
        finally:
            key.x = value.x = None

    return Built(attend, claims(case.window()), partial(needed_in_window, case))


def longformer_masks(case: Case) -> dict[str, Tensor | bool]:
    """Say in its words which tokens are padding and which are global.

    Args:
        case: What is asked.
    """
    shape = (case.setting.batch, case.n)
    none = torch.zeros(shape, dtype=torch.bool, device=device())
    padding = none if case.keep is None else ~case.keep
    flags = none if case.flags is None else case.flags
    kinds = flags.to(DTYPES[case.dtype]) - padding.to(DTYPES[case.dtype])
    return {
        "attention_mask": kinds * 10_000,
        "is_index_masked": padding,
        "is_index_global_attn": flags,
        "is_global_attn": bool(flags.any()),
    }


def longformer_memory(case: Case, backward: bool) -> int:
    """Guess: so many copies of the scores of a window, in its four-byte softmax.

    Args:
        case: What is asked.
        backward: With the gradients.
    """
    asked = case.setting
    scores = 4 * asked.batch * asked.n_heads * case.n * (2 * asked.left + 1)
    return scores * (14 if backward else 7)


LONGFORMER = Contender(
    "hf_longformer",
    "transformers' LongformerSelfAttention",
    build_longformer,
    longformer_memory,
    layout="token",
)
"""Longformer as a contender."""
