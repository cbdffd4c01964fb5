"""Language models: a text and its tokens, training, bits per token on held-out text.

A causal model is asked for the next token, a masked one for tokens that are hidden.
Model, loop and scoring are otherwise the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from longctx_edu.data.gazette import GazetteConfig
from longctx_edu.data.language import (
    IGNORED,
    Tokenizer,
    gazette_corpus,
    held_out,
    mask_tokens,
    read_corpus,
    scored_windows,
    train_tokenizer,
    windows,
)
from longctx_edu.losses import cross_entropy
from longctx_edu.metrics import bits_per_token
from longctx_edu.training import History, TrainConfig, fit

HIDDEN_AT_ONCE = 7
"""A masked model is scored with one token in 7 hidden, as in training about 15 %."""


@dataclass(frozen=True)
class LanguageData:
    """A text to learn from, a text to test on, and the tokenizer of both.

    Args:
        name: What the text is.
        tokenizer: Learnt from the training text alone.
        train: Ids to learn from.
        test: Ids that no training has seen.
    """

    name: str
    tokenizer: Tokenizer
    train: Int[Tensor, " token"]
    test: Int[Tensor, " place"]


def gazette_language(
    *,
    n_articles: int = 1000,
    n_tokens: int = 256,
    vocab_size: int = 1024,
    seed: int = 0,
) -> LanguageData:
    """Write articles to learn from, and a tenth as many of the Gazette's test split.

    The test articles share no name and few sentences with the others.

    Args:
        n_articles: Articles to learn from.
        n_tokens: Words and signs of an article; tokens are about twice as many.
        vocab_size: Ids of the tokenizer.
        seed: Another seed, other articles.

    Raises:
        ValueError: If a size is below its least.

    Example:
        >>> data = gazette_language(n_articles=20, n_tokens=128, vocab_size=300)
        >>> data.tokenizer.vocab_size, len(data.train) > 9 * len(data.test)
        (300, True)
    """
    config = GazetteConfig(n_tokens=n_tokens, seed=seed)
    train = gazette_corpus(config, n_articles)
    held = GazetteConfig(n_tokens=n_tokens, seed=seed, split="test")
    test = gazette_corpus(held, max(1, n_articles // 10))
    return _language_data("gazette", train, test, vocab_size)


def text_language(path: str | Path, *, vocab_size: int = 1024) -> LanguageData:
    """Read a text file; its last tenth is held out.

    Args:
        path: The file, in UTF-8.
        vocab_size: Ids of the tokenizer.

    Raises:
        UserError: If there is no such file, it is empty or not UTF-8.
        ValueError: If the text is too short for two parts, or vocab_size for bytes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "sea.txt")
        ...     _ = path.write_text("By the sea. " * 10)
        ...     data = text_language(path, vocab_size=259)
        >>> data.name, len(data.train), len(data.test)
        ('sea.txt', 108, 12)
    """
    train, test = held_out(read_corpus(path))
    return _language_data(Path(path).name, train, test, vocab_size)


def fit_language_model(
    model: nn.Module,
    data: LanguageData,
    *,
    n_tokens: int,
    config: TrainConfig,
    masked: bool = False,
    progress: bool = True,
    **options,
) -> History:
    """Train a model on windows of a text.

    Args:
        model: A `LanguageModel`: causal, or an encoder where tokens are masked.
        data: What to learn from.
        n_tokens: Inputs of a window, in tokens.
        config: How it is trained; `batch_tokens` counts the token after each window.
        masked: Ask for hidden tokens instead of the next one.
        progress: Show a bar.
        options: What `training.fit` takes besides: `on_step`, `folder`, `evaluate`...

    Raises:
        ValueError: If the text fills no window, or the loss is not finite.

    Source: next token: Radford et al. 2018, section 3.1; hidden ones: Devlin et al.
    2019, section 3.1. Built in lesson 02.
    """
    return fit(
        model,
        windows(data.train, n_tokens=n_tokens),
        collate=partial(_hide, tokenizer=data.tokenizer) if masked else _shift,
        loss=language_loss,
        config=config,
        progress=progress,
        **options,
    )


def language_loss(model: nn.Module, batch: dict[str, Tensor]) -> Float[Tensor, ""]:
    """Mean cross-entropy of the tokens that are asked for, in nats.

    Args:
        model: A `LanguageModel`.
        batch: "ids", and "labels": the id that each place has to name, or `IGNORED`.

    Raises:
        ValueError: If no place has a label.
    """
    logits = model(batch["ids"]).float()
    return cross_entropy(logits, batch["labels"], ignore_index=IGNORED)


@torch.no_grad()
def evaluate_bits(
    model: nn.Module,
    ids: Int[Tensor, " token"],
    *,
    n_tokens: int,
    masked: bool = False,
    step: int | None = None,
    batch_tokens: int = 4096,
    **pattern,
) -> float:
    """Return the bits per token of a text, every token scored once.

    A causal model cannot be asked for the first token. A masked one reads each window
    seven times, with another seventh of its tokens hidden: no chance is in it.

    Args:
        model: A `LanguageModel`; it is put into evaluation mode and back.
        ids: The text.
        n_tokens: Tokens that the model reads at once.
        masked: Score hidden tokens instead of the next one.
        step: Tokens between the starts of windows; a smaller one gives each token more
            context. None = `n_tokens`.
        batch_tokens: Most tokens in a batch.
        pattern: What the model takes besides.

    Raises:
        ValueError: If the text is shorter than a window.

    Source: Press et al. 2022, appendix B. Built in lesson 02.
    """
    cut = _hidden_windows if masked else scored_windows
    inputs, labels = cut(ids, n_tokens=n_tokens, step=step)
    device, was_training = next(model.parameters()).device, model.training
    n_rows, total = max(1, batch_tokens // n_tokens), 0.0
    model.eval()
    for rows, wanted in zip(inputs.split(n_rows), labels.split(n_rows), strict=True):
        logits = model(rows.to(device), **pattern).float().flatten(0, 1)
        loss = nn.functional.cross_entropy(
            logits, wanted.to(device).flatten(), ignore_index=IGNORED, reduction="sum"
        )
        total += float(loss)
    model.train(was_training)
    return bits_per_token(total / int((labels != IGNORED).sum()))


def _language_data(name, train, test, vocab_size):
    """Learn the tokenizer from the training text, and encode both."""
    tokenizer = train_tokenizer([train], vocab_size=vocab_size)
    return LanguageData(
        name, tokenizer, tokenizer.encode(train), tokenizer.encode(test)
    )


def _shift(group: Sequence[Tensor]) -> dict[str, Tensor]:
    """Ask each token of a window for the one behind it."""
    rows = torch.stack(list(group))
    return {"ids": rows[:, :-1], "labels": rows[:, 1:]}


def _hide(group: Sequence[Tensor], tokenizer: Tokenizer) -> dict[str, Tensor]:
    """Hide some tokens of each window, and ask for them.

    `fit` seeds torch's own randomness, and keeps its state with the run's.
    """
    inputs, labels = mask_tokens(
        torch.stack(list(group))[:, :-1],
        vocab_size=tokenizer.vocab_size,
        mask_id=tokenizer.mask_id,
        special_ids=tokenizer.special_ids,
        generator=torch.default_generator,
    )
    return {"ids": inputs, "labels": labels}


def _hidden_windows(
    ids: Int[Tensor, " place"], *, n_tokens: int, step: int | None = None
) -> tuple[Int[Tensor, "batch token"], Int[Tensor, "batch token"]]:
    """Give each window seven times, with another seventh of its tokens hidden."""
    before = torch.cat([ids[:1], ids])  # so that "the next token" is the place itself
    shifted, scored = scored_windows(before, n_tokens=n_tokens, step=step)
    whole = torch.cat([shifted[:, 1:], scored[:, -1:]], dim=1)
    turn = torch.arange(n_tokens) % HIDDEN_AT_ONCE
    hidden = turn == torch.arange(HIDDEN_AT_ONCE)[:, None, None]
    inputs = torch.where(hidden, Tokenizer.mask_id, whole)
    labels = torch.where(hidden, scored, IGNORED)
    asked = (labels != IGNORED).any(dim=-1)
    return inputs[asked], labels[asked]
