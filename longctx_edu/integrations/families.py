"""Which families of transformers models can take our attention, by their sources.

Read as text, since importing every family would take a minute.
"""

import inspect
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from longctx_edu.errors import UserError
from longctx_edu.integrations.refuse import describe, left_out, refuse_two_texts

TESTED = (
    "bert",
    "roberta",
    "distilbert",
    "electra",
    "modernbert",
    "gpt2",
    "llama",
    "qwen2",
    "qwen3",
)
"""Families that our tests hold to dense attention under the same mask."""


@lru_cache
def families() -> tuple[str, ...]:
    """List the families of text models whose attention can be exchanged for ours.

    Computed from the sources of the installed transformers; `TESTED` are the ones
    that we have held to it.

    Example:
        >>> "bert" in families(), "longformer" in families()
        (True, False)
    """
    from transformers.models.auto import modeling_auto as auto
    from transformers.models.auto.configuration_auto import model_type_to_module_name

    kinds = {
        *auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        *auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    }
    models = Path(auto.__file__).parents[1]
    found = []
    for kind in sorted(kinds):
        name = model_type_to_module_name(kind)
        parts = [
            models / name / f"{x}_{name}.py" for x in ("modeling", "configuration")
        ]
        if all(part.is_file() for part in parts):
            model, config = (part.read_text(encoding="utf-8") for part in parts)
            two = "is_encoder_decoder: bool = True" in config
            more = "sub_configs" in config and not kind.endswith("_text")
            if not two and not more and obstacle(model) is None:
                found.append(kind)
    return tuple(found)


def obstacle(source: str) -> str | None:
    """Say why a family cannot take our attention; None where it can.

    Args:
        source: The text of the module that defines the model.

    Example:
        >>> obstacle("class BigAttention(nn.Module): ...")
        'it computes attention in its own way'
    """
    exchanged = "ALL_ATTENTION_FUNCTIONS.get_interface(" in source
    if not exchanged or "_supports_attention_backend = True" not in source:
        return "it computes attention in its own way"
    if "masking_utils" not in source or "create_chunked_causal_mask" in source:
        return "it makes masks of its own kind"
    names = sorted({x for call in _calls(source) for x in left_out(_keywords(call))})
    names = [x for x in names if not x.startswith(("cu_seq_lens", "max_length"))]
    if names:
        return f"its attention takes {', '.join(describe(x) for x in names)}"
    own = "sliding_window_causal_mask" in source or "al_sliding_window_mask" in source
    if own and "sliding_window=" not in source:
        return "it does not tell its attention its own window"
    return None


def need_exchangeable(model: Any) -> None:
    """Refuse a model that cannot take our attention, and name those that can.

    Args:
        model: What `AutoModel` returns, or a model with a task head.

    Raises:
        UserError: If it is none of transformers, or its family cannot.
    """
    from transformers import PreTrainedModel

    if not isinstance(model, PreTrainedModel):
        raise UserError(
            f"need a model of transformers, got {type(model).__name__}: load it with "
            "AutoModel.from_pretrained"
        )
    refuse_two_texts(model.config)
    base = model.base_model
    why = obstacle(inspect.getsource(sys.modules[type(base).__module__]))
    if base.config.get_text_config() is not base.config:
        why = "it reads more than text"
    if why is not None:
        more = len(set(families()) - set(TESTED))
        raise UserError(
            f"need a model whose attention can be exchanged, got "
            f"{model.config.model_type}: {why}. {', '.join(TESTED)} can, and {more} "
            "more of longctx_edu.integrations.families()"
        )


def _calls(source: str) -> list[str]:
    """Cut out what stands between the brackets of each call of the attention."""
    calls = []
    for start in re.finditer(r"attention_interface\(\n", source):
        depth, end = 1, start.end()
        while depth and end < len(source):
            depth += {"(": 1, ")": -1}.get(source[end], 0)
            end += 1
        calls.append(source[start.end() : end])
    return calls


def _keywords(call: str) -> list[str]:
    return re.findall(r"^\s+(\w+)=", call, re.MULTILINE)
