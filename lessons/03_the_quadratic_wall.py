# %% [markdown]
# # 03 · The quadratic wall
#
# *Twice the text, four times the work: where does attention stop?* Its square of
# scores is a wall. This lesson measures the wall, and takes down half of it.
#
# After it you can count what attention costs on paper, compute a softmax without ever
# holding its row, attend tile by tile with the same result, and train without keeping
# the square. Reading and predicting takes about 60 minutes; the cells run in seconds.

# %%
import math
from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from longctx_edu.attention import dense_attention, merge, online_attention
from longctx_edu.checks import largest_tensor
from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.masks import causal, dense_mask
from longctx_edu.measure import device, gemm_gflops, measure
from longctx_edu.plotting import panels, plot_lines, plot_mask

# %% [markdown]
# ## Four tokens, on paper
#
# Every query meets every key. A **score** with d_head = 2 takes two products and two
# additions. Its weight then meets a value of two numbers: two products, two additions.
# We count each as one operation, and leave the few of the softmax out.
#
# **Predict** for four tokens: pairs, operations, and bytes of the square, at 4 bytes a
# score.

# %%
pairs = 4 * 4
guess({"pairs": pairs, "operations": pairs * (2 + 2) * 2, "bytes": pairs * 4})

# %% [markdown]
# 16 pairs, 8 operations each, 64 bytes. In general: n · n pairs, 4 · n · n · d_head
# operations, 4 · n · n bytes. Only d_head depends on the model, and n is squared.
#
# Torch can count operations while it works. Does it agree with the paper?


# %%
def operations_of(call, *args):
    with FlopCounterMode(display=False) as counter:
        call(*args)
    return counter.get_total_flops()


# %%
# NBVAL_CHECK_OUTPUT
x = torch.zeros(4, 2)
assert_close(4 * 4 * 4 * 2, operations_of(dense_attention, x, x, x))

# %% [markdown]
# The library keeps the formulas in one place. This one knows the backward pass too,
# which comes last in this lesson.

# %%
from longctx_edu.attention import attention_operations, full_pairs, score_bytes

show_source(attention_operations)

# %%
# NBVAL_CHECK_OUTPUT
by_hand, pairs = [16, 128, 64], full_pairs(4)
formulas = [pairs, attention_operations(pairs, n_heads=1, d_head=2)]
assert_close(by_hand, [*formulas, score_bytes(4, n_heads=1)])

# %% [markdown]
# Now real lengths: 4,096 tokens are ten pages, 131,072 a novel. **Predict** the bytes
# of the scores of *one* head for 4,096, for 16,384 and for 131,072 tokens, in MiB
# (2 to the power of 20 bytes).

# %%
lengths = (4_096, 16_384, 131_072)
guess([4 * n * n / 2**20 for n in lengths])

# %% [markdown]
# 64 MiB, 1 GiB, 64 GiB. A layer of BERT-base has twelve heads, each with its own
# square, and in training all twelve layers keep theirs. The text itself is small: the
# queries of the novel take 32 MiB a head.

# %%
sizes = [score_bytes(n, n_heads=1) for n in lengths]
assert sizes == [64 * 2**20, 2**30, 64 * 2**30]
assert 4 * 131_072 * 64 == 32 * 2**20, "queries of one head, d_head = 64"

# %% [markdown]
# ## The slope, predicted and measured
#
# With powers of two on both axes, a cost that grows with n is a line of slope 1.
# **Predict** the slope of operations and of bytes. Then we count both while
# `dense_attention` runs: operations as above, and the largest tensor that it forms.


# %%
def texts(n, d=64, heads=1):
    generator = torch.Generator().manual_seed(n)
    return torch.randn(3, 1, heads, n, d, generator=generator).unbind()


# %%
lengths = [128, 256, 512, 1024, 2048]
operations = [operations_of(dense_attention, *texts(n)) for n in lengths]
held = [4 * largest_tensor(dense_attention, *texts(n)) for n in lengths]
guess([math.log2(counts[-1] / counts[-2]) for counts in (operations, held)])

