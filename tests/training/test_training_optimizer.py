import itertools

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR

from longctx_edu.training import TrainConfig, learning_rate_at, parameter_groups
from longctx_edu.training.optimizer import build_optimizer


def rates_of(reference, steps):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = reference(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize(
    ("schedule", "reference"),
    [
        ("linear", lambda o: LinearLR(o, 1.0, 0.0, total_iters=13)),
        ("cosine", lambda o: CosineAnnealingLR(o, T_max=13)),
    ],
)
def test_equals_torch_without_warmup(schedule, reference):
    ours = [learning_rate_at(step, 13, 0, schedule) for step in range(13)]
    assert ours == pytest.approx(rates_of(reference, 13), abs=1e-12)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_rises_to_the_peak_then_never_rises_again(schedule):
    rates = [learning_rate_at(step, 20, 5, schedule) for step in range(21)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5] == 1.0
    assert all(a >= b for a, b in itertools.pairwise(rates[5:]))
    assert rates[20] == pytest.approx(1.0 if schedule == "constant" else 0.0)
    assert rates[19] > 0


def test_one_step_takes_the_peak():
    assert learning_rate_at(0, 1, 0, "linear") == 1.0
    assert learning_rate_at(5, 1, 0, "linear") == 0.0


def test_biases_and_norms_are_not_decayed(model):
    config = TrainConfig(weight_decay=0.1)
    decay = {
        id(parameter): group["weight_decay"]
        for group in parameter_groups(model, config)
        for parameter in group["params"]
    }
    named = {name: decay[id(p)] for name, p in model.named_parameters()}
    assert named == {
        "embedding.weight": 0.1,
        "norm.weight": 0.0,
        "norm.bias": 0.0,
        "head.weight": 0.1,
        "head.bias": 0.0,
    }


def test_the_head_takes_its_own_rate(model):
    config = TrainConfig(learning_rate=0.1, head_learning_rate=0.5)
    rates = {
        id(parameter): group["lr"]
        for group in parameter_groups(model, config)
        for parameter in group["params"]
    }
    assert {n: rates[id(p)] for n, p in model.named_parameters()} == {
        "embedding.weight": 0.1,
        "norm.weight": 0.1,
        "norm.bias": 0.1,
        "head.weight": 0.5,
        "head.bias": 0.5,
    }


def test_a_frozen_parameter_is_left_out(model):
    model.embedding.weight.requires_grad = False
    groups = parameter_groups(model, TrainConfig())
    assert sum(len(group["params"]) for group in groups) == 4


def test_a_schedule_continues_where_it_stood(model):
    config = TrainConfig(warmup=0.2, schedule="cosine")
    optimizer, schedule = build_optimizer(model, config, total=10)
    for step in range(10):
        _, resumed = build_optimizer(model, config, total=10, step=step)
        assert resumed.get_last_lr() == schedule.get_last_lr()
        optimizer.step()
        schedule.step()


def test_messages(model):
    with pytest.raises(ValueError) as error:
        learning_rate_at(3, 5, 1, "stairs")
    assert str(error.value) == (
        "need schedule in ('linear', 'cosine', 'constant'), got schedule='stairs'"
    )
    with pytest.raises(ValueError) as error:
        parameter_groups(nn.LayerNorm(3), TrainConfig(head_learning_rate=0.1))
    assert str(error.value) == (
        "need parameters named 'head...' for head_learning_rate=0.1, got weight, bias"
    )
    with pytest.raises(
        ValueError, match=r"^need a parameter that requires a gradient, "
    ):
        parameter_groups(nn.ReLU(), TrainConfig())
