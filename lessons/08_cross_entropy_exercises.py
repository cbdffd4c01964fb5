# %% [markdown]
# # 08 · Cross-entropy, and the way down: exercises
#
# Ten exercises, about 130 minutes. You write the losses, the optimisers, and what holds
# a training in hand, each as one small function of tensors.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. A
# check says which property fails first, on the smallest input that shows it. Hints come
# in three steps. The lesson is `notebooks/08_cross_entropy.ipynb`, answers are in
# `solutions/08_cross_entropy.ipynb`. torch's own losses and optimisers stay closed.

# %%
import math

import torch

from longctx_edu.checks.lesson_08 import (
    check_adam_step,
    check_adamw_step,
    check_binary_gradient,
    check_binary_loss,
    check_clipped,
    check_drop,
    check_momentum_step,
    check_share_of_peak,
    check_smoothed_gradient,
    check_token_loss,
)
from longctx_edu.plotting import plot_lines

# %% [markdown]
# ## Exercise 8.1 · The binary loss, for any logit
#
# **15 minutes · ●●○○○ · needs:** the lesson's first half
#
# Write `binary_loss(logits, targets)`: the mean of `-[y log p + (1-y) log(1-p)]`, where
# `p = 1 / (1 + exp(-z))` for each logit z. It must stay right for logits of 10,000, so
# p itself is not formed. Return a tensor without axes.
#
# <details><summary>Hint 1: a nudge</summary>
# Write -log p and -log(1-p) as functions of z alone.
# </details>
# <details><summary>Hint 2: the idea</summary>
# -log(1-p) is log(1 + exp(z)), which is log(exp(0) + exp(z)); -log p is the same with
# -z. torch.logaddexp(a, b) is log(exp(a) + exp(b)) and never overflows.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>zero = torch.zeros_like(logits)</code>; then <code>targets *
# torch.logaddexp(zero, -logits)</code>, plus the other half, and the mean.
# </details>


# %%
def binary_loss(logits, targets):
    ### BEGIN SOLUTION
    zero = torch.zeros_like(logits)
    minus_log_p = torch.logaddexp(zero, -logits)
    minus_log_rest = torch.logaddexp(zero, logits)
    return (targets * minus_log_p + (1 - targets) * minus_log_rest).mean()
    ### END SOLUTION


# %% tags=["check"]
check_binary_loss(binary_loss)

# %% [markdown]
# ## Exercise 8.2 · Its gradient
#
# **10 minutes · ●○○○○ · needs:** the derivation, lines 1 to 4
#
# Write `binary_gradient(logits, targets)`: how the mean loss of 8.1 moves with each
# logit. One number a logit, by formula, without autograd.
#
# <details><summary>Hint 1: a nudge</summary>
# What was said minus what is true.
# </details>
# <details><summary>Hint 2: the idea</summary>
# p - y for each; and the loss was a mean.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>(logits.sigmoid() - ...) / logits.numel()</code>
# </details>


# %%
def binary_gradient(logits, targets):
    ### BEGIN SOLUTION
    return (logits.sigmoid() - targets) / logits.numel()
    ### END SOLUTION


# %% tags=["check"]
check_binary_gradient(binary_gradient)

# %% [markdown]
# ## Exercise 8.3 · A mean over what counts
#
# **20 minutes · ●●●○○ · needs:** the section on means
#
# Write `token_loss(logits, labels, class_weights)`. `logits` has the axes token and
# label. A token costs minus the logarithm of the softmax share of its label. Return the
# *weighted* mean: a token counts as `class_weights[label]`, and a token with
# `ignore_index` does not count at all. Logits of 10,000 must work.
#
# <details><summary>Hint 1: a nudge</summary>
# A weighted mean has the weights twice: on top, and below the line.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Drop the rows without a label first. Then costs = logsumexp of a row minus the logit
# of its label; multiply by weights, sum, divide by the sum of these weights.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>real = labels != ignore_index</code>, index both with it; <code>w =
# class_weights[labels]</code>; <code>(w * costs).sum() / w.sum()</code>.
# </details>


# %%
def token_loss(logits, labels, class_weights, ignore_index=-100):
    ### BEGIN SOLUTION
    real = labels != ignore_index
    logits, labels = logits[real], labels[real]
    costs = logits.logsumexp(dim=-1) - logits[torch.arange(len(labels)), labels]
    weights = class_weights[labels]
    return (weights * costs).sum() / weights.sum()
    ### END SOLUTION


# %% tags=["check"]
check_token_loss(token_loss)

