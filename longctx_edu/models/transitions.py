"""What a linear-chain CRF learns: how well one label follows another."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Transitions(nn.Module):
    """How well each label begins a text, and how well it follows each other one.

    Both are learnt and start at 0; a step that the rule forbids is worth -inf, before
    any training and after it.

    Args:
        first: The rule: 0 where a label may begin a text, -inf elsewhere.
        follows: The rule: 0 where a label (column) may follow another (row).

    Example:
        >>> transitions = Transitions(torch.zeros(2), torch.zeros(2, 2))
        >>> sorted(transitions.state_dict())
        ['first', 'follows']

    Source: Lample et al. 2016, section 2.2.
    """

    def __init__(
        self, first: Float[Tensor, " label"], follows: Float[Tensor, "label label"]
    ):
        super().__init__()
        self.first = nn.Parameter(torch.zeros_like(first))
        self.follows = nn.Parameter(torch.zeros_like(follows))
        self.register_buffer("first_rule", first, persistent=False)
        self.register_buffer("follows_rule", follows, persistent=False)

    def forward(
        self,
    ) -> tuple[Float[Tensor, " label"], Float[Tensor, "label label"]]:
        """Return what beginning and following are worth, -inf where forbidden."""
        return self.first + self.first_rule, self.follows + self.follows_rule
