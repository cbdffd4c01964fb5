# %% [markdown]
# # 01 · Attention
#
# *The letter came late and Ada read it.* What did Ada read? A reader knows: **it**
# points back to **letter**. This lesson builds the operation with which a model makes
# that step.
#
# After it you can compute attention on paper, hide what must not be seen, split the
# work among several heads, and say what it costs. Reading and predicting takes about
# 45 minutes; the cells run in seconds.

# %%
import math

import torch

from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.plotting import panels, plot_lines, plot_mask, plot_weights

# %% [markdown]
# ## One query, three keys, whole numbers
#
# Three tokens stand side by side. One of them looks: it holds a **query**, a vector
# that says what it asks for. Each token that can be looked at holds a **key**, a
# vector that says what it offers. The **score** of a pair is the dot product of the
# two: large where the offer fits the question.
#
# **Predict:** what is the score of the query with the first key?

# %%
q_it = torch.tensor([1.0, 0.0, 2.0, 1.0])
k = torch.tensor([[2.0, 0.0, 1.0, 2.0], [0.0, 3.0, 0.0, 2.0], [0.0, 1.0, 1.0, 0.0]])
scores = torch.stack([(q_it * key).sum() for key in k])
guess(scores[0])

# %% [markdown]
# 2 + 0 + 2 + 2. The other two keys score 2 each.
#
# More numbers make a larger dot product, whatever they mean. So we divide by the
# square root of their count, **d_head**. Here d_head is 4. **Predict** the three
# scaled scores.

# %%
scaled = scores / math.sqrt(4)
guess(scaled)

# %% [markdown]
# Scores say *more* or *less*. To mix tokens we need shares that sum to 1. The
# **softmax** makes them: take `exp` of each score, then divide by the sum. What
# remains is called the **weights**.
#
# The first key leads by 2. **Predict:** is its weight nearer to 0.6, 0.8 or 0.99?

# %%
weights = scaled.exp() / scaled.exp().sum()
guess(weights)

# %% [markdown]
# A lead of 2 is a factor of exp(2) = 7.4 over each of the others, so the shares are
# 7.4, 1 and 1 out of 9.4.

# %%
plot_weights(weights[None], title="one query, three keys")

# %% [markdown]
# One row of the picture is one query, each square a key. The row sums to 1.
#
# Each token also holds a **value**: what it gives to whoever looks. The answer to a
# query is the mean of the values, each counted with its weight. The values below are
# 10, 0 and 0. **Predict** the answer.

# %%
v = torch.tensor([10.0, 0.0, 0.0])
assert abs(float(weights.sum()) - 1) < 1e-6
guess((weights * v).sum())

# %% [markdown]
# Query, key, value: what I ask for, what you offer, what you give. That is all of
# attention. The rest is doing it for every token at once.
#
# ## Every query at once, in loops
#
# Two loops fill a square of scores, one row a query. The function below spells out
# all three steps and hides nothing.


# %%
def weights_by_loops(q, k):
    scores = torch.zeros(len(q), len(k))
    for i in range(len(q)):
        for j in range(len(k)):
            scores[i, j] = (q[i] * k[j]).sum() / math.sqrt(q.shape[1])
    return torch.stack([row.exp() / row.exp().sum() for row in scores])


# %%
q = torch.stack([q_it, torch.zeros(4), q_it.flip(0)])
plot_weights(weights_by_loops(q, k), title="three queries, three keys")

# %% [markdown]
# The first row is the one from before. The second query is all zeros: every score is
# 0, and it looks at all keys alike. No question, no preference.
#
# The inner loops are a matrix product: row `i` of `q` times column `j` of the
# transposed `k`. The library writes it that way.

# %%
from longctx_edu.attention import attention_weights, dense_attention

show_source(attention_weights)

# %% [markdown]
# `k.mT` turns the last two axes, so the same line serves a batch and several heads.
# The part about `mask` comes in a moment. First the alarm: it rings if our loops and
# the library ever part.

# %%
# NBVAL_CHECK_OUTPUT
assert_close(weights_by_loops(q, k), attention_weights(q, k))

# %% [markdown]
# The values come next: each answer is a weighted mean of them. **Predict** the answer
# to the second query, the one of zeros, for values of two numbers: (10, 0), (0, 3)
# and (0, 6).


