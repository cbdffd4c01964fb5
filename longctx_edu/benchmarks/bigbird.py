"""BigBird's own attention, as transformers has it, and what it really computes."""

import torch
from jaxtyping import Int
from torch import Tensor

from longctx_edu.attention import block_pairs
from longctx_edu.benchmarks.cases import DTYPES, Case
from longctx_edu.benchmarks.contender import Built, CannotRun, Claim, Contender
from longctx_edu.benchmarks.given import Copy, given_projections
from longctx_edu.benchmarks.implementations import BLOCK, RANDOM_BLOCKS
from longctx_edu.measure import device

FULL_UP_TO = (5 + 2 * RANDOM_BLOCKS) * BLOCK


def build_bigbird(case: Case) -> Built:
    """Prepare `BigBirdBlockSparseAttention`, in training mode and without dropout.

    In evaluation mode it draws no random blocks and takes the first block for each.

    Args:
        case: What is asked; its window and global tokens do not matter here.

    Raises:
        CannotRun: If it does not take the length, or a causal mask.
    """
    asked = case.setting
    if asked.causal:
        raise CannotRun("it has no causal mode")
    if case.n % BLOCK:
        raise CannotRun(f"it needs a length that {BLOCK} divides")
    if case.n <= FULL_UP_TO:
        raise CannotRun(f"its model takes full attention up to {FULL_UP_TO} tokens")
    from transformers.models.big_bird import modeling_big_bird as peer

    config = peer.BigBirdConfig(
        hidden_size=asked.n_heads * asked.d_head,
        num_attention_heads=asked.n_heads,
        block_size=BLOCK,
        num_random_blocks=RANDOM_BLOCKS,
        attention_probs_dropout_prob=0.0,
    )
    module = peer.BigBirdBlockSparseAttention(config, seed=asked.seed).train()
    module.query = Copy()
    key, value = given_projections(module, transposed=False)
    masks, drawn = bigbird_masks(case, peer.BigBirdModel), note_drawn(module)

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        key.x, value.x = k, v
        try:
            return module(q, **masks)[0]
        finally:
            key.x = value.x = None

    def pairs() -> int:
        seen = times_seen(drawn["blocks"], case.n // BLOCK) > 0
        counts = [block_pairs(head, BLOCK, case.n_real) for head in seen]
        return sum(counts) // len(counts)

    return Built(attend, claim_of(case, drawn), pairs)


def bigbird_masks(case: Case, model: type) -> dict[str, Tensor]:
    """Say in its words which tokens are real.

    Args:
        case: What is asked.
        model: Its model, which makes these masks.
    """
    real = torch.ones(case.setting.batch, case.n, device=device())
    real = (real if case.keep is None else case.keep).to(DTYPES[case.dtype])
    blocks, band, rows, columns = model.create_masks_for_block_sparse_attn(real, BLOCK)
    return {
        "band_mask": band,
        "from_mask": rows,
        "to_mask": columns,
        "from_blocked_mask": blocks,
        "to_blocked_mask": blocks,
    }


def note_drawn(module: torch.nn.Module) -> dict[str, Tensor]:
    """Note the random blocks when the module gathers their keys.

    Args:
        module: Its attention.

    Returns:
        Filled by the first call: "blocks", the list of each head and inner row.
    """
    gather, drawn = module.torch_gather_b2, {}

    def noting(params: Tensor, indices: Tensor) -> Tensor:
        drawn["blocks"] = indices[0]
        return gather(params, indices)

    module.torch_gather_b2 = noting
    return drawn


def times_seen(
    drawn: Int[Tensor, "head row random"], n_blocks: int
) -> Int[Tensor, "head block block"]:
    """Count how often each block of queries sees each block of keys.

    Its softmax takes a block of keys as often as its lists name it: a random block
    that is in the window or drawn twice weighs more.

    Args:
        drawn: The random blocks of all rows but the first and the last.
        n_blocks: Blocks in a text.

    Example:
        >>> times_seen(torch.zeros(1, 4, 1, dtype=torch.long), 6)[0].tolist()[:3]
        [[1, 1, 1, 1, 1, 1], [2, 1, 1, 0, 0, 1], [2, 1, 1, 1, 0, 1]]
    """
    place = torch.arange(n_blocks, device=drawn.device)
    count = ((place[:, None] - place).abs() <= 1).long()
    count[[0, -1]] = 1
    count[:, [0, -1]] = 1
    count = count.repeat(len(drawn), 1, 1)
    count[:, 1:-1].scatter_add_(2, drawn, torch.ones_like(drawn))
    return count


def claim_of(case: Case, drawn: dict[str, Tensor]) -> Claim:
    """Claim what it computes: a key that is named m times gets log m as a bias.

    Args:
        case: What is asked.
        drawn: The random blocks, once it has run.
    """

    def claim(query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        count = times_seen(drawn["blocks"].cpu(), case.n // BLOCK)
        count = count[:, query // BLOCK, key // BLOCK]
        seen = count > 0 if case.keep is None else (count > 0) & case.keep[0].cpu()[key]
        return seen, count.clamp(min=1).double().log()

    return claim


def bigbird_memory(case: Case, backward: bool) -> int:
    """Guess: it writes down the whole square of weights, which nobody asked for.

    Args:
        case: What is asked.
        backward: With the gradients.
    """
    asked, itemsize = case.setting, DTYPES[case.dtype].itemsize
    each = asked.batch * asked.n_heads * case.n * itemsize
    scores = (5 + RANDOM_BLOCKS) * BLOCK * (10 if backward else 6)
    return each * (case.n + scores)


BIGBIRD = Contender(
    "hf_bigbird",
    "transformers' BigBirdBlockSparseAttention, in training mode",
    build_bigbird,
    bigbird_memory,
    layout="token",
    power=2,
)
"""BigBird as a contender."""
