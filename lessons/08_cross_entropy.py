# %% [markdown]
# # 08 · Cross-entropy, and the way down
#
# *How wrong is a model, and which way is less wrong?* Every lesson that trains asks
# both. Here we take the answers apart, down to single numbers.
#
# After it you can derive the gradient of a loss and prove it with numbers, keep a loss
# finite for any logits, average over the right tokens, and say what each part of an
# optimiser does to a training. Reading and predicting takes about 70 minutes.

# %%
import math
from functools import partial

import torch

from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.plotting import panels, plot_descent, plot_lines

# %% [markdown]
# ## Empirical risk
#
# Four words. For each, a model says with which probability `p` it belongs to a name;
# `y` is the truth. The **loss** of a word is what its answer costs. The mean over all
# examples that we have is the **empirical risk**: what training makes small, hoping
# that unseen words cost alike.
#
# The simplest loss: an error costs 1. **Predict** the risk, where p over 1/2 means yes.

# %%
p = torch.tensor([3 / 4, 1 / 4, 1 / 4, 9 / 10], dtype=torch.float64)
y = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.float64)
wrong = (p > 0.5) != (y == 1)
guess(wrong.double().mean())

# %% [markdown]
# The second and the last word. Half wrong: but which way is less wrong? Move each `p`
# by a hundredth. **Predict** how far the risk moves.

# %%
moved = ((p + 0.01 > 0.5) != (y == 1)).double().mean()
guess(moved - wrong.double().mean())

# %% [markdown]
# Not at all: a staircase is flat nearly everywhere and tells nobody where to go. We
# need a loss with a slope. Let an answer cost minus the logarithm of the probability
# that it gave to the truth: `-log p` where y is 1, `-log(1 - p)` where y is 0.
#
# **Predict:** which of the four words is the dearest?

# %%
right = torch.where(y == 1, p, 1 - p)
guess(-right.log())

# %%
shares = torch.linspace(0.02, 0.98, 33)
lines = {
    "y = 1: -log p": (shares, -shares.log()),
    "y = 0: -log(1 - p)": (shares, -(1 - shares).log()),
}
plot_lines(lines, x="p, probability that the word is a name", y="loss (nats)")

# %% [markdown]
# The last one, sure and wrong: log 10 = 2.30. Right answers are not free either: 3/4
# costs 0.29. The curve is steep where the model is most wrong.
#
# ## Binary cross-entropy
#
# Since y is 1 or 0, one line says both cases, and the mean over N words is
#
# `L = -1/N sum [y log p + (1-y) log(1-p)]`
#
# In a loop, number by number:


# %%
def binary_by_loops(p, y):
    total = 0.0
    for share, truth in zip(p, y, strict=True):
        total += truth * share.log() + (1 - truth) * (1 - share).log()
    return -total / len(p)


# %%
# NBVAL_CHECK_OUTPUT
print(f"L = {binary_by_loops(p, y):.4f} nats")
assert_close(binary_by_loops(p, y), torch.nn.functional.binary_cross_entropy(p, y))

# %% [markdown]
# A model gives no probability but a **logit** z, any number; the **sigmoid** `p = 1 /
# (1 + exp(-z))` makes a probability of it. Backwards, `z = log(p / (1-p))`, the
# logarithm of the odds. **Predict** the four logits: the odds are 3 to 1, 1 to 3, 1 to
# 3 and 9 to 1.

# %%
z = (p / (1 - p)).log()
assert_close(1 / (1 + (-z).exp()), p)
guess(z)

# %% [markdown]
# log 3 = 1.0986, and log 9 is twice that.
#
# ## Its gradient, term by term
#
# We want to know how L moves when a logit moves. Each line of the derivation gets its
# check: the **slope** between two points close by, computed and not derived.


# %%
def slope(f, at, h=1e-6):
    return (f(at + h) - f(at - h)) / (2 * h)


# %%
# NBVAL_CHECK_OUTPUT
assert_close(slope(lambda x: x**2, torch.tensor(3.0).double()), 6.0)

# %% [markdown]
# **Line 1.** One word's loss is `l = -[y log p + (1-y) log(1-p)]`. The derivative of
# `log p` is `1/p`, that of `log(1-p)` is `-1/(1-p)`:
#
# `dl/dp = -[y/p - (1-y)/(1-p)]`
#
# **Predict** it for the second word, where y is 1 and p is 1/4.

