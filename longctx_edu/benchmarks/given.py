"""How transformers' attention modules get the queries, keys and values of all others.

They project hidden states themselves. Here the projections hand on what is given, so
that the attention alone is measured: the query's copies the hidden states, which are
the queries; those of keys and values give theirs.
"""

from torch import Tensor, nn


class Copy(nn.Module):
    """A projection that changes nothing; a copy, as its user divides it in place."""

    def forward(self, x: Tensor) -> Tensor:
        """Copy the vectors."""
        return x.clone()


class Given(nn.Module):
    """A projection that gives what it was told to, whatever it is asked."""

    def __init__(self, transposed: bool):
        super().__init__()
        self.transposed, self.x = transposed, None

    def forward(self, _: Tensor) -> Tensor:
        """Give the tensor."""
        return self.x.transpose(0, 1) if self.transposed else self.x


def given_projections(module: nn.Module, *, transposed: bool) -> tuple[Given, Given]:
    """Replace the projections of keys and values, and return what replaced them.

    Args:
        module: An attention module of transformers.
        transposed: It works on (token, batch, d).
    """
    key, value = Given(transposed), Given(transposed)
    module.key, module.value = key, value
    return key, value
