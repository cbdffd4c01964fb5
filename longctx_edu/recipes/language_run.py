"""A language model in a folder: trained, scored beside n-grams, kept, found again."""

import hashlib
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from longctx_edu.data.language import Tokenizer
from longctx_edu.errors import UserError
from longctx_edu.masks.sinks import check_sinks
from longctx_edu.measure import device
from longctx_edu.models import TransformerConfig, build_language_model
from longctx_edu.recipes.language import LanguageData, fit_language_model
from longctx_edu.recipes.language_scores import (
    BASELINES,
    describe_text,
    language_scores,
)
from longctx_edu.recipes.ner import (
    SETTINGS,
    describe_history,
    write_json,
    write_report,
)
from longctx_edu.training import TrainConfig, load_weights, read_config
from longctx_edu.training.checkpoints import CONFIG, WEIGHTS
from longctx_edu.training.state import STATE, need_no_state

KIND, TOKENIZER = "language model", "tokenizer.json"
FROM_NOTHING = {"epochs": 2, "learning_rate": 5e-3, "batch_tokens": 1032}
"""How a model is trained where nothing else is said: batches of 8 windows of 128."""


@dataclass(frozen=True)
class LanguageRun:
    """A trained language model, with all that it needs to read and write text.

    Args:
        model: A causal `LanguageModel`.
        tokenizer: Turns text into its ids and back.
        n_tokens: Length of the windows that it was trained on, in tokens.
        left: Tokens that each token sees before it, in each layer; None for all.
        report: All that `report.json` holds; None where the run was loaded.
    """

    model: nn.Module
    tokenizer: Tokenizer
    n_tokens: int
    left: int | None = None
    report: dict[str, Any] | None = None


def train_language_run(
    data: LanguageData,
    config: TransformerConfig,
    training: TrainConfig,
    *,
    n_tokens: int,
    left: int | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    settings: dict[str, Any] | None = None,
) -> LanguageRun:
    """Train a model that tells the next token, and score it on the held-out text.

    Args:
        data: A text to learn from, one to test on, their tokenizer.
        config: Sizes of the model; its `vocab_size` becomes the tokenizer's.
        training: How it is trained.
        n_tokens: Length of the windows that it learns from, in tokens.
        left: Tokens that each token sees before it, in each layer; None for all.
        folder: Keeps weights, tokenizer, metrics, report; None: nothing is written.
        resume: Continue the run in the folder.
        overwrite: Begin anew in a folder that holds a run.
        progress: Show a bar.
        settings: What was asked for, kept in the folder from the start, so that the
            run can be continued without saying it again.

    Raises:
        UserError: If text, model and folder do not fit together.
        ValueError: If `left` is below 0, or the loss is not finite.
        Interrupted: At Ctrl-C, after the state was saved.
    """
    need_long_enough(data, n_tokens)
    check_sinks(left, 0)
    config = replace(config, vocab_size=data.tokenizer.vocab_size)
    model = fresh_model(config, left=left, seed=training.seed)
    about = describe_run(data, config, n_tokens=n_tokens, left=left)
    if folder is not None and resume:
        need_same_kind(folder)
    elif folder is not None:
        need_no_state(Path(folder), overwrite=overwrite)
        write_json(settings or {}, Path(folder) / SETTINGS)
        data.tokenizer.save(Path(folder) / TOKENIZER)
    history = fit_language_model(
        model,
        data,
        n_tokens=n_tokens,
        config=training,
        progress=progress,
        folder=folder,
        resume=resume,
        overwrite=overwrite,
        describe=about,
    )
    report = {
        "data": describe_text(data),
        "model": {**about, "weights": sum(w.numel() for w in model.parameters())},
        "training": asdict(training),
        "history": describe_history(history),
        "test": language_scores(model, data, n_tokens=n_tokens),
    }
    if folder is not None:
        write_report(report, folder)
    return LanguageRun(model, data.tokenizer, n_tokens, left, report)


def load_language_run(folder: str | Path) -> LanguageRun:
    """Load a language model that was trained, on the device of this machine.

    Args:
        folder: Where `train_language_run` kept it.

    Raises:
        UserError: If there is none, its training is not finished, or it is damaged.
    """
    place = Path(folder)
    about = _config_of(place)
    if (place / STATE).is_file() and not (place / WEIGHTS).is_file():
        raise UserError(
            f"need a language model whose training is finished, got {place}: continue "
            f"it with longctx train lm --resume --out {shlex.quote(str(place))}"
        )
    try:
        config = TransformerConfig(**about["transformer"])
        n_tokens, left = about["n_tokens"], about["left"]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{place / CONFIG} is damaged: {error}") from None
    tokenizer = Tokenizer.load(place / TOKENIZER)
    if tokenizer.vocab_size != config.vocab_size:
        raise UserError(
            f"need the tokenizer of the model, with {config.vocab_size} ids, got "
            f"{tokenizer.vocab_size} in {place / TOKENIZER}"
        )
    model = build_language_model(config, left=left)
    load_weights(model, place)
    return LanguageRun(model.to(device()).eval(), tokenizer, n_tokens, left)


def fresh_model(
    config: TransformerConfig, *, left: int | None = None, seed: int = 0
) -> nn.Module:
    """Build a model on the device of this machine; the seed decides its weights.

    Args:
        config: The sizes.
        left: Tokens that each token sees before it, in each layer; None for all.
        seed: Another seed, other weights.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_language_model(config, left=left).to(device())


def describe_run(
    data: LanguageData, config: TransformerConfig, *, n_tokens: int, left: int | None
) -> dict[str, Any]:
    """Say what `config.json` holds: the sizes of the model, and which text it read."""
    digest = hashlib.sha256(torch.cat([data.train, data.test]).numpy().tobytes())
    return {
        "kind": KIND,
        "transformer": asdict(config),
        "n_tokens": n_tokens,
        "left": left,
        "text": data.name,
        "digest of text": digest.hexdigest()[:8],
    }


def need_long_enough(data: LanguageData, n_tokens: int) -> None:
    """Refuse a text of which one part fills no window, before anything is trained.

    Args:
        data: The text.
        n_tokens: Length of the windows, in tokens.

    Raises:
        UserError: Saying which part is too short, and by how much.
    """
    if n_tokens < 1:
        raise UserError(f"need n_tokens >= 1, got n_tokens={n_tokens}")
    least = {"learn from": max(n_tokens + 1, *BASELINES.values())}
    least["hold out"] = n_tokens + 1
    for (use, need), ids in zip(least.items(), (data.train, data.test), strict=True):
        if len(ids) < need:
            raise UserError(
                f"need at least {need} tokens to {use} for windows of {n_tokens}, got "
                f"{len(ids)} in {data.name}: give a longer text, or fewer --tokens"
            )


def need_same_kind(folder: str | Path) -> None:
    """Refuse to continue a run that trains something else.

    Args:
        folder: Where the run is; one that wrote no config yet is passed over.

    Raises:
        UserError: If it is not a language model.
    """
    if (Path(folder) / CONFIG).is_file():
        _config_of(Path(folder))


def _config_of(folder: Path) -> dict[str, Any]:
    """Read the config of a language model, and no other."""
    about = read_config(folder)
    if about.get("kind") != KIND:
        raise UserError(
            f"need a language model that longctx train lm wrote, got another {CONFIG} "
            f"in {folder}"
        )
    return about
