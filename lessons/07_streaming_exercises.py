# %% [markdown]
# # 07 · Streaming: exercises
#
# Eight exercises, about two hours. You count a cache, write it, share it among heads,
# fill it in chunks, and let it forget; then you choose words, and stop.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. The
# lesson is `notebooks/07_streaming.ipynb`, answers are in
# `solutions/07_streaming.ipynb`.

# %%
import math

import torch

from longctx_edu.checks.lesson_07 import (
    check_cache_bytes,
    check_cache_distances,
    check_cached_step,
    check_forget,
    check_grouped_attention,
    check_prefill,
    check_top_p_shares,
    check_write_on,
)
from longctx_edu.memory import KVCache
from longctx_edu.models import TransformerConfig, build_language_model
from longctx_edu.plotting import plot_lines, plot_shares

# %% [markdown]
# ## Exercise 7.1 · Count the bytes
#
# **5 minutes · ●○○○○ · needs:** the lesson's bytes
#
# Write `cache_bytes(n_tokens, n_layers, n_heads, n_kv_heads, d_head, number_bytes)`:
# the bytes of the keys and values of a text. `n_heads` are the heads of queries,
# `n_kv_heads` those of keys. A whole number.
#
# <details><summary>Hint 1: a nudge</summary>
# What does one token leave behind, in one layer?
# </details>
# <details><summary>Hint 2: the idea</summary>
# A key and a value, each of d_head numbers, for each head that has its own. Queries are
# not kept.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>2 * n_layers * n_kv_heads * ...</code>
# </details>


# %%
def cache_bytes(n_tokens, n_layers, n_heads, n_kv_heads, d_head, number_bytes):
    ### BEGIN SOLUTION
    return 2 * n_tokens * n_layers * n_kv_heads * d_head * number_bytes
    ### END SOLUTION


# %% tags=["check"]
check_cache_bytes(cache_bytes)

# %% [markdown]
# A model as large as Llama 3.1 8B, with 1, 8 or 32 heads of keys. **Predict** the GiB
# at 131,072 tokens.

# %% tags=["needs-solution"]
lengths = [2**p for p in range(12, 18)]
lines = {}
for heads in (32, 8, 1):
    held = [cache_bytes(n, 32, 32, heads, 128, 2) / 2**30 for n in lengths]
    lines[f"{heads} heads of keys"] = (lengths, held)
plot_lines(lines, x="length (tokens)", y="cache (GiB)", log=True)

# %% [markdown]
# ## Exercise 7.2 · One step with a cache
#
# **10 minutes · ●●○○○ · needs:** the cache by hand
#
# Write `cached_step(q, k, v, keys, values)` for one head and one new token. `q` and `k`
# are rows of d_head numbers, shape (1, d_head), `v` is (1, d_value); `keys` and
# `values` have a row for each token read before, maybe none. Return `out, keys,
# values`: what the token takes, and the cache with the token in it, newest last.
#
# <details><summary>Hint 1: a nudge</summary>
# Does a token see itself?
# </details>
# <details><summary>Hint 2: the idea</summary>
# It does: first put k and v behind the others, then attend with q to all of them. No
# mask, since nothing is ahead.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>keys = torch.cat([keys, k])</code>, the same for values; then <code>(q @ keys.mT
# / math.sqrt(q.shape[1])).softmax(dim=1) @ values</code>.
# </details>


# %%
def cached_step(q, k, v, keys, values):
    ### BEGIN SOLUTION
    keys, values = torch.cat([keys, k]), torch.cat([values, v])
    weights = (q @ keys.mT / math.sqrt(q.shape[1])).softmax(dim=1)
    return weights @ values, keys, values
    ### END SOLUTION


# %% tags=["check"]
check_cached_step(cached_step)

# %% [markdown]
# ## Exercise 7.3 · Grouped queries
#
# **15 minutes · ●●●○○ · needs:** the lesson's groups
#
# Write `grouped_attention(q, k, v)`. `q` is (head, query, d_head); `k` is (kv_head,
# key, d_head), `v` is (kv_head, key, d_value), with fewer heads. Neighbouring heads of
# queries share a head of keys. Every query sees every key: no mask.
#
# <details><summary>Hint 1: a nudge</summary>
# With 4 heads of queries and 2 of keys: which keys are asked by head 1?
# </details>
# <details><summary>Hint 2: the idea</summary>
# group = n_heads // n_kv_heads; head h asks the keys h // group. Give each head of keys
# group copies, side by side, and attend as always.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>k = k.repeat_interleave(group, dim=0)</code>; <code>.mT</code> turns the last
# two axes. Without copies: cut the heads of q into (kv_head, group) first.
# </details>


