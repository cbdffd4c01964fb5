# %% [markdown]
# # 02 · Transformer
#
# *What is a block made of, and what is a model of blocks asked while it learns to
# read?*
#
# After this you can build a block by hand, say what normalisation and the residual each
# do, make questions out of plain text in two ways, score a language model in bits, and
# say how many labels its reading saves. Reading and predicting takes about 60 minutes;
# the longest cell, a training, about 25 seconds.

# %%
import copy
import itertools
import math
from functools import partial

import torch
import torch.nn.functional as F

from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.plotting import panels, plot_lines, plot_mask

# %% [markdown]
# ## The embedding
#
# A model reads numbers. A **tokenizer** cuts a text into tokens, each with an id; the
# **embedding** is a table with a row of `d_model` numbers for each id. Three ids, rows
# of four numbers. **Predict** what `table[ids]` is, and how many different rows it has.

# %%
table = torch.tensor([[0.0, 0, 0, 0], [0.5, -0.5, 0, 0], [0, 0, 0.5, -0.5]])
ids = torch.tensor([2, 1, 2])
guess(table[ids])

# %% [markdown]
# Three rows, two of them equal: a token is the same wherever it stands. Rows are drawn
# small, so that the table can also name tokens at the end; on the way in they are
# multiplied by the root of `d_model`. **Predict** the largest number of `x`.

# %%
x = table[ids] * table.shape[1] ** 0.5
guess(x.max())

# %% [markdown]
# One sentence on **positions**: attention cannot see order, so each token must be told
# its place, by a second row added here or by turning queries and keys; lesson 06 is
# about that.
#
# ## Layer normalisation
#
# Vectors grow and shrink on their way through a deep model. **Layer normalisation**
# gives each one mean 0 and variance 1. **Predict** what becomes of (1, 1, 5, 5).

# %%
vector = torch.tensor([1.0, 1, 5, 5])
mean, variance = vector.mean(), ((vector - vector.mean()) ** 2).mean()
guess([float(mean), float(variance), (vector - mean) / variance.sqrt()])

# %% [markdown]
# Mean 3, variance 4, so (-1, -1, 1, 1). A small `eps` under the root keeps a vector of
# equal numbers from being 0 / 0; at the end each place has a **gain** and a **shift**,
# learnt like all weights. Each token is normalised alone: no other token, no other text
# has a say.