# %%
dl_dp = -(y / p - (1 - y) / (1 - p))
guess(dl_dp[1])

# %%
# NBVAL_CHECK_OUTPUT
assert_close(dl_dp, slope(lambda p: -(y * p.log() + (1 - y) * (1 - p).log()), p))

# %% [markdown]
# -4: a little more p, four times that less loss.
#
# **Line 2.** The sigmoid's own slope is `dp/dz = p (1-p)`: largest at p = 1/2, nearly
# flat where the model is sure. **Predict** it for p = 1/4, as a fraction.

# %%
dp_dz = p * (1 - p)
guess(f"{dp_dz[1]:.4f}, which is 3/16")

# %%
# NBVAL_CHECK_OUTPUT
assert_close(dp_dz, slope(torch.sigmoid, z))

# %% [markdown]
# **Line 3.** The chain rule multiplies both. The brackets open and everything cancels:
#
# `dl/dz = -[y/p - (1-y)/(1-p)] p (1-p) = -[y (1-p) - (1-y) p] = p - y`
#
# **Predict** the four numbers, then their sign: which logits should rise?

# %%
guess(p - y)

# %%
# NBVAL_CHECK_OUTPUT
assert_close(dl_dp * dp_dz, p - y)

# %% [markdown]
# What was said minus what is true. A negative slope means: raise this logit. The flat
# sigmoid and the steep logarithm cancel; a sure mistake has a gradient near 1, not near
# 0. That is why these two belong together.
#
# **Line 4.** The mean divides by N: `dL/dz = (p - y) / N`. And if `z = w x + b`, then
# `dL/dw` is the sum of `(p - y) x / N`. With x = 2, 1, 0 and 1, **predict** dL/dw.

# %%
x = torch.tensor([2.0, 1.0, 0.0, 1.0], dtype=torch.float64)
dl_dw = ((p - y) / 4 * x).sum()
guess(dl_dw)


# %%
def risk(w):
    return binary_by_loops(torch.sigmoid(z + w * x), y)


# %%
# NBVAL_CHECK_OUTPUT
assert_close(dl_dw, slope(risk, torch.tensor(0.0).double()))
w = torch.zeros((), dtype=torch.float64, requires_grad=True)
assert_close(dl_dw, torch.autograd.grad(risk(w), w)[0])

# %% [markdown]
# (-0.5 - 0.75 + 0.9) / 4. Derived, measured, and found by autograd: three ways, one
# number.
#
# ### Logits of any size
#
# A model is sure of a wrong answer: z = 20, y = 0, in float32. The loss should be close
# to 20. **Predict** what the formula gives.

# %%
sure = torch.tensor([20.0])
guess(-(1 - torch.sigmoid(sure)).log())

# %% [markdown]
# Infinite. `sigmoid(20)` is 1 minus two billionths, float32 rounds it to 1, and log 0
# is minus infinity. The way out never forms p:
#
# `-log(1-p) = log(1 + exp(z)) = log(exp(0) + exp(z))`
#
# and a sum of exponentials can be taken with its largest term outside:
# `max + log(sum exp(... - max))`. No exponent is above 0 then. `logaddexp` does that.

# %%
# NBVAL_CHECK_OUTPUT
from longctx_edu.losses import binary_cross_entropy

for logit in (20.0, 10_000.0):
    print(binary_cross_entropy(torch.tensor([logit]), torch.tensor([0.0])).item())
assert_close(binary_by_loops(p, y), binary_cross_entropy(z, y))

# %%
show_source(binary_cross_entropy)

# %% [markdown]
# The same line in other letters: `y` times `-log p`, `1 - y` times `-log(1-p)`, over
# the tokens that are kept. Its gradient stands beside it, our line 4.

# %%
# NBVAL_CHECK_OUTPUT
from longctx_edu.losses import binary_cross_entropy_gradient

assert_close((p - y) / 4, binary_cross_entropy_gradient(z, y))

# %% [markdown]
# **Exercises 8.1 and 8.2** in `exercises/08_cross_entropy.ipynb` · 25 minutes · You
# write the loss for any logits, and its gradient.
#
# ## Many labels: softmax and log-sum-exp
#
# With several labels each has a logit, and the softmax makes shares of them. The loss
# is minus the logarithm of the right label's share. Written out, one logarithm opens:
#
# `-log(exp(z_y) / sum exp(z)) = log(sum exp(z)) - z_y`
#
# The first term is the **log-sum-exp**. **Predict** it for two logits of 1000.

