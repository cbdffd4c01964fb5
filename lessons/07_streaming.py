# %% [markdown]
# # 07 · Streaming
#
# *What may a stream forget?* A model that writes reads its own words again. This lesson
# keeps what it has read, counts the bytes, and then throws most of them away.
#
# After it you can write a cache, say how many bytes it takes for any model, read a text
# without end in constant memory, and say what such a reader no longer knows. Reading
# and predicting takes about 60 minutes; the cells run in about a minute.

# %%
import math
from functools import partial

import torch
from torch.nn.functional import cross_entropy

from longctx_edu.attention import attention_weights, causal_attention, dense_attention
from longctx_edu.attention import kv_cache_bytes, sink_attention
from longctx_edu.checks import largest_tensor
from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.masks import causal, dense_mask
from longctx_edu.measure import measure
from longctx_edu.memory import KVCache, attend_seen, sink_places
from longctx_edu.models import TransformerConfig, build_language_model
from longctx_edu.plotting import panels, plot_lines, plot_mask, plot_weights

# %% [markdown]
# ## One word more
#
# Three tokens with values 0, 3 and 6, and equal scores: each token gets the mean of
# what it sees, itself and what came before.

# %%
v = torch.tensor([[0.0], [3.0], [6.0]])
mean = dense_attention(0 * v, 0 * v, v, mask=dense_mask(causal(), 3))
mean.flatten().tolist()

# %% [markdown]
# The model now says a fourth token, and its value is 7. **Predict** the four outputs.
# How many of the first three have changed?

# %%
longer = torch.cat([v, torch.tensor([[7.0]])])
means = dense_attention(0 * longer, 0 * longer, longer, mask=dense_mask(causal(), 4))
guess(means.flatten().tolist())

# %% [markdown]
# None: nobody looks ahead, so what comes later changes nothing before it. That is true
# in every layer. The outputs of the old tokens, and the keys and values that the next
# layer makes of them, stay what they are.

# %%
assert torch.equal(means[:3], mean) and float(means[3]) == (0 + 3 + 6 + 7) / 4

# %% [markdown]
# A program that does not know this reads the whole text again for each new word. A
# prompt of one token, then seven more. **Predict:** how many times does it make the key
# of a token, in all eight steps?

# %%
again = torch.ones(8, 8, dtype=torch.bool).tril()
once = torch.eye(8, dtype=torch.bool)
guess([int(again.sum()), int(once.sum())])

# %%
left_ax, right_ax = panels(2, width=3.2, height=3.2)
for ax, made, name in ((left_ax, again, "read again"), (right_ax, once, "kept")):
    plot_mask(made, ax=ax, title=f"{name}: {int(made.sum())} keys made")
    ax.set_xlabel("token whose key is made")
    ax.set_ylabel("step")

# %% [markdown]
# 36 against 8. Only the diagonal is new; all the rest was there before. Scores are
# worse off: step i has i² / 2 of them, and all steps together n³ / 6. **Predict** the
# pairs of 1,000 steps, without a cache and with one.

