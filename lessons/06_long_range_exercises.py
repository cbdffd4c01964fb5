# %% [markdown]
# # 06 · Long range: exercises
#
# Eleven exercises, about two and a half hours. You write five ways to tell a place,
# two ways to stretch them, and the rule that says how far a stack of layers hears.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. The
# lesson is `notebooks/06_long_range.ipynb`, answers are in
# `solutions/06_long_range.ipynb`.

# %%
import math

import torch

from longctx_edu.checks.lesson_06 import (
    check_by_turns,
    check_distances_heard,
    check_larger_base,
    check_longer_table,
    check_penalty,
    check_rotary_attention,
    check_sharper,
    check_slopes_of,
    check_turn_pairs,
    check_under_the_keys,
    check_waves,
)
from longctx_edu.masks import dense_mask, window
from longctx_edu.plotting import panels, plot_lines, plot_reach, plot_weights

# %% [markdown]
# ## Exercise 6.1 · Waves
#
# **15 minutes · ●●○○○ · needs:** the lesson's section on waves
#
# Write `waves(places, d_model, theta)`: a row for each place. Pair i, from 0, has the
# angle `place * theta ** (-2 i / d_model)`. Number 2 i of a row is its sine, number
# 2 i + 1 its cosine.
#
# <details><summary>Hint 1: a nudge</summary>
# How many angles does a row need, and which exponents do they have?
# </details>
# <details><summary>Hint 2: the idea</summary>
# torch.arange(0, d_model, 2) holds all 2 i. A column of places times a row of
# frequencies is the square of angles. Then weave sines and cosines into each other.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>angles = places[:, None] * theta ** (-torch.arange(0, d_model, 2) / d_model)
# </code>, then <code>torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
# </code>
# </details>


# %%
def waves(places, d_model, theta):
    ### BEGIN SOLUTION
    angles = places[:, None] * theta ** (-torch.arange(0, d_model, 2) / d_model)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
    ### END SOLUTION


# %% tags=["check"]
check_waves(waves)

# %% [markdown]
# The product of two places depends on their distance alone. **Predict:** where is the
# product of place 20 with all others largest?

# %% tags=["needs-solution"]
rows = waves(torch.arange(48), 32, 10_000.0)
products = (rows @ rows[20]).tolist()
assert products.index(max(products)) == 20 and abs(products[14] - products[26]) < 1e-3
plot_lines({"with place 20": (range(48), products)}, x="place (token)", y="product")

# %% [markdown]
# ## Exercise 6.2 · A longer table
#
# **5 minutes · ●○○○○ · needs:** the lesson's section on tables
#
# Write `longer_table(table, n_tokens)`: one row a place, for at least `n_tokens`
# places, by copying the table over and over. The last copy is cut where it is too long.
# A table that is long enough comes back as it is.
#
# <details><summary>Hint 1: a nudge</summary>
# Which row does place 7 get, of a table with 3 rows?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The remainder, place % len(table). A tensor of row numbers in brackets picks rows.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>n = max(n_tokens, len(table))</code>, then <code>table[torch.arange(n) % ...]
# </code>
# </details>


# %%
def longer_table(table, n_tokens):
    ### BEGIN SOLUTION
    n = max(n_tokens, len(table))
    return table[torch.arange(n) % len(table)]
    ### END SOLUTION


# %% tags=["check"]
check_longer_table(longer_table)

# %% [markdown]
# ## Exercise 6.3 · Turn the pairs
#
# **20 minutes · ●●●○○ · needs:** the lesson's section on turning
#
# Write `turn_pairs(x, places, radians)`. `x` has a row a token, `radians` a number a
# pair: how far that pair turns from one token to the next. Number i of a row turns with
# number `i + len(radians)`; numbers from `2 * len(radians)` on stay as they are. A pair
# (a, b) becomes (a cos - b sin, a sin + b cos) of its angle.
#
# <details><summary>Hint 1: a nudge</summary>
# Which columns of x are the first partners, which the second, and which stay?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Three slices: a, b and the rest. The square of angles has a row a token and a column a
# pair, like a and b.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>n = len(radians)</code>, <code>a, b, rest = x[:, :n], x[:, n : 2 * n], x[:, 2 *
# n :]</code>, <code>angles = places[:, None] * radians</code>, and at the end
# <code>torch.cat([a * angles.cos() - ..., ..., rest], dim=1)</code>
# </details>


