"""Let a language model write on: token by token, with or without a cache."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import count

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from longctx_edu.memory import KVCache
from longctx_edu.models.sampling import greedy


def generate(
    model: nn.Module,
    ids: Int[Tensor, "batch token"],
    *,
    max_new_tokens: int,
    choose: Callable = greedy,
    cache: KVCache | None = None,
    prefill_tokens: int | None = None,
    stop: int | Collection[int] | None = None,
    **pattern,
) -> Int[Tensor, "batch place"]:
    """Return the prompt and what the model says next.

    With a cache the model reads each token once, without one the whole text again for
    each new token; both say the same. It runs without dropout and gradients. Prompts
    of a batch are of one length: padding in front of one would shift its places.

    Args:
        model: `(ids, **pattern) -> logits`, which also takes `cache` where one is
            given, such as `LanguageModel`.
        ids: The prompt; with a cache that holds tokens, what comes behind them.
        max_new_tokens: Most tokens that are added.
        choose: From logits to one id a text: `greedy`, or
            `partial(sample, temperature=0.8, generator=generator)`.
        cache: Takes up all tokens but the last new one.
        prefill_tokens: Tokens of the prompt that the model reads at once, where it
            has a cache or a memory; None = all.
        stop: Id, or ids, after which a text is over. It is filled up with the one
            that it said, until every text is over.
        pattern: What the model takes besides: `memory`, `context`, ...

    Raises:
        ValueError: If the prompt is empty, a number below its least, `keep` is given,
            or `choose` does not return one id a text.

    Example:
        >>> next_of_each = torch.eye(5).roll(1, dims=1)  # after 2 comes 3
        >>> model = nn.Embedding.from_pretrained(next_of_each)
        >>> generate(model, torch.tensor([[2]]), max_new_tokens=4).tolist()
        [[2, 3, 4, 0, 1]]

    Source: Radford et al. 2019, section 3. Built in lesson 07.
    """
    if max_new_tokens is None:
        raise ValueError("need max_new_tokens, got None: an endless text is a stream")
    new = stream(
        model,
        ids,
        max_new_tokens=max_new_tokens,
        choose=choose,
        cache=cache,
        prefill_tokens=prefill_tokens,
        stop=stop,
        **pattern,
    )
    return torch.cat([ids, *(token.unsqueeze(1) for token in new)], dim=1)


def stream(
    model: nn.Module,
    ids: Int[Tensor, "batch token"],
    *,
    max_new_tokens: int | None = None,
    choose: Callable = greedy,
    cache: KVCache | None = None,
    prefill_tokens: int | None = None,
    stop: int | Collection[int] | None = None,
    **pattern,
) -> Iterator[Int[Tensor, " batch"]]:
    """Say what the model says next, one token a text at a time.

    Each token comes as soon as it is chosen, and is not kept: with a cache, or a
    memory, that keeps a bounded number of tokens, an endless text needs no more
    memory than a short one. Between two tokens the model is as it was before.

    Args:
        model: See `generate`, as for all that follows.
        ids: The prompt.
        max_new_tokens: Most tokens; None = endless.
        choose: From logits to one id a text.
        cache: Takes up all tokens but the last.
        prefill_tokens: Tokens of the prompt that the model reads at once.
        stop: Id, or ids, after which a text is over.
        pattern: What the model takes besides.

    Raises:
        ValueError: As `generate`, before the first token.

    Example:
        >>> model = nn.Embedding.from_pretrained(torch.eye(5).roll(1, dims=1))
        >>> tokens = stream(model, torch.tensor([[2], [0]]))
        >>> next(tokens).tolist(), next(tokens).tolist()
        ([3, 1], [4, 2])

    Source: with a bounded cache: StreamingLLM (Xiao et al. 2024), section 3.2. Built
    in lesson 07.
    """
    if cache is not None:
        pattern["cache"] = cache
    _check(ids, max_new_tokens, prefill_tokens, pattern)
    turns = count() if max_new_tokens is None else range(max_new_tokens)
    stops = [stop] if isinstance(stop, int) else list(stop or ())
    return _tokens(model, ids, turns, choose, stops, prefill_tokens, pattern)


def _tokens(model, ids, turns, choose, stops, prefill_tokens, pattern):
    """Read, choose, and read on: what is new if the model remembers, else all."""
    stops = torch.tensor(stops, dtype=torch.long, device=ids.device)
    over = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    parts = list(model.modules())
    last, unread = ids[:, -1], ids
    for _ in turns:
        with _reading(parts):
            logits = _read(model, unread, prefill_tokens, pattern)
        # A copy made out here is a tensor like any other, and lets go of the rest.
        last = torch.where(over, last, _chosen(choose, logits.clone()))
        over = torch.isin(last, stops)
        yield last
        if len(stops) and over.all():
            return
        new = last.unsqueeze(1)
        unread = new if _remembers(pattern) else torch.cat([unread, new], dim=1)


def _read(
    model: nn.Module,
    ids: Int[Tensor, "batch token"],
    prefill_tokens: int | None,
    pattern: dict,
) -> Float[Tensor, "batch vocab"]:
    """Return the logits behind the last token."""
    for piece in ids.split(prefill_tokens or ids.shape[1], dim=1):
        logits = model(piece, **pattern)
    return logits[:, -1]


@contextmanager
def _reading(parts):
    """Switch dropout and gradients off, and leave each part as it was found."""
    training = [part for part in parts if part.training]
    for part in training:
        part.training = False
    try:
        with torch.inference_mode():
            yield
    finally:
        for part in training:
            part.training = True


def _chosen(choose, logits):
    """Choose, and refuse what is not one id a text."""
    token = choose(logits)
    if token.shape != logits.shape[:1] or token.dtype.is_floating_point:
        raise ValueError(
            f"need choose to return one id a text, of shape {tuple(logits.shape[:1])}, "
            f"got {token.dtype} of shape {tuple(token.shape)}"
        )
    return token


def _remembers(pattern):
    """Say whether the model keeps what it has read."""
    return any(pattern.get(name) is not None for name in ("cache", "memory"))


def _check(ids, max_new_tokens, prefill_tokens, pattern):
    """Refuse what cannot be written on."""
    if ids.ndim != 2 or ids.shape[1] == 0:
        raise ValueError(
            "need a prompt of at least one token, of shape (batch, token), got "
            f"{tuple(ids.shape)}"
        )
    if max_new_tokens is not None and max_new_tokens < 0:
        raise ValueError(f"need max_new_tokens >= 0, got {max_new_tokens}")
    if prefill_tokens is not None and prefill_tokens < 1:
        raise ValueError(f"need prefill_tokens >= 1, got {prefill_tokens}")
    if prefill_tokens is not None and not _remembers(pattern):
        raise ValueError(
            f"need a cache or a memory for prefill_tokens, got {prefill_tokens} and "
            "neither"
        )
    if pattern.get("keep") is not None:
        raise ValueError(
            "need prompts of one length, without keep: give those of another length "
            "a batch of their own"
        )
