"""Values across the border: all of them come back, and nothing else gets through."""

import json
import math
import socket
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from longctx_edu.grading.handed import Handed
from longctx_edu.grading.lookalike import Opaque
from longctx_edu.grading.reader import Reader
from longctx_edu.grading.wire import Broken, Ended, Wire
from longctx_edu.grading.writer import Writer


def crossed(value):
    writer = Writer(Handed(), adds=False)
    tree = json.loads(json.dumps(writer.tree(value)))
    return Reader([bytearray(b) for b in writer.blobs], Handed(), adds=False).value(
        tree
    )


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)


@given(PLAIN)
@settings(max_examples=60, deadline=None)
def test_plain_values_come_back(value):
    came = crossed(value)
    assert came == value and type(came) is type(value)


def test_other_values_come_back():
    for value in ({1, 2}, frozenset("ab"), range(3, 9, 2), torch.Size([2, 3])):
        assert crossed(value) == value and type(crossed(value)) is type(value)
    for value in (torch.int8, torch.device("cpu"), 2**80, -(2**70)):
        assert crossed(value) == value
    assert math.isnan(crossed(math.nan))
    assert repr(crossed(np.float32(0.5))) == repr(np.float32(0.5))


TENSORS = {
    "floats": torch.randn(2, 3),
    "bools": torch.tensor([True, False]),
    "none": torch.zeros(0, 3),
    "no axes": torch.tensor(3),
    "turned": torch.arange(6).reshape(2, 3).mT,
    "expanded": torch.ones(1).expand(3, 4),
    "bfloat16": torch.ones(3, dtype=torch.bfloat16),
    "complex": torch.ones(2, dtype=torch.complex64).conj(),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors_come_back(name):
    value = TENSORS[name]
    came = crossed(value)
    assert torch.equal(came, value) and came.dtype == value.dtype


def test_a_view_takes_the_room_of_its_text():
    whole = torch.arange(4000.0).reshape(1000, 4)
    assert crossed(whole[:2]).untyped_storage().nbytes() == 16_000
    assert crossed(whole[:2].clone()).untyped_storage().nbytes() == 32


def test_arrays_and_sources_of_chance_come_back():
    for array in (np.eye(3), np.array([True, False]), np.arange(3)[::-1]):
        came = crossed(array)
        assert np.array_equal(came, array) and came.dtype == array.dtype
    chance = torch.Generator().manual_seed(3)
    assert torch.equal(crossed(chance).get_state(), chance.get_state())


class Odd:
    def __repr__(self):
        return "odd at 0x7f12"

    def __eq__(self, other):
        return True

    __hash__ = None


def test_anything_else_is_a_name_and_a_text():
    came = crossed(Odd())
    assert isinstance(came, Opaque) and type(came).__name__ == "Odd"
    assert (repr(came), came == 3) == ("odd", False)
    assert type(crossed(n for n in range(3))).__name__ == "generator"


def test_a_class_that_derives_keeps_its_name_and_value():
    class Score(float):
        pass

    came = crossed(Score(1.5))
    assert (type(came).__name__, came, repr(came)) == ("Score", 1.5, "1.5")
    values, places = crossed(torch.max(torch.eye(2), dim=1))
    assert values.tolist() == [1.0, 1.0] and places.tolist() == [0, 1]


TAGS = ["x", "xm", "xs", "n", "n1", "g", "u", "o", "l", "t", "d", "s", "fs", "z"]
TAGS += ["I", "c", "b", "r", "dt", "dv", "@", "float32", "int64", "torch"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(TAGS),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON, st.lists(st.binary(max_size=16), max_size=2))
@settings(max_examples=400, deadline=None)
def test_whatever_comes_is_a_value_or_is_refused(tree, blobs):
    reader = Reader([bytearray(b) for b in blobs], Handed(), adds=False)
    try:
        reader.value(tree)
    except Broken:
        return


BAD = {
    "a shape that the bytes do not fill": ["x", "float32", [10**9], 0, 0, False],
    "a negative axis": ["x", "float32", [-1, -1], 0, 0, False],
    "no such kind": ["x", "Tensor", [1], 0, 0, False],
    "an endless range": ["r", 0, 10**15, 1],
    "objects of NumPy": ["n", "O", [1], 0],
    "a number of nothing": ["@", 7],
    "no tag": [[]],
    "a state of another size": ["g", 0],
}


@pytest.mark.parametrize("name", BAD)
def test_a_forged_value_is_refused(name):
    with pytest.raises(Broken):
        Reader([bytearray(4)], Handed(), adds=False).value(BAD[name])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", Ended),
        (b"\x00\x00", Ended),
        (b"\xff\xff\xff\xff\x00\x00\x00\x00", Broken),
        (b"\x00\x00\x00\x02\x00\x00\x00\x00[]", Broken),
        (b"\x00\x00\x00\x08\x00\x00\x00\x00[1, [9]]", Broken),
        (b"\x00\x00\x00\x09\x00\x00\x00\x01[1, [-1]]x", Broken),
        (b"\x00\x00\x00\x03\x00\x00\x00\x00{{{", Broken),
    ],
)
def test_what_is_no_frame_ends_the_connection(data, error):
    here, there = socket.socketpair()
    thread = threading.Thread(target=lambda: (there.sendall(data), there.close()))
    thread.start()
    with pytest.raises(error):
        Wire(here).receive()
    thread.join()
    here.close()
