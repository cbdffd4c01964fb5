"""Each optimiser against its formula, and against torch's over 100 steps."""

import copy
import itertools

import pytest
import torch
from torch.optim.lr_scheduler import LambdaLR

from longctx_edu.optim import SGD, Adam, AdamW, adam_direction, momentum_direction

STEPS = 100
CASES = [
    *itertools.product(
        ["SGD"],
        [
            {"lr": 0.1},
            {"lr": 0.1, "weight_decay": 0.1},
            {"lr": 0.01, "momentum": 0.9},
            {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1},
            {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        ],
    ),
    *itertools.product(
        ["Adam", "AdamW"],
        [
            {},
            {"lr": 0.1},
            {"lr": 0.1, "weight_decay": 0.1},
            {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.1, "weight_decay": 0.3},
            {"lr": 0.1, "betas": (0.0, 0.0)},
        ],
    ),
]
OURS = {"SGD": SGD, "Adam": Adam, "AdamW": AdamW}


def start():
    generator = torch.Generator().manual_seed(0)
    shapes = ((3, 4), (4,), ())
    return [
        torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_()
        for s in shapes
    ]


def valley(weights, step):
    """A bent loss that is another at each step, with a parameter that is often idle."""
    matrix, vector, number = weights
    target = torch.sin(torch.arange(3.0) + step).double()
    loss = ((matrix @ vector - target) ** 2).sum() + (vector**4).sum() / 4
    return loss + (number - 3) ** 2 if step % 3 else loss


def walk(optimizer, weights, steps=range(STEPS), schedule=None):
    for step in steps:
        optimizer.zero_grad()
        valley(weights, step).backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
    return [w.detach().clone() for w in weights]


def same(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


# equals the definition


def test_sgd_is_the_update_of_its_docstring():
    ours, by_hand = start(), start()
    walk(SGD(ours, lr=0.1, weight_decay=0.2), ours, range(1, 6))
    for step in range(1, 6):
        if step % 3 == 0:
            grads = [*torch.autograd.grad(valley(by_hand, step), by_hand[:2]), None]
        else:
            grads = torch.autograd.grad(valley(by_hand, step), by_hand)
        with torch.no_grad():
            for theta, g in zip(by_hand, grads, strict=True):
                if g is not None:
                    theta.copy_(theta - 0.1 * g - 0.1 * 0.2 * theta)
    same(ours, by_hand)


def test_the_velocity_is_a_sum_that_forgets():
    gradients = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).double()
    velocity = None
    for n, gradient in enumerate(gradients):
        plain, after = momentum_direction(gradient, velocity, momentum=0.5)
        ahead, _ = momentum_direction(gradient, velocity, momentum=0.5, nesterov=True)
        summed = sum(0.5 ** (n - m) * gradients[m] for m in range(n + 1))
        same(plain, summed)
        same(ahead, gradient + 0.5 * summed)
        velocity = after


def test_adam_divides_a_mean_by_a_root_mean_square():
    gradients = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).double()
    first = second = torch.zeros(3).double()
    for step in range(1, 7):
        direction, first, second = adam_direction(
            gradients[step - 1], first, second, step, betas=(0.5, 0.75), eps=0.1
        )
        weights = [
            torch.tensor([beta ** (step - n) for n in range(1, step + 1)]).double()
            for beta in (0.5, 0.75)
        ]
        mean, square = (
            (w[:, None] * gradients[:step] ** power).sum(0) / w.sum()
            for w, power in zip(weights, (1, 2), strict=True)
        )
        same(direction, mean / (square.sqrt() + 0.1))


# equals torch


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_it_equals_torch_over_a_hundred_steps(name, settings):
    ours, theirs = start(), start()
    walk(OURS[name](ours, **settings), ours)
    walk(getattr(torch.optim, name)(theirs, **settings), theirs)
    assert not torch.equal(ours[0], start()[0])
    same(ours, theirs)


@pytest.mark.parametrize("name", OURS)
def test_groups_and_a_schedule_are_those_of_torch(name):
    ended = []
    for kind in (OURS[name], getattr(torch.optim, name)):
        weights = start()
        groups = [
            {"params": weights[:1], "weight_decay": 0.2},
            {"params": weights[1:], "lr": 0.01},
        ]
        optimizer = kind(groups, lr=0.05)
        schedule = LambdaLR(optimizer, lambda step: 1 / (1 + step))
        ended.append(walk(optimizer, weights, schedule=schedule))
    same(*ended)


