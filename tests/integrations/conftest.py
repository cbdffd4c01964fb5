from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from longctx_edu.errors import UserError
from longctx_edu.integrations import NAME, find_pretrained, register
from longctx_edu.masks import causal, dense_mask, global_tokens, padding, window

SIZES = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
GROUPED = {**SIZES, "num_key_value_heads": 2, "max_position_embeddings": 40}
ENCODERS = {
    "bert": {**SIZES, "max_position_embeddings": 40},
    "roberta": {**SIZES, "max_position_embeddings": 42, "pad_token_id": 1},
    "distilbert": {
        "vocab_size": 60,
        "dim": 32,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 48,
        "max_position_embeddings": 40,
    },
    "electra": {**SIZES, "embedding_size": 16, "max_position_embeddings": 40},
    # Layer 0 sees everything, layer 1 three keys on each side.
    "modernbert": {**SIZES, "pad_token_id": 0, "local_attention": 6},
}
DECODERS = {
    "gpt2": {
        "vocab_size": 60,
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 4,
        "n_positions": 40,
        "bos_token_id": 2,
        "eos_token_id": 2,
    },
    "llama": GROUPED,
    "qwen2": GROUPED,
    "qwen3": {**GROUPED, "head_dim": 8},
    # Every layer sees the last seven keys only.
    "mistral": {**GROUPED, "sliding_window": 7},
}
OWN = {"modernbert": (3, 3), "mistral": (6, 0)}  # keys before and after a token


@dataclass
class Family:
    """A small random model of a family, and the mask that it stands for."""

    kind: str

    def make(self, auto="AutoModel", **more):
        """Make it with the eager attention of transformers, in float64."""
        import transformers

        sizes = {**ENCODERS, **DECODERS}[self.kind]
        config = transformers.AutoConfig.for_model(self.kind, **{**sizes, **more})
        torch.manual_seed(0)
        model = getattr(transformers, auto).from_config(
            config, attn_implementation="eager"
        )
        return model.eval().double()

    @property
    def causal(self):
        return self.kind in DECODERS

    def mask(self, n, *, flags=None, keep=None, **sides):
        """Return who may look at whom, for each kind of layer: True for yes."""
        squares = {}
        for layer in ("full_attention", "sliding_attention"):
            near = dict(sides)
            if self.kind in OWN and (layer[0] == "s" or self.causal):
                both = zip(("left", "right"), OWN[self.kind], strict=True)
                step = sides.get("dilation", 1)
                near |= {side: min(sides[side], own // step) for side, own in both}
            sees = window(**near)
            sees = sees if flags is None else sees | global_tokens(flags)
            sees = sees & causal() if self.causal else sees
            sees = sees if keep is None else sees & padding(keep)
            square = dense_mask(sees, n).broadcast_to(1 if keep is None else 2, n, n)
            squares[layer] = square[:, None]
        return squares if self.kind == "modernbert" else squares["full_attention"]


def windowed(model: Any, **pattern: Any) -> Any:
    """Copy a model and give it our attention."""
    register()
    changed = deepcopy(model)
    changed.set_attn_implementation(NAME)
    for name, value in pattern.items():
        setattr(changed.config, f"longctx_{name}", value)
    return changed


@pytest.fixture(params=[*ENCODERS, *DECODERS])
def family(request):
    return Family(request.param)


@pytest.fixture(params=DECODERS)
def decoder(request):
    return Family(request.param)


@pytest.fixture
def of_kind():
    return Family


@pytest.fixture
def with_window():
    return windowed


@pytest.fixture(scope="session")
def minilm_folder():
    """Where the weights of minilm are, or skip the test."""
    try:
        return find_pretrained("minilm")
    except UserError as error:
        pytest.skip(str(error))
