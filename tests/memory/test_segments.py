import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from memory_cases import few, normal, pieces, refused, splits

from longctx_edu.attention import dense_attention
from longctx_edu.memory import SegmentMemory

BATCH, D_MODEL = 2, 4


def text(n, **kind):
    return normal(BATCH, n, D_MODEL, **kind)


# equals the definition


@few
@given(splits, st.integers(0, 30))
def test_a_segment_meets_the_last_tokens_before_it(lengths, length):
    x, memory = text(sum(lengths)), SegmentMemory(2, length=length)
    for piece in pieces(lengths):
        expected = x[:, max(0, piece.start - length) : piece.stop]
        for layer in range(2):
            factor = layer + 1.0
            known = memory.extend(layer, factor * x[:, piece])
            assert torch.equal(known, factor * expected)
        kept = min(length, piece.stop)
        assert memory.n_tokens == piece.stop
        assert memory.nbytes == 2 * BATCH * kept * D_MODEL * 8


def test_the_memory_ends_where_the_text_ends():
    """Not where the segment began.

    The authors' code keeps `known[end - length : end]` with `end = n_memory + n_new`,
    less the tokens that it means to read again; its caller hands over the two numbers
    in the wrong order, which shows where they differ.
    """
    x, memory = text(40), SegmentMemory(1, length=6)
    for piece in pieces([3, 10, 1, 2, 20, 4]):  # shorter and longer than the memory
        memory.extend(0, x[:, piece])
        remembered = memory.extend(0, x[:, :0])
        assert torch.equal(remembered, x[:, max(0, piece.stop - 6) : piece.stop])


def test_recurrence_over_one_layer_is_a_window_in_segments():
    """A query sees its segment, and what is remembered of the text before."""
    x, memory, rows = text(12), SegmentMemory(1, length=5), []
    for piece in pieces([4, 4, 4]):
        known = memory.extend(0, x[:, piece])
        rows.append(dense_attention(x[:, piece], known, known))
    i, j = torch.arange(12)[:, None], torch.arange(12)
    mask = (j >= i // 4 * 4 - 5) & (j < i // 4 * 4 + 4)
    whole = dense_attention(x, x, x, mask=mask)
    torch.testing.assert_close(torch.cat(rows, dim=1), whole, rtol=0, atol=1e-12)


# properties


def test_no_gradient_flows_into_the_memory():
    x = text(9).requires_grad_()
    memory = SegmentMemory(1, length=4)
    memory.extend(0, 2 * x[:, :5])
    known = memory.extend(0, 3 * x[:, 5:])
    (gradient,) = torch.autograd.grad(known.sum(), x)
    assert gradient[:, :, 0].tolist() == [[0.0] * 5 + [3.0] * 4] * BATCH


def test_the_memory_is_a_copy():
    x, memory = text(9), SegmentMemory(1, length=4)
    before = x.clone()
    known = memory.extend(0, x)
    known.zero_()
    x.zero_()
    held = memory.extend(0, x[:, :0])
    assert torch.equal(held, before[:, 5:])
    assert held.untyped_storage().nbytes() == BATCH * 4 * D_MODEL * 8


def test_clear_forgets_also_the_kind_of_text():
    memory = SegmentMemory(2, length=4)
    memory.beside["words"] = 1
    memory.extend(0, text(5))
    memory.clear()
    assert (memory.n_tokens, memory.nbytes, memory.beside) == (0, 0, {})
    assert memory.extend(1, torch.zeros(3, 2, 7)).shape == (3, 2, 7)


# edges


def test_a_memory_of_nothing():
    x, memory = text(9), SegmentMemory(1, length=0)
    memory.extend(0, x[:, :5])
    assert torch.equal(memory.extend(0, x[:, 5:]), x[:, 5:])
    assert memory.nbytes == 0 and memory.n_tokens == 9


# messages

# Unwrapped: a caller who runs no type checks gets the message of the function itself.
extend_alone = inspect.unwrap(SegmentMemory.extend)
forgets = ": what was read before belongs to it; clear() forgets that"


@pytest.mark.parametrize(
    ("x", "text_of_error"),
    [
        (torch.zeros(3, 1, 4), "need the memory's batch of 2, got 3"),
        (torch.zeros(2, 1, 5), "need the memory's width of 4, got 5"),
        (
            torch.zeros(2, 1, 4).double(),
            "need the memory's number format of torch.float32, got torch.float64",
        ),
        (
            torch.zeros(2, 1, 4, device="meta"),
            "need the memory's device of cpu, got meta",
        ),
    ],
)
def test_segments_of_another_kind(x, text_of_error):
    memory = SegmentMemory(1, length=3)
    memory.extend(0, torch.zeros(2, 5, 4))
    with refused(text_of_error + forgets):
        memory.extend(0, x)
    assert memory.n_tokens == 5 and memory.extend(0, torch.zeros(2, 1, 4)).shape[1] == 4


def test_no_segment():
    with refused("need x of shape (batch, token, d_model), got (5, 4)"):
        extend_alone(SegmentMemory(1, length=2), 0, torch.zeros(5, 4))


def test_a_layer_that_runs_ahead():
    memory = SegmentMemory(2, length=3)
    memory.extend(0, text(5))
    with refused(
        "need each layer extended once for the same tokens, got layer 0 again"
    ):
        memory.extend(0, text(5))
    with refused("need 5 tokens in layer 1, as in the layers before, got 4"):
        memory.extend(1, text(4))
    memory.extend(1, text(5))
    assert memory.n_tokens == 5


@pytest.mark.parametrize("length", [-1, True])
def test_a_length_that_is_none(length):
    with refused(f"need length that is a whole number >= 0, got {length}"):
        inspect.unwrap(SegmentMemory.__init__)(
            SegmentMemory.__new__(SegmentMemory), 1, length=length
        )
