"""Learn byte pairs: which neighbours of a text become one token."""

from collections.abc import Iterable

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from longctx_edu.data.language.tokenizer import N_BYTES, SPECIAL, Tokenizer


def train_tokenizer(texts: Iterable[str], *, vocab_size: int) -> Tokenizer:
    """Learn which neighbours to join; the same texts give the same tokenizer.

    A text is first cut at the edges of words, and no token crosses such an edge. A
    space belongs to the word after it.

    Args:
        texts: What to learn from, training texts alone.
        vocab_size: Ids wanted, special tokens and bytes included. Fewer come where
            the texts have no further pair to join.

    Raises:
        ValueError: If there is no room for the bytes, or `texts` is a single text.

    Example:
        >>> tokenizer = train_tokenizer(["low lower lowest"], vocab_size=262)
        >>> ids = tokenizer.encode("lower low")
        >>> tokenizer.pieces(ids)
        ['low', 'e', 'r', ' low']
        >>> tokenizer.decode(ids)
        'lower low'

    Source: Sennrich et al. 2016, section 3.2; on bytes, Radford et al. 2019, section
    2.2. Built in lesson 02.
    """
    least = len(SPECIAL) + N_BYTES
    if vocab_size < least:
        raise ValueError(
            f"need vocab_size >= {least}, {len(SPECIAL)} special tokens and "
            f"{N_BYTES} bytes, got vocab_size={vocab_size}"
        )
    if isinstance(texts, str):
        raise ValueError("need a list of texts, got a single text; write [text]")
    pairs = tokenizers.Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    pairs.train_from_iterator(texts, trainer)
    return Tokenizer(pairs)
