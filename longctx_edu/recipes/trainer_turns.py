"""Three ways to train a tagger, and what each takes: round by round, in turn."""

import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from tqdm import tqdm

from longctx_edu.recipes.tagger import Tagger
from longctx_edu.recipes.trainer_batches import Counted, examples_a_batch
from longctx_edu.recipes.trainer_peer import train_by_trainer
from longctx_edu.tasks import Piece
from longctx_edu.training import TrainConfig, fit, plan_batches

Row = dict[str, Any]

OURS, PLAIN, GROUPED = "ours", "Trainer", "Trainer, grouped"


@dataclass(frozen=True)
class Way:
    """One way to train.

    Args:
        name: Its name in the report.
        precision: "fp32" or "bf16".
        steps_an_epoch: Batches of an epoch, of ours of the first one.
        batch: Examples in a batch of Trainer; None for ours, which counts tokens.
        grouped: Trainer groups examples of like length.
    """

    name: str
    precision: str
    steps_an_epoch: int
    batch: int | None = None
    grouped: bool = False


def three_ways(pieces: Sequence[Piece], training: TrainConfig) -> list[Way]:
    """Say how each trains; batches have the same tokens at the mean.

    Args:
        pieces: What is learnt from.
        training: Our settings, their precision decided.
    """
    lengths = [len(piece) for piece in pieces]
    batches = plan_batches(lengths, replace(training, epochs=1))[0]
    padded = sum(len(batch) * max(lengths[at] for at in batch) for batch in batches)
    tokens = padded / len(batches)
    sizes = [
        examples_a_batch(lengths, tokens, grouped=grouped, seed=training.seed)
        for grouped in (False, True)
    ]
    plain, grouped = ((-(-len(lengths) // size), size) for size in sizes)
    return [
        Way(OURS, training.precision, len(batches)),
        Way(PLAIN, "fp32", *plain),
        Way(GROUPED, training.precision, *grouped, grouped=True),
    ]


def take_turns(
    ways: Sequence[Way],
    taggers: Sequence[Tagger],
    pieces: Sequence[Piece],
    training: TrainConfig,
    *,
    rounds: int,
    steps: int,
    progress: bool = False,
) -> list[list[Row]]:
    """Train all for a few steps, then all again, so that noise meets all alike.

    A turn is one pass over examples that are drawn anew in each round, the same for
    all. The first round, a short one, warms up and does not count.

    Args:
        ways: How each trains.
        taggers: What each trains.
        pieces: What the examples are drawn from.
        training: Our settings.
        rounds: That count.
        steps: Of our training in a turn.
        progress: Show a bar.

    Returns:
        What each turn took, for each way.
    """
    lengths = [len(piece) for piece in pieces]
    n_batches = len(plan_batches(lengths, replace(training, epochs=1))[0])
    n = min(len(pieces), round(len(pieces) * steps / n_batches))
    passes: list[list[Row]] = [[] for _ in ways]
    with tqdm(total=rounds * len(ways), disable=not progress, desc="in turn") as bar:
        for turn in range(rounds + 1):
            draw = torch.Generator().manual_seed(training.seed + turn)
            order = torch.randperm(len(pieces), generator=draw).tolist()
            few = [pieces[at] for at in order[: n if turn else 1 + n // 10]]
            how = replace(training, epochs=1, seed=training.seed + turn)
            for way, tagger, own in zip(ways, taggers, passes, strict=True):
                done = train_once(way, tagger, few, how)
                own += [done] if turn else []
                bar.update(bool(turn))
    return passes


def train_once(
    way: Way,
    tagger: Tagger,
    pieces: Sequence[Piece],
    training: TrainConfig,
    *,
    score: Callable[[], float] | None = None,
    progress: bool = False,
) -> Row:
    """Train a tagger in one of the ways.

    Args:
        way: How.
        tagger: Its model learns.
        pieces: What it learns from.
        training: Our settings.
        score: Called after each epoch, off the clock; the best epoch counts.
        progress: Show a bar.

    Returns:
        Seconds, steps, tokens, and tokens with padding counted.
    """
    if way.batch is not None:
        how = replace(training, precision=way.precision)
        size = {"batch": way.batch, "grouped": way.grouped}
        return train_by_trainer(
            tagger, pieces, how, **size, score=score, progress=progress
        )
    counted = Counted(tagger.collate, "keep")
    history = fit(
        tagger.model,
        pieces,
        collate=counted,
        loss=tagger.loss,
        config=training,
        evaluate=score and (lambda _: {"f1": score()}),
        progress=progress,
    )
    return {
        "seconds": history.training_s,
        "steps": len(history.steps),
        "tokens": counted.real,
        "padded_tokens": counted.padded,
    }


def speed_of(own: Sequence[Row], ours: Sequence[Row]) -> Row:
    """Sum up the turns of a way.

    Args:
        own: Its turns.
        ours: The turns of our training.

    Returns:
        Tokens a second, padding not counted, of each turn and the median; how many
        times as fast ours is, the median over the rounds; the share of padding.

    Example:
        >>> slow = {"seconds": 4.0, "tokens": 8, "padded_tokens": 16}
        >>> fast = {"seconds": 1.0, "tokens": 8, "padded_tokens": 10}
        >>> speed = speed_of([slow], [fast])
        >>> speed["tokens_per_s"], speed["ours_is_faster"], speed["padding"]
        (2.0, 4.0, 0.5)
    """
    rates = [done["tokens"] / done["seconds"] for done in own]
    fast = [done["tokens"] / done["seconds"] for done in ours]
    return {
        "tokens_per_s": statistics.median(rates),
        "ours_is_faster": statistics.median(map(operator.truediv, fast, rates)),
        "padding": padding_of(own),
        "turns": list(own),
    }


def padding_of(passes: Sequence[Row]) -> float:
    """Return the share of padding among the tokens that were computed.

    Args:
        passes: What `train_once` returned.
    """
    real, padded = (
        sum(p[name] for p in passes) for name in ("tokens", "padded_tokens")
    )
    return 1 - real / padded
