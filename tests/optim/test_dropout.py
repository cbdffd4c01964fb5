import pytest
import torch

from longctx_edu.optim import dropout


def seeded():
    return torch.Generator().manual_seed(0)


X = torch.randn(200, 50, generator=seeded(), dtype=torch.float64)


# equals torch


def test_what_stays_is_scaled_as_torch_scales_it():
    torch.manual_seed(3)
    theirs = torch.nn.functional.dropout(X, 0.3)
    kept = theirs != 0
    ours = dropout(X, 0.3, generator=seeded())
    both = kept & (ours != 0)
    torch.testing.assert_close(ours[both], theirs[both])


# properties


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_share_is_lost_and_the_mean_stays(share):
    ones = torch.ones(200, 500)
    dropped = dropout(ones, share, generator=seeded())
    assert (dropped == 0).double().mean() == pytest.approx(share, abs=0.01)
    assert dropped.mean() == pytest.approx(1.0, abs=0.05)


def test_in_use_nothing_is_lost():
    assert dropout(X, 0.9, training=False) is X
    assert torch.equal(dropout(X, 0.0), X)


def test_the_gradient_passes_where_the_number_did():
    x = X.clone().requires_grad_()
    dropped = dropout(x, 0.5, generator=seeded())
    dropped.sum().backward()
    assert torch.equal(x.grad, torch.where(dropped == 0, 0.0, 2.0).double())


def test_the_generator_decides():
    first, again = (dropout(X, 0.5, generator=seeded()) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, dropout(X, 0.5))


# messages


@pytest.mark.parametrize("share", [1.0, -0.1, float("nan")])
def test_a_share_outside_its_range_is_named(share):
    with pytest.raises(
        ValueError, match=f"need a share from 0 to below 1, got {share}"
    ):
        dropout(X, share)
