import inspect

import pytest
import torch

from longctx_edu.masks import causal, dense_mask
from longctx_edu.positions import distances

# equals the definition


@pytest.mark.parametrize("n_query", range(5))
@pytest.mark.parametrize("n_key", range(5))
def test_the_last_query_stands_at_the_last_key(n_query, n_key):
    got = distances(n_query, n_key)
    assert got.shape == (n_query, n_key)
    for i in range(n_query):
        for j in range(n_key):
            assert got[i, j] == (n_key - 1 - j) - (n_query - 1 - i)


# properties


@pytest.mark.parametrize(("n_query", "n_key"), [(5, 5), (2, 7), (1, 4)])
def test_a_causal_mask_shows_what_is_not_negative(n_query, n_key):
    mask = dense_mask(causal(n_key - n_query), n_query, n_key)
    assert torch.equal(distances(n_query, n_key) >= 0, mask)


def test_as_many_keys_as_queries_by_default():
    assert torch.equal(distances(4), distances(4, 4))
    assert distances(4, device="meta").device.type == "meta"


# messages


def test_less_than_no_token():
    text = "^need n_query and n_key >= 0, got n_query=3 and n_key=-1$"
    with pytest.raises(ValueError, match=text):
        inspect.unwrap(distances)(3, -1)
    with pytest.raises(ValueError, match="got n_query=-1 and n_key=-1"):
        distances(-1)
