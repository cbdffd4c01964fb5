"""Two taggers on the same documents: is one better, or were the documents lucky?"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Generator, Tensor

from longctx_edu.data.cut import Splits
from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError
from longctx_edu.metrics import Score, entity_counts, paired_bootstrap
from longctx_edu.recipes.seeds import PREFIX, SEEDS, read_json
from longctx_edu.recipes.tagger import load, need_known_types
from longctx_edu.training.checkpoints import WEIGHTS


def compare_runs(
    a: str | Path,
    b: str | Path,
    splits: Splits,
    *,
    split: str = "test",
    draws: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Predict with two runs, and test whether their strict F1s differ.

    A folder that `train_seeds` filled stands for its mean: all its taggers are scored
    on the same drawn documents, and their F1s averaged.

    Args:
        a: The folder of a run, or of runs with seeds.
        b: The folder that it is compared with.
        splits: The data set.
        split: Which part of it: "train", "dev" or "test".
        draws: How often documents are drawn.
        seed: Decides the draws.

    Raises:
        UserError: If a folder holds no tagger, or the taggers and the data do not
            share their entity types.

    Returns:
        "data", "split", "documents"; "unit": what was drawn, "documents", or
        "sentences" where there is one document; "a" and "b", each with its folder and
        the F1 of its runs; and what `metrics.Comparison` holds.
    """
    places = {"a": run_folders(a), "b": run_folders(b)}
    _need_same_types([*places["a"], *places["b"]], splits)
    documents = getattr(splits, split)
    unit, starts = drawn_units(documents)
    counts = {
        name: torch.stack([_counts(place, documents, starts) for place in folders])
        for name, folders in places.items()
    }
    generator = Generator().manual_seed(seed)
    tested = paired_bootstrap(
        counts["a"], counts["b"], generator=generator, draws=draws
    )
    return {
        "data": splits.name,
        "split": split,
        "documents": len(documents),
        "unit": unit,
        "a": {"folder": str(a), "f1_of_runs": _f1_of_runs(counts["a"])},
        "b": {"folder": str(b), "f1_of_runs": _f1_of_runs(counts["b"])},
        **asdict(tested),
        "seed": seed,
    }


def drawn_units(
    documents: Sequence[Document],
) -> tuple[str, list[Sequence[int]] | None]:
    """Say what the bootstrap draws: documents, or of a single one its sentences.

    Args:
        documents: The documents.

    Raises:
        UserError: If there are not two of either.

    Returns:
        "documents" or "sentences", and what `entity_counts` takes as `starts`.
    """
    if len(documents) > 1:
        return "documents", None
    starts = [document.sentence_starts for document in documents]
    n = sum(map(len, starts))
    if n < 2:
        raise UserError(
            f"need at least 2 documents, or 2 sentences in one, to draw from, got {n}"
        )
    return "sentences", starts


def run_folders(folder: str | Path) -> list[Path]:
    """List the folders of the taggers that a folder stands for.

    Args:
        folder: That of a run, or one in which `train_seeds` has kept several.

    Raises:
        UserError: If runs with seeds were begun there and not all finished.
    """
    folder = Path(folder)
    if (folder / SEEDS).is_file():
        seeds = read_json(folder / SEEDS)["seeds"]
        return [folder / f"{PREFIX}{seed}" for seed in seeds]
    has_run = (folder / WEIGHTS).exists()
    if not has_run and any(folder.glob(f"{PREFIX}*")):
        raise UserError(
            f"need runs with seeds that are finished, got no {SEEDS} in {folder}: "
            f"finish them with longctx train ner --resume --out {folder}"
        )
    return [folder]


def _need_same_types(folders: Sequence[Path], splits: Splits) -> None:
    """Refuse taggers that do not know the same types, before any of them predicts."""
    types = {}
    for folder in folders:
        tagger = load(folder)
        need_known_types(tagger, splits, folder)
        types[folder] = sorted(tagger.types)
    first = types[folders[0]]
    for folder, others in types.items():
        if others != first:
            raise UserError(
                f"need runs with the same entity types, got {', '.join(first)} in "
                f"{folders[0]} and {', '.join(others)} in {folder}"
            )


def _counts(
    folder: Path, documents: Sequence[Document], starts: list[Sequence[int]] | None
) -> Int[Tensor, "unit 3"]:
    gold = [document.tags for document in documents]
    return entity_counts(gold, load(folder).predict(documents), starts)


def _f1_of_runs(counts: Int[Tensor, "run unit 3"]) -> list[float]:
    return [Score.from_counts(*run).f1 for run in counts.sum(1).tolist()]
