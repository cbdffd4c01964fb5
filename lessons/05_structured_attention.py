# %% [markdown]
# # 05 · Structured attention
#
# *Which scores are needed at all?* Lesson 03 kept every score and saved the memory.
# This lesson leaves most of the scores out, and saves the work too.
#
# After it you can draw a pattern as a mask and as a graph, say how far it hears, count
# what it costs, and compute it in time that grows with the text. Reading and predicting
# takes about 75 minutes; the cells run in under a minute.

# %%
import importlib.util
import math
from functools import partial
from itertools import pairwise

import torch

from longctx_edu.attention import dense_attention, merge, online_attention
from longctx_edu.attention import window_attention, window_pairs
from longctx_edu.checks import largest_tensor
from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.masks import causal, dense_mask, global_tokens, padding, window
from longctx_edu.measure import device, measure
from longctx_edu.plotting import panels, plot_lines, plot_mask, plot_reach

# %% [markdown]
# ## A window
#
# A word leans on its neighbours. So let each token look at `left` keys before itself,
# at `right` keys after itself, and at itself. That is a **sliding window**.
#
# Twelve tokens, left = 2, right = 1. **Predict:** how many keys does token 5 see, how
# many token 0, and how many token 11?


# %%
def window_by_loops(n, left, right):
    mask = torch.zeros(n, n, dtype=torch.bool)
    for query in range(n):
        for key in range(n):
            mask[query, key] = -left <= key - query <= right
    return mask


# %%
mask = window_by_loops(12, left=2, right=1)
guess([int(mask[place].sum()) for place in (5, 0, 11)])

# %% [markdown]
# Four, two and three: at the ends of the text a part of the window sticks out.
# **Predict** the number of dark squares. Twelve rows of four, less what sticks out.

# %%
guess(int(mask.sum()))

# %%
plot_mask(mask, title="left=2, right=1")

# %% [markdown]
# 48, less 2 + 1 at the beginning, less 1 at the end: 44. In general `n` rows of `1 +
# left + right`, less two triangles. A text twice as long has twice as many rows, and
# the same two triangles.

# %%
assert int(mask.sum()) == 12 * 4 - (1 + 2) - 1 == window_pairs(12, left=2, right=1)
for n in (256, 512):
    counted = int(dense_mask(window(left=2, right=1), n).sum())
    assert counted == 4 * n - 3 - 1 == window_pairs(n, left=2, right=1)

# %% [markdown]
# The library asks no length. A pattern is a **predicate**, a question about two
# positions, as in lesson 01. Here is its `window`.

# %%
show_source(window)

# %%
# NBVAL_CHECK_OUTPUT
assert_close(mask, dense_mask(window(left=2, right=1), 12))

# %% [markdown]
# ### Dilation
#
# The predicate has a third number. With a **dilation** of d a token looks at every d-th
# neighbour. **Predict** for left = right = 2 and dilation 3: how many keys does a token
# in the middle see, and how far away is the farthest?

# %%
wide = dense_mask(window(left=2, right=2, dilation=3), 16)
seen = wide[8].nonzero().flatten()
guess({"keys": len(seen), "farthest": int(seen.max()) - 8})

# %% [markdown]
# Five keys, as without dilation, and a reach of 2 · 3 = 6. Same price, more distance,
# holes between.
#
# ### Global tokens
#
# A few chosen tokens see all and are seen by all: the question of a reader, the lead of
# an article, a mark at the beginning. 16 tokens, a window of 1 on each side, and token
# 0 global. **Predict** the number of dark squares.

# %%
place = torch.arange(16)
star = dense_mask(window(left=1, right=1) | global_tokens(place == 0), 16)
guess(int(star.sum()))

# %% [markdown]
# The window has 3 · 16 - 2 = 46. The row of token 0 adds 14 squares, its column 14: 74.
# A square that the window has already is not added again. Remember that; it will cost
# somebody a bug.

# %%
assert int(star.sum()) == 46 + 14 + 14
assert int(star.sum()) == window_pairs(16, left=1, right=1, global_places=[0])

# %% [markdown]
# ### Random blocks
#
# **BigBird** adds a third idea: some pairs drawn at random, once, with a seed. A
# machine likes whole blocks, so the pattern is drawn in blocks of tokens: a **layout**
# says which block of queries looks at which block of keys. Layouts combine with `|`,
# like masks.
#
# 16 tokens in blocks of 2. Each block sees itself, one on each side, and one drawn
# elsewhere. **Predict:** how many tokens does a token in the middle see?

# %%
from longctx_edu.masks import blocks, random_blocks, window_blocks

seed = torch.Generator().manual_seed(6)
near = window_blocks(8, left=1, right=1)
layout = near | random_blocks(8, 1, generator=seed, outside=near)
drawn = dense_mask(blocks(layout, size=2), 16)
guess(int(drawn[8].sum()))

# %% [markdown]
# Four blocks of two. `outside=near` draws only blocks that the window lacks. Here are
# the four patterns, by the same picture.

