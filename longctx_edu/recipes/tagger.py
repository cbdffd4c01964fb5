"""A tagger: model, reader and tags in one, to be trained, saved, loaded and used."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from longctx_edu.data.cut import Splits
from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError
from longctx_edu.measure import device
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.decoding import collate_for, decoder_for, loss_for
from longctx_edu.recipes.parts import (
    Parts,
    pretrained_parts,
    restored_parts,
    scratch_parts,
)
from longctx_edu.tasks import (
    Piece,
    Reader,
    SubwordReader,
    pieces_of,
    predict_tags,
    tag_names,
)
from longctx_edu.training import load_weights, read_config, save_weights
from longctx_edu.training.files import cannot_write

TOKENIZER = "tokenizer"
"""The folder, beside the weights, of a pretrained model's tokenizer."""


@dataclass(frozen=True)
class Tagger:
    """A model with all that it needs to tag a document.

    Args:
        model: A token classifier.
        reader: How words become its inputs.
        types: The entity types that it knows.
        config: What it is made of.
        table: Most tokens that it reads at once; None without a limit.
        backbone: The config of a pretrained encoder, as numbers; None from scratch.
    """

    model: nn.Module
    reader: Reader
    types: tuple[str, ...]
    config: NerConfig
    table: int | None = None
    backbone: dict[str, Any] | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag that each label number stands for."""
        return tag_names(self.types)

    @property
    def collate(self) -> Callable[[Sequence[Piece]], dict[str, Tensor]]:
        """Put pieces side by side, filled up as the reader says."""
        return partial(collate_for(self.config.decoding), pad=self.reader.pad)

    @property
    def loss(self) -> Callable[[nn.Module, dict[str, Tensor]], Tensor]:
        """What training lowers, from the model and what `collate` returns."""
        return loss_for(self.config.decoding, self.config.outside_weight)

    def pieces(self, documents: Sequence[Document]) -> list[Piece]:
        """Cut documents into what the model reads at once.

        Args:
            documents: Words with tags; the tags train, and are not needed to predict.

        Raises:
            UserError: If a document is longer than the position table, and nothing
                says that it may be cut.
        """
        cut = self.config.cut(self.table)
        pieces = pieces_of(documents, self.reader, self.tags, cut)
        for piece in pieces:
            if self.table is not None and len(piece) > self.table:
                raise UserError(
                    f"need at most {self.table} tokens, the length of the position "
                    f"table of {self.config.model}, got {len(piece)} in "
                    f"{documents[piece.document].name}: use --attention chunks or "
                    f"window, or cut documents with --max-tokens {self.table}"
                )
        return pieces

    def predict(
        self,
        documents: Sequence[Document],
        *,
        pieces: Sequence[Piece] | None = None,
        on_piece: Callable[[int], None] | None = None,
    ) -> list[list[str]]:
        """Tag documents of any length.

        Args:
            documents: The documents.
            pieces: Their pieces, where they are cut already.
            on_piece: Called with the tokens of each finished batch.
        """
        return predict_tags(
            self.model,
            self.pieces(documents) if pieces is None else pieces,
            self.tags,
            lengths=[len(document) for document in documents],
            pad=self.reader.pad,
            decode=decoder_for(self.config.decoding, self.model),
            on_piece=on_piece,
        )

    def describe(self) -> dict[str, Any]:
        """Return what `config.json` holds: all but the weights."""
        return {
            "kind": "tagger",
            "ner": self.config.to_json(),
            "types": list(self.types),
            "table": self.table,
            "backbone": self.backbone,
        }

    def save(self, folder: str | Path) -> None:
        """Write weights, config and tokenizer, each file whole or not at all.

        Args:
            folder: Made where it is missing.

        Raises:
            UserError: If it cannot be written.
        """
        self.save_tokenizer(folder)
        save_weights(self.model, self.describe(), folder)

    def save_tokenizer(self, folder: str | Path) -> None:
        """Write the tokenizer of a pretrained model.

        Args:
            folder: Where weights and config stand.

        Raises:
            UserError: If it cannot be written.
        """
        if not isinstance(self.reader, SubwordReader):
            return
        place = Path(folder) / TOKENIZER
        try:
            place.mkdir(parents=True, exist_ok=True)
            self.reader.tokenizer.save_pretrained(place)
        except OSError as error:
            raise cannot_write(place, error) from error


def build(config: NerConfig, types: Sequence[str], *, seed: int = 0) -> Tagger:
    """Make a tagger with a fresh task layer, on the device of this machine.

    Args:
        config: What it is made of.
        types: Entity types.
        seed: Decides the fresh weights.

    Raises:
        UserError: If a pretrained model is not found or cannot read so long a text.
    """
    make = pretrained_parts if config.is_pretrained else scratch_parts
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        parts = make(config, tag_names(types))
    return _tagger(parts, types, config)


def load(folder: str | Path) -> Tagger:
    """Load a saved tagger.

    Args:
        folder: Where `Tagger.save`, or a training, wrote.

    Raises:
        UserError: If there is none, or it is damaged.
    """
    saved = read_config(folder)
    if saved.get("kind") != "tagger":
        raise UserError(
            f"need a tagger that longctx train wrote, got another config.json "
            f"in {folder}"
        )
    try:
        config = NerConfig.from_json(saved["ner"])
        types, backbone = saved["types"], saved["backbone"]
    except (KeyError, TypeError) as error:
        raise UserError(f"{folder}/config.json is damaged: {error}") from None
    tags = tag_names(types)
    if backbone is None:
        parts = scratch_parts(config, tags)
    else:
        parts = restored_parts(config, tags, backbone, Path(folder) / TOKENIZER)
    load_weights(parts.model, folder)
    parts.model.eval()
    return _tagger(parts, types, config)


def need_known_types(tagger: Tagger, splits: Splits, folder: Path) -> None:
    """Make sure that a model knows the entity types of a data set.

    Args:
        tagger: The model.
        splits: The data set.
        folder: Where the model is, for the message.

    Raises:
        UserError: If a type of the data is none of the model's.
    """
    strange = sorted(set(splits.types) - set(tagger.types))
    if strange:
        raise UserError(
            f"need entity types among {', '.join(tagger.types)}, which the model in "
            f"{folder} knows, got {', '.join(strange)} in {splits.name}: evaluate it "
            "on data like that it was trained on"
        )


def _tagger(parts: Parts, types: Sequence[str], config: NerConfig) -> Tagger:
    """Put the parts together, on the device of this machine."""
    parts.model.to(device())
    return Tagger(
        parts.model, parts.reader, tuple(types), config, parts.table, parts.backbone
    )
