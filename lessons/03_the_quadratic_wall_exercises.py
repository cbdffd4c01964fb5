# %% [markdown]
# # 03 · The quadratic wall: exercises
#
# Eight exercises, about two hours. You count the wall, carry a softmax along a stream,
# and write exact attention, forward and backward, that never forms the square.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. The
# last three checks also count the largest tensor that your function forms. The lesson
# is `notebooks/03_the_quadratic_wall.ipynb`, answers are in
# `solutions/03_the_quadratic_wall.ipynb`.

# %%
import math

import torch

from longctx_edu.attention import dense_attention
from longctx_edu.checks import largest_tensor
from longctx_edu.checks.lesson_03 import (
    check_attention_in_tiles,
    check_causal_tiles,
    check_dense_cost,
    check_longest_text,
    check_merge_two,
    check_online_mean,
    check_recomputed_gradients,
    check_running_max_and_sum,
)
from longctx_edu.plotting import plot_lines

# %% [markdown]
# ## Exercise 3.1 · Count
#
# **5 minutes · ●○○○○ · needs:** the lesson's first section
#
# Write `dense_cost(n_query, n_key, d_head, d_value)` and return three whole numbers:
# the pairs, the operations of both products, and the bytes of the scores in float32. A
# multiplication and an addition are one operation each. Keys have `d_head` numbers,
# values `d_value`; leave the softmax out.
#
# <details><summary>Hint 1: a nudge</summary>
# One pair first: what does its score cost, and what does its value cost?
# </details>
# <details><summary>Hint 2: the idea</summary>
# A dot product of d_head numbers takes d_head products and d_head additions. A value
# takes d_value of each.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>pairs = n_query * n_key</code>, then <code>pairs * (2 * d_head + ...)</code>,
# and 4 bytes a pair.
# </details>


# %%
def dense_cost(n_query, n_key, d_head, d_value):
    ### BEGIN SOLUTION
    pairs = n_query * n_key
    return pairs, pairs * (2 * d_head + 2 * d_value), pairs * 4
    ### END SOLUTION


# %% tags=["check"]
check_dense_cost(dense_cost)

# %% [markdown]
# ## Exercise 3.2 · The longest text
#
# **5 minutes · ●●○○○ · needs:** 3.1
#
# Write `longest_text(memory_bytes, n_heads)`: the most tokens whose squares of scores,
# float32 and one a head, fit in the memory at once. A whole number.
#
# <details><summary>Hint 1: a nudge</summary>
# How many scores fit? And how many of them for each head?
# </details>
# <details><summary>Hint 2: the idea</summary>
# n · n scores a head, 4 bytes each: solve for n, and round down.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>math.isqrt(...)</code> is the whole square root, rounded down; <code>//</code>
# divides whole numbers.
# </details>


