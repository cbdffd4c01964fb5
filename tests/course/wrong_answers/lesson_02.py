"""What learners write in lesson 02 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from longctx_edu.data.language import mask_tokens
from longctx_edu.models.sampling import greedy, sample

SPECIAL = torch.tensor([0, 1, 2])


def norm(x, gain, shift, eps, *, dim=-1, correction=0, under=None, center=True):
    mean = x.mean(dim, keepdim=True)
    variance = x.var(dim, correction=correction, keepdim=True)
    under = under or (lambda variance, eps: (variance + eps).sqrt())
    return (x - mean if center else x) / under(variance, eps) * gain + shift


def norm_of_all(x, gain, shift, eps):
    return (x - x.mean()) / (x.var(correction=0) + eps).sqrt() * gain + shift


def norm_in_place(x, gain, shift, eps):
    x -= x.mean(-1, keepdim=True)
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * gain + shift


def rms(x, gain, shift, eps):
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * gain + shift


def norm_without_keepdim(x, gain, shift, eps):
    return (x - x.mean(-1)) / (x.var(-1, correction=0) + eps).sqrt() * gain + shift


def norm_by_loops(x, gain, shift, eps):
    rows = []
    for row in x.reshape(-1, x.shape[-1]).tolist():
        mean = sum(row) / len(row)
        variance = sum((number - mean) ** 2 for number in row) / len(row)
        rows.append([(number - mean) / math.sqrt(variance + eps) for number in row])
    return torch.tensor(rows).view(x.shape) * gain + shift


def embedded(ids, table, positions, *, scale=lambda d, ids: d**0.5, places=None):
    here = positions[: ids.shape[1]] if places is None else places(ids, positions)
    return table[ids] * scale(table.shape[1], ids) + here


def feed(x, w_in, b_in, w_out, b_out, *, bend=F.gelu, last=None):
    out = bend(x @ w_in + b_in) @ w_out + b_out
    return out if last is None else last(out)


def block(x, norm_1, attention, norm_2, feed):
    x = x + attention(norm_1(x))
    return x + feed(norm_2(x))


def post_norm(x, norm_1, attention, norm_2, feed):
    x = norm_1(x + attention(x))
    return norm_2(x + feed(x))


def norm_on_residual(x, norm_1, attention, norm_2, feed):
    x = norm_1(x)
    x = x + attention(x)
    x = norm_2(x)
    return x + feed(x)


def first_residual_normed(x, norm_1, attention, norm_2, feed):
    x = norm_1(x)
    x = x + attention(x)
    return x + feed(norm_2(x))


def second_residual_normed(x, norm_1, attention, norm_2, feed):
    x = norm_2(x + attention(norm_1(x)))
    return x + feed(x)


def asks_twice(x, norm_1, attention, norm_2, feed):
    return x + attention(norm_1(x)) + feed(norm_2(x + attention(norm_1(x))))


def parallel(x, norm_1, attention, norm_2, feed):
    return x + attention(norm_1(x)) + feed(norm_2(x))


def adds_to_the_start(x, norm_1, attention, norm_2, feed):
    return x + feed(norm_2(x + attention(norm_1(x))))


def in_place_block(x, norm_1, attention, norm_2, feed):
    x += attention(norm_1(x))
    x += feed(norm_2(x))
    return x


def hide(
    ids,
    vocab_size,
    mask_id,
    special_ids,
    share,
    generator,
    *,
    levels=(0.8, 0.9),
    special=True,
    label=lambda ids, inputs, chosen, kind: torch.where(chosen, ids, -100),
    random=None,
):
    """One function, many ways to be wrong."""
    chosen = torch.rand(ids.shape, generator=generator) < share
    if special:
        chosen &= ~torch.isin(ids, torch.tensor(special_ids))
    fate = torch.rand(ids.shape, generator=generator)
    ordinary = torch.tensor([i for i in range(vocab_size) if i not in special_ids])
    at = torch.randint(len(ordinary), ids.shape, generator=generator)
    drawn = ordinary[at] if random is None else random(ids, vocab_size, generator)
    inputs = torch.where(chosen & (fate < levels[0]), mask_id, ids)
    swapped = chosen & (fate >= levels[0]) & (fate < levels[1])
    inputs = torch.where(swapped, drawn, inputs)
    return inputs, label(ids, inputs, chosen, fate)


def wrong_hide(**how):
    return lambda *given, **named: hide(*given, **named, **how)


def hide_everywhere(ids, vocab_size, mask_id, special_ids, share, generator):
    draw = torch.rand(ids.shape, generator=generator)
    return torch.where(draw < share, mask_id, ids), ids.clone()


def hide_others_too(ids, vocab_size, mask_id, special_ids, share, generator):
    inputs, labels = hide(ids, vocab_size, mask_id, special_ids, share, generator)
    drawn = torch.randint(3, vocab_size, ids.shape, generator=generator)
    odd = torch.rand(ids.shape, generator=generator) < 0.02
    return torch.where(odd & (labels == -100), drawn, inputs), labels


def hide_unseeded(ids, vocab_size, mask_id, special_ids, share, generator):
    return hide(ids, vocab_size, mask_id, special_ids, share, None)


def hide_reseeded(ids, vocab_size, mask_id, special_ids, share, generator):
    generator = torch.Generator().manual_seed(0)
    return hide(ids, vocab_size, mask_id, special_ids, share, generator)


def hide_in_place(ids, vocab_size, mask_id, special_ids, share, generator):
    inputs, labels = hide(ids, vocab_size, mask_id, special_ids, share, generator)
    ids[labels != -100] = mask_id
    return inputs, labels


def hide_one_draw(ids, vocab_size, mask_id, special_ids, share, generator):
    draw = torch.rand(ids.shape, generator=generator)
    draw[torch.isin(ids, torch.tensor(special_ids))] = 1.0
    drawn = torch.randint(3, vocab_size, ids.shape, generator=generator)
    inputs = torch.where(draw < 0.8 * share, mask_id, ids)
    swap = (draw >= 0.8 * share) & (draw < 0.9 * share)
    labels = ids.masked_fill(draw >= share, -100)
    return torch.where(swap, drawn, inputs), labels


def hide_by_library(ids, vocab_size, mask_id, special_ids, share, generator):
    return mask_tokens(
        ids,
        vocab_size=vocab_size,
        mask_id=mask_id,
        special_ids=special_ids,
        share=share,
        generator=generator,
    )


def bits(logits, labels, *, log=None, mean=None):
    real = labels != -100
    costs = -logits[real].log_softmax(-1).gather(-1, labels[real][:, None])[:, 0]
    costs = costs / math.log(2) if log is None else log(costs)
    return float(costs.mean() if mean is None else mean(costs, real))


def bits_of_rows(logits, labels):
    rows = zip(logits, labels, strict=True)
    return sum(bits(x, y) for x, y in rows) / len(logits)


def bits_padding_as_zero(logits, labels):
    return bits(logits, labels.clamp(min=0))


def bits_without_softmax(logits, labels):
    real = labels != -100
    costs = -logits[real].gather(-1, labels[real][:, None])
    return float(costs.mean()) / math.log(2)


def bits_unstable(logits, labels):
    real = labels != -100
    parts = logits[real].exp()
    shares = parts / parts.sum(-1, keepdim=True)
    return float(-shares[torch.arange(len(shares)), labels[real]].log2().mean())


def bits_by_loops(logits, labels):
    total, count = 0.0, 0
    for row, label in zip(logits.flatten(0, 1), labels.flatten().tolist(), strict=True):
        if label >= 0:
            total += float(row.logsumexp(0) - row[label]) / math.log(2)
            count += 1
    return total / count


def choose(logits, temperature, generator, *, scaled=None, dim=-1):
    if temperature == 0:
        return logits.argmax(-1)
    scaled = scaled or (lambda logits, heat: logits / heat)
    shares = scaled(logits, temperature).softmax(dim)
    return torch.multinomial(shares, 1, generator=generator)[:, 0]


def choose_shares_by_heat(logits, temperature, generator):
    if temperature == 0:
        return logits.argmax(-1)
    shares = logits.softmax(-1) / temperature
    return torch.multinomial(shares, 1, generator=generator)[:, 0]


def choose_softmax_twice(logits, temperature, generator):
    return choose(logits.softmax(-1), temperature, generator)


def choose_column(logits, temperature, generator):
    if temperature == 0:
        return logits.argmax(-1)
    shares = (logits / temperature).softmax(-1)
    return torch.multinomial(shares, 1, generator=generator)


def choose_divides(logits, temperature, generator):
    shares = (logits / temperature).softmax(-1)
    return torch.multinomial(shares, 1, generator=generator)[:, 0]


def choose_unseeded(logits, temperature, generator):
    return choose(logits, temperature, None)


def choose_reseeded(logits, temperature, generator):
    return choose(logits, temperature, torch.Generator().manual_seed(0))


def choose_uniform(logits, temperature, generator):
    if temperature == 0:
        return logits.argmax(-1)
    return torch.randint(logits.shape[1], logits.shape[:1], generator=generator)


def choose_one_draw(logits, temperature, generator):
    if temperature == 0:
        return logits.argmax(-1)
    shares = (logits / temperature).softmax(-1)
    one = torch.multinomial(shares[0], 1, generator=generator)
    return one.expand(len(logits)).clone()


def choose_by_gumbel(logits, temperature, generator):
    if temperature == 0:
        return logits.argmax(-1)
    draw = torch.rand(logits.shape, generator=generator).clamp(min=1e-12)
    return (logits / temperature - (-draw.log()).log()).argmax(-1)


def choose_by_steps(logits, temperature, generator):
    if temperature == 0:
        return logits.argmax(-1)
    steps = (logits.double() / temperature).softmax(-1).cumsum(-1)
    draw = torch.rand(len(logits), 1, generator=generator)
    return (steps < draw).sum(-1).clamp(max=logits.shape[1] - 1)


def choose_by_library(logits, temperature, generator):
    if temperature == 0:
        return greedy(logits)
    return sample(logits, temperature=temperature, generator=generator)


WRONG = {
    "check_layer_norm": {
        "over the tokens": (lambda *a: norm(*a, dim=0), "the wrong axis"),
        "over everything": (norm_of_all, "one variance for all"),
        "over everything, unbiased": (
            lambda x, gain, shift, eps: gain * (x - x.mean()) / x.std() + shift,
            "one variance for all",
        ),
        "unbiased": (lambda *a: norm(*a, correction=1), "not by 3"),
        "by the variance": (lambda *a: norm(*a, under=lambda v, e: v + e), "the root"),
        "mean only": (
            lambda x, gain, shift, eps: (x - x.mean(-1, keepdim=True)) * gain + shift,
            "divide by the root of the variance as well",
        ),
        "no mean": (lambda *a: norm(*a, center=False), "the mean is not taken off"),
        "root mean square": (rms, "the mean is not taken off"),
        "no keepdim": (norm_without_keepdim, "keepdim=True"),
        "no gain, no shift": (
            lambda x, g, s, e: norm(x, 1, 0, e),
            "gain and shift are forgotten",
        ),
        "no gain": (lambda x, g, s, e: norm(x, 1, s, e), "the gain is forgotten"),
        "no shift": (lambda x, g, s, e: norm(x, g, 0, e), "the shift is forgotten"),
        "shift first": (
            lambda x, g, s, e: norm(x, 1, s, e) * g,
            "first times gain, then plus shift",
        ),
        "epsilon outside": (
            lambda *a: norm(*a, under=lambda v, e: v.sqrt() + e),
            "eps stands under the root",
        ),
        "no epsilon": (lambda x, g, s, e: norm(x, g, s, 0), "eps is not used"),
        "fixed axis": (lambda *a: norm(*a, dim=1), "dim=-1 is the vector"),
        "in place": (norm_in_place, "write into"),
    },
    "check_embed": {
        "no scale": (
            lambda *a: embedded(*a, scale=lambda d, ids: 1),
            "the scale is missing",
        ),
        "times d_model": (
            lambda *a: embedded(*a, scale=lambda d, ids: d),
            "the root: times d_model ** 0.5",
        ),
        "divided": (
            lambda *a: embedded(*a, scale=lambda d, ids: d**-0.5),
            "not divided by it",
        ),
        "both scaled": (
            lambda i, t, p: (t[i] + p[: i.shape[1]]) * t.shape[1] ** 0.5,
            "only the token's row is scaled",
        ),
        "no places": (
            lambda *a: embedded(*a, places=lambda ids, p: 0),
            "the places are missing",
        ),
        "places of ids": (
            lambda *a: embedded(*a, places=lambda ids, p: p[ids]),
            "places, not ids",
        ),
        "places from 1": (
            lambda *a: embedded(*a, places=lambda ids, p: p[1 : ids.shape[1] + 1]),
            "places count from 0",
        ),
        "all places": (
            lambda *a: embedded(*a, places=lambda ids, p: p),
            "table[ids] takes a row for each",
        ),
        "root of tokens": (
            lambda *a: embedded(*a, scale=lambda d, ids: ids.shape[1] ** 0.5),
            "not of the number of tokens",
        ),
    },
    "check_feed_forward": {
        "no bend": (lambda *a: feed(*a, bend=lambda x: x), "two linear maps are one"),
        "ReLU": (lambda *a: feed(*a, bend=torch.relu), "this is ReLU"),
        "bend at the end": (
            lambda *a: feed(*a, bend=lambda x: x, last=F.gelu),
            "not after them",
        ),
        "bend twice": (lambda *a: feed(*a, last=F.gelu), "no bend at the end"),
        "no b_in": (
            lambda x, wi, bi, wo, bo: F.gelu(x @ wi) @ wo + bo,
            "b_in is missing",
        ),
        "b_in late": (
            lambda x, wi, bi, wo, bo: (F.gelu(x @ wi) + bi) @ wo + bo,
            "b_in belongs inside",
        ),
        "no b_out": (
            lambda x, wi, bi, wo, bo: F.gelu(x @ wi + bi) @ wo,
            "b_out is missing",
        ),
        "no biases": (
            lambda x, wi, bi, wo, bo: F.gelu(x @ wi) @ wo,
            "both biases are missing",
        ),
        "residual inside": (lambda x, *a: x + feed(x, *a), "the block adds x"),
        "tanh": (
            lambda *a: feed(*a, bend=lambda x: F.gelu(x, approximate="tanh")),
            "approximation by tanh",
        ),
        "stops in the middle": (
            lambda x, wi, bi, wo, bo: F.gelu(x @ wi + bi),
            "@ w_out has d_model again",
        ),
        "transposed": (lambda x, wi, *a: feed(x, wi.mT, *a), "x @ w_in has d_ff"),
    },
    "check_pre_norm_block": {
        "post-norm": (
            lambda x, n1, a, n2, f: n2(n1(x + a(x)) + f(n1(x + a(x)))),
            "this is post-norm",
        ),
        "post-norm, in steps": (post_norm, "this is post-norm"),
        "the same norm twice": (
            lambda x, n1, a, n2, f: block(x, n1, a, n1, f),
            "each part has its own norm",
        ),
        "norms swapped": (
            lambda x, n1, a, n2, f: block(x, n2, a, n1, f),
            "the norms are swapped",
        ),
        "no norms": (
            lambda x, n1, a, n2, f: block(x, lambda x: x, a, lambda x: x, f),
            "both norms are forgotten",
        ),
        "no first norm": (
            lambda x, n1, a, n2, f: block(x, lambda x: x, a, n2, f),
            "norm_1 is forgotten",
        ),
        "no second norm": (
            lambda x, n1, a, n2, f: block(x, n1, a, lambda x: x, f),
            "norm_2 is forgotten",
        ),
        "norm on the residual": (norm_on_residual, "the residual is x itself"),
        "first residual normed": (first_residual_normed, "the residual is x itself"),
        "second residual normed": (second_residual_normed, "the residual is x itself"),
        "no residuals": (
            lambda x, n1, a, n2, f: f(n2(a(n1(x)))),
            "both residuals are missing",
        ),
        "no first residual": (
            lambda x, n1, a, n2, f: a(n1(x)) + f(n2(a(n1(x)))),
            "the first residual is missing",
        ),
        "no second residual": (
            lambda x, n1, a, n2, f: f(n2(x + a(n1(x)))),
            "the second residual is missing",
        ),
        "side by side": (parallel, "feed reads what attention left"),
        "adds to the start": (adds_to_the_start, "not to x"),
        "asks twice": (asks_twice, "keep a part's answer"),
        "in place": (in_place_block, "write into"),
    },
    "check_next_token_pairs": {
        "itself": (lambda x: (x[:, :-1], x[:, :-1]), "asked for itself"),
        "the token before": (lambda x: (x[:, 1:], x[:, :-1]), "the wrong way"),
        "over the texts": (lambda x: (x[:-1], x[1:]), "[:-1] leaves out a whole text"),
        "off by two": (lambda x: (x[:, :-2], x[:, 2:]), "two tokens are lost"),
        "rolled": (lambda x: (x, x.roll(-1, 1)), "roll asks the last token"),
        "rolled over all": (lambda x: (x, x.roll(-1)), "roll asks the last token"),
        "of the other text": (
            lambda x: (x[:, :-1], (x + 10)[:, :-1]),
            "shifted over the texts",
        ),
        "whole": (lambda x: (x, x), "n + 1 tokens make n questions"),
        "labels only": (lambda x: x[:, 1:], "a list of"),
        "one alone": (lambda x: (x[:, :-1],), "return both"),
    },
    "check_hide_tokens": {
        "labels everywhere": (hide_everywhere, "everything is asked for"),
        "special tokens too": (wrong_hide(special=False), "leave the special ids out"),
        "labels of the inputs": (
            wrong_hide(label=lambda ids, inputs, c, f: torch.where(c, inputs, -100)),
            "take it from ids",
        ),
        "0 for no label": (
            wrong_hide(label=lambda ids, inputs, c, f: torch.where(c, ids, 0)),
            "no other number",
        ),
        "only the hidden": (
            wrong_hide(
                label=lambda ids, i, c, f: torch.where(c & (f < 0.8), ids, -100)
            ),
            "swapped or left as they are, are asked for too",
        ),
        "only what changed": (
            wrong_hide(
                label=lambda ids, i, c, f: torch.where(c & (f < 0.9), ids, -100)
            ),
            "left as they are, are asked for too",
        ),
        "all hidden": (wrong_hide(levels=(1, 1)), "all of them are hidden"),
        "none hidden": (wrong_hide(levels=(0, 0)), "nothing is hidden"),
        "none swapped": (wrong_hide(levels=(0.8, 0.8)), "none is swapped"),
        "none left": (wrong_hide(levels=(0.8, 1)), "none is left"),
        "a tenth of the rest": (
            wrong_hide(levels=(0.8, 0.82)),
            "not of what was left over",
        ),
        "levels mixed up": (wrong_hide(levels=(0.1, 0.2)), "the other way round"),
        "drawn from all": (
            wrong_hide(
                random=lambda ids, n, g: torch.randint(n, ids.shape, generator=g)
            ),
            "draw from the ids that are not special",
        ),
        "one id for all": (
            wrong_hide(
                random=lambda ids, n, g: torch.randint(3, n, (1, 1), generator=g)
            ),
            "draw one id for each place",
        ),
        "others change": (hide_others_too, "only where a token was chosen"),
        "share not used": (
            lambda ids, vocab_size, mask_id, special_ids, share, generator: hide(
                ids, vocab_size, mask_id, special_ids, 0.15, generator
            ),
            "use the parameter share",
        ),
        "unseeded": (hide_unseeded, "give generator=generator"),
        "always the same": (hide_reseeded, "give generator=generator"),
        "in place": (hide_in_place, "write into"),
    },
    "check_held_out_bits": {
        "nats": (lambda x, y: bits(x, y, log=lambda c: c), "these are nats"),
        "the wrong way": (
            lambda x, y: bits(x, y, log=lambda c: c * math.log(2)),
            "do not multiply",
        ),
        "sign": (lambda x, y: -bits(x, y), "the sign"),
        "over padding": (
            lambda x, y: bits(x, y, mean=lambda c, r: c.sum() / r.numel()),
            "the mean is over padding",
        ),
        "mean of means": (bits_of_rows, "a mean of means"),
        "sum": (lambda x, y: bits(x, y, mean=lambda c, r: c.sum()), "this is the sum"),
        "perplexity": (lambda x, y: 2 ** bits(x, y), "this is the perplexity"),
        "log10": (
            lambda x, y: bits(x, y, log=lambda c: c / math.log(10)),
            "to base 2",
        ),
        "padding as token 0": (bits_padding_as_zero, "counted as label 0"),
        "no softmax": (bits_without_softmax, "log_softmax first"),
        "unstable": (bits_unstable, "log_softmax takes the maximum out"),
        "cross-entropy of three axes": (
            lambda x, y: F.cross_entropy(x, y) / math.log(2),
            "take the rows with a label",
        ),
        "-100 as a column": (
            lambda x, y: float(-x.log_softmax(-1).gather(-1, y[..., None]).mean()),
            "-100 is no column",
        ),
    },
    "check_choose_token": {
        "multiplies": (
            lambda *a: choose(*a, scaled=lambda x, heat: x * heat),
            "do not multiply",
        ),
        "no temperature": (
            lambda *a: choose(*a, scaled=lambda x, heat: x),
            "the temperature changes nothing",
        ),
        "heats the shares": (choose_shares_by_heat, "the temperature changes nothing"),
        "softmax twice": (choose_softmax_twice, "softmax twice"),
        "always the likeliest": (lambda x, t, g: x.argmax(-1), "always the likeliest"),
        "all as likely": (choose_uniform, "all are as likely"),
        "over the texts": (lambda *a: choose(*a, dim=0), "over the vocabulary"),
        "a column": (choose_column, "one id a text"),
        "divides by 0": (choose_divides, "temperature 0 is no division"),
        "unseeded": (choose_unseeded, "give generator=generator"),
        "reseeded": (choose_reseeded, "give generator=generator"),
        "one draw for all": (choose_one_draw, "each text draws for itself"),
        "argmax over texts": (
            lambda x, t, g: x.argmax(0),
            "one id a text",
        ),
    },
}

ALTERNATIVES = {
    "check_layer_norm": [
        norm,
        norm_by_loops,
        lambda x, gain, shift, eps: F.layer_norm(x, x.shape[-1:], gain, shift, eps),
    ],
    "check_embed": [
        embedded,
        lambda ids, table, positions: (
            F.embedding(ids, table) * math.sqrt(table.shape[-1])
            + positions[torch.arange(ids.shape[-1])]
        ),
        lambda ids, table, positions: torch.stack(
            [
                torch.stack(
                    [
                        len(table[0]) ** 0.5 * table[token] + positions[n]
                        for n, token in enumerate(row)
                    ]
                )
                for row in ids
            ]
        ),
    ],
    "check_feed_forward": [
        feed,
        lambda x, wi, bi, wo, bo: F.linear(F.gelu(F.linear(x, wi.mT, bi)), wo.mT, bo),
        lambda x, wi, bi, wo, bo: nn.GELU()(bi + x @ wi).matmul(wo).add(bo),
    ],
    "check_pre_norm_block": [
        block,
        lambda x, n1, a, n2, f: (y := x + a(n1(x))) + f(n2(y)),
    ],
    "check_next_token_pairs": [
        lambda ids: (ids[:, :-1], ids[:, 1:]),
        lambda ids: [ids[:, :-1].clone(), ids.roll(-1, 1)[:, :-1]],
        lambda ids: (ids.narrow(1, 0, ids.shape[1] - 1), ids.narrow(1, 1, 4)),
    ],
    "check_hide_tokens": [hide, hide_one_draw, hide_by_library],
    "check_held_out_bits": [
        bits,
        bits_by_loops,
        lambda x, y: F.cross_entropy(x.flatten(0, 1), y.flatten()) / math.log(2),
    ],
    "check_choose_token": [
        choose,
        choose_by_gumbel,
        choose_by_steps,
        choose_by_library,
    ],
}
