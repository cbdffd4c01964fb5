import re

import pytest
import torch

from longctx_edu.errors import UserError
from longctx_edu.models import EncoderConfig, attention_named

# building by name


def test_full_attention_leaves_global_tokens_out():
    q, k, v = torch.randn(3, 1, 2, 5, 4)
    full = attention_named("full")
    flags = torch.zeros(1, 5, dtype=torch.bool)
    assert torch.equal(full(q, k, v), full(q, k, v, global_tokens=flags))


def test_a_window_keeps_its_two_sides():
    assert attention_named("window", left=3, right=1).keywords == {
        "left": 3,
        "right": 1,
    }


def test_an_unknown_attention():
    wanted = "unknown attention 'ful': did you mean full? Known are full, window"
    with pytest.raises(UserError, match=re.escape(wanted)):
        attention_named("ful")


# a config that was saved before a field was added


def test_global_projections_are_off_where_a_config_does_not_name_them():
    assert not EncoderConfig().global_projections
    assert EncoderConfig(global_projections=True) != EncoderConfig()


# messages


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ({"n_layers": 0}, "need n_layers >= 1, got n_layers=0"),
        ({"n_buckets": -1}, "need n_buckets >= 1, got n_buckets=-1"),
        (
            {"d_model": 10, "n_heads": 4},
            "need n_heads that divides d_model, got n_heads=4 and d_model=10",
        ),
        ({"conv_width": 4}, "need an odd conv_width, got 4"),
        ({"dropout": 1.0}, "need 0 <= dropout < 1, got dropout=1.0"),
        ({"hide": -0.1}, "need 0 <= hide < 1, got hide=-0.1"),
        ({"alike_gain": 0.0}, "need alike_gain > 0, got 0.0"),
    ],
)
def test_sizes_outside_their_range(sizes, wanted):
    with pytest.raises(ValueError, match=re.escape(wanted)):
        EncoderConfig(**sizes)