# %% [markdown]
# ## Exercise 8.4 · The gradient, with smoothing
#
# **15 minutes · ●●●○○ · needs:** the sections on softmax and smoothing
#
# Write `smoothed_gradient(logits, labels, smoothing)`: the gradient of the mean
# cross-entropy at each logit, where the target is no longer 1 and 0: the share
# `smoothing` of it is spread over all labels alike, the right one included. By formula,
# without autograd; all tokens have a label.
#
# <details><summary>Hint 1: a nudge</summary>
# Still said minus true. What is "true" now?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Build the target: smoothing / n_labels everywhere, and 1 - smoothing more at the
# label. Then softmax - target, over the number of tokens.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>target = torch.full_like(logits, smoothing / logits.shape[1])</code>, then
# <code>target[torch.arange(len(labels)), labels] += ...</code>
# </details>


# %%
def smoothed_gradient(logits, labels, smoothing):
    ### BEGIN SOLUTION
    target = torch.full_like(logits, smoothing / logits.shape[1])
    target[torch.arange(len(labels)), labels] += 1 - smoothing
    return (logits.softmax(dim=1) - target) / len(labels)
    ### END SOLUTION


# %% tags=["check"]
check_smoothed_gradient(smoothed_gradient)

# %% [markdown]
# ## Exercise 8.5 · Momentum, and Nesterov's look ahead
#
# **10 minutes · ●●○○○ · needs:** the section on momentum
#
# Write `momentum_step(theta, gradient, velocity, rate, momentum, nesterov)`. The new
# velocity is `momentum * velocity + gradient`; theta goes `rate` times against it. With
# `nesterov` it goes against `gradient + momentum * new velocity` instead. Return the
# new theta and the new velocity; leave what came as it is.
#
# <details><summary>Hint 1: a nudge</summary>
# The velocity is made the same way in both cases; only the direction of the step
# differs.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Three lines: new velocity, direction, new theta. Make new tensors, no +=.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>direction = gradient + momentum * velocity if nesterov else velocity</code>
# </details>


# %%
def momentum_step(theta, gradient, velocity, rate, momentum, nesterov=False):
    ### BEGIN SOLUTION
    velocity = momentum * velocity + gradient
    direction = gradient + momentum * velocity if nesterov else velocity
    return theta - rate * direction, velocity
    ### END SOLUTION


# %% tags=["check"]
check_momentum_step(momentum_step)

# %% [markdown]
# ## Exercise 8.6 · Adam
#
# **20 minutes · ●●●○○ · needs:** the section on Adam
#
# Write `adam_step(theta, gradient, first, second, step, rate)`. `first` and `second`
# are the running means of the gradient and of its square before this step, zeros at the
# start; `step` is counted from 1. Update both means, correct both, and step. Return the
# new theta, first and second, the means *uncorrected*.
#
# <details><summary>Hint 1: a nudge</summary>
# A running mean keeps beta of the old and takes 1 - beta of the new.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Divide a copy of each mean by 1 - beta ** step; the step is mean over (root of mean
# square, plus eps).
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>mean = first / (1 - betas[0] ** step)</code>, the other likewise; <code>theta -
# rate * mean / (mean_square.sqrt() + eps)</code>.
# </details>


# %%
def adam_step(theta, gradient, first, second, step, rate, betas=(0.9, 0.999), eps=1e-8):
    ### BEGIN SOLUTION
    first = betas[0] * first + (1 - betas[0]) * gradient
    second = betas[1] * second + (1 - betas[1]) * gradient**2
    mean = first / (1 - betas[0] ** step)
    mean_square = second / (1 - betas[1] ** step)
    return theta - rate * mean / (mean_square.sqrt() + eps), first, second
    ### END SOLUTION


# %% tags=["check"]
check_adam_step(adam_step)

# %% [markdown]
# Your Adam on a bowl that is a hundred times steeper one way. Before you run the cell:
# which of the two weights arrives first?

# %% tags=["needs-solution"]
theta, first, second = torch.ones(2), torch.zeros(2), torch.zeros(2)
seen = [theta]
for step in range(1, 41):
    gradient = torch.tensor([1.0, 100.0]) * theta
    theta, first, second = adam_step(theta, gradient, first, second, step, rate=0.05)
    seen.append(theta)
flat, steep = torch.stack(seen).T.tolist()
lines = {"flat way": (range(41), flat), "steep way": (range(41), steep)}
plot_lines(lines, x="step", y="weight")

