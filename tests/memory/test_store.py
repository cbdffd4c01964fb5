"""The store: what is kept, how often it is copied, and how much room it takes."""

import itertools

import pytest
import torch
from hypothesis import given
from memory_cases import few, pieces, splits, windows
from torch.utils._python_dispatch import TorchDispatchMode

from longctx_edu.memory.store import Store


def text(n):
    """Vectors whose numbers say text, head and place."""
    return torch.arange(2.0 * 3 * n * 2).reshape(2, 3, n, 2)


# equals the definition


@few
@given(splits, windows)
def test_what_is_kept_is_the_first_and_the_last(lengths, window):
    left, sinks = window
    x, store = text(sum(lengths)), Store(left=left, sinks=sinks)
    before = list(range(0))
    for piece in pieces(lengths):
        now = before + list(range(piece.start, piece.stop))
        assert torch.equal(store.extend(x[:, :, piece]), x[:, :, now])
        gone = 0 if left is None else max(0, len(now) - sinks - left)
        before = now if not gone else now[:sinks] + now[sinks + gone :]
        assert store.kept == len(before)


# cost


class Copied(TorchDispatchMode):
    """Counts the numbers that are copied or formed."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket in (
            torch.ops.aten.copy_, torch.ops.aten.clone, torch.ops.aten.cat,
        ):  # fmt: skip
            self.numbers += out.numel()
        return out


@pytest.mark.parametrize(("left", "sinks"), [(None, 0), (100, 0), (100, 4), (0, 4)])
@pytest.mark.parametrize("step", [1, 7, 60])
def test_a_token_is_copied_a_few_times_however_long_the_text(left, sinks, step):
    n, store = 2400, Store(left=left, sinks=sinks)
    x = torch.zeros(1, 1, n, 1)
    with Copied() as copied:
        for start in range(0, n, step):
            store.extend(x[:, :, start : start + step])
    assert copied.numbers <= n * (5 + 4 * sinks)


@pytest.mark.parametrize(("left", "sinks"), [(0, 0), (0, 3), (50, 0), (50, 3)])
def test_the_room_of_a_window_stays_at_about_twice_the_window(left, sinks):
    store = Store(left=left, sinks=sinks)
    for length in [1] * 40 + [300, 2, 51, 52, 101, 102, 103, 1000]:
        store.extend(torch.zeros(1, 1, length, 1))
        assert store.room.shape[2] <= sinks + 2 * left + 1


def test_the_room_of_everything_doubles():
    store, sizes = Store(left=None, sinks=0), set()
    for _ in range(1000):
        store.extend(torch.zeros(1, 1, 1, 1))
        sizes.add(store.room.shape[2])
    sizes = sorted(sizes)
    assert all(b == 2 * (a + 1) for a, b in itertools.pairwise(sizes[1:]))
    assert len(sizes) < 12


def test_a_reserve_is_there_from_the_beginning_and_stays():
    store = Store(left=None, sinks=0, reserve=9)
    store.extend(torch.zeros(1, 1, 2, 1))
    room = store.room
    assert room.shape[2] == 9
    store.extend(torch.zeros(1, 1, 7, 1))
    assert store.room is room


# edges


@pytest.mark.parametrize("length", [1, 60])
def test_what_was_returned_stays_until_the_next_call(length):
    """The views of a call show their own tokens, also when the oldest are to go."""
    x, store = text(400), Store(left=10, sinks=2)
    store.extend(x[:, :, :40])
    for start in range(40, 400 - length, length):
        seen = store.extend(x[:, :, start : start + length])
        expected = [0, 1, *range(start - 10, start + length)]
        assert torch.equal(seen, x[:, :, expected])


def test_what_comes_in_is_not_changed_and_not_held():
    x, store = text(5), Store(left=1, sinks=1)
    seen = store.extend(x)  # longer than the room: nothing of it may be a view of x
    seen.zero_()
    assert torch.equal(x, text(5))
    store.extend(x)
    x.zero_()
    assert torch.equal(store.extend(text(5)[:, :, :0]), text(5)[:, :, [0, 4]])


def test_nothing_to_extend_with():
    x, store = text(5), Store(left=2, sinks=1)
    assert store.extend(x[:, :, :0]).shape == (2, 3, 0, 2)
    store.extend(x)
    assert torch.equal(store.extend(x[:, :, :0]), x[:, :, [0, 3, 4]])


@pytest.mark.parametrize(
    "grad", [torch.no_grad, torch.inference_mode, torch.enable_grad]
)
@pytest.mark.parametrize("length", [1, 30])
def test_any_grad_mode_after_any_other(grad, length):
    store = Store(left=3, sinks=1)
    for mode in (grad, torch.enable_grad, torch.inference_mode, grad):
        with mode():
            x = torch.zeros(1, 1, length, 1, requires_grad=mode is torch.enable_grad)
            assert not store.extend(x).requires_grad
