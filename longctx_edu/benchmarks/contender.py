"""What a contender is: who it is, what it takes, what it claims to compute."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from einops import rearrange
from torch import Tensor

from longctx_edu.benchmarks.cases import Case
from longctx_edu.masks import Predicate

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries, keys and values, in the contender's layout, to results in the same."""

Claim = Callable[[Tensor, Tensor], tuple[Tensor | None, Tensor | None]]
"""Positions of queries (a column) and keys (a row) to the mask and the bias there."""


class CannotRun(Exception):
    """A contender cannot do what is asked; the message is the reason."""


@dataclass(frozen=True)
class Built:
    """A contender that is ready for one case.

    Args:
        attend: The call that is measured.
        claim: The mask and bias under which it should equal `dense_attention`.
        pairs: Counts the query-key pairs that a head of a text needs under its own
            claim; asked after the first call.
        held_bytes: Memory of what was prepared: a mask that is as large as the square.
    """

    attend: Attend
    claim: Claim
    pairs: Callable[[], int]
    held_bytes: int = 0


@dataclass(frozen=True)
class Contender:
    """An implementation of attention that is measured beside the others.

    Args:
        name: Its name in every report.
        about: What it is, for a reader of the table.
        build: Makes it ready for a case; raises `CannotRun` with the reason.
        memory: Bytes that a call takes in a case, with or without backward: a guess,
            to refuse what cannot fit before the machine breaks down.
        layout: The order of axes that it takes: "head" for (batch, head, token, d),
            "token" for (batch, token, head * d). Inputs are laid out beforehand.
        power: Its time grows with this power of the length; for a guess, too.
    """

    name: str
    about: str
    build: Callable[[Case], Built]
    memory: Callable[[Case, bool], int]
    layout: Literal["head", "token"] = "head"
    power: int = 1

    def lay_out(self, x: Tensor) -> Tensor:
        """Bring queries, keys, values or a gradient into the contender's layout.

        Args:
            x: In the order (batch, head, token, d).
        """
        if self.layout == "head":
            return x
        return rearrange(x, "b head token d -> b token (head d)")

    def to_heads(self, x: Tensor, n_heads: int) -> Tensor:
        """Bring results or gradients back into the order (batch, head, token, d).

        Args:
            x: In the contender's layout.
            n_heads: Attention heads.
        """
        if self.layout == "head":
            return x
        return rearrange(x, "b token (head d) -> b head token d", head=n_heads)


def claims(predicate: Predicate) -> Claim:
    """Claim a mask.

    Args:
        predicate: True where a query looks at a key.

    Example:
        >>> import torch
        >>> from longctx_edu.masks import causal
        >>> i = torch.arange(2)
        >>> claims(causal())(i[:, None], i)[0].int().tolist()
        [[1, 0], [1, 1]]
    """
    return lambda query, key: (predicate(query, key), None)


def everything(case: Case) -> Predicate:
    """Say who may look at whom in full attention.

    Args:
        case: Its padding and direction still hold.
    """
    return case.only_allowed(Predicate(lambda query, key: (query >= 0) & (key >= 0)))


def tensors(per_call: int, with_backward: int) -> Callable[[Case, bool], int]:
    """Guess memory as a number of tensors of the size of the queries.

    Args:
        per_call: Tensors that a forward call takes.
        with_backward: Tensors that forward and backward take.

    Example:
        >>> from longctx_edu.benchmarks.cases import Setting
        >>> tensors(2, 5)(Case(Setting(), 16, "float32"), True)
        163840
    """

    def memory(case: Case, backward: bool) -> int:
        return case.tensor_bytes * (with_backward if backward else per_call)

    return memory