# %%
patterns = {"window": dense_mask(window(left=2, right=2), 16), "dilation 3": wide}
patterns |= {"window + global": star, "window + random": drawn}
axes = panels(2, n_rows=2, width=3.6, height=3.6)
for ax, (name, mask) in zip(axes, patterns.items(), strict=True):
    plot_mask(mask, ax=ax, title=f"{name}: {int(mask.sum())} of 256")

# %% [markdown]
# All keep less than half of the square, and the share falls as the text grows.

# %%
assert all(int(mask.sum()) < 128 for mask in patterns.values())
assert window_pairs(1024, left=2, right=2) / 1024**2 < 0.005

# %% [markdown]
# ## A mask is a graph
#
# What is given up? In one layer a token hears only of those it looks at. But they have
# listened too, in the layer below. Draw each layer as a row of dots and each dark
# square as a line, and the question becomes: which dots can be reached?
#
# left = right = 2, three layers, token 8 of 24. **Predict:** of how many tokens does it
# hear?

# %%
narrow = dense_mask(window(left=2, right=2), 24)
hears = narrow
for _ in range(2):
    hears = (hears.int() @ narrow.int()) > 0
guess(int(hears[8].sum()))

# %% [markdown]
# 13: six on each side and itself. The product of two masks asks, for each query and
# key, whether anybody in the middle is looked at by the one and looks at the other.
# Three layers are the third power.

# %%
plot_reach([narrow] * 3, query=8, title="left = right = 2, three layers")

# %% [markdown]
# Each layer widens the cone by 2 on each side: after L layers a window reaches **L ·
# left** back and **L · right** ahead. A model of 12 layers with 128 on each side hears
# 1,536 tokens far, and nothing beyond.


# %%
def heard_through(masks):
    hears = torch.eye(len(masks[0]), dtype=torch.bool)
    for mask in masks:
        hears = (mask.int() @ hears.int()) > 0
    return hears


# %%
for n_layers in range(1, 8):
    reach = window_by_loops(24, 2 * n_layers, 2 * n_layers)
    assert torch.equal(heard_through([narrow] * n_layers), reach)

# %% [markdown]
# Is that what a model does, or only what a picture says? Ask the gradient. Three layers
# of attention in a window; by how much does the output at token 8 move with each token
# of the text? **Predict:** for how many of 24 tokens is that exactly 0?

# %%
attend = partial(window_attention, left=2, right=2)
x = torch.randn(1, 1, 24, 4, generator=torch.Generator().manual_seed(0)).double()
x.requires_grad_()
out = attend(*[attend(*[attend(x, x, x)] * 3)] * 3)
moved = torch.autograd.grad(out[0, 0, 8].sum(), x)[0].abs().sum(dim=-1).flatten()
guess(int((moved == 0).sum()))

# %% [markdown]
# Eleven: 24 less the 13. Beyond the reach not a small gradient but none. No training
# can teach such a model what lies there.

# %%
assert torch.equal(moved > 0, hears[8])

# %% [markdown]
# ### Dilation: far, with holes
#
# left = right = 1 with dilation 2 in all three layers. The reach is L · d · w = 6.
# **Predict:** of how many tokens does token 8 hear? And with dilations 1, 2 and 4, one
# a layer?

# %%
steps = {d: dense_mask(window(left=1, right=1, dilation=d), 17) for d in (1, 2, 4)}
same, mixed = [steps[2]] * 3, [steps[1], steps[2], steps[4]]
guess([int(heard_through(masks)[8].sum()) for masks in (same, mixed)])

# %%
upper, lower = panels(1, n_rows=2, width=6.0, height=2.5)
plot_reach(same, query=8, ax=upper, title="dilation 2, 2, 2")
plot_reach(mixed, query=8, ax=lower, title="dilation 1, 2, 4")

# %% [markdown]
# 7 and 15. With one dilation everywhere, an even token never hears of an odd one, in
# any number of layers. Dilations of 1, 2, 4 add up to each number from -7 to 7 without
# a hole, for three keys a layer. Longformer lets the upper layers take the larger ones.

# %%
even = heard_through([steps[2]] * 40)[8]
assert even[::2].all() and not even[1::2].any()
assert heard_through(mixed)[8].nonzero().flatten().tolist() == list(range(1, 16))

# %% [markdown]
# ### Two hops
#
# Window of 1 on each side and token 0 global. **Predict:** after how many layers has
# every token heard of every other? And for the window alone, with 16 tokens?


# %%
def layers_needed(mask):
    hears, n_layers = mask, 1
    while not hears.all():
        hears, n_layers = (hears.float() @ mask.float()) > 0, n_layers + 1
    return n_layers


# %%
alone = dense_mask(window(left=1, right=1), 16)
guess([layers_needed(mask) for mask in (star, alone)])

# %% [markdown]
# Here is how token 12 hears of all:

# %%
plot_reach([star] * 2, query=12, title="two layers, token 0 global")

# %% [markdown]
# Two against 15. In the lower layer token 0 listens to all, in the upper one all listen
# to token 0: a **star**. But whatever passes must fit into the one vector of token 0.
#
# Random blocks are the third way: short cuts across the text, for everybody. Here are
# the eight blocks from above, and all that block 4 hears of.

