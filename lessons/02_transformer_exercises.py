# %% [markdown]
# # 02 · Transformer: exercises
#
# Eight exercises, about two hours. You write each part of a block, the two ways to make
# questions of a text, the score of a language model, and its choice of the next token.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. The
# lesson is `notebooks/02_transformer.ipynb`, answers are in
# `solutions/02_transformer.ipynb`.

# %%
import math

import torch
import torch.nn.functional as F

from longctx_edu.checks.lesson_02 import (
    check_choose_token,
    check_embed,
    check_feed_forward,
    check_held_out_bits,
    check_hide_tokens,
    check_layer_norm,
    check_next_token_pairs,
    check_pre_norm_block,
)
from longctx_edu.plotting import plot_lines

# %% [markdown]
# ## Exercise 2.1 · Tokens and places
#
# **5 minutes · ●○○○○ · needs:** the lesson's section on the embedding
#
# Write `embed(ids, table, positions)`. `ids` has the axes (batch, token), `table` a row
# of `d_model` numbers for each id, `positions` a row for each place, more than we need.
# Return (batch, token, d_model): each token's row times the root of `d_model`, plus the
# row of its place, counted from 0.
#
# <details><summary>Hint 1: a nudge</summary>
# Ids are numbers of rows. What does <code>table[ids]</code> give, and of what shape?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Indexing with a tensor puts a row in place of each id. The places are the same for
# every text: 0, 1, 2, ... as many as there are tokens.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>table[ids] * table.shape[1] ** 0.5 + positions[: ...]</code>, with
# <code>ids.shape[1]</code> tokens.
# </details>


# %%
def embed(ids, table, positions):
    ### BEGIN SOLUTION
    scale = table.shape[1] ** 0.5
    return table[ids] * scale + positions[: ids.shape[1]]
    ### END SOLUTION


# %% tags=["check"]
check_embed(embed)

# %% [markdown]
# ## Exercise 2.2 · Layer normalisation
#
# **15 minutes · ●●○○○ · needs:** the lesson's vector of four numbers
#
# Write `layer_norm(x, gain, shift, eps)`. The last axis of `x` is a token's vector,
# whatever stands before it. Take off the vector's mean, divide by the root of its
# variance plus `eps`, then multiply by `gain` and add `shift`, which have a number for
# each place of the vector. The variance is the plain mean of squares.
#
# <details><summary>Hint 1: a nudge</summary>
# How many means do two texts of three tokens have? Each token has its own.
# </details>
# <details><summary>Hint 2: the idea</summary>
# <code>keepdim=True</code> keeps an axis of length 1, so that a mean of each token
# stands beside its vector. <code>x.var</code> divides by one less than the numbers,
# unless told not to: <code>correction=0</code>.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>centred = x - x.mean(-1, keepdim=True)</code>; <code>variance =
# (centred**2).mean(...)</code>; then <code>centred / (variance + eps).sqrt()</code>.
# </details>


# %%
def layer_norm(x, gain, shift, eps):
    ### BEGIN SOLUTION
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred**2).mean(-1, keepdim=True)
    return centred / (variance + eps).sqrt() * gain + shift
    ### END SOLUTION


# %% tags=["check"]
check_layer_norm(layer_norm)

# %% [markdown]
# A vector, and the same vector a hundred times as long. **Predict** what is left of the
# difference.

# %% tags=["needs-solution"]
short = torch.tensor([1.0, 2.0, 3.0, 6.0])
both = torch.stack([short, 100 * short])
layer_norm(both, torch.ones(4), torch.zeros(4), 1e-5).round(decimals=3)

