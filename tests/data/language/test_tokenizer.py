import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import pytest
import tokenizers
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from longctx_edu.data.language import SPECIAL, Tokenizer, train_tokenizer
from longctx_edu.errors import DataError, UserError

TEXTS = ["low lower lowest, said the lamplighter.\n\nThe low tide is lower now."]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TEXTS, vocab_size=300)


def merges(tokenizer):
    return json.loads(tokenizer._pairs.to_str())["model"]["merges"]


# equals the definition


def merges_by_hand(words, count):
    """Join the most frequent pair of neighbours; a tie goes to the lower ids."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    number = {sign: i for i, sign in enumerate(alphabet)}
    made = []
    for _ in range(count):
        pairs = {}
        for word in words:
            for pair in pairwise(word):
                pairs[pair] = pairs.get(pair, 0) + 1
        best = max(pairs, key=lambda p: (pairs[p], -number[p[0]], -number[p[1]]))
        number["".join(best)] = len(number)
        made.append(list(best))
        for word in words:
            for i in range(len(word) - 1, 0, -1):
                if word[i - 1 : i + 1] == list(best):
                    word[i - 1 : i + 1] = ["".join(best)]
    return made


def test_training_equals_joining_by_hand():
    trained = train_tokenizer(["low lower lowest slow new newer"], vocab_size=259 + 8)
    words = [list(w) for w in ("low", "Ġlower", "Ġlowest", "Ġslow", "Ġnew", "Ġnewer")]
    assert merges(trained) == merges_by_hand(words, 8)


def test_without_room_for_pairs_a_token_is_a_byte():
    plain = train_tokenizer(TEXTS, vocab_size=259)
    assert len(plain.encode("é 😀")) == len("é 😀".encode())


# properties


@given(st.text())
@example("\0\x01\x1f\x7f\x85\u2028\ufeff\uffff")
@example(" two  spaces\t\r\n and an end ")
@example("👩‍👩‍👧 é e\u0301 مرحبا 漢字 \U0010ffff")
@example("<start> <mask><pad></s>[MASK]")
def test_any_text_comes_back(tokenizer, text):
    ids = tokenizer.encode(text)
    assert ids.dtype == torch.long and ids.ndim == 1
    assert tokenizer.decode(ids) == text
    assert not torch.isin(ids, torch.tensor(tokenizer.special_ids)).any()
    assert (ids < tokenizer.vocab_size).all()


@given(st.text(), st.text())
def test_texts_with_special_tokens_between_come_back(tokenizer, one, two):
    between = torch.tensor([tokenizer.pad_id, tokenizer.start_id])
    ids = torch.cat([tokenizer.encode(one), between, tokenizer.encode(two)])
    assert tokenizer.decode(ids) == f"{one}<pad><start>{two}"


@given(st.lists(st.integers(0, 299), max_size=12))
def test_any_ids_have_a_text(tokenizer, ids):
    assert isinstance(
        tokenizer.decode([i for i in ids if i < tokenizer.vocab_size]), str
    )


@given(st.text(alphabet="low er\n", max_size=30))
def test_pieces_of_whole_characters_join_to_the_text(tokenizer, text):
    pieces = tokenizer.pieces(tokenizer.encode(text))
    assert "".join(pieces) == text and all(pieces)
    assert tokenizer.pieces([1, *tokenizer.encode(text).tolist()]) == [
        "<mask>",
        *pieces,
    ]


def test_the_special_ids_come_first(tokenizer):
    ids = (tokenizer.start_id, tokenizer.mask_id, tokenizer.pad_id)
    assert ids == tokenizer.special_ids == (0, 1, 2)
    assert [tokenizer.decode([i]) for i in ids] == list(SPECIAL)


def test_a_special_name_in_the_texts_is_only_text():
    trained = train_tokenizer(["<start> <start> <start>"], vocab_size=400)
    ids = trained.encode("<start>")
    assert (ids > 2).all() and trained.decode(ids) == "<start>"


def test_no_space_is_put_before_a_text(tokenizer):
    assert tokenizer.encode("low").tolist() != tokenizer.encode(" low").tolist()
    assert len(tokenizer.encode("low")) == 1


def test_the_same_texts_give_the_same_tokenizer():
    code = (
        "from longctx_edu.data.gazette import GazetteConfig\n"
        "from longctx_edu.data.language import gazette_corpus, train_tokenizer\n"
        "text = gazette_corpus(GazetteConfig(n_tokens=128), 4)\n"
        "print(train_tokenizer([text], vocab_size=400)._pairs.to_str())\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] and len(said[0]) > 1000


def test_the_order_of_the_texts_is_no_matter():
    one = train_tokenizer(["low lower", "new newer"], vocab_size=270)
    two = train_tokenizer(iter(["new newer", "low lower"]), vocab_size=270)
    assert merges(one) == merges(two)


# files


def test_a_saved_tokenizer_is_the_same(tokenizer, tmp_path):
    path = tmp_path / "new" / "tokenizer.json"
    tokenizer.save(path)
    loaded = Tokenizer.load(path)
    text = "<start> lower 😀"
    assert torch.equal(loaded.encode(text), tokenizer.encode(text))
    assert loaded.vocab_size == tokenizer.vocab_size
    assert [file.name for file in path.parent.iterdir()] == ["tokenizer.json"]


def test_a_failed_write_leaves_the_old_file(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        UserError, match=f"^cannot write {re.escape(str(path))}: No space left"
    ):
        tokenizer.save(path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def foreign():
    """Return files of another origin, each with a name for the test."""
    plain = tokenizers.Tokenizer(tokenizers.models.BPE())
    yield "words", "not json"
    yield "a list", "[1, 2]"
    yield "no model", "{}"
    broken = {"model": {"type": "BPE"}, "decoder": {"type": "ByteLevel"}}
    yield "a broken model", json.dumps(broken | {"added_tokens": []})
    plain.decoder = tokenizers.decoders.ByteLevel()
    yield "no bytes", plain.to_str()
    own = json.loads(train_tokenizer([], vocab_size=259)._pairs.to_str())
    yield "no decoder", json.dumps(own | {"decoder": None})
    plain = tokenizers.Tokenizer.from_str(json.dumps(own))
    plain.add_special_tokens(["<s>"])
    yield "its own special tokens", plain.to_str()


@pytest.mark.parametrize("content", [pytest.param(c, id=n) for n, c in foreign()])
def test_a_file_of_another_origin(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    wanted = f"^{re.escape(str(path))}: need a file that Tokenizer.save wrote$"
    with pytest.raises(DataError, match=wanted):
        Tokenizer.load(path)


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="need a file or folder that exists"):
        Tokenizer.load(tmp_path / "tokenizer.json")


# edges


def test_an_empty_text(tokenizer):
    assert tokenizer.encode("").tolist() == []
    assert tokenizer.decode([]) == "" == tokenizer.decode(tokenizer.encode(""))


def test_fewer_ids_where_no_pair_is_left():
    assert train_tokenizer([], vocab_size=5000).vocab_size == 259
    assert train_tokenizer(["ab ab"], vocab_size=5000).vocab_size == 261


def test_a_part_of_a_character_is_shown_as_such(tokenizer):
    first_byte = tokenizer.encode("😀")[:1]
    assert tokenizer.decode(first_byte) == "�"


# messages


@pytest.mark.parametrize("vocab_size", [0, 258])
def test_refuses_a_vocabulary_without_room_for_bytes(vocab_size):
    wanted = (
        "need vocab_size >= 259, 3 special tokens and 256 bytes, "
        f"got vocab_size={vocab_size}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        train_tokenizer(TEXTS, vocab_size=vocab_size)


def test_refuses_a_single_text():
    wanted = "need a list of texts, got a single text; write [text]"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        train_tokenizer(TEXTS[0], vocab_size=300)


def test_refuses_half_of_a_surrogate_pair(tokenizer):
    wanted = (
        r"need text that UTF-8 can write, got the lone surrogate '\ud83d' "
        "at character 2"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        tokenizer.encode("ab\ud83d")


@pytest.mark.parametrize("wrong", [-1, 0, 100])
def test_refuses_ids_outside_the_vocabulary(tokenizer, wrong):
    n_ids = tokenizer.vocab_size
    wrong = wrong if wrong < 0 else n_ids + wrong
    wanted = f"^need ids from 0 to {n_ids - 1}, got {wrong}$"
    for call in (tokenizer.decode, tokenizer.pieces):
        with pytest.raises(ValueError, match=wanted):
            call(torch.tensor([5, wrong]))