# %%
def turn_pairs(x, places, radians):
    ### BEGIN SOLUTION
    n = len(radians)
    a, b, rest = x[:, :n], x[:, n : 2 * n], x[:, 2 * n :]
    angles = places[:, None] * radians
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], dim=1)
    ### END SOLUTION


# %% tags=["check"]
check_turn_pairs(turn_pairs)

# %% [markdown]
# ## Exercise 6.4 · Attention that turns
#
# **10 minutes · ●●○○○ · needs:** 6.3 and lesson 01
#
# Write `rotary_attention(q, k, v, places, radians)`: each token looks at all. What has
# to turn so that the scores know the distance between two places, and nothing else?
#
# <details><summary>Hint 1: a nudge</summary>
# Would you want what a word *gives* to depend on where it stands?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Queries and keys turn, both in the same direction. Their product then knows the
# difference of the two angles. Values stay.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>q, k = turn_pairs(q, ...), turn_pairs(k, ...)</code>, then <code>(q @ k.mT /
# math.sqrt(q.shape[-1])).softmax(dim=-1) @ v</code>
# </details>


# %%
def rotary_attention(q, k, v, places, radians):
    ### BEGIN SOLUTION
    q, k = turn_pairs(q, places, radians), turn_pairs(k, places, radians)
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1) @ v
    ### END SOLUTION


# %% tags=["check"]
check_rotary_attention(rotary_attention)

# %% [markdown]
# Equal queries, equal keys, and values that show who was seen: what is left are the
# places. **Predict:** along which lines are the weights equal?

# %% tags=["needs-solution"]
same, radians = torch.ones(14, 8), 0.3 ** torch.arange(4.0)
weights = rotary_attention(same, same, torch.eye(14), torch.arange(14), radians)
plot_weights(weights, title="turned, with equal words")

# %% [markdown]
# Along each diagonal the *scores* are equal: they know i - j alone. The weights of a
# row add up to 1, and the rows at both ends have fewer near keys, so their weights are
# a little larger.
#
# ## Exercise 6.5 · Under the keys
#
# **20 minutes · ●●●●○ · needs:** the lesson's section on Transformer-XL
#
# A score for each distance is wanted under each key. Row r of `by_distance` belongs to
# query r; its `n_key` columns hold the distances n_key - 1, ..., 1, 0. Write
# `under_the_keys(by_distance, n_key)` and return a square of queries and keys. The last
# query stands at the last key; keys after a query get 0. No loop over pairs is needed,
# but one is allowed.
#
# <details><summary>Hint 1: a nudge</summary>
# Which column does the last query need for its key 0? And the query before?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Row r, key j: the place of the query is n_key - n_query + r, the distance that less j,
# the column n_key - 1 - distance. torch.gather picks a column for each place of a
# square.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>far = torch.arange(n_key - n_query, n_key)[:, None] - torch.arange(n_key)
# </code>, <code>column = (n_key - 1 - far).clamp(max=n_key - 1)</code>, then
# <code>by_distance.gather(1, column)</code>, and 0 where far is negative.
# </details>


# %%
def under_the_keys(by_distance, n_key):
    ### BEGIN SOLUTION
    n_query = len(by_distance)
    far = torch.arange(n_key - n_query, n_key)[:, None] - torch.arange(n_key)
    column = (n_key - 1 - far).clamp(max=n_key - 1)
    return by_distance.gather(1, column).masked_fill(far < 0, 0.0)
    ### END SOLUTION


# %% tags=["check"]
check_under_the_keys(under_the_keys)

