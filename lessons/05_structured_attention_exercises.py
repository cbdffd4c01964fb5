# %% [markdown]
# # 05 · Structured attention: exercises
#
# Eleven exercises, about two and a half hours. You write patterns as masks, follow them
# as graphs, and turn the mask of a window into attention that never forms the square.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. Two
# checks also count the largest tensor and the products. The lesson is
# `notebooks/05_structured_attention.ipynb`, answers are in
# `solutions/05_structured_attention.ipynb`.

# %%
import math

import torch

from longctx_edu.attention import dense_attention
from longctx_edu.checks import largest_tensor
from longctx_edu.checks.lesson_05 import (
    check_add_globals,
    check_band_mask,
    check_band_pairs,
    check_dilated_mask,
    check_heard_after,
    check_key_range,
    check_random_layout,
    check_to_sides,
    check_window_and_globals,
    check_window_in_blocks,
    check_window_mask,
)
from longctx_edu.plotting import panels, plot_lines, plot_mask, plot_reach
from longctx_edu.plotting import plot_weights

# %% [markdown]
# ## Exercise 5.1 · A window
#
# **10 minutes · ●○○○○ · needs:** the lesson's first section
#
# Write `window_mask(n_token, left, right)`: a square of bools, True where the query may
# look at the key. Rows are queries. A token sees `left` keys before itself, `right`
# keys after itself, and itself.
#
# <details><summary>Hint 1: a nudge</summary>
# Which number says how far a key lies after a query, and is negative before it?
# </details>
# <details><summary>Hint 2: the idea</summary>
# key - query, for all pairs at once: places in a row less places in a column. It must
# lie between -left and right, both included.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>i = torch.arange(n_token)</code>, <code>offset = i - i[:, None]</code>, then two
# comparisons joined by <code>&amp;</code>, each in brackets.
# </details>


# %%
def window_mask(n_token, left, right):
    ### BEGIN SOLUTION
    i = torch.arange(n_token)
    offset = i - i[:, None]
    return (offset >= -left) & (offset <= right)
    ### END SOLUTION


# %% tags=["check"]
check_window_mask(window_mask)

# %% [markdown]
# ## Exercise 5.2 · Dilation
#
# **10 minutes · ●●○○○ · needs:** 5.1
#
# Write `dilated_mask(n_token, left, right, dilation)`: as many keys as before, but only
# every `dilation`-th neighbour, counted from the query. With dilation 2 and left = 2 a
# token sees the keys 4 and 2 places before it.
#
# <details><summary>Hint 1: a nudge</summary>
# How far away is the farthest key now? And which offsets between are left out?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Both ends move away by the factor dilation. Of what lies between, keep the offsets
# that dilation divides.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>window_mask(n_token, left * dilation, ...)</code>, joined with <code>offset %
# dilation == 0</code>.
# </details>


# %%
def dilated_mask(n_token, left, right, dilation):
    ### BEGIN SOLUTION
    i = torch.arange(n_token)
    steps = (i - i[:, None]) % dilation == 0
    return window_mask(n_token, left * dilation, right * dilation) & steps
    ### END SOLUTION


# %% tags=["check"]
check_dilated_mask(dilated_mask)

# %% [markdown]
# ## Exercise 5.3 · Global tokens
#
# **10 minutes · ●●○○○ · needs:** 5.1
#
# Write `add_globals(mask, flags)`. `flags` has one bool a token, True for a global one.
# A global token sees all and is seen by all; everything else stays as it was. Leave the
# mask that came in unchanged.
#
# <details><summary>Hint 1: a nudge</summary>
# "Sees all" is a row, "is seen by all" is a column.
# </details>
# <details><summary>Hint 2: the idea</summary>
# flags as a column says which rows are dark, flags as a row says which columns are.
# Join all three.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>mask | flags[:, None] | ...</code>
# </details>


# %%
def add_globals(mask, flags):
    ### BEGIN SOLUTION
    return mask | flags[:, None] | flags
    ### END SOLUTION


# %% tags=["check"]
check_add_globals(add_globals)

# %% [markdown]
# Your three patterns on 14 tokens. Count the dark squares of the first before you run
# the cell.

# %% tags=["needs-solution"]
patterns = {
    "left=2, right=1": window_mask(14, 2, 1),
    "dilation 2": dilated_mask(14, 2, 1, 2),
    "token 5 global": add_globals(window_mask(14, 2, 1), torch.arange(14) == 5),
}
axes = panels(3, width=3.0)
for ax, (name, mask) in zip(axes, patterns.items(), strict=True):
    plot_mask(mask, ax=ax, title=f"{name}: {int(mask.sum())}")

