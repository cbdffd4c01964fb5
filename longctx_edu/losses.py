"""Losses of a task head, from logits, and their gradients as formulas.

A mean is over real tokens: what is left out, padding for example, is not counted.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def binary_cross_entropy(
    logits: Float[Tensor, "*token"],
    targets: Float[Tensor, "*token"],
    *,
    keep: Bool[Tensor, "*token"] | None = None,
    positive_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Mean of `-[y log p + (1 - y) log(1 - p)]` with `p = 1 / (1 + exp(-z))`, in nats.

    `-log p = log(1 + exp(-z))`, and `logaddexp` takes the larger of its two terms out
    before it adds them: so any logit z will do.

    Args:
        logits: One number z a token.
        targets: The wanted share y, from 0 to 1.
        keep: True for real tokens; None = all.
        positive_weight: How often the part with y counts.

    Raises:
        ValueError: If no token is kept, a target is no share, or the weight negative.

    Example:
        >>> logits, targets = torch.tensor([1e4, -1e4]), torch.tensor([0.0, 0.0])
        >>> binary_cross_entropy(logits, targets)
        tensor(5000.)

    Source: Bishop 2006, equation 4.90. Built in lesson 08.
    """
    keep = _kept(targets, keep, positive_weight)
    z, y = logits[keep], targets[keep]
    zero = z.new_zeros(())
    minus_log_p, minus_log_rest = torch.logaddexp(-z, zero), torch.logaddexp(z, zero)
    return (positive_weight * y * minus_log_p + (1 - y) * minus_log_rest).mean()


def binary_cross_entropy_gradient(
    logits: Float[Tensor, "*token"],
    targets: Float[Tensor, "*token"],
    *,
    keep: Bool[Tensor, "*token"] | None = None,
    positive_weight: float = 1.0,
) -> Float[Tensor, "*token"]:
    """Give the gradient of `binary_cross_entropy`: `(p - y) / N` at each logit.

    Args:
        logits: One number z a token.
        targets: The wanted share y, from 0 to 1.
        keep: True for real tokens; None = all.
        positive_weight: How often the part with y counts.

    Raises:
        ValueError: If no token is kept, a target is no share, or the weight negative.

    Example:
        >>> logits, targets = torch.tensor([0.0, 0.0]), torch.tensor([1.0, 0.0])
        >>> binary_cross_entropy_gradient(logits, targets)
        tensor([-0.2500,  0.2500])

    Source: Bishop 2006, equation 4.91. Built in lesson 08.
    """
    keep = _kept(targets, keep, positive_weight)
    p, y = logits[keep].sigmoid(), targets[keep]
    gradient = torch.zeros_like(logits)
    gradient[keep] = ((1 - y) * p - positive_weight * y * (1 - p)) / keep.sum()
    return gradient


def log_softmax(logits: Float[Tensor, "*token label"]) -> Float[Tensor, "*token label"]:
    """Logarithm of the softmax: each logit minus the log-sum-exp of its row.

    The largest logit of a row is taken out first: then no exponent is above 0.

    Args:
        logits: One row a token.

    Example:
        >>> log_softmax(torch.tensor([10000.0, 0.0]))
        tensor([     0., -10000.])

    Source: Goodfellow, Bengio and Courville 2016, section 4.1. Built in lesson 08.
    """
    shifted = logits - logits.detach().amax(dim=-1, keepdim=True)
    return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()