# %%
def attention_by_loops(q, k, v):
    rows = weights_by_loops(q, k)
    return torch.stack(
        [sum(w * value for w, value in zip(row, v, strict=True)) for row in rows]
    )


# %%
v = torch.tensor([[10.0, 0.0], [0.0, 3.0], [0.0, 6.0]])
guess(attention_by_loops(q, k, v)[1])

# %% [markdown]
# No preference, so the plain mean: 10 / 3 and 9 / 3. The library, in two lines:

# %%
show_source(dense_attention)

# %% [markdown]
# This function is the definition that every later lesson is held against. PyTorch has
# its own, in `scaled_dot_product_attention`. Loops, library and PyTorch must agree.

# %%
# NBVAL_CHECK_OUTPUT
assert_close(attention_by_loops(q, k, v), dense_attention(q, k, v), atol=1e-5)
sdpa = torch.nn.functional.scaled_dot_product_attention
theirs = sdpa(q[None], k[None], v[None])[0]
assert_close(dense_attention(q, k, v), theirs, atol=1e-5)

# %% [markdown]
# ## A picture on words
#
# Now the sentence. We give each word two numbers by hand: how much it is about a
# *thing*, and how much about a *person*. **letter** offers a thing, **Ada** a person.
# **it** asks for a thing; **read** asks for both, who and what. A trained model
# learns such numbers; here we choose them, so that we can check the result.

# %%
words = ["the", "letter", "came", "late", "and", "Ada", "read", "it"]
q, k = torch.zeros(8, 2), torch.zeros(8, 2)
k[words.index("letter")] = torch.tensor([2.0, 0.0])
k[words.index("Ada")] = torch.tensor([0.0, 2.0])
q[words.index("it")] = torch.tensor([3.0, 0.0])
q[words.index("read")] = torch.tensor([3.0, 3.0])

# %% [markdown]
# **Predict:** the word *the* asks for nothing. What does each of the eight squares in
# its row say?

# %%
weights = attention_weights(q, k)
guess(weights[0, 0])

# %%
plot_weights(weights, tokens=words, title="who looks at whom")

# %% [markdown]
# One eighth each, rounded in the picture. Now read the bottom row: **it** takes 0.91
# of what it gets from **letter**, six words away. Distance plays no part: a score is
# one dot product, wherever the word stands. The row of **read** splits in two, 0.48
# each.

# %%
it, letter, ada, read = (words.index(w) for w in ("it", "letter", "Ada", "read"))
assert weights[it].argmax() == letter and round(float(weights[it, letter]), 2) == 0.91
assert weights[read, letter] == weights[read, ada]
assert round(float(weights[read, ada]), 2) == 0.48

# %% [markdown]
# ## Why the square root
#
# Draw two vectors of random numbers with variance 1. Their dot product adds up d_head
# products, and each adds its own variance. **Predict** the variance of the score for
# d_head = 64, to a whole number.


# %%
def score_variance(d_head):
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 20_000, d_head, generator=generator)
    return float((q * k).sum(dim=1).var())


# %%
guess(f"{score_variance(64):.1f}, measured on 20,000 pairs")

# %% [markdown]
# The variance is d_head, so the typical score is its root: 8 for 64 numbers, 16 for
# 256. Divide by the root, and scores have size 1 whatever the width.

# %%
# NBVAL_CHECK_OUTPUT
for d_head in (4, 64, 256):
    ratio = score_variance(d_head) / d_head
    print(f"d_head {d_head:3d}: variance / d_head = {ratio:.1f}")

# %% [markdown]
# What if we do not? Take 16 random keys. **Predict** how the largest weight of a row
# moves as d_head grows, with the scale and without.


# %%
def largest_weight(d_head, scale):
    q, k = torch.randn(2, 500, 16, d_head, generator=torch.Generator().manual_seed(0))
    return float(attention_weights(q, k, scale=scale).amax(dim=-1).mean())


# %%
widths = [4, 16, 64, 256]
scaled = [largest_weight(d, None) for d in widths]
raw = [largest_weight(d, 1.0) for d in widths]
lines = {"no scale": (widths, raw), "1 / sqrt(d_head)": (widths, scaled)}
plot_lines(lines, x="d_head (numbers)", y="largest weight of a row")

