"""Which text, which model, how it is trained: the options of `train lm`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from longctx_edu.cli.options import given, option
from longctx_edu.cli.train import RunOptions
from longctx_edu.errors import UserError

GAZETTE = "gazette"
SIZES = {
    "layers": "n_layers",
    "heads": "n_heads",
    "kv_heads": "n_kv_heads",
    "d_model": "d_model",
    "positions": "positions",
    "conv_width": "conv_width",
    "dropout": "dropout",
    "vocab_size": "vocab_size",
}
"""Options of the model, and what `TransformerConfig` calls them."""

N_TOKENS, VOCAB_SIZE, CONV_WIDTH = 128, 1024, 3
"""Tokens of a window, most ids of the tokenizer, and width of the convolution, where
nothing else is said."""


@dataclass(frozen=True)
class TextOptions:
    """The options that say which text is learnt."""

    panel: ClassVar[str] = "The text"

    data: Annotated[
        str | None,
        option("The Gazette, or any text file in UTF-8.", metavar="gazette|FILE"),
    ] = None
    articles: Annotated[
        int | None, option("Gazette: articles to learn from.", default="1000")
    ] = None


@dataclass(frozen=True)
class LanguageOptions:
    """The options that say which model reads, and how far."""

    panel: ClassVar[str] = "The model"

    tokens: Annotated[
        int | None, option("Length of the windows it learns from.", default="128")
    ] = None
    layers: Annotated[int | None, option("Blocks.", default="2")] = None
    heads: Annotated[int | None, option("Heads of queries.", default="4")] = None
    kv_heads: Annotated[
        int | None, option("Heads of keys and values.", default="as --heads")
    ] = None
    d_model: Annotated[
        int | None, option("Width of a token's vector.", default="128")
    ] = None
    positions: Annotated[
        str | None,
        option(
            "How a token knows its place.",
            default="rotary",
            metavar="rotary|alibi|learned|sinusoidal|none",
        ),
    ] = None
    left: Annotated[
        int | None,
        option("Tokens that each token sees before it, in a layer.", default="all"),
    ] = None
    conv_width: Annotated[
        int | None,
        option(
            "Tokens that a convolution before the blocks sees at once; 1 for none.",
            default="3",
        ),
    ] = None
    dropout: Annotated[
        float | None, option("Share of numbers set to 0.", default="0")
    ] = None
    vocab_size: Annotated[
        int | None, option("Most kinds of tokens.", default="1024")
    ] = None


@dataclass(frozen=True)
class LanguageTraining:
    """The options that say how training goes; named as in `TrainConfig`."""

    panel: ClassVar[str] = "The training"

    epochs: Annotated[int | None, option("Passes over the text.", default="2")] = None
    learning_rate: Annotated[
        float | None, option("Its peak, after warm-up.", default="5e-3")
    ] = None
    batch_tokens: Annotated[
        int | None, option("Most tokens in a batch.", default="1032")
    ] = None
    seed: Annotated[
        int | None, option("Decides fresh weights and batches.", default="0")
    ] = None
    precision: Annotated[
        str | None,
        option("Of matrix products.", default="auto", metavar="auto|fp32|bf16"),
    ] = None
    save_every_s: Annotated[
        float | None,
        option("Seconds between two saved states.", "--save-every", default="30"),
    ] = None


@dataclass(frozen=True)
class LanguageRunOptions(RunOptions):
    """Where a run is kept, as for every `longctx train`."""

    out: Annotated[Path | None, option("The run's folder.", default="runs/lm-DATA")] = (
        None
    )


def language_config(options: LanguageOptions) -> Any:
    """Make the sizes of a model.

    Args:
        options: What was asked for; the rest as `TransformerConfig` has it. A table of
            learned positions gets a row for each token of a window.

    Raises:
        ValueError: If a size is outside its range, or a name is unknown.
    """
    from longctx_edu.models import TransformerConfig

    asked = given(options)
    sizes = {name: asked[n] for n, name in SIZES.items() if n in asked}
    sizes = {"vocab_size": VOCAB_SIZE, "conv_width": CONV_WIDTH, **sizes}
    if sizes.get("positions") == "learned":
        sizes["max_tokens"] = asked.get("tokens", N_TOKENS)
    if "d_model" in sizes:
        sizes["d_ff"] = 4 * sizes["d_model"]
    return TransformerConfig(**sizes)


def language_training(options: LanguageTraining) -> Any:
    """Make the config of a training.

    Args:
        options: What was asked for; the rest as suits a model from nothing.

    Raises:
        ValueError: If a value is outside its range.
    """
    from longctx_edu.recipes.language_run import FROM_NOTHING
    from longctx_edu.training import TrainConfig

    return TrainConfig(**{**FROM_NOTHING, **given(options)})


def load_text(options: TextOptions, *, vocab_size: int) -> Any:
    """Load the text that the options name, and learn its tokenizer.

    Args:
        options: What was asked for.
        vocab_size: Most kinds of tokens.

    Raises:
        UserError: If nothing is named or found, or an option does not fit the text.
    """
    from longctx_edu.recipes.language import gazette_language, text_language

    if options.data is None:
        raise UserError(
            "need --data with gazette or a text file, or --resume with --out, got "
            "neither"
        )
    if options.data != GAZETTE:
        if options.articles is not None:
            raise UserError(
                "need --articles with the gazette only, got --data "
                f"{options.data}: leave it out"
            )
        return text_language(options.data, vocab_size=vocab_size)
    if options.articles is None:
        return gazette_language(vocab_size=vocab_size)
    if options.articles < 1:
        raise UserError(f"need --articles >= 1, got {options.articles}")
    return gazette_language(n_articles=options.articles, vocab_size=vocab_size)


def found_anywhere(options: TextOptions) -> TextOptions:
    """Name a file so that it is found from another folder too.

    Args:
        options: What was asked for.
    """
    if options.data in (None, GAZETTE):
        return options
    return replace(options, data=str(Path(options.data).expanduser().absolute()))