# %%
guess(torch.tensor([1000.0, 1000.0]).double().logsumexp(0))

# %% [markdown]
# 1000 + log 2. It is a maximum with soft corners: next to a much smaller logit, it is
# the larger one.

# %%
z_1 = torch.linspace(-4, 4, 17)
soft = torch.stack([z_1, torch.zeros(17)]).logsumexp(0)
lines = {"log-sum-exp of z and 0": (z_1, soft), "maximum": (z_1, z_1.clamp(min=0))}
plot_lines(lines, x="logit z", y="value")

# %% [markdown]
# So the loss says: how far is the right logit below the soft maximum? In a loop, for
# rows of three labels:


# %%
def cross_entropy_by_loops(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        top = row.max()
        total += top + sum((logit - top).exp() for logit in row).log() - row[label]
    return total / len(labels)


# %%
# NBVAL_CHECK_OUTPUT
from longctx_edu.losses import cross_entropy, cross_entropy_gradient, log_softmax

logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [9e3, 1e4, 0.0]]).double()
labels = torch.tensor([0, 2, 0])
assert_close(cross_entropy_by_loops(logits, labels), cross_entropy(logits, labels))

# %%
show_source(log_softmax)

# %% [markdown]
# `cross_entropy` takes the label's entry of each row. The third row has logits of
# 10,000 and costs 1,000, not infinity.
#
# Its gradient is the sentence from before: *what was said minus what is true*, where
# the truth is 1 at the label and 0 elsewhere. **Predict** the second row, three equal
# logits with label 2, before it is divided by the three tokens.

# %%
truth = torch.eye(3).double()[labels]
said = logits.softmax(dim=1)
guess((said - truth)[1])

# %%
# NBVAL_CHECK_OUTPUT
assert_close((said - truth) / 3, cross_entropy_gradient(logits, labels))
leaf = logits.clone().requires_grad_()
torch.nn.functional.cross_entropy(leaf, labels).backward()
assert_close((said - truth) / 3, leaf.grad)

# %% [markdown]
# A third, a third, minus two thirds: each row sums to 0, what one label gains the
# others lose.
#
# ## A mean over what?
#
# Two texts stand in a batch. The first has one word, which costs 3 nats. The second has
# nine words at 0.1 each. **Predict** the mean over words, then the mean of the two
# texts' means.

# %%
costs = [torch.tensor([3.0]), torch.full((9,), 0.1)]
by_word = torch.cat(costs).mean()
by_text = torch.stack([text.mean() for text in costs]).mean()
guess([round(float(by_word), 2), round(float(by_text), 2)])

# %% [markdown]
# 0.39 against 1.55. In the mean of means one word of the short text weighs as much as
# nine of the long one, and the weight depends on who sits in the same batch. A loss
# averages over *tokens*, real ones.
#
# `ignore_index` says which are not: padding gets the label -100. Here is the batch,
# filled up to nine, with logits on the filling that must not matter.

# %%
# NBVAL_CHECK_OUTPUT
share = torch.exp(-torch.cat([costs[0], torch.zeros(8), costs[1]])).view(2, 9)
batch = torch.stack([share, 1 - share], dim=-1).log()
batch[0, 1:] = torch.tensor([-50.0, 50.0])  # the filling: a wild answer
gold = torch.zeros(2, 9, dtype=torch.long)
gold[0, 1:] = -100
assert_close(cross_entropy(batch, gold), by_word)

# %% [markdown]
# ### Class weights
#
# One token in ten is part of a name, and a model knows nothing else. It can only say
# the same share for every token. **Predict** the share that costs least. And if a token
# of a name counts nine times?


# %%
def cost_of_saying(share, weight):
    rows = torch.tensor([[1 - share, share]]).log().expand(10, 2)
    names = torch.tensor([1] + [0] * 9)
    weights = torch.tensor([1.0, weight])
    return float(cross_entropy(rows, names, class_weights=weights))


# %%
said = [n / 40 for n in range(1, 40)]
plain, weighted = ([cost_of_saying(s, w) for s in said] for w in (1.0, 9.0))
lines = {"each counts once": (said, plain), "a name counts 9 times": (said, weighted)}
plot_lines(lines, x="share that is said for 'name'", y="loss (nats)")