# %% [markdown]
# Both slopes are 2. We draw the counts over the formula, and let the formula go on to
# the length of the novel.

# %%
left, right = panels(2, width=4.2)
far = [2**power for power in range(7, 18)]
lines = {"4 n n d_head": (far, [4 * n * n * 64 for n in far])}
lines["counted"] = (lengths, operations)
plot_lines(lines, x="length (tokens)", y="operations", log=True, ax=left)
lines = {"4 n n": (far, [4 * n * n for n in far]), "counted": (lengths, held)}
plot_lines(lines, x="length (tokens)", y="largest tensor (bytes)", log=True, ax=right)

# %% [markdown]
# Where the orange line ends, the blue one goes on: 2 to the power of 42 operations and
# 64 GiB, for one head.

# %%
assert operations == [4 * n * n * 64 for n in lengths]
assert held == [4 * n * n for n in lengths]
assert 4 * far[-1] ** 2 * 64 == 2**42

# %% [markdown]
# Does the clock agree? Seconds differ from machine to machine, so this page keeps none.
# We measure, the best of three, and hold the result to the formula with much room: a
# slope near 2, and a process that grows by the square at least.


# %%
def best_of_three(call, *args):
    runs = [measure(call, *args) for _ in range(3)]
    return min(run.elapsed_s for run in runs), max(run.peak_bytes for run in runs)


# %%
where, heads = device(), 1 if device().type == "cpu" else 4
lengths = [1024, 2048, 4096, 8192]
inputs = [[x.to(where) for x in texts(n, heads=heads)] for n in lengths]
seconds, peaks = zip(*(best_of_three(dense_attention, *x) for x in inputs), strict=True)
slope = math.log2(seconds[-1] / seconds[1]) / 2
assert 1 < slope < 3, f"the slope of time is {slope:.1f}"
assert 1 <= peaks[-1] / (4 * heads * 8192**2) < 5

# %% [markdown]
# Switch the next cell on to see your own machine's times. The second line is what the
# products alone would take at the rate that the machine reaches in one large matrix
# product. **Predict:** which line lies higher?

# %%
SHOW_TIMES = False
rate = 1e9 * max(gemm_gflops() for _ in range(3))
alone = [4 * heads * n * n * 64 / rate for n in lengths]
assert seconds[-1] > alone[-1]
if SHOW_TIMES:
    times = {"measured": (lengths, seconds), "products alone": (lengths, alone)}
    plot_lines(times, x="length (tokens)", y="time (s)", log=True)

# %% [markdown]
# The measured line lies above: besides two products, the square is written, read,
# exponentiated and written again. Not to store it would save more than room.
#
# ## Three scores, one at a time
#
# Why store it at all? Because of the softmax: it divides by a sum that is known only at
# the end of the row. Take the scores log 1, log 4 and log 2. **Predict** the weights.

# %%
scores = torch.tensor([1.0, 4.0, 2.0]).log()
guess(scores.softmax(dim=0) * 7)

# %% [markdown]
# In sevenths: 1, 4 and 2. There is a second reason. `exp` overflows early, so a softmax
# first subtracts the row's maximum, and the maximum is known only at the end too.
# **Predict:** what is exp(89) in float32? And what comes of a softmax without the
# maximum?

# %%
large = torch.tensor([89.0, 1000.0])
assert torch.tensor(88.0).exp().isfinite()
guess([large.exp().tolist(), (large.exp() / large.exp().sum()).tolist()])

# %% [markdown]
# inf / inf is not a number. So we need the maximum and the sum, and we want to see each
# score once only. **Online softmax** keeps two numbers: the maximum so far, and the
# sum of `exp(score - maximum)` so far. When the maximum rises, the old sum was measured
# against the wrong one: multiply it by `exp(old - new)`.


# %%
def running_sums(scores):
    top, total, seen = -math.inf, 0.0, []
    for score in scores:
        new_top = max(top, score)
        total = total * math.exp(top - new_top) + math.exp(score - new_top)
        top = new_top
        seen.append((top, total))
    return seen