# %% [markdown]
# ## Exercise 2.3 · Feed-forward
#
# **10 minutes · ●○○○○ · needs:** the lesson's section on the feed-forward part
#
# Write `feed_forward(x, w_in, b_in, w_out, b_out)`: from `d_model` numbers to `d_ff`,
# through GELU, and back to `d_model`. Weights stand on the right, `x @ w`, as in lesson
# 01. `F.gelu` is the bend.
#
# <details><summary>Hint 1: a nudge</summary>
# Two products, two sums, one bend. Where must the bend stand, for the two maps not to
# become one?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Between them. The result has no bend: a part must be able to take away as well as add.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>hidden = F.gelu(x @ w_in + b_in)</code>, and one more line.
# </details>


# %%
def feed_forward(x, w_in, b_in, w_out, b_out):
    ### BEGIN SOLUTION
    hidden = F.gelu(x @ w_in + b_in)
    return hidden @ w_out + b_out
    ### END SOLUTION


# %% tags=["check"]
check_feed_forward(feed_forward)

# %% [markdown]
# ## Exercise 2.4 · The block
#
# **10 minutes · ●●○○○ · needs:** 2.2 and 2.3 in mind, not in code
#
# Write `pre_norm_block(x, norm_1, attention, norm_2, feed)`. The last four are
# functions from a tensor to one of the same shape. Each part reads a normalised vector,
# and what it says is added to what came in. Ask each function once.
#
# <details><summary>Hint 1: a nudge</summary>
# Draw the line on which x travels. Does a norm ever stand on that line?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Two steps of the same form: x plus a part of the norm of x. The second step starts
# from what the first one made.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>x = x + attention(norm_1(x))</code>; the second line has the same form.
# </details>


# %%
def pre_norm_block(x, norm_1, attention, norm_2, feed):
    ### BEGIN SOLUTION
    x = x + attention(norm_1(x))
    return x + feed(norm_2(x))
    ### END SOLUTION


# %% tags=["check"]
check_pre_norm_block(pre_norm_block)

# %% [markdown]
# ## Exercise 2.5 · Questions for a causal model
#
# **5 minutes · ●○○○○ · needs:** the lesson's picture of inputs and labels
#
# Write `next_token_pairs(ids)`. `ids` holds windows of n + 1 tokens, (batch, token).
# Return `inputs, labels`, both of n tokens: the label of a token is the one behind it.
#
# <details><summary>Hint 1: a nudge</summary>
# Which token of a window has nothing behind it? Which is behind no other?
# </details>
# <details><summary>Hint 2: the idea</summary>
# All but the last go in, all but the first are asked for.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>ids[:, :-1]</code> leaves out the last token of each text.
# </details>


# %%
def next_token_pairs(ids):
    ### BEGIN SOLUTION
    return ids[:, :-1], ids[:, 1:]
    ### END SOLUTION


# %% tags=["check"]
check_next_token_pairs(next_token_pairs)

# %% [markdown]
# ## Exercise 2.6 · Questions for a masked model
#
# **25 minutes · ●●●○○ · needs:** the lesson's 80, 10 and 10
#
# Write `hide_tokens(ids, vocab_size, mask_id, special_ids, share, generator)` and
# return `inputs, labels`, shaped like `ids`. Each token that is not special is chosen
# with probability `share`. Of the chosen, 80 % become `mask_id`, 10 % a random token
# that is not special, 10 % stay. A label is the true id where a token was chosen, else
# -100.
#
# <details><summary>Hint 1: a nudge</summary>
# Two questions for each token, and a number from 0 to 1 for each: is it chosen, and
# what becomes of it?
# </details>
# <details><summary>Hint 2: the idea</summary>
# <code>torch.rand(ids.shape, generator=generator)</code> draws one number a token. A
# second draw, the fate: below 0.8 the mask, from there to 0.9 another token.
# <code>torch.isin(ids, torch.tensor(special_ids))</code> finds the special ones.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>inputs = torch.where(chosen &amp; (fate &lt; 0.8), mask_id, ids)</code>. For
# random tokens collect the ordinary ids in a tensor, and index it with
# <code>torch.randint(len(ordinary), ids.shape, generator=generator)</code>.
# </details>