# %% [markdown]
# 0.1 and 0.5: the model says how often a label comes, counted with its weight. Weights
# move the answers towards the rare label; they also make its probabilities too large.

# %%
best = [said[costs.index(min(costs))] for costs in (plain, weighted)]
assert best == [0.1, 0.5]

# %% [markdown]
# ### Label smoothing
#
# The loss is never 0: a larger lead is always a little cheaper, so logits grow without
# end. **Smoothing** takes a small share of the truth, here 0.1, and spreads it over all
# labels. With three labels the wanted shares are 0.933, 0.033 and 0.033. **Predict**
# the lead where the loss is smallest; it is a logarithm.

# %%
guess(math.log((0.9 + 0.1 / 3) / (0.1 / 3)))

# %%
lead = torch.linspace(0, 10, 41)
rows = torch.stack([lead, torch.zeros(41), torch.zeros(41)], dim=1)
label = torch.tensor([0])
sharp = [float(cross_entropy(row[None], label)) for row in rows]
smooth = [float(cross_entropy(row[None], label, label_smoothing=0.1)) for row in rows]
lines = {"no smoothing": (lead, sharp), "smoothing 0.1": (lead, smooth)}
plot_lines(lines, x="lead of the right logit", y="loss (nats)")

# %%
assert lead[smooth.index(min(smooth))] == 3.25  # log 28 = 3.33, on a grid of quarters
assert sharp == sorted(sharp, reverse=True), "without smoothing more is always cheaper"

# %% [markdown]
# **Exercises 8.3 and 8.4** · 30 minutes · A weighted mean that leaves padding out, and
# the gradient with smoothing.
#
# ## The step
#
# A gradient says which way is up. We go a little way down, and a second term pulls each
# weight towards 0, the **weight decay**. Eta is the learning rate, lambda the decay:
#
# `theta <- theta - eta grad L - eta lambda theta`
#
# theta = 4, grad L = 8, eta = 0.25, lambda = 0.5. **Predict** the new theta.

# %%
theta, gradient, eta, decay = 4.0, 8.0, 0.25, 0.5
by_hand = theta - eta * gradient - eta * decay * theta
guess(by_hand)

# %%
from longctx_edu.optim import SGD, Adam, AdamW, adam_direction, clip_gradients, dropout

show_source(SGD.step)

# %%
# NBVAL_CHECK_OUTPUT
weight = torch.tensor(theta, requires_grad=True)
optimizer = SGD([weight], lr=eta, weight_decay=decay)
(gradient * weight).backward()
optimizer.step()
assert_close(by_hand, weight.detach())

# %% [markdown]
# 4 - 2 - 0.5. The library is a torch optimiser; the loop at its heart is our line. The
# gradient of `lambda/2 theta²` is `lambda theta`, so for plain descent the decay *is*
# that penalty, the **L2 penalty**. Keep this in mind: for Adam it will not be.
#
# ### Momentum
#
# A **velocity** adds up the gradients and forgets a share of itself each step: `v <-
# 0.9 v + grad`. The slope stays 1 for ever. **Predict** where the velocity ends.

# %%
velocity, seen = 0.0, []
for _ in range(60):
    velocity = 0.9 * velocity + 1.0
    seen.append(velocity)
guess(round(seen[-1], 1))

# %% [markdown]
# 1 / (1 - 0.9) = 10: momentum is ten times faster where the way is straight. Where
# gradients change their sign, they cancel. **Nesterov** adds the share of the velocity
# once more and so looks at where it is about to be.
#
# A bent valley of two weights shows all of it. The floor curves and falls slowly to
# (1, 1); the walls are steep.


# %%
def valley(a, b):
    return (1 - a) ** 2 / 4 + 4 * (b - a**2) ** 2


def way_down(make, steps=60):
    place = torch.tensor([-1.0, 0.6], requires_grad=True)
    optimizer, places = make([place]), [(-1.0, 0.6)]
    for _ in range(steps):
        optimizer.zero_grad()
        valley(*place).backward()
        optimizer.step()
        places.append(tuple(place.tolist()))
    return places


# %% [markdown]
# Sixty steps each, all with learning rate 0.03. **Predict** which of the three stays
# behind, and which swings most.

