import math

import pytest
import torch
import torch.nn.functional as F

from longctx_edu.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    cross_entropy,
    cross_entropy_gradient,
    log_softmax,
)


def drawn(*shape, seed=0, scale=3.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


LOGITS = drawn(2, 7, 5)
LABELS = torch.tensor([[1, 0, 4, -100, 2, 2, 0], [3, -100, -100, 1, 4, 0, 0]])
WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 0.0, 3.0], dtype=torch.float64)
TARGETS = drawn(2, 7, seed=1).sigmoid()
KEEP = LABELS >= 0


def forward_and_gradient(loss, logits):
    logits = logits.clone().requires_grad_()
    value = loss(logits)
    value.backward()
    return value.detach(), logits.grad


def same(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-13)


# equals the definition


def cross_entropy_by_loops(logits, labels, weights, smoothing):
    total, count = 0.0, 0.0
    for row, label in zip(logits.flatten(0, -2), labels.flatten(), strict=True):
        if label == -100:
            continue
        log_p = (row.exp() / row.exp().sum()).log()
        for at in range(len(row)):
            target = (1 - smoothing) * (at == int(label)) + smoothing / len(row)
            total = total - weights[at] * target * log_p[at]
        count = count + weights[label]
    return total / count


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weights", [torch.ones(5).double(), WEIGHTS])
def test_it_is_the_mean_of_minus_log_share(weights, smoothing):
    settings = {"class_weights": weights, "label_smoothing": smoothing}
    same(
        forward_and_gradient(lambda x: cross_entropy(x, LABELS, **settings), LOGITS),
        forward_and_gradient(
            lambda x: cross_entropy_by_loops(x, LABELS, weights, smoothing), LOGITS
        ),
    )


def test_the_binary_loss_is_the_formula_of_its_docstring():
    def by_formula(z):
        p = 1 / (1 + (-z).exp())
        return -(TARGETS * p.log() + (1 - TARGETS) * (1 - p).log())[KEEP].mean()

    same(
        forward_and_gradient(
            lambda x: binary_cross_entropy(x, TARGETS, keep=KEEP), LOGITS[..., 0]
        ),
        forward_and_gradient(by_formula, LOGITS[..., 0]),
    )


# equals torch


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("ignore", [-100, 0])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_it_equals_torch(smoothing, weights, ignore, scale):
    labels = LABELS.where(LABELS >= 0, ignore)
    ours = forward_and_gradient(
        lambda x: cross_entropy(
            x,
            labels,
            ignore_index=ignore,
            class_weights=weights,
            label_smoothing=smoothing,
        ),
        LOGITS * scale,
    )
    theirs = forward_and_gradient(
        lambda x: F.cross_entropy(
            x.flatten(0, 1),
            labels.flatten(),
            weights,
            ignore_index=ignore,
            label_smoothing=smoothing,
        ),
        LOGITS * scale,
    )
    same(ours, theirs)


@pytest.mark.parametrize("weight", [1.0, 3.0, 0.0])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_the_binary_loss_equals_torch(weight, scale):
    z = LOGITS[..., 0] * scale
    ours = forward_and_gradient(
        lambda x: binary_cross_entropy(x, TARGETS, keep=KEEP, positive_weight=weight), z
    )
    theirs = forward_and_gradient(
        lambda x: F.binary_cross_entropy_with_logits(
            x[KEEP], TARGETS[KEEP], pos_weight=torch.tensor(weight).double()
        ),
        z,
    )
    same(ours, theirs)


def test_the_log_softmax_equals_torch_also_of_hidden_labels():
    rows = LOGITS.masked_fill(LOGITS < -4, -math.inf)
    same(log_softmax(rows), F.log_softmax(rows, dim=-1))


# the gradients


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_gradient_is_what_autograd_finds(weights, smoothing):
    settings = {"class_weights": weights, "label_smoothing": smoothing}
    _, found = forward_and_gradient(
        lambda x: cross_entropy(x, LABELS, **settings), LOGITS
    )
    same(cross_entropy_gradient(LOGITS, LABELS, **settings), found)


@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_the_binary_gradient_is_what_autograd_finds(weight):
    settings = {"keep": KEEP, "positive_weight": weight}
    z = LOGITS[..., 0]
    _, found = forward_and_gradient(
        lambda x: binary_cross_entropy(x, TARGETS, **settings), z
    )
    same(binary_cross_entropy_gradient(z, TARGETS, **settings), found)


def test_the_gradients_are_the_slopes_of_the_losses():
    torch.autograd.gradcheck(
        lambda x: cross_entropy(x, LABELS, label_smoothing=0.1),
        LOGITS.clone().requires_grad_(),
    )
    torch.autograd.gradcheck(
        lambda x: binary_cross_entropy(x, TARGETS), LOGITS[..., 0].requires_grad_()
    )


# properties


def test_padding_changes_nothing():
    far = torch.where(KEEP[..., None], LOGITS, 1e4)
    same(
        cross_entropy(far, LABELS),
        cross_entropy(LOGITS[KEEP][None], LABELS[KEEP][None]),
    )
    lost = torch.where(KEEP[..., None], LOGITS, math.nan)
    value, gradient = forward_and_gradient(lambda x: cross_entropy(x, LABELS), lost)
    assert value.isfinite() and gradient.isfinite().all()
    assert (gradient[~KEEP] == 0).all()
    z = lost[..., 0]
    assert (binary_cross_entropy_gradient(z, TARGETS, keep=KEEP)[~KEEP] == 0).all()
    same(
        binary_cross_entropy(z, TARGETS, keep=KEEP),
        binary_cross_entropy(z[KEEP], TARGETS[KEEP]),
    )


