import pytest
import torch
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding


@pytest.fixture
def llama_config():
    """Make a config whose heads have the width and whose positions the kind."""

    def make(kind, d_head, theta, trained, **numbers):
        rope = {"rope_type": kind, "rope_theta": theta, **numbers}
        if kind in ("yarn", "llama3"):
            rope["original_max_position_embeddings"] = trained
        return LlamaConfig(
            hidden_size=2 * d_head,
            num_attention_heads=2,
            head_dim=d_head,
            max_position_embeddings=trained,
            rope_parameters=rope,
        )

    return make


@pytest.fixture
def published(llama_config, monkeypatch):
    """Ask transformers for frequencies, in float64 where it writes float32."""

    def ask(kind, d_head, theta, trained, *, n_tokens=None, **numbers):
        config = llama_config(kind, d_head, float(theta), trained, **numbers)
        make = ROPE_INIT_FUNCTIONS.get(
            kind, LlamaRotaryEmbedding.compute_default_rope_parameters
        )
        with monkeypatch.context() as patch:
            patch.setattr(torch, "float", torch.float64)
            patch.setattr(torch, "float32", torch.float64)
            radians, factor = make(config, seq_len=n_tokens)
        assert radians.dtype == torch.float64
        return radians, factor

    return ask