# %%
ways = {
    "plain": way_down(lambda w: SGD(w, lr=0.03)),
    "momentum 0.9": way_down(lambda w: SGD(w, lr=0.03, momentum=0.9)),
    "Nesterov 0.9": way_down(lambda w: SGD(w, lr=0.03, momentum=0.9, nesterov=True)),
}
plot_descent(valley, ways, across=(-1.3, 1.5), up=(-0.5, 1.4))

# %% [markdown]
# Plain descent finds the floor and then crawls: the slope there is small. Momentum runs
# on, from wall to wall; Nesterov looks ahead and swings less. Both pass the goal before
# they turn back.

# %%
ends = {name: valley(*places[-1]) for name, places in ways.items()}
assert ends["plain"] > 0.25 and ends["momentum 0.9"] < 0.01
assert ends["Nesterov 0.9"] < ends["momentum 0.9"]

# %% [markdown]
# ### Adam
#
# One rate for all weights: too fast for the walls, too slow for the floor. **Adam**
# divides a running mean of the gradient by the root of a running mean of its square, so
# every weight walks at about its own speed of 1.
#
# Both means start at 0. After one step with gradient 5 they are 0.1 · 5 and 0.001 · 25.
# **Predict** their quotient, mean over root.

# %%
mean, mean_square = 0.1 * 5, 0.001 * 25
guess(round(mean / math.sqrt(mean_square), 3))

# %% [markdown]
# 3.162, for any gradient: the first step is three times too long, since the square's
# mean has gathered far less of its truth. The **bias correction** divides each mean by
# the share gathered so far, `1 - beta^step`. **Predict** the quotient then.

# %%
mean, mean_square = mean / (1 - 0.9), mean_square / (1 - 0.999)
guess(mean / math.sqrt(mean_square))

# %%
show_source(adam_direction)

# %% [markdown]
# Exactly 1. How long would the missing correction hurt? A constant gradient, 3,000
# steps: with the correction every step has length 1.

# %%
steps = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3000]
raw = [(1 - 0.9**n) / math.sqrt(1 - 0.999**n) for n in steps]
lines = {"without correction": (steps, raw), "with": (steps, [1.0] * len(steps))}
plot_lines(lines, x="step", y="length of a step (learning rates)", log=True)

# %%
assert max(raw) > 6 and raw[-1] < 1.03

# %% [markdown]
# Six times too long around step 15, and still 1.2 times after a thousand. Now the
# place of epsilon, 1e-8: outside the root it matters for gradients below 1e-8. Suppose
# it stood *inside*. **Predict** the first step's length for a gradient of 1e-5, with
# epsilon outside and inside.

# %%
g = 1e-5
guess([round(g / (g + 1e-8), 3), round(g / math.sqrt(g * g + 1e-8), 3)])

# %% [markdown]
# Inside the root it counts as 1e-4, its own root: small gradients would stand still.
# Late in a training, most are small.
#
# Back in the valley, with two more ways down.

# %%
ways = {
    "plain": ways["plain"],
    "momentum 0.9": ways["momentum 0.9"],
    "Adam, rate 0.2": way_down(lambda w: Adam(w, lr=0.2)),
}
plot_descent(valley, ways, across=(-1.3, 1.5), up=(-0.5, 1.4))

# %% [markdown]
# Adam's first steps are equally long in both directions: it
# swings over the steep walls at first, then follows the floor to its end.
#
# All of these equal torch's own, number by number. The alarm, over 100 steps:


# %%
def hundred_steps(make):
    place = torch.tensor([-1.0, 0.6], dtype=torch.float64, requires_grad=True)
    optimizer = make([place])
    for _ in range(100):
        optimizer.zero_grad()
        valley(*place).backward()
        optimizer.step()
    return place.detach()


# %%
# NBVAL_CHECK_OUTPUT
settings = {"lr": 0.02, "weight_decay": 0.1}
for ours, theirs in ((SGD, torch.optim.SGD), (AdamW, torch.optim.AdamW)):
    mine, official = (
        hundred_steps(lambda w, kind=kind: kind(w, **settings))
        for kind in (ours, theirs)
    )
    assert_close(mine, official, atol=1e-12)