def cross_entropy(
    logits: Float[Tensor, "*token label"],
    labels: Int[Tensor, "*token"],
    *,
    ignore_index: int = -100,
    class_weights: Float[Tensor, " label"] | None = None,
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Mean of `-log softmax(logits)[label]` over the labelled tokens, in nats.

    A token counts as its label's weight. Smoothing takes the share `label_smoothing`
    of the target from the label and spreads it over all labels alike.

    Args:
        logits: One row a token.
        labels: The right label of each token, or `ignore_index`.
        ignore_index: The label of tokens that are left out.
        class_weights: How often a token of each label counts; None = once.
        label_smoothing: Share of the target, from 0 to 1.

    Raises:
        ValueError: If no token counts, or a label, a weight or the share is none.

    Example:
        >>> rows = torch.tensor([[1.0, 3.0], [2.0, 2.0], [1.0, 9.0]]).log()
        >>> cross_entropy(rows, torch.tensor([1, 0, -100])).mul(2).exp()  # 4/3 * 2/1
        tensor(2.6667)

    Source: Goodfellow, Bengio and Courville 2016, section 6.2.2.3; Szegedy et al. 2016,
    section 7 (smoothing). Built in lesson 08.
    """
    real, weights = _counted(logits, labels, ignore_index, class_weights)
    log_p, labels = log_softmax(logits[real]), labels[real]
    losses = -weights[labels] * log_p.gather(-1, labels[:, None])[:, 0]
    if _share(label_smoothing):
        spread = -(weights * log_p).mean(dim=-1)
        losses = (1 - label_smoothing) * losses + label_smoothing * spread
    return losses.sum() / weights[labels].sum()


def cross_entropy_gradient(
    logits: Float[Tensor, "*token label"],
    labels: Int[Tensor, "*token"],
    *,
    ignore_index: int = -100,
    class_weights: Float[Tensor, " label"] | None = None,
    label_smoothing: float = 0.0,
) -> Float[Tensor, "*token label"]:
    """Give the gradient of `cross_entropy`: `(softmax - target) / N` at each logit.

    Args:
        logits: One row a token.
        labels: The right label of each token, or `ignore_index`.
        ignore_index: The label of tokens that are left out.
        class_weights: How often a token of each label counts; None = once.
        label_smoothing: Share of the target, from 0 to 1.

    Raises:
        ValueError: If no token counts, or a label, a weight or the share is none.

    Example:
        >>> cross_entropy_gradient(torch.zeros(1, 4), torch.tensor([2]))
        tensor([[ 0.2500,  0.2500, -0.7500,  0.2500]])

    Source: Bishop 2006, equation 4.109. Built in lesson 08.
    """
    real, weights = _counted(logits, labels, ignore_index, class_weights)
    shares, labels = log_softmax(logits[real]).exp(), labels[real]
    smooth = _share(label_smoothing)
    target = (torch.zeros_like(shares) + smooth / shares.shape[-1]) * weights
    target[torch.arange(len(labels)), labels] += (1 - smooth) * weights[labels]
    gradient = torch.zeros_like(logits)
    moved = shares * target.sum(dim=-1, keepdim=True) - target
    gradient[real] = moved / weights[labels].sum()
    return gradient


def _kept(targets: Tensor, keep: Tensor | None, positive_weight: float) -> Tensor:
    """Say which tokens count, once all that is given makes sense."""
    keep = torch.ones_like(targets, dtype=torch.bool) if keep is None else keep
    kept = targets[keep]
    if not len(kept):
        raise ValueError(f"need a kept token, got none of {targets.numel()}")
    if not ((kept >= 0) & (kept <= 1)).all():
        raise ValueError(
            "need targets from 0 to 1, got targets from "
            f"{kept.min().item():g} to {kept.max().item():g}"
        )
    if not positive_weight >= 0:
        raise ValueError(f"need positive_weight >= 0, got {positive_weight}")
    return keep


def _counted(
    logits: Tensor, labels: Tensor, ignore: int, class_weights: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Say which tokens have a label, and how often each label counts."""
    n_labels, real = logits.shape[-1], labels != ignore
    weights = logits.new_ones(n_labels) if class_weights is None else class_weights
    if len(weights) != n_labels or not (weights >= 0).all():
        raise ValueError(
            f"need one class weight >= 0 for each of {n_labels} labels, "
            f"got class_weights={weights.tolist()}"
        )
    wrong = labels[real & ((labels < 0) | (labels >= n_labels))]
    if len(wrong):
        raise ValueError(
            f"need labels from 0 to {n_labels - 1} or ignore_index={ignore}, "
            f"got {wrong[0].item()}"
        )
    if not weights[labels[real]].sum() > 0:
        raise ValueError(
            f"need a token that counts, got {labels.numel()} tokens, "
            f"{int(real.sum())} of them with a label"
        )
    return real, weights


def _share(label_smoothing: float) -> float:
    """Refuse a share that is none."""
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"need label_smoothing from 0 to 1, got {label_smoothing}")
    return label_smoothing
