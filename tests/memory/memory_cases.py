"""What the tests of memory share: texts, ways to split them, and reading them."""

import itertools
import re

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st

from longctx_edu.memory import attend_seen

BATCH, D_HEAD, D_VALUE = 2, 4, 6
few = settings(max_examples=60, deadline=None, derandomize=True)


def normal(*shape, seed=0, dtype=torch.float64):
    """Random numbers, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype)


def make(n, *, heads=(3, 3), d_value=D_VALUE, seed=0, dtype=torch.float64):
    """Queries in two forms, keys and values of a text."""
    head, kv_head = heads
    sizes = (head, D_HEAD), (head, D_HEAD), (kv_head, D_HEAD), (kv_head, d_value)
    return [
        normal(BATCH, heads, n, width, seed=4 * seed + i, dtype=dtype)
        for i, (heads, width) in enumerate(sizes)
    ]


def pieces(lengths):
    """Turn the lengths of pieces into slices."""
    ends = torch.tensor([0, *lengths]).cumsum(0).tolist()
    return [slice(a, b) for a, b in itertools.pairwise(ends)]


# Steps of one token, pieces of none, and some that are longer than most windows.
splits = st.lists(
    st.one_of(st.just(1), st.integers(0, 4), st.integers(5, 25)), min_size=1, max_size=9
).filter(lambda lengths: sum(lengths) > 0)
windows = st.one_of(
    st.just((None, 0)),
    st.tuples(st.integers(0, 8), st.integers(0, 5)),
    st.tuples(st.integers(0, 60), st.integers(0, 20)),
)


def read(cache, q, k, v, lengths, *, q_sinks=None, bias=None, keep=None, **options):
    """Read a text piece by piece; return what its queries take, as one text."""
    out = []
    for piece in pieces(lengths):
        seen = cache.extend(0, k[:, :, piece], v[:, :, piece])
        out.append(
            attend_seen(
                q[:, :, piece],
                seen,
                torch.arange(piece.start, piece.stop),
                left=cache.left,
                q_sinks=None if q_sinks is None else q_sinks[:, :, piece],
                bias=None if bias is None else bias[..., piece, :][..., seen.places],
                keep=None if keep is None else keep[:, seen.places],
                **options,
            )
        )
    return torch.cat(out, dim=2)


def assert_close(got, expected, atol=1e-12):
    torch.testing.assert_close(got, expected, rtol=0, atol=atol)


def refused(text):
    return pytest.raises(ValueError, match=f"^{re.escape(text)}")