# %% [markdown]
# **Exercises 8.5 and 8.6** · 30 minutes · You write momentum with Nesterov, and Adam.
#
# ### L2 or decoupled
#
# Two weights start at 1. Their gradients point up and down in turn and cancel; the
# second's are a hundred times larger. Nothing needs to move: the decay alone decides.
# **Predict:** with the L2 penalty inside Adam, which weight shrinks faster?


# %%
def decayed(kind):
    weights = torch.ones(2, requires_grad=True)
    optimizer, seen = kind([weights], lr=0.01, weight_decay=0.1), []
    for step in range(600):
        optimizer.zero_grad()
        sign = (-1) ** step
        (sign * weights * torch.tensor([0.1, 10.0])).sum().backward()
        optimizer.step()
        seen.append(weights.tolist())
    return [list(line)[::50] for line in zip(*seen, strict=True)]


# %%
left, right = panels(2, width=3.6, height=2.8)
across = list(range(0, 600, 50))
shrunk = {"Adam, L2": decayed(Adam), "AdamW, decoupled": decayed(AdamW)}
for ax, (name, (small, large)) in zip((left, right), shrunk.items(), strict=True):
    lines = {"gradients of 0.1": (across, small), "gradients of 10": (across, large)}
    plot_lines(lines, ax=ax, x="step", y="weight", title=name)
    ax.set_ylim(-0.1, 1.1)

# %% [markdown]
# On the left the penalty passes through Adam's root, like any part of the gradient: the
# weight with large gradients is divided by 10 and hardly decays, the other is pulled
# down fast. On the right the lines lie on each other: both lose the
# same share, `eta lambda`, at each step. That is
# **AdamW**: the last term of our update stands outside, as it is written.

# %%
(l2_small, l2_large), (w_small, w_large) = shrunk.values()
assert l2_small[-1] < 0.1 and l2_large[-1] > 0.9
assert abs(w_small[-1] - w_large[-1]) < 0.05 and 0.5 < w_small[-1] < 0.65

# %% [markdown]
# **Exercise 8.7** · 15 minutes · You write AdamW.
#
# ### Clipping
#
# One wild batch can undo a thousand steps. **Clipping** measures the length of the
# whole gradient, all weights together, and scales it down if it is too long. The
# gradient is (3, 4), the limit 1. **Predict** what is left.

# %%
pair = torch.zeros(2, requires_grad=True)
(pair * torch.tensor([3.0, 4.0])).sum().backward()
length = clip_gradients([pair], max_norm=1.0)
guess(pair.grad)

# %% [markdown]
# Length 5 becomes 1, the direction stays. Cutting each number on its own would give
# (1, 1), another way.

# %%
# NBVAL_CHECK_OUTPUT
assert_close(length, math.hypot(3.0, 4.0))
assert_close(pair.grad, [0.6, 0.8])

# %% [markdown]
# ### Warm-up and cosine
#
# The first gradients of a fresh model are large and point anywhere, and Adam's means
# have seen little. So the rate rises first. At the end small steps settle what large
# ones leave shaking: half a **cosine** falls slowly, then fast, then slowly.
# **Predict** its share of the peak a quarter of the way down, beside the straight
# line's 0.75.

# %%
from longctx_edu.training import learning_rate_at

guess(0.5 * (1 + math.cos(math.pi / 4)))

# %%
steps = range(0, 101, 2)
rates = {
    name: [learning_rate_at(step, 100, 10, name) for step in steps]
    for name in ("cosine", "linear")
}
lines = {name: (steps, values) for name, values in rates.items()}
plot_lines(lines, x="step of 100, the first 10 warm-up", y="share of the peak rate")

# %% [markdown]
# Above the line in the first half, below it in the second. Over the whole way down both
# spend the same.
#
# **Exercises 8.8 and 8.9** · 20 minutes · You write both, clipping and the schedule.
#
# ### Dropout
#
# In training, a share of a layer's numbers is set to 0 at random, so that no part can
# rely on one other. Half of eight ones are lost, on average. **Predict** what the
# others must become, so that the mean stays.

# %%
half = dropout(torch.ones(8, 1000), 0.5, generator=torch.Generator().manual_seed(0))
guess(sorted(set(half.flatten().tolist())))

# %%
show_source(dropout)

# %% [markdown]
# Doubled. In use nothing is lost and nothing is scaled, so both modes speak at the same
# loudness.

# %%
assert abs(half.mean() - 1) < 0.02
assert dropout(half, 0.5, training=False) is half