# %% [markdown]
# The first step needs no special case: exp(-inf) is 0. On paper: after log 1 the
# maximum is log 1 and the sum 1. **Predict** the sum after log 4, and after log 2.

# %%
guess(torch.tensor([total for _, total in running_sums(scores.tolist())]))

# %% [markdown]
# At log 4 the maximum rises by log 4, so the old 1 shrinks to a quarter, and 1 is
# added: 1.25. At log 2 it stays: 1.25 + 2/4. And 1.75 times 4 is the 7 from before.
#
# Now 24 random scores. **Predict:** can the running sum ever fall?

# %%
stream = (2 * torch.randn(24, generator=torch.Generator().manual_seed(34))).tolist()
tops, totals = zip(*running_sums(stream), strict=True)
left, right = panels(2, width=4.2)
reads = {"score": (range(24), stream), "maximum so far": (range(24), tops)}
plot_lines(reads, x="key (token)", y="score", ax=left)
plot_lines({"": (range(24), totals)}, x="key (token)", y="running sum", ax=right)

# %% [markdown]
# It does, at keys 10 and 21, where a score beats all before it by much. And it never
# leaves the range of ordinary numbers: each score adds at most 1.
#
# One number holds both: maximum + log(sum), the **log-sum-exp** of the row.
# `exp(score - lse)` is the weight.

# %%
falls = [j for j in range(1, 24) if totals[j] < totals[j - 1]]
assert falls == [10, 21] and all(tops[j] > tops[j - 1] for j in falls)
assert max(totals) <= 24
lse = tops[-1] + math.log(totals[-1])
assert math.isclose(lse, torch.tensor(stream).logsumexp(0).item(), rel_tol=1e-5)
assert running_sums([0.0, 1000.0, 1000.0])[-1] == (1000.0, 2.0)

# %% [markdown]
# ## The values come along
#
# The weights are not what we want. We want the mean of the values, and a mean can be
# carried in the same way: add `exp(score - maximum)` times the value, and shrink what
# was added whenever the maximum rises. At the end divide by the sum.
#
# The values are 7, 0 and 14. **Predict** the answer, then what is carried after each
# of the three keys.


# %%
def carried(scores, values):
    top, total, mixed, seen = -math.inf, 0.0, 0.0, []
    for score, value in zip(scores, values, strict=True):
        new_top = max(top, score)
        shrink, part = math.exp(top - new_top), math.exp(score - new_top)
        total, mixed = total * shrink + part, mixed * shrink + part * value
        top = new_top
        seen.append((mixed, total, mixed / total))
    return seen


# %%
guess(torch.tensor(carried(scores.tolist(), [7.0, 0.0, 14.0])))

# %% [markdown]
# Mixed, sum, and their quotient: 7, then 1.75 over 1.25, then 8.75 over 1.75, which is
# 5. On paper: 7/7 + 0 + 28/7. Three numbers were held, however long the row.

# %%
assert math.isclose(carried(scores.tolist(), [7.0, 0.0, 14.0])[-1][-1], 5, rel_tol=1e-6)

# %% [markdown]
# ## Tiles
#
# One key at a time is slow: a machine wants matrix products. So we take a **tile** of
# keys at once. Its maximum, its sum and its product with the values join what is
# carried, exactly as one key did. Below, all queries walk over the tiles together, each
# with its own maximum and sum.


# %%
def in_tiles(block, *tensors):
    return zip(*(x.split(block, dim=-2) for x in tensors), strict=True)


def over_keys(q, k, v, block):
    top, total = q.new_full(q.shape[:-1], -math.inf), q.new_zeros(q.shape[:-1])
    mixed = q.new_zeros(*q.shape[:-1], v.shape[-1])
    for keys, values in in_tiles(block, k, v):
        scores = q @ keys.mT / math.sqrt(q.shape[-1])
        new_top = torch.maximum(top, scores.amax(dim=-1))
        shrink, parts = (top - new_top).exp(), (scores - new_top[..., None]).exp()
        total = total * shrink + parts.sum(dim=-1)
        mixed = mixed * shrink[..., None] + parts @ values
        top = new_top
    return mixed / total[..., None], top + total.log()


