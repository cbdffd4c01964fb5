"""What learners write in lesson 01 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch
from einops import rearrange
from torch.nn.functional import scaled_dot_product_attention


def scores(q, k):
    return q @ k.mT / math.sqrt(q.shape[-1])


def hide(scores, mask, value=-math.inf):
    return scores.masked_fill(~mask, value)


def in_place(scores):
    scores -= scores.amax(-1, keepdim=True)
    return scores.softmax(-1)


def exp_shares(scores, shift=0.0):
    parts = (scores - shift).exp()
    return parts / parts.sum(-1, keepdim=True)


def scores_by_loops(q, k):
    out = torch.zeros(*q.shape[:-1], k.shape[-2])
    for i in range(q.shape[-2]):
        for j in range(k.shape[-2]):
            out[..., i, j] = (q[..., i, :] * k[..., j, :]).sum(-1)
    return out / q.shape[-1] ** 0.5


def square(n, compare):
    i = torch.arange(n)
    return compare(i[None, :], i[:, None])


def causal_by_loops(n_token):
    mask = torch.zeros(n_token, n_token, dtype=torch.bool)
    for query in range(n_token):
        mask[query, : query + 1] = True
    return mask


def columns(lengths, n, compare=torch.lt):
    keep = compare(torch.arange(n), lengths[:, None])
    return keep[:, None, :].expand(-1, n, -1)


def rows(lengths, n):
    return columns(lengths, n).mT


def padding_by_loops(lengths, n_token):
    mask = torch.zeros(len(lengths), n_token, n_token, dtype=torch.bool)
    for text, length in enumerate(lengths):
        mask[text, :, :length] = True
    return mask


def forgotten(scores, mask):
    scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1)


def guarded(scores, mask):
    return hide(scores, mask).softmax(-1).nan_to_num(0.0)


def shares_of_the_visible(scores, mask):
    parts = (scores - scores.amax(-1, keepdim=True)).exp() * mask
    return parts / parts.sum(-1, keepdim=True).clamp(min=1e-30)


def attend(q, k, v, mask=None, *, scale=None, dim=-1):
    s = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if mask is not None:
        s = hide(s, mask)
    return s.softmax(dim).nan_to_num(0.0) @ v


def split(x, n_heads):
    return rearrange(x, "b t (h d) -> b h t d", h=n_heads)


def merge(x):
    return rearrange(x, "b h t d -> b t (h d)")


def layer(x, w_q, w_k, w_v, w_out, n_heads, scale=None, merge=merge):
    q, k, v = (split(x @ w, n_heads) for w in (w_q, w_k, w_v))
    return merge(attend(q, k, v, scale=scale)) @ w_out


def layer_by_heads(x, w_q, w_k, w_v, w_out, n_heads):
    heads = []
    width = w_q.shape[1] // n_heads
    for h in range(n_heads):
        cut = slice(h * width, (h + 1) * width)
        heads.append(attend(x @ w_q[:, cut], x @ w_k[:, cut], x @ w_v[:, cut]))
    return torch.cat(heads, dim=-1) @ w_out


def across_texts(x, w_q, w_k, w_v, w_out, n_heads):
    together = x.reshape(1, -1, x.shape[-1])
    return layer(together, w_q, w_k, w_v, w_out, n_heads).reshape(x.shape)


WRONG = {
    "check_scaled_scores": {
        "no scale": (lambda q, k: q @ k.mT, "the scale is missing"),
        "divides by d_head": (lambda q, k: q @ k.mT / q.shape[-1], "root is missing"),
        "multiplies": (lambda q, k: q @ k.mT * q.shape[-1] ** 0.5, "do not multiply"),
        "scales by the number of keys": (
            lambda q, k: q @ k.mT / k.shape[-2] ** 0.5,
            "not the number of keys",
        ),
        "scales by the number of queries": (
            lambda q, k: q @ k.mT / len(q) ** 0.5,
            "not the number of queries",
        ),
        "transposed": (lambda q, k: scores(k, q), "is it the transpose"),
        "k not turned": (lambda q, k: q @ k, "turn k, k.mT"),
        "two axes only": (lambda q, k: q @ k.t() / q.shape[-1] ** 0.5, ".mT only"),
        "in place": (lambda q, k: q.div_(q.shape[-1] ** 0.5) @ k.mT, "x = x - y"),
        "cosine": (
            lambda q, k: scores(q / q.norm(dim=-1, keepdim=True), k),
            "and nothing else",
        ),
    },
    "check_softmax_rows": {
        "down the columns": (lambda s: s.softmax(-2), "dim=0 runs down"),
        "one sum": (lambda s: s.exp() / s.exp().sum(), "its own sum"),
        "without exp": (lambda s: s / s.sum(-1, keepdim=True), "exp comes before"),
        "no division": (torch.exp, "divide by the sum of the row"),
        "overflows": (exp_shares, "exp(1000) is inf"),
        "one maximum": (lambda s: exp_shares(s, s.max()), "its own maximum"),
        "writes into its input": (in_place, "into the caller's tensor"),
        "second axis": (lambda s: s.softmax(1), ".mT only"),
    },
    "check_causal_mask": {
        "strictly lower": (lambda n: square(n, torch.lt), "<=, not <"),
        "transposed": (lambda n: square(n, torch.ge), "is it the transpose"),
        "marks the hidden": (lambda n: square(n, torch.gt), "marks what is hidden"),
        "one ahead": (lambda n: square(n, lambda k, q: k <= q + 1), "one token ahead"),
        "numbers": (lambda n: torch.ones(n, n).tril(), "a comparison gives bools"),
        "batch of one": (lambda n: square(n, torch.le)[None], "order of the axes"),
        "always four": (lambda n: square(4, torch.le), "here n_token is 1"),
    },
    "check_padding_mask": {
        "rows as well": (
            lambda lengths, n: columns(lengths, n) & rows(lengths, n),
            "hide columns only",
        ),
        "rows instead": (rows, "these are the rows"),
        "one too many": (
            lambda lengths, n: columns(lengths, n, torch.le),
            "off by one",
        ),
        "marks the padding": (
            lambda lengths, n: columns(lengths, n, torch.ge),
            "marks the padding",
        ),
        "padding first": (
            lambda lengths, n: columns(lengths, n).flip(2),
            "at the end of a text",
        ),
        "a row a text": (
            lambda lengths, n: torch.arange(n) < lengths[:, None],
            "one square a text",
        ),
    },
    "check_masked_weights": {
        "result not kept": (forgotten, "the mask changed nothing"),
        "filled with 0": (lambda s, m: hide(s, m, 0.0).softmax(-1), "exp(0) = 1"),
        "hidden after": (lambda s, m: s.softmax(-1) * m, "no longer sums to 1"),
        "inverted": (lambda s, m: guarded(s, ~m), "fill where ~mask"),
        "asks the whole mask": (
            lambda s, m: s if not m else guarded(s, m),
            "no if, no not",
        ),
        "nan": (lambda s, m: hide(s, m).softmax(-1), "0 / 0"),
        "-1e9": (lambda s, m: hide(s, m, -1e9).softmax(-1), "averages the forbidden"),
        "first text only": (
            lambda s, m: guarded(s, m) if s.ndim == 2 else guarded(s[0], m),
            "stretch one mask",
        ),
    },
    "check_attention": {
        "adds the values": (
            lambda q, k, v, mask=None: torch.ones_like(q @ k.mT) @ v,
            "the values were added",
        ),
        "stops at the weights": (
            lambda q, k, v, mask=None: scores(q, k).softmax(-1),
            "still to come",
        ),
        "no softmax": (lambda q, k, v, mask=None: scores(q, k) @ v, "softmax first"),
        "no scale": (
            lambda q, k, v, mask=None: attend(q, k, v, mask, scale=1),
            "the scale is missing",
        ),
        "scaled by d_value": (
            lambda q, k, v, mask=None: attend(q, k, v, mask, scale=v.shape[-1] ** -0.5),
            "d_head is the last axis of q",
        ),
        "softmax over queries": (
            lambda q, k, v, mask=None: attend(q, k, v, dim=-2 if q.any() else -1),
            "softmax over the keys",
        ),
        "no mask": (lambda q, k, v, mask=None: attend(q, k, v), "changed nothing"),
        "mask inverted": (
            lambda q, k, v, mask=None: attend(q, k, v, None if mask is None else ~mask),
            "True means: may look",
        ),
        "weighs the keys": (
            lambda q, k, v, mask=None: attend(q, k, k, mask),
            "weights @ v, not",
        ),
    },
    "check_split_heads": {
        "reshape alone": (
            lambda x, h: x.reshape(len(x), h, x.shape[1], -1),
            "reshape alone mixes tokens",
        ),
        "every second number": (
            lambda x, h: rearrange(x, "b t (d h) -> b h t d", h=h),
            "a head has neighbours",
        ),
        "not swapped": (
            lambda x, h: x.reshape(*x.shape[:2], h, -1),
            "heads come before the tokens",
        ),
        "width for number": (
            lambda x, h: rearrange(x, "b t (h d) -> b h t d", d=h),
            "not the width of one",
        ),
        "heads first": (
            lambda x, h: rearrange(x, "b t (h d) -> h b t d", h=h),
            "the batch stays first",
        ),
        "last head first": (lambda x, h: split(x, h).flip(1), "head 0 comes first"),
    },
    "check_merge_heads": {
        "reshape alone": (
            lambda x: x.reshape(len(x), x.shape[2], -1),
            "reshape alone mixes tokens",
        ),
        "woven": (lambda x: rearrange(x, "b h t d -> b t (d h)"), "not (d head)"),
        "sum": (lambda x: x.sum(1), "neither sum nor mean"),
        "under each other": (
            lambda x: rearrange(x, "b h t d -> b (h t) d"),
            "not under each other",
        ),
        "batch lost": (lambda x: merge(x).squeeze(0), "the batch stays"),
        "view": (
            lambda x: x.transpose(1, 2).view(len(x), x.shape[2], -1),
            "neighbours in memory",
        ),
    },
    "check_multi_head": {
        "one head": (
            lambda *given, n_heads: layer(*given, n_heads=1),
            "one head for all",
        ),
        "scale of d_model": (
            lambda x, *w, n_heads: layer(x, *w, n_heads, x.shape[-1] ** -0.5),
            "d_model / n_heads wide",
        ),
        "no scale": (
            lambda x, *w, n_heads: layer(x, *w, n_heads, 1.0),
            "the scale is missing",
        ),
        "no last projection": (
            lambda x, q, k, v, out, n_heads: layer(x, q, k, v, torch.eye(4), n_heads),
            "the last step is @ w_out",
        ),
        "swapped": (
            lambda x, q, k, v, out, n_heads: layer(x, k, q, v, out, n_heads),
            "these are swapped",
        ),
        "bare values": (
            lambda x, q, k, v, out, n_heads: layer(x, q, k, torch.eye(4), out, n_heads),
            "the values go through w_v",
        ),
        "turned weights": (
            lambda x, *w, n_heads: layer(x, *(m.mT for m in w), n_heads),
            "only nn.Linear turns it",
        ),
        "merged without a swap": (
            lambda *given, n_heads: layer(
                *given, n_heads, merge=lambda x: x.reshape(len(x), x.shape[2], -1)
            ),
            "swap head and token back",
        ),
        "across texts": (across_texts, "the batch stays the first axis"),
    },
}

ALTERNATIVES = {
    "check_scaled_scores": [
        scores_by_loops,
        lambda q, k: torch.einsum("...qd,...kd->...qk", q, k) / q.shape[-1] ** 0.5,
        lambda q, k: (q / q.shape[-1] ** 0.5) @ k.transpose(-1, -2),
    ],
    "check_softmax_rows": [
        lambda s: s.softmax(-1),
        lambda s: exp_shares(s, s.amax(-1, keepdim=True)),
        lambda s: (s - s.logsumexp(-1, keepdim=True)).exp(),
    ],
    "check_causal_mask": [
        causal_by_loops,
        lambda n: torch.ones(n, n, dtype=torch.bool).tril(),
        lambda n_token: ~torch.ones(n_token, n_token).triu(1).bool(),
    ],
    "check_padding_mask": [
        padding_by_loops,
        lambda lengths, n_token: (torch.arange(n_token) < lengths[:, None])[
            :, None
        ].repeat(1, n_token, 1),
    ],
    "check_masked_weights": [
        guarded,
        shares_of_the_visible,
        lambda s, m: hide(s, m, -1e9).softmax(-1) * m,
    ],
    "check_attention": [
        attend,
        lambda q, k, v, mask=None: scaled_dot_product_attention(q, k, v, mask),
    ],
    "check_split_heads": [
        split,
        lambda x, n_heads: x.unflatten(-1, (n_heads, -1)).transpose(1, 2),
        lambda x, n_heads: torch.stack(x.chunk(n_heads, dim=-1), dim=1),
    ],
    "check_merge_heads": [
        merge,
        lambda x: x.transpose(1, 2).flatten(2),
        lambda x: torch.cat(list(x.unbind(1)), dim=-1),
    ],
    "check_multi_head": [layer, layer_by_heads],
}
