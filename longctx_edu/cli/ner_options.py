"""What is trained, and how: the options of `train ner`, and the configs they make."""

from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar, TypeVar

from longctx_edu.cli.options import given, option
from longctx_edu.errors import unknown_name

PRECISIONS = ("auto", "bf16", "fp32")

Options = TypeVar("Options")


@dataclass(frozen=True)
class ModelOptions:
    """The options that say which model reads, and how; named as in `NerConfig`."""

    panel: ClassVar[str] = "The model"

    model: Annotated[
        str | None,
        option(
            "scratch, minilm, a folder, or an id of the Hugging Face Hub.",
            default="scratch",
        ),
    ] = None
    attention: Annotated[
        str | None,
        option(
            "How a document is read: whole, whole through a window, or cut up.",
            default="window",
            metavar="full|window|chunks",
        ),
    ] = None
    size: Annotated[
        int | None, option("chunks, --context: most tokens in a piece.", default="128")
    ] = None
    overlap: Annotated[
        int | None, option("Tokens that neighbouring pieces share.", default="0")
    ] = None
    left: Annotated[
        int | None, option("window: tokens seen before each.", default="32")
    ] = None
    right: Annotated[
        int | None, option("window: tokens seen after each.", default="32")
    ] = None
    n_global: Annotated[
        int | None,
        option(
            "window: first tokens that see all, where a text has no lead.",
            default="1",
        ),
    ] = None
    max_tokens: Annotated[
        int | None,
        option("full, window: cut documents longer than this.", default="none"),
    ] = None
    context: Annotated[
        str | None,
        option(
            "Read at once: all that fits, a sentence, or one with its neighbours.",
            default="packed",
            metavar="packed|sentence|document",
        ),
    ] = None
    decoding: Annotated[
        str | None,
        option(
            "How tags are read off: each word alone, the best row IOB2 allows, or "
            "the best of a CRF, which is trained over whole rows.",
            default="greedy",
            metavar="greedy|constrained|crf",
        ),
    ] = None
    dropout: Annotated[
        float | None, option("Share of numbers set to 0.", default="0.1")
    ] = None
    outside_weight: Annotated[
        float | None,
        option(
            "How often a word outside entities counts in the loss; not with crf.",
            default="1.0",
        ),
    ] = None


@dataclass(frozen=True)
class TrainOptions:
    """The options that say how training goes; named as in `TrainConfig`."""

    panel: ClassVar[str] = "The training"

    epochs: Annotated[
        int | None, option("Passes over the data.", default="6, pretrained 4")
    ] = None
    learning_rate: Annotated[
        float | None,
        option("Its peak, after warm-up.", default="5e-3, pretrained 2e-4"),
    ] = None
    head_learning_rate: Annotated[
        float | None,
        option(
            "The peak for the task layer.",
            default="that of the rest, pretrained 1e-3",
        ),
    ] = None
    batch_tokens: Annotated[
        int | None, option("Most tokens in a batch.", default="2048, pretrained 512")
    ] = None
    weight_decay: Annotated[
        float | None,
        option("Decay of matrices.", default="0.5, pretrained 0.01"),
    ] = None
    layer_decay: Annotated[
        float | None,
        option(
            "Learning rate of a layer, as a share of that of the layer above.",
            default="1, pretrained 0.85",
        ),
    ] = None
    patience: Annotated[
        int | None,
        option("Epochs without a better dev F1 before it stops.", default="never"),
    ] = None
    seed: Annotated[
        int | None, option("Decides fresh weights and batches.", default="0")
    ] = None
    seeds: Annotated[
        int | None,
        option(
            "Trainings, each with the next seed; then mean and spread.", default="1"
        ),
    ] = None
    precision: Annotated[
        str | None,
        option("Of matrix products.", default="auto", metavar="auto|fp32|bf16"),
    ] = None
    save_every_s: Annotated[
        float | None,
        option("Seconds between two saved states.", "--save-every", default="30"),
    ] = None


def ner_config(options: ModelOptions) -> Any:
    """Make the config of a tagger.

    Args:
        options: What was asked for; the rest as `NerConfig` has it.

    Raises:
        UserError: If a value is outside its range.
    """
    from longctx_edu.recipes.config import NerConfig

    return NerConfig(**given(options))


def train_config(options: TrainOptions, *, is_pretrained: bool) -> Any:
    """Make the config of a training.

    Args:
        options: What was asked for; the rest as suits the model.
        is_pretrained: Weights that know language already take smaller steps.

    Raises:
        ValueError: If a value is outside its range.
    """
    from longctx_edu.recipes.config import PRETRAINED, SCRATCH
    from longctx_edu.training import TrainConfig

    if options.precision not in (None, *PRECISIONS):
        raise unknown_name("precision", options.precision, PRECISIONS)
    defaults = PRETRAINED if is_pretrained else SCRATCH
    asked = {name: x for name, x in given(options).items() if name != "seeds"}
    return TrainConfig(**{**defaults, **asked})


def over(options: Options, stored: dict[str, Any]) -> Options:
    """Fill up what was not asked for with what was stored.

    Args:
        options: What was asked for.
        stored: Values by name; names that are no option are passed over.

    Example:
        >>> over(TrainOptions(seed=2), {"seed": 1, "epochs": 5}).epochs
        5
    """
    names = {each.name for each in fields(options)}
    kept = {name: x for name, x in stored.items() if name in names}
    return replace(options, **{**kept, **given(options)})
