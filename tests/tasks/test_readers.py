from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from longctx_edu.data.text import word_features
from longctx_edu.tasks import SubwordReader, WordReader

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *"abcdefgh",
    *(f"##{c}" for c in "abcdefgh"),
]


def tokenizer():
    """A tokenizer that knows eight letters, with [CLS] and [SEP]."""
    vocab = {piece: number for number, piece in enumerate(PIECES)}
    fast = Tokenizer(WordPiece(vocab, unk_token="[UNK]"))
    fast.normalizer = BertNormalizer()
    fast.pre_tokenizer = BertPreTokenizer()
    fast.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token="[PAD]", unk_token="[UNK]"
    )


READER = SubwordReader(tokenizer())

# one token a word


def test_words_become_their_features():
    reading = WordReader(128).read(["Ada", "sings"])
    wanted = word_features(["Ada", "sings"], n_buckets=128)
    assert torch.equal(reading.inputs, wanted)
    assert reading.words.tolist() == [0, 1]


def test_a_word_reader_needs_no_words():
    reading = WordReader(128).read([])
    assert reading.inputs.shape == (0, 4)
    assert len(reading.words) == 0


# sub-words


def test_each_piece_says_its_word():
    reading = READER.read(["abc", "d", "ef"])
    names = [PIECES[piece] for piece in reading.inputs]
    assert names == ["a", "##b", "##c", "d", "e", "##f"]
    assert reading.words.tolist() == [0, 0, 0, 1, 2, 2]


def test_special_tokens_are_learnt_from_the_tokenizer():
    assert [PIECES[piece] for piece in READER.before] == ["[CLS]"]
    assert [PIECES[piece] for piece in READER.after] == ["[SEP]"]
    assert READER.pad == 0


@pytest.mark.parametrize("words", [["\x00", "a"], ["a", "\u200b"], ["\x00", "\x01"]])
def test_a_word_that_vanishes_becomes_the_unknown_token(words):
    reading = READER.read(words)
    wanted = ["a" if word == "a" else "[UNK]" for word in words]
    assert [PIECES[piece] for piece in reading.inputs] == wanted
    assert reading.words.tolist() == [0, 1]


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=6), max_size=8))
def test_no_word_is_lost_and_words_stand_in_order(words):
    found = READER.read(words).words.tolist()
    assert found == sorted(found)
    assert set(found) == set(range(len(words)))


@settings(deadline=None)
@given(st.lists(st.text("abch", min_size=1, max_size=6), min_size=1, max_size=8))
def test_a_word_has_the_pieces_that_it_has_alone(words):
    alone = [READER.read([word]).inputs for word in words]
    assert torch.equal(READER.read(words).inputs, torch.cat(alone))


def test_no_words_give_no_pieces():
    assert len(READER.read([]).inputs) == 0


def test_a_slow_tokenizer_is_refused():
    with pytest.raises(ValueError, match="need a fast tokenizer, got SimpleNamespace"):
        SubwordReader(SimpleNamespace(is_fast=False))
