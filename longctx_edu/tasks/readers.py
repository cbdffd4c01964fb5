"""How words become what a model reads: one token a word, or sub-words.

A reader turns the words of a document into model inputs and says, for each input
token, which word it belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor

from longctx_edu.data.text import word_features


@dataclass(frozen=True)
class Reading:
    """The words of a document as a model reads them.

    Args:
        inputs: Model inputs.
        words: The word that each input token belongs to, counted from 0.
    """

    inputs: Int[Tensor, " token *feature"]
    words: Int[Tensor, " token"]


@runtime_checkable
class Reader(Protocol):
    """What the task needs of a reader.

    Args:
        pad: The number that fills up a row.
        before: Inputs that open every piece, such as `[CLS]`.
        after: Inputs that close every piece, such as `[SEP]`.
    """

    pad: int
    before: Int[Tensor, " token *feature"]
    after: Int[Tensor, " token *feature"]

    def read(self, words: Sequence[str]) -> Reading:
        """Turn the words of a document into inputs."""
        ...


@dataclass(frozen=True)
class WordReader:
    """One token a word, as hashed features: for a model trained from nothing.

    Args:
        n_buckets: Rows of the model's table of features.

    Example:
        >>> WordReader(4096).read(["Ada", "sings"]).inputs.shape
        torch.Size([2, 4])
    """

    n_buckets: int
    pad: int = -1
    before: Tensor = field(default_factory=lambda: torch.empty(0, 4, dtype=torch.long))
    after: Tensor = field(default_factory=lambda: torch.empty(0, 4, dtype=torch.long))

    def read(self, words: Sequence[str]) -> Reading:
        """Give each word its features.

        Args:
            words: The words of a document.
        """
        features = word_features(words, n_buckets=self.n_buckets)
        return Reading(features, torch.arange(len(words)))


class SubwordReader:
    """Sub-words of a pretrained model's own tokenizer.

    A word may become several sub-words; one that the tokenizer would drop, such as
    a lone control character, becomes the unknown token, so that no word is lost.

    Args:
        tokenizer: A fast tokenizer of transformers.

    Raises:
        ValueError: If the tokenizer is not a fast one: only those tell which word a
            sub-word belongs to.
    """

    def __init__(self, tokenizer: Any):
        if not getattr(tokenizer, "is_fast", False):
            raise ValueError(
                "need a fast tokenizer, got " + type(tokenizer).__name__
            )  # fmt: skip
        self.tokenizer = tokenizer
        self.pad = tokenizer.pad_token_id or 0
        bare = tokenizer("a", add_special_tokens=False)["input_ids"]
        ids = tokenizer("a")["input_ids"]
        at = ids.index(bare[0])
        self.before = torch.tensor(ids[:at], dtype=torch.long)
        self.after = torch.tensor(ids[at + len(bare) :], dtype=torch.long)

    def read(self, words: Sequence[str]) -> Reading:
        """Cut each word into sub-words.

        Args:
            words: The words of a document.
        """
        if not words:
            nothing = torch.empty(0, dtype=torch.long)
            return Reading(nothing, nothing)
        encoded = self.tokenizer(
            list(words),
            is_split_into_words=True,
            add_special_tokens=False,
            verbose=False,
        )
        inputs, owners = [], []
        for piece, word in zip(encoded["input_ids"], encoded.word_ids(), strict=True):
            self._fill(inputs, owners, stop=word)
            inputs.append(piece)
            owners.append(word)
        self._fill(inputs, owners, stop=len(words))
        return Reading(torch.tensor(inputs), torch.tensor(owners))

    def _fill(self, inputs: list[int], owners: list[int], stop: int) -> None:
        """Give each word that has no sub-word before `stop` the unknown token."""
        first = owners[-1] + 1 if owners else 0
        for word in range(first, stop):
            inputs.append(self.tokenizer.unk_token_id)
            owners.append(word)
