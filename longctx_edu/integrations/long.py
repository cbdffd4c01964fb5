"""A pretrained model that reads long texts: its window, its saving and its loading."""

from pathlib import Path
from typing import Any

from longctx_edu.errors import UserError
from longctx_edu.integrations.extend import extend_positions
from longctx_edu.integrations.families import need_exchangeable
from longctx_edu.integrations.pattern import check_globals
from longctx_edu.integrations.pretrained import quiet
from longctx_edu.integrations.window import NAME, register
from longctx_edu.masks import check_window


def make_long(
    model: Any,
    max_tokens: int = 4096,
    *,
    left: int | None = 128,
    right: int | None = 128,
    dilation: int = 1,
    global_tokens: int | list[int] = 0,
) -> Any:
    """Let a pretrained model read long texts in linear time and memory, in place.

    A learned position table is copied over and over; rotary positions reach as far
    as they do. `save_pretrained` keeps both the table and the pattern, and
    `load_long` gives the same model back.

    Args:
        model: What an `AutoModel` of transformers returns, with or without a head.
        max_tokens: Longest text afterwards, in tokens.
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query; a causal model sees none of them.
        dilation: Distance between neighbouring visible keys, in tokens.
        global_tokens: How many first tokens of each text see all and are seen by
            all, or a list of their positions.

    Returns:
        The model.

    Raises:
        UserError: If the model's attention or its positions cannot be exchanged.
        ValueError: If the window has no meaning.

    Source: Longformer (Beltagy et al. 2020), section 5.
    """
    check_window(left, right, dilation)
    check_globals(global_tokens)
    need_exchangeable(model)
    extend_positions(model, max_tokens)
    use_window(
        model, left=left, right=right, dilation=dilation, global_tokens=global_tokens
    )
    _remember(model)
    return model


def use_window(
    model: Any,
    *,
    left: int | None,
    right: int | None,
    dilation: int = 1,
    global_tokens: int | list[int] = 0,
) -> None:
    """Let every layer of a model attend within a window, in place.

    Args:
        model: A model of transformers.
        left: Keys visible before the query, itself not counted; None for all.
        right: Keys visible after the query, itself not counted; None for all.
        dilation: Distance between neighbouring visible keys, in tokens.
        global_tokens: How many first tokens, or which positions, see all.

    Raises:
        UserError: If the model's attention cannot be exchanged.
        ValueError: If the window has no meaning.
    """
    check_window(left, right, dilation)
    check_globals(global_tokens)
    # Else transformers says no more than a warning, and keeps the full attention.
    need_exchangeable(model)
    register()
    config = model.config
    config.longctx_left, config.longctx_right = left, right
    config.longctx_dilation = dilation
    config.longctx_global_tokens = global_tokens
    model.set_attn_implementation(NAME)


def load_long(place: str | Path, **how: Any) -> Any:
    """Load a model that `make_long` made and `save_pretrained` saved.

    The class is the one that was saved. `AutoModel.from_pretrained` does as well,
    after `register()`; what it then saves again has lost the window, unless
    `attn_implementation="longctx_window"` is given at the next load.

    Args:
        place: The folder.
        **how: Handed to `from_pretrained`: `dtype`, `device_map`.

    Raises:
        UserError: If the folder holds no such model, or lacks weights.
    """
    import transformers

    register()
    try:
        config = transformers.AutoConfig.from_pretrained(place, local_files_only=True)
    except (OSError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"cannot load a long model from {place}: {said}") from None
    if not hasattr(config, "longctx_left") or not config.architectures:
        raise UserError(
            f"need a folder that make_long and save_pretrained made, got {place}, "
            "whose config.json has no longctx_left"
        )
    kind = getattr(transformers, config.architectures[0])
    with quiet():
        model, found = kind.from_pretrained(
            place,
            attn_implementation=NAME,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **how,
        )
    missing = sorted(found["missing_keys"])
    if missing and all(name.startswith("pooler.") for name in missing):
        model.pooler = None  # it was left out when the model was saved
    elif missing:
        raise UserError(f"need every weight in {place}, got none for {missing[0]}")
    return _remember(model)


def _remember(model: Any) -> Any:
    """Have config.json name our attention, which transformers reads but never writes.

    Loading without `register()` is then an error, and not another model.
    """
    model.config.attn_implementation = NAME
    return model
