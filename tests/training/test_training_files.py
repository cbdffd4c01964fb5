import errno
import json
import os

import pytest
import torch

from longctx_edu.errors import UserError
from longctx_edu.training.files import (
    read_header,
    read_tensors,
    remove,
    write_atomically,
    write_tensors,
    write_text,
)

ADVICE = "free some space or choose another folder with --out"


def test_tensors_and_header_come_back(tmp_path):
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(7)}
    write_tensors(tmp_path / "deep" / "a.safetensors", tensors, {"step": 3})
    header, shapes = read_header(tmp_path / "deep" / "a.safetensors")
    assert header == {"step": 3}
    assert shapes == {"a": (2, 3), "b": ()}
    back = read_tensors(tmp_path / "deep" / "a.safetensors")
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


def test_a_file_without_tensors_keeps_its_header(tmp_path):
    write_tensors(tmp_path / "a.safetensors", {}, {"step": 3})
    assert read_header(tmp_path / "a.safetensors") == ({"step": 3}, {})


def test_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path, full_disk):
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.zeros(3)})
    old = path.read_bytes()
    reason = full_disk()
    with pytest.raises(UserError) as error:
        write_tensors(path, {"a": torch.zeros(3000)})
    assert str(error.value) == f"cannot write {path}: {reason}; {ADVICE}"
    with pytest.raises(UserError) as error:
        write_text(path, "x" * 3000)
    assert str(error.value) == f"cannot write {path}: {reason}; {ADVICE}"
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_no_space_left_and_read_only_are_named(tmp_path):
    for code, reason in [
        (errno.ENOSPC, "No space left on device"),
        (errno.EROFS, "Read-only file system"),
        (errno.EACCES, "Permission denied"),
    ]:

        def fail(place, code=code):
            place.write_text("half")
            raise OSError(code, os.strerror(code))

        with pytest.raises(UserError) as error:
            write_atomically(tmp_path / "a.txt", fail)
        assert str(error.value) == f"cannot write {tmp_path}/a.txt: {reason}; {ADVICE}"
        assert os.listdir(tmp_path) == []


def test_a_parent_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as error:
        write_text(tmp_path / "file" / "a.txt", "x")
    assert str(error.value).startswith(f"cannot write {tmp_path}/file/a.txt: ")
    assert str(error.value).endswith(ADVICE)


def test_a_file_that_cannot_be_removed_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    remove(tmp_path / "gone")
    with pytest.raises(
        UserError, match=r"^cannot write .*/file/a\.txt: Not a directory;"
    ):
        remove(tmp_path / "file" / "a.txt")


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "missing"])
def test_a_broken_file_is_refused(tmp_path, damage):
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": torch.zeros(300)})
    whole = path.read_bytes()
    broken = {
        "truncated": whole[:-9],
        "empty": b"",
        "text": json.dumps([1] * 50).encode(),
    }
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(broken[damage])
    for read in (read_header, read_tensors):
        with pytest.raises(UserError) as error:
            read(path)
        assert str(error.value).startswith(
            f"cannot read {path}: it is truncated or no safetensors file ("
        )
        assert "\n" not in str(error.value)
