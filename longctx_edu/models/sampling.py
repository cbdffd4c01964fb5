"""From the logits of the next token to a token: the likeliest, or one drawn."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def greedy(logits: Float[Tensor, "*batch vocab"]) -> Int[Tensor, "*batch"]:
    """Choose the likeliest token; of equals the one with the lowest id.

    Args:
        logits: One number a token of the vocabulary.

    Raises:
        ValueError: If a row has no finite largest logit.

    Example:
        >>> greedy(torch.tensor([[0.0, 2.0, 1.0], [3.0, 3.0, 0.0]])).tolist()
        [1, 0]

    Source: Holtzman et al. 2020, section 2. Built in lesson 07.
    """
    _check_logits(logits)
    return logits.argmax(dim=-1)


def sample(
    logits: Float[Tensor, "*batch vocab"],
    *,
    temperature: int | float = 1.0,
    top_k: int | None = None,
    top_p: int | float | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "*batch"]:
    """Draw a token with the probability that the model gives it, after three steps.

    Args:
        logits: One number a token of the vocabulary.
        temperature: What the logits are divided by: below 1 the likely tokens gain,
            above 1 the unlikely ones.
        top_k: How many of the likeliest tokens stay; None = all.
        top_p: Share of the probability that the tokens that stay cover; None = all.
        generator: Where the chance comes from; it may be on another device.

    Raises:
        ValueError: If a number is outside of its range, or a row has no finite
            largest logit.

    Example:
        >>> logits = torch.tensor([[0.0, 5.0, 4.0]])
        >>> sample(logits, top_k=1, generator=torch.Generator().manual_seed(0)).tolist()
        [1]

    Source: Holtzman et al. 2020, sections 2 and 3.1. Built in lesson 07.
    """
    shares = next_token_probabilities(
        logits, temperature=temperature, top_k=top_k, top_p=top_p
    )
    place = shares.device if generator is None else generator.device
    rows = shares.reshape(-1, shares.shape[-1]).to(place)
    drawn = torch.multinomial(rows, 1, generator=generator)
    return drawn.to(logits.device).reshape(logits.shape[:-1])


def next_token_probabilities(
    logits: Float[Tensor, "*batch vocab"],
    *,
    temperature: int | float = 1.0,
    top_k: int | None = None,
    top_p: int | float | None = None,
) -> Float[Tensor, "*batch vocab"]:
    """Say with what probability `sample` draws each token.

    First the temperature, then `keep_top_k`, then `keep_top_p`, which counts the
    probability of what is left by then.

    Args:
        logits: One number a token of the vocabulary.
        temperature: What the logits are divided by.
        top_k: How many of the likeliest tokens stay; None = all.
        top_p: Share of the probability that the tokens that stay cover; None = all.

    Returns:
        Shares that sum to 1, in float32 at least.

    Raises:
        ValueError: If a number is outside of its range, or a row has no finite
            largest logit.

    Example:
        >>> next_token_probabilities(torch.tensor([1.0, 3.0, 3.0]), top_k=2).tolist()
        [0.0, 0.5, 0.5]

    Source: Holtzman et al. 2020, sections 3.1 and 3.3. Built in lesson 07.
    """
    _check_logits(logits)
    _check_temperature(temperature)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    # From the largest down, so that no small temperature leaves the number format.
    least = torch.finfo(logits.dtype).tiny
    logits = (logits - logits.amax(dim=-1, keepdim=True)) / max(temperature, least)
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    if top_p is not None:
        logits = keep_top_p(logits, top_p)
    return logits.softmax(dim=-1)


def keep_top_k(
    logits: Float[Tensor, "*batch vocab"], k: int
) -> Float[Tensor, "*batch vocab"]:
    """Leave the `k` likeliest tokens as they are, and put -inf elsewhere.

    Tokens as likely as the last of them stay too: nothing tells them apart.

    Args:
        logits: One number a token of the vocabulary.
        k: How many tokens stay.

    Raises:
        ValueError: If it is no whole number from 1 to the size of the vocabulary.

    Example:
        >>> keep_top_k(torch.tensor([1.0, 4.0, 3.0, 2.0]), 2).tolist()
        [-inf, 4.0, 3.0, -inf]

    Source: Fan et al. 2018, section 5.4. Built in lesson 07.
    """
    _check_logits(logits)
    if type(k) is not int or not 1 <= k <= logits.shape[-1]:
        raise ValueError(
            f"need top_k from 1 to the {logits.shape[-1]} tokens of the vocabulary, "
            f"got {k}"
        )
    last = logits.topk(k, dim=-1).values[..., -1:]
    return logits.masked_fill(logits < last, -torch.inf)


def keep_top_p(
    logits: Float[Tensor, "*batch vocab"], p: int | float
) -> Float[Tensor, "*batch vocab"]:
    """Leave the fewest tokens that cover the share `p`, and put -inf elsewhere.

    A token goes if it and all that are less likely have at most `1 - p` together. At
    least one token stays; of equals, those with the lowest ids.

    Args:
        logits: One number a token of the vocabulary.
        p: Share of the probability, above 0; 1 leaves every token.

    Raises:
        ValueError: If it is no share above 0.

    Example:
        >>> shares = torch.tensor([0.25, 0.5, 0.125, 0.125])
        >>> keep_top_p(shares.log(), 0.75).exp().tolist()
        [0.25, 0.5, 0.0, 0.0]

    Source: Holtzman et al. 2020, section 3.1, equation 2. Built in lesson 07.
    """
    _check_logits(logits)
    if not 0 < p <= 1:
        raise ValueError(f"need a top_p above 0 and up to 1, got {p}")
    if p == 1:
        return logits
    # The likeliest last, and of equals the lowest id: sums start at the smallest.
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    ordered, order = ordered.flip(-1), order.flip(-1)
    goes = ordered.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
    goes[..., -1] = False
    return logits.masked_fill(goes.scatter(-1, order, goes), -torch.inf)


def _check_temperature(temperature):
    if not temperature > 0:
        raise ValueError(
            f"need temperature > 0, got {temperature}: for the likeliest token use "
            "greedy"
        )
    if math.isinf(temperature):
        raise ValueError("need a finite temperature, got inf")


def _check_logits(logits):
    """Refuse a row from which nothing follows: its largest logit is not finite."""
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(
            f"need logits of at least one token, got shape {tuple(logits.shape)}"
        )
    largest = logits.amax(dim=-1).flatten()
    wrong = ~largest.isfinite()
    if wrong.any():
        row = int(wrong.int().argmax())
        raise ValueError(
            "need a finite largest logit in each row, without NaN, got "
            f"{largest[row].item()} in row {row}"
        )
