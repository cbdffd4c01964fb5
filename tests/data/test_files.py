import re
from pathlib import Path

import pytest

from longctx_edu.data.files import decoded, existing, files_in
from longctx_edu.errors import DataError, UserError


def test_reads_utf8_without_the_byte_order_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfn\xc3\xa9\r\n")
    assert decoded(path) == "né\r\n"


def test_lists_the_data_files_by_name(tmp_path):
    for name in ("b.tsv", "a.conll", "c.TXT", "README.md", ".hidden.conll"):
        (tmp_path / name).write_text("x")
    (tmp_path / "d.conll").mkdir()
    assert [path.name for path in files_in(tmp_path)] == ["a.conll", "b.tsv", "c.TXT"]


def test_the_home_folder_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.txt").write_text("x")
    assert existing("~/a.txt") == tmp_path / "a.txt"


# messages


def test_a_path_that_does_not_exist_names_the_nearest(tmp_path):
    (tmp_path / "train.conll").write_text("x")
    path = tmp_path / "trian.conll"
    message = (
        f"need a file or folder that exists, got {path}; did you mean train.conll?"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        existing(path)


def test_a_path_without_near_names(tmp_path):
    message = f"need a file or folder that exists, got {tmp_path / 'x'}; check the path"
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        decoded(tmp_path / "x")


def test_a_path_in_a_folder_that_does_not_exist(tmp_path):
    path = tmp_path / "no" / "x"
    message = (
        f"need a file or folder that exists, got {path}; "
        f"its folder {path.parent} does not exist either"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        files_in(path)


def test_a_folder_where_a_file_is_wanted(tmp_path):
    message = f"need a file, got the folder {tmp_path}; name a file in it"
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        decoded(tmp_path)


def test_a_file_where_a_folder_is_wanted(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("x")
    with pytest.raises(
        UserError, match=f"^{re.escape(f'need a folder, got the file {path}')}$"
    ):
        files_in(path)


@pytest.mark.parametrize("content", [b"", b" \r\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file(tmp_path, content):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    message = f"{path}: need some text, got an empty file"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        decoded(path)


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        (b"a O\nb O\n\nn\xe9 O\n", 4, "0xe9"),
        (b"\xef\xbb\xbfa O\nn\xe9 O\n", 2, "0xe9"),
        ("a O".encode("utf-16"), 1, "0xff"),
    ],
)
def test_a_file_that_is_not_utf8(tmp_path, content, line, byte):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    message = (
        f"{path}:{line}: need UTF-8, got the byte {byte}; "
        "save it as UTF-8 (iconv -f LATIN1 -t UTF-8 converts the usual case)"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        decoded(path)


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("x")

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    message = f"cannot read {path}: Permission denied"
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        decoded(path)


def test_a_folder_without_data_files(tmp_path):
    (tmp_path / "README.md").write_text("x")
    message = "need files whose names end in .conll, .txt, .tsv, .iob, .iob2, .bio, "
    with pytest.raises(UserError, match=f"^{re.escape(message)}.*, got none in "):
        files_in(tmp_path)
