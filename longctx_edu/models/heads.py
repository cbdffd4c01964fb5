"""Task heads: from an encoder's vectors to logits."""

from jaxtyping import Float, Int
from torch import Tensor, nn


class TokenClassifier(nn.Module):
    """An encoder with one linear layer that gives each token a logit a label.

    Args:
        encoder: Any module `(inputs, **pattern) -> vectors`.
        d_model: Width of the encoder's vectors.
        n_labels: Number of labels.
        dropout: Share of the vector's numbers set to 0 in training.

    Source: Devlin et al. 2019, section 5.3. Built in lesson 09.
    """

    def __init__(
        self, encoder: nn.Module, d_model: int, n_labels: int, dropout: float = 0.0
    ):
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(d_model, n_labels)

    def forward(
        self, inputs: Int[Tensor, "batch token *feature"], **pattern
    ) -> Float[Tensor, "batch token label"]:
        """Give each token one logit a label.

        Args:
            inputs: What the encoder takes: word features, or token ids.
            pattern: What its attention takes besides: `keep`, `global_tokens`.
        """
        return self.head(self.dropout(self.encoder(inputs, **pattern)))