# %% [markdown]
# ## Exercise 8.7 · AdamW
#
# **15 minutes · ●●●○○ · needs:** 8.6, and the section on decoupled decay
#
# Write `adamw_step(theta, gradient, first, second, step, rate, decay)`: Adam's step,
# and beside it the share `rate * decay` of the *old* theta is taken away. The running
# means never see the decay. You may call your `adam_step`.
#
# <details><summary>Hint 1: a nudge</summary>
# Where in the update stands the last term, eta lambda theta?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Take the share off theta first, then let Adam step from there: its direction does not
# depend on theta.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>adam_step((1 - rate * decay) * theta, gradient, ...)</code>
# </details>


# %%
def adamw_step(
    theta, gradient, first, second, step, rate, decay, betas=(0.9, 0.999), eps=1e-8
):
    ### BEGIN SOLUTION
    shrunk = (1 - rate * decay) * theta
    return adam_step(shrunk, gradient, first, second, step, rate, betas, eps)
    ### END SOLUTION


# %% tags=["check"]
check_adamw_step(adamw_step)

# %% [markdown]
# ## Exercise 8.8 · Clipping
#
# **10 minutes · ●●○○○ · needs:** the section on clipping
#
# Write `clipped(gradients, max_norm)`. `gradients` is a list of tensors of any shapes,
# together *one* gradient. If its length is over `max_norm`, scale all of them with one
# factor so that it becomes `max_norm`; else leave them. Return a list of new tensors.
#
# <details><summary>Hint 1: a nudge</summary>
# The length of a vector that is written in several pieces: squares add up.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Sum the squares of every piece, add these sums, take the root once. The factor is
# max_norm over that, but never above 1.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>norm = math.sqrt(sum(...))</code>; <code>factor = max_norm / max(norm,
# max_norm)</code>.
# </details>


# %%
def clipped(gradients, max_norm):
    ### BEGIN SOLUTION
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
    factor = max_norm / max(norm, max_norm)
    return [factor * g for g in gradients]
    ### END SOLUTION


# %% tags=["check"]
check_clipped(clipped)

# %% [markdown]
# ## Exercise 8.9 · Warm-up and cosine
#
# **10 minutes · ●●○○○ · needs:** the section on warm-up
#
# Write `share_of_peak(step, total, warmup)`, where `step` steps are behind us. It rises
# in equal parts over the first `warmup` steps, and the last of these takes the whole
# peak. Then half a cosine falls: 1 at `step = warmup`, 1/2 in the middle, 0 at `step =
# total` and after it.
#
# <details><summary>Hint 1: a nudge</summary>
# How much of the way down is done? Turn that into an angle.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Done goes from 0 to 1 after the warm-up; the cosine of pi times it goes from 1 to -1.
# Shift and shrink that to 1 and 0.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>done = min(1.0, (step - warmup) / (total - warmup))</code>, then <code>(1 +
# math.cos(math.pi * done)) / 2</code>.
# </details>


# %%
def share_of_peak(step, total, warmup):
    ### BEGIN SOLUTION
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / (total - warmup))
    return (1 + math.cos(math.pi * done)) / 2
    ### END SOLUTION


# %% tags=["check"]
check_share_of_peak(share_of_peak)

# %% [markdown]
# ## Exercise 8.10 · Dropout
#
# **10 minutes · ●●○○○ · needs:** the section on dropout
#
# Write `drop(x, share, training, generator)`. In training each number is lost, set to
# 0, with probability `share`, on its own; the others grow so that the mean stays.
# Otherwise x comes back as it is. `torch.rand(x.shape, generator=generator)` draws
# numbers from 0 to 1.
#
# <details><summary>Hint 1: a nudge</summary>
# A number drawn from 0 to 1 is below 0.3 in three of ten cases.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Keep where the draw is at least share. A share 1 - share of the numbers is left, so
# divide by it.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>keep = torch.rand(x.shape, generator=generator) &gt;= share</code>, then
# <code>x * keep / ...</code>
# </details>


# %%
def drop(x, share, training, generator):
    ### BEGIN SOLUTION
    if not training:
        return x
    keep = torch.rand(x.shape, generator=generator) >= share
    return x * keep / (1 - share)
    ### END SOLUTION


# %% tags=["check"]
check_drop(drop)

# %% [markdown]
# ## Done
#
# Ten functions, and with them every line between a batch and its step. One question to
# take along: your `adam_step` keeps two numbers beside each weight. What does that cost
# for a model of 22 million weights, next to the weights themselves?