# %%
def layer_norm_by_hand(x, gain, shift, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    variance = (centred**2).mean(-1, keepdim=True)
    return centred / (variance + eps).sqrt() * gain + shift


# %%
# NBVAL_CHECK_OUTPUT
draw = torch.Generator().manual_seed(0)
x = torch.randn(2, 5, 64, generator=draw)
gain, shift = torch.randn(2, 64, generator=draw)
ours = layer_norm_by_hand(x, gain, shift)
assert_close(ours, F.layer_norm(x, (64,), gain, shift), atol=1e-5)

# %% [markdown]
# **Predict:** a vector is multiplied by 100. By how much does its normalised form
# change?

# %%
one, zero = torch.ones(64), torch.zeros(64)
change = layer_norm_by_hand(100 * x, one, zero) - layer_norm_by_hand(x, one, zero)
guess(f"{float(change.abs().max()):.3f}")

# %%
assert change.abs().max() < 1e-3, "only direction is left"

# %% [markdown]
# ## Feed-forward
#
# Attention moves what tokens know from place to place. The **feed-forward** part works
# on each token alone: a linear map to `d_ff` numbers, a bend, a linear map back. The
# bend is **GELU**: x times the share of a normal distribution below x.


# %%
def gelu_by_hand(x):
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


# %%
places = torch.linspace(-3, 3, 25)
bends = {"GELU": gelu_by_hand(places), "ReLU": places.clamp(min=0)}
lines = {name: (places.tolist(), up.tolist()) for name, up in bends.items()}
plot_lines(lines, x="number that comes in", y="number that goes out")

# %% [markdown]
# Almost nothing below -2, almost x above 2, and smooth between, where ReLU has a
# corner. Without a bend two linear maps would be one.
#
# Usually `d_ff` is 4 times `d_model`. Attention has four maps from `d_model` to
# `d_model`. **Predict:** which share of a block's weights is feed-forward?

# %%
d_model, d_ff = 64, 256
in_attention, in_feed = 4 * d_model * d_model, 2 * d_model * d_ff
guess(f"{in_feed / (in_attention + in_feed):.2f}")

# %% [markdown]
# Two thirds. Most of what a Transformer knows stands in its feed-forward parts.
#
# ## The block
#
# A **block** is attention and feed-forward, each with a normalisation in front and a
# **residual**: what a part says is *added* to what came in. In symbols, `x = x +
# part(norm(x))`, twice. By hand, with the weights of a block of the library:


# %%
def heads_by_hand(x, layer, n_heads=4):
    q, k, v = layer.q_proj(x), layer.k_proj(x), layer.v_proj(x)
    said = []
    for n in range(n_heads):
        own = slice(n * 16, (n + 1) * 16)
        scores = q[..., own] @ k[..., own].mT / 16**0.5
        said.append(scores.softmax(-1) @ v[..., own])
    return layer.out_proj(torch.cat(said, dim=-1))


# %%
def block_by_hand(x, block):
    norm_1, norm_2 = block.attention_norm, block.feed_norm
    w_in, w_out = block.feed[0], block.feed[2]
    read = layer_norm_by_hand(x, norm_1.weight, norm_1.bias)
    x = x + heads_by_hand(read, block.attention)
    read = layer_norm_by_hand(x, norm_2.weight, norm_2.bias)
    return x + w_out(gelu_by_hand(w_in(read)))


# %% [markdown]
# Four heads as in lesson 01, each on its own 16 of 64 numbers. Now the library's block.

# %%
from longctx_edu.attention import full_attention
from longctx_edu.models import Positions, TransformerBlock, TransformerConfig

show_source(TransformerBlock)

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
sizes = {"vocab_size": 512, "n_layers": 2, "n_heads": 4, "d_model": 64, "d_ff": 256}
config = TransformerConfig(**sizes, positions="none")
block = TransformerBlock(config, full_attention, layer=0)
theirs = block(x, torch.arange(5), positions=Positions())
assert_close(block_by_hand(x, block), theirs, atol=1e-5)

# %% [markdown]
# And PyTorch's own layer, once it holds the same weights. It keeps the three maps of
# attention in one matrix; `norm_first` says where the norm stands.

# %%
layer = torch.nn.TransformerEncoderLayer(
    64, 4, 256, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
)
ours = block.attention
qkv = ours.q_proj, ours.k_proj, ours.v_proj
pairs = [(layer.self_attn.out_proj, ours.out_proj)]
pairs += [(layer.norm1, block.attention_norm), (layer.norm2, block.feed_norm)]
pairs += [(layer.linear1, block.feed[0]), (layer.linear2, block.feed[2])]

# %%
# NBVAL_CHECK_OUTPUT
for theirs, ours in pairs:
    theirs.load_state_dict(ours.state_dict())
layer.self_attn.in_proj_weight.data = torch.cat([m.weight.data for m in qkv])
layer.self_attn.in_proj_bias.data = torch.cat([m.bias.data for m in qkv])
assert_close(block_by_hand(x, block), layer(x), atol=1e-5)

# %% [markdown]
# **Exercises 2.1 to 2.4** in `exercises/02_transformer.ipynb` · 40 minutes · ●○○○○ to
# ●●○○○ · You write the embedding, the normalisation, the feed-forward part, the block.
#
# ## Before or after?
#
# In 2017 the norm stood *after* the sum, `norm(x + part(x))`: **post-norm**. Today it
# stands before the part: **pre-norm**. Then nothing ever stands on the line from the
# first block to the last. **Predict:** in which of the two is the embedding still to be
# recognised after 24 fresh blocks?


# %%
def through_blocks(norm, n_layers=24, seed=0):
    torch.manual_seed(seed)
    config = TransformerConfig(**sizes, positions="none", norm=norm)
    blocks = [TransformerBlock(config, full_attention, n) for n in range(n_layers)]
    for weight in (p for b in blocks for p in b.parameters() if p.ndim == 2):
        torch.nn.init.xavier_uniform_(weight)
    x = torch.randn(4, 16, 64)
    stream = [x]
    for block in blocks:
        stream.append(block(stream[-1], torch.arange(16), positions=Positions()))
    out = F.layer_norm(stream[-1], (64,)) if norm == "pre" else stream[-1]
    (out * torch.randn(4, 16, 64)).sum().backward()
    alike = [F.cosine_similarity(x, y, dim=-1).mean().item() for y in stream]
    return alike, [float(b.feed[0].weight.grad.norm()) for b in blocks]


# %% [markdown]
# Two measurements. How alike is a token's vector to its embedding, after each block, as
# the cosine of their angle? And how long is the gradient that reaches the feed-forward
# weights of each block, from a random loss at the end?

# %%
found = {f"{norm}-norm": through_blocks(norm) for norm in ("pre", "post")}
left, right = panels(2, width=4.2)
lines = {name: (range(25), alike) for name, (alike, _) in found.items()}
plot_lines(lines, x="blocks passed", y="likeness to the embedding (cosine)", ax=left)
lines = {name: (range(1, 25), grads) for name, (_, grads) in found.items()}
plot_lines(lines, x="block", y="length of the gradient", ax=right)
_ = right.set_ylim(0)

# %% [markdown]
# After twelve post-norm blocks nothing of the embedding is left: each norm shrinks the
# old part to make room for the new. And the last post-norm blocks get a gradient four
# times as long as pre-norm's: a first step that is too large. That is why post-norm
# needs a **warm-up**, a small learning rate at the start, and pre-norm gets by without.

# %%
(pre_alike, pre_grads), (post_alike, post_grads) = found.values()
assert pre_alike[12] > 0.2 and abs(post_alike[12]) < 0.1
assert post_grads[-1] > 2.5 * pre_grads[-1]

# %% [markdown]
# ## What it is asked
#
# Text needs no labels: it can ask about itself. A **causal** model reads forwards and
# names the *next* token. A **masked** model reads in both directions and names tokens
# that were *hidden*. The blocks are the same; the mask and the labels differ.

# %%
from longctx_edu.recipes import gazette_language

data = gazette_language(n_articles=1000, vocab_size=512)
tokenizer = data.tokenizer
line = tokenizer.encode(" The harbour was closed.")
words = [piece.strip() for piece in tokenizer.pieces(line)]
print(words)

# %% [markdown]
# The tokenizer is a **byte-pair** tokenizer, learnt from the training text: frequent
# neighbours are one token, and 512 tokens are enough to write any text. **Predict:**
# how many questions does this line ask a causal model?

# %%
from longctx_edu.data.language import mask_tokens

options = {"vocab_size": 512, "mask_id": 1, "special_ids": tokenizer.special_ids}
generator = torch.Generator().manual_seed(1)
hidden, labels = mask_tokens(line, **options, share=0.3, generator=generator)
guess(f"causal: {len(line) - 1} questions, masked: {int((labels >= 0).sum())} here")

# %% [markdown]
# Nine, one for each token but the first. The masked model is asked for three here; the
# usual share is 15 of 100. Left: who sees whom. Below: what goes in, and what is asked
# for; a raised dot is -100, no question.

# %%
seen = torch.ones(10, 10, dtype=torch.bool)
left, right = panels(2, width=4.0, height=3.8)
plot_mask(seen.tril(), ax=left, title="causal", tokens=words)
plot_mask(seen, ax=right, title="masked", tokens=words)


# %%
def show_row(name, ids):
    pieces = ["·" if i < 0 else tokenizer.pieces([i])[0].strip() for i in ids.tolist()]
    print(f"{name:16s}" + "".join(f"{piece:8s}" for piece in pieces).rstrip())


# %%
# NBVAL_CHECK_OUTPUT
show_row("causal: inputs", line[:-1])
show_row("causal: labels", line[1:])
print()
show_row("masked: inputs", hidden)
show_row("masked: labels", labels)

# %% [markdown]
# Of the tokens that are asked for, 80 of 100 become `<mask>`, 10 become a random token
# and 10 stay: the model can trust no token blindly. **Predict:** what would a masked
# model learn if no token were hidden? And a causal one that may look one token ahead?

# %%
guess("both: to copy. The answer stands in the input, and nothing needs to be known")

# %% [markdown]
# **Exercises 2.5 and 2.6** · 30 minutes · ●○○○○ and ●●●○○ · You write both ways to make
# questions, with their traps: off by one, labels everywhere.
#
# ## Bits per token
#
# The loss is the cross-entropy of lesson 08 over all tokens of the vocabulary. In
# **bits**, logarithms to base 2, it has a meaning: 3 bits are a choice between 8
# equally likely tokens. **Predict** the bits of a model that knows nothing of 512
# tokens.

# %%
from longctx_edu.metrics import bits_per_token

guess(bits_per_token(math.log(512)))

# %% [markdown]
# Nine. How good is good? We need a yardstick that is no neural network: an **n-gram
# model** counts which token follows which n - 1 others. One of order 2 knows one token
# of context, one of order 5 knows four. All see the same tokens of the same text.

# %%
from longctx_edu.models.ngram import NGram

ngrams = {n: NGram(n, 512).fit(data.train) for n in (1, 2, 3, 5)}
yardstick = {n: ngram.bits_per_token(data.test) for n, ngram in ngrams.items()}
print(len(data.train), "tokens to learn from,", len(data.test), "held out")
for n, bits in yardstick.items():
    print(f"order {n}: {bits:.2f} bits per token")

# %% [markdown]
# The held-out articles share no name with the training text, and few sentences. Four
# tokens of context save more than three bits against frequency alone. The art of an
# n-gram is what it does with a context that it has never seen: it falls back to a
# shorter one.

# %%
assert yardstick[5] < yardstick[1] - 3

# %% [markdown]
# ## A small causal model
#
# Two blocks of width 64, places by rotary positions, and a look at three neighbours
# before the first block (`conv_width`, lesson 06). One pass over the text, in windows
# of
# 256 tokens. **Predict:** after how many of about 600 steps is it better than order 2?
# Does it reach order 5?

# %%
from longctx_edu.models import build_language_model
from longctx_edu.recipes import evaluate_bits, fit_language_model
from longctx_edu.training import TrainConfig

torch.manual_seed(0)
reader = TransformerConfig(**sizes, conv_width=3, dropout=0.1)
model = build_language_model(reader)
fresh = copy.deepcopy(model)
how = {"learning_rate": 1e-2, "schedule": "cosine", "precision": "fp32"}
curve = [(0, evaluate_bits(model, data.test[:4000], n_tokens=256))]


# %%
def watch(row):
    if row["step"] % 85 == 0:
        bits = evaluate_bits(model, data.test[:4000], n_tokens=256)
        curve.append((row["step"], bits))


# %% [markdown]
# `watch` scores held-out text during the training, on a small part of it. Every token
# is scored once; the loop is that of lesson 09, only the loss asks for the next token.

# %%
history = fit_language_model(
    model,
    data,
    n_tokens=256,
    config=TrainConfig(epochs=1, batch_tokens=1028, **how),
    on_step=watch,
    progress=False,
)

# %%
ends = (0, len(history.steps))
lines = {"Transformer": tuple(zip(*curve, strict=True))}
lines |= {f"order {n}": (ends, (yardstick[n],) * 2) for n in (1, 2, 3, 5)}
plot_lines(lines, x="step", y="bits per token, held out")

# %% [markdown]
# The curve is over 4,000 tokens. The final number is over all that was held out.

# %%
bits = evaluate_bits(model, data.test, n_tokens=256)
print(f"before {curve[0][1]:.2f}, after {bits:.2f} bits per token")
assert bits < yardstick[3] < yardstick[2] < curve[0][1]

# %% [markdown]
# It starts above 9 bits, since random preferences are worse than none. It passes order
# 3 on its way, and does not reach order 5. Nor is it a matter of patience: with
# `epochs=4` in the cell above it came to 4.5 here, since by then it learns its own text
# by heart; with `weight_decay=0.1` as well, to 4.4. A small network learns slowly what
# a table of counts knows at once. The two know different things, and that is worth a
# look.

# %% [markdown]
# ## What attention can, and counts cannot
#
# A name that no training has seen is spelt for the second time. A table of counts has
# nothing to say; a model that looks back can copy. So we take the cost of each token in
# both models: first ours, then order 5.

# %%
from longctx_edu.data.language import scored_windows

text = data.test[:6001]
inputs, wanted = scored_windows(text, n_tokens=256, step=64)
with torch.no_grad():
    log_p = model(inputs).log_softmax(-1)[wanted >= 0]
ours = -log_p.gather(-1, wanted[wanted >= 0][:, None])[:, 0] / math.log(2)

# %%
ids = text.tolist()
places = range(1, len(ids))
counts = [ngrams[5].probability(ids[max(0, n - 4) : n], ids[n]) for n in places]
theirs = -torch.tensor(counts).log2()

# %% [markdown]
# A token is **repeated** if it and the two before it stood together in the 256 before,
# and **unread** if it and the three before it never stood together in the training
# text.


# %%
def runs_of(ids, length):
    return list(zip(*(ids[n:] for n in range(length)), strict=False))


def stood_before(n):
    return tuple(ids[n - 2 : n + 1]) in runs_of(ids[max(0, n - 256) : n], 3)


# %%
known = set(runs_of(data.train.tolist(), 4))
repeated = torch.tensor([stood_before(n) for n in places])
unread = torch.tensor([tuple(ids[n - 3 : n + 1]) not in known for n in places])
kinds = {
    "repeated, unread": repeated & unread,
    "new, unread": ~repeated & unread,
    "new, read": ~repeated & ~unread,
}

# %% [markdown]
# **Predict:** on which of the three kinds is the Transformer ahead of order 5?

# %%
for name, kind in kinds.items():
    share = float(kind.float().mean())
    costs = f"{float(ours[kind].mean()):.2f}, order 5 {float(theirs[kind].mean()):.2f}"
    print(f"{name:18s} {share:4.0%} of tokens: Transformer {costs} bits")

# %% [markdown]
# On all that nobody has read word for word, and most on what it can copy. The counts
# are far ahead on what stood in the training text. So neither contains the other: the
# mean of their two shares, half and half, is better than both.

# %%
both = -((2**-ours + 2**-theirs) / 2).log2()
guess([round(float(costs.mean()), 2) for costs in (ours, theirs, both)])

# %%
ahead = {name: float((theirs - ours)[kind].mean()) for name, kind in kinds.items()}
assert ahead["repeated, unread"] > ahead["new, unread"] + 0.3 > 0.4
assert ahead["new, read"] < -0.4
assert both.mean() < min(ours.mean(), theirs.mean()) - 0.2

# %% [markdown]
# **Exercise 2.7** · 15 minutes · ●●○○○ · You write the bits of a batch of texts, with
# the mean over what was asked.
#
# ## Samples
#
# A causal model can write: draw a token from its shares, append it, ask again. A
# **temperature** below 1 divides the logits by less than 1, so the likeliest tokens get
# still more. The beginning is a headline that it has never read.

# %%
from longctx_edu.memory import KVCache
from longctx_edu.models.generation import generate
from longctx_edu.models.sampling import sample

start = tokenizer.encode(tokenizer.decode(data.test[:200]).split("\n")[0] + "\n")


# %%
def write(model, temperature, n_tokens=70):
    draw = torch.Generator().manual_seed(4)
    choose = partial(sample, temperature=temperature, generator=draw)
    new = {"max_new_tokens": n_tokens, "choose": choose, "cache": KVCache(2)}
    return tokenizer.decode(generate(model, start[None], **new)[0])


# %%
print("BEFORE:", write(fresh, 0.5).replace("\n", "|"), end="\n\n")
print("AFTER:", write(model, 0.5))

# %% [markdown]
# Before, it says the same again and again (a bar is a new line): the table that embeds
# a token also names it, so a fresh model finds a token most like itself. After it: a
# dateline, sentences with a verb, names that nobody has read; and no thought that lasts
# longer than a line.
#
# **Exercise 2.8** · 15 minutes · ●●○○○ · You write the choice of the next token.
#
# ## What reading is worth
#
# Labels are dear: somebody reads and marks. Text is cheap. **Self-supervision** first
# learns from text alone; then a few labels are enough. We test it on the names of
# lesson 09: four types, IOB2, strict F1. First, reading: the same model with the other
# mask and the other labels.

# %%
torch.manual_seed(0)
encoder_config = TransformerConfig(**sizes, conv_width=3)
masked = build_language_model(encoder_config, causal=False)
before = evaluate_bits(masked, data.test[:4000], n_tokens=128, masked=True)
fit_language_model(
    masked,
    data,
    n_tokens=128,
    masked=True,
    config=TrainConfig(epochs=1, batch_tokens=1032, **how),
    progress=False,
)
after = evaluate_bits(masked, data.test[:4000], n_tokens=128, masked=True)
print(f"hidden tokens: {before:.2f} -> {after:.2f} bits")

# %% [markdown]
# No label was used so far. Next, the labelled texts: the first 48 words of 128
# articles, where the names are dense; 48 others for the test share no name with them.
# Each word becomes its tokens; the first of them carries the label.

# %%
from longctx_edu.chunking import align_labels
from longctx_edu.data import catalogue
from longctx_edu.data.gazette.render import NO_SPACE_BEFORE
from longctx_edu.tasks.tagging import tag_names

news = catalogue.load("gazette", counts=(128, 1, 48), n_tokens=128, ambiguous=0.0)
tags = tag_names(news.types)


# %%
def tokens_of(words, word_tags):
    glued = [n == 0 or word in NO_SPACE_BEFORE for n, word in enumerate(words)]
    texts = [" " * (not g) + word for g, word in zip(glued, words, strict=True)]
    pieces = [tokenizer.encode(text) for text in texts]
    word_ids = [n for n, piece in enumerate(pieces) for _ in piece]
    labels = align_labels(word_ids, [tags.index(tag) for tag in word_tags])
    return torch.stack([torch.cat(pieces), torch.tensor(labels)], dim=1)


# %%
train = [tokens_of(a.tokens[:48], a.tags[:48]) for a in news.train]
test = [tokens_of(a.tokens[:48], a.tags[:48]) for a in news.test]
for (token, label), _ in zip(train[0].tolist(), range(9), strict=False):
    print(f"{tokenizer.pieces([token])[0]:8s} {tags[label] if label >= 0 else '-100'}")

# %% [markdown]
# A batch is filled up to its longest text, and the loss is that of lesson 09.


# %%
def side_by_side(group):
    rows = torch.nn.utils.rnn.pad_sequence(group, True, padding_value=-100)
    ids, labels = rows.unbind(-1)
    keep = ids != -100
    return {"ids": ids.where(keep, tokenizer.pad_id), "keep": keep, "labels": labels}


def loss(tagger, batch):
    logits = tagger(batch["ids"], keep=batch["keep"])
    return F.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten())


