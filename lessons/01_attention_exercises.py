# %% [markdown]
# # 01 · Attention: exercises
#
# Eight exercises, about 90 minutes. You write attention from the dot product to the
# layer, with torch and nothing else.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. A
# check says which property fails first, on the smallest input that shows it. Hints
# come in three steps: a nudge, the idea, nearly the code. The lesson is
# `notebooks/01_attention.ipynb`, answers are in `solutions/01_attention.ipynb`.

# %%
import math

import torch
from einops import rearrange

from longctx_edu.checks.lesson_01 import (
    check_attention,
    check_causal_mask,
    check_masked_weights,
    check_merge_heads,
    check_multi_head,
    check_padding_mask,
    check_scaled_scores,
    check_softmax_rows,
    check_split_heads,
)
from longctx_edu.plotting import panels, plot_mask, plot_weights

# %% [markdown]
# ## Exercise 1.1 · Scaled scores
#
# **10 minutes · ●○○○○ · needs:** the lesson's first two sections
#
# Write `scaled_scores(q, k)`: the dot product of every query with every key, divided
# by the square root of d_head. The last axis of `q` and `k` is d_head, the one before
# it counts tokens. There may be more axes in front: batch, head. Rows of the result
# are queries.
#
# <details><summary>Hint 1: a nudge</summary>
# All dot products of two sets of vectors are one matrix product.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Multiply q by k with its last two axes turned, which is k.mT.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>q @ k.mT / math.sqrt(...)</code>, where the dots are the size of the last axis
# of q.
# </details>


# %%
def scaled_scores(q, k):
    ### BEGIN SOLUTION
    return q @ k.mT / math.sqrt(q.shape[-1])
    ### END SOLUTION


# %% tags=["check"]
check_scaled_scores(scaled_scores)

# %% [markdown]
# ## Exercise 1.2 · Softmax that survives large scores
#
# **10 minutes · ●●○○○ · needs:** 1.1
#
# Write `softmax_rows(scores)` without calling torch's softmax: `exp` of each score,
# divided by the sum of its row. It must also work for scores of 1000, where `exp`
# overflows. A score of minus infinity becomes the weight 0.
#
# <details><summary>Hint 1: a nudge</summary>
# What happens to the shares when you subtract the same number from every score of a
# row?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Nothing happens, so subtract the row's own maximum: no exponent is above 0 then.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>parts = (scores - scores.amax(dim=-1, keepdim=True)).exp()</code>, then divide
# by the sum over dim=-1, again with keepdim=True.
# </details>


# %%
def softmax_rows(scores):
    ### BEGIN SOLUTION
    parts = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return parts / parts.sum(dim=-1, keepdim=True)
    ### END SOLUTION


# %% tags=["check"]
check_softmax_rows(softmax_rows)

# %% [markdown]
# ## Exercise 1.3 · A causal mask
#
# **10 minutes · ●○○○○ · needs:** the lesson's section on masks
#
# Write `causal_mask(n_token)`: a square of bools, True where the query may look at
# the key. Rows are queries, columns are keys. A token sees itself and everything
# before it.
#
# <details><summary>Hint 1: a nudge</summary>
# Which comparison of two positions says "not after me"?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Put the positions of the keys in a row, those of the queries in a column, and
# compare: broadcasting makes the square.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>i = torch.arange(n_token)</code>, then compare <code>i[None, :]</code>, the
# keys, with <code>i[:, None]</code>, the queries.
# </details>


# %%
def causal_mask(n_token):
    ### BEGIN SOLUTION
    i = torch.arange(n_token)
    return i[None, :] <= i[:, None]
    ### END SOLUTION


# %% tags=["check"]
check_causal_mask(causal_mask)

# %% [markdown]
# ## Exercise 1.4 · A padding mask
#
# **10 minutes · ●●○○○ · needs:** 1.3
#
# Write `padding_mask(lengths, n_token)`: one square a text, so three axes, batch,
# query and key. `lengths` counts the real tokens of each text; the padding stands at
# its end. Every query may look at the real tokens only, padded queries too: hide
# columns, leave the rows.
#
# <details><summary>Hint 1: a nudge</summary>
# First answer a smaller question: which tokens of which text are real? That has two
# axes.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Compare the positions with the lengths, then give every query of a text the same
# row.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>keep = torch.arange(n_token) &lt; lengths[:, None]</code>, then <code>keep[:,
# None, :].expand(...)</code> to batch, n_token, n_token.
# </details>


# %%
def padding_mask(lengths, n_token):
    ### BEGIN SOLUTION
    keep = torch.arange(n_token) < lengths[:, None]
    return keep[:, None, :].expand(-1, n_token, -1)
    ### END SOLUTION


# %% tags=["check"]
check_padding_mask(padding_mask)

# %% [markdown]
# Three texts of 2, 4 and 6 tokens, padded to 6 and read causally. Count the dark
# squares of the first before you run the cell.

# %% tags=["needs-solution"]
both = causal_mask(6) & padding_mask(torch.tensor([2, 4, 6]), 6)
for ax, mask, n in zip(panels(3, width=2.6), both, (2, 4, 6), strict=True):
    plot_mask(mask, ax=ax, title=f"{n} of 6 tokens")

