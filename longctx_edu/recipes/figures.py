"""The figures of a run, drawn from its report."""

from pathlib import Path
from typing import Any

import torch

from longctx_edu.training.files import cannot_write


def write_figures(report: dict[str, Any], folder: str | Path) -> list[Path]:
    """Draw the training, the confusion and, where known, F1 by distance.

    Args:
        report: What `train_ner` reports.
        folder: Where the PNG files go.

    Raises:
        UserError: If one cannot be written.

    Returns:
        The files.
    """
    from longctx_edu.plotting import save_figure

    folder, written = Path(folder), []
    for name, axes in _figures(report):
        path = folder / f"{name}.png"
        try:
            written.append(save_figure(axes, path))
        except OSError as error:
            raise cannot_write(path, error) from error
    return written


def _figures(report: dict[str, Any]) -> list[tuple[str, Any]]:
    from longctx_edu.plotting import plot_confusion, plot_f1_by_distance, plot_training

    history, test = report["history"], report["test"]
    steps = [{"step": step, "loss": loss} for step, loss in history["losses"]]
    labels, counts = test["confusion"]["labels"], test["confusion"]["counts"]
    figures = [
        ("training", plot_training([*steps, *history["epochs"]])[0]),
        ("confusion", plot_confusion(labels, torch.tensor(counts))),
    ]
    if "by_distance" in test:
        before = report["before"]["test"]["by_distance"]
        lines = {
            "before training": points(before),
            "after": points(test["by_distance"]),
        }
        figures.append(("f1_by_distance", plot_f1_by_distance(lines)))
    return figures


def points(
    buckets: list[dict[str, Any]],
) -> list[tuple[int, int | None, float | None]]:
    """Turn scores by distance into points of a line; None where there is no entity.

    Args:
        buckets: Each with low, high, f1 and support.

    Example:
        >>> points([{"low": 0, "high": 0, "f1": 0.5, "support": 3}])
        [(0, 0, 0.5)]
    """
    return [(b["low"], b["high"], b["f1"] if b["support"] else None) for b in buckets]
