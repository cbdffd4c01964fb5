"""A byte-pair tokenizer: from any text to numbers and back, without loss.

A text is its bytes in UTF-8, 256 kinds. Training joins the pair of neighbours that is
most frequent into a new token, again and again. The `tokenizers` library does that
work; here stand the special ids, and what a text and a file must look like.
"""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import tokenizers
import torch
from jaxtyping import Int
from torch import Tensor

from longctx_edu.data.files import decoded
from longctx_edu.errors import DataError, UserError
from longctx_edu.writing import write_whole

SPECIAL = ("<start>", "<mask>", "<pad>")
"""The special tokens; the place of each is its id. No text ever turns into one."""

N_BYTES = 256


class Tokenizer:
    """Turns a text into token ids and back; made by `train_tokenizer` or `load`.

    The special ids come first. The library's own vocabulary knows nothing of them:
    its ids are moved up by their number, so a text that holds "<start>" is only text.

    Args:
        pairs: The library's tokenizer, without special tokens.
    """

    start_id, mask_id, pad_id = range(len(SPECIAL))
    special_ids = tuple(range(len(SPECIAL)))

    def __init__(self, pairs: tokenizers.Tokenizer):
        self._pairs = pairs

    @property
    def vocab_size(self) -> int:
        """The number of ids: special tokens, bytes and joined pairs."""
        return len(SPECIAL) + self._pairs.get_vocab_size()

    def encode(self, text: str) -> Int[Tensor, " token"]:
        """Turn a text into ids, none of them special.

        Args:
            text: Any text.

        Raises:
            ValueError: If it holds half of a surrogate pair, which no UTF-8 can write.
        """
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"need text that UTF-8 can write, got the lone surrogate "
                f"{text[error.start]!r} at character {error.start}"
            ) from None
        ids = self._pairs.encode(text).ids
        return torch.tensor(ids, dtype=torch.long) + len(SPECIAL)

    def decode(self, ids: Int[Tensor, " token"] | Sequence[int]) -> str:
        """Turn ids into text; a special token is shown by its name.

        Args:
            ids: Token ids. Some that hold a part of a character only, as a model may
                write them, become the sign �.

        Raises:
            ValueError: If an id is outside the vocabulary.
        """
        ids = [int(i) for i in ids]
        outside = [i for i in ids if not 0 <= i < self.vocab_size]
        if outside:
            raise ValueError(
                f"need ids from 0 to {self.vocab_size - 1}, got {outside[0]}"
            )
        parts = []
        for is_special, run in groupby(ids, key=lambda i: i < len(SPECIAL)):
            if is_special:
                parts.extend(SPECIAL[i] for i in run)
            else:
                parts.append(self._pairs.decode([i - len(SPECIAL) for i in run]))
        return "".join(parts)

    def pieces(self, ids: Int[Tensor, " token"] | Sequence[int]) -> list[str]:
        """Turn each id into the text of its token alone, to be looked at.

        Args:
            ids: Token ids.

        Raises:
            ValueError: If an id is outside the vocabulary.
        """
        return [self.decode([int(i)]) for i in ids]

    def save(self, path: str | Path) -> None:
        """Write the tokenizer to a JSON file, whole or not at all.

        Args:
            path: The file; missing folders are made.

        Raises:
            UserError: If it cannot be written.
        """
        path, text = Path(path), self._pairs.to_str()
        try:
            write_whole(path, lambda place: place.write_text(text, encoding="utf-8"))
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Read a tokenizer that `save` wrote.

        Args:
            path: The file.

        Raises:
            UserError: If there is no such file.
            DataError: If it holds something else.
        """
        text = decoded(path)
        try:
            content = json.loads(text)
            kind, added = content["model"]["type"], content["added_tokens"]
            same = (kind, added, content["decoder"]["type"]) == ("BPE", [], "ByteLevel")
            pairs = tokenizers.Tokenizer.from_str(text) if same else None
        except Exception:  # the library raises nothing more special
            pairs = None
        if pairs is None or pairs.get_vocab_size() < N_BYTES:
            raise DataError(path, None, "need a file that Tokenizer.save wrote")
        return cls(pairs)
