"""How to find out what a library lets a token see, without reading its code.

Give each token a value that points in a direction of its own: what comes out at a
query is then, direction by direction, the weight of each key. Where the values are
made inside a model, ask autograd which values a query's output depends on.
"""

import pytest
import torch
import transformers as hf

from longctx_edu.masks import dense_mask, from_convention, window


def weights_by_values(attend, n, *, n_query=None):
    """Return the weights that `attend(q, k, v)` gives, query by key."""
    generator = torch.Generator().manual_seed(0)
    n_query = n if n_query is None else n_query
    q = torch.randn(1, 1, n_query, 4, generator=generator, dtype=torch.float64)
    k = torch.randn(1, 1, n, 4, generator=generator, dtype=torch.float64)
    v = torch.eye(n, dtype=torch.float64)[None, None]
    return attend(q, k, v)[0, 0]


def rows_by_gradient(model, attention, values, n, keep=None):
    """Run a model of one layer; say who reads whose value, and what attention gives.

    Args:
        model: Takes `inputs_embeds` and `attention_mask`.
        attention: Name of the module whose output is looked at.
        values: Name of the linear layer in it whose last `hidden_size` numbers are the
            values.
        n: Length of the text, in tokens.
        keep: True where a token is real.
    """
    caught = {}

    def catch(name):
        def hook(module, inputs, output):
            caught[name] = output[0] if isinstance(output, tuple) else output

        return hook

    module = model.get_submodule(attention)
    hooks = [
        module.register_forward_hook(catch("rows")),
        module.get_submodule(values).register_forward_hook(catch("values")),
    ]
    generator = torch.Generator().manual_seed(0)
    width = model.config.hidden_size
    x = torch.randn(1, n, width, generator=generator, dtype=model.dtype)
    model(inputs_embeds=x, attention_mask=None if keep is None else keep[None].long())
    for hook in hooks:
        hook.remove()
    rows = caught["rows"].reshape(-1, width)[:n]
    reads = []
    for row in rows:
        (slope,) = torch.autograd.grad(row.sum(), caught["values"], retain_graph=True)
        reads.append((slope[..., -width:].reshape(-1, width)[:n] != 0).any(dim=-1))
    return torch.stack(reads), rows.detach()


def mask_of(name, value, n):
    """Return the mask that our translation of a window size claims."""
    left, right = from_convention(name, value)
    return dense_mask(window(left=left, right=right), n)


# One layer each, as small as it goes; returned with the names of the module that
# attends and of the linear layer in it that makes the values.

SIZES = {
    "vocab_size": 8,
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "pad_token_id": 0,
}
DECODER = SIZES | {"num_key_value_heads": 2, "head_dim": 4}
LOCAL = {"layer_types": ["sliding_attention"]}
SPECIAL = dict.fromkeys(
    ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 1
)
DECODER_PLACES = ("layers.0.self_attn", "v_proj")


def mistral(w, **options):
    config = hf.MistralConfig(**DECODER, sliding_window=w, **options)
    return hf.MistralModel(config), *DECODER_PLACES


def mistral_bidirectional(w, **options):
    return mistral(w, is_causal=False, **options)


def qwen2(w, **options):
    config = hf.Qwen2Config(
        **SIZES,
        **LOCAL,
        num_key_value_heads=2,
        use_sliding_window=True,
        sliding_window=w,
        **options,
    )
    return hf.Qwen2Model(config), *DECODER_PLACES


def gemma2(w, **options):
    config = hf.Gemma2Config(**DECODER, **LOCAL, sliding_window=w, **options)
    return hf.Gemma2Model(config), *DECODER_PLACES


def gemma3(w, **options):
    config = hf.Gemma3TextConfig(**DECODER, **LOCAL, sliding_window=w, **options)
    return hf.Gemma3TextModel(config), *DECODER_PLACES


def gemma3_bidirectional(w, **options):
    return gemma3(w, use_bidirectional_attention=True, **options)


def modernbert(w, **options):
    config = hf.ModernBertConfig(
        **SIZES, **LOCAL, **SPECIAL, local_attention=w, **options
    )
    return hf.ModernBertModel(config), "layers.0.attn", "Wqkv"


def longformer(w, **options):
    config = hf.LongformerConfig(
        **SIZES, attention_window=w, max_position_embeddings=40, **options
    )
    return hf.LongformerModel(config), "encoder.layer.0.attention.self", "value"


SMALL_MODELS = {
    build.__name__: build
    for build in (
        mistral,
        mistral_bidirectional,
        qwen2,
        gemma2,
        gemma3,
        gemma3_bidirectional,
        modernbert,
        longformer,
    )
}


@pytest.fixture(name="weights_by_values")
def _weights_by_values():
    return weights_by_values


@pytest.fixture(name="mask_of")
def _mask_of():
    return mask_of


@pytest.fixture(name="small_model")
def _small_model():
    """Build a random model of one layer by name and window size."""

    def build(name, w, **options):
        torch.manual_seed(0)
        return SMALL_MODELS[name](w, **options)[0].eval()

    return build


@pytest.fixture(name="look")
def _look():
    """Say who sees whom in a small model, and what its attention gives."""

    def run(name, w, n, *, keep=None, **options):
        torch.manual_seed(0)
        model, attention, values = SMALL_MODELS[name](w, **options)
        return rows_by_gradient(model.eval(), attention, values, n, keep)

    return run