# %%
def grouped_attention(q, k, v):
    ### BEGIN SOLUTION
    group = len(q) // len(k)
    k, v = (x.repeat_interleave(group, dim=0) for x in (k, v))
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1) @ v
    ### END SOLUTION


# %% tags=["check"]
check_grouped_attention(grouped_attention)

# %% [markdown]
# ## Exercise 7.4 · A prompt in chunks
#
# **20 minutes · ●●●○○ · needs:** the lesson's chunks
#
# Write `prefill(q, k, v, size)`: causal attention of one head, a row for each token,
# `size` tokens at a time. A chunk sees what came before it, and itself up to the
# diagonal. The last chunk may be smaller. No tensor may have more than `size` rows of
# scores: the check counts.
#
# <details><summary>Hint 1: a nudge</summary>
# The tokens from start to stop: up to which key does anyone of them look?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Scores of the rows start to stop against the keys 0 to stop. Hide each key whose place
# is behind its query's place; count both from the start of the text.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>ahead = torch.arange(stop) > torch.arange(start, stop)[:, None]</code>, then
# <code>scores.masked_fill(ahead, -math.inf)</code>; with <code>stop = min(start + size,
# len(q))</code>.
# </details>


# %%
def prefill(q, k, v, size):
    ### BEGIN SOLUTION
    rows = []
    for start in range(0, len(q), size):
        stop = min(start + size, len(q))
        scores = q[start:stop] @ k[:stop].mT / math.sqrt(q.shape[1])
        ahead = torch.arange(stop) > torch.arange(start, stop)[:, None]
        rows.append(scores.masked_fill(ahead, -math.inf).softmax(dim=1) @ v[:stop])
    return torch.cat(rows)
    ### END SOLUTION


# %% tags=["check"]
check_prefill(prefill)

# %% [markdown]
# ## Exercise 7.5 · Forget
#
# **15 minutes · ●●●○○ · needs:** the lesson's window and sinks
#
# Write `forget(keys, left, sinks)`. `keys` has a row for each token of a text, all of
# them. Return the rows that later tokens can see: the first `sinks`, then the last
# `left` of the others, in the order of the text. Either number may be 0. What is
# forgotten must leave the memory: a slice is a view, and keeps the whole text alive.
#
# <details><summary>Hint 1: a nudge</summary>
# What if the text is shorter than left + sinks? And what is keys[-0:]?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Say where the window begins, counted from the front: left before the end, but not
# before the sinks end.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>first = max(sinks, len(keys) - left)</code>; <code>torch.cat([keys[:sinks],
# ...])</code> copies.
# </details>


# %%
def forget(keys, left, sinks):
    ### BEGIN SOLUTION
    first = max(sinks, len(keys) - left)
    return torch.cat([keys[:sinks], keys[first:]])
    ### END SOLUTION


# %% tags=["check"]
check_forget(forget)

# %% [markdown]
# ## Exercise 7.6 · Distances inside the cache
#
# **15 minutes · ●●●○○ · needs:** a place inside the cache
#
# Write `cache_distances(place, left, sinks)`: a list with the distance of the query at
# `place` to each key that it sees, sinks first, itself last. It sees itself, `left`
# tokens before, and the sinks, each token once. Towards the sinks the query stands at
# `min(place, sinks + left)`, towards all others at its own place.
#
# <details><summary>Hint 1: a nudge</summary>
# left = 3, two sinks, place 10. Which five tokens does it see besides itself?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The sinks 0 and 1 from place 5: distances 5 and 4. Tokens 7 to 10 from place 10: 3, 2,
# 1, 0. At the start of a text, sinks and window overlap.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# The sinks are <code>range(min(sinks, place + 1))</code>, the others
# <code>range(max(sinks, place - left), place + 1)</code>.
# </details>