def test_the_mean_is_over_tokens_and_not_over_texts():
    each = [cross_entropy(*pair) for pair in zip(LOGITS, LABELS, strict=True)]
    counts = KEEP.sum(dim=1)
    whole = sum(n * loss for n, loss in zip(counts, each, strict=True)) / counts.sum()
    same(cross_entropy(LOGITS, LABELS), whole)


def test_a_constant_on_all_logits_changes_nothing():
    torch.testing.assert_close(
        cross_entropy(LOGITS + 5000, LABELS), cross_entropy(LOGITS, LABELS)
    )


def test_two_labels_are_the_binary_loss():
    z, y = LOGITS[..., 0], (LABELS == 1).long()
    rows = torch.stack([torch.zeros_like(z), z], dim=-1)
    same(cross_entropy(rows, y), binary_cross_entropy(z, y.double()))


def test_the_gradient_of_a_row_sums_to_zero():
    found = cross_entropy_gradient(LOGITS, LABELS, class_weights=WEIGHTS)
    same(found.sum(dim=-1), torch.zeros(2, 7, dtype=torch.float64))


# edges


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_of_ten_thousand_lose_no_digit(dtype):
    rows = torch.tensor([[1e4, 1e4 - 1], [-1e4, 1e4]], dtype=dtype)
    first = cross_entropy(rows[:1], torch.tensor([0])).item()
    assert first == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-7)
    assert cross_entropy(rows[1:], torch.tensor([0])).item() == 2e4
    assert cross_entropy(rows[1:], torch.tensor([1])).item() == 0
    z, one = torch.tensor([1e4], dtype=dtype), torch.ones(1, dtype=dtype)
    assert binary_cross_entropy(z, one).item() == 0
    assert binary_cross_entropy(-z, one).item() == 1e4
    assert binary_cross_entropy_gradient(-z, one).item() == -1


def test_small_losses_keep_their_digits():
    z, one = torch.tensor([50.0]).double(), torch.ones(1).double()
    assert binary_cross_entropy(z, one).item() == pytest.approx(math.exp(-50))


def test_one_token_without_axes():
    assert cross_entropy(torch.zeros(4), torch.tensor(2)).item() == pytest.approx(
        math.log(4)
    )
    assert binary_cross_entropy(torch.tensor(0.0), torch.tensor(1.0)).item() == (
        pytest.approx(math.log(2))
    )


def test_a_hidden_label_costs_without_end():
    rows = torch.tensor([[0.0, -math.inf]])
    assert cross_entropy(rows, torch.tensor([0])) == 0
    assert cross_entropy(rows, torch.tensor([1])) == math.inf


# messages


@pytest.mark.parametrize("function", [cross_entropy, cross_entropy_gradient])
@pytest.mark.parametrize(
    ("labels", "settings", "words"),
    [
        ([5, 0], {}, "need labels from 0 to 4 or ignore_index=-100, got 5"),
        ([-1, 0], {}, "need labels from 0 to 4 or ignore_index=-100, got -1"),
        ([-100, 0], {"ignore_index": -1}, "ignore_index=-1, got -100"),
        (
            [-100, -100],
            {},
            "need a token that counts, got 2 tokens, 0 of them with a label",
        ),
        ([3, 3], {"class_weights": WEIGHTS}, "2 of them with a label"),
        (
            [1, 1],
            {"class_weights": -WEIGHTS},
            r"need one class weight >= 0 for each of 5 labels, got class_weights=\[-0",
        ),
        ([1, 1], {"class_weights": WEIGHTS[:4]}, "each of 5 labels"),
        ([1, 1], {"label_smoothing": 1.5}, "label_smoothing from 0 to 1, got 1.5"),
        ([1, 1], {"label_smoothing": math.nan}, "got nan"),
    ],
)
def test_what_is_wrong_is_named(function, labels, settings, words):
    if len(settings.get("class_weights", WEIGHTS)) != 5:
        function = function.__wrapped__  # the shapes are checked before, in tests
    with pytest.raises(ValueError, match=words):
        function(LOGITS[0, :2], torch.tensor(labels), **settings)


@pytest.mark.parametrize(
    "function", [binary_cross_entropy, binary_cross_entropy_gradient]
)
@pytest.mark.parametrize(
    ("targets", "settings", "words"),
    [
        ([0.0, 2.0], {}, "need targets from 0 to 1, got targets from 0 to 2"),
        ([-1.0, 1.0], {}, "got targets from -1 to 1"),
        ([0.0, 1.0], {"keep": torch.zeros(2).bool()}, "a kept token, got none of 2"),
        ([0.0, 1.0], {"positive_weight": -1.0}, "need positive_weight >= 0, got -1.0"),
    ],
)
def test_what_is_wrong_for_the_binary_loss_is_named(function, targets, settings, words):
    with pytest.raises(ValueError, match=words):
        function(torch.zeros(2), torch.tensor(targets), **settings)