# %%
def hide_tokens(ids, vocab_size, mask_id, special_ids, share, generator):
    ### BEGIN SOLUTION
    special = torch.isin(ids, torch.tensor(special_ids))
    chosen = (torch.rand(ids.shape, generator=generator) < share) & ~special
    fate = torch.rand(ids.shape, generator=generator)
    ordinary = torch.tensor([i for i in range(vocab_size) if i not in special_ids])
    drawn = ordinary[torch.randint(len(ordinary), ids.shape, generator=generator)]
    inputs = torch.where(chosen & (fate < 0.8), mask_id, ids)
    inputs = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), drawn, inputs)
    return inputs, torch.where(chosen, ids, -100)
    ### END SOLUTION


# %% tags=["check"]
check_hide_tokens(hide_tokens)

# %% [markdown]
# ## Exercise 2.7 · Bits
#
# **15 minutes · ●●○○○ · needs:** the lesson's section on bits per token
#
# Write `held_out_bits(logits, labels)`: the mean of -log2 of the share that each label
# got, as one number. `logits` is (batch, token, vocab), `labels` (batch, token), with
# -100 where nothing is asked. Every label counts the same, whatever text it stands in.
#
# <details><summary>Hint 1: a nudge</summary>
# Which places count? Take these first, of all texts together.
# </details>
# <details><summary>Hint 2: the idea</summary>
# <code>logits[labels != -100]</code> is a row for each question. The softmax's
# logarithm in one step is <code>log_softmax(-1)</code>. Nats over log(2) are bits.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>asked = labels != -100</code>; <code>rows =
# logits[asked].log_softmax(-1)</code>; <code>rows.gather(-1, labels[asked][:,
# None])</code> picks a number of each row.
# </details>


# %%
def held_out_bits(logits, labels):
    ### BEGIN SOLUTION
    asked = labels != -100
    rows = logits[asked].log_softmax(-1)
    nats = -rows.gather(-1, labels[asked][:, None])
    return float(nats.mean()) / math.log(2)
    ### END SOLUTION


# %% tags=["check"]
check_held_out_bits(held_out_bits)

# %% [markdown]
# ## Exercise 2.8 · The next token, warm or cold
#
# **15 minutes · ●●○○○ · needs:** the lesson's samples
#
# Write `choose_token(logits, temperature, generator)`. `logits` is (batch, vocab), the
# answer one id a text, (batch). At temperature 0 it is the likeliest. Else it is drawn
# with the shares softmax(logits / temperature), by `torch.multinomial` with the
# generator.
#
# <details><summary>Hint 1: a nudge</summary>
# What does a division by a half do to the difference of two logits? And by 0?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Two cases. The likeliest of each row is <code>argmax(-1)</code>; a draw from each row
# of shares is <code>torch.multinomial(shares, 1, generator=generator)</code>.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>torch.multinomial</code> gives a column of one; <code>[:, 0]</code> takes it
# out.
# </details>


# %%
def choose_token(logits, temperature, generator):
    ### BEGIN SOLUTION
    if temperature == 0:
        return logits.argmax(-1)
    shares = (logits / temperature).softmax(-1)
    return torch.multinomial(shares, 1, generator=generator)[:, 0]
    ### END SOLUTION


# %% tags=["check"]
check_choose_token(choose_token)

# %% [markdown]
# Four tokens with logits 0, 1, 2, 3. **Predict** the share of the likeliest at
# temperature 0.2, 1 and 5.

# %% tags=["needs-solution"]
heats = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
logits = torch.arange(4.0).expand(4000, 4)
draw = torch.Generator().manual_seed(0)
best = [float((choose_token(logits, h, draw) == 3).float().mean()) for h in heats]
plot_lines({"": (heats, best)}, x="temperature", y="share of the likeliest token")

# %% [markdown]
# ## Done
#
# You have written what a Transformer is made of, and what it is asked. One question to
# take along: your `hide_tokens` asks 15 tokens of 100, `next_token_pairs` asks all of
# them. Which of the two learns more from a page, and which sees more of it?
