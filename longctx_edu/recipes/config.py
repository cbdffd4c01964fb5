"""What a tagger is made of: names and numbers, saved beside its weights."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from longctx_edu.errors import UserError, unknown_name
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes.decoding import CRF, DECODINGS
from longctx_edu.tasks import CONTEXTS, Cut

ATTENTIONS = ("chunks", "full", "window")
"""How a document is read: cut up, whole, or whole through a window."""

SCRATCH = {
    "learning_rate": 5e-3,
    "batch_tokens": 2048,
    "epochs": 6,
    "weight_decay": 0.5,
}
"""How a model from nothing is trained, where nothing else is said. The strong decay
keeps the table small where a word is rare, so an unknown word adds little noise."""

PRETRAINED = {
    "learning_rate": 2e-4,
    "head_learning_rate": 1e-3,
    "layer_decay": 0.85,
    "batch_tokens": 512,
    "epochs": 4,
}
"""The same for pretrained weights, which take smaller steps, the deeper the smaller,
and more of them: chosen by F1 on the dev splits of WNUT-17 and LitBank."""


@dataclass(frozen=True)
class NerConfig:
    """Say which model reads documents, and how.

    Args:
        model: "scratch", "minilm", a folder, or an id of the Hugging Face Hub.
        attention: "chunks": pieces of `size` tokens, full attention in each;
            "full": up to `max_tokens` at once; "window": the same, with `left` and
            `right` neighbours and global tokens.
        size: Most tokens in a piece, with "chunks" or a context; special tokens
            included.
        overlap: Tokens that neighbouring pieces share.
        left: Keys before a query, with "window".
        right: Keys after a query, with "window".
        n_global: First tokens that are global where a document has no lead.
        max_tokens: Most tokens read at once, with "full" and "window"; longer
            documents are cut. None: "window" cuts where the position table ends,
            "full" never cuts, and refuses a document that is longer than the table.
        context: What is read at once. "packed": as much of the document as fits into
            a piece, all of it labelled; "sentence": one sentence; "document": one
            sentence with its neighbours on both sides, `size` tokens in all.
        decoding: How logits become tags: "greedy", each word alone; "constrained",
            the best row of tags that IOB2 allows; or "crf", the same with what a
            linear-chain CRF learnt of steps between tags, trained over whole rows.
        dropout: Share of a token's numbers set to 0 before the task layer.
        encoder: Sizes of a model from scratch.
        outside_weight: How often a word outside entities counts in the loss, where a
            word in one counts once. A CRF, which scores whole rows, takes 1 alone.

    Raises:
        UserError: If attention, context or decoding is unknown, a number is out of
            range, or two settings do not go together.

    Example:
        >>> NerConfig(attention="window", left=16, right=16).model
        'scratch'
    """

    model: str = "scratch"
    attention: str = "window"
    size: int = 128
    overlap: int = 0
    left: int = 32
    right: int = 32
    n_global: int = 1
    max_tokens: int | None = None
    context: str = "packed"
    decoding: str = "greedy"
    dropout: float = 0.1
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    outside_weight: float = 1.0

    def __post_init__(self):
        if self.attention not in ATTENTIONS:
            raise unknown_name("attention", self.attention, ATTENTIONS)
        if self.context not in CONTEXTS:
            raise unknown_name("context", self.context, CONTEXTS)
        if self.decoding not in DECODINGS:
            raise unknown_name("decoding", self.decoding, DECODINGS)
        if self.size < 8:
            raise UserError(f"need size >= 8, got size={self.size}")
        least = {"overlap": 0, "left": 0, "right": 0, "n_global": 0, "max_tokens": 8}
        for name, low in least.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise UserError(f"need {name} >= {low}, got {name}={value}")
        most = self.most_tokens
        if self.context != "packed" and self.overlap:
            raise UserError(
                f"need overlap=0 with context={self.context!r}, where each sentence "
                f"has a piece of its own, got overlap={self.overlap}"
            )
        if most is not None and self.overlap >= most - 2:
            raise UserError(
                f"need overlap < {most - 2}, what a piece holds beside special tokens, "
                f"got overlap={self.overlap}"
            )
        if not 0 <= self.dropout < 1:
            raise UserError(f"need 0 <= dropout < 1, got dropout={self.dropout}")
        if not 0 < self.outside_weight < math.inf:
            raise UserError(
                f"need outside_weight > 0, got outside_weight={self.outside_weight}"
            )
        if self.decoding == CRF and self.outside_weight != 1:
            raise UserError(
                "need outside_weight=1 with decoding='crf', whose loss is that of "
                f"whole rows, got outside_weight={self.outside_weight}"
            )

    @property
    def is_pretrained(self) -> bool:
        """True unless the model is trained from nothing."""
        return self.model != "scratch"

    @property
    def most_tokens(self) -> int | None:
        """Most tokens in a piece, as far as the options say."""
        return self.size if self.is_cut_to_size else self.max_tokens

    @property
    def is_cut_to_size(self) -> bool:
        """True where `size` says how long a piece may be, and not `max_tokens`."""
        return self.attention == "chunks" or self.context != "packed"

    def cut(self, table: int | None = None) -> Cut:
        """Say how documents are cut for this model.

        Args:
            table: Length of the model's position table, in tokens; None without one.
        """
        size = self.most_tokens
        if size is None and self.attention == "window":
            size = table
        return Cut(size, self.overlap, self.n_global, self.context)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` makes a config of.

        A weight of 1 is left out, so that runs from before there was one go on.
        """
        numbers = asdict(self)
        if self.outside_weight == 1:
            del numbers["outside_weight"]
        return numbers

    @classmethod
    def from_json(cls, numbers: dict[str, Any]) -> "NerConfig":
        """Make a config of what `to_json` returned.

        Args:
            numbers: The fields by name.
        """
        return cls(**{**numbers, "encoder": EncoderConfig(**numbers["encoder"])})
