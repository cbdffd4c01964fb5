"""Named entities, in five steps: data, task layer, settings, training, test."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from torch import nn

from longctx_edu.data.catalogue import Splits
from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError
from longctx_edu.metrics.novelty import Known
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.known import SEEN, known_of, write_known
from longctx_edu.recipes.report_page import PAGE, write_report_page
from longctx_edu.recipes.scores import score_documents
from longctx_edu.recipes.tagger import Tagger, build
from longctx_edu.tasks import reading_cost
from longctx_edu.training import History, TrainConfig, fit
from longctx_edu.training.files import remove, write_text
from longctx_edu.training.state import need_no_state

REPORT, SETTINGS = "report.json", "settings.json"
PARTS = ("data", "model", "training")
"""What settings have parts about."""


@dataclass(frozen=True)
class NerRun:
    """What a training leaves: the tagger, its history and its scores.

    Args:
        tagger: The trained tagger.
        history: Steps and epochs.
        report: All that `report.json` holds.
    """

    tagger: Tagger
    history: History
    report: dict[str, Any]


def train_ner(
    splits: Splits,
    config: NerConfig,
    training: TrainConfig,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    settings: dict[str, Any] | None = None,
) -> NerRun:
    """Train a tagger on the train split, choose by dev, score on test.

    Args:
        splits: What `longctx_edu.data.catalogue.load` returns.
        config: What the tagger is made of.
        training: How it is trained.
        folder: Keeps weights, tokenizer, metrics, report and its page; None: nothing
            is written.
        resume: Continue the run in the folder.
        overwrite: Begin anew in a folder that holds a run.
        progress: Show bars.
        settings: What was asked for, kept in the folder from the start, so that the
            run can be continued without saying it again.

    Raises:
        UserError: If data, model and folder do not fit together.
        Interrupted: At Ctrl-C, after the state was saved.
    """
    tagger = build(config, splits.types, seed=training.seed)
    pieces = tagger.pieces(splits.train)
    known = known_of(splits.train)
    if folder is not None and not resume:
        _begin(Path(folder), tagger, settings or {}, overwrite=overwrite)
    before = tagger_scores(tagger, splits.test)
    history = fit(
        tagger.model,
        pieces,
        collate=tagger.collate,
        loss=tagger.loss,
        config=training,
        evaluate=dev_scorer(tagger, splits.dev) if splits.dev else None,
        folder=folder,
        resume=resume,
        overwrite=overwrite,
        progress=progress,
        describe=tagger.describe(),
    )
    start = perf_counter()
    predicted = tagger.predict(splits.test)
    after = score_documents(splits.test, predicted, known=known)
    report = {
        "data": describe_data(splits),
        "model": describe_model(tagger),
        "reading": reading_cost(pieces, splits.train),
        "training": asdict(training),
        "history": describe_history(history),
        "before": {"test": before},
        "test": after,
        "test_s": perf_counter() - start,
    }
    if folder is not None:
        write_known(known, folder)
        write_report(report, folder)
        _write_page(folder, splits, predicted, after)
    return NerRun(tagger, history, report)


def _begin(
    folder: Path, tagger: Tagger, settings: dict[str, Any], *, overwrite: bool
) -> None:
    """Write what is known from the start, where no other run is destroyed by it."""
    need_no_state(folder, overwrite=overwrite)
    if overwrite:
        for name in (REPORT, PAGE, SEEN):  # they speak of the run before
            remove(folder / name)
    write_json(settings, folder / SETTINGS)
    tagger.save_tokenizer(folder)


def _write_page(
    folder: str | Path,
    splits: Splits,
    predicted: Sequence[Sequence[str]],
    scores: dict[str, Any],
) -> None:
    title = f"Named entities in {splits.name}, test"
    write_report_page(Path(folder) / PAGE, splits.test, predicted, scores, title=title)


def tagger_scores(
    tagger: Tagger, documents: Sequence[Document], *, known: Known | None = None
) -> dict[str, Any]:
    """Tag documents and score the tags.

    Args:
        tagger: Any tagger.
        documents: Documents with gold tags.
        known: The types that each form had in training, as `read_known` says.
    """
    return score_documents(documents, tagger.predict(documents), known=known)


def dev_scorer(
    tagger: Tagger, documents: Sequence[Document]
) -> Callable[[nn.Module], dict[str, float]]:
    """Return what `fit` calls after each epoch; documents are cut only once.

    Args:
        tagger: The tagger in training.
        documents: The dev split.
    """
    pieces = tagger.pieces(documents)

    def evaluate(_: nn.Module) -> dict[str, float]:
        scores = score_documents(documents, tagger.predict(documents, pieces=pieces))
        names = ("f1", "precision", "recall", "token_accuracy", "f1_far")
        return {name: scores[name] for name in names if name in scores}

    return evaluate


def describe_data(splits: Splits) -> dict[str, Any]:
    """Say what the data is: name, types, sizes."""
    parts = {"train": splits.train, "dev": splits.dev, "test": splits.test}
    return {
        "name": splits.name,
        "types": list(splits.types),
        "repaired_tags": splits.n_repaired,
        "sizes": {
            name: {"documents": len(part), "words": sum(len(d) for d in part)}
            for name, part in parts.items()
        },
    }


def describe_model(tagger: Tagger) -> dict[str, Any]:
    """Say what the model is: its config and its number of weights."""
    weights = sum(weight.numel() for weight in tagger.model.parameters())
    return {**tagger.config.to_json(), "table": tagger.table, "weights": weights}


def describe_history(history: History) -> dict[str, Any]:
    """Say how the training went: its epochs, seconds and tokens per second."""
    return {
        "epochs": history.epochs,
        "losses": [[row["step"], row["loss"]] for row in history.steps],
        "best_epoch": history.best_epoch,
        "stopped_early": history.stopped_early,
        "seconds": history.seconds,
        "tokens": history.tokens,
        "tokens_per_s": history.tokens_per_s,
    }


def write_report(report: dict[str, Any], folder: str | Path) -> None:
    """Write `report.json`, whole or not at all.

    Args:
        report: Numbers and words.
        folder: Made where it is missing.
    """
    write_json(report, Path(folder) / REPORT)


def write_json(values: dict[str, Any], path: Path) -> None:
    """Write numbers and words as JSON, whole or not at all.

    Args:
        values: What to write.
        path: The file; its folder is made where it is missing.
    """
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def read_settings(folder: str | Path) -> dict[str, Any]:
    """Read what `train_ner` was asked for when it began the run in a folder.

    Args:
        folder: The folder of the run.

    Raises:
        UserError: If no run was begun there, or the file is damaged.

    Returns:
        What was asked for about the data, the model and the training, by name.
    """
    path = Path(folder) / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"nothing to resume in {folder}: no {SETTINGS}; start it without --resume"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not isinstance(settings, dict):
        raise UserError(f"need a JSON object in {path}, got {settings!r}")
    return {part: dict(settings.get(part, {})) for part in PARTS}
