import re

import pytest

from longctx_edu.data.sets import CATALOGUE, known_set, recognise
from longctx_edu.errors import UserError


def test_each_set_says_what_it_is():
    assert CATALOGUE.keys() >= {"gazette", "wnut17", "litbank", "conll2003"}
    for name, known in CATALOGUE.items():
        assert known_set(name) is known and known.name == name
        assert known.description and known.licence and known.types
        assert list(known.types) == sorted(known.types)
        assert known.kind in ("gazette", "files")
        if known.kind == "files":
            assert known.layout.types == known.types
            assert len(known.files) in (0, 3)


def test_a_folder_is_known_by_its_files(tmp_path):
    assert recognise(tmp_path) is None
    for mark in CATALOGUE["litbank"].marks:
        assert recognise(tmp_path) is None
        (tmp_path / mark).parent.mkdir(exist_ok=True)
        (tmp_path / mark).write_text("x")
    assert recognise(tmp_path) is CATALOGUE["litbank"]


def test_a_file_is_known_by_its_name(tmp_path):
    path = tmp_path / "emerging.test.annotated"
    path.write_text("x")
    assert recognise(path) is CATALOGUE["wnut17"]
    assert recognise(tmp_path) is None


def test_refuses_an_unknown_name():
    message = "unknown data set 'wnut': did you mean wnut17? Known are "
    with pytest.raises(UserError, match=f"^{re.escape(message)}"):
        known_set("wnut")
