"""How far a result is from `dense_attention` in float64, under its own claim."""

from dataclasses import dataclass

import torch
from torch import Tensor

from longctx_edu.attention import dense_attention
from longctx_edu.benchmarks.cases import Case, Inputs
from longctx_edu.benchmarks.contender import Claim

ROWS = 256
"""Queries in a piece of the reference: never the whole square at once."""


@dataclass(frozen=True)
class Answer:
    """What a call gave, or should have given, in the order (batch, head, token, d).

    Args:
        out: The results.
        gradients: Those of queries, keys and values; empty without backward.
    """

    out: Tensor
    gradients: tuple[Tensor, ...] = ()


def dense_answer(inputs: Inputs, claim: Claim, *, backward: bool) -> Answer:
    """Compute the answer by the definition, in float64, on the CPU.

    Args:
        inputs: Taken as they are, after their rounding to a shorter format.
        claim: Mask and bias for any positions.
        backward: With the gradients.
    """
    q, k, v = (x.cpu().double() for x in (inputs.q, inputs.k, inputs.v))
    n, outs, k_grad, v_grad = q.shape[2], [], torch.zeros_like(k), torch.zeros_like(v)
    q_grads, key = [], torch.arange(q.shape[2])
    for first in range(0, n, ROWS):
        rows = slice(first, min(first + ROWS, n))
        leaves = [x.detach().requires_grad_(backward) for x in (q[:, :, rows], k, v)]
        mask, bias = claim(key[rows, None], key)
        out = dense_attention(*leaves, mask=mask, bias=bias)
        outs.append(out.detach())
        if backward:
            out_grad = inputs.out_grad[:, :, rows].cpu().double()
            gradients = torch.autograd.grad(out, leaves, out_grad)
            q_grads.append(gradients[0])
            k_grad += gradients[1]
            v_grad += gradients[2]
    out = torch.cat(outs, dim=2)
    return Answer(out, (torch.cat(q_grads, 2), k_grad, v_grad) if backward else ())


def largest_difference(case: Case, got: Answer, expected: Answer) -> float:
    """Compare two answers on all real tokens: results, and gradients where there are.

    Args:
        case: Says which tokens are real.
        got: What a call gave.
        expected: What it should have given.
    """
    pairs = zip(
        (got.out, *got.gradients), (expected.out, *expected.gradients), strict=True
    )
    real = slice(case.n_real)
    return max(
        (mine[:, :, real].cpu().double() - theirs[:, :, real]).abs().max().item()
        for mine, theirs in pairs
    )
