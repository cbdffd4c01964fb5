"""Fine-tune the rungs of the conversion ladder on named entities, each the same way."""

from collections.abc import Mapping
from tempfile import TemporaryDirectory

from longctx_edu.data.cut import Splits
from longctx_edu.integrations import register
from longctx_edu.recipes.config import PRETRAINED, NerConfig
from longctx_edu.recipes.conversion import COPIED, RANDOM, TRAINED
from longctx_edu.recipes.conversion_model import MaskedReader
from longctx_edu.recipes.ner import train_ner
from longctx_edu.training import TrainConfig

STARTS = (RANDOM, COPIED, TRAINED)
"""The rungs from which a tagger is trained."""


def fine_tuned_f1(
    starts: Mapping[str, MaskedReader],
    splits: Splits,
    *,
    left: int = 256,
    right: int = 256,
    training: TrainConfig | None = None,
    progress: bool = True,
) -> dict[str, float]:
    """Train a tagger of named entities from each start, and score it on test.

    Data, steps, seed and window are the same for all; what differs is what the
    encoder brings with it. It reads whole documents, up to its longest text.

    Args:
        starts: Encoders that were made long, by name; they stay as they are.
        splits: What `longctx_edu.data.catalogue.load` returns.
        left: Keys visible before each query, itself not counted.
        right: Keys visible after it.
        training: How they are trained; None: as pretrained models are.
        progress: Show bars.

    Raises:
        UserError: If data and model do not fit together.
        Interrupted: At Ctrl-C.

    Returns:
        Strict entity F1 on the test split, by name.

    Source: Longformer (Beltagy et al. 2020), section 5. Built in lesson 10.
    """
    training = TrainConfig(**PRETRAINED) if training is None else training
    register()  # the saved config names our attention
    scores = {}
    for name, reader in starts.items():
        with TemporaryDirectory(prefix="longctx-") as folder:
            reader.model.save_pretrained(folder)
            reader.tokenizer.save_pretrained(folder)
            config = NerConfig(
                model=folder,
                attention="window",
                left=left,
                right=right,
                max_tokens=reader.longest,
            )
            run = train_ner(splits, config, training, progress=progress)
        scores[name] = run.report["test"]["f1"]
    return scores