# %% [markdown]
# ## Exercise 5.4 · Count the pairs
#
# **10 minutes · ●●○○○ · needs:** 5.1
#
# Write `band_pairs(n_token, left, right)`: how many squares of the window's mask are
# dark, exactly. Use a formula and form no square. The window may be longer than the
# text.
#
# <details><summary>Hint 1: a nudge</summary>
# How many pairs would there be if the text had no ends? And which rows lack some?
# </details>
# <details><summary>Hint 2: the idea</summary>
# n_token rows of left + 1 + right. The first rows lack left, left - 1, ..., 1 keys: a
# triangle. The last rows lack another. No side is longer than n_token - 1.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>left = min(left, n_token - 1)</code>, the same for right; then <code>n_token *
# (left + 1 + right) - left * (left + 1) // 2 - ...</code>
# </details>


# %%
def band_pairs(n_token, left, right):
    ### BEGIN SOLUTION
    left, right = min(left, n_token - 1), min(right, n_token - 1)
    triangles = left * (left + 1) // 2 + right * (right + 1) // 2
    return n_token * (left + 1 + right) - triangles
    ### END SOLUTION


# %% tags=["check"]
check_band_pairs(band_pairs)

# %% [markdown]
# Pairs of a window of 64 on each side, beside all pairs. **Predict** the two slopes,
# and where the lines meet.

# %% tags=["needs-solution"]
lengths = [32, 64, 128, 256, 512, 1024, 2048, 4096]
lines = {"all": (lengths, [n * n for n in lengths])}
lines["window"] = (lengths, [band_pairs(n, 64, 64) for n in lengths])
plot_lines(lines, x="length (tokens)", y="pairs", log=True)

# %% [markdown]
# ## Exercise 5.5 · Who hears of whom
#
# **15 minutes · ●●●○○ · needs:** the lesson's section on graphs
#
# Write `heard_after(mask, n_layers)`: a square of bools, True where the query hears of
# the key after so many layers, all with the same mask. After no layer at all a token
# knows itself only. Only ways of exactly `n_layers` steps count: a token that does not
# look at itself forgets itself.
#
# <details><summary>Hint 1: a nudge</summary>
# A token hears, through one more layer, what those it looks at have heard before.
# </details>
# <details><summary>Hint 2: the idea</summary>
# That is a matrix product of the mask with what was heard; an entry above 0 means that
# there is at least one way. Begin with the identity.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>hears = torch.eye(len(mask)).bool()</code>, and once a layer <code>hears =
# (mask.int() @ ...) &gt; 0</code>
# </details>


# %%
def heard_after(mask, n_layers):
    ### BEGIN SOLUTION
    hears = torch.eye(len(mask)).bool()
    for _ in range(n_layers):
        hears = (mask.int() @ hears.int()) > 0
    return hears
    ### END SOLUTION


# %% tags=["check"]
check_heard_after(heard_after)

# %% [markdown]
# A causal window of 2, four layers. **Predict:** of how many tokens does token 12 hear?
# The picture and your function must agree.

# %% tags=["needs-solution"]
mask = window_mask(16, 2, 0)
assert int(heard_after(mask, 4)[12].sum()) == 9
plot_reach([mask] * 4, query=12, title="left=2, right=0, four layers")

# %% [markdown]
# ## Exercise 5.6 · The keys of a block
#
# **10 minutes · ●●○○○ · needs:** the lesson's step 3
#
# The text is cut into blocks of `size` queries, counted from 0; the last may be
# shorter. Write `key_range(block, size, n_token, left, right)` and return `low, high`,
# so that `k[low:high]` holds every key that some query of the block sees, and no others
# than those between.
#
# <details><summary>Hint 1: a nudge</summary>
# Which query of the block sees farthest back, and which farthest ahead?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The first query is block * size; the block stops at (block + 1) * size. Go left from
# the first and right from the stop, and stay within the text.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>low = max(block * size - left, 0)</code>, and <code>high = min(...,
# n_token)</code>
# </details>


# %%
def key_range(block, size, n_token, left, right):
    ### BEGIN SOLUTION
    first, stop = block * size, min((block + 1) * size, n_token)
    return max(first - left, 0), min(stop + right, n_token)
    ### END SOLUTION


# %% tags=["check"]
check_key_range(key_range)

# %% [markdown]
# ## Exercise 5.7 · One mask for all blocks
#
# **10 minutes · ●●●○○ · needs:** 5.1 and the lesson's step 4
#
# Write `band_mask(size, left, right)`: the mask of any block that has all its keys. It
# has `size` rows and `left + size + right` columns; column 0 is the first key that the
# block reads.
#
# <details><summary>Hint 1: a nudge</summary>
# Which keys does the first query see, counted from the block's first key? And the
# second?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Query i stands at column left + i. So row i sees the columns i to i + left + right.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>offset = torch.arange(left + size + right) - torch.arange(left, left + size)[:,
# None]</code>, then as in 5.1.
# </details>