# %%
steps = range(1, 1001)
guess([sum(n * (n + 1) // 2 for n in steps), sum(steps)])

# %% [markdown]
# 167 million, and half a million: the same half square that one reading costs. A cache
# does not make attention linear. It makes writing a text as cheap as reading it.

# %%
n = 1000
assert sum(n * (n + 1) // 2 for n in steps) == n * (n + 1) * (n + 2) // 6
assert sum(steps) == n * (n + 1) // 2

# %% [markdown]
# ## The cache by hand
#
# One head with random weights, in float64. A token comes as a vector x, and makes a
# query, a key and a value. **Predict:** which of the three will later tokens need?


# %%
generator = torch.Generator().manual_seed(0)
text = torch.randn(12, 8, generator=generator).double()
w_q, w_k, w_v = torch.randn(3, 8, 8, generator=generator).double() / 8**0.5


def decode_step(x, keys, values):
    keys, values = torch.cat([keys, x @ w_k]), torch.cat([values, x @ w_v])
    return dense_attention(x @ w_q, keys, values), keys, values


# %% [markdown]
# Key and value. The query asks once and is gone. So we carry two tensors, and each step
# has one query: no mask is needed, since there is nothing ahead.

# %%
# NBVAL_CHECK_OUTPUT
keys = values = torch.empty(0, 8).double()
rows = []
for x in text.split(1):
    row, keys, values = decode_step(x, keys, values)
    rows.append(row)
seen = dense_mask(causal(), 12)
whole = dense_attention(text @ w_q, text @ w_k, text @ w_v, mask=seen)
assert_close(torch.cat(rows), whole, atol=1e-12)

# %% [markdown]
# Cached equals uncached, at each of twelve steps. The library's `KVCache` keeps the
# same two tensors for each layer. Here is what it does with new ones.

# %%
show_source(KVCache.extend)

# %% [markdown]
# Now a whole model: two layers, four heads, rotary positions, a short convolution.
# Twenty tokens, one by one with a cache, against all at once, in float64.

# %%
# NBVAL_CHECK_OUTPUT
torch.manual_seed(0)
small = TransformerConfig(vocab_size=50, d_model=32, d_ff=64, conv_width=3)
tiny = build_language_model(small).double().requires_grad_(False)
ids = torch.randint(50, (1, 20), generator=generator)
cache = KVCache(n_layers=2)
one_by_one = [tiny(token, cache=cache) for token in ids.split(1, dim=1)]
assert_close(torch.cat(one_by_one, dim=1), tiny(ids), atol=1e-12)

# %% [markdown]
# ### What it saves
#
# A model of lesson size has read 1,024 tokens. **Predict:** is one more token at least
# five times quicker with the cache than without?

# %%
middle = TransformerConfig(vocab_size=512, d_model=64, d_ff=256)
reader = build_language_model(middle).requires_grad_(False)
long = torch.randint(512, (1, 1024), generator=generator)
cache = KVCache(n_layers=2)
reader(long, cache=cache)
step = measure(lambda: reader(long[:, :1], cache=cache), repeats=5, warmup=1)
again = measure(reader, long, repeats=3, warmup=1)
guess(again.elapsed_s > 5 * step.elapsed_s)

# %% [markdown]
# This page keeps no seconds, since they differ from machine to machine: `longctx bench
# decoding` measures yours. Switch the next cell on for a curve.

# %%
SHOW_TIMES = False
assert again.elapsed_s > 2 * step.elapsed_s
if SHOW_TIMES:
    lengths = [128, 256, 512, 1024]
    costs = {"read again": [], "kept": []}
    for n in lengths:
        cache = KVCache(n_layers=2)
        reader(long[:, :n], cache=cache)
        ways = (partial(reader, long[:, :n]), partial(reader, ids[:, :1], cache=cache))
        for name, way in zip(costs, ways, strict=True):
            costs[name].append(measure(way, repeats=5, warmup=1).elapsed_s)
    lines = {name: (lengths, spent) for name, spent in costs.items()}
    plot_lines(lines, x="length (tokens)", y="time a token (s)", log=True)

# %% [markdown]
# ## What it costs: bytes
#
# Each token leaves a key and a value in each layer, for each head that has its own.
# Llama 3.1 8B has 32 layers, 8 heads of keys, 128 numbers a head, 2 bytes a number.
# **Predict** the KiB of one token, and the GiB of 131,072 tokens.

# %%
one = 2 * 32 * 8 * 128 * 2
guess([one / 2**10, one * 131_072 / 2**30])

# %% [markdown]
# 128 KiB a token, 16 GiB for a novel: as much as the weights of the model, about 15
# GiB, and for *one* text. Here are models whose sizes are published: layers, heads of
# queries, heads of keys, width of a head.

# %%
models = {
    "GPT-2 small": (12, 12, 12, 64),
    "Llama 2 7B": (32, 32, 32, 128),
    "Llama 3.1 8B": (32, 32, 8, 128),
    "Llama 3.1 70B": (80, 64, 8, 128),
    "Llama 3.1 405B": (126, 128, 8, 128),
}
print(f"{'':15} KiB a token  GiB at 131,072")
for name, (layers, _, kv_heads, width) in models.items():
    sizes = {"n_layers": layers, "n_kv_heads": kv_heads, "d_head": width}
    token, novel = (kv_cache_bytes(n, **sizes) for n in (1, 131_072))
    print(f"{name:15} {token / 2**10:11.0f} {novel / 2**30:15.1f}")

# %% [markdown]
# The length is the same for all, to compare; GPT-2 and Llama 2 never read that far. The
# model of 405 billion numbers keeps less a token than that of 7 billion. Why, comes
# next. First the alarm: does our small cache hold what the formula says?

# %%
# NBVAL_CHECK_OUTPUT
cache = KVCache(n_layers=2)
tiny(ids, cache=cache)
formula = kv_cache_bytes(20, n_layers=2, n_kv_heads=4, d_head=8, number_bytes=8)
assert_close(cache.nbytes, formula)
assert kv_cache_bytes(1, n_layers=32, n_kv_heads=8, d_head=128) == one == 131_072

# %% [markdown]
# ## Grouped queries
#
# Must every head have keys of its own? **Grouped queries** let neighbouring heads ask
# the same keys. Eight heads of queries, two of keys. **Predict:** whose keys does head
# 5 ask, those of 0 or of 1? And head 3?

# %%
owner = torch.arange(8) // (8 // 2)
guess([int(owner[5]), int(owner[3])])

# %%
shared = torch.arange(2)[:, None] == owner
ax = plot_mask(shared, title="8 heads of queries, 2 of keys")
ax.set_xlabel("head of queries")
ax.set_ylabel("head of keys")
assert shared.sum(dim=1).tolist() == [4, 4]

# %% [markdown]
# Neighbours share: head h asks `h // group`. Repeat each head of keys four times, one
# copy behind the other, and it is plain attention again. The other order, 0, 1, 0, 1,
# gives a model with the right shapes and the wrong words.

# %%
# NBVAL_CHECK_OUTPUT
q = torch.randn(1, 8, 10, 4, generator=generator).double()
k, v = torch.randn(2, 1, 2, 10, 4, generator=generator).double()
grouped = causal_attention(q, k, v)
side_by_side = [x.repeat_interleave(4, dim=1) for x in (k, v)]
in_turn = [x.repeat(1, 4, 1, 1) for x in (k, v)]
assert_close(grouped, causal_attention(q, *side_by_side), atol=1e-12)
assert (grouped - causal_attention(q, *in_turn)).abs().max() > 0.1

# %% [markdown]
# Copies are for the proof; the library makes none. The cache shrinks by the group:
# Llama 2 7B keeps 32 heads, Llama 3.1 8B has 32 heads of queries and keeps 8.
# **Predict** how many times fewer bytes.

# %%
old, new = (
    kv_cache_bytes(1, n_layers=32, n_kv_heads=heads, d_head=128) for heads in (32, 8)
)
guess(old / new)

# %%
lengths = [2**p for p in range(10, 18)]
llama = {"n_layers": 32, "d_head": 128}
ways = {
    "32 heads of keys": {"n_kv_heads": 32},
    "8 heads of keys": {"n_kv_heads": 8},
    "8, last 4,096 tokens": {"n_kv_heads": 8, "window": 4096},
}
lines = {
    name: (lengths, [kv_cache_bytes(n, **llama, **way) / 2**30 for n in lengths])
    for name, way in ways.items()
}
plot_lines(lines, x="length (tokens)", y="cache (GiB)", log=True)
assert old == 4 * new

# %% [markdown]
# Sharing moves the line down, and leaves its slope. Only the third line ends: it
# forgets. That is where we are going.
#
# ## A prompt in chunks
#
# First, the prompt. It is known at once, so its tokens can be read together: the
# **prefill**. A long one is read in chunks, so that no square of scores is formed. Ten
# tokens in chunks of four. The second chunk holds tokens 4 to 7. **Predict:** how many
# pairs does it have, where each token sees itself and all before?

# %%
chunks = [(0, 4), (4, 8), (8, 10)]
masks = [dense_mask(causal(offset=a), b - a, b) for a, b in chunks]
guess(int(masks[1].sum()))

# %%
axes = panels(3, width=3.0, height=2.4)
for ax, mask, (a, b) in zip(axes, masks, chunks, strict=True):
    plot_mask(mask, ax=ax, title=f"tokens {a} to {b - 1}")
    ax.set_yticks(range(b - a), range(a, b))

# %% [markdown]
# 5 + 6 + 7 + 8 = 26. The last query stands at the last key: the triangle sits at the
# **bottom right**. A triangle that starts at the top left, as `is_causal=True` of torch
# draws it, would let token 4 see token 0 alone.

# %%
top_left = dense_mask(causal(), 4, 8)
assert int(masks[1].sum()) == 26 and int(top_left.sum()) == 10
assert top_left[0].nonzero().flatten().tolist() == [0]

# %% [markdown]
# Any way of cutting gives the same words. We try five, down to one token at a time.

# %%
# NBVAL_CHECK_OUTPUT
for size in (1, 3, 4, 7, 20):
    cache = KVCache(n_layers=2)
    parts = [tiny(part, cache=cache) for part in ids.split(size, dim=1)]
    assert_close(torch.cat(parts, dim=1), tiny(ids), atol=1e-12)

# %% [markdown]
# ## Forget
#
# A stream has no end, memory has. Keep the last `left` tokens: a window, as in lesson
# 05. Some also keep the first few tokens of the text, the **sinks**; why, we will
# measure. left = 3, two sinks. **Predict:** which tokens does the cache hold when it
# has read 10 of them, 0 to 9?


# %%
def kept_by_hand(n, left, sinks):
    return [t for t in range(n) if t < sinks or t >= n - left]


# %%
guess(kept_by_hand(10, left=3, sinks=2))

# %%
from longctx_edu.masks import window_with_sinks

visible = dense_mask(window_with_sinks(left=3, sinks=2), 12)
plot_mask(visible, title="left=3, sinks=2: a row is what one token sees")

# %% [markdown]
# 0 and 1, then 7, 8, 9: never more than left + sinks. Row 10 of the picture sees these
# five and itself. What nobody will see again need not be kept; that is all that a
# window cache does.

# %%
# NBVAL_CHECK_OUTPUT
cache = KVCache(n_layers=1, left=3, sinks=2)
for n in range(12):
    one_key = torch.full((1, 1, 1, 1), float(n))
    shown = cache.extend(0, one_key, one_key)
    assert shown.places.tolist() == [*kept_by_hand(n, 3, 2), n]
    assert shown.places.tolist() == visible[n].nonzero().flatten().tolist()
held = kv_cache_bytes(12, n_layers=1, n_kv_heads=1, d_head=1, number_bytes=4,
                      window=3, sinks=2)  # fmt: skip
assert_close(cache.nbytes, held)

# %% [markdown]
# And the attention: piece by piece from the cache, against the definition over the
# whole text, for several pieces. Here each query has two forms, `q` for the window and
# `q_sinks` for the sinks; what for, we will see.

# %%
# NBVAL_CHECK_OUTPUT
q, q_sinks = torch.randn(2, 1, 4, 30, 8, generator=generator).double()
k, v = torch.randn(2, 1, 2, 30, 8, generator=generator).double()
how = {"left": 6, "sinks": 2}
definition = sink_attention(q, k, v, **how, q_sinks=q_sinks)
for size in (1, 5, 16):
    cache, out = KVCache(n_layers=1, **how), []
    for rows in torch.arange(30).split(size):
        shown = cache.extend(0, k[:, :, rows], v[:, :, rows])
        form = {"left": 6, "q_sinks": q_sinks[:, :, rows]}
        out.append(attend_seen(q[:, :, rows], shown, rows, **form))
    assert_close(torch.cat(out, dim=2), definition, atol=1e-12)

# %% [markdown]
# ## A model that streams
#
# We train a small model on the Gazette, 128 tokens at a time: two layers, four heads of
# queries, two of keys. It takes a quarter of a minute. The text that it will read comes
# from the held-out part, with other names.

# %%
from longctx_edu.recipes import fit_language_model, gazette_language
from longctx_edu.training import TrainConfig

N = 128
data = gazette_language(n_articles=400, n_tokens=512, vocab_size=512)
torch.manual_seed(0)
sizes = TransformerConfig(
    vocab_size=512, n_kv_heads=2, d_model=48, d_ff=192, conv_width=3
)
model = build_language_model(sizes)
plan = TrainConfig(epochs=1, learning_rate=1e-2, batch_tokens=12 * (N + 1),
                   precision="fp32")  # fmt: skip
history = fit_language_model(model, data, n_tokens=N, config=plan, progress=False)
losses = [row["loss"] / math.log(2) for row in history.steps]

# %%
every = range(0, len(losses), 10)
line = {"training": (every, [losses[step] for step in every])}
plot_lines(line, x="step", y="training loss (bits a token)")
assert losses[-1] < 4 < 8 < losses[0]


# %% [markdown]
# Now it reads 4,096 tokens, thirty-two times its trained length, from the cache, and we
# ask how many bits each next token costs. `piece` tokens are read at once; any number
# gives the same.


# %%
def bits_of(logits, targets):
    losses = cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.reshape(targets.shape) / math.log(2)


@torch.no_grad()
def bits_along(model, ids, left=None, sinks=0, piece=64):
    cache = KVCache(model.transformer.config.n_layers, left=left, sinks=sinks)
    parts = [model(part, cache=cache) for part in ids[:, :-1].split(piece, dim=1)]
    return bits_of(torch.cat(parts, dim=1), ids[:, 1:])


# %% [markdown]
# Beside these, the slow and safe way: **recompute**, that is read the last tokens anew
# for each token, as if the text began there. It is costly, so we ask at every 16th
# place only.


# %%
@torch.no_grad()
def bits_recomputed(model, ids, places, length):
    bits = []
    for place in places.tolist():
        recent = ids[:, place - length + 1 : place + 1]
        bits.append(bits_of(model(recent)[:, -1:], ids[:, place + 1 : place + 2]))
    return torch.cat(bits, dim=1)


# %% [markdown]
# **Predict** the order, from the fewest bits to the most: full attention over all 4,096
# tokens; a window of 124; the same and four sinks; recomputed.

# %%
stream = data.test[: 32 * N + 1][None]
places = torch.arange(N, 32 * N, 16)
ways = {"full": {}, "window 124": {"left": 124}}
ways["window 124 + 4 sinks"] = {"left": 124, "sinks": 4}
gazette = {name: bits_along(model, stream, **way) for name, way in ways.items()}
means = {name: float(bits[:, N:].mean()) for name, bits in gazette.items()}
anew = float(bits_recomputed(model, stream, places, N).mean())
change = anew - float(gazette["window 124"][:, places].mean())
means["recomputed, 128"] = means["window 124"] + change
guess({name: round(mean, 2) for name, mean in means.items()})

# %%
ends = range(512, 4097, 512)
plain = gazette["window 124"][0].split(512)
lines = {}
for name in ("full", "window 124 + 4 sinks"):
    pairs = zip(gazette[name][0].split(512), plain, strict=True)
    lines[name] = (ends, [float((one - other).mean()) for one, other in pairs])
plot_lines(lines, x="place in the text (tokens)", y="bits above the window alone")

# %% [markdown]
# Full attention is the worst: beyond 128 tokens it meets distances that it never
# trained for. Here that costs a tenth of a bit. The other three are one and the same,
# and the window alone needs no sinks. Here is why: how much of its attention does a
# token give to the first four?


# %%
def weights_of(model, ids):
    found = []

    def watching(q, k, v):
        k, v = (x.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for x in (k, v))
        found.append(attention_weights(q, k, mask=dense_mask(causal(), q.shape[2])))
        return found[-1] @ v

    for block in model.transformer.blocks:
        block.attention.attention = watching
    with torch.no_grad():
        model(ids)
    for block in model.transformer.blocks:
        block.attention.attention = causal_attention
    return found


# %% [markdown]
# 32 texts of 128 tokens; the second half of each, so that 4 of about 96 keys would have
# 4 % if all were alike. **Predict** for the layer and head that gives the most.

# %%
texts = data.test[: 32 * N].reshape(32, N)
first = [w[:, :, N // 2 :, :4].sum(dim=-1) for w in weights_of(model, texts)]
most = max(float(share.mean(dim=(0, 2)).max()) for share in first)
guess(f"{most:.1%}")

# %%
window, sinks = means["window 124"], means["window 124 + 4 sinks"]
assert abs(window - sinks) < 0.03 and abs(change) < 0.05
assert means["full"] > window + 0.02
assert most < 0.15

# %% [markdown]
# ## Where sinks come from
#
# In large models the first tokens get most of the attention of many heads. The weights
# of a softmax sum to 1, also for a head that has nothing to say. Such a head needs a
# place to put its attention where it does no harm, and the first token is one that
# everybody sees.
#
# A language in which a head has something to say now and then: **echoes**. A word is
# followed by one of four others; but after a *caller*, the words 1 to 8, comes what
# stood two places before it. Token 0 stands in front of each text.


# %%
generator = torch.Generator().manual_seed(0)
follows = 1 + torch.stack(
    [torch.randperm(63, generator=generator)[:4] for _ in range(64)]
)


def is_caller(ids):
    return (ids >= 1) & (ids <= 8)


def echo_text(n, batch):
    ids = torch.zeros(batch, n, dtype=torch.long)
    for t in range(1, n):
        ids[:, t] = follows[
            ids[:, t - 1], torch.randint(4, (batch,), generator=generator)
        ]
        if t > 3:
            ids[:, t] = torch.where(is_caller(ids[:, t - 1]), ids[:, t - 3], ids[:, t])
    return ids


# %% [markdown]
# One layer, one head, 48 tokens at a time. After a caller the head must fetch a word.
# After any other word it can only disturb, since the word itself says what may follow.
# **Predict:** at an ordinary word, how much of its attention does the trained head give
# to token 0? And at a caller?

# %%
torch.manual_seed(0)
one_head = TransformerConfig(vocab_size=64, n_layers=1, n_heads=1, d_model=24, d_ff=96)
echo = build_language_model(one_head)
optimizer = torch.optim.AdamW(echo.parameters(), lr=2e-2)
rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, 900, pct_start=0.05)
for _ in range(900):
    ids = echo_text(49, batch=16)
    loss = cross_entropy(echo(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    rate.step()

# %%
ids = echo_text(48, batch=64)
(weights,) = weights_of(echo, ids)
late, calls = torch.arange(48) >= 16, is_caller(ids)
rests, fetches = (
    float(weights[:, 0, :, 0][late & some].mean()) for some in (~calls, calls)
)
guess({"ordinary word": f"{rests:.0%}", "caller": f"{fetches:.0%}"})

# %% [markdown]
# Nobody told it to. Here is the beginning of one text; callers are marked with a star.

# %%
row = int(calls[:, 4:11].sum(dim=1).argmax())
names = [f"{int(i)}*" if i in range(1, 9) else f"{int(i)}" for i in ids[row, :11]]
plot_weights(weights[row, 0, :11, :11], tokens=names, title="one head, eleven tokens")

# %% [markdown]
# Token 0 is a **sink**. And what does the head carry from there? A value, and a short
# one: **predict** how many times longer the values of the words are.

# %%
block = echo.transformer.blocks[0]
with torch.no_grad():
    x = block.attention_norm(echo.transformer.embedding.weight * 24**0.5)
    lengths = block.attention.v_proj(x).norm(dim=1)
guess(round(float(lengths[1:].mean() / lengths[0]), 1))

# %%
assert rests > 0.5 > 10 * fetches
assert lengths[1:].mean() > 3 * lengths[0]

# %% [markdown]
# The sink adds almost nothing, and that is its use. Now take it away: read 1,024
# tokens, 32 texts at once, through a window of 15. Token 0 leaves the window early.
# What is the least that anybody can reach? 2 bits at each ordinary word, one of four,
# and none after a caller.
#
# **Predict:** how far above that least are the window, the window with one sink, full
# attention?

# %%
ids = echo_text(1025, batch=32)
least = 2 * float((~is_caller(ids[:, 64:-1])).float().mean())
ways = {"full": {}, "window 15": {"left": 15}}
ways["window 15 + 1 sink"] = {"left": 15, "sinks": 1}
bits = {name: bits_along(echo, ids, **way) for name, way in ways.items()}
above = {name: float(each[:, 64:].mean()) - least for name, each in bits.items()}
guess({name: round(extra, 2) for name, extra in above.items()})

# %%
places = range(16, 1024, 32)
lines = {
    name: (places, [float(each[:, p - 16 : p + 16].mean()) for p in places])
    for name, each in bits.items()
}
plot_lines(lines, x="place in the text (tokens)", y="bits a token")

# %% [markdown]
# Full attention breaks down right behind the 48 tokens of its training. The window
# without its sink is steady and worse: the head that has nothing to say now mixes in
# words at random. One token more in the cache, and it is as good as at the beginning.

# %%
early = {name: float(each[:, 4:48].mean()) for name, each in bits.items()}
plain, sunk = above["window 15"], above["window 15 + 1 sink"]
assert plain > 2 * sunk and plain - sunk > 0.04
assert above["full"] > 1
assert abs(bits["window 15 + 1 sink"][:, 64:].mean() - early["full"]) < 0.1

# %% [markdown]
# So a sink is what training makes of it. Our Gazette model has none and needs none;
# this one leans on it, more or less with another seed. Large models lean on it heavily.
# Xiao et al. let Llama 2 13B read 65,000 tokens of books; perplexity:
#
# | reads | perplexity |
# |---|---|
# | all before | 5,641 |
# | window of 1,024 | 5,158 |
# | recomputed, 1,024 | 5.43 |
# | 4 sinks + 1,020 | 5.40 |
#
# Even four line feeds in place of the first words do: 5.60. Where they stand counts.

# %% [markdown]
# ## A place inside the cache
#
# The cache holds token 0 and the tokens 985 to 1,000. How far is token 1,000 from the
# sink? 1,000 by the text, a distance that no training has shown. **StreamingLLM**
# counts places *inside the cache*. **Predict** where token 1,000 stands there, with
# left = 15 and one sink.

# %%
guess(sink_places(torch.tensor([1000]), left=15, sinks=1).tolist())

# %%
show_source(sink_places)

# %% [markdown]
# Rotary positions know distances only, so nothing else has to move: keys stay turned
# for their true place, towards its window a query stays at its own, and for the sinks
# it is turned a second time. That is `q_sinks`. How high does the trained head score
# the sink from afar, over all ordinary words? **Predict:** is the line flat?

# %%
far = torch.arange(1, 1300, 23)
positions = echo.transformer.positions
with torch.no_grad():
    k_sink = positions.turn(block.attention.k_proj(x[None, None, :1]), far[:1] * 0)
    asked = block.attention.q_proj(x[9:, None, None])
    scores = {
        name: (positions.turn(asked.expand(-1, 1, len(far), -1), where) @ k_sink.mT)
        for name, where in (
            ("by the text", far),
            ("inside the cache", sink_places(far, left=15, sinks=1)),
        )
    }
lines = {
    name: (far, each.mean(dim=0).flatten() / 24**0.5) for name, each in scores.items()
}
ax = plot_lines(lines, x="place of the query (tokens)", y="mean score of the sink")

# %% [markdown]
# By the text it swings up and down, between heights that no training has seen. Inside
# the cache it stays where training left it. What does that cost in bits? We read again,
# uncached, with the sink at its true distance. **Predict:** more bits than inside the
# cache?

# %%
by_text = build_language_model(one_head)
by_text.load_state_dict(echo.state_dict())
by_text.transformer.blocks[0].attention.attention = partial(
    sink_attention, left=15, sinks=1
)  # q_sinks is q
with torch.no_grad():
    there = bits_of(by_text(ids[:8, :-1]), ids[:8, 1:])[:, 64:].mean()
here = bits["window 15 + 1 sink"][:8, 64:].mean()
guess({"by the text": round(float(there), 3), "inside": round(float(here), 3)})

# %% [markdown]
# Nearly nothing, here: fifteen neighbours score so low at an ordinary word that the
# sink wins from any distance. Places inside the cache are a promise that nothing new
# comes up, not a gain that every model shows.

# %%
swings, steady = (each.mean(dim=0).flatten() / 24**0.5 for each in scores.values())
assert swings[far > 48].min() < swings[far < 48].min() - 0.5
assert float(steady[far > 16].std()) < 1e-4
assert abs(float(there - here)) < 0.1


# %% [markdown]
# ## Twenty thousand tokens
#
# Our Gazette model reads 20,000 tokens, 156 times its trained length, with 60 tokens
# and 4 sinks in the cache, sixteen tokens at a time. **Predict** the bytes of the cache
# at the end: two layers, two heads of keys, 12 numbers a head, 4 bytes each.

# %%
ids = data.test[:20_001][None]
cache = KVCache(n_layers=2, left=60, sinks=4)
bytes_held, rooms, bits = [], [], []
with torch.no_grad():
    for part, targets in zip(
        ids[:, :-1].split(16, dim=1), ids[:, 1:].split(16, dim=1), strict=True
    ):
        bits.append(bits_of(model(part, cache=cache), targets))
        bytes_held.append(cache.nbytes)
        rooms.append(cache.reserved_bytes)
guess([cache.n_tokens, cache.nbytes])

# %% [markdown]
# 2 · 2 · 2 · 12 · 4 bytes a token, for 64 tokens: 24,576 bytes, from the 64th token on.
# **Predict** what the full cache would hold, in MiB.

# %%
kv = {"n_layers": 2, "n_kv_heads": 2, "d_head": 12, "number_bytes": 4}
read = range(16, 20_001, 16)
ends = [16 * 2**p for p in range(11)]
lines = {
    "full, by formula": (ends, [kv_cache_bytes(n, **kv) for n in ends]),
    "60 + 4 sinks, held": (ends, [bytes_held[n // 16 - 1] for n in ends]),
}
plot_lines(lines, x="tokens read", y="cache (bytes)", log=True)

# %%
# NBVAL_CHECK_OUTPUT
by_formula = [kv_cache_bytes(n, **kv, window=60, sinks=4) for n in read]
assert_close(bytes_held, by_formula)
assert set(bytes_held[3:]) == {24_576} and len(set(rooms[10:])) == 1
assert kv_cache_bytes(20_000, **kv) / 2**20 > 7

# %% [markdown]
# 7.3 MiB and growing, against 24 KiB for good. The cache is not all of the memory: what
# is the largest tensor that a step forms, the weights left out? **Predict:** is it
# larger at the end of the 20,000 tokens than at their beginning?

# %%
fresh = KVCache(n_layers=2, left=60, sinks=4)
weights = list(model.parameters())


def largest_of_a_step(part, cache):
    return largest_tensor(lambda ids, *_: model(ids, cache=cache), part, *weights)


with torch.no_grad():
    early = [largest_of_a_step(part, fresh) for part in ids[:, :320].split(16, dim=1)]
    late = largest_of_a_step(ids[:, :16], cache)
guess([max(early), late])

# %%
every = torch.arange(15_000, 20_000, 25)
anew = float(bits_recomputed(model, ids, every, 64).mean())
kept = float(torch.cat(bits, dim=1)[:, every].mean())
assert late == max(early) == 16 * 512
assert abs(kept - anew) < 0.1

# %% [markdown]
# The logits, 16 tokens by 512 words, at both ends. And the last 5,000 tokens cost as
# many bits as when the last 64 are read anew for each: within a tenth of a bit, which
# is asserted above.
#
# ## What a stream forgets
#
# So the input is endless. Is the memory? A **passkey**: somewhere in noise stands one
# digit behind a mark, and at the end it is asked for. The distance is a dial. We train
# a model that sees everything, 128 tokens, distances from 4 to 112.

# %%
from longctx_edu.data.recall import PasskeyConfig
from longctx_edu.recipes import fit_recall, recall_by_distance

distances = (4, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112)
task = PasskeyConfig(n_tokens=128, distances=distances)
torch.manual_seed(0)
keeper = build_language_model(
    TransformerConfig(vocab_size=task.vocab_size, d_model=48, d_ff=96, conv_width=3)
)
plan = TrainConfig(epochs=1, learning_rate=5e-3, batch_tokens=32 * 128,
                   precision="fp32")  # fmt: skip
learnt = fit_recall(keeper, task, n_samples=4800, train=plan, progress=False)
assert learnt.steps[-1]["loss"] < 0.5 < learnt.steps[0]["loss"]


# %% [markdown]
# Then it answers from a cache. **Draw the edges before the next cell:** accuracy
# against distance, for a window of 48, for 44 and 4 sinks, for a window of 24. A blind
# guess is right once in ten.


# %%
def from_cache(model, ids, left, sinks=0):
    cache = KVCache(n_layers=2, left=left, sinks=sinks)
    return torch.cat([model(part, cache=cache) for part in ids.split(16, dim=1)], dim=1)


caches = {"all": (None, 0), "window 48": (48, 0), "44 + 4 sinks": (44, 4)}
caches["window 24"] = (24, 0)
found = {}
for name, (left, sinks) in caches.items():
    read = partial(from_cache, left=left, sinks=sinks)
    scores = recall_by_distance(keeper, task, n_samples=600, read=read).by_distance
    found[name] = [score.accuracy for score in scores.values()]

# %%
axes = panels(2, n_rows=2, width=4.0, height=2.6)
for ax, (name, accuracy) in zip(axes, found.items(), strict=True):
    left = caches[name][0] or 128
    edge = [1.0 if distance <= left else task.chance for distance in distances]
    lines = {"predicted": (distances, edge), "measured": (distances, accuracy)}
    plot_lines(lines, x="distance (tokens)", y="accuracy", ax=ax, title=name)
    ax.set_ylim(-0.05, 1.05)

# %% [markdown]
# The edge falls where the digit leaves the window, to the token, and beyond it there is
# chance: one in ten. Sinks do not help: the digit was no sink, and four places of the
# window are gone for them. Endless input is no endless memory.

# %%
for name, accuracy in found.items():
    left = caches[name][0] or 128
    for distance, share in zip(distances, accuracy, strict=True):
        assert share > 0.9 if distance <= left else share < 0.35

# %% [markdown]
# In two layers a word could hop: from the digit to a token 48 further on, and from
# there another 48. The way is open, and this model has never learnt to use it, since in
# training it saw all. Lesson 06 trains models that hop. Beyond layers · left there is
# no way at all.

# %%
with_sinks, without = found["44 + 4 sinks"], found["window 48"]
assert without[distances.index(48)] > 0.9 > 0.35 > with_sinks[distances.index(48)]

# %% [markdown]
# ## Choosing the next word
#
# The model gives each word of the vocabulary a share. **Greedy** takes the largest. Or
# we draw, and shape the shares first: the logits divided by a **temperature**; only the
# k likeliest words, **top-k**; only the fewest words that cover a share p, **top-p**.
#
# By hand: shares of 0.5, 0.25, 0.125, 0.125. **Predict** what top-k with k = 2 leaves,
# and what top-p with p = 0.6 leaves.

# %%
from longctx_edu.models import greedy, next_token_probabilities, sample

shares = torch.tensor([0.5, 0.25, 0.125, 0.125])
two = next_token_probabilities(shares.log(), top_k=2)
most = next_token_probabilities(shares.log(), top_p=0.6)
guess([two, most])

# %% [markdown]
# The same, 2/3 and 1/3: 0.5 alone does not cover 0.6, so the second word stays too, and
# what is left is scaled to sum to 1. Where the model is sure, top-p keeps few words,
# where it is not, many; top-k keeps k in both cases. Temperature 2 halves the logits:
# **predict** the largest share before you compute it.

# %%
warm = next_token_probabilities(shares.log(), temperature=2.0)
guess(warm)

# %%
# NBVAL_CHECK_OUTPUT
assert_close(two, [2 / 3, 1 / 3, 0, 0])
assert_close(most, two)
assert_close(warm, shares.sqrt() / shares.sqrt().sum())

# %% [markdown]
# The square roots, scaled to sum to 1. Now our Gazette model behind the beginning of a
# sentence, the ten likeliest words (a dot is a space), five ways.

# %%
from longctx_edu.plotting import plot_shares

prompt = data.tokenizer.encode("In the")[None]
with torch.no_grad():
    logits = model(prompt)[0, -1]
likeliest = logits.topk(10).indices
words = data.tokenizer.pieces(likeliest)
words = [repr(word)[1:-1].replace(" ", "·") for word in words]
ways = {"as it is": {}, "temperature 0.5": {"temperature": 0.5}}
ways |= {"temperature 2": {"temperature": 2.0}, "top-k 3": {"top_k": 3}}
ways["top-p 0.8"] = {"top_p": 0.8}
axes = panels(3, n_rows=2, width=3.4, height=2.6)
drawn = {name: next_token_probabilities(logits, **way) for name, way in ways.items()}
for ax, (name, each) in zip(axes, drawn.items(), strict=False):
    plot_shares(words, each[likeliest], ax=ax, title=name)
axes[-1].remove()

# %%
assert all(abs(float(each.sum()) - 1) < 1e-5 for each in drawn.values())
assert drawn["temperature 0.5"].max() > drawn["as it is"].max()
assert drawn["temperature 2"].max() < drawn["as it is"].max()
assert int((drawn["top-k 3"] > 0).sum()) == 3

# %% [markdown]
# `generate` joins all of this: prefill, one step a word, and it stops at an end token
# if you name one. With a cache or without, greedy says the same.

# %%
from longctx_edu.models import generate

said = generate(model, prompt, max_new_tokens=40, cache=KVCache(n_layers=2))
assert torch.equal(said, generate(model, prompt, max_new_tokens=40))
print("greedy:", data.tokenizer.decode(said[0]))
for name in ("temperature 0.5", "top-p 0.8", "temperature 2"):
    draw = partial(sample, **ways[name], generator=torch.Generator().manual_seed(0))
    window = KVCache(n_layers=2, left=60, sinks=4)
    said = generate(model, prompt, max_new_tokens=40, choose=draw, cache=window)
    print(f"{name}:", data.tokenizer.decode(said[0]))

# %% [markdown]
# A small model of a small world: hot draws bring words that nobody would write. And
# greedy? We let it say 300 tokens and count how many pieces of four tokens are new.
# **Predict** the share, for greedy and for draws as they are.


# %%
def share_of_new(choose):
    said = generate(model, prompt, max_new_tokens=300, choose=choose,
                    cache=KVCache(n_layers=2, left=60, sinks=4))  # fmt: skip
    pieces = [tuple(piece.tolist()) for piece in said[0].unfold(0, 4, 1)]
    return len(set(pieces)) / len(pieces)


loops = share_of_new(greedy)
free = share_of_new(partial(sample, generator=torch.Generator().manual_seed(0)))
guess({"greedy": f"{loops:.0%}", "drawn": f"{free:.0%}"})

# %% [markdown]
# Greedy falls into loops: what was said makes it likelier to be said again. That is one
# reason to draw.

# %%
assert loops < 0.75 < 0.9 < free

# %% [markdown]
# ## Exercises
#
# `exercises/07_streaming.ipynb` lets you build it: one step with a cache, bytes,
# groups, chunks, what a window keeps, where a sink stands, top-k and top-p, a loop that
# stops. Eight exercises, about two hours.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 07` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("07")

# %% [markdown]
# ## What you can now do
#
# - write decoding with a cache, and prove that it says the same;
# - tell the bytes of any model's cache, and what grouped queries save;
# - read a prompt in chunks, with the mask at the bottom right;
# - run a stream in constant memory, find out whether a model needs sinks, and place
#   them inside the cache;
# - say what a stream has forgotten, to the token.
#
# Lesson 06 asks how far a model can be made to reach; lesson 04 cuts a text that is not
# a stream.

# %% [markdown]
# ## Sources
#
# - Xiao et al. 2024, *Efficient streaming language models with attention sinks*:
#   section 3.2, sinks and places inside the cache; figure 1 and table 1, the
#   perplexities.
# - Guo et al. 2024, *Active-dormant attention heads*: section 2, a head that rests on
#   the first token of an echoing language.
# - Ainslie et al. 2023, *GQA*: section 2.2, grouped queries.
# - Llama 2 (Touvron et al. 2023) and Llama 3 (2024), table 3: sizes of the models.
# - Mohtashami and Jaggi 2023, *Landmark attention*: section 4.2, the passkey.
# - Holtzman et al. 2020, *The curious case of neural text degeneration*: section 3.1,
#   top-p; Fan et al. 2018, section 5.4, top-k.