# %% [markdown]
# ## Exercise 6.6 · Slopes for any number of heads
#
# **15 minutes · ●●●○○ · needs:** the lesson's section on ALiBi
#
# Write `slopes_of(n_heads)`, a list. Where n_heads is a power of two, head h, counted
# from 1, has the slope 2 ** (-8 h / n_heads). For another number, take the slopes of
# the next lower power of two; then, of the slopes for twice that power, the first, the
# third, the fifth, ... until there are enough.
#
# <details><summary>Hint 1: a nudge</summary>
# 6 heads: which slopes do 4 heads have, and which 8 heads?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Write the rule for a power of two as a function inside. The slice [::2] takes the
# first, the third, the fifth.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>lower = 2 ** int(math.log2(n_heads))</code>, then <code>rule(lower) + rule(2 *
# lower)[::2][: n_heads - lower]</code>
# </details>


# %%
def slopes_of(n_heads):
    ### BEGIN SOLUTION
    def rule(n):
        return [2 ** (-8 * h / n) for h in range(1, n + 1)]

    lower = 2 ** int(math.log2(n_heads))
    return rule(lower) + rule(2 * lower)[::2][: n_heads - lower]
    ### END SOLUTION


# %% tags=["check"]
check_slopes_of(slopes_of)

# %% [markdown]
# ## Exercise 6.7 · A penalty for distance
#
# **10 minutes · ●●○○○ · needs:** the lesson's section on ALiBi
#
# Write `penalty(slopes, n_query, n_key)`: what ALiBi adds to the scores, a square for
# each head. `slopes` is a tensor. The last query stands at the last key, so three
# queries and five keys are the end of a text.
#
# <details><summary>Hint 1: a nudge</summary>
# At which place does query 0 stand, if there are three queries and five keys?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The square of distances first, without a sign. Then minus slope times distance, with
# the heads as the first axis.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>far = torch.arange(n_key - n_query, n_key)[:, None] - torch.arange(n_key)
# </code>, then <code>-slopes[:, None, None] * ...</code>
# </details>


# %%
def penalty(slopes, n_query, n_key):
    ### BEGIN SOLUTION
    far = torch.arange(n_key - n_query, n_key)[:, None] - torch.arange(n_key)
    return -slopes[:, None, None] * far.abs()
    ### END SOLUTION


# %% tags=["check"]
check_penalty(penalty)

# %% [markdown]
# Equal words under your penalties, causal. **Predict:** of the three heads, which looks
# farthest back?

# %% tags=["needs-solution"]
bias = penalty(torch.tensor(slopes_of(3)), 16, 16)
hidden = ~dense_mask(window(left=None, right=0), 16)
for ax, head in zip(panels(3, width=3.0), bias, strict=True):
    plot_weights(head.masked_fill(hidden, -math.inf).softmax(dim=-1), ax=ax)

# %% [markdown]
# ## Exercise 6.8 · A larger base
#
# **15 minutes · ●●●○○ · needs:** the lesson's section on NTK
#
# The last pair turns by theta ** (-(d_head - 2) / d_head) radians a token. Write
# `larger_base(theta, d_head, factor)`: the base with which it turns slower by exactly
# `factor`. The first pair turns by 1 radian with any base.
#
# <details><summary>Hint 1: a nudge</summary>
# Call the new base b and write down what must hold.
# </details>
# <details><summary>Hint 2: the idea</summary>
# b ** (-(d - 2) / d) = theta ** (-(d - 2) / d) / factor. Raise both sides to the power
# of -d / (d - 2).
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>theta * factor ** (...)</code>, with an exponent a little above 1.
# </details>


# %%
def larger_base(theta, d_head, factor):
    ### BEGIN SOLUTION
    return theta * factor ** (d_head / (d_head - 2))
    ### END SOLUTION


# %% tags=["check"]
check_larger_base(larger_base)

# %% [markdown]
# ## Exercise 6.9 · By turns
#
# **15 minutes · ●●●●○ · needs:** the lesson's section on YaRN
#
# A pair that made many turns within the `trained` tokens has seen every angle and stays
# as it is. One that made few is divided by `factor`. Write `by_turns(radians, factor,
# trained, slow, fast)`. With kept = 1 a pair stays, with kept = 0 it is divided, and
# else it is a mix of both. From `slow` turns to `fast` turns, kept grows in a straight
# line from 0 to 1.
#
# <details><summary>Hint 1: a nudge</summary>
# How many times does a pair turn round in the trained text? A turn has 2 pi radians.
# </details>
# <details><summary>Hint 2: the idea</summary>
# turns = radians * trained / (2 pi). The line is 0 at slow and 1 at fast; beyond both
# ends it is held.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>kept = ((turns - slow) / (fast - slow)).clamp(0, 1)</code>, then <code>kept *
# radians + (1 - kept) * ...</code>
# </details>


