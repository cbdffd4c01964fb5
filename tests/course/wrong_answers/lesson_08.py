"""What learners write in lesson 08 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch
import torch.nn.functional as F

from longctx_edu.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    cross_entropy,
    cross_entropy_gradient,
)
from longctx_edu.optim import adam_direction, clip_gradients, dropout
from longctx_edu.training import learning_rate_at


def bce(z, y, halves=(1, 1), log=torch.log, reduce=torch.mean, clamp=0.0):
    p = z.sigmoid().clamp(clamp, 1 - clamp) if clamp else z.sigmoid()
    one, zero = halves
    return -reduce(one * y * log(p) + zero * (1 - y) * log(1 - p))


def bce_stable(z, y, reduce=torch.mean):
    return reduce(z.clamp(min=0) - z * y + (-z.abs()).exp().log1p())


def bce_gradient_by_terms(z, y):
    p = z.sigmoid()
    return -(y / p - (1 - y) / (1 - p)) * p * (1 - p) / z.numel()


def tokens(
    logits, labels, class_weights, ignore_index=-100, *, mean="weights", log_p=None
):
    """One function, many ways to average."""
    real = labels != ignore_index
    n_all = len(labels)
    logits, labels = logits[real], labels[real]
    log_p = logits.log_softmax(1) if log_p is None else log_p(logits)
    costs = -log_p[torch.arange(len(labels)), labels]
    w = class_weights[labels]
    return {
        "weights": lambda: (w * costs).sum() / w.sum(),
        "tokens": lambda: (w * costs).mean(),
        "padding": lambda: (w * costs).sum() / n_all,
        "plain": lambda: costs.mean(),
        "plain over padding": lambda: costs.sum() / n_all,
        "below only": lambda: costs.sum() / w.sum(),
        "labels": lambda: (w * costs).sum() / class_weights.sum(),
        "sum": lambda: (w * costs).sum(),
        "sign": lambda: -(w * costs).sum() / w.sum(),
    }[mean]()


def tokens_padding_as_zero(logits, labels, class_weights, ignore_index=-100):
    return tokens(logits, labels.clamp(min=0), class_weights)


def tokens_by_loops(logits, labels, class_weights, ignore_index=-100):
    total, weight = 0.0, 0.0
    for row, label in zip(logits, labels.tolist(), strict=True):
        if label != ignore_index:
            total = total + class_weights[label] * (row.logsumexp(0) - row[label])
            weight = weight + class_weights[label]
    return total / weight


def unstable(logits):
    parts = logits.exp()
    return (parts / parts.sum(1, keepdim=True)).log()


def indexed_at_once(logits, labels, class_weights, ignore_index=-100):
    return -(class_weights[labels] * logits.log_softmax(1)[:, labels]).mean()


def smooth(logits, labels, smoothing, *, target="right", sign=1, count=None, dim=1):
    n = logits.shape[1]
    one_hot = torch.eye(n)[labels]
    wanted = {
        "right": (1 - smoothing) * one_hot + smoothing / n,
        "sharp": one_hot,
        "others": (1 - smoothing) * one_hot + (1 - one_hot) * smoothing / (n - 1),
        "set": (1 - smoothing) * one_hot + (1 - one_hot) * smoothing / n,
        "added": one_hot + smoothing / n,
        "undivided": (1 - smoothing) * one_hot + smoothing,
        "cut": (1 - smoothing) * one_hot,
        "none": 0 * one_hot,
    }[target]
    return sign * (logits.softmax(dim) - wanted) / (count or len(labels))


def smooth_unstable(logits, labels, smoothing):
    parts = logits.exp()
    shares = parts / parts.sum(1, keepdim=True)
    target = torch.full_like(logits, smoothing / logits.shape[1])
    target[torch.arange(len(labels)), labels] += 1 - smoothing
    return (shares - target) / len(labels)


def smooth_by_autograd(logits, labels, smoothing):
    leaf = logits.clone().requires_grad_()
    F.cross_entropy(leaf, labels, label_smoothing=smoothing).backward()
    return leaf.grad


def momentum(
    theta, gradient, velocity, rate, momentum, nesterov=False, *, keep=None, go=None
):
    new = (keep or (lambda v, g, m: m * v + g))(velocity, gradient, momentum)
    if go is not None:
        return theta - rate * go(gradient, velocity, new), new
    if nesterov:
        return theta - rate * (gradient + momentum * new), new
    return theta - rate * new, new


def momentum_in_place(theta, gradient, velocity, rate, momentum, nesterov=False):
    velocity *= momentum
    velocity += gradient
    return theta - rate * velocity, velocity


def nesterov_as(ahead):
    def step(theta, gradient, velocity, rate, m, nesterov=False):
        new = m * velocity + gradient
        direction = ahead(gradient, velocity, new, m) if nesterov else new
        return theta - rate * direction, new

    return step


def nesterov_overwrites(theta, gradient, velocity, rate, momentum, nesterov=False):
    velocity = momentum * velocity + gradient
    if nesterov:
        velocity = gradient + momentum * velocity
    return theta - rate * velocity, velocity


def momentum_torch(theta, gradient, velocity, rate, momentum, nesterov=False):
    leaf = theta.clone().requires_grad_()
    optimizer = torch.optim.SGD([leaf], lr=rate, momentum=momentum, nesterov=nesterov)
    optimizer.state[leaf]["momentum_buffer"] = velocity.clone()
    leaf.grad = gradient.clone()
    optimizer.step()
    return leaf.detach(), optimizer.state[leaf]["momentum_buffer"]


def adam(
    theta, gradient, first, second, step, rate, betas=(0.9, 0.999), eps=1e-8, **how
):
    """One function, many ways to be wrong."""
    b1, b2 = betas
    first = b1 * first + (1 - b1) * gradient
    second = b2 * second + (1 - b2) * how.get("square", lambda g: g**2)(gradient)
    power = how.get("power", lambda beta, n: beta**n)
    mean = first / (1 - power(b1, step)) if how.get("mean", True) else first
    square = second / (1 - power(b2, step)) if how.get("root", True) else second
    under = how.get("under", lambda s, eps: s.sqrt() + eps)(square, eps)
    new = theta - how.get("sign", 1) * how.get("speed", rate) * mean / under
    if how.get("carry") == "corrected":
        return new, mean, square
    return new, first, second


def wrong_adam(**how):
    return lambda *given, **named: adam(*given, **named, **how)


def adam_swapped(theta, gradient, first, second, step, rate, betas=(0.9, 0.999), eps=0):
    return adam(theta, gradient, first, second, step, rate, tuple(1 - b for b in betas))


def adam_fixed_settings(theta, gradient, first, second, step, rate, betas=0, eps=0):
    return adam(theta, gradient, first, second, step, rate)


def adam_returns_old(theta, gradient, first, second, step, rate, **named):
    return adam(theta, gradient, first, second, step, rate, **named)[0], first, second


def adam_one_return(*given, **named):
    return adam(*given, **named)[0]


def adam_rule(theta, gradient, first, second, step, rate, **named):
    direction, first, second = adam_direction(gradient, first, second, step, **named)
    return theta - rate * direction, first, second


def adam_lerp(theta, gradient, first, second, step, rate, betas=(0.9, 0.999), eps=1e-8):
    first = first.lerp(gradient, 1 - betas[0])
    second = torch.lerp(second, gradient * gradient, 1 - betas[1])
    root = second.sqrt() / math.sqrt(1 - betas[1] ** step)
    return theta - rate / (1 - betas[0] ** step) * first / (root + eps), first, second


def adamw(
    theta, gradient, first, second, step, rate, decay, betas=(0.9, 0.999), eps=1e-8
):
    new = adam(theta, gradient, first, second, step, rate, betas, eps)
    return new[0] - rate * decay * theta, *new[1:]


def adamw_as(taken):
    """Adam, and then `taken(old theta, new theta, gradient, rate, decay)` off it."""

    def step(theta, gradient, first, second, step, rate, decay):
        new, *means = adam(theta, gradient, first, second, step, rate)
        return new - taken(theta, new, gradient, rate, decay), *means

    return step


def adamw_l2(theta, gradient, first, second, step, rate, decay):
    return adam(theta, gradient + decay * theta, first, second, step, rate)


def adamw_fixed(theta, gradient, first, second, step, rate, decay):
    return adamw(theta, gradient, first, second, step, rate, 0.5)


def adamw_torch(theta, gradient, first, second, step, rate, decay):
    leaf = theta.clone().requires_grad_()
    optimizer = torch.optim.AdamW([leaf], lr=rate, weight_decay=decay)
    leaf.grad = gradient.clone()
    optimizer.step()
    state = optimizer.state[leaf]
    return leaf.detach(), state["exp_avg"], state["exp_avg_sq"]


def adamw_in_the_direction(theta, gradient, first, second, step, rate, decay):
    direction, first, second = adam_direction(gradient, first, second, step)
    return theta - rate * (direction + decay * theta), first, second


def scaled(factor):
    return lambda gradients, max_norm: [
        factor(gradients, max_norm) * g for g in gradients
    ]


def norm_of(gradients):
    return torch.cat([g.flatten() for g in gradients]).norm()


def clip_alone(gradients, max_norm):
    return [g * min(1.0, max_norm / float(g.norm())) for g in gradients]


def clip_in_place(gradients, max_norm):
    norm = norm_of(gradients)
    for g in gradients:
        g *= min(1.0, max_norm / norm)
    return gradients


def clip_by_library(gradients, max_norm):
    leaves = [torch.zeros_like(g, requires_grad=True) for g in gradients]
    for leaf, g in zip(leaves, gradients, strict=True):
        leaf.grad = g.clone()
    clip_gradients(leaves, max_norm)
    return [leaf.grad for leaf in leaves]


def cosine(angle=math.pi, shape=lambda c: (1 + c) / 2, ahead=1, start=None, top=1.0):
    def share(step, total, warmup):
        if step < warmup:
            return (step + ahead) / warmup
        begun = warmup if start is None else start
        done = (step - begun) / (total - begun)
        return shape(math.cos(angle * (done if top is None else min(top, done))))

    return share


def straight(step, total, warmup):
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / (total - warmup))


def without_warmup(step, total, warmup):
    return cosine()(step, max(total - warmup, 1), 0)


def flat_after(step, total, warmup):
    return (step + 1) / warmup if step < warmup else 1.0


def always_divides(step, total, warmup):
    rise = (step + 1) / warmup
    return rise if step < warmup else cosine()(step, total, warmup)


def draw(x, share, generator):
    return torch.rand(x.shape, generator=generator) >= share


def dropping(scale, kept=draw):
    def drop(x, share, training, generator):
        if not training:
            return x
        return x * kept(x, share, generator) * scale(share)

    return drop


def drop_always(x, share, training, generator):
    return x * draw(x, share, generator) / (1 - share)


def drop_scales_in_use(x, share, training, generator):
    return x * draw(x, share, generator) / (1 - share) if training else x * (1 - share)


def drop_seeded(x, share, training, generator):
    return dropping(right_scale)(x, share, training, torch.Generator().manual_seed(0))


def right_scale(share):
    return 1 / (1 - share)


def drop_by_choice(x, share, training, generator):
    if not training:
        return x.clone()
    lost = torch.rand(x.shape, generator=generator) < share
    return (x / (1 - share)).masked_fill(lost, 0.0)


WRONG = {
    "check_binary_loss": {
        "sum": (lambda z, y: bce(z, y, reduce=torch.sum), "this is the sum"),
        "sign": (lambda z, y: -bce(z, y), "the sign"),
        "only y = 1": (lambda z, y: bce(z, y, (1, 0)), "half for y = 0 is missing"),
        "only y = 0": (lambda z, y: bce(z, y, (0, 1)), "half for y = 1 is missing"),
        "swapped": (lambda z, y: bce(z, 1 - y), "the halves are swapped"),
        "bits": (lambda z, y: bce(z, y, log=torch.log2), "in nats"),
        "unstable log": (bce, "log(0) is -inf"),
        "clamped": (lambda z, y: bce(z, y, clamp=1e-7), "too cheap"),
        "log1p of exp": (
            lambda z, y: (z.exp().log1p() - z * y).mean(),
            "log(0) is -inf",
        ),
        "item": (lambda z, y: bce_stable(z, y).item(), "cut the way back"),
        "detached": (lambda z, y: bce_stable(z, y).detach(), "cut the way back"),
        "one number a token": (
            lambda z, y: bce_stable(z, y, lambda x: x),
            "take the mean",
        ),
    },
    "check_binary_gradient": {
        "no mean": (lambda z, y: z.sigmoid() - y, "the loss is a mean"),
        "sign": (lambda z, y: (y - z.sigmoid()) / z.numel(), "points downhill"),
        "sign, no mean": (lambda z, y: y - z.sigmoid(), "points downhill"),
        "squared error's": (
            lambda z, y: (z.sigmoid() - y) * z.sigmoid() * (1 - z.sigmoid()) / len(z),
            "cancels against",
        ),
        "stops at p": (
            lambda z, y: -(y / z.sigmoid() - (1 - y) / (1 - z.sigmoid())) / len(z),
            "this is dl/dp",
        ),
        "logit for p": (lambda z, y: (z - y) / len(z), "the sigmoid first"),
        "no truth": (lambda z, y: z.sigmoid() / len(z), "the truth is missing"),
        "by terms": (bce_gradient_by_terms, "divides by 0"),
        "len": (lambda z, y: (z.sigmoid() - y) / len(z), "numel() counts all"),
    },
    "check_token_loss": {
        "mean over tokens": (
            lambda *a, **k: tokens(*a, **k, mean="tokens"),
            "not by the tokens",
        ),
        "mean over padding": (
            lambda *a, **k: tokens(*a, **k, mean="padding"),
            "the mean is over padding: divide by the real weights",
        ),
        "no weights": (
            lambda *a, **k: tokens(*a, **k, mean="plain"),
            "counts as its label's weight",
        ),
        "no weights, over padding": (
            lambda *a, **k: tokens(*a, **k, mean="plain over padding"),
            "nothing is weighted",
        ),
        "weights below only": (
            lambda *a, **k: tokens(*a, **k, mean="below only"),
            "on top as well",
        ),
        "weights of the labels": (
            lambda *a, **k: tokens(*a, **k, mean="labels"),
            "weights of the tokens, not of the labels",
        ),
        "sum": (lambda *a, **k: tokens(*a, **k, mean="sum"), "this is the sum"),
        "sign": (lambda *a, **k: tokens(*a, **k, mean="sign"), "the sign"),
        "padding as label 0": (tokens_padding_as_zero, "counted as label 0"),
        "unstable log": (
            lambda *a, **k: tokens(*a, **k, log_p=unstable),
            "logsumexp takes the maximum out",
        ),
        "padding as a column": (indexed_at_once, "-100 is no column"),
        "always -100": (
            lambda x, y, w, ignore_index=-100: tokens(x, y, w),
            "use the parameter ignore_index",
        ),
        "detached": (lambda *a, **k: tokens(*a, **k).detach(), "cut the way back"),
    },
    "check_smoothed_gradient": {
        "sign": (lambda *a: smooth(*a, sign=-1), "the sign: said minus true"),
        "no mean": (lambda *a: smooth(*a, count=1), "the loss is a mean"),
        "mean over logits": (
            lambda *a: smooth(*a, count=a[0].numel()),
            "the number of tokens, not of logits",
        ),
        "mean over labels": (
            lambda *a: smooth(*a, count=a[0].shape[1]),
            "the number of tokens, not of labels",
        ),
        "no truth": (lambda *a: smooth(*a, target="none"), "the truth is missing"),
        "softmax over tokens": (lambda *a: smooth(*a, dim=0), "dim=1"),
        "smoothing ignored": (lambda *a: smooth(*a, target="sharp"), "ignores"),
        "spread over the others": (
            lambda *a: smooth(*a, target="others"),
            "the right one too",
        ),
        "set, not added": (lambda *a: smooth(*a, target="set"), "+=, not ="),
        "nothing taken": (
            lambda *a: smooth(*a, target="added"),
            "taken from the label",
        ),
        "undivided": (lambda *a: smooth(*a, target="undivided"), "divide the share"),
        "not spread": (lambda *a: smooth(*a, target="cut"), "spread share is missing"),
        "unstable": (smooth_unstable, "exp(10000) is inf"),
    },
    "check_momentum_step": {
        "never forgets": (
            lambda *a, **k: momentum(*a, **k, keep=lambda v, g, m: v + g),
            "it must forget",
        ),
        "takes a share of the gradient": (
            lambda *a, **k: momentum(*a, **k, keep=lambda v, g, m: m * v + (1 - m) * g),
            "comes in whole",
        ),
        "velocity of the other sign": (
            lambda *a, **k: momentum(*a, **k, keep=lambda v, g, m: m * v - g),
            "add the gradient here",
        ),
        "rate in the velocity": (
            lambda *a, **k: momentum(*a, **k, keep=lambda v, g, m: m * v + 0.1 * g),
            "in the step alone",
        ),
        "no velocity": (
            lambda *a, **k: momentum(*a, **k, keep=lambda v, g, m: g),
            "the velocity is missing",
        ),
        "old velocity back": (
            lambda t, g, v, *a, **k: (momentum(t, g, v, *a, **k)[0], v),
            "not the old one",
        ),
        "swapped": (lambda *a, **k: momentum(*a, **k)[::-1], "theta comes first"),
        "uphill": (
            lambda *a, **k: momentum(*a, **k, go=lambda g, v, new: -new),
            "downhill",
        ),
        "steps with the old": (
            lambda *a, **k: momentum(*a, **k, go=lambda g, v, new: v),
            "step with the new velocity",
        ),
        "steps with the gradient": (
            lambda *a, **k: momentum(*a, **k, go=lambda g, v, new: g),
            "the gradient alone",
        ),
        "no rate": (
            lambda t, g, v, r, m, **k: momentum(t, g, v, 1.0, m, **k),
            "the rate is missing",
        ),
        "in place": (momentum_in_place, "into the caller's tensor"),
        "ignores nesterov": (
            lambda *a, nesterov=False: momentum(*a),
            "this is plain momentum",
        ),
        "nesterov with the old": (
            nesterov_as(lambda g, v, new, m: g + m * v),
            "this is plain momentum",
        ),
        "nesterov adds the gradient twice": (
            nesterov_as(lambda g, v, new, m: new + m * new),
            "once, not twice",
        ),
        "nesterov without a share": (
            nesterov_as(lambda g, v, new, m: g + new),
            "momentum * the new velocity",
        ),
        "nesterov overwrites": (nesterov_overwrites, "a name of its own"),
        "one tensor": (lambda *a, **k: momentum(*a, **k)[0], "return theta, velocity"),
    },
    "check_adam_step": {
        "no bias correction": (
            wrong_adam(mean=False, root=False),
            "the bias correction is missing",
        ),
        "mean uncorrected": (wrong_adam(mean=False), "correct the mean as well"),
        "square uncorrected": (wrong_adam(root=False), "the mean square as well"),
        "epsilon inside the root": (
            wrong_adam(under=lambda s, eps: (s + eps).sqrt()),
            "eps stands inside the root",
        ),
        "no root": (wrong_adam(under=lambda s, eps: s + eps), "the root is missing"),
        "uphill": (wrong_adam(sign=-1), "downhill"),
        "no rate": (wrong_adam(speed=1.0), "the rate is missing"),
        "no square": (wrong_adam(square=lambda g: g), "gradient ** 2"),
        "square of the mean": (
            wrong_adam(square=lambda g: 0.001 * g**2),
            "square the gradient, not the whole term",
        ),
        "betas swapped": (adam_swapped, "1 - beta comes of the new"),
        "one beta for both": (
            lambda *a, **k: adam(*a, **{**k, "betas": (0.9, 0.9)}),
            "betas[1] is for the square",
        ),
        "carries the corrected": (
            wrong_adam(carry="corrected"),
            "carry on the raw one",
        ),
        "returns the old means": (adam_returns_old, "not the old ones"),
        "counts from 0": (
            wrong_adam(power=lambda beta, n: beta ** (n - 1)),
            "counted from 1",
        ),
        "counts from 2": (
            wrong_adam(power=lambda beta, n: beta ** (n + 1)),
            "not step + 1",
        ),
        "correction never fades": (
            wrong_adam(power=lambda beta, n: beta),
            "beta ** step, not beta",
        ),
        "correction by a product": (
            wrong_adam(power=lambda beta, n: 1 - (1 - beta) * n),
            "a power, not a product",
        ),
        "settings fixed": (adam_fixed_settings, "use the parameters betas and eps"),
        "one tensor": (adam_one_return, "return theta, first, second"),
    },
    "check_adamw_step": {
        "decay through the gradient": (adamw_l2, "through the gradient"),
        "no decay": (
            lambda *a: adam(*a[:6]),
            "nothing was taken off theta",
        ),
        "decay without the rate": (
            adamw_as(lambda old, new, g, rate, decay: decay * old),
            "the rate scales the decay",
        ),
        "wrong sign": (
            adamw_as(lambda old, new, g, rate, decay: -rate * decay * old),
            "pulls towards 0",
        ),
        "off the new theta": (
            adamw_as(lambda old, new, g, rate, decay: rate * decay * new),
            "of the old theta",
        ),
        "a constant": (
            adamw_as(lambda old, new, g, rate, decay: rate * decay),
            "not a constant",
        ),
        "off the gradient": (
            adamw_as(lambda old, new, g, rate, decay: rate * decay * g),
            "not of the gradient",
        ),
        "decay fixed": (adamw_fixed, "use the parameter decay"),
        "no Adam": (
            lambda t, g, m, s, n, r, d: (t - r * d * t, *adam(t, g, m, s, n, r)[1:]),
            "Adam's own step is missing",
        ),
    },
    "check_clipped": {
        "each piece alone": (clip_alone, "the pieces are one gradient"),
        "each number": (
            lambda gs, m: [g.clamp(-m, m) for g in gs],
            "turns the direction",
        ),
        "no root": (
            scaled(lambda gs, m: min(1, m / norm_of(gs) ** 2)),
            "the root is missing",
        ),
        "sum of sizes": (
            scaled(lambda gs, m: min(1, m / sum(g.abs().sum() for g in gs))),
            "not the sum of sizes",
        ),
        "largest number": (
            scaled(lambda gs, m: min(1, m / max(g.abs().max() for g in gs))),
            "not the largest number",
        ),
        "lengths added": (
            scaled(lambda gs, m: min(1, m / sum(g.norm() for g in gs))),
            "lengths of pieces do not add up",
        ),
        "nothing": (scaled(lambda gs, m: 1.0), "nothing was clipped"),
        "always": (scaled(lambda gs, m: m / norm_of(gs)), "made longer"),
        "to length 1": (
            scaled(lambda gs, m: 1 / norm_of(gs) if norm_of(gs) > m else 1.0),
            "became 1, not max_norm",
        ),
        "0 / 0": (
            scaled(lambda gs, m: norm_of(gs).clamp(max=m) / norm_of(gs)),
            "0 / 0 is nan",
        ),
        "0 / 0 in Python": (
            scaled(lambda gs, m: min(m, float(norm_of(gs))) / float(norm_of(gs))),
            "divide only where",
        ),
        "in place": (clip_in_place, "into the caller's tensor"),
        "one tensor": (
            lambda gs, m: [torch.cat([g.flatten() for g in gs])],
            "one new tensor for each",
        ),
    },
    "check_share_of_peak": {
        "first step still": (cosine(ahead=0), "the first step stands still"),
        "straight line": (straight, "this is a straight line"),
        "whole wave": (cosine(2 * math.pi), "not 2 pi"),
        "quarter": (cosine(math.pi / 2, lambda c: c), "this is a quarter"),
        "not shifted": (cosine(shape=lambda c: c), "shift and halve"),
        "rising": (cosine(shape=lambda c: (1 - c) / 2), "1 + cos, not 1 - cos"),
        "from the start": (cosine(start=0), "behind the warm-up"),
        "no warm-up": (without_warmup, "during the warm-up it rises"),
        "no fall": (flat_after, "after the warm-up it falls"),
        "divides by 0": (always_divides, "no rise"),
        "rises again": (cosine(top=None), "rises again"),
    },
    "check_drop": {
        "no scale": (dropping(lambda share: 1.0), "what is left must grow"),
        "multiplies": (dropping(lambda share: 1 - share), "do not multiply"),
        "divides by what is lost": (
            dropping(lambda share: 1 / share),
            "not by what is lost",
        ),
        "keeps the share": (
            dropping(right_scale, lambda x, s, g: ~draw(x, s, g)),
            "not what is kept",
        ),
        "nothing lost": (lambda x, s, training, g: x, "nothing was lost"),
        "whole rows": (
            dropping(right_scale, lambda x, s, g: draw(x[:, :1], s, g)),
            "one number for each number",
        ),
        "whole columns": (
            dropping(right_scale, lambda x, s, g: draw(x[:1], s, g)),
            "one number for each number",
        ),
        "a seed inside": (drop_seeded, "no seed inside"),
        "torch's own luck": (
            dropping(right_scale, lambda x, s, g: draw(x, s, None)),
            "generator=generator",
        ),
        "in use as well": (drop_always, "before anything is drawn"),
        "scales in use": (drop_scales_in_use, "the scaling is done in training"),
    },
}

ALTERNATIVES = {
    "check_binary_loss": [
        bce_stable,
        binary_cross_entropy,
        F.binary_cross_entropy_with_logits,
        lambda z, y: -(y * F.logsigmoid(z) + (1 - y) * F.logsigmoid(-z)).mean(),
    ],
    "check_binary_gradient": [
        binary_cross_entropy_gradient,
        lambda z, y: (
            torch.stack(
                [p - t for p, t in zip(z.sigmoid().flatten(), y.flatten(), strict=True)]
            ).view(z.shape)
            / z.numel()
        ),
    ],
    "check_token_loss": [
        tokens,
        tokens_by_loops,
        lambda x, y, w, ignore_index=-100: F.cross_entropy(
            x, y, w, ignore_index=ignore_index
        ),
        lambda x, y, w, ignore_index=-100: cross_entropy(
            x, y, class_weights=w, ignore_index=ignore_index
        ),
    ],
    "check_smoothed_gradient": [
        smooth,
        smooth_by_autograd,
        lambda x, y, s: cross_entropy_gradient(x, y, label_smoothing=s),
    ],
    "check_momentum_step": [momentum, momentum_torch],
    "check_adam_step": [adam, adam_rule, adam_lerp],
    "check_adamw_step": [adamw, adamw_torch, adamw_in_the_direction],
    "check_clipped": [
        clip_by_library,
        scaled(lambda gs, m: (m / (norm_of(gs) + 1e-6)).clamp(max=1.0)),
        lambda gs, m: (
            list(gs) if norm_of(gs) <= m else [g * m / norm_of(gs) for g in gs]
        ),
    ],
    "check_share_of_peak": [
        cosine(),
        lambda step, total, warmup: learning_rate_at(step, total, warmup, "cosine"),
        lambda step, total, warmup: (
            (step + 1) / warmup
            if step < warmup
            else math.cos(math.pi / 2 * min(1, (step - warmup) / (total - warmup))) ** 2
        ),
    ],
    "check_drop": [
        dropping(right_scale),
        drop_by_choice,
        lambda x, share, training, generator: dropout(
            x, share, training=training, generator=generator
        ),
    ],
}