# %% [markdown]
# It returns the answers and the log-sum-exp of each row. **Predict:** for 1,000 keys
# and tiles of 256, how many tiles are there, and how many keys has the last?

# %%
q, k, v = texts(1000)
guess([keys.shape[-2] for keys in k.split(256, dim=-2)])

# %%
# NBVAL_CHECK_OUTPUT
assert_close(over_keys(q, k, v, 256)[0], dense_attention(q, k, v))
assert_close(over_keys(q, k, v, 7)[0], dense_attention(q, k, v))

# %% [markdown]
# Exact, for tiles of 256 and for tiles of 7. No approximation was made anywhere:
# the sums are the same sums in another order.
#
# The largest tensor is now queries times tile. Take the queries in tiles too, one after
# another. **Predict** the largest tensor for 1,000 tokens with d_head 64 and tiles of
# 100: dense, tiles of keys, tiles of both.


# %%
def by_tiles(q, k, v, block):
    done = [over_keys(rows, k, v, block) for rows in q.split(block, dim=-2)]
    outs, lses = zip(*done, strict=True)
    return torch.cat(outs, dim=-2), torch.cat(lses, dim=-1)


# %%
ways = {"dense": dense_attention}
ways["tiles of keys"] = partial(over_keys, block=100)
ways["tiles of both"] = partial(by_tiles, block=100)
guess({name: largest_tensor(way, q, k, v) for name, way in ways.items()})

# %% [markdown]
# A million, a hundred thousand, and 64,000: the last is no tile of scores at all, it is
# the answer itself, 1,000 times 64. **Predict** the three slopes.

# %%
lengths = [128, 256, 512, 1024, 2048]
largest = {
    name: [largest_tensor(way, *texts(n, d=16)) for n in lengths]
    for name, way in ways.items()
}
lines = {name: (lengths, counts) for name, counts in largest.items()}
plot_lines(lines, x="length (tokens)", y="largest tensor (numbers)", log=True)

# %% [markdown]
# Slope 2 for the square, slope 1 for tiles of keys. Tiles of both stay flat while a
# tile is larger than the answer, and then grow with the answer, which nobody can do
# without.

# %%
assert largest["dense"] == [n * n for n in lengths]
assert largest["tiles of keys"] == [100 * n for n in lengths]
assert largest["tiles of both"] == [max(100 * 100, 16 * n) for n in lengths]

# %% [markdown]
# ### Tiles that need not be visited
#
# Under a causal mask a tile beyond the diagonal holds nothing that may be seen. Twelve
# tokens in tiles of 4 make 9 tiles. **Predict:** how many are visited, and how many
# scores are computed in them? The mask itself allows 78.

