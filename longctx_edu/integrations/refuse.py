"""What our attention would leave out in silence, and therefore refuses by name."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from longctx_edu.errors import UserError

HONOURED = ("is_causal", "sliding_window")
"""Arguments of a layer that change what our attention computes."""

WITHOUT_EFFECT = (
    "cache_position",
    "deterministic",
    "num_items_in_batch",
    "output_hidden_states",
    "output_router_logits",
    "position_ids",
    "return_dict",
    "use_cache",
)
"""Arguments that come along, and mean nothing to any attention."""

_MEANING = {
    "s_aux": "attention sinks",
    "sinks": "attention sinks",
    "softcap": "a cap on the scores",
    "position_bias": "a bias for relative positions",
    "output_attentions": "the weights, which are never formed",
    "cu_seq_lens_q": "texts packed into one row",
    "cache": "a paged cache",
}

_MASKS = (
    "causal_mask_function",
    "bidirectional_mask_function",
    # The attention function reads the window from the layer that it serves.
    "sliding_window_overlay.<locals>.inner_mask",
    "sliding_window_bidirectional_overlay.<locals>.inner_mask",
)


def left_out(names: Iterable[str]) -> list[str]:
    """List the arguments that our attention would leave out, in order.

    Args:
        names: Arguments that a layer hands to its attention.

    Example:
        >>> left_out(["sliding_window", "s_aux", "longctx_left"])
        ['s_aux']
    """
    known = HONOURED + WITHOUT_EFFECT + ("scaling", "dropout", "attention_mask")
    return [x for x in names if x not in known and not x.startswith("longctx_")]


def describe(name: str) -> str:
    """Say what an argument means, where its name does not.

    Args:
        name: The argument.

    Example:
        >>> describe("s_aux"), describe("block_indices")
        ('attention sinks (s_aux)', 'block_indices')
    """
    return f"{_MEANING[name]} ({name})" if name in _MEANING else name


def refuse_arguments(kind: str, given: Mapping[str, Any]) -> None:
    """Refuse arguments that would change the result, were they not left out.

    Args:
        kind: The model's `model_type`.
        given: What the layer hands over.

    Raises:
        UserError: If there is one.
    """
    for name in left_out(given):
        if given[name] is not None and given[name] is not False:
            raise UserError(
                f"need attention that longctx_window computes, got {describe(name)} "
                f"from {kind}: leave it out of the call, or load the model with "
                'attn_implementation="eager"'
            )


def refuse_two_texts(config: Any) -> None:
    """Refuse a model that also attends to another text.

    Args:
        config: The config of a transformers model.

    Raises:
        UserError: If it is an encoder and a decoder, or one half of them.
    """
    for name in ("is_encoder_decoder", "add_cross_attention"):
        if getattr(config, name, False):
            raise UserError(
                f"need a model that reads one text, got {config.model_type} with "
                f"{name}=True: a window has no meaning across two texts"
            )


def refuse_hidden_window(config: Any, given: Mapping[str, Any]) -> None:
    """Refuse a layer that keeps a window of its own in its mask alone.

    Args:
        config: The layer's config.
        given: What the layer hands over.

    Raises:
        UserError: If its window would be lost.
    """
    own = getattr(config, "sliding_window", None)
    if own and "sliding_window" not in given:
        raise UserError(
            f"need a model that tells its attention its own window, got "
            f"{config.model_type} with sliding_window={own}, which does not: set "
            "config.sliding_window = None, so that longctx_left and longctx_right hold"
        )


def refuse_mask(mask_function: Callable | None) -> None:
    """Refuse a mask of more than causality, windows and padding.

    Args:
        mask_function: What transformers would ask for each query and key.

    Raises:
        UserError: If it hides more, as that of packed texts does.
    """
    for part in _parts(mask_function):
        name = getattr(part, "__qualname__", repr(part))
        if name not in _MASKS:
            raise UserError(
                "need a mask of causality, windows and padding alone, got "
                f"{name.partition('.')[0]}: give each text a row of its own with an "
                'attention_mask, or load the model with attn_implementation="eager"'
            )


def _parts(function: Callable | None) -> Iterator[Callable]:
    """Take a mask apart that transformers joined with `and_masks`."""
    if getattr(function, "__qualname__", "") == "and_masks.<locals>.and_mask":
        for cell in function.__closure__ or ():
            for part in cell.cell_contents:
                yield from _parts(part)
    elif function is not None:
        yield function