# %%
assert heard_through([layout] * 2)[4].all()
plot_reach([layout] * 2, query=4, unit="block", title="two layers, random blocks")

# %% [markdown]
# How far does that carry? The layouts below grow from 8 to 256 blocks: window, window +
# one random block a row, window + a global block. **Predict** the three curves.

# %%
from longctx_edu.masks import global_blocks

counts = [8, 16, 32, 64, 128, 256]
ways = {"window": [], "window + random": [], "window + global": []}
for n in counts:
    near, first = window_blocks(n, left=1, right=1), torch.arange(n) == 0
    seed = torch.Generator().manual_seed(n)
    lots = random_blocks(n, 1, generator=seed, outside=near)
    for name, extra in zip(ways, (near, lots, global_blocks(first)), strict=True):
        ways[name].append(layers_needed(near | extra))

# %%
lines = {name: (counts, needed) for name, needed in ways.items()}
plot_lines(lines, x="length (blocks)", y="layers until all hear of all", log=True)

# %% [markdown]
# The window needs a layer for each block but one. One random block a row brings 255
# layers down to 12: each layer multiplies the number of those heard of, so a text twice
# as long needs one to three layers more. The star needs two at any length.

# %%
assert ways["window"] == [n - 1 for n in counts]
assert ways["window + global"] == [2] * len(counts)
drawn_ways = ways["window + random"]
assert drawn_ways[-1] == 12
assert all(1 <= b - a <= 3 for a, b in pairwise(drawn_ways))

# %% [markdown]
# ### Under your hands
#
# Depth, width or a hub: three ways to let token 32 of 64 hear of everybody. With left =
# right = 2, $L$ layers reach $2L$ tokens to a side. **Predict** which way needs the
# fewest multiply-adds: 16 layers; three layers with 11 on each side; two layers with
# one global token. Then find them with the sliders.

# %%
from longctx_edu.playground import pattern_facts, playground

playground(n_tokens=64)

# %% [markdown]
# The same three in numbers, each with as many layers as it needs.

# %%
three = {
    "deep": pattern_facts(2, 2, 1, 0, False, n_tokens=64, n_layers=16),
    "wide": pattern_facts(11, 11, 1, 0, False, n_tokens=64, n_layers=3),
    "global": pattern_facts(2, 2, 1, 1, False, n_tokens=64, n_layers=2),
}
guess({name: facts.multiply_adds for name, facts in three.items()})

# %% [markdown]
# 5.1, 4.1 and 0.9 million. The hub is cheapest by more than four times, and all that it
# passes on must fit into one vector.

# %%
assert all(facts.n_heard[-1] == 64 for facts in three.values())
counted = [facts.multiply_adds for facts in three.values()]
assert counted == [5_144_576, 4_116_480, 892_928]

# %% [markdown]
# ## From the square to the band
#
# A pattern with few pairs is only a promise: with a mask, the whole square is computed
# and most of it thrown away. We keep the promise in six steps. The text: 60 tokens of 8
# numbers, left = 4, right = 2. To begin with, attention that also returns the
# **log-sum-exp** of each row, as in lesson 03.


# %%
def attend(q, k, v, mask):
    scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -math.inf)
    return dense_attention(q, k, v, mask=mask), scores.logsumexp(dim=-1)


# %% [markdown]
# The text is random numbers, in float64, so that equal means equal.


# %%
def text(n, d=8):
    generator = torch.Generator().manual_seed(n)
    return torch.randn(3, n, d, generator=generator).double().unbind()


# %%
LEFT, RIGHT, SIZE = 4, 2, 6
q, k, v = text(60)
seen = window(left=LEFT, right=RIGHT)
want, want_lse = attend(q, k, v, dense_mask(seen, 60))

# %% [markdown]
# ### Step 1: the definition
#
# That was it: dense, with a mask. **Predict:** how many scores were computed, and how
# many of them counted?

# %%
guess([60 * 60, window_pairs(60, left=LEFT, right=RIGHT)])

# %% [markdown]
# 3,600, and 407 counted. Eight of nine were for nothing.
#
# ### Step 2: a query and its slice
#
# A query's keys stand side by side. So slice them, and no mask is needed at all.


# %%
def query_by_query(q, k, v, left, right):
    rows = []
    for i in range(len(q)):
        near = slice(max(i - left, 0), i + right + 1)
        rows.append(dense_attention(q[i : i + 1], k[near], v[near]))
    return torch.cat(rows)


# %%
# NBVAL_CHECK_OUTPUT
assert_close(query_by_query(q, k, v, LEFT, RIGHT), want)

# %% [markdown]
# Exact, and linear. Also slow: 60 tiny products, where a processor wants a few large
# ones. For 16,384 tokens there would be 16,384.
#
# ### Step 3: a block of queries
#
# Take six neighbouring queries at once. **Predict:** which keys do the queries 18 to 23
# need together? How many scores does the block compute, and how many count?

# %%
first, stop = 18, 24
low, high = first - LEFT, stop + RIGHT
guess({"keys": [low, high - 1], "computed": 6 * (high - low), "count": 6 * 7})

