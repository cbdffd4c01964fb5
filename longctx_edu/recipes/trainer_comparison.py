"""Our training of a tagger beside transformers' Trainer: same start, same data.

What is compared is tokens per second of training, and whether F1 stays the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import torch
from accelerate.utils import send_to_device
from torch import Tensor

from longctx_edu.data.catalogue import Splits
from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError
from longctx_edu.measure import device
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.ner import describe_data, describe_model, dev_scorer
from longctx_edu.recipes.scores import score_documents
from longctx_edu.recipes.tagger import Tagger, build
from longctx_edu.recipes.trainer_batches import as_features
from longctx_edu.recipes.trainer_peer import collator, under_their_head
from longctx_edu.recipes.trainer_turns import (
    Row,
    Way,
    padding_of,
    speed_of,
    take_turns,
    three_ways,
    train_once,
)
from longctx_edu.tasks import Piece
from longctx_edu.training import TrainConfig, faster_precision
from longctx_edu.training.checkpoints import copy_weights

CLOSE = 1e-4
"""How far losses may lie apart before any step, in nats."""


def compare_trainers(
    splits: Splits,
    config: NerConfig,
    training: TrainConfig,
    *,
    rounds: int = 5,
    steps: int = 20,
    scores: bool = True,
    progress: bool = False,
    save: Callable[[Row], object] = lambda report: None,
) -> Row:
    """Train a tagger in three ways: ours, Trainer as it is, and Trainer at its best.

    First the speed: in each round the three learn, in turn, from the same few examples;
    the median counts. Then each is trained once from the start, and its best epoch by
    dev is scored. Scoring is never on the clock.

    Args:
        splits: The data set.
        config: Which pretrained encoder, and how long its pieces are.
        training: How it is trained. Trainer at its best has its precision, and groups
            examples by length.
        rounds: Rounds of the speed.
        steps: Of our training in a round; the others read the same examples.
        scores: Also train to the end, and score.
        progress: Show bars.
        save: Called with the report as it grows.

    Returns:
        The report: what JSON holds.

    Raises:
        UserError: If the model is none that Trainer can train from the same start.
    """
    _need_comparable(config, rounds, steps)
    if training.precision == "auto":
        training = replace(training, precision=faster_precision(device()))
    tagger = build(config, splits.types, seed=training.seed)
    pieces = tagger.pieces(splits.train)
    ways = three_ways(pieces, training)
    report: Row = {
        "complete": False,
        "data": describe_data(splits),
        "model": describe_model(tagger),
        "training": asdict(training),
        "examples": len(pieces),
        "rows": [asdict(way) for way in ways],
    }
    taggers = [build(config, splits.types, seed=training.seed) for _ in ways]
    losses = [loss_at_start(*pair, pieces) for pair in zip(ways, taggers, strict=True)]
    _need_same_start(losses)
    passes = take_turns(
        ways, taggers, pieces, training, rounds=rounds, steps=steps, progress=progress
    )
    for row, loss, own in zip(report["rows"], losses, passes, strict=True):
        row |= {"loss_at_start": loss, "speed": speed_of(own, passes[0])}
    save(report)
    del taggers
    for way, row in zip(ways, report["rows"] if scores else [], strict=False):
        row |= train_and_score(way, splits, config, training, progress=progress)
        save(report)
    report["complete"] = True
    save(report)
    return report


def loss_at_start(way: Way, tagger: Tagger, pieces: Sequence[Piece]) -> float:
    """Return the loss of the first pieces before any step, without dropout, in nats.

    Args:
        way: Whose collation, model and loss.
        tagger: Untrained.
        pieces: What will be learnt from.
    """
    first = pieces[:8]
    tagger.model.eval()
    with torch.no_grad():
        if way.batch is None:
            batch = tagger.collate(first)
            loss = tagger.loss(tagger.model, send_to_device(batch, device()))
        else:
            batch = collator(tagger)(as_features(first))
            model = under_their_head(tagger).eval()
            loss = model(**send_to_device(dict(batch), device())).loss
    return float(loss)


def train_and_score(
    way: Way,
    splits: Splits,
    config: NerConfig,
    training: TrainConfig,
    *,
    progress: bool = False,
) -> Row:
    """Train once from the start, and score the best epoch.

    Args:
        way: How.
        splits: The data set.
        config: What the tagger is made of.
        training: Our settings.
        progress: Show a bar.

    Returns:
        What the training took, F1 on dev after each epoch, and F1 on test.
    """
    tagger = build(config, splits.types, seed=training.seed)
    best = Best(tagger, splits.dev)
    done = train_once(
        way,
        tagger,
        tagger.pieces(splits.train),
        training,
        score=best.score if splits.dev else None,
        progress=progress,
    )
    best.restore()
    test = score_documents(splits.test, tagger.predict(splits.test))
    return {
        "training": {
            **done,
            "tokens_per_s": done["tokens"] / done["seconds"],
            "padding": padding_of([done]),
        },
        "dev_f1": best.f1,
        "test": {name: test[name] for name in ("f1", "precision", "recall")},
    }


class Best:
    """Scores a tagger after each epoch, and remembers the weights of the best.

    Args:
        tagger: The tagger in training.
        dev: What it is scored on.
    """

    def __init__(self, tagger: Tagger, dev: Sequence[Document]):
        self.tagger = tagger
        self.f1: list[float] = []
        self._evaluate = dev_scorer(tagger, dev)
        self._weights: dict[str, Tensor] = {}

    def score(self) -> float:
        """Score the weights of now."""
        f1 = self._evaluate(self.tagger.model)["f1"]
        if f1 > max(self.f1, default=-1.0):
            self._weights = copy_weights(self.tagger.model)
        self.f1.append(f1)
        return f1

    def restore(self) -> None:
        """Put the best weights back; the last ones count where none were scored."""
        if self._weights:
            self.tagger.model.load_state_dict(self._weights)


def _need_comparable(config: NerConfig, rounds: int, steps: int) -> None:
    """Refuse what Trainer cannot train, or what measures nothing."""
    for name, value in (("rounds", rounds), ("steps", steps)):
        if value < 1:
            raise UserError(f"need {name} >= 1, got {name}={value}")
    if not config.is_pretrained:
        raise UserError(
            "need a pretrained model, which Trainer can train too, got model="
            f"{config.model!r}: use minilm, a folder or an id of the Hub"
        )


def _need_same_start(losses: Sequence[float]) -> None:
    """Refuse to compare models that differ before any step."""
    if max(losses) - min(losses) > CLOSE:
        raise UserError(
            "need the same loss in all ways before any step, got "
            f"{', '.join(f'{loss:.5f}' for loss in losses)}: choose another --model"
        )
