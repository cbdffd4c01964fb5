# %% [markdown]
# # 10 · Long documents: exercises
#
# Eight exercises, about two hours. You write what decides whether a long text is read
# well: how far a model hears, which tokens everybody sees, what that costs, and how
# the result is told by distance.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. A
# check says which property fails first, on the smallest input that shows it. Hints
# come in three steps. The lesson is `notebooks/10_long_documents.ipynb`, answers are in
# `solutions/10_long_documents.ipynb`.

# %%
import torch

from longctx_edu.checks.lesson_10 import (
    check_best_tokens,
    check_can_see,
    check_f1_in_buckets,
    check_help_of_keys,
    check_layers_for,
    check_pairs_with_globals,
    check_starts_of_sentences,
    check_table_with_special,
)
from longctx_edu.plotting import plot_lines

# %% [markdown]
# ## Exercise 10.1 · Layers for a distance
#
# **15 minutes · ●●○○○ · needs:** the lesson's section on reach
#
# A window shows each token the `side` nearest keys on each side, every `dilation`-th
# token; the token sees itself as well. Write `layers_for(distance, side, dilation=1)`:
# the smallest number of layers after which a token can hear another one that stands
# `distance` tokens away, and None if no number of layers is enough. A token hears
# itself after 0 layers.
#
# <details><summary>Hint 1: a nudge</summary>
# How far does one layer carry at most? And which distances does it never hit?
# </details>
# <details><summary>Hint 2: the idea</summary>
# All steps are multiples of the dilation. Count the distance in such steps; a layer
# makes up to side of them.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# None if <code>distance % dilation</code>; else
# <code>steps = distance // dilation</code>, and steps / side rounded up is
# <code>-(-steps // side)</code>. Mind side 0.
# </details>


