"""How good is a language model: its loss in units that can be compared.

A loss in nats a token depends on the tokenizer: long tokens are harder to guess, and
fewer. Bits a byte of text do not.
"""

import math


def bits_per_token(loss_nats: float) -> float:
    """Turn a mean loss from nats into bits: 1 bit is a choice between two.

    Args:
        loss_nats: Mean cross-entropy a token, in nats, as torch gives it.

    Raises:
        ValueError: If the loss is negative or not a number.

    Example:
        >>> bits_per_token(math.log(8))
        3.0

    Source: Shannon 1948, section 6. Built in lesson 02.
    """
    _check(loss_nats)
    return loss_nats / math.log(2)


def bits_per_byte(loss_nats: float, n_tokens: int, n_bytes: int) -> float:
    """Spread the bits of a text over its bytes, which no tokenizer changes.

    Args:
        loss_nats: Mean cross-entropy a token, in nats.
        n_tokens: Tokens of the text that the mean is over.
        n_bytes: Bytes of the same text in UTF-8.

    Raises:
        ValueError: If the loss is negative or not a number, or the text is empty.

    Example:
        >>> bits_per_byte(math.log(8), n_tokens=100, n_bytes=300)
        1.0

    Source: The Pile, Gao et al. 2020, section 3.1. Built in lesson 02.
    """
    if n_tokens < 1 or n_bytes < 1:
        raise ValueError(
            f"need n_tokens >= 1 and n_bytes >= 1, got n_tokens={n_tokens} "
            f"and n_bytes={n_bytes}"
        )
    return bits_per_token(loss_nats) * n_tokens / n_bytes


def perplexity(loss_nats: float) -> float:
    """Say among how many equally likely tokens a model of this loss is choosing.

    Args:
        loss_nats: Mean cross-entropy a token, in nats.

    Raises:
        ValueError: If the loss is negative or not a number.

    Example:
        >>> round(perplexity(math.log(8)))
        8

    Source: Jelinek et al. 1977. Built in lesson 02.
    """
    _check(loss_nats)
    try:
        return math.exp(loss_nats)
    except OverflowError:
        return math.inf


def _check(loss_nats: float) -> None:
    """Refuse what no mean cross-entropy can be."""
    if not loss_nats >= 0:
        raise ValueError(f"need a loss >= 0, in nats, got loss_nats={loss_nats}")