# %% [markdown]
# ## Exercise 1.5 · Weights under a mask
#
# **15 minutes · ●●●○○ · needs:** 1.2, and the lesson's row that sees nothing
#
# Write `masked_weights(scores, mask)`: the softmax of each row over the keys that it
# may see. Hidden keys weigh 0, the rest sums to 1. A row that may see nothing is 0
# throughout: neither nan nor an average. `scores` may have more axes than `mask`.
# torch's softmax is allowed from here on.
#
# <details><summary>Hint 1: a nudge</summary>
# Which score becomes the weight 0 after exp?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Fill the hidden places with minus infinity before the softmax, and repair the rows
# that see nothing after it.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>sees = mask.any(dim=-1, keepdim=True)</code> tells which rows see something;
# after the softmax, <code>masked_fill(~sees, 0.0)</code>.
# </details>


# %%
def masked_weights(scores, mask):
    ### BEGIN SOLUTION
    sees = mask.any(dim=-1, keepdim=True)
    weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
    return weights.masked_fill(~sees, 0.0)
    ### END SOLUTION


# %% tags=["check"]
check_masked_weights(masked_weights)

# %% [markdown]
# ## Exercise 1.6 · Attention
#
# **10 minutes · ●●○○○ · needs:** 1.1 and 1.5
#
# Write `attention(q, k, v, mask=None)` from your own parts: scores, weights, and the
# weighted mean of the values. Values may be wider or narrower than keys, and there
# may be more keys than queries.
#
# <details><summary>Hint 1: a nudge</summary>
# You have both halves already; what is left is one product.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Without a mask, everything may be seen: softmax of the scores. With one,
# masked_weights. Then the product with v.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>weights @ v</code>, where a row of weights meets a column of values.
# </details>


# %%
def attention(q, k, v, mask=None):
    ### BEGIN SOLUTION
    scores = scaled_scores(q, k)
    if mask is None:
        return scores.softmax(dim=-1) @ v
    return masked_weights(scores, mask) @ v
    ### END SOLUTION


# %% tags=["check"]
check_attention(attention)

# %% [markdown]
# Your own weights on six random tokens, read causally. The upper triangle is light,
# each row sums to 1.

# %% tags=["needs-solution"]
x = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
plot_weights(
    masked_weights(scaled_scores(x, x), causal_mask(6)), title="by my own code"
)

# %% [markdown]
# ## Exercise 1.7 · Split and merge heads
#
# **15 minutes · ●●●○○ · needs:** the lesson's section on several heads
#
# Write `split_heads(x, n_heads)`, from batch, token, d_model to batch, head, token,
# d_head: head 0 gets the first numbers of every token. Then `merge_heads(x)`, the way
# back. `rearrange` is imported; `reshape` and `transpose` do as well.
#
# <details><summary>Hint 1: a nudge</summary>
# reshape never changes the order of the numbers in memory. Does the order have to
# change here?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Cut the last axis into heads and d_head, then swap heads and tokens. Merging does
# the same backwards.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>rearrange(x, "batch token (head d) -> ...", head=n_heads)</code>; for the way
# back swap the two sides.
# </details>


# %%
def split_heads(x, n_heads):
    ### BEGIN SOLUTION
    return rearrange(x, "batch token (head d) -> batch head token d", head=n_heads)
    ### END SOLUTION


# %% tags=["check"]
check_split_heads(split_heads)

# %% [markdown]
# And back. Do not divide or add anything: the same numbers, in their old order.


# %%
def merge_heads(x):
    ### BEGIN SOLUTION
    return rearrange(x, "batch head token d -> batch token (head d)")
    ### END SOLUTION


# %% tags=["check"]
check_merge_heads(merge_heads)

# %% [markdown]
# ## Exercise 1.8 · The layer
#
# **20 minutes · ●●●●○ · needs:** 1.6 and 1.7
#
# Write `multi_head(x, w_q, w_k, w_v, w_out, n_heads)`. `x` has the axes batch, token,
# d_model; each `w` is a matrix of d_model by d_model that multiplies from the right,
# `x @ w`. Project, split, attend in each head, merge, and multiply by `w_out`.
#
# <details><summary>Hint 1: a nudge</summary>
# The batch and the heads are both axes in front; attention leaves those alone.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Five lines: q, k and v are split projections of x; then attend, merge, and the last
# product.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>q = split_heads(x @ w_q, n_heads)</code>, the same for k and v; then
# <code>merge_heads(attention(q, k, v)) @ ...</code>
# </details>


# %%
def multi_head(x, w_q, w_k, w_v, w_out, n_heads):
    ### BEGIN SOLUTION
    q = split_heads(x @ w_q, n_heads)
    k = split_heads(x @ w_k, n_heads)
    v = split_heads(x @ w_v, n_heads)
    return merge_heads(attention(q, k, v)) @ w_out
    ### END SOLUTION


# %% tags=["check"]
check_multi_head(multi_head)

# %% [markdown]
# ## Done
#
# Nine functions, and the layer that every lesson from here on takes apart. Take one
# question along: your `multi_head` stores one number for each pair of tokens and each
# head. Where does that stop being possible on your machine? Lesson 03 measures it.
