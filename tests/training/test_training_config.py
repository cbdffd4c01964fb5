import math

import pytest

from longctx_edu.training import TrainConfig


def test_defaults_are_valid_and_frozen():
    config = TrainConfig()
    with pytest.raises(AttributeError):
        config.epochs = 4


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", 0, ">= 1"),
        ("learning_rate", 0.0, "> 0"),
        ("learning_rate", math.nan, "> 0"),
        ("batch_tokens", 0, ">= 1"),
        ("warmup", 1.0, "in [0, 1)"),
        ("warmup", -0.1, "in [0, 1)"),
        ("weight_decay", -0.5, ">= 0"),
        ("max_norm", 0.0, "> 0"),
        ("patience", 0, ">= 1"),
        ("seed", -1, ">= 0"),
        ("save_every_s", 0.0, "> 0"),
        ("save_every_steps", 0, ">= 1"),
        ("head_learning_rate", 0.0, "> 0"),
        ("layer_decay", 0.0, "in (0, 1]"),
        ("layer_decay", 1.5, "in (0, 1]"),
        ("layer_decay", 2.0, "in (0, 1]"),
        ("layer_decay", math.nan, "in (0, 1]"),
    ],
)
def test_a_value_outside_its_range_is_refused(name, value, rule):
    with pytest.raises(ValueError) as error:
        TrainConfig(**{name: value})
    assert str(error.value) == f"need {name} {rule}, got {name}={value!r}"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("schedule", "('linear', 'cosine', 'constant')"),
        ("precision", "('auto', 'fp32', 'bf16')"),
    ],
)
def test_an_unknown_name_is_refused(name, known):
    # The annotation would refuse it first under beartype: change it afterwards.
    config = TrainConfig()
    object.__setattr__(config, name, "other")
    with pytest.raises(ValueError) as error:
        config.__post_init__()
    assert str(error.value) == f"need {name} in {known}, got {name}='other'"