# %% [markdown]
# Without the scale the softmax becomes a choice: one key takes nearly everything.
# Such a row learns nothing, because a small change of the scores no longer changes
# the weights. With the scale the curve stays where it was.

# %%
assert raw[-1] > 0.9 and max(scaled) < 0.35
loud = torch.tensor([16.0, 0.0, 0.0], requires_grad=True)
loud.softmax(dim=0)[0].backward()
assert loud.grad.abs().max() < 1e-6, "a full choice passes no gradient back"

# %% [markdown]
# ## Masks: who may look
#
# A model that writes must not look at words that it has not written. A **mask** says
# for each query and key: may look, or may not. **True means may look.** A **causal**
# mask allows a token itself and everything before it.
#
# **Predict:** of the 25 squares of five tokens, how many stay dark?


# %%
def causal_by_loops(n):
    mask = torch.zeros(n, n, dtype=torch.bool)
    for query in range(n):
        for key in range(query + 1):
            mask[query, key] = True
    return mask


# %%
mask = causal_by_loops(5)
guess(int(mask.sum()))

# %% [markdown]
# One square in the first row, two in the second: 1 + 2 + 3 + 4 + 5.

# %%
plot_mask(mask, title="causal, 5 tokens")

# %% [markdown]
# The library states the same as a question about two positions. Such a **predicate**
# does not know how long the text is, and it combines with others through `&`, `|` and
# `~`. `dense_mask` asks it about a whole square.

# %%
from longctx_edu.masks import causal, dense_mask, padding

show_source(causal)

# %% [markdown]
# The comparison `key <= query` is our two loops. Does it give the same square?

# %%
# NBVAL_CHECK_OUTPUT
assert_close(causal_by_loops(5), dense_mask(causal(), 5))

# %% [markdown]
# A hidden key must get the weight 0. We set its score to minus infinity, since exp of
# that is 0, and take the softmax *afterwards*: then what is left still sums to 1.
#
# **Predict:** five queries that prefer nothing, a causal mask. What weight does the
# first token give itself, and what the last?

# %%
flat = attention_weights(torch.zeros(5, 2), torch.zeros(5, 2), mask=mask)
guess(flat.diagonal())

# %%
plot_weights(flat, title="causal, no preference")

# %% [markdown]
# The first token sees nobody but itself. The last shares out one fifth to each of
# five.

# %%
assert torch.all(flat[~mask] == 0)
assert torch.allclose(flat.sum(dim=1), torch.ones(5))

# %% [markdown]
# ### Padding
#
# Texts differ in length, a tensor does not. Short ones are filled up, and nobody may
# look at the filling. `keep` is True for the real tokens.
#
# A text of three tokens is padded to five and read causally. **Predict:** how many of
# the 25 squares stay dark?

# %%
keep = torch.tensor([True, True, True, False, False])
both = dense_mask(causal() & padding(keep), 5)
guess(int(both.sum()))

# %%
left, right = panels(2, width=3.2)
plot_mask(dense_mask(padding(keep), 5), ax=left, title="padding")
plot_mask(both, ax=right, title="causal & padding")

# %% [markdown]
# Padding hides *columns*. Its rows stay: what a padded token reads is never used, and
# a row that sees something needs no special care. Twelve squares are left: one, two,
# and three in each of the other rows.
#
# A change in the filling must change nothing for anybody. That is the test of a
# padding mask.

# %%
x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
noisy = torch.where(keep[:, None], x, 100.0)
seen = dense_mask(padding(keep), 5)
clean = dense_attention(x, x, x, mask=seen)
assert torch.equal(clean[:3], dense_attention(noisy, noisy, noisy, mask=seen)[:3])

# %% [markdown]
# ### The row that sees nothing
#
# What if a query may look at no key at all? It happens: an empty text, a window
# beside the end. Three answers are in use. Below, two keys carry the values 10 and
# 20, and both are forbidden. Which line would you want to see in a model?

