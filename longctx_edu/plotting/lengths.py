"""Lengths that no training has seen: bits per token, and recall up to a cliff."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from longctx_edu.plotting.curves import line_style
from longctx_edu.plotting.style import (
    COLOURS,
    DARK,
    INK,
    describe,
    label_axes,
    on,
    panels,
    plain_frame,
)

HEARD = "#DCE6F2"


def plot_lengths(
    lines: Mapping[str, tuple[Sequence[int], Sequence[float]]],
    *,
    trained: int,
    y: str = "bits per token",
    ax: Axes | None = None,
    title: str = "",
) -> Axes:
    """Draw a loss against the length of the text, and where the training ended.

    Args:
        lines: Name to `(lengths, loss)`, lengths in tokens.
        trained: Length of the texts in training, in tokens.
        y: What goes up, with its unit.
        ax: Where to draw; a new figure by default.
        title: Above the lines.

    Raises:
        ValueError: If there is no line.

    Example:
        >>> ax = plot_lengths({"rotary": ([32, 64], [3.0, 4.5])}, trained=32)
        >>> ax.figure.alt
        'bits per token by length: rotary from 3.00 at 32 to 4.50 at 64 tokens.'
    """
    if not lines:
        raise ValueError("need at least one line, got none")
    ax = on(ax, width=5.2, height=3.4)
    for n, (name, (lengths, loss)) in enumerate(lines.items()):
        ax.plot(list(lengths), list(loss), label=name, **line_style(n))
    ax.axvline(trained, color=INK, linewidth=1, linestyle="--")
    ax.set_xscale("log", base=2)
    ticks = sorted({n for lengths, _ in lines.values() for n in lengths})
    ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
    ax.minorticks_off()
    ax.annotate(
        "trained up to here",
        (trained, 1.0),
        (4, -10),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=8,
        color=INK,
    )
    label_axes(ax, "length (tokens)", y)
    plain_frame(ax)
    ax.legend(fontsize=8, frameon=False)
    ends = [
        f"{name} from {loss[0]:.2f} at {lengths[0]} to {loss[-1]:.2f} at {lengths[-1]}"
        for name, (lengths, loss) in lines.items()
    ]
    return describe(ax, title, f"{y} by length: {', '.join(ends)} tokens.")


def plot_cliffs(
    heard: Mapping[str, Sequence[int]],
    *,
    distances: Sequence[int],
    measured: Mapping[str, Sequence[float]] | None = None,
    chance: float | None = None,
) -> list[Axes]:
    """Draw for each model the distances it can hear, and how often it is right there.

    A shaded distance is one from which something can arrive at the top of the model.

    Args:
        heard: For each model the distances that it can hear, in tokens.
        distances: All distances that are asked for, in tokens.
        measured: For each model its accuracy at each of these; None draws the
            prediction alone.
        chance: Accuracy of a guess, drawn as a dashed line.

    Raises:
        ValueError: If there is no model, or the measured ones are others.

    Returns:
        One axes a model, above each other.

    Example:
        >>> axes = plot_cliffs({"window": [0, 1, 2]}, distances=range(1, 5))
        >>> axes[0].figure.alt
        'window: hears 2 of 4 distances.'
    """
    if not heard or (measured is not None and list(measured) != list(heard)):
        raise ValueError(
            f"need at least one model, and the same ones measured, got "
            f"{', '.join(heard) or 'none'} and "
            f"{', '.join(measured) if measured is not None else 'nothing measured'}"
        )
    axes = panels(n_rows=len(heard), width=6.4, height=1.15)
    for ax, (name, far) in zip(axes, heard.items(), strict=True):
        seen = [place for place in distances if place in set(far)]
        ax.bar(seen, 1, width=1.0, color=HEARD)
        said = f"hears {len(seen)} of {len(distances)} distances"
        if measured is not None:
            style = {"color": DARK, "marker": "o", "markersize": 3, "linewidth": 0.8}
            ax.plot(list(distances), list(measured[name]), **style)
            said += f", {_shares(distances, seen, measured[name])}"
        if chance is not None:
            ax.axhline(chance, color=COLOURS[1], linewidth=1, linestyle="--")
        ax.set_xlim(min(distances) - 0.5, max(distances) + 0.5)
        ax.set_ylim(0, 1.08)
        ax.set_yticks([0, 1])
        label_axes(ax, "", "accuracy")
        plain_frame(ax)
        ax.grid(visible=False)
        ax.set_title(name, fontsize=9, loc="left", color=INK, pad=3)
        describe(ax, "", f"{name}: {said}.")
    axes[-1].set_xlabel("distance to the evidence (tokens)", fontsize=9)
    return axes


def _shares(distances, seen, accuracy):
    """Say how often it is right, at distances that it hears and at others."""
    groups: dict[bool, list[float]] = {True: [], False: []}
    for place, share in zip(distances, accuracy, strict=True):
        groups[place in set(seen)].append(share)
    words = {True: "right in {:.0%} there", False: "in {:.0%} elsewhere"}
    found = [(words[inside], values) for inside, values in groups.items() if values]
    return " and ".join(form.format(sum(v) / len(v)) for form, v in found)
