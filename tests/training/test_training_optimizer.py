import itertools

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR
from transformers import BertConfig, BertModel

from longctx_edu.integrations import PretrainedEncoder
from longctx_edu.models import (
    EncoderConfig,
    TokenClassifier,
    attention_named,
    build_tagger,
)
from longctx_edu.training import TrainConfig, learning_rate_at, parameter_groups
from longctx_edu.training.optimizer import build_optimizer, layer_shares


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


# learning rates by depth


def rates_by_name(model, config):
    groups = parameter_groups(model, config)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    return {name: rates[id(p)] for name, p in model.named_parameters()}


def own_encoder():
    config = EncoderConfig(n_layers=2, n_heads=1, d_model=4, d_ff=4, n_buckets=8)
    return build_tagger(config, 3, attention_named("full"))


def small_bert():
    config = BertConfig(
        vocab_size=9,
        hidden_size=4,
        num_hidden_layers=2,
        num_attention_heads=1,
        intermediate_size=4,
        max_position_embeddings=8,
    )
    encoder = PretrainedEncoder(BertModel(config, add_pooling_layer=False))
    return TokenClassifier(encoder, 4, 3, transitions=nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (
            own_encoder,
            {
                "encoder.embedding.": 1.0,
                "encoder.blocks.0.": 2.0,
                "encoder.blocks.1.": 4.0,
                "encoder.norm.": 4.0,
                "head.": 8.0,
            },
        ),
        (
            small_bert,
            {
                "encoder.model.embeddings.": 1.0,
                "encoder.model.encoder.layer.0.": 2.0,
                "encoder.model.encoder.layer.1.": 4.0,
                "head.": 8.0,
                "head_transitions.": 8.0,
            },
        ),
    ],
)
def test_each_layer_takes_its_share_of_the_rate_above(make, wanted):
    found = rates_by_name(make(), TrainConfig(learning_rate=8.0, layer_decay=0.5))
    for name, rate in found.items():
        assert [rate] == [wanted[part] for part in wanted if name.startswith(part)]
    for part in wanted:
        assert any(name.startswith(part) for name in found)


@pytest.mark.parametrize(
    "kind", ["layer.{}.w", "layers.{}.w", "t.block.{}.layer.0.w", "blocks.{}.w"]
)
def test_layers_are_found_whatever_they_are_called(kind):
    names = ["wte.w", *(kind.format(n) for n in range(12)), "last.w", "lm_embed.w"]
    shares = list(layer_shares(names, 0.5).values())
    steps = [0.5 ** (12 - n) for n in range(12)]
    assert shares == [0.5**13, *steps, 0.5, 0.5**13]


def test_what_follows_the_letter_h_alone_is_a_layer():
    names = ["wpe.w", "h.0.mlp.w", "h.1.mlp.w", "head.layers.7.w"]
    assert list(layer_shares(names, 0.5).values()) == [0.125, 0.25, 0.5, 1.0]


@pytest.mark.parametrize("layer_decay", [None, 1.0])
def test_without_a_decay_the_groups_are_those_of_before(layer_decay, model):
    config = TrainConfig(layer_decay=layer_decay, head_learning_rate=0.5)
    names = {id(p): name for name, p in model.named_parameters()}
    groups = parameter_groups(model, config)
    assert [[names[id(p)] for p in group["params"]] for group in groups] == [
        ["embedding.weight"],
        ["norm.weight", "norm.bias"],
        ["head.weight"],
        ["head.bias"],
    ]
    assert [group["lr"] for group in groups] == [2e-4, 2e-4, 0.5, 0.5]


def test_the_head_keeps_a_rate_of_its_own():
    config = TrainConfig(learning_rate=8.0, layer_decay=0.5, head_learning_rate=3.0)
    found = rates_by_name(own_encoder(), config)
    assert found["head.weight"] == 3.0
    assert found["encoder.blocks.1.feed.0.weight"] == 4.0


def test_the_schedule_moves_all_rates_alike():
    config = TrainConfig(learning_rate=8.0, layer_decay=0.5, warmup=0.5)
    optimizer, schedule = build_optimizer(own_encoder(), config, total=8)
    assert schedule.get_last_lr() == [2.0, 2.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    for step in range(8):
        _, resumed = build_optimizer(own_encoder(), config, total=8, step=step)
        assert resumed.get_last_lr() == schedule.get_last_lr()
        assert schedule.get_last_lr()[0] == 8 * learning_rate_at(step, 8, 4, "linear")
        optimizer.step()
        schedule.step()


def test_a_frozen_layer_does_not_move_the_others():
    model = own_encoder()
    config = TrainConfig(learning_rate=8.0, layer_decay=0.5)
    wanted = rates_by_name(model, config)
    model.encoder.blocks[1].requires_grad_(False)
    rates = {
        id(p): g["lr"] for g in parameter_groups(model, config) for p in g["params"]
    }
    for name, p in model.named_parameters():
        assert rates.get(id(p), wanted[name]) == wanted[name]


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
    with pytest.raises(ValueError) as error:
        parameter_groups(model, TrainConfig(layer_decay=0.9))
    assert str(error.value) == (
        "need parameters in numbered layers, such as 'layers.0.weight', for "
        "layer_decay=0.9, got embedding.weight, norm.weight, norm.bias, head.weight, "
        "head.bias: use layer_decay=1"
    )
    with pytest.raises(
        ValueError, match=r"^need a parameter that requires a gradient, "
    ):
        parameter_groups(nn.ReLU(), TrainConfig())