# %%
def cache_distances(place, left, sinks):
    ### BEGIN SOLUTION
    inside = min(place, sinks + left)
    first = [inside - t for t in range(min(sinks, place + 1))]
    return first + [place - t for t in range(max(sinks, place - left), place + 1)]
    ### END SOLUTION


# %% tags=["check"]
check_cache_distances(cache_distances)

# %% [markdown]
# The largest distance that a query meets, by your own count, and what it would be by
# the text.

# %% tags=["needs-solution"]
places = range(0, 60, 3)
lines = {
    "by the text": (places, places),
    "inside the cache": (places, [max(cache_distances(p, 15, 4)) for p in places]),
}
plot_lines(lines, x="place (tokens)", y="largest distance (tokens)")

# %% [markdown]
# ## Exercise 7.7 · Top-p
#
# **15 minutes · ●●●○○ · needs:** the lesson's last section
#
# Write `top_p_shares(shares, p)`. `shares` has one number a word, they sum to 1. Leave
# the fewest words that cover `p` together, the likeliest first, and 0 elsewhere; then
# scale what is left to sum to 1. No two shares are equal.
#
# <details><summary>Hint 1: a nudge</summary>
# Shares 0.5, 0.3, 0.2 and p = 0.6: does the second word stay?
# </details>
# <details><summary>Hint 2: the idea</summary>
# It does. Sort from the largest; a word stays if those *before* it cover less than p.
# Then bring the answer back into the order of the words.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>ordered, order = shares.sort(descending=True)</code>; <code>before =
# ordered.cumsum(0) - ordered</code>; the words that stay are <code>order[before <
# p]</code>.
# </details>


# %%
def top_p_shares(shares, p):
    ### BEGIN SOLUTION
    ordered, order = shares.sort(descending=True)
    stays = order[ordered.cumsum(0) - ordered < p]
    left = torch.zeros_like(shares)
    left[stays] = shares[stays]
    return left / left.sum()
    ### END SOLUTION


# %% tags=["check"]
check_top_p_shares(top_p_shares)

# %% tags=["needs-solution"]
shares = torch.tensor([0.08, 0.4, 0.05, 0.25, 0.15, 0.07])
plot_shares(list("abcdef"), top_p_shares(shares, 0.7), title="p = 0.7")

# %% [markdown]
# ## Exercise 7.8 · Write on, and stop
#
# **20 minutes · ●●●●○ · needs:** decoding
#
# Write `write_on(read, prompt, most, end)`. `read(ids)` takes a list of ids, remembers
# them behind all that it has read before, and returns the logits of the next token.
# Give it each token once: the prompt first, then each new one. Always say the
# likeliest. Return the list of the new ids: `most` of them at most, or up to and with
# `end`.
#
# <details><summary>Hint 1: a nudge</summary>
# read remembers. What does the second call have to hand over?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The new token alone, in a list. Choose, append, then see whether it was the end or
# enough.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>unread = prompt</code> before the loop; in it <code>token =
# int(read(unread).argmax())</code>, append it, <code>unread = [token]</code>.
# </details>


# %%
def write_on(read, prompt, most, end):
    ### BEGIN SOLUTION
    new, unread = [], prompt
    while len(new) < most and (not new or new[-1] != end):
        token = int(read(unread).argmax())
        new.append(token)
        unread = [token]
    return new
    ### END SOLUTION


# %% tags=["check"]
check_write_on(write_on)

# %% [markdown]
# Your loop on a model of the library, with its cache, against the whole text read again
# for each token.

# %% tags=["needs-solution"]
torch.manual_seed(0)
model = build_language_model(TransformerConfig(vocab_size=40, d_model=32, d_ff=64))
model = model.requires_grad_(False)
cache, text = KVCache(n_layers=2), [5, 7, 11]
mine = write_on(
    lambda ids: model(torch.tensor([ids]), cache=cache)[0, -1], text, most=20, end=-1
)
for token in mine:
    assert token == int(model(torch.tensor([text]))[0, -1].argmax())
    text = [*text, token]

# %% [markdown]
# ## Done
#
# A cache, its bytes, its groups, its chunks, and what it forgets. Put 7.2, 7.5 and 7.6
# together and you have a stream that never ends, in memory that never grows.