# %%
tile = torch.arange(12) // 4
visited = tile[:, None] >= tile
guess([int(visited.sum()) // 16, int(visited.sum())])

# %%
left, right = panels(2, width=3.6, height=3.4)
plot_mask(torch.ones(12, 12).tril().bool(), ax=left, title="may be seen")
plot_mask(visited, ax=right, title="visited, tiles of 4")

# %% [markdown]
# Six tiles. Three lie on the diagonal and still need a mask inside; the others need
# none. With t tiles a side, t (t + 1) / 2 of t · t are visited: for long texts half the
# work. Exercise 3.7 writes it; the library does it as well.

# %%
assert int(torch.ones(12, 12).tril().sum()) == 78
assert [t * (t + 1) / 2 / (t * t) for t in (3, 1000)] == [6 / 9, 0.5005]
skips = partial(online_attention, causal=True, block=100)
share = operations_of(skips, q, k, v) / operations_of(dense_attention, q, k, v)
assert math.isclose(share, 55 / 100), "10 tiles a side: 1 + 2 + ... + 10 of 100"

# %% [markdown]
# ## Parts that never met
#
# Nothing forced us to take the tiles in a row. Let two machines each hold half of the
# keys, and answer the same query: each returns its answer and its log-sum-exp. Here the
# first saw log 1 and log 4 with values 7 and 0, the second log 2 with value 14.
#
# **Predict** the two answers, and how to mix them into 5.

# %%
outs = torch.tensor([7 / 5, 14.0], dtype=torch.float64)
lses = torch.tensor([5.0, 2.0], dtype=torch.float64).log()
shares = lses.softmax(dim=0)
guess({"answers": outs.tolist(), "mixed": round((shares * outs).sum().item(), 4)})

# %% [markdown]
# 1.4 and 14 make (5 · 1.4 + 2 · 14) / 7 = 5. A part counts with the exp of its
# log-sum-exp, out of all. That is a softmax over the parts, and a sum does not care for
# order.


# %%
def mix(parts):
    outs, lses = (torch.stack(each) for each in zip(*parts, strict=True))
    shares = lses.softmax(dim=0)
    return (shares[..., None] * outs).sum(dim=0), lses.logsumexp(dim=0)


# %%
# NBVAL_CHECK_OUTPUT
cuts = [slice(0, 300), slice(300, 310), slice(310, 1000)]
parts = [over_keys(q, k[..., c, :], v[..., c, :], 100) for c in cuts]
assert_close(mix(parts)[0], dense_attention(q, k, v))
assert_close(mix(parts[::-1])[0], mix(parts)[0])

# %% [markdown]
# Three parts of unequal size, in either order. **Ring attention** passes the parts of a
# long text around a circle of machines, and fast decoding splits a long memory among
# processors: both do this, and nothing else.
#
# ### A row that sees nothing
#
# A query may see no key of a part: all its scores are -inf there. **Predict** what
# `over_keys` makes of such a row, step by step.

# %%
hidden = torch.full((1, 3), -math.inf)
top = hidden.amax(dim=-1, keepdim=True)
guess({"maximum": top.item(), "parts": (hidden - top).exp().tolist()})

# %% [markdown]
# -inf minus -inf is not a number, and it would spread to the whole mixture. The rule of
# lesson 01 holds: nothing seen, nothing taken. The answer is 0, and the log-sum-exp is
# -inf, so that its share among the parts is exp(-inf) = 0. Only where *no* part saw
# anything does the mixture need the rule once more.

# %%
nothing = (torch.zeros(1, 1, 1000, 64), torch.full((1, 1, 1000), -math.inf))
assert torch.equal(mix([*parts, nothing])[0], mix(parts)[0])
assert mix([nothing, nothing])[0].isnan().all(), "our mix lacks the rule"

# %% [markdown]
# The library's `merge` is our `mix` with that rule. `peak` keeps the exps small.

# %%
show_source(merge)

# %%
# NBVAL_CHECK_OUTPUT
assert_close(mix(parts)[0], merge(parts)[0])
assert_close(mix(parts)[1], merge(parts)[1])
assert merge([nothing, nothing])[0].abs().max() == 0

# %% [markdown]
# ### Is the other order less exact?
#
# Float32 rounds each sum, and another order rounds otherwise. In float64 the noise is
# smaller by eight powers of ten, so that serves as the truth. **Predict:** which of the
# two is nearer to it, and by how much?


# %%
def tiled(q, k, v, block=128):
    return by_tiles(q, k, v, block)[0]


def error_of(way, n):
    truth = dense_attention(*(x.double() for x in texts(n)))
    return (way(*texts(n)).double() - truth).abs().max().item()


# %%
errors = {n: (error_of(dense_attention, n), error_of(tiled, n)) for n in (256, 2048)}
guess({n: [f"{error:.0e}" for error in pair] for n, pair in errors.items()})

# %% [markdown]
# Neither: both are a few times 1e-7 away, and the step from 1 to the next float32 is
# 1.2e-7.

# %%
assert all(error < 1e-6 for pair in errors.values() for error in pair)
assert math.isclose(torch.finfo(torch.float32).eps, 1.2e-7, rel_tol=0.01)

# %% [markdown]
# ## Training brings the wall back
#
# A backward pass needs numbers from the forward pass, so autograd keeps them until
# then. We count what it keeps, each tensor once.


# %%
def kept_numbers(call, *args):
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.numel()
        return tensor

    inputs = [x.clone().requires_grad_() for x in args]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        _alive = call(*inputs)  # until the end, so that no place is used twice
    return sum(kept.values())


# %% [markdown]
# **Predict** for 64 tokens with d_head 8: what does dense attention keep? Then the
# surprise: what do the tiles keep, 16 a side, less or more?

# %%
small = texts(64, d=8)
tiled_16 = partial(tiled, block=16)
guess([kept_numbers(way, *small) for way in (dense_attention, tiled_16)])

# %% [markdown]
# Dense: the weights, 64 · 64, and q, k and v. The tiles keep *more*: each tile was
# freed in the forward pass, and autograd holds on to every one of them, for `amax` and
# for `exp`. Tiles alone save nothing in training.

# %%
assert kept_numbers(dense_attention, *small) == 64 * 64 + 3 * 64 * 8
assert kept_numbers(tiled_16, *small) > 2 * 64 * 64

# %% [markdown]
# ### The gradient by hand
#
# So do not keep: compute again. First, what does the backward pass need? One query once
# more, with the weights p = 1/7, 4/7, 2/7, the values 7, 0, 14, the answer 5. Raising
# score j by a little raises the answer by p_j · (v_j - 5): what is better than the mean
# pulls it up.
#
# **Predict** the three gradients, in sevenths. What must their sum be?

# %%
leaf = scores.clone().requires_grad_()
(leaf.softmax(dim=0) * torch.tensor([7.0, 0.0, 14.0])).sum().backward()
guess(leaf.grad * 7)

# %% [markdown]
# 2, -20 and 18: they sum to 0, since raising all scores alike changes nothing.
#
# For matrices, `d_out` says how the loss moves with each answer, and `d_out @ v.mT` how
# it moves with each weight. The mean of the latter over a row is `out · d_out`: one
# number a query, made from what we have anyway.


# %%
def gradients_dense(q, k, v, d_out):
    scale = 1 / math.sqrt(q.shape[-1])
    p = (scale * q @ k.mT).softmax(dim=-1)
    d_p = d_out @ v.mT
    mean = (d_out * (p @ v)).sum(dim=-1, keepdim=True)
    d_s = scale * p * (d_p - mean)
    return d_s @ k, d_s.mT @ q, p.mT @ d_out


# %%
# NBVAL_CHECK_OUTPUT
assert abs(leaf.grad.sum()) < 1e-6
d_out = texts(65, d=8)[0][..., :64, :]
leaves = [x.clone().requires_grad_() for x in small]
dense_attention(*leaves).backward(d_out)
for ours, leaf in zip(gradients_dense(*small, d_out), leaves, strict=True):
    assert_close(ours, leaf.grad, atol=1e-5)

# %% [markdown]
# ### Recompute a tile when it is needed
#
# Everything in those lines can be made tile by tile, *if* the weights of a tile can be
# made again without the rest of their rows. They can: the log-sum-exp was returned, and
# `exp(score - lse)` is the weight. No maximum, no second walk.


# %%
def gradients_by_tiles(q, k, v, out, lse, d_out, block):
    scale = 1 / math.sqrt(q.shape[-1])
    mean = (d_out * out).sum(dim=-1, keepdim=True)
    d_q, d_k, d_v = torch.zeros_like(q), [], []
    for keys, values in in_tiles(block, k, v):
        p = (scale * q @ keys.mT - lse[..., None]).exp()
        d_s = scale * p * (d_out @ values.mT - mean)
        d_q = d_q + d_s @ keys
        d_k.append(d_s.mT @ q)
        d_v.append(p.mT @ d_out)
    return d_q, torch.cat(d_k, dim=-2), torch.cat(d_v, dim=-2)


# %% [markdown]
# A query's gradient is a sum over all tiles; a key's and a value's come from their own
# tile alone. An `autograd.Function` ties both passes together: it says itself what is
# kept. **Predict** how many numbers, for 64 tokens with d_head 8.


# %%
class Recomputed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, block):
        out, lse = by_tiles(q, k, v, block)
        ctx.save_for_backward(q, k, v, out, lse)
        ctx.block = block
        return out

    @staticmethod
    def backward(ctx, d_out):
        return (*gradients_by_tiles(*ctx.saved_tensors, d_out, ctx.block), None)


# %%
def recomputed(q, k, v, block=16):
    return Recomputed.apply(q, k, v, block)


guess(kept_numbers(recomputed, *small))

# %% [markdown]
# q, k, v and the answer, 512 each, and 64 log-sum-exps. No square. The gradients are
# those of the definition, and torch's own test by small differences agrees.

# %%
# NBVAL_CHECK_OUTPUT
again = [x.clone().requires_grad_() for x in small]
recomputed(*again).backward(d_out)
for mine, leaf in zip(again, leaves, strict=True):
    assert_close(mine.grad, leaf.grad, atol=1e-5)
tiny = [x.double().requires_grad_() for x in texts(5, d=3)]
assert torch.autograd.gradcheck(lambda *x: Recomputed.apply(*x, 2), tiny)

# %% [markdown]
# Now what is kept, by length: the definition, our tiles under autograd, our tiles with
# their own backward pass. **Predict** the three slopes.

# %%
lengths = [128, 256, 512, 1024, 2048]
ways = {"dense": dense_attention, "tiles, autograd": tiled}
ways["tiles, recomputed"] = partial(recomputed, block=128)
kept = {
    name: (lengths, [kept_numbers(way, *texts(n, d=16)) for n in lengths])
    for name, way in ways.items()
}
plot_lines(kept, x="length (tokens)", y="kept for backward (numbers)", log=True)

# %% [markdown]
# Two lines of slope 2, and one of slope 1: with a backward pass of its own. The price
# is work done twice. Forward is two products. Backward is four, for d_p, d_q, d_k and
# d_v; recomputing adds one, the scores. **Predict** the factor on the operations of a
# training step.


# %%
def step(way):
    def run(*args):
        way(*(x.clone().requires_grad_() for x in args)).sum().backward()

    return run


# %%
more = [operations_of(step(way), *texts(512)) for way in (dense_attention, recomputed)]
guess(more[1] / more[0])

# %% [markdown]
# Seven products for six: a sixth more operations, for memory that grows with the text
# and not with its square.

# %%
width = {"n_heads": 1, "d_head": 64, "backward": True}
formulas = [
    attention_operations(512 * 512, **width, recompute=r) for r in (False, True)
]
slopes = [math.log2(line[-1] / line[-2]) for _, line in kept.values()]
assert [round(slope, 1) for slope in slopes] == [2.0, 2.0, 1.0]
assert more == formulas and more[1] * 6 == more[0] * 7
assert kept["tiles, recomputed"][1] == [4 * 16 * n + n for n in lengths]

# %% [markdown]
# ## The library's version
#
# One object holds what a block of queries carries. Read it beside `over_keys`: `peak`
# is our maximum, `total` our sum, `gathered` our mixture.

# %%
from longctx_edu.attention.running import Running

show_source(Running.absorb)

# %% [markdown]
# New are a mask, `factors`, which serve dropout, and `ground`: a row that has seen
# nothing measures against 0, so that nothing becomes nan. Around it stand the walk over
# the tiles and an `autograd.Function` like ours.

# %%
show_source(online_attention)

# %%
# NBVAL_CHECK_OUTPUT
out, lse = by_tiles(q, k, v, 100)
assert_close(out, online_attention(q, k, v))
assert_close(lse, online_attention(q, k, v, return_lse=True)[1], atol=1e-5)

# %% [markdown]
# The gradients, and a causal mask with more keys than queries, as in a text that goes
# on: the last query stands at the last key.

# %%
# NBVAL_CHECK_OUTPUT
again = [x.clone().requires_grad_() for x in small]
online_attention(*again, block=16).backward(d_out)
for theirs, mine in zip(again, leaves, strict=True):
    assert_close(mine.grad, theirs.grad, atol=1e-5)
assert kept_numbers(online_attention, *small) == kept_numbers(recomputed, *small)
late = dense_mask(causal(700), 300, 1000)
want = dense_attention(q[..., 700:, :], k, v, mask=late)
assert_close(want, online_attention(q[..., 700:, :], k, v, causal=True))

# %% [markdown]
# ## Any length
#
# 16,384 tokens, where the square takes 1 GiB. **Predict:** does the process grow by
# more than an eighth of that? And how far may the result be from the definition? The
# definition itself is affordable for a few rows, since rows do not depend on each
# other.

# %%
long = texts(16_384, d=16)
run = measure(online_attention, *(x.to(where) for x in long))
guess(run.peak_bytes > 2**30 / 8)

# %%
# NBVAL_CHECK_OUTPUT
assert run.peak_bytes < 2**30 / 8
rows = [0, 5_000, 16_383]
q, k, v = (x.double() for x in long)
few = dense_attention(q[..., rows, :], k, v)
assert_close(few.float(), online_attention(*long)[..., rows, :])

# %% [markdown]
# The same numbers. Now the largest tensor, in tiles of 512, beside the square. Where do
# the two lines meet?

# %%
lengths = [512, 1024, 2048, 4096, 8192]
by_blocks = partial(online_attention, block=512)
tile = [4 * largest_tensor(by_blocks, *texts(n, d=16)) for n in lengths]
square = [4 * n * n for n in lengths]
lines = {"the square": (lengths, square), "online_attention": (lengths, tile)}
plot_lines(lines, x="length (tokens)", y="largest tensor (bytes)", log=True)

# %% [markdown]
# They meet where one tile holds the whole text. At the right edge the square is 256
# times larger. Beyond it, only the text itself grows.
#
# ## What remains
#
# Half of the wall is down: the bytes. **Predict:** how many operations does
# `online_attention` take, compared with the definition? And how many minutes take a
# million tokens (2 to the power of 20) for one head of d_head 64, at 10 to the power of
# 11 operations a second?

# %%
counts = [operations_of(f, *texts(1024)) for f in (dense_attention, online_attention)]
minutes = 4 * 2**40 * 64 / 1e11 / 60
guess({"factor": counts[1] / counts[0], "minutes": round(minutes)})

# %%
assert counts[0] == counts[1]
assert tile[0] == square[0] and tile[-1] * 256 == square[-1]
assert 46.5 < minutes < 47.5
ends = [[x.to(where) for x in texts(n, d=16)] for n in (2048, 8192)]
times = [best_of_three(online_attention, *x)[0] for x in ends]
assert 1 < math.log2(times[1] / times[0]) / 2 < 3, "time keeps its slope of 2"

# %% [markdown]
# The same operations, to the last one: every query still meets every key, and the clock
# agrees. 47 minutes for one head of one layer. Whoever wants more must ask which scores
# are needed at all. Lesson 05 does: near ones, and a few that everybody sees.
#
# ## Exercises
#
# `exercises/03_the_quadratic_wall.ipynb`: eight exercises, about two hours, from the
# count to gradients without the square. Three checks count the largest tensor that you
# form.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 03` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("03")

# %% [markdown]
# ## What you can now do
#
# - count pairs, operations and bytes of attention, and name the slope of each;
# - compute a softmax and a weighted mean in one walk, with three numbers;
# - attend in tiles, exactly, and skip what a mask hides;
# - merge parts by their log-sum-exp, whoever computed them;
# - say what training keeps, and make it again instead.

# %% [markdown]
# ## Sources
#
# - Milakov and Gimelshein 2018, *Online normalizer calculation for softmax*: section 3,
#   algorithm 3, the maximum and the sum in one walk.
# - Rabe and Staats 2021, *Self-attention does not need O(n²) memory*: attention in
#   parts, merged by their sums.
# - Dao et al. 2022, *FlashAttention*: section 3.1 and algorithm 1, the tiles; appendix
#   B.2, the gradients from what was kept.
# - Liu, Zaharia and Abbeel 2023, *Ring attention with blockwise transformers*: section
#   3, the parts on several machines.
