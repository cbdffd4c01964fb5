from pathlib import Path

import pytest

from longctx_edu.errors import DataError, UserError, unknown_name

# properties


def test_a_user_error_is_a_value_error_and_its_message_is_the_whole_story():
    assert issubclass(UserError, ValueError)
    assert str(UserError("need a file, got a folder")) == "need a file, got a folder"


@pytest.mark.parametrize("path", ["a/b.conll", Path("a/b.conll")])
def test_a_data_error_says_where(path):
    error = DataError(path, 3, "need 2 columns, got 1")
    assert isinstance(error, UserError)
    assert str(error) == "a/b.conll:3: need 2 columns, got 1"
    assert (error.path, error.line, error.message) == (path, 3, "need 2 columns, got 1")


def test_a_data_error_about_a_whole_file_names_no_line():
    assert str(DataError("a.conll", None, "need text, got 0 bytes")) == (
        "a.conll: need text, got 0 bytes"
    )


def test_an_unknown_name_comes_with_the_nearest_and_all_known_names():
    error = unknown_name("data set", "lit-bank", ["wnut17", "litbank", "gazette"])
    assert isinstance(error, UserError)
    assert str(error) == (
        "unknown data set 'lit-bank': did you mean litbank? "
        "Known are gazette, litbank, wnut17"
    )


def test_two_near_names_are_both_offered():
    error = unknown_name("command", "trein", ["train", "trail", "demo"])
    assert "did you mean train or trail? " in str(error)


# edges


def test_a_name_near_to_nothing_gets_no_guess():
    error = unknown_name("model", "zzz", {"scratch", "minilm"})
    assert str(error) == "unknown model 'zzz': Known are minilm, scratch"


def test_names_from_a_generator_are_read_once():
    error = unknown_name("model", "minlm", (name for name in ("minilm", "scratch")))
    assert str(error).endswith("did you mean minilm? Known are minilm, scratch")


def test_no_known_name_at_all():
    assert str(unknown_name("model", "x", [])) == "unknown model 'x': Known are "