# %%
def layers_for(distance, side, dilation=1):
    ### BEGIN SOLUTION
    if distance == 0:
        return 0
    if distance % dilation or side == 0:
        return None
    return -(-(distance // dilation) // side)
    ### END SOLUTION


# %% tags=["check"]
check_layers_for(layers_for)

# %% [markdown]
# Windows of 16, 64 and 256. How many layers for evidence 4,000 words away? Say it
# before you run the cell.

# %% tags=["needs-solution"]
distances = list(range(0, 4001, 250))
lines = {
    f"side {side}": (distances, [layers_for(d, side) for d in distances])
    for side in (16, 64, 256)
}
plot_lines(lines, x="distance of the evidence (tokens)", y="layers")

# %% [markdown]
# ## Exercise 10.2 · Sentence starts as global tokens
#
# **10 minutes · ●○○○○ · needs:** the lesson's key regions by rule
#
# Write `starts_of_sentences(words)`: a list with one bool a word, True for the first
# word of each sentence. A sentence ends with a word that is `.`, `!` or `?`; the word
# after it begins the next one, unless it is such a mark itself.
#
# <details><summary>Hint 1: a nudge</summary>
# A word does not know that it begins a sentence. Who does?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The word before it: a start follows a mark, and is no mark. The first word follows
# nothing.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Keep <code>before = "."</code>; for each word append
# <code>before in MARKS and word not in MARKS</code>, then <code>before = word</code>.
# </details>


# %%
MARKS = (".", "!", "?")


def starts_of_sentences(words):
    ### BEGIN SOLUTION
    flags, before = [], "."
    for word in words:
        flags.append(before in MARKS and word not in MARKS)
        before = word
    return flags
    ### END SOLUTION


# %% tags=["check"]
check_starts_of_sentences(starts_of_sentences)

# %% [markdown]
# ## Exercise 10.3 · The best under a budget
#
# **10 minutes · ●●○○○ · needs:** the lesson's learned choice
#
# Write `best_tokens(scores, keep, budget)`: a bool a token, True for the `budget`
# tokens with the largest scores among those that `keep` marks as real. Of equal scores
# the earlier token wins. Where fewer tokens are real than the budget, all real ones
# are chosen and nothing else.
#
# <details><summary>Hint 1: a nudge</summary>
# What score must a token have so that it is never chosen? And is that enough?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Sort the scores, filling at minus infinity, from large to small, with a sort that is
# stable; take the first places; drop what is not real.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>scores.masked_fill(~keep, -inf).argsort(descending=True, stable=True)</code>,
# the first <code>min(budget, int(keep.sum()))</code> of it, and
# <code>index_fill</code> of a row of False.
# </details>


# %%
def best_tokens(scores, keep, budget):
    ### BEGIN SOLUTION
    hidden = scores.masked_fill(~keep, -torch.inf)
    order = hidden.argsort(descending=True, stable=True)
    chosen = order[: min(budget, int(keep.sum()))]
    return torch.zeros_like(keep).index_fill(0, chosen, True)
    ### END SOLUTION


# %% tags=["check"]
check_best_tokens(best_tokens)

# %% [markdown]
# ## Exercise 10.4 · The help of a key
#
# **15 minutes · ●●●○○ · needs:** the lesson's key regions by gradient
#
# `weights` has a row for each query and a column for each key; `gradients` has the
# derivative of the loss with respect to each weight. Write
# `help_of_keys(weights, gradients, side)`: for each key the sum of minus weight times
# gradient over the queries that stand more than `side` tokens away from it. Queries
# and keys are the same tokens.
#
# <details><summary>Hint 1: a nudge</summary>
# A positive gradient says that more weight makes the loss larger. Is that help?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Multiply, change the sign, set to 0 what lies within the window, and add along the
# axis of the queries.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>place = torch.arange(n)</code>,
# <code>far = (place[:, None] - place).abs() &gt; side</code>, then
# <code>(-weights * gradients * far).sum(dim=0)</code>.
# </details>


# %%
def help_of_keys(weights, gradients, side):
    ### BEGIN SOLUTION
    place = torch.arange(len(weights))
    far = (place[:, None] - place).abs() > side
    return (-weights * gradients * far).sum(dim=0)
    ### END SOLUTION


# %% tags=["check"]
check_help_of_keys(help_of_keys)

# %% [markdown]
# ## Exercise 10.5 · Evidence in view
#
# **15 minutes · ●●○○○ · needs:** the lesson's section on reach
#
# A mention answers at its first token. Write
# `can_see(mention, evidence, left, right, is_global)`: True if that token sees any
# token of the evidence in **one** layer. `mention` and `evidence` are pairs
# `(start, stop)`, where stop is the token after the last; `left` and `right` count
# neighbours; `is_global` has a bool a token. A global token sees all and is seen by
# all.
#
# <details><summary>Hint 1: a nudge</summary>
# Three ways to be seen: near, global itself, or looked at by a global token.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Go through the tokens of the evidence. For each, ask for its distance, after the
# query or before it, then for the two flags.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>query = mention[0]</code>; any key of <code>range(*evidence)</code> with
# <code>-left &lt;= key - query &lt;= right</code>, or <code>is_global</code> at the
# key or at the query.
# </details>


# %%
def can_see(mention, evidence, left, right, is_global):
    ### BEGIN SOLUTION
    query = mention[0]
    return any(
        -left <= key - query <= right or is_global[key] or is_global[query]
        for key in range(*evidence)
    )
    ### END SOLUTION


# %% tags=["check"]
check_can_see(can_see)

# %% [markdown]
# ## Exercise 10.6 · What globals cost
#
# **20 minutes · ●●●○○ · needs:** lesson 05, exercise 5.4
#
# Write `pairs_with_globals(n, side, places)`: the number of pairs of query and key in a
# text of `n` tokens, with a window of `side` on each side and global tokens at
# `places`. Each pair counts once, however many reasons it has. Do not form a square of
# n times n: a text may have a million tokens, with a handful of places.
#
# <details><summary>Hint 1: a nudge</summary>
# Count for one query at a time. There are two kinds of queries.
# </details>
# <details><summary>Hint 2: the idea</summary>
# A global query sees n keys. Another sees its window, cut at the ends, and those global
# tokens that stand outside of it.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# For a plain query i: <code>low = max(0, i - side)</code>,
# <code>high = min(n - 1, i + side)</code>, then <code>high - low + 1</code> and the
# places that are not between.
# </details>


# %%
def pairs_with_globals(n, side, places):
    ### BEGIN SOLUTION
    total = 0
    for query in range(n):
        if query in places:
            total += n
            continue
        low, high = max(0, query - side), min(n - 1, query + side)
        total += high - low + 1
        total += sum(not low <= place <= high for place in places)
    return total
    ### END SOLUTION


# %% tags=["check"]
check_pairs_with_globals(pairs_with_globals)

# %% [markdown]
# Chunks of 128 have 128 keys a word. With a window of 16 and 4,096 words: how many
# global tokens may you have for the same price? Guess, then look.

# %% tags=["needs-solution"]
lengths = list(range(0, 97, 16))
keys = [pairs_with_globals(4096, 16, list(range(k))) / 4096 for k in lengths]
lines = {"window + global": (lengths, keys), "chunks of 128": (lengths, [128] * 7)}
plot_lines(lines, x="global tokens", y="keys a word")

# %% [markdown]
# ## Exercise 10.7 · A table with special rows
#
# **10 minutes · ●●○○○ · needs:** exercise 6.2
#
# RoBERTa's table of positions begins with two rows that belong to no place; place 0 has
# row 2. Write `table_with_special(table, n_places, n_special)`: the special rows once,
# then one row a place, for `n_places` places, the trained rows copied over and over.
# Special rows are never copied. A table that has enough places comes back as it is.
#
# <details><summary>Hint 1: a nudge</summary>
# Which row does the place after the last trained one get, if there are 2 special rows?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Cut the table in two: special rows and trained rows. Lengthen the second part, join.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>trained = table[n_special:]</code>,
# <code>trained[torch.arange(n) % len(trained)]</code>, and <code>torch.cat</code>.
# </details>


# %%
def table_with_special(table, n_places, n_special):
    ### BEGIN SOLUTION
    special, trained = table[:n_special], table[n_special:]
    n = max(n_places, len(trained))
    return torch.cat([special, trained[torch.arange(n) % len(trained)]])
    ### END SOLUTION


# %% tags=["check"]
check_table_with_special(table_with_special)

# %% [markdown]
# ## Exercise 10.8 · F1 by distance
#
# **25 minutes · ●●●○○ · needs:** lesson 09, exercise 9.7
#
# The figure of the promise. `mentions` are the gold entities of a text,
# `(start, stop, type, distance)`; `predicted` are `(start, stop, type)`; `buckets` are
# `(low, high)`, both included. Write `f1_in_buckets(mentions, predicted, buckets)`: one
# F1 a bucket, 0 where nothing is there and nothing said. A prediction belongs to the
# bucket of the mention that it overlaps; one that overlaps none belongs to no bucket.
# It is right if start, stop and type are.
#
# <details><summary>Hint 1: a nudge</summary>
# For each bucket three counts: there, said, right. Where does each come from?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Only gold mentions know a distance. So first take the mentions of a bucket, then the
# predictions that overlap one of these.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Two overlap if <code>a_start &lt; b_stop and b_start &lt; a_stop</code>. With counts
# per bucket, F1 is <code>2 * right / (there + said)</code>.
# </details>


# %%
def f1_in_buckets(mentions, predicted, buckets):
    ### BEGIN SOLUTION
    scores = []
    for low, high in buckets:
        there = [m[:3] for m in mentions if low <= m[3] <= high]
        said = [p for p in predicted if any(p[0] < m[1] and m[0] < p[1] for m in there)]
        right = sum(tuple(p) in map(tuple, there) for p in said)
        scores.append(2 * right / (len(there) + len(said)) if there or said else 0.0)
    return scores
    ### END SOLUTION


# %% tags=["check"]
check_f1_in_buckets(f1_in_buckets)

# %% [markdown]
# ## Done
#
# Take one question along: in the texts that *you* have, where does it stand what a
# reader must know? Whoever can say that can choose global tokens, or knows that chunks
# are enough.
