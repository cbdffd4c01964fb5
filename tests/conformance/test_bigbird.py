"""transformers 5.23: BigBird's block-sparse attention, and what it is equal to.

Its code for random blocks says itself that a slice is missing ("Missing -3: should
have been sliced till last-3"): a random block may be one that the window holds already,
and then its keys stand twice in the softmax. Outside training it draws no blocks at
all and gathers block 0 in their place.
"""

import numpy as np
import pytest
import torch

from longctx_edu.attention import block_sparse_attention, dense_attention
from longctx_edu.masks import blocks, dense_mask, global_blocks, window_blocks

bigbird = pytest.importorskip("transformers.models.big_bird.modeling_big_bird")

SIZE, HEAD, D_HEAD, N_RANDOM, SEED = 64, 2, 4, 3, 0
LONG, SHORT = 1024, 832  # 1,024 tokens is one of the lengths with a plan of its own


def run(n, *, training):
    """Run transformers' layer; return q, k, v, what it gives, and what it gathered.

    Returns:
        Also the random blocks that it gathered: one list a head and inner row.
    """
    config = bigbird.BigBirdConfig(
        hidden_size=HEAD * D_HEAD,
        num_attention_heads=HEAD,
        block_size=SIZE,
        num_random_blocks=N_RANDOM,
        max_position_embeddings=LONG,
    )
    torch.manual_seed(0)
    peer = bigbird.BigBirdBlockSparseAttention(config, seed=SEED).double()
    peer.train(training)
    for layer in (peer.query, peer.key):
        torch.nn.init.normal_(layer.weight)  # weights that are far from uniform
    gathered = []
    gather = peer.torch_gather_b2
    peer.torch_gather_b2 = lambda x, index: (
        gathered.append(index[0]), gather(x, index)
    )[1]  # fmt: skip
    x = torch.randn(1, n, HEAD * D_HEAD, dtype=torch.float64)
    q, k, v = (
        layer(x).unflatten(-1, (HEAD, D_HEAD)).transpose(1, 2).detach()
        for layer in (peer.query, peer.key, peer.value)
    )
    masks = bigbird.BigBirdModel.create_masks_for_block_sparse_attn(
        torch.ones(1, n, dtype=torch.float64), SIZE
    )
    blocked, band, from_mask, to_mask = masks
    state = np.random.get_state()  # training reseeds numpy's own generator
    out, _ = peer(x, band, from_mask, to_mask, blocked, blocked)
    np.random.set_state(state)
    out = out.detach().unflatten(-1, (HEAD, D_HEAD)).transpose(1, 2)
    return (q, k, v), out, gathered[0]


def counts_of(n, gathered):
    """Say how often each block stands in each row's softmax: head x row x column."""
    n_blocks = n // SIZE
    near = window_blocks(n_blocks, left=1, right=1) | ends(n_blocks)
    counts = near.long().repeat(HEAD, 1, 1)
    ones = torch.ones_like(gathered)
    counts[:, 1:-1].scatter_add_(2, gathered, ones)
    return counts


def ends(n_blocks):
    """The first and the last block are global."""
    flags = torch.zeros(n_blocks, dtype=torch.bool)
    flags[[0, -1]] = True
    return global_blocks(flags)


def repeated(counts, n):
    """Spread the counts of blocks over their tokens."""
    return counts.repeat_interleave(SIZE, dim=1).repeat_interleave(SIZE, dim=2)


def ours(q, k, v, layouts):
    """Compute our attention, each head under its own layout."""
    return torch.cat(
        [
            block_sparse_attention(
                *(x[:, head : head + 1] for x in (q, k, v)), layout=layout, size=SIZE
            )
            for head, layout in enumerate(layouts)
        ],
        dim=1,
    )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("n", [LONG, SHORT])
def test_it_counts_a_block_as_often_as_it_was_gathered(n, training):
    """Dense attention equals it with log(count) added to the scores, not by a mask."""
    inputs, theirs, gathered = run(n, training=training)
    bias = repeated(counts_of(n, gathered), n).double().log()
    wanted = dense_attention(*inputs, bias=bias[None])
    torch.testing.assert_close(theirs, wanted)


def test_in_training_a_random_block_may_be_one_of_the_window():
    """Rows 13 and 14 of 16: the draw leaves the window in (a comment admits it)."""
    inputs, theirs, gathered = run(LONG, training=True)
    counts = counts_of(LONG, gathered)
    twice = (counts > 1).any(dim=-1)
    assert twice.any()
    assert twice.nonzero()[:, 1].unique().tolist() == [13, 14]
    exact = ours(*inputs, counts > 0)
    far = (theirs - exact).abs().amax(dim=(0, 3)).unflatten(1, (-1, SIZE)).amax(-1)
    assert (far[twice] > 1e-3).all()
    torch.testing.assert_close(far[~twice], torch.zeros_like(far[~twice]))


def test_outside_training_block_0_counts_four_times_and_nothing_is_random():
    """Issue huggingface/transformers#23055, "fixed" by #23056 and #21023."""
    inputs, theirs, gathered = run(LONG, training=False)
    assert (gathered == 0).all()
    counts = counts_of(LONG, gathered)
    assert (counts[:, 1:-1, 0] == 1 + N_RANDOM).all()
    near = window_blocks(16, left=1, right=1) | ends(16)
    assert torch.equal(counts[0] > 0, near)
    exact = ours(*inputs, counts > 0)
    inner = slice(SIZE, -SIZE)
    far = (theirs - exact)[:, :, inner].abs().amax(dim=-1)
    assert (far > 1e-6).float().mean() > 0.99  # every inner row, up to chance
    ends_of_text = torch.cat([theirs[:, :, :SIZE], theirs[:, :, -SIZE:]], dim=2)
    wanted = torch.cat([exact[:, :, :SIZE], exact[:, :, -SIZE:]], dim=2)
    torch.testing.assert_close(ends_of_text, wanted)


def test_training_and_evaluation_read_other_graphs_and_ours_do_not():
    _, _, drawn = run(LONG, training=True)
    _, _, none = run(LONG, training=False)
    assert (drawn > 0).all()
    assert not torch.equal(drawn, none)
    mask = dense_mask(blocks(ends(16), SIZE), LONG)
    assert mask.dtype == torch.bool  # a layout has no counts, and knows no mode


def test_where_it_draws_no_block_twice_ours_equals_it():
    inputs, theirs, gathered = run(SHORT, training=True)
    counts = counts_of(SHORT, gathered)
    assert counts.max() == 1
    torch.testing.assert_close(ours(*inputs, counts > 0), theirs)