# %%
def by_turns(radians, factor, trained, slow, fast):
    ### BEGIN SOLUTION
    turns = radians * trained / (2 * math.pi)
    kept = ((turns - slow) / (fast - slow)).clamp(0, 1)
    return kept * radians + (1 - kept) * radians / factor
    ### END SOLUTION


# %% tags=["check"]
check_by_turns(by_turns)

# %% [markdown]
# Three ways to make a model of 4,096 tokens read 16 times as much: the speed of each of
# 64 pairs beside its old one. **Predict** which line is flat, and which has two flat
# ends.

# %% tags=["needs-solution"]
old = 10_000.0 ** (-torch.arange(0, 128, 2) / 128)
base = larger_base(10_000.0, 128, 16)
ways = {"interpolation": old / 16, "larger base": base ** (-torch.arange(64) / 64)}
ways["by turns"] = by_turns(old, 16, 4096, 1, 32)
lines = {name: (range(64), (new / old).tolist()) for name, new in ways.items()}
plot_lines(lines, x="pair", y="new speed / old speed")

# %% [markdown]
# ## Exercise 6.10 · Sharper scores
#
# **5 minutes · ●●○○○ · needs:** the lesson's section on YaRN
#
# YaRN also multiplies every cosine and every sine by 0.1 ln(factor) + 1, in queries and
# in keys. Write `sharper(scores, factor)`: what becomes of the scores, if all numbers
# of a head turn.
#
# <details><summary>Hint 1: a nudge</summary>
# How much longer does a turned query become? And a turned key?
# </details>
# <details><summary>Hint 2: the idea</summary>
# A score is a product of the two.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>scores * (0.1 * math.log(factor) + 1) ** ...</code>
# </details>


# %%
def sharper(scores, factor):
    ### BEGIN SOLUTION
    return scores * (0.1 * math.log(factor) + 1) ** 2
    ### END SOLUTION


# %% tags=["check"]
check_sharper(sharper)

# %% [markdown]
# ## Exercise 6.11 · Which distances are heard
#
# **15 minutes · ●●●○○ · needs:** the lesson's section on reach
#
# A stack of causal windows: `layers` holds a pair `(left, dilation)` for each layer. A
# token looks at itself and at `left` keys before it, `dilation` tokens apart. Write
# `distances_heard(layers)`: the sorted list of all distances from which something can
# arrive at the top, 0 included.
#
# <details><summary>Hint 1: a nudge</summary>
# Which steps can one layer take? And what do the steps of two layers make together?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Keep a set of distances, beginning with {0}. Each layer adds each of its steps 0,
# dilation, 2 * dilation, ... to each distance in the set.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Once a layer: <code>found = {far + step * dilation for far in found for step in
# range(...)}</code>
# </details>


# %%
def distances_heard(layers):
    ### BEGIN SOLUTION
    found = {0}
    for left, dilation in layers:
        found = {far + step * dilation for far in found for step in range(left + 1)}
    return sorted(found)
    ### END SOLUTION


# %% tags=["check"]
check_distances_heard(distances_heard)

# %% [markdown]
# Two layers, dilation 1 below and 3 above. **Predict** the distances; the picture and
# your function must agree.

# %% tags=["needs-solution"]
masks = [dense_mask(window(left=1, right=0, dilation=d), 12) for d in (1, 3)]
assert distances_heard([(1, 1), (1, 3)]) == [0, 1, 3, 4]
plot_reach(masks, query=11, title="left=1, dilation 1, then 3")

# %% [markdown]
# ## Done
#
# Eleven functions: how a place is told, how it is stretched, and how far a stack of
# layers can hear at all. The library's versions take batches, heads and any number
# format; the ideas are these. Lesson 07 puts them to work on a text that does not end.
