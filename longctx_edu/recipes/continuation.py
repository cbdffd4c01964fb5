"""Let a trained language model write on, as text that can be read while it comes."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from longctx_edu.data.language import Tokenizer
from longctx_edu.errors import UserError
from longctx_edu.masks.sinks import check_sinks
from longctx_edu.memory import KVCache
from longctx_edu.models import greedy, next_token_probabilities, sample, stream
from longctx_edu.recipes.language_run import LanguageRun

AT_ONCE = 512
"""Tokens of a prompt that are read together: a long one needs no square of its own."""


def continue_text(
    run: LanguageRun,
    prompt: str,
    *,
    n_tokens: int,
    choose: Callable = greedy,
    left: int | None = None,
    sinks: int = 0,
    cached: bool = True,
) -> Iterator[str]:
    """Say what comes after a prompt, piece by piece, each as soon as it is known.

    A piece is a token, or several that hold one character together. Special tokens
    are never said: no text that the model learnt from holds one.

    Args:
        run: The model.
        prompt: The text so far; an empty one stands for the start token.
        n_tokens: New tokens.
        choose: From logits to one id a text; see `chooser`.
        left: Tokens that the cache keeps; None: as many as the model was trained with.
        sinks: First tokens of the text that the cache keeps beside them.
        cached: Read each token once; else the whole text again for each new one.

    Raises:
        UserError: If the model cannot read so far, or the numbers do not fit it;
            before the first piece.
    """
    ids = run.tokenizer.encode(prompt)
    if len(ids) == 0:
        ids = torch.tensor([run.tokenizer.start_id])
    need_room(run, n_prompt=len(ids), n_new=n_tokens)
    cache = cache_for(run, left=left, sinks=sinks) if cached else None
    new = stream(
        run.model,
        ids[None].to(next(run.model.parameters()).device),
        max_new_tokens=n_tokens,
        choose=partial(_of_text, choose, n_special=len(run.tokenizer.special_ids)),
        cache=cache,
        prefill_tokens=None if cache is None else AT_ONCE,
    )
    return decoded_pieces(run.tokenizer, (int(token) for token in new))


def chooser(
    vocab_size: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> Callable:
    """Return `sample` with its numbers and its own chance, after a look at them.

    Args:
        vocab_size: Ids of the tokenizer.
        temperature: What the logits are divided by.
        top_k: How many of the likeliest tokens stay; None = all.
        top_p: Share of the probability that the tokens that stay cover; None = all.
        seed: Another seed, another text.

    Raises:
        ValueError: If a number is outside of its range.

    Example:
        >>> choose = chooser(3, temperature=0.5, top_k=1)
        >>> choose(torch.tensor([[0.0, 5.0, 4.0]])).tolist()
        [1]
    """
    how = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    next_token_probabilities(torch.zeros(vocab_size), **how)
    return partial(sample, generator=torch.Generator().manual_seed(seed), **how)


def decoded_pieces(tokenizer: Tokenizer, ids: Iterable[int]) -> Iterator[str]:
    """Turn tokens into text as they come, and never a half character.

    Joined, the pieces are the text of all ids.

    Args:
        tokenizer: Knows the text of a token.
        ids: Token ids, one after another.
    """
    held: list[int] = []
    for i in ids:
        held.append(i)
        text = tokenizer.decode(held)
        if not text.endswith("�"):  # else the next token may complete it
            yield text
            held = []
    if held:
        yield tokenizer.decode(held)


def need_room(run: LanguageRun, *, n_prompt: int, n_new: int) -> None:
    """Refuse a text that is longer than the model's table of places.

    Args:
        run: The model.
        n_prompt: Tokens of the prompt.
        n_new: Tokens to say; the last of them is not read.

    Raises:
        UserError: If there is a table, and it ends too early.
    """
    rows = run.model.transformer.config.max_tokens
    if rows is None or n_prompt + n_new - 1 <= rows:
        return
    most = rows - n_prompt + 1
    to_do = f"--tokens {most}" if most > 0 else "a shorter prompt"
    raise UserError(
        f"need at most {rows} tokens for the model's table of learned positions, got "
        f"{n_prompt} of the prompt and {n_new} new ones: take {to_do}, or a model "
        "trained with --positions rotary"
    )


def cache_for(run: LanguageRun, *, left: int | None, sinks: int) -> KVCache:
    """Make the cache that a model reads with.

    Args:
        run: The model.
        left: Tokens that it keeps; None: as many as the model was trained with.
        sinks: First tokens of the text that it keeps beside them.

    Raises:
        UserError: If sinks come without a window, or to tokens that carry their place.
        ValueError: If a number is below 0.
    """
    left = run.left if left is None else left
    if sinks and left is None:
        raise UserError(
            f"need --left beside --sinks {sinks}, got none: say how many of the last "
            "tokens are kept, such as --left 127"
        )
    check_sinks(left, sinks)
    config = run.model.transformer.config
    if sinks and run.model.transformer.positions.absolute:
        raise UserError(
            f"need a model trained with --positions rotary, alibi or none for --sinks "
            f"{sinks}, got {config.positions}, whose tokens carry their place with "
            "them: leave --sinks out"
        )
    return KVCache(config.n_layers, left=left, sinks=sinks)


def _of_text(
    choose: Callable, logits: Float[Tensor, "batch vocab"], *, n_special: int
) -> Int[Tensor, " batch"]:
    """Choose among the tokens that text is made of: the special ones come first."""
    special = torch.arange(n_special, device=logits.device)
    return choose(logits.index_fill(-1, special, -torch.inf))
