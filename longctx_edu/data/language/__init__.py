"""Text for a language model: a corpus, its tokens, windows of it, masked tokens."""

from longctx_edu.data.language.byte_pairs import train_tokenizer
from longctx_edu.data.language.corpus import gazette_corpus, held_out, read_corpus
from longctx_edu.data.language.masking import mask_tokens
from longctx_edu.data.language.tokenizer import SPECIAL, Tokenizer
from longctx_edu.data.language.windows import IGNORED, scored_windows, windows

__all__ = [
    "IGNORED",
    "SPECIAL",
    "Tokenizer",
    "gazette_corpus",
    "held_out",
    "mask_tokens",
    "read_corpus",
    "scored_windows",
    "train_tokenizer",
    "windows",
]
