"""What the shared guards in tests/course do not hold: how messages look."""

import machinery as m
import pytest
import torch

from longctx_edu.checks import lesson_08
from longctx_edu.checks.adam_08 import slow_adam

answers = m.load_file(m.WRONG_ANSWERS / "lesson_08.py")


def test_a_message_reads_well():
    wrong = answers.WRONG["check_adamw_step"]["decay through the gradient"][0]
    assert lesson_08.check_adamw_step(wrong).message.splitlines() == [
        "✗ adamw_step: the running mean of the gradient sees the gradient alone",
        "  given:",
        "    theta = 4 -2",
        "    gradient = 2 -4",
        "    first = 0 0",
        "    second = 0 0",
        "    step = 1",
        "    rate = 0.1",
        "    decay = 0.5",
        "  came:",
        "    0.4 -0.5",
        "  expected:",
        "    0.2 -0.4",
        "  hint: the decay went through the gradient: that is L2; take it off theta",
    ]


def test_the_oracle_of_adam_equals_torch():
    gradients = [2.0, -1.0, 0.5, 4.0]
    theta = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=1.0, betas=(0.8, 0.9), eps=0.1)
    for gradient in gradients:
        before = theta.item()
        theta.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
    direction, first, second = slow_adam(gradients, (0.8, 0.9), 0.1)
    state = optimizer.state[theta]
    assert direction == pytest.approx(before - theta.item())
    assert first == pytest.approx(state["exp_avg"].item())
    assert second == pytest.approx(state["exp_avg_sq"].item())