# %% [markdown]
# The task layer of lesson 09 on top of an encoder, read or fresh; 32 steps of 8
# articles each for all: with few labels each text comes more often. The seed
# decides which texts have labels, the fresh weights, the order.

# %%
from longctx_edu.metrics import entity_scores
from longctx_edu.models import TokenClassifier
from longctx_edu.training import fit


def f1_of(tagger):
    batch = side_by_side(test)
    with torch.no_grad():
        best = tagger(batch["ids"], keep=batch["keep"]).argmax(-1)
    at = batch["labels"] >= 0
    said = [[tags[i] for i in row[a].tolist()] for row, a in zip(best, at, strict=True)]
    return entity_scores([a.tags[:48] for a in news.test], said)["micro"].f1


# %%
def fine_tune(has_read, n_labelled, seed):
    torch.manual_seed(seed)
    encoder = build_language_model(encoder_config, causal=False).transformer
    if has_read:
        encoder.load_state_dict(masked.transformer.state_dict())
    tagger = TokenClassifier(encoder, 64, len(tags))
    some = torch.randperm(128)[:n_labelled].tolist()
    how = {"learning_rate": 2e-2, "schedule": "cosine", "precision": "fp32"}
    config = TrainConfig(epochs=256 // n_labelled, batch_tokens=1200, seed=seed, **how)
    done = {"collate": side_by_side, "loss": loss, "config": config, "progress": False}
    fit(tagger, [train[n] for n in some], **done)
    return f1_of(tagger)


# %% [markdown]
# **Predict:** how many labelled texts does the fresh encoder need to be as good as
# the one that has read with 32? And is there a number from which reading is worth
# nothing?

# %%
labelled, seeds = (8, 32, 128), (0, 1, 2)
f1 = {
    read: [[fine_tune(read, n, seed) for seed in seeds] for n in labelled]
    for read in (True, False)
}


# %%
def mean(numbers):
    return sum(numbers) / len(numbers)


# %%
names = {True: "has read first", False: "fresh"}
means = {read: [mean(row) for row in rows] for read, rows in f1.items()}
lines = {names[read]: (labelled, means[read]) for read in names}
ax = plot_lines(lines, x="labelled texts (48 words each)", y="entity F1, held out")
for read, colour in zip(names, ("#0072B2", "#D55E00"), strict=True):
    low, high = zip(*((min(row), max(row)) for row in f1[read]), strict=True)
    ax.fill_between(labelled, low, high, color=colour, alpha=0.15, linewidth=0)
ax.set_xscale("log", base=2)
_ = ax.set_xticks(labelled, labelled)

# %% [markdown]
# Lines are means of three seeds, the shade goes from the worst to the best. How many
# labels does reading save? Go from the fresh encoder with 128 texts straight to the
# left, until you meet the other line, and read off the number below.


# %%
def texts_for(wanted, found):
    points = list(zip(labelled, found, strict=True))
    for (n, low), (m, high) in itertools.pairwise(points):
        if low <= wanted <= high:
            return round(n * (m / n) ** ((wanted - low) / (high - low)))
    return labelled[0] if wanted < found[0] else None


# %%
needed = texts_for(means[False][-1], means[True])
guess(f"{needed} texts do what 128 do: {128 - needed} labelled texts saved")

# %%
for n, read, new in zip(labelled, means[True], means[False], strict=True):
    print(f"{n:4d} labelled: has read {read:.2f}, fresh {new:.2f}")
assert means[True][1] > means[False][2] + 0.02, "32 after reading beat 128 without"
assert means[True][1] > means[False][1] + 0.04 and needed < 40
assert means[True][2] > means[False][2] + 0.05

# %% [markdown]
# With 8 texts both know next to nothing. With 32, a quarter of the labels does more
# than all of them did. Two fair objections: reading took far longer than the 32 steps,
# and the fresh encoder would gain from more steps. Both true. But reading happens once,
# for every task to come, and needs no one to mark a word.

# %% [markdown]
# ## Exercises
#
# `exercises/02_transformer.ipynb`: eight exercises, about 100 minutes. The embedding,
# layer normalisation, feed-forward, the block; questions for a causal and for a masked
# model; bits per token; the next token. A check after each names the mistake.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 02` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("02")

# %% [markdown]
# ## What you can now do
#
# - build a block from its parts, and say what each does to a token's vector;
# - say what stands on the line through all blocks, and why a norm should not;
# - turn a text into questions, for a causal and for a masked model;
# - read bits per token, and ask for the yardstick: which n-gram, which tokens, which
#   text;
# - show what reading is worth, as a number of labels.

# %% [markdown]
# ## Sources
#
# - Vaswani et al. 2017, *Attention is all you need*: sections 3.1 and 3.3, the block;
#   section 3.4, the embedding.
# - Ba, Kiros and Hinton 2016, *Layer normalization*: section 3.
# - He et al. 2016, *Deep residual learning*: section 3.1.
# - Hendrycks and Gimpel 2016, *Gaussian error linear units*: section 2.
# - Xiong et al. 2020, *On layer normalization in the Transformer architecture*: section
#   3, gradients by depth and the warm-up.
# - Radford et al. 2018, *Improving language understanding by generative pre-training*:
#   section 3.1.
# - Devlin et al. 2019, *BERT*: section 3.1 and appendix A.1, the masked model.
# - Sennrich et al. 2016, *Neural machine translation of rare words*: section 3.2.
# - Chen and Goodman 1999, *An empirical study of smoothing techniques*: section 2.7.
