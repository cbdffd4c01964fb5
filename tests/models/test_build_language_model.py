"""What a built model sees: counted by changing one token at a time."""

import pytest
import torch

from longctx_edu.models import TransformerConfig, build_language_model

CONFIG = TransformerConfig(vocab_size=13, d_model=16, n_layers=1, positions="none")


def seen_from(model, place, n_tokens=9):
    """Tokens that move the result at a place."""
    ids = torch.arange(n_tokens)[None]
    with torch.no_grad():
        before = model(ids)[0, place]
        moved = []
        for token in range(n_tokens):
            changed = ids.clone()
            changed[0, token] = 12
            moved.append(not torch.equal(model(changed)[0, place], before))
    return [token for token, moves in enumerate(moved) if moves]


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"left": 2}, [2, 3, 4]),
        ({"left": 0}, [4]),
        ({"causal": False}, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        ({"causal": False, "left": 2}, [2, 3, 4, 5, 6]),
    ],
)
def test_a_token_sees_what_was_asked_for(how, wanted):
    model = build_language_model(CONFIG, **how).double().eval()
    assert seen_from(model, 4) == wanted