# %%
# NBVAL_CHECK_OUTPUT
nobody, two = torch.tensor([[False, False]]), torch.tensor([[10.0], [20.0]])
for name, fill in (("-inf", -math.inf), ("-1e9", -1e9)):
    row = torch.zeros(1, 2).masked_fill(~nobody, fill).softmax(dim=-1)
    print(f"{name}: {(row @ two).item()}")
ours = dense_attention(torch.zeros(1, 2), torch.zeros(2, 2), two, mask=nobody)
print(f"ours: {ours.item()}")

# %% [markdown]
# Minus infinity alone gives 0 / 0. The popular -1e9 averages the *forbidden* values:
# 15, a plausible number and a leak. We fill with minus infinity and then give such a
# row the value 0. Nothing seen, nothing taken. In half precision -1e9 does not even
# exist: it becomes minus infinity.

# %%
assert torch.tensor(-1e9).half().isinf()
half_row = sdpa(torch.zeros(1, 1, 2), torch.zeros(1, 2, 2), two[None], attn_mask=nobody)
assert half_row.item() == 0, "PyTorch's own attention answers 0 as well"

# %% [markdown]
# ## Several heads
#
# One row has one softmax, and one softmax shares out one whole. **read** wanted two
# things and got half of each, mixed. **Several heads** split the vector into shorter
# ones, and each head has its own softmax.
#
# Two texts of five tokens with 12 numbers each are split into three heads.
# **Predict** the shape.


# %%
def heads_by_slices(x, n_heads):
    width = x.shape[-1] // n_heads
    parts = [x[..., h * width : (h + 1) * width] for h in range(n_heads)]
    return torch.stack(parts, dim=-3)


# %%
x = torch.arange(120.0).reshape(2, 5, 12)
guess(heads_by_slices(x, 3).shape)

# %% [markdown]
# Batch, head, token, d_head. The token axis stays next to last, where the matrix
# product expects it. Head 0 holds the first four numbers of *every* token.

# %%
from longctx_edu.shapes import merge_heads, split_heads

show_source(split_heads)

# %% [markdown]
# The pattern reads as a sentence: the last axis is heads times d, and the heads move
# before the tokens. `merge_heads` is the way back.

# %%
# NBVAL_CHECK_OUTPUT
assert_close(heads_by_slices(x, 3), split_heads(x, 3))
assert_close(x, merge_heads(split_heads(x, 3)))

# %% [markdown]
# A tempting short cut has the right shape and the wrong numbers: `reshape` alone.
# **Predict:** what are the first four numbers of head 0's *second* row, in the split
# above and in the short cut?

# %%
short_cut = x.reshape(2, 3, 5, 4)
assert short_cut.shape == split_heads(x, 3).shape
guess([split_heads(x, 3)[0, 0, 1].tolist(), short_cut[0, 0, 1].tolist()])

# %% [markdown]
# The short cut's second row is still the first token, cut in pieces. The shape is
# right, so no error is raised: only the numbers tell.
#
# Back to the sentence, with the same numbers for queries and keys as before. Two
# heads now: the first sees the *thing* column, the second the *person* column.
# **Predict** the two rows of **read**.

# %%
two_heads = attention_weights(split_heads(q, 2), split_heads(k, 2))
guess(two_heads[:, read].amax(dim=-1))

# %%
left, right = panels(2, width=4.4, height=4.0)
plot_weights(two_heads[0], tokens=words, ax=left, title="head 0: which thing?")
plot_weights(two_heads[1], tokens=words, ax=right, title="head 1: which person?")

# %% [markdown]
# **read** no longer splits: one head finds the letter with 0.98, the other finds Ada
# with 0.98. The same numbers, two questions at once. In head 1 **it** asks for no
# person and looks at all words alike.

# %%
assert two_heads[0, read].argmax() == letter and two_heads[1, read].argmax() == ada
assert float(two_heads[:, read].amax(dim=-1).min()) > 0.98

# %% [markdown]
# ## The layer
#
# Where do queries, keys and values come from? From the token's own vector, through
# three learned matrices, the **projections**. A fourth mixes the heads at the end.
# Each has a bias.
#
# **Predict:** for vectors of 12 numbers, how many parameters does the layer have?
# Does the number of heads matter?

# %%
from longctx_edu.models import MultiHeadAttention