# %%
def longest_text(memory_bytes, n_heads):
    ### BEGIN SOLUTION
    return math.isqrt(memory_bytes // (4 * n_heads))
    ### END SOLUTION


# %% tags=["check"]
check_longest_text(longest_text)

# %% [markdown]
# With twelve heads: **predict** how many tokens fit in 16 GiB, and how many more in
# 64 GiB.

# %% tags=["needs-solution"]
gib = [1, 4, 16, 64]
tokens = [longest_text(n * 2**30, 12) for n in gib]
plot_lines({"": (gib, tokens)}, x="memory (GiB)", y="longest text (tokens)", log=True)

# %% [markdown]
# ## Exercise 3.3 · A maximum and a sum, in one walk
#
# **10 minutes · ●●○○○ · needs:** the lesson's three scores
#
# Write `running_max_and_sum(scores)`: the largest score, and the sum of `exp(score -
# largest)`. The scores come one by one and **once**: a `for` loop is all that you can
# do with them. At no time may more than a few be held. There is at least one.
#
# <details><summary>Hint 1: a nudge</summary>
# When a score beats the maximum so far, what is wrong with the sum so far?
# </details>
# <details><summary>Hint 2: the idea</summary>
# It was measured against the old maximum. Multiply it by exp(old - new), then add the
# new score's part.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Start with <code>top, total = -math.inf, 0.0</code>; in the loop <code>new_top =
# max(top, score)</code>, then <code>total = total * math.exp(top - new_top) +
# ...</code>, then <code>top = new_top</code>.
# </details>


# %%
def running_max_and_sum(scores):
    ### BEGIN SOLUTION
    top, total = -math.inf, 0.0
    for score in scores:
        new_top = max(top, score)
        total = total * math.exp(top - new_top) + math.exp(score - new_top)
        top = new_top
    return top, total
    ### END SOLUTION


# %% tags=["check"]
check_running_max_and_sum(running_max_and_sum)

# %% [markdown]
# ## Exercise 3.4 · The values come along
#
# **10 minutes · ●●○○○ · needs:** 3.3
#
# Write `online_mean(pairs)`. Each pair is a score, a number, and a value, a tensor.
# They come one by one, once. Return the mean of the values, weighted by the softmax of
# the scores: one query's whole attention, without a row of weights. Leave the values as
# they are.
#
# <details><summary>Hint 1: a nudge</summary>
# Beside maximum and sum, carry a third thing. What happens to it when the maximum
# rises?
# </details>
# <details><summary>Hint 2: the idea</summary>
# A mixture: the sum of exp(score - maximum) times the value. It shrinks exactly as the
# sum does. Divide once, at the end.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>mixed = mixed * shrink + part * value</code>, with <code>shrink = math.exp(top -
# new_top)</code> and <code>part = math.exp(score - new_top)</code>; <code>mixed</code>
# may start as 0.0.
# </details>


# %%
def online_mean(pairs):
    ### BEGIN SOLUTION
    top, total, mixed = -math.inf, 0.0, 0.0
    for score, value in pairs:
        new_top = max(top, score)
        shrink, part = math.exp(top - new_top), math.exp(score - new_top)
        total, mixed = total * shrink + part, mixed * shrink + part * value
        top = new_top
    return mixed / total
    ### END SOLUTION


# %% tags=["check"]
check_online_mean(online_mean)

# %% [markdown]
# ## Exercise 3.5 · Merge two parts
#
# **15 minutes · ●●●○○ · needs:** the lesson's parts that never met
#
# Write `merge_two(out_a, lse_a, out_b, lse_b)` and return `out, lse`. The same queries
# met two sets of keys: `out` has a row for each query, `lse` one number for each, the
# log-sum-exp of its scores. Sums may be large (lse = 1000), and a part may have seen
# nothing (out = 0, lse = -inf). Where both saw nothing, so did the whole.
#
# <details><summary>Hint 1: a nudge</summary>
# Two numbers, lse_a and lse_b, become two shares that sum to 1. Which function of
# lesson 01 does that?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The common lse is the logarithm of the sum of both exps, torch.logaddexp. A part's
# share is exp(its lse - the common lse).
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>lse = torch.logaddexp(lse_a, lse_b)</code>; a share is <code>(lse_a -
# lse).exp()[:, None]</code>. Only where lse is -inf that is nan:
# <code>nan_to_num()</code> makes it 0.
# </details>


# %%
def merge_two(out_a, lse_a, out_b, lse_b):
    ### BEGIN SOLUTION
    lse = torch.logaddexp(lse_a, lse_b)
    share_a, share_b = ((part - lse).exp().nan_to_num() for part in (lse_a, lse_b))
    return share_a[:, None] * out_a + share_b[:, None] * out_b, lse
    ### END SOLUTION


# %% tags=["check"]
check_merge_two(merge_two)

# %% [markdown]
# ## Exercise 3.6 · Attention in tiles of keys
#
# **20 minutes · ●●●○○ · needs:** 3.4 or 3.5
#
# Write `attention_in_tiles(q, k, v, block)` and return `out, lse`. `q` has a row for
# each query, `k` and `v` one for each key. Take `block` keys at a time; the last tile
# may be smaller. All queries may walk together, so that the largest tensor has queries
# times `block` numbers. It must be exact, also for scores of a thousand.
#
# <details><summary>Hint 1: a nudge</summary>
# 3.4 with a tile in place of a key, and a column of maxima in place of one.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Per tile: scores, new maximum of each row, shrink what is carried, add the tile's sum
# and its product with the values. Or: plain attention within the tile, and merge_two.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>for k_tile, v_tile in zip(k.split(block), v.split(block)):</code>, then
# <code>scores = q @ k_tile.mT / math.sqrt(q.shape[1])</code> and <code>new_top =
# torch.maximum(top, scores.amax(dim=1))</code>. A row's number stands beside its row as
# <code>top[:, None]</code>.
# </details>


# %%
def attention_in_tiles(q, k, v, block):
    ### BEGIN SOLUTION
    top, total = torch.full((len(q),), -math.inf), torch.zeros(len(q))
    mixed = torch.zeros(len(q), v.shape[1])
    for k_tile, v_tile in zip(k.split(block), v.split(block), strict=True):
        scores = q @ k_tile.mT / math.sqrt(q.shape[1])
        new_top = torch.maximum(top, scores.amax(dim=1))
        shrink, parts = (top - new_top).exp(), (scores - new_top[:, None]).exp()
        total = total * shrink + parts.sum(dim=1)
        mixed = mixed * shrink[:, None] + parts @ v_tile
        top = new_top
    return mixed / total[:, None], top + total.log()
    ### END SOLUTION


# %% tags=["check"]
check_attention_in_tiles(attention_in_tiles)

# %% [markdown]
# The largest tensor of your own function, beside the definition's, tiles of 64.
# **Predict** the two slopes.

# %% tags=["needs-solution"]
lengths = [128, 256, 512, 1024, 2048]
texts = [
    torch.randn(3, n, 8, generator=torch.Generator().manual_seed(n)) for n in lengths
]
tiled = [largest_tensor(attention_in_tiles, *text, 64) for text in texts]
dense = [largest_tensor(dense_attention, *text) for text in texts]
lines = {"dense": (lengths, dense), "my tiles": (lengths, tiled)}
plot_lines(lines, x="length (tokens)", y="largest tensor (numbers)", log=True)

# %% [markdown]
# ## Exercise 3.7 · Causal, and half the work
#
# **25 minutes · ●●●●○ · needs:** 3.5 and 3.6
#
# Write `causal_tiles(q, k, v, block)` and return `out`: a token sees itself and what
# came before. Take the queries in tiles too. The tile on the diagonal needs a mask
# inside; what lies before it is seen whole; what lies beyond it must not be computed at
# all. The check counts the operations.
#
# <details><summary>Hint 1: a nudge</summary>
# A block of queries from start to stop: which keys does it see whole, which in part?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Two parts: the keys before start, by attention_in_tiles, and the diagonal tile under a
# causal mask, with its own lse. merge_two joins them; at start 0 there is only one.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# The diagonal: <code>ahead = torch.ones(m, m).triu(1).bool()</code> for m rows,
# <code>scores.masked_fill(ahead, -math.inf)</code>, its <code>softmax(dim=1) @
# v[start:stop]</code> and its <code>logsumexp(dim=1)</code>. Before it:
# <code>attention_in_tiles(rows, k[:start], v[:start], block)</code>.
# </details>


# %%
def causal_tiles(q, k, v, block):
    ### BEGIN SOLUTION
    outs = []
    for start in range(0, len(q), block):
        rows = q[start : start + block]
        here = slice(start, start + len(rows))
        ahead = torch.ones(len(rows), len(rows)).triu(1).bool()
        scores = rows @ k[here].mT / math.sqrt(q.shape[1])
        scores = scores.masked_fill(ahead, -math.inf)
        out, lse = scores.softmax(dim=1) @ v[here], scores.logsumexp(dim=1)
        if start > 0:
            before = attention_in_tiles(rows, k[:start], v[:start], block)
            out, lse = merge_two(out, lse, *before)
        outs.append(out)
    return torch.cat(outs)
    ### END SOLUTION


# %% tags=["check"]
check_causal_tiles(causal_tiles)

# %% [markdown]
# ## Exercise 3.8 · Gradients without the square
#
# **25 minutes · ●●●●○ · needs:** 3.6, and the lesson's last third
#
# Write `recomputed_gradients(q, k, v, out, lse, d_out, block)` and return `d_q, d_k,
# d_v`. `out` and `lse` come from the forward pass, `d_out` says how the loss moves with
# each answer. Make the weights of one tile of keys at a time, from `lse`, and use them
# up: no square.
#
# <details><summary>Hint 1: a nudge</summary>
# Which of the three gradients belongs to one tile alone, and which is a sum over all?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Per tile: p = exp(scores - lse), d_s = p * (d_out @ v_tile.mT - mean), with mean the
# row sums of d_out * out. Then d_v gets p.mT @ d_out, d_k gets d_s.mT @ q, and d_q adds
# d_s @ k_tile. The scale counts in the scores and once more in d_s.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>mean = (d_out * out).sum(dim=1, keepdim=True)</code> before the loop; in it
# <code>p = (scale * q @ k_tile.mT - lse[:, None]).exp()</code>. Collect d_k and d_v in
# lists and join them with <code>torch.cat</code>.
# </details>


# %%
def recomputed_gradients(q, k, v, out, lse, d_out, block):
    ### BEGIN SOLUTION
    scale = 1 / math.sqrt(q.shape[1])
    mean = (d_out * out).sum(dim=1, keepdim=True)
    d_q, d_k, d_v = torch.zeros_like(q), [], []
    for k_tile, v_tile in zip(k.split(block), v.split(block), strict=True):
        p = (scale * q @ k_tile.mT - lse[:, None]).exp()
        d_s = scale * p * (d_out @ v_tile.mT - mean)
        d_q = d_q + d_s @ k_tile
        d_k.append(d_s.mT @ q)
        d_v.append(p.mT @ d_out)
    return d_q, torch.cat(d_k), torch.cat(d_v)
    ### END SOLUTION


# %% tags=["check"]
check_recomputed_gradients(recomputed_gradients)

# %% [markdown]
# Both halves together: your tiles forward, your gradients backward, against autograd on
# the definition, for 300 tokens in tiles of 64.

# %% tags=["needs-solution"]
text = torch.randn(3, 300, 8, generator=torch.Generator().manual_seed(0))
leaves = [x.clone().requires_grad_() for x in text]
dense_attention(*leaves).sum().backward()
mine = recomputed_gradients(
    *text, *attention_in_tiles(*text, 64), torch.ones(300, 8), 64
)
for gradient, leaf in zip(mine, leaves, strict=True):
    assert torch.allclose(gradient, leaf.grad, atol=1e-5)

# %% [markdown]
# ## Done
#
# Eight functions: exact attention, forward and backward, in memory that grows with the
# text. Operations did not fall: 3.7 saved half of them, since the mask hides half.
# What if a mask hides all but a band? Then the same skipping saves nearly everything.
# Lesson 05 does that.