# %% [markdown]
# **Exercise 8.10** · 10 minutes · You write it.
#
# ## On real curves
#
# Now all of it on a small task: name tags for words of twelve articles of the Gazette,
# our invented newspaper. The model sees a word and its two neighbours. Loss, optimisers
# and dropout are ours.

# %%
from longctx_edu.data import catalogue
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.tagger import build

news = catalogue.load("gazette", counts=(12, 12, 1), n_tokens=256, ambiguous=0.0)
tagger = build(NerConfig(), news.types)


# %%
def words_of(documents):
    pieces = tagger.pieces(documents)
    return torch.cat([x.inputs for x in pieces]), torch.cat([x.labels for x in pieces])


inputs, tags = words_of(news.train)
held_inputs, held_tags = words_of(news.dev)
print(len(tags), "words to learn from,", len(held_tags), "held out")

# %% [markdown]
# Each word comes as four numbers, features of its form; their vectors are added up.
# Three words side by side go through one hidden layer.


# %%
class ThreeWords(torch.nn.Module):
    def __init__(self, lost):
        super().__init__()
        n_features = int(max(inputs.max(), held_inputs.max())) + 1
        self.word = torch.nn.EmbeddingBag(n_features, 16, mode="sum")
        self.hidden = torch.nn.Linear(48, 64)
        self.head = torch.nn.Linear(64, 9)
        self.lost = lost

    def forward(self, ids):
        word = self.word(ids)
        near = torch.cat([word.roll(1, 0), word, word.roll(-1, 0)], dim=-1)
        hidden = self.hidden(near).relu()
        return self.head(dropout(hidden, self.lost, training=self.training))


# %% [markdown]
# One training: 120 steps of 256 words in a row. Every run starts from the same weights
# and sees the same words, so that only what we change differs.


# %%
def train(make, *, lost=0.0, longest=math.inf, share=lambda step: 1.0):
    torch.manual_seed(0)
    model, losses = ThreeWords(lost), []
    optimizer = make(model.parameters())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    seeded = torch.Generator().manual_seed(1)
    places = torch.randint(len(tags) - 256, (120,), generator=seeded)
    for at in places.tolist():
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs[at : at + 256]), tags[at : at + 256])
        loss.backward()
        clip_gradients(model.parameters(), longest)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return model.eval(), losses


# %%
def smoothed(losses, width=10):
    cuts = range(0, len(losses), width)
    return list(cuts), [sum(losses[n : n + width]) / width for n in cuts]


# %% [markdown]
# First the optimisers. **Predict** the order of the four at the end, and the loss of
# the first steps: nine labels, a model that prefers none.

# %%
makers = {
    "plain, rate 0.03": lambda w: SGD(w, lr=0.03),
    "momentum 0.9, rate 0.03": lambda w: SGD(w, lr=0.03, momentum=0.9),
    "Nesterov 0.9, rate 0.03": lambda w: SGD(w, lr=0.03, momentum=0.9, nesterov=True),
    "Adam, rate 0.01": lambda w: Adam(w, lr=0.01),
}
curves = {name: train(make)[1] for name, make in makers.items()}
lines = {name: smoothed(losses) for name, losses in curves.items()}
plot_lines(lines, x="step", y="training loss (nats)")

# %% [markdown]
# Momentum does in 40 steps what plain descent does in 120; Adam, with a rate for each
# weight, is faster still: rare features have rare gradients, and Adam makes them count.

# %%
ends = {name: smoothed(losses)[1][-1] for name, losses in curves.items()}
adam, nesterov, momentum, plain = sorted(ends, key=ends.get)
assert (adam, plain) == ("Adam, rate 0.01", "plain, rate 0.03")
assert smoothed(curves[momentum])[1][3] < ends[plain]
assert abs(curves[plain][0] - math.log(9)) < 0.6

# %% [markdown]
# Next: a rate far too high, 5 instead of 0.03. **Predict** what the loss does, and what
# a limit of 0.3 on the gradient's length does to that.

# %%
wild = train(lambda w: SGD(w, lr=5.0))[1]
held = train(lambda w: SGD(w, lr=5.0), longest=0.3)[1]
guess([f"largest loss: {max(wild[:4]):.0f} in 4 steps", f"clipped: {max(held):.1f}"])

