import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longctx_edu.data.gazette import GazetteConfig, articles
from longctx_edu.data.language import gazette_corpus, held_out, read_corpus
from longctx_edu.errors import DataError, UserError

# the Gazette


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_article_has_a_line_a_paragraph(split):
    config = GazetteConfig(n_tokens=512, split=split)
    texts = gazette_corpus(config, 5).rstrip("\n").split("\n\n")
    for text, article in zip(texts, articles(config, 5), strict=True):
        edges = [*article.paragraph_starts, len(article)]
        lines = text.split("\n")
        assert len(lines) == len(article.paragraph_starts)
        for line, start, stop in zip(lines, edges, edges[1:], strict=False):
            assert line.replace(" ", "") == "".join(
                token.replace(" ", "") for token in article.tokens[start:stop]
            )
        assert re.sub(r"\W", "", lines[0]) == re.sub(r"\W", "", article.headline)


def test_punctuation_stands_as_in_print():
    text = gazette_corpus(GazetteConfig(n_tokens=1024), 20)
    assert not re.search(r" [.,;:?!”’']|“ |  | \n|\n |\w“|[.,]\w*[a-z]", text)
    assert re.search(r"\w's \w", text) and re.search(r" “\w", text)


def test_the_same_config_gives_the_same_text():
    config = GazetteConfig(n_tokens=128, split="test")
    text = gazette_corpus(config, 3)
    assert text == gazette_corpus(config, 3)
    assert text.startswith(gazette_corpus(config, 2).rstrip("\n"))
    assert text != gazette_corpus(GazetteConfig(n_tokens=128), 3)


@pytest.mark.parametrize("count", [0, -2])
def test_refuses_no_articles(count):
    with pytest.raises(ValueError, match=f"^need count >= 1, got count={count}$"):
        gazette_corpus(GazetteConfig(), count)


# any file


def test_a_file_is_read_as_it_stands(tmp_path):
    path = tmp_path / "play.txt"
    text = "First:\n  Speak, speak.\r\n\n\té 😀\0 \n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_corpus(path) == read_corpus(str(path)) == text


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_refuses_an_empty_file(tmp_path, content):
    path = tmp_path / "play.txt"
    path.write_bytes(content)
    wanted = f"^{re.escape(str(path))}: need some text, got an empty file$"
    with pytest.raises(DataError, match=wanted):
        read_corpus(path)


def test_refuses_what_is_not_utf_8_and_names_the_line(tmp_path):
    path = tmp_path / "play.txt"
    path.write_bytes("one\ntwo\nthré\n".encode("latin-1"))
    wanted = f"^{re.escape(str(path))}:3: need UTF-8, got the byte 0xe9"
    with pytest.raises(DataError, match=wanted):
        read_corpus(path)


def test_refuses_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="need a file, got the folder"):
        read_corpus(tmp_path)
    with pytest.raises(UserError, match="need a file or folder that exists"):
        read_corpus(tmp_path / "play.txt")


# the held-out end


@given(st.text(min_size=2), st.floats(0.01, 0.99))
def test_the_two_parts_are_the_text(text, share):
    ids = torch.arange(len(text))
    n_test = round(share * len(text))
    if not 0 < n_test < len(text):
        with pytest.raises(ValueError, match="need a text long enough for two parts"):
            held_out(text, share=share)
        return
    train, test = held_out(text, share=share)
    assert train + test == text and len(test) == n_test
    train_ids, test_ids = held_out(ids, share=share)
    assert torch.equal(torch.cat([train_ids, test_ids]), ids)
    assert len(test_ids) == n_test


def test_a_tenth_is_held_out():
    train, test = held_out(torch.arange(50))
    assert len(train) == 45 and test.tolist() == [45, 46, 47, 48, 49]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_refuses_a_share_that_leaves_one_part(share):
    with pytest.raises(ValueError, match=f"^need 0 < share < 1, got share={share}$"):
        held_out("abcdefghij", share=share)


@pytest.mark.parametrize(
    ("text", "share", "came"),
    [
        ("", 0.5, "0 characters and share=0.5"),
        ("abcd", 0.1, "4 characters and share=0.1"),
        (torch.arange(3), 0.9, "3 tokens and share=0.9"),
    ],
)
def test_refuses_a_text_too_short_to_share(text, share, came):
    wanted = f"need a text long enough for two parts, got {came}"
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        held_out(text, share=share)
