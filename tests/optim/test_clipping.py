import pytest
import torch

from longctx_edu.optim import clip_gradients


def weights(scale=1.0):
    generator = torch.Generator().manual_seed(0)
    found = []
    for shape in ((3, 4), (5,)):
        weight = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        weight.grad = scale * torch.randn(
            shape, generator=generator, dtype=torch.float64
        )
        found.append(weight)
    return [*found, torch.zeros(2, requires_grad=True)]  # one without a gradient


def flat(parameters):
    return torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])


# equals torch


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("max_norm", [0.5, 1.0, 7.0])
def test_it_equals_torch(scale, max_norm):
    ours, theirs = weights(scale), weights(scale)
    norm = clip_gradients(ours, max_norm)
    wanted = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
    torch.testing.assert_close(norm, wanted, rtol=1e-12, atol=0)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-12, atol=0)


# properties


def test_the_direction_stays_and_the_length_is_the_limit():
    ours = weights(10.0)
    before = flat(ours)
    norm = clip_gradients(ours, 0.5)
    assert norm == pytest.approx(before.norm())
    after = flat(ours)
    assert 0.4999 < after.norm() <= 0.5
    torch.testing.assert_close(after / after.norm(), before / before.norm())


def test_a_short_gradient_is_left_alone():
    ours = weights(0.01)
    before = flat(ours)
    clip_gradients(ours, 1.0)
    assert torch.equal(flat(ours), before)


# edges


def test_a_gradient_of_zero_stays_zero():
    ours = weights(0.0)
    assert clip_gradients(iter(ours), 1.0) == 0
    assert (flat(ours) == 0).all()


# messages


def test_a_limit_of_zero_and_nothing_to_clip_are_named():
    with pytest.raises(ValueError, match="need max_norm > 0, got 0"):
        clip_gradients(weights(), 0.0)
    with pytest.raises(ValueError, match="need a parameter with a gradient, got none"):
        clip_gradients([torch.zeros(2, requires_grad=True)], 1.0)