# %% [markdown]
# Without a limit it explodes within a few steps and ends in nan. With it, the run
# learns. Clipping does not repair a rate; it makes one bad step harmless.

# %%
assert math.isnan(wild[-1]) and smoothed(held)[1][-1] < 0.1

# %% [markdown]
# Adam at rate 0.1 is ten times too fast. **Predict:** does a warm-up with a cosine help
# at the same peak?

# %%
constant = train(lambda w: Adam(w, lr=0.1))[1]
share = partial(learning_rate_at, total=120, warmup=12, schedule="cosine")
warmed = train(lambda w: Adam(w, lr=0.1), share=share)[1]
lines = {"rate 0.1": smoothed(constant), "warm-up and cosine": smoothed(warmed)}
plot_lines(lines, x="step", y="training loss (nats)")

# %%
assert smoothed(warmed)[1][0] < smoothed(constant)[1][0], "the warm-up spares the start"
assert smoothed(warmed)[1][-1] < smoothed(constant)[1][-1] / 5

# %% [markdown]
# A gentler start, and an end that settles instead of shaking.
#
# Last, what holds a model back. The training words are learnt by heart soon; the words
# held out are what we want. Three runs with AdamW at rate 0.01: alone, with a decay of
# 1, with dropout 0.5. **Predict:** who is better on the training words, who on the
# others?


# %%
@torch.no_grad()
def losses_of(model):
    pairs = ((inputs, tags), (held_inputs, held_tags))
    return [round(float(cross_entropy(model(x), y)), 3) for x, y in pairs]


# %%
# NBVAL_CHECK_OUTPUT
alone = losses_of(train(lambda w: AdamW(w, lr=0.01, weight_decay=0.0))[0])
shrunk = losses_of(train(lambda w: AdamW(w, lr=0.01, weight_decay=1.0))[0])
dropped = losses_of(train(lambda w: AdamW(w, lr=0.01, weight_decay=0.0), lost=0.5)[0])
for name, pair in (("alone", alone), ("decay 1", shrunk), ("dropout 0.5", dropped)):
    print(f"{name:12s} learnt from: {pair[0]:.2f}   held out: {pair[1]:.2f}")

# %% [markdown]
# The decay costs a little on the words that were learnt and gains much on the others:
# the empirical risk is not the aim, it stands for it. Dropout in the one hidden layer
# changes little here, since most of the weights sit in the word vectors before it. Both
# are dials, and only held-out words can set them.

# %%
assert shrunk[0] > alone[0] and shrunk[1] < 0.7 * alone[1]
assert abs(dropped[1] - alone[1]) < 0.05

# %% [markdown]
# ## Exercises
#
# `exercises/08_cross_entropy.ipynb`: ten exercises, about 130 minutes. The binary loss
# and its gradient, the weighted mean over real tokens, smoothing, momentum, Adam,
# AdamW, clipping, the schedule, dropout. A check after each names the mistake.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 08` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("08")

# %% [markdown]
# ## What you can now do
#
# - derive the gradient of a loss, and check each line with two points close by;
# - say why sigmoid and logarithm, softmax and logarithm belong together: said minus
#   true;
# - compute a loss for logits of any size, and average it over real tokens;
# - tell what momentum, bias correction, epsilon and decay each do, and where;
# - read a training curve: a rate too high, a start too rough, a model held back.

# %% [markdown]
# ## Sources
#
# - Bishop 2006, *Pattern recognition and machine learning*: sections 4.3.2 and 4.3.4,
#   both losses and their gradients.
# - Goodfellow, Bengio and Courville 2016, *Deep learning*: section 4.1, overflow;
#   section 8.1.1, empirical risk.
# - Szegedy et al. 2016, *Rethinking the Inception architecture*: section 7, smoothing.
# - Sutskever et al. 2013, *On the importance of initialization and momentum*: section
#   2, momentum and Nesterov's form of it.
# - Kingma and Ba 2015, *Adam*: algorithm 1; section 3, the bias correction.
# - Loshchilov and Hutter 2019, *Decoupled weight decay regularization*: algorithm 2;
#   the same 2017, *SGDR*: equation 5, the cosine.
# - Pascanu, Mikolov and Bengio 2013, *On the difficulty of training recurrent neural
#   networks*: algorithm 1, clipping.
# - Srivastava et al. 2014, *Dropout*: sections 4 and 10.