layer = MultiHeadAttention(d_model=12, n_heads=3)
guess(sum(p.numel() for p in layer.parameters()))

# %% [markdown]
# Four times 12 · 12 + 12. Heads cut the vector, they add nothing to it. The way
# through the layer is four lines long.

# %%
show_source(MultiHeadAttention.forward)

# %% [markdown]
# The layer does not know what attention is: it *receives* a function `f(q, k, v,
# ...)`. Later lessons hand it cheaper ones. By hand, head after head:


# %%
def layer_by_heads(layer, x):
    q, k, v = layer.q_proj(x), layer.k_proj(x), layer.v_proj(x)
    cuts = [slice(0, 4), slice(4, 8), slice(8, 12)]
    heads = [dense_attention(q[..., c], k[..., c], v[..., c]) for c in cuts]
    return layer.out_proj(torch.cat(heads, dim=-1))


# %%
# NBVAL_CHECK_OUTPUT
x = torch.randn(2, 5, 12, generator=torch.Generator().manual_seed(0))
assert_close(layer_by_heads(layer, x), layer(x))

# %% [markdown]
# PyTorch's layer keeps the first three matrices in one. With our weights copied in,
# it must give our numbers, also under a causal mask. Its mask is the other way round:
# there, True means *hidden*.

# %%
theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True)
theirs.out_proj.load_state_dict(layer.out_proj.state_dict())
firsts = (layer.q_proj, layer.k_proj, layer.v_proj)
with torch.no_grad():
    theirs.in_proj_weight.copy_(torch.cat([p.weight for p in firsts]))
    theirs.in_proj_bias.copy_(torch.cat([p.bias for p in firsts]))

# %%
# NBVAL_CHECK_OUTPUT
mask = dense_mask(causal(), 5)
assert_close(layer(x, mask=mask), theirs(x, x, x, attn_mask=~mask)[0])

# %% [markdown]
# ## What it costs
#
# Every query meets every key. The text doubles: **predict** the factor by which the
# number of scores grows. Then predict the slope of its line when both axes count in
# powers of two.

# %%
lengths = [128, 256, 512, 1024]
texts = [torch.zeros(n, 1) for n in lengths]
counted = [attention_weights(x, x).numel() for x in texts]
guess(counted[1] / counted[0])

# %%
lines = {"scores of full attention": (lengths, counted), "tokens": (lengths, lengths)}
plot_lines(lines, x="length (tokens)", y="count", log=True)

# %% [markdown]
# Four is two to the power of 2: slope 2, beside slope 1 for the tokens themselves. A
# score takes 4 bytes. **Predict:** how many GiB hold the scores of *one* head for
# 32,768 tokens, some 80 pages of a novel? And for twice as many?

# %%
assert [math.log2(counted[i + 1] / counted[i]) for i in range(3)] == [2.0, 2.0, 2.0]
guess([4 * n * n / 2**30 for n in (32_768, 65_536)])

# %% [markdown]
# 4 GiB, then 16, and a layer has many heads. Two ways lead out. Lesson 03 keeps every
# score but never stores the square. Lesson 05 asks which scores are needed at all,
# and computes only those.
#
# ## Exercises
#
# `exercises/01_attention.ipynb` lets you write it all: scores, softmax, masks,
# weights with a row that sees nothing, attention, heads, the layer. Eight exercises,
# about 90 minutes. A check after each names the mistake, not just its existence.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 01` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("01")

# %% [markdown]
# ## What you can now do
#
# - compute attention for one query on paper: score, scale, softmax, mean of the
#   values;
# - say why the scale is the root of d_head, and what fails without it;
# - write a causal and a padding mask, combine them, and treat a row that sees
#   nothing;
# - split a vector into heads without mixing tokens;
# - tell how scores and bytes grow with the length.

# %% [markdown]
# ## Sources
#
# - Bahdanau, Cho and Bengio 2015, *Neural machine translation by jointly learning to
#   align and translate*: section 3.1, the weighted mean with learned weights; figure
#   3, the first such pictures.
# - Vaswani et al. 2017, *Attention is all you need*: section 3.2.1, equation 1 and
#   footnote 4 on the variance of a dot product; section 3.2.2, several heads; section
#   3.2.3, the causal mask.