# %%
def band_mask(size, left, right):
    ### BEGIN SOLUTION
    queries = torch.arange(left, left + size)[:, None]
    offset = torch.arange(left + size + right) - queries
    return (offset >= -left) & (offset <= right)
    ### END SOLUTION


# %% tags=["check"]
check_band_mask(band_mask)

# %% [markdown]
# ## Exercise 5.8 · Window attention in linear memory
#
# **25 minutes · ●●●●○ · needs:** 5.6, and 5.1 or 5.7
#
# Write `window_in_blocks(q, k, v, left, right, size)`: for each token the attention
# over its window, exact, whatever the length. Go block by block: slice the keys, mask
# inside, attend. `dense_attention(q, k, v, mask=...)` may serve for one block. The
# check counts the largest tensor and the products: a mask of the whole text is too
# large.
#
# <details><summary>Hint 1: a nudge</summary>
# You know which keys a block reads. Which of them does each of its queries see?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Put the places of the block's queries in a column, those of its keys in a row, and
# compare as in 5.1. Attend block by block, and join the rows.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# In a loop over blocks: <code>low, high = key_range(...)</code>, <code>offset =
# torch.arange(low, high) - torch.arange(first, stop)[:, None]</code>, the mask from it,
# and <code>dense_attention(q[first:stop], k[low:high], v[low:high], mask=...)</code>.
# At the end <code>torch.cat</code>.
# </details>


# %%
def window_in_blocks(q, k, v, left, right, size):
    ### BEGIN SOLUTION
    rows = []
    for block in range(math.ceil(len(q) / size)):
        first, stop = block * size, min((block + 1) * size, len(q))
        low, high = key_range(block, size, len(q), left, right)
        offset = torch.arange(low, high) - torch.arange(first, stop)[:, None]
        near = (offset >= -left) & (offset <= right)
        rows.append(dense_attention(q[first:stop], k[low:high], v[low:high], mask=near))
    return torch.cat(rows)
    ### END SOLUTION


# %% tags=["check"]
check_window_in_blocks(window_in_blocks)

# %% [markdown]
# The largest tensor of your function beside the definition's. **Predict** the slopes.

# %% tags=["needs-solution"]
lengths = [128, 256, 512, 1024, 2048]
texts = [
    torch.randn(3, n, 8, generator=torch.Generator().manual_seed(n)) for n in lengths
]
mine = [largest_tensor(window_in_blocks, *text, 16, 16, 32) for text in texts]
dense = [largest_tensor(dense_attention, *text) for text in texts]
lines = {"dense": (lengths, dense), "my blocks": (lengths, mine)}
plot_lines(lines, x="length (tokens)", y="largest tensor (numbers)", log=True)

# %% [markdown]
# ## Exercise 5.9 · Global tokens, one softmax
#
# **25 minutes · ●●●●● · needs:** 5.8
#
# Write `window_and_globals(q, k, v, left, right, size, places)`. `places` holds the
# positions of the global tokens, all different; it may be empty. Near keys and global
# keys share one softmax, and **a global key within the window counts once**. A global
# token's own row sees all keys. The square is refused here too.
#
# <details><summary>Hint 1: a nudge</summary>
# What must the mask say about a global key that the block's slice holds already?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Put the global keys beside the slice, torch.cat, and the two masks beside each other.
# The global part is True only beyond the window. At the end write the rows of the
# global tokens.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# In the loop of 5.8: <code>keys = torch.cat([k[low:high], k[places]])</code>, the same
# for values; <code>offset</code> from <code>torch.cat([torch.arange(low, high),
# places])</code>; near where it was, <code>~near</code> for the last <code>len(places)
# </code> columns. Then <code>out[places] = dense_attention(q[places], k, v)</code>.
# </details>


# %%
def window_and_globals(q, k, v, left, right, size, places):
    ### BEGIN SOLUTION
    rows = []
    for block in range(math.ceil(len(q) / size)):
        first, stop = block * size, min((block + 1) * size, len(q))
        low, high = key_range(block, size, len(q), left, right)
        here = torch.cat([torch.arange(low, high), places])
        offset = here - torch.arange(first, stop)[:, None]
        near = (offset >= -left) & (offset <= right)
        mask = torch.cat([near[:, : high - low], ~near[:, high - low :]], dim=1)
        keys, values = (torch.cat([x[low:high], x[places]]) for x in (k, v))
        rows.append(dense_attention(q[first:stop], keys, values, mask=mask))
    out = torch.cat(rows)
    out[places] = dense_attention(q[places], k, v)
    return out
    ### END SOLUTION


# %% tags=["check"]
check_window_and_globals(window_and_globals)

