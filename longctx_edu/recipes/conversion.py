"""The conversion ladder: what a pretrained encoder made long is worth, step by step.

The model and its long versions stand in `conversion_model`, training and scoring in
`conversion_training`, fine-tuning in `conversion_ner`.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from jaxtyping import Int
from torch import Tensor

from longctx_edu.errors import UserError
from longctx_edu.masks import check_window
from longctx_edu.recipes.conversion_bits import N_SPECIAL, bits_at, text_ids
from longctx_edu.recipes.conversion_model import (
    MaskedReader,
    load_masked,
    with_copied_rows,
    with_random_rows,
)
from longctx_edu.recipes.conversion_training import (
    MODEL_RATE,
    continue_training,
    learn_to_name,
)

ORIGINAL, CHUNKS = "original", "original, in chunks"
RANDOM, COPIED = "long, random rows", "long, copied rows"
CONTROL, TRAINED = "in chunks, trained on", "long, trained on"
RUNGS = (ORIGINAL, CHUNKS, RANDOM, COPIED, CONTROL, TRAINED)
"""The rungs in their order; `CONTROL` is what `TRAINED` has to be compared with."""

LENGTHS = (512, 1024, 2048, 4096)
HEAD_STEPS, STEPS, HELD_TOKENS = 200, 100, 16_384
"""Batches for the head, batches for the whole model, tokens of the test."""


@dataclass(frozen=True)
class Rung:
    """How good a model is at a step of its conversion.

    Args:
        name: The step, one of `RUNGS`.
        bits: Bits per masked token, by the length in tokens of what is read at once;
            None where the model cannot read so much.
        trained_tokens: Tokens that it was trained on after `ORIGINAL`.
        seconds: Of its making and its scoring.
    """

    name: str
    bits: dict[int, float | None]
    trained_tokens: int = 0
    seconds: float = 0.0


def conversion_ladder(
    model: str = "minilm",
    *,
    text: str | Path,
    lengths: Sequence[int] = LENGTHS,
    head_steps: int = HEAD_STEPS,
    steps: int = STEPS,
    left: int = 256,
    right: int = 256,
    learning_rate: float = MODEL_RATE,
    held_tokens: int = HELD_TOKENS,
    seed: int = 0,
    progress: bool = True,
    on_rung: Callable[[Rung, MaskedReader], object] = lambda rung, reader: None,
) -> list[Rung]:
    """Make a pretrained encoder long, and tell after each step how well it reads.

    Every rung names the same hidden tokens of the same held-out text. A step of
    training reads one text of the longest length, or as many tokens in chunks.

    Args:
        model: "minilm", a folder, or an id of the Hub.
        text: A text file in UTF-8; its last tenth is held out.
        lengths: Tokens that are read at once, one of them more than the model could.
        head_steps: Batches in which an encoder with a fresh masked-language head
            learns to name tokens, see `learn_to_name`; one that came with a head has
            learnt it.
        steps: Batches that the whole model is trained on afterwards.
        left: Keys visible before each query of the long model, itself not counted.
        right: Keys visible after it.
        learning_rate: The peak where the whole model is trained on.
        held_tokens: Most tokens of the held-out text that are used.
        seed: Decides the head, the hidden tokens, the random rows, the training.
        progress: Show bars.
        on_rung: Called with each rung and its model as soon as it is scored.

    Raises:
        UserError: If model or text is not found, or they do not fit the lengths.
        ValueError: If a number is out of range.
        Interrupted: At Ctrl-C in training.

    Source: Longformer (Beltagy et al. 2020), section 5 and table 5. Built in lesson 10.
    """
    check_window(left, right, 1)
    _need_positive(head_steps=head_steps, steps=steps, held_tokens=held_tokens)
    climb = _Climb(tuple(lengths), seed, on_rung)
    reader = load_masked(model, seed=seed)
    train, climb.test = text_ids(reader, text)
    climb.test = climb.test[:held_tokens]
    _need_room(climb, train, reader.longest)
    longest, first = max(lengths), reader.longest
    how = {"seed": seed, "progress": progress}
    if not reader.has_own_head:
        learn_to_name(reader, train, n_tokens=first, steps=head_steps, **how)
    climb.reach(ORIGINAL, reader)
    climb.reach(CHUNKS, reader, chunk=first)
    window = {"left": left, "right": right}
    climb.reach(RANDOM, with_random_rows(reader, longest, **window, seed=seed))
    long = with_copied_rows(reader, longest, **window)
    climb.reach(COPIED, long)
    how |= {"batch_tokens": longest, "learning_rate": learning_rate, "steps": steps}
    for name, start, n, chunk in (
        (CONTROL, reader, first, first),
        (TRAINED, long, longest, None),
    ):
        after = deepcopy(start)
        done = continue_training(after, train, n_tokens=n, **how)
        climb.reach(name, after, chunk=chunk, trained_tokens=done.tokens)
    return climb.rungs


@dataclass
class _Climb:
    """What every rung shares, and the rungs so far."""

    lengths: tuple[int, ...]
    seed: int
    on_rung: Callable[[Rung, MaskedReader], object]
    test: Int[Tensor, " token"] | None = None
    rungs: list[Rung] = field(default_factory=list)
    clock: float = field(default_factory=perf_counter)

    def reach(
        self,
        name: str,
        reader: MaskedReader,
        *,
        chunk: int | None = None,
        trained_tokens: int = 0,
    ) -> None:
        """Score a model at each length; chunks read any text, and all alike."""
        sizes = {n: min(n, chunk or n) for n in self.lengths}
        bits = {
            size: bits_at(reader, self.test, n_tokens=size, seed=self.seed)
            for size in sorted(set(sizes.values()))
            if size <= reader.longest
        }
        by_length = {n: bits.get(size) for n, size in sizes.items()}
        now = perf_counter()
        rung = Rung(name, by_length, trained_tokens, now - self.clock)
        self.rungs.append(rung)
        self.on_rung(rung, reader)
        self.clock = now


def _need_positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"need {name} >= 1, got {name}={value}")


def _need_room(climb: _Climb, train: Tensor, first: int) -> None:
    """Refuse lengths that model or text do not reach, before anything is trained."""
    longest, least = max(climb.lengths, default=0), min(climb.lengths, default=0)
    if longest <= first or least <= N_SPECIAL:
        raise UserError(
            f"need lengths > {N_SPECIAL}, one of them > {first}, what the model reads "
            f"as it came, got {', '.join(map(str, climb.lengths)) or 'none'}"
        )
    for use, ids in (("learn from", train), ("hold out", climb.test)):
        if len(ids) < longest:
            raise UserError(
                f"need at least {longest} tokens to {use} for texts of {longest}, got "
                f"{len(ids)}: give a longer text, or shorter lengths"
            )