# %% [markdown]
# Keys 14 to 25: from `left` before the first query to `right` after the last. 72
# computed, 42 count. The waste does not grow with the text: a block computes `left +
# size + right` keys a query, where `left + 1 + right` are needed.
#
# Inside the block a mask is needed again. The predicate gives it: it can be asked about
# these positions alone.


# %%
def one_block(q, k, v, left, right, first, stop):
    low, high = max(first - left, 0), min(stop + right, len(k))
    here = torch.arange(first, stop)[:, None], torch.arange(low, high)
    mask = window(left=left, right=right)(*here)
    return attend(q[first:stop], k[low:high], v[low:high], mask)


# %%
def block_by_block(q, k, v, left, right, size):
    starts = range(0, len(q), size)
    parts = [
        one_block(q, k, v, left, right, first, min(first + size, len(q)))
        for first in starts
    ]
    return [torch.cat(each) for each in zip(*parts, strict=True)]


# %% [markdown]
# `max` and `min` clip the keys where the text ends, and the last block may be shorter.

# %%
# NBVAL_CHECK_OUTPUT
assert_close(block_by_block(q, k, v, LEFT, RIGHT, SIZE)[0], want)
assert_close(block_by_block(q, k, v, LEFT, RIGHT, 7)[0], want)

# %% [markdown]
# ### Step 4: one band mask for all
#
# Ten blocks, ten masks. **Predict:** how many *different* masks are there?

# %%
masks = []
for first in range(0, 60, SIZE):
    low, high = max(first - LEFT, 0), min(first + SIZE + RIGHT, 60)
    masks.append(
        seen(torch.arange(first, first + SIZE)[:, None], torch.arange(low, high))
    )
different = {(mask.shape, tuple(mask.flatten().tolist())) for mask in masks}
guess(len(different))

# %%
axes = panels(4, width=2.6, height=2.2)
for ax, block in zip(axes, (0, 3, 7, 9), strict=True):
    plot_mask(masks[block], ax=ax, title=f"block {block}")

# %% [markdown]
# Three: one for the first block, one for the last, and one that eight inner blocks
# share. The window asks for `key - query` only. Move queries and keys by the same
# distance and nothing changes, so all inner blocks are alike. The key axis counts from
# each block's own first key.

# %%
inner_mask = seen(
    torch.arange(LEFT, LEFT + SIZE)[:, None], torch.arange(LEFT + SIZE + RIGHT)
)
assert all(torch.equal(mask, inner_mask) for mask in masks[1:9])
assert masks[0].shape == (6, 8) and masks[9].shape == (6, 10)

# %% [markdown]
# One mask for all means one call for all: eight problems of 6 queries and 12 keys, side
# by side. But neighbours share keys: block 1 reads 2 to 13, block 2 reads 8 to 19. Must
# we copy the shared ones?
#
# `unfold` gives a view: the same memory, read in overlapping pieces. **Predict** how
# many numbers the eight pieces show, and how many they store anew.

# %%
pieces = k[2:56].unfold(0, LEFT + SIZE + RIGHT, SIZE).mT
guess({"shape": tuple(pieces.shape), "shown": pieces.numel(), "stored anew": 0})

# %% [markdown]
# A tensor is memory and **strides**: how far to walk for one step along each axis. From
# one piece to the next we walk 6 tokens of 8 numbers, from one key to the next 8
# numbers. Nothing is copied; the address is that of `k` itself, two tokens in.

# %%
# NBVAL_CHECK_OUTPUT
print("steps along block, key, number:", pieces.stride())
assert pieces.data_ptr() == k[2:].data_ptr()
assert torch.equal(pieces[1], k[8:20]) and pieces.numel() == 8 * 12 * 8
assert largest_tensor(lambda k: k[2:56].unfold(0, 12, 6), k) == 0

# %% [markdown]
# ### Edges apart
#
# Now all together. Blocks whose keys all exist go into one call. What is left at both
# ends is computed by `one_block`, as before.