# %% [markdown]
# Equal scores and values that show who was seen: each row below is what your function
# weighs. Twelve tokens, a window of 2 on each side, token 3 global.

# %% tags=["needs-solution"]
flat, show_keys = torch.zeros(12, 4), torch.eye(12)
weights = window_and_globals(flat, flat, show_keys, 2, 2, 4, torch.tensor([3]))
assert torch.allclose(weights[4, 3], torch.tensor(1 / 5)), "once among five"
plot_weights(weights, title="equal scores, token 3 global")

# %% [markdown]
# ## Exercise 5.10 · Other people's words
#
# **10 minutes · ●●○○○ · needs:** the lesson's table
#
# Write `to_sides(who, size)` and return `left, right`, whole numbers. Of buckets no
# left and right are true: raise a `ValueError` that names local-attention.
#
# | who | what a size of 8 means there |
# |---|---|
# | `"torch mask"` | a mask of pairs with \|i - j\| <= 8 |
# | `"transformers causal"` | 8 keys in all: the query itself and those before it |
# | `"transformers both ways"` | 8 keys on each side |
# | `"longformer"` | 8 keys besides itself, half of them on each side |
# | `"attention-gym"` | 8 keys before the query, and itself |
# | `"local-attention"` | the query's own bucket of 8 and both buckets beside it |
#
# <details><summary>Hint 1: a nudge</summary>
# For each row: how many keys before the query, itself not counted? How many after it?
# </details>
# <details><summary>Hint 2: the idea</summary>
# One of them counts itself, one halves. Sizes differ, so compute with size.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>if who == "transformers causal": return size - 1, 0</code>, and so on; at the
# end <code>raise ValueError(f"need a window with two fixed sides, got {who}")</code>.
# </details>


# %%
def to_sides(who, size):
    ### BEGIN SOLUTION
    sides = {
        "torch mask": (size, size),
        "transformers causal": (size - 1, 0),
        "transformers both ways": (size, size),
        "longformer": (size // 2, size // 2),
        "attention-gym": (size, 0),
    }
    if who not in sides:
        raise ValueError(f"need a window with two fixed sides, got {who}")
    return sides[who]
    ### END SOLUTION


# %% tags=["check"]
check_to_sides(to_sides)

# %% [markdown]
# ## Exercise 5.11 · Random blocks, each once
#
# **15 minutes · ●●●○○ · needs:** the lesson's random blocks
#
# Write `random_layout(near, n_random, generator)`. `near` is a square of bools, one row
# a block. Add `n_random` more blocks to each row, all different, drawn from those that
# the row lacks; where fewer are left, take them all. Everything random comes from
# `generator`, so that the same seed gives the same graph. Leave `near` unchanged.
#
# <details><summary>Hint 1: a nudge</summary>
# To draw two of ten without drawing one twice: give each a lot, and take the two
# highest.
# </details>
# <details><summary>Hint 2: the idea</summary>
# A square of random lots; blocks that are near get a lot below all others. The highest
# n_random of each row are drawn, unless they are near.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>lots = torch.rand(near.shape, generator=generator).masked_fill(near, -1)</code>,
# <code>top = lots.topk(n_random, dim=1)</code>, then
# <code>torch.zeros_like(near).scatter(1, top.indices, top.values &gt;= 0)</code>.
# </details>


# %%
def random_layout(near, n_random, generator):
    ### BEGIN SOLUTION
    lots = torch.rand(near.shape, generator=generator).masked_fill(near, -1)
    top = lots.topk(n_random, dim=1)
    drawn = torch.zeros_like(near).scatter(1, top.indices, top.values >= 0)
    return near | drawn
    ### END SOLUTION


# %% tags=["check"]
check_random_layout(random_layout)

# %% [markdown]
# All of it together: 14 blocks, a window of 1 on each side, and one block drawn for
# each row. **Predict:** of how many blocks does block 6 hear after two layers, with the
# window alone and with the drawn ones?

# %% tags=["needs-solution"]
near = window_mask(14, 1, 1)
layout = random_layout(near, 1, torch.Generator().manual_seed(2))
upper, lower = panels(1, n_rows=2, width=5.6, height=2.2)
for ax, mask, name in ((upper, near, "window"), (lower, layout, "window + random")):
    count = int(heard_after(mask, 2)[6].sum())
    title = f"{name}: {count} of 14 blocks"
    plot_reach([mask] * 2, query=6, unit="block", ax=ax, title=title)

# %% [markdown]
# ## Done
#
# Eleven functions: patterns, their price, how far they hear, and attention that pays
# for nothing else. Your 5.9 has the pattern of Longformer, and grows with the text
# alone. The library's `window_attention` does the same for batches and heads, and goes
# backward too. Which pattern does *your* task need? Ask where its evidence stands.
