"""What the shared guards in tests/course do not hold: how messages look."""

import machinery as m
import torch

from longctx_edu.checks import lesson_01
from longctx_edu.checks.oracles import drawn, slow_attention, slow_heads

answers = m.load_file(m.WRONG_ANSWERS / "lesson_01.py")


def test_a_message_reads_well():
    verdict = lesson_01.check_causal_mask(
        answers.WRONG["check_causal_mask"]["numbers"][0]
    )
    assert verdict.message.splitlines() == [
        "✗ causal_mask: the result holds bools, True or False",
        "  came:",
        "    torch.float32",
        "  expected:",
        "    torch.bool",
        "  hint: a comparison gives bools; .bool() turns numbers into them",
    ]


def test_the_oracles_equal_torch():
    q, k, v, mask = drawn(5, 4), drawn(7, 4), drawn(7, 3), drawn(5, 7) > -0.5
    theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)
    torch.testing.assert_close(slow_attention(q, k, v, mask).float(), theirs)
    x, w = drawn(3, 4), [drawn(4, 4), drawn(4, 5)[:, :4], drawn(4, 6)[:, :4]]
    layer = torch.nn.MultiheadAttention(4, 2, bias=False, batch_first=True)
    with torch.no_grad():
        layer.in_proj_weight.copy_(torch.cat([m.mT for m in w]))
        layer.out_proj.weight.copy_(torch.eye(4))
        theirs = layer(x[None], x[None], x[None])[0][0]
    torch.testing.assert_close(slow_heads(x, *w, n_heads=2).float(), theirs)