# %%
def band(q, k, v, left, right, size):
    n, width = len(q), left + size + right
    start = -(-left // size) * size
    stop = max(start, (n - right) // size * size)
    if start == stop:
        return block_by_block(q, k, v, left, right, size)
    near = slice(start - left, stop + right)
    keys, values = (x[near].unfold(0, width, size).mT for x in (k, v))
    here = torch.arange(left, left + size)[:, None], torch.arange(width)
    mask = window(left=left, right=right)(*here)
    queries = q[start:stop].unflatten(0, (-1, size))
    inner = [x.flatten(0, 1) for x in attend(queries, keys, values, mask)]
    edges = ((0, start), (stop, n))
    head, tail = (one_block(q, k, v, left, right, *edge) for edge in edges)
    return [torch.cat(each) for each in zip(head, inner, tail, strict=True)]


# %%
# NBVAL_CHECK_OUTPUT
out, lse = band(q, k, v, LEFT, RIGHT, SIZE)
assert_close(out, want)
assert_close(lse, want_lse)
assert_close(band(*text(61), LEFT, 0, 7)[0], query_by_query(*text(61), LEFT, 0))

# %% [markdown]
# Three calls, whatever the length. **Predict** the slopes of the largest tensor formed:
# dense with a mask, and our band, with 16 on each side and blocks of 16.


# %%
def dense(q, k, v):
    return attend(q, k, v, dense_mask(window(left=16, right=16), len(q)))[0]


# %%
lengths = [256, 512, 1024, 2048, 4096]
banded = partial(band, left=16, right=16, size=16)
formed = {
    name: (lengths, [largest_tensor(way, *text(n)) for n in lengths])
    for name, way in {"dense with a mask": dense, "our band": banded}.items()
}
plot_lines(formed, x="length (tokens)", y="largest tensor (numbers)", log=True)

# %% [markdown]
# Slope 2 beside slope 1. The band's largest tensor is the scores of all inner blocks,
# 48 keys a query.

# %%
assert formed["dense with a mask"][1] == [n * n for n in lengths]
assert formed["our band"][1] == [48 * (n - 32) for n in lengths]

# %% [markdown]
# ### Step 5: global tokens join
#
# A global token is a column that all see and a row that sees all. Both lie across the
# band, so they are computed apart: a few columns, a few rows, each dense and each
# linear in the text. The rows replace what stood there. The columns must share **one
# softmax** with the band.

# %%
rows, columns = torch.zeros(2, 12, 12, dtype=torch.bool)
rows[0], columns[:, 0] = True, True
axes = panels(3, width=2.7)
parts = {"band": dense_mask(window(left=1, right=1), 12), "row": rows}
parts["column"] = columns
for ax, (name, mask) in zip(axes, parts.items(), strict=True):
    plot_mask(mask, ax=ax, title=name)

# %% [markdown]
# Lesson 03 merged parts that met different keys, by their log-sum-exps. "Different" is
# the catch: where the column crosses the band, both hold the same key.
#
# Window 1 on each side, token 0 global, all scores equal. **Predict** the weight that
# token 1 gives to token 0. And if the key is counted in both parts?

# %%
flat, eye = torch.zeros(12, 2), torch.eye(12)
near = attend(flat, flat, eye, dense_mask(window(left=1, right=1), 12))
everybody = attend(flat, flat[:1], eye[:1], torch.ones(12, 1, dtype=torch.bool))
twice = merge([near, everybody])[0]
guess({"right": 1 / 3, "counted twice": round(float(twice[1, 0]), 4)})

# %% [markdown]
# A third of three keys. Counted twice, key 0 takes two of *four* shares, and no error
# is raised: the row still sums to 1. So the columns leave out what the window holds
# already, and the predicate `~window` says that.

# %%
beyond = (~window(left=1, right=1))(torch.arange(12)[:, None], torch.tensor([0]))
once = merge([near, attend(flat, flat[:1], eye[:1], beyond)])[0]
assert abs(float(once[1, 0]) - 1 / 3) < 1e-6 and float(twice[1, 0]) == 0.5
assert torch.allclose(twice.sum(dim=1), torch.ones(12)), "no alarm rings"


# %%
def band_and_globals(q, k, v, left, right, size, places):
    here = torch.arange(len(q))[:, None], places
    beyond = (~window(left=left, right=right))(*here)
    columns = attend(q, k[places], v[places], beyond)
    out, _ = merge([band(q, k, v, left, right, size), columns])
    out[places] = dense_attention(q[places], k, v)
    return out


# %% [markdown]
# A row whose global keys all stand in its window sees nothing beyond: its part has the
# log-sum-exp -inf, and `merge` gives it no share. Against the definition, with the
# tokens 0, 3 and 40 global:

# %%
# NBVAL_CHECK_OUTPUT
places = torch.tensor([0, 3, 40])
flags = torch.zeros(60, dtype=torch.bool).index_fill(0, places, True)
joined = dense_mask(seen | global_tokens(flags), 60)
ours = band_and_globals(q, k, v, LEFT, RIGHT, SIZE, places)
assert_close(ours, dense_attention(q, k, v, mask=joined))

# %% [markdown]
# ### Step 6: the library's version
#
# The same steps, for batches, heads and any device, with a backward pass that forms the
# weights again instead of keeping them. First how the keys of a run of equal blocks are
# read. `unfold` is there; a block that stands alone is one slice.

# %%
from longctx_edu.attention.band import BandAttention
from longctx_edu.attention.blocks import Run
from longctx_edu.attention.global_columns import Columns

show_source(Run.keys)

# %% [markdown]
# Then the walk over the runs. `attend_tile` is our `attend`; each run writes its rows
# of the output and their log-sum-exp.

# %%
show_source(BandAttention.forward)

# %% [markdown]
# Last the columns: `self.outside` is our `~window`, `logaddexp` the merge of lesson 03
# written into the rows in place.

# %%
show_source(Columns.add)

# %% [markdown]
# Do they agree? First with our derivation, then with the definition, forward and
# backward, in float64, where rounding is too small to hide a bug.

# %%
# NBVAL_CHECK_OUTPUT
batch = [x[None, None] for x in (q, k, v)]
sides = {"left": LEFT, "right": RIGHT}
theirs = window_attention(*batch, **sides, global_tokens=flags[None])
assert_close(ours, theirs[0, 0], atol=1e-12)
assert_close(out, window_attention(*batch, **sides)[0, 0], atol=1e-12)


# %% [markdown]
# The gradients of q, k and v, against those that autograd finds for the definition:


# %%
def forward_and_gradients(call, *inputs):
    leaves = [x.clone().requires_grad_() for x in inputs]
    out = call(*leaves)
    d_out = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape)
    return torch.cat(
        [x.flatten() for x in (out, *torch.autograd.grad(out, leaves, d_out))]
    )


# %%
# NBVAL_CHECK_OUTPUT
library = partial(window_attention, **sides, global_tokens=flags[None])
definition = partial(dense_attention, mask=joined)
numbers = [forward_and_gradients(call, *batch) for call in (definition, library)]
assert_close(*numbers, atol=1e-12)

# %% [markdown]
# ### Dilation, padding, causal
#
# With dilation 2 an even token sees even tokens only, and among them a plain window. So
# deal the tokens into d **streams**, like cards, and each stream is a band again.
# **Predict:** how many streams has dilation 3, and how long are they for 60 tokens?

# %%
streams = [torch.arange(60)[s::3] for s in range(3)]
guess([len(stream) for stream in streams])

# %%
# NBVAL_CHECK_OUTPUT
dealt = torch.empty_like(out)
for s in range(3):
    dealt[s::3] = band(q[s::3], k[s::3], v[s::3], LEFT, RIGHT, SIZE)[0]
assert_close(dealt, window_attention(*batch, **sides, dilation=3)[0, 0], atol=1e-12)

# %% [markdown]
# Causal is right = 0, and global tokens lose what lies ahead of them. Padding is a
# column that nobody sees: blocks that meet it cannot share the mask, so they stand
# alone. The library's docstring names the mask that it never forms; we hold it to that.

# %%
# NBVAL_CHECK_OUTPUT
keep = torch.arange(60) < 50
pattern = window(**sides, dilation=2) | global_tokens(flags)
whole = dense_mask(pattern & padding(keep) & causal(), 60)
options = {"dilation": 2, "global_tokens": flags[None], "keep": keep[None]}
got = window_attention(*batch, **sides, **options, causal=True)
assert_close(dense_attention(*batch, mask=whole), got, atol=1e-12)

# %% [markdown]
# ## What it saves
#
# Window 64 on each side, one head of 16 numbers. **Predict** for 16,384 tokens: how
# many times fewer pairs than full attention? And what is the factor for twice the text?

# %%
pairs = {n: window_pairs(n, left=64, right=64) for n in (16_384, 32_768)}
guess([round(n * n / pairs[n]) for n in pairs])

# %% [markdown]
# 127, then 254: the saving doubles with the text. Here is what is counted, pairs and
# the largest tensor, in bytes of float32.

# %%
lengths = [512, 1024, 2048, 4096, 8192]
texts = {n: [x.float()[None, None] for x in text(n, d=16)] for n in lengths}
near = partial(window_attention, left=64, right=64)
count = {"full": [n * n for n in lengths]}
count["window"] = [window_pairs(n, left=64, right=64) for n in lengths]
held = {"full, dense": [4 * n * n for n in lengths]}
held["window"] = [4 * largest_tensor(near, *texts[n]) for n in lengths]

# %%
left_ax, right_ax = panels(2, width=4.2)
for ax, lines, y in (
    (left_ax, count, "pairs"),
    (right_ax, held, "largest tensor (bytes)"),
):
    named = {name: (lengths, numbers) for name, numbers in lines.items()}
    plot_lines(named, x="length (tokens)", y=y, log=True, ax=ax)

# %% [markdown]
# Slope 1 beside slope 2, twice. The largest tensor of the window is no tensor of
# scores: it is the size of the text itself, 16 numbers a token.

# %%
assert held["window"] == [4 * 16 * n for n in lengths]
slopes = [math.log2(count[name][-1] / count[name][-2]) for name in count]
assert slopes[0] == 2 and abs(slopes[1] - 1) < 0.02

# %% [markdown]
# Does the clock agree? This page keeps no seconds, since they differ from machine to
# machine. The next cell holds the window to less time than full attention, at 4,096
# tokens or, on a GPU, at 65,536. Switch the one after it on for your own curves.

# %%
where = device()
n = 4096 if where.type == "cpu" else 65_536
long = [x.float().to(where)[None, None] for x in text(n, d=64)]
ways = {"full, in tiles": online_attention, "window": near}
runs = {name: measure(way, *long, warmup=1) for name, way in ways.items()}
assert runs["window"].elapsed_s < runs["full, in tiles"].elapsed_s

# %%
SHOW_TIMES = False
if SHOW_TIMES:
    lengths = [n // 8, n // 4, n // 2, n]
    shorter = [[x[:, :, :m] for x in long] for m in lengths]
    times = {
        name: (
            lengths,
            [measure(way, *x, repeats=3, warmup=1).elapsed_s for x in shorter],
        )
        for name, way in ways.items()
    }
    plot_lines(times, x="length (tokens)", y="time (s)", log=True)

# %% [markdown]
# A novel has some 131,072 tokens; its square of scores takes 64 GiB a head.
# **Predict:** does the window with a global token need more than a quarter of one GiB?
# Rows do not depend on each other, so we can hold a few of them against the definition.

# %%
novel = [x.float()[None, None] for x in text(131_072, d=16)]
lead = torch.zeros(1, 131_072, dtype=torch.bool)
lead[0, 0] = True
reading = partial(window_attention, left=64, right=64, global_tokens=lead.to(where))
run = measure(reading, *(x.to(where) for x in novel))
guess(run.peak_bytes > 2**30 / 4)

# %%
# NBVAL_CHECK_OUTPUT
rows = torch.tensor([0, 1, 70_000, 131_071])
pattern = window(left=64, right=64) | global_tokens(lead[0])
few = dense_attention(
    novel[0][:, :, rows], *novel[1:], mask=pattern(rows[:, None], torch.arange(131_072))
)
assert_close(few, reading(*(x.to(where) for x in novel))[:, :, rows].cpu(), atol=1e-5)
assert run.peak_bytes < 2**30 / 4

# %% [markdown]
# ## Random blocks, and a key that counts four times
#
# A random pattern has no band to slide along. `block_sparse_attention` takes the layout
# and gathers, for each block of queries, the blocks that it sees. A layout is a square
# of bools: a block that is near *and* drawn is marked once.

# %%
# NBVAL_CHECK_OUTPUT
from longctx_edu.attention import block_pairs, block_sparse_attention

seed, first = torch.Generator().manual_seed(1), torch.arange(10) == 0
layout = window_blocks(10, left=1, right=1) | global_blocks(first)
layout = layout | random_blocks(10, 2, generator=seed)
mask = dense_mask(blocks(layout, size=6), 60)
assert block_pairs(layout, 6, 60) == int(mask.sum())
got = block_sparse_attention(*batch, layout=layout, size=6)
assert_close(dense_attention(*batch, mask=mask), got, atol=1e-12)

# %% [markdown]
# The BigBird of transformers gathers lists of blocks instead, and a list may name a
# block twice. We let it run with 12 blocks of one token and equal scores, so that the
# output shows the weights. Its configuration asks for three random blocks a row.
# **Predict** how often row 6 counts each of the twelve keys.

# %%
from transformers.models.big_bird import modeling_big_bird as peer

config = peer.BigBirdConfig(hidden_size=12, num_attention_heads=1, block_size=1)
layer = peer.BigBirdBlockSparseAttention(config).eval()
layer.value = torch.nn.Identity()
for part in (layer.query, layer.key):
    torch.nn.init.zeros_(part.weight)
block, *others = peer.BigBirdModel.create_masks_for_block_sparse_attn(
    torch.ones(1, 12), 1
)
with torch.no_grad():
    weights = layer(torch.eye(12)[None], *others, block, block)[0][0, 6]
guess((weights / weights[6]).round().int().tolist())

# %% [markdown]
# Outside training it draws nothing and gathers block 0 in place of each random block:
# with the global one, that key counts **four times**. The row sums to 1 and nothing
# complains. In training, a drawn block may also be one of the window's.

# %%
assert config.num_random_blocks == 3
assert (weights / weights[6]).round().tolist() == [4, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1]
assert abs(float(weights.sum()) - 1) < 1e-6

# %% [markdown]
# ## Five meanings of one word
#
# Somebody tells you: "we used a window of 4". We ask five implementations what that
# means. Each gets equal scores, and values that show who was seen. **Predict:** how
# many keys does a token in the middle see, in each?


# %%
def keys_seen(weights):
    return (weights != 0).sum(dim=-1).flatten()[[0, 8, -1]].tolist()


# %%
W, n = 4, 16
q, v = torch.zeros(1, 1, n, 4), torch.eye(n)[None, None]
sdpa = torch.nn.functional.scaled_dot_product_attention
mask = dense_mask(window(left=W, right=W), n)
table = {"torch, mask |i - j| <= 4": keys_seen(sdpa(q, q, v, attn_mask=mask))}

# %% [markdown]
# transformers has three answers: one for models that write, one for models that read
# both ways, and Longformer's.

# %%
from transformers import LongformerConfig, LongformerModel, PreTrainedConfig
from transformers import masking_utils

config = PreTrainedConfig(attn_implementation="sdpa", sliding_window=W)
x = torch.zeros(1, n, 1)
one_way = masking_utils.create_sliding_window_causal_mask(config, x, None, None)
both_ways = masking_utils.create_bidirectional_sliding_window_mask(config, x, None)
for name, mask in (("causal", one_way), ("both ways", both_ways)):
    seen_keys = keys_seen(sdpa(q, q, v, attn_mask=mask))
    table[f"transformers, sliding_window=4, {name}"] = seen_keys

# %%
sizes = {"vocab_size": 9, "hidden_size": 8, "intermediate_size": 8}
one = {"num_attention_heads": 1, "num_hidden_layers": 1}
model = LongformerModel(LongformerConfig(**sizes, **one, attention_window=W)).eval()
read = model(torch.full((1, n), 3), output_attentions=True)
table["transformers, attention_window=4"] = keys_seen(read.attentions[0])

# %% [markdown]
# The fifth, local-attention, comes with the extra `bench` of this course; without it
# the table has four rows.

# %%
if importlib.util.find_spec("local_attention"):
    from local_attention import LocalAttention

    table["local-attention, window_size=4"] = keys_seen(LocalAttention(W)(q, q, v))
print(f"{'a window of 4':41} first  inner  last")
for name, (first, inner, last) in table.items():
    print(f"{name:41} {first:5}  {inner:5} {last:5}")

# %% [markdown]
# 9, 4, 9, 5 and 12 keys for one number. The window counts one side or both, with the
# token or without it. local-attention cuts the text into **buckets** of 4, and a token
# sees its own bucket and both neighbours: between 4 and 7 keys to a side, depending on
# its place. Whoever compares two models "with window 256" compares nothing yet.

# %%
assert [inner for _, inner, _ in table.values()] in ([9, 4, 9, 5, 12], [9, 4, 9, 5])
buckets = window_blocks(4, left=1, right=1)
assert keys_seen(dense_mask(blocks(buckets, size=4), 16)) == [8, 12, 8]
left_ax, right_ax = panels(2, width=3.4, height=3.4)
plot_mask(dense_mask(window(left=4, right=4), 16), ax=left_ax, title="4 on each side")
plot_mask(dense_mask(blocks(buckets, size=4), 16), ax=right_ax, title="buckets of 4")

# %% [markdown]
# This course says `left` and `right`, the token itself not counted. `from_convention`
# translates what others write, and refuses where no left and right can say it.
# **Predict** left and right for Longformer's 4, and for the causal 4 of transformers.

# %%
from longctx_edu.masks import from_convention

names = ("transformers_longformer", "transformers_sliding_causal")
guess([tuple(from_convention(name, W)) for name in names])

# %%
# NBVAL_CHECK_OUTPUT
rows = {"transformers_sliding_causal": 1, "transformers_sliding_bidirectional": 2}
for name, row in (*rows.items(), ("transformers_longformer", 3)):
    sides = from_convention(name, W)
    translated = dense_mask(window(left=sides.left, right=sides.right), n)
    assert_close(keys_seen(translated), list(table.values())[row])
try:
    from_convention("local_attention", W)
except ValueError as error:
    print(str(error).partition(":")[0])

# %% [markdown]
# ## What structure cannot do
#
# A window hears nothing beyond its reach: the gradient there was exactly 0. What passes
# a global token must go through one vector a layer. And where *every* pair matters
# there is no short cut: for each vector of a text, find the one farthest from it. The
# authors of BigBird show that a sparse pattern needs many more layers for that.
#
# **Predict:** of 64 random vectors, for how many does a window of 8 on each side hold
# the farthest one?

# %%
points = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
farthest = torch.cdist(points, points).argmax(dim=1)
near = dense_mask(window(left=8, right=8), 64)
guess(int(near[torch.arange(64), farthest].sum()))

# %% [markdown]
# A window of 17 keys in 64 finds it about as often as chance allows: the farthest
# vector does not care where it stands. Names in an article do care, since their
# explanation stands in the lead. Structure is a claim about the text: near words and a
# few chosen ones are enough. Where the claim is wrong, the saving is a loss.

# %%
share = near[torch.arange(64), farthest].float().mean()
assert share < 0.4 and near.float().mean() < 0.26

# %% [markdown]
# ## Exercises
#
# `exercises/05_structured_attention.ipynb` lets you build it: masks, pairs, reach, the
# shared band mask, window attention in linear memory, global tokens in one softmax,
# other people's words, random blocks. Eleven exercises, about two and a half hours. Two
# checks count what you form, and refuse the square in disguise.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 05` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("05")

# %% [markdown]
# ## What you can now do
#
# - write a pattern as a question about two positions, and count its pairs;
# - say how far it hears after L layers, and show it by the gradient;
# - turn a mask into blocks that share one band mask, without copying keys;
# - join keys into one softmax, each counted once;
# - ask what somebody means by "window", and translate it.
#
# Lesson 09 trains models for the task that this is for, and `longctx demo` compares
# chunks, full attention and window + global on long articles.

# %% [markdown]
# ## Sources
#
# - Beltagy, Peters and Cohan 2020, *Longformer*: section 3.1, window, dilation, global
#   tokens; section 4.1, larger windows and dilations in upper layers.
# - Zaheer et al. 2020, *Big Bird*: section 2, random blocks and the star; section 3.4,
#   the farthest vector; appendix D, blocks.
# - Child et al. 2019, *Generating long sequences with sparse transformers*: section 4,
#   masks as connections over several layers.
# - Dao et al. 2022, *FlashAttention*: section 3.1, weights formed again in the backward
#   pass.
