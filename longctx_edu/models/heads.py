"""Task heads: from an encoder's vectors to logits."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from longctx_edu.errors import unknown_name
from longctx_edu.models.pooling import POOLINGS, pool


class TokenClassifier(nn.Module):
    """An encoder with one linear layer that gives each token a logit a label.

    Args:
        encoder: Any module `(inputs, **pattern) -> vectors`.
        d_model: Width of the encoder's vectors.
        n_labels: Number of labels.
        dropout: Share of the vector's numbers set to 0 in training.
        transitions: What a step between labels is worth, kept as `head_transitions`
            for a loss over whole rows; the logits do not depend on it.

    Source: Devlin et al. 2019, section 5.3. Built in lesson 09.
    """

    def __init__(
        self,
        encoder: nn.Module,
        d_model: int,
        n_labels: int,
        dropout: float = 0.0,
        transitions: nn.Module | None = None,
    ):
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(d_model, n_labels)
        self.head_transitions = transitions

    def forward(
        self, inputs: Int[Tensor, "batch token *feature"], **pattern
    ) -> Float[Tensor, "batch token label"]:
        """Give each token one logit a label.

        Args:
            inputs: What the encoder takes: word features, or token ids.
            pattern: What its attention takes besides: `keep`, `global_tokens`.
        """
        return self.head(self.dropout(self.encoder(inputs, **pattern)))


class SequenceClassifier(nn.Module):
    """An encoder, its vectors pooled, and one linear layer: a logit a label, each text.

    Args:
        encoder: Any module `(inputs, **pattern) -> vectors`.
        d_model: Width of the encoder's vectors.
        n_labels: Number of labels.
        pooling: How `pool` makes one vector of many: "mean", "first", "max", ...
        dropout: Share of the vector's numbers set to 0 in training.

    Raises:
        ValueError: If the pooling is unknown.

    Example:
        >>> model = SequenceClassifier(nn.Embedding(50, 8), d_model=8, n_labels=3)
        >>> model(torch.zeros(2, 5, dtype=torch.long)).shape
        torch.Size([2, 3])

    Source: Devlin et al. 2019, section 4.1; pooling: Reimers and Gurevych 2019,
    section 3. Built in lesson 02.
    """

    def __init__(
        self,
        encoder: nn.Module,
        d_model: int,
        n_labels: int,
        *,
        pooling: str = "mean",
        dropout: float = 0.0,
    ):
        super().__init__()
        if pooling not in POOLINGS:
            raise unknown_name("pooling", pooling, POOLINGS)
        self.encoder = encoder
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(d_model, n_labels)

    def forward(
        self, inputs: Int[Tensor, "batch token *feature"], **pattern
    ) -> Float[Tensor, "batch label"]:
        """Give each text one logit a label.

        Args:
            inputs: What the encoder takes: word features, or token ids.
            pattern: What its attention takes besides; of `keep`, pooling takes the
                real tokens.
        """
        vectors = self.encoder(inputs, **pattern)
        pooled = pool(vectors, pattern.get("keep"), self.pooling)
        return self.head(self.dropout(pooled))


class SpanClassifier(nn.Module):
    """An encoder with one linear layer that says where a span starts and ends.

    Args:
        encoder: Any module `(inputs, **pattern) -> vectors`.
        d_model: Width of the encoder's vectors.
        dropout: Share of the vector's numbers set to 0 in training.

    Example:
        >>> model = SpanClassifier(nn.Embedding(50, 8), d_model=8)
        >>> start, end = model(torch.zeros(2, 5, dtype=torch.long))
        >>> start.shape, end.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))

    Source: Devlin et al. 2019, section 4.2. Built in lesson 12.
    """

    def __init__(self, encoder: nn.Module, d_model: int, dropout: float = 0.0):
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(d_model, 2)

    def forward(
        self, inputs: Int[Tensor, "batch token *feature"], **pattern
    ) -> tuple[Float[Tensor, "batch token"], Float[Tensor, "batch token"]]:
        """Give each token a logit as a start, and one as an end; padding gets -inf.

        `best_span` reads them.

        Args:
            inputs: What the encoder takes: word features, or token ids.
            pattern: What its attention takes besides: `keep`, `global_tokens`.
        """
        logits = self.head(self.dropout(self.encoder(inputs, **pattern)))
        if (keep := pattern.get("keep")) is not None:
            logits = logits.masked_fill(~keep.unsqueeze(-1), -torch.inf)
        start, end = logits.unbind(dim=-1)
        return start, end
