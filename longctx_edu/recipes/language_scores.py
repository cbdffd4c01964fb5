"""What a language model is worth: bits on held-out text, beside counts of n-grams."""

import math
from typing import Any

from torch import Tensor, nn

from longctx_edu.metrics import bits_per_byte
from longctx_edu.models import NGram
from longctx_edu.recipes.language import LanguageData, evaluate_bits

BASELINES = {"bigram": 2, "5-gram": 5}
"""Counts of short runs of tokens that a model is compared with, and their orders."""


def language_scores(
    model: nn.Module, data: LanguageData, *, n_tokens: int
) -> dict[str, dict[str, float]]:
    """Score a model and the n-grams on the held-out text, in bits a token and a byte.

    The model reads windows and forgets all between them; an n-gram reads the whole.

    Args:
        model: The trained model.
        data: The text; the n-grams learn from its first part.
        n_tokens: Length of the windows, in tokens.

    Raises:
        ValueError: If a part of the text is too short.

    Returns:
        By name: `bits_per_token` and `bits_per_byte`; the model's name is "model".
    """
    size = data.tokenizer.vocab_size
    bits = {
        name: NGram(order, size).fit(data.train).bits_per_token(data.test)
        for name, order in BASELINES.items()
    }
    bits["model"] = evaluate_bits(model, data.test, n_tokens=n_tokens)
    counts = {"n_tokens": len(data.test), "n_bytes": count_bytes(data, data.test)}
    return {
        name: {
            "bits_per_token": each,
            "bits_per_byte": bits_per_byte(each * math.log(2), **counts),
        }
        for name, each in bits.items()
    }


def describe_text(data: LanguageData) -> dict[str, Any]:
    """Say what the text is: its name, its sizes in tokens and bytes."""
    parts = {"train": data.train, "test": data.test}
    return {
        "name": data.name,
        "vocab_size": data.tokenizer.vocab_size,
        "sizes": {
            name: {"tokens": len(ids), "bytes": count_bytes(data, ids)}
            for name, ids in parts.items()
        },
    }


def count_bytes(data: LanguageData, ids: Tensor) -> int:
    """Count the bytes of a text, in UTF-8."""
    return len(data.tokenizer.decode(ids).encode("utf-8"))