# properties


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_a_saved_state_goes_on_where_it_was(name, settings, tmp_path):
    whole, parts = start(), start()
    walk(OURS[name](whole, **settings), whole, range(20))
    first = OURS[name](parts, **settings)
    walk(first, parts, range(10))
    torch.save(first.state_dict(), tmp_path / "state")
    second = OURS[name](parts, lr=9.0)
    second.load_state_dict(torch.load(tmp_path / "state"))
    walk(second, parts, range(10, 20))
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


@pytest.mark.parametrize("name", OURS)
def test_a_parameter_without_a_gradient_stays(name):
    moved, idle = start()[:2]
    before = idle.detach().clone()
    optimizer = OURS[name]([moved, idle], lr=0.1, weight_decay=0.5)
    moved.sum().backward()
    optimizer.step()
    assert torch.equal(idle, before) and not optimizer.state[idle]


@pytest.mark.parametrize("name", OURS)
def test_gradients_are_left_as_they_are(name):
    weights = start()
    valley(weights, 1).backward()
    before = copy.deepcopy([w.grad for w in weights])
    OURS[name](weights, lr=0.1, weight_decay=0.5).step()
    assert all(torch.equal(w.grad, g) for w, g in zip(weights, before, strict=True))


@pytest.mark.parametrize("name", OURS)
def test_a_closure_gives_its_loss(name):
    weights = start()
    optimizer = OURS[name](weights, lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = valley(weights, 1)
        loss.backward()
        return loss

    want = valley(weights, 1).detach()
    assert optimizer.step(closure).detach() == want
    assert valley(weights, 1) < want
    assert optimizer.step() is None


def test_the_first_step_of_adam_has_one_size_whatever_the_gradient():
    theta = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    (theta * torch.tensor([1e-3, -1.0, 1e3]).double()).sum().backward()
    Adam([theta], lr=0.1, eps=0.0).step()
    same(theta.detach(), torch.tensor([-0.1, 0.1, -0.1], dtype=torch.float64))


def test_only_the_decoupled_decay_ignores_the_size_of_the_gradient():
    shrunk = {}
    for kind in (Adam, AdamW):
        theta = torch.tensor([1.0, 1.0], dtype=torch.float64, requires_grad=True)
        optimizer = kind([theta], lr=0.01, weight_decay=0.1)
        for sign in (1, -1) * 200:
            optimizer.zero_grad()
            (sign * theta * torch.tensor([0.1, 10.0])).sum().backward()
            optimizer.step()
        shrunk[kind] = theta.detach()
    assert shrunk[AdamW][0].sub(shrunk[AdamW][1]).abs() < 0.02
    assert shrunk[Adam][1] > shrunk[Adam][0] + 0.2


# edges


@pytest.mark.parametrize("name", OURS)
def test_a_gradient_of_zero_moves_nothing(name):
    theta = torch.ones(2, requires_grad=True)
    optimizer = OURS[name]([theta], lr=0.1, weight_decay=0.0)
    for _ in range(3):
        optimizer.zero_grad()
        (0 * theta).sum().backward()
        optimizer.step()
    assert torch.equal(theta, torch.ones(2))


# messages


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("SGD", {"lr": -0.1}, "need lr >= 0, got lr=-0.1"),
        ("SGD", {"momentum": 1.0}, "need momentum from 0 to below 1, got momentum=1.0"),
        ("SGD", {"nesterov": True}, "need momentum > 0 for nesterov=True, got"),
        ("SGD", {"weight_decay": -1.0}, "need weight_decay >= 0, got weight_decay=-1"),
        ("Adam", {"lr": float("nan")}, "need lr >= 0, got lr=nan"),
        ("Adam", {"betas": (1.0, 0.9)}, "need beta_1 from 0 to below 1, got beta_1=1"),
        ("AdamW", {"betas": (0.9, -1.0)}, "need beta_2 from 0 to below 1, got beta_2"),
        ("AdamW", {"eps": -1.0}, "need eps >= 0, got eps=-1.0"),
        ("AdamW", {"weight_decay": -0.1}, "need weight_decay >= 0"),
    ],
)
def test_a_setting_outside_its_range_is_named(name, settings, words):
    with pytest.raises(ValueError, match=words):
        OURS[name](start(), **settings)


def test_steps_are_counted_from_one():
    zero = torch.zeros(1)
    with pytest.raises(ValueError, match="need steps counted from 1, got step=0"):
        adam_direction(zero, zero, zero, 0)
