"""A pretrained encoder with a masked-language head, and the same encoder made long."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from longctx_edu.data.hub import hub_in_reach
from longctx_edu.errors import UserError
from longctx_edu.integrations import (
    find_pretrained,
    load_pretrained,
    make_long,
    table_length,
)
from longctx_edu.integrations.pretrained import quiet
from longctx_edu.measure import device


@dataclass(frozen=True)
class Marks:
    """The ids of a tokenizer that a masked-language model has to know.

    Args:
        mask: The id that hides a token.
        around: The id before a text and the one behind it.
        special: Ids that are never hidden.
        vocab_size: Number of ids.
    """

    mask: int
    around: tuple[int, int]
    special: tuple[int, ...]
    vocab_size: int


class MaskedReader(nn.Module):
    """An encoder that names hidden tokens; only the places that are asked for.

    Args:
        model: What `AutoModelForMaskedLM` returns.
        tokenizer: Of the same model.
        has_own_head: True where the head came with the model's files.

    Raises:
        UserError: If the tokenizer has no id to hide a token with.
    """

    def __init__(self, model: Any, tokenizer: Any, *, has_own_head: bool = False):
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.has_own_head = has_own_head
        self.marks = _marks(tokenizer)

    def forward(
        self, ids: Int[Tensor, "batch token"], asked: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "place vocab"]:
        """Return the logits at the places that are asked for, row after row.

        The head is the dearest part, as it names every id of the vocabulary; at one
        place in seven it costs a seventh.

        Args:
            ids: Texts with their special tokens, some tokens hidden.
            asked: True where a token is to be named.
        """

        def pick(_part: nn.Module, _given: Any, out: Any) -> Any:
            out.last_hidden_state = out.last_hidden_state[asked][None]
            return out

        hook = self.model.base_model.register_forward_hook(pick)
        try:
            return self.model(ids).logits[0]
        finally:
            hook.remove()

    def train(self, mode: bool = True) -> "MaskedReader":
        """Switch dropout on, but never in an encoder that is not to change."""
        super().train(mode)
        if not any(w.requires_grad for w in self.model.base_model.parameters()):
            self.model.base_model.eval()
        return self

    @property
    def longest(self) -> int:
        """Most tokens that the position table has a row for."""
        return table_length(self.model.config)

    @torch.no_grad()
    def begin_with_frequencies(self, ids: Int[Tensor, " token"]) -> None:
        """Let the bias of the head say how often each token stands in a text.

        Args:
            ids: The text; a token that it lacks counts as one.
        """
        bias = getattr(self.model.get_output_embeddings(), "bias", None)
        if bias is not None:
            counts = torch.bincount(ids, minlength=len(bias)).to(bias) + 1
            bias.copy_((counts / counts.sum()).log())

    @contextmanager
    def frozen_encoder(self) -> Iterator[None]:
        """Let only the head change within the block."""
        self.model.base_model.requires_grad_(False)
        try:
            yield
        finally:
            self.model.base_model.requires_grad_(True)


def load_masked(name: str = "minilm", *, seed: int = 0) -> MaskedReader:
    """Load an encoder with its masked-language head, or with a fresh one.

    The head is the one that transformers gives the family: for BERT a dense layer,
    GELU and LayerNorm, then the word embeddings once more, and a bias.

    Args:
        name: "minilm", a folder, or an id of the Hub.
        seed: Decides the weights of a fresh head.

    Raises:
        UserError: If there is no such model, it names no hidden tokens, or it has no
            table of positions to be lengthened.
    """
    from transformers import AutoModelForMaskedLM

    encoder, tokenizer = load_pretrained(name)
    if table_length(encoder.config) is None:
        raise UserError(
            f"need an encoder with a learned position table, got {name!r}, a "
            f"{encoder.config.model_type}, whose positions need no new rows"
        )
    place = find_pretrained(name)
    local = Path(place).is_dir() or not hub_in_reach()
    try:
        with quiet(), torch.random.fork_rng():
            torch.manual_seed(seed)
            model, found = AutoModelForMaskedLM.from_pretrained(
                place,
                output_loading_info=True,
                use_safetensors=True,
                local_files_only=local,
            )
    except ValueError:
        raise UserError(
            f"need an encoder that can name hidden tokens, got {name!r}, a "
            f"{encoder.config.model_type}"
        ) from None
    own = not found["missing_keys"]
    return MaskedReader(model, tokenizer, has_own_head=own).to(device()).eval()


def with_copied_rows(
    reader: MaskedReader, max_tokens: int = 4096, *, left: int = 256, right: int = 256
) -> MaskedReader:
    """Make a copy that reads long texts: window, global first token, copied rows.

    Args:
        reader: Stays as it is.
        max_tokens: Longest text afterwards, in tokens.
        left: Keys visible before each query, itself not counted.
        right: Keys visible after it.

    Raises:
        UserError: If the model's attention or its positions cannot be exchanged.
        ValueError: If the window has no meaning.

    Source: Longformer (Beltagy et al. 2020), section 5. Built in lesson 10.
    """
    long = deepcopy(reader)
    make_long(long.model, max_tokens, left=left, right=right, global_tokens=1)
    return long


def with_random_rows(
    reader: MaskedReader,
    max_tokens: int = 4096,
    *,
    left: int = 256,
    right: int = 256,
    seed: int = 0,
) -> MaskedReader:
    """Do the same, but draw the new rows of the position table at random.

    They are drawn as the model's own were before its training: normal, with the
    config's `initializer_range` as deviation. The rows that it had stay.

    Args:
        reader: Stays as it is.
        max_tokens: Longest text afterwards, in tokens.
        left: Keys visible before each query, itself not counted.
        right: Keys visible after it.
        seed: Decides the rows.

    Raises:
        UserError: If the model's attention or its positions cannot be exchanged.
        ValueError: If the window has no meaning, or no row is new.

    Source: Longformer (Beltagy et al. 2020), table 5. Built in lesson 10.
    """
    if max_tokens <= reader.longest:
        raise ValueError(
            f"need max_tokens > {reader.longest}, the rows that the table has, got "
            f"max_tokens={max_tokens}"
        )
    before = {n: len(table.weight) for n, table in _tables(reader.model)}
    long = with_copied_rows(reader, max_tokens, left=left, right=right)
    draw = torch.Generator().manual_seed(seed)
    for name, table in _tables(long.model):
        new = table.weight.detach()[before[name] :]
        std = long.model.config.initializer_range
        new.copy_(torch.randn(new.shape, generator=draw) * std)
    return long


def _tables(model: nn.Module) -> list[tuple[str, nn.Embedding]]:
    """Find all embeddings; only that of positions grows when a model is made long."""
    return [(n, p) for n, p in model.named_modules() if isinstance(p, nn.Embedding)]


def _marks(tokenizer: Any) -> Marks:
    """Read the special ids of a tokenizer."""
    ids = {
        name: getattr(tokenizer, f"{name}_token_id") for name in ("mask", "cls", "sep")
    }
    if None in ids.values():
        missing = ", ".join(name for name, number in ids.items() if number is None)
        raise UserError(
            f"need a tokenizer with tokens for mask, cls and sep, got none for "
            f"{missing}: take an encoder that was trained to name hidden tokens"
        )
    special = tuple(sorted(tokenizer.all_special_ids))
    around = (ids["cls"], ids["sep"])
    return Marks(ids["mask"], around, special, len(tokenizer))
