"""What learners write in lesson 03 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch
from torch.nn.functional import scaled_dot_product_attention


def cost(pairs, operations, size=4):
    return lambda n_query, n_key, d_head, d_value: (
        pairs(n_query, n_key),
        pairs(n_query, n_key) * operations(d_head, d_value),
        pairs(n_query, n_key) * size,
    )


def product(n, m):
    return n * m


def both(d_head, d_value):
    return 2 * d_head + 2 * d_value


def running(scores, *, start=-math.inf, shrink=True, subtract=True, add_first=False):
    top, total = start, 0.0
    for score in scores:
        new = max(top, score)
        factor = math.exp(top - new) if shrink else 1.0
        part = math.exp(score - new) if subtract else math.exp(score)
        total = (total + part) * factor if add_first else total * factor + part
        top = new
    return top, total


def upside_down(scores):
    top, total = None, 0.0
    for score in scores:
        new = score if top is None else max(top, score)
        total = total * (1 if top is None else math.exp(new - top))
        total, top = total + math.exp(score - new), new
    return top, total


def thrown_away(scores):
    top, total = -math.inf, 0.0
    for score in scores:
        if score > top:
            top, total = score, 1.0
        else:
            total += math.exp(score - top)
    return top, total


def two_walks(scores):
    top = max(scores)
    return top, sum(math.exp(score - top) for score in scores)


def collects(scores):
    scores = list(scores)
    return two_walks(scores)


def last_is_top(scores):
    top, total = -math.inf, 0.0
    for score in scores:
        total, top = total * math.exp(top - score) + 1.0, score
    return top, total


def by_lse(scores):
    lse, top = -math.inf, -math.inf
    for score in scores:
        top = max(top, score)
        lse = torch.logaddexp(torch.tensor(lse), torch.tensor(float(score))).item()
    return top, math.exp(lse - top)


def by_cases(scores):
    top, total = None, None
    for score in scores:
        if top is None:
            top, total = score, 1.0
        elif score > top:
            total = total * math.exp(top - score) + 1.0
            top = score
        else:
            total += math.exp(score - top)
    return top, total


def as_tensors(scores):
    top, total = torch.tensor(-torch.inf), torch.tensor(0.0)
    for score in scores:
        new = torch.maximum(top, torch.tensor(float(score)))
        total = total * (top - new).exp() + (score - new).exp()
        top = new
    return top, total


def mean(pairs, *, start=-math.inf, sums=True, mixes=True, divide=True, exps=True):
    top, total, mixed, count = start, 0.0, 0.0, 0
    for score, value in pairs:
        new = max(top, score) if exps else 0.0
        shrink, part = math.exp(top - new), math.exp(score - new)
        total = total * (shrink if sums else 1.0) + part
        mixed = mixed * (shrink if mixes else 1.0) + part * value
        top, count = new, count + 1
    return mixed / (count if divide == "count" else total if divide else 1.0)


def plain_mean(pairs):
    total, count = 0.0, 0
    for _, value in pairs:
        total, count = total + value, count + 1
    return total / count


def writes(pairs):
    top, total, mixed = -math.inf, 0.0, 0.0
    for score, value in pairs:
        new = max(top, score)
        shrink, part = math.exp(top - new), math.exp(score - new)
        value *= part
        total, mixed, top = total * shrink + part, mixed * shrink + value, new
    return mixed / total


def stacks(pairs):
    scores, values = zip(*pairs, strict=True)
    return torch.tensor(scores).softmax(0) @ torch.stack(values)


def keeps_the_first(pairs):
    top, total, mixed = -math.inf, 0.0, None
    for score, value in pairs:
        new = max(top, score)
        shrink, part = math.exp(top - new), math.exp(score - new)
        mixed = value if mixed is None else mixed.mul_(shrink).add_(part * value)
        total, top = total * shrink + part, new
    return mixed / total


def moving_mean(pairs):
    lse, mean = -math.inf, 0.0
    for score, value in pairs:
        new = torch.logaddexp(torch.tensor(lse), torch.tensor(float(score))).item()
        share = math.exp(score - new)
        mean, lse = mean * math.exp(lse - new) + share * value, new
    return mean


def mix(out_a, lse_a, out_b, lse_b, *, share=None, lse=None):
    common = torch.logaddexp(lse_a, lse_b)
    a, b = ((x - common).exp().nan_to_num() for x in (lse_a, lse_b))
    if share is not None:
        a, b = share(lse_a, lse_b)
    out = a[:, None] * out_a + b[:, None] * out_b
    return out, common if lse is None else lse(lse_a, lse_b)


def exp_shares(a, b):
    return a.exp() / (a.exp() + b.exp()), b.exp() / (a.exp() + b.exp())


def by_log(a, b):
    return (a.exp() + b.exp()).log()


def shares_by_softmax(out_a, lse_a, out_b, lse_b):
    lses, outs = torch.stack([lse_a, lse_b]), torch.stack([out_a, out_b])
    shares = lses.softmax(0).nan_to_num(0.0)
    return (shares.unsqueeze(-1) * outs).sum(0), lses.logsumexp(0)


def by_sigmoid(out_a, lse_a, out_b, lse_b):
    share = (lse_a - lse_b).sigmoid().nan_to_num(0.0)[:, None]
    return share * out_a + (1 - share) * out_b, torch.logaddexp(lse_a, lse_b)


def tiles(
    q, k, v, block, *, shrink=True, scale=None, divide=True, top_too=True, lse=True,
    peak=True, drop=False, fill=False, one=None,
):  # fmt: skip
    top = torch.full((len(q), 1), -math.inf)
    total, mixed = torch.zeros(len(q), 1), torch.zeros(len(q), v.shape[1])
    if fill and len(k) % block:
        more = block - len(k) % block
        k, v = (torch.cat([x, torch.zeros(more, x.shape[1])]) for x in (k, v))
    stop = len(k) // block * block if drop and len(k) >= block else len(k)
    for start in range(0, stop, block):
        some = slice(start, start + block)
        scores = q @ k[some].mT / (math.sqrt(q.shape[1]) if scale is None else scale)
        new = torch.maximum(top, scores.amax(1, keepdim=True)) if peak else 0 * total
        parts = (scores - new).exp()
        factor = (top - new).exp() if shrink and peak else 1.0
        total = total * factor + parts.sum(1, keepdim=True)
        mixed = mixed * factor + parts @ v[some]
        top = new
        if one == "first":
            break
    out = mixed / total if divide else mixed
    return out, ((top if top_too else 0) + (total.log() if lse else 0)).squeeze(1)


def one_maximum(q, k, v, block):
    top, total, mixed = torch.tensor(-math.inf), 0.0, 0.0
    for start in range(0, len(k), block):
        some = slice(start, start + block)
        scores = q @ k[some].mT / math.sqrt(q.shape[1])
        new = torch.maximum(top, scores.max())
        parts, shrink = (scores - new).exp(), (top - new).exp()
        total = total * shrink + parts.sum(1)
        mixed = mixed * shrink + parts @ v[some]
        top = new
    return mixed / total[:, None], top + total.log()


def softmax_a_tile(q, k, v, block, *, join):
    outs = []
    for start in range(0, len(k), block):
        scores = q @ k[start : start + block].mT / math.sqrt(q.shape[1])
        outs.append(scores.softmax(1) @ v[start : start + block])
    return join(torch.stack(outs)), (q @ k.mT / math.sqrt(q.shape[1])).logsumexp(1)


def dense(q, k, v, block, scale=None):
    scores = q @ k.mT / math.sqrt(q.shape[1])
    return scores.softmax(1) @ v, scores.logsumexp(1)


def collected(q, k, v, block):
    scores = [q @ tile.mT / math.sqrt(q.shape[1]) for tile in k.split(block)]
    scores = torch.cat(scores, dim=1)
    return scores.softmax(1) @ v, scores.logsumexp(1)


def by_merging(q, k, v, block):
    done = None
    for start in range(0, len(k), block):
        part = dense(q, k[start : start + block], v[start : start + block], block)
        done = part if done is None else mix(*done, *part)
    return done


def queries_in_tiles_too(q, k, v, block):
    done = [tiles(rows, k, v, block) for rows in q.split(block)]
    return tuple(torch.cat(each) for each in zip(*done, strict=True))


def a_query_at_a_time(q, k, v, block):
    done = [by_merging(row[None], k, v, block) for row in q]
    return tuple(torch.cat(each) for each in zip(*done, strict=True))


def in_place(q, k, v, block):
    q /= math.sqrt(q.shape[1])
    return tiles(q, k, v, block, scale=1.0)


def causal(
    q, k, v, block, *, ahead=1, before=True, inside=True, scale=None, full=False
):
    """Rows in tiles, each against all keys up to its last: right, with dials."""
    outs, n = [], len(q)
    places = torch.arange(n)
    for start in range(0, n, block):
        stop = min(start + block, n)
        keys = slice(0 if before else start, n if full else stop)
        scores = q[start:stop] @ k[keys].mT
        scores = scores / (math.sqrt(q.shape[1]) if scale is None else scale)
        if inside:
            hidden = places[keys] >= places[start:stop, None] + ahead
            scores = scores.masked_fill(hidden, -math.inf)
        outs.append(scores.softmax(1).nan_to_num(0.0) @ v[keys])
    return torch.cat(outs)


def mask_starts_again(q, k, v, block):
    outs = []
    for start in range(0, len(q), block):
        stop = start + block
        scores = q[start:stop] @ k[:stop].mT / math.sqrt(q.shape[1])
        mask = torch.ones_like(scores).tril().bool()
        outs.append(scores.masked_fill(~mask, -math.inf).softmax(1) @ v[:stop])
    return torch.cat(outs)


def causal_dense(q, k, v, block):
    ahead = torch.ones(len(q), len(q)).triu(1).bool()
    scores = (q @ k.mT / math.sqrt(q.shape[1])).masked_fill(ahead, -math.inf)
    return scores.softmax(1) @ v


def causal_backwards(q, k, v, block):
    hidden = torch.ones(len(q), len(q)).tril(-1).bool()
    scores = (q @ k.mT / math.sqrt(q.shape[1])).masked_fill(hidden, -math.inf)
    return scores.softmax(1) @ v


def skips_too_late(q, k, v, block):
    """Walks over all tiles, and lets the mask do the rest."""
    outs = []
    for start in range(0, len(q), block):
        rows = q[start : start + block]
        done = None
        for first in range(0, len(k), block):
            keys = k[first : first + block]
            scores = rows @ keys.mT / math.sqrt(q.shape[1])
            i = torch.arange(start, start + len(rows))[:, None]
            j = torch.arange(first, first + len(keys))
            scores = scores.masked_fill(j > i, -math.inf)
            out = scores.softmax(1).nan_to_num(0.0) @ v[first : first + block]
            part = out, scores.logsumexp(1)
            done = part if done is None else mix(*done, *part)
        outs.append(done[0])
    return torch.cat(outs)


def fixed_mask(q, k, v, block):
    """Takes block for the size of the last tile."""
    outs = []
    ahead = torch.ones(block, block).triu(1).bool()
    for start in range(0, len(q), block):
        some = slice(start, start + block)
        scores = q[some] @ k[some].mT / math.sqrt(q.shape[1])
        scores = scores.masked_fill(ahead, -math.inf)
        part = scores.softmax(1) @ v[some], scores.logsumexp(1)
        if start:
            part = mix(*part, *dense(q[some], k[:start], v[:start], block))
        outs.append(part[0])
    return torch.cat(outs)


def causal_by_merging(q, k, v, block):
    outs = []
    for start in range(0, len(q), block):
        rows = q[start : start + block]
        some = slice(start, start + len(rows))
        ahead = torch.ones(len(rows), len(rows)).triu(1).bool()
        scores = rows @ k[some].mT / math.sqrt(q.shape[1])
        scores = scores.masked_fill(ahead, -math.inf)
        part = scores.softmax(1) @ v[some], scores.logsumexp(1)
        if start:
            part = mix(*part, *tiles(rows, k[:start], v[:start], block))
        outs.append(part[0])
    return torch.cat(outs)


def causal_by_torch(q, k, v, block):
    return scaled_dot_product_attention(
        q[None, None], k[None, None], v[None, None], is_causal=True
    )[0, 0]


def gradients(
    q, k, v, out, lse, d_out, block, *, scale=None, outer=None, subtract=True,
    sums=True, mean=True, sign=1, jacobian=True, local=False, average=False,
):  # fmt: skip
    right = 1 / math.sqrt(q.shape[1])
    row = (d_out * out).sum(1, keepdim=True) if mean else 0.0
    d_q, d_k, d_v = torch.zeros_like(q), [], []
    for start in range(0, len(k), block):
        keys, values = k[start : start + block], v[start : start + block]
        scores = q @ keys.mT * (right if scale is None else scale)
        p = (scores - lse[:, None]).exp() if subtract else scores.exp()
        p = scores.softmax(1) if local else p
        d_s = sign * (p if jacobian else 1) * (d_out @ values.mT - row)
        d_s = d_s * (right if outer is None else outer)
        d_q = d_s @ keys + (d_q if sums else 0)
        d_k.append(d_s.mT @ q)
        d_v.append(p.mT @ d_out)
    d_q = d_q / len(d_k) if average else d_q
    return d_q, torch.cat(d_k), torch.cat(d_v)


def gradients_dense(q, k, v, out, lse, d_out, block):
    return gradients(q, k, v, out, lse, d_out, len(k))


def swapped(*given):
    d_q, d_k, d_v = gradients(*given)
    return d_v, d_k, d_q


def gradients_by_autograd(q, k, v, out, lse, d_out, block):
    leaves = [x.clone().requires_grad_() for x in (q, k, v)]
    dense(*leaves, block)[0].backward(d_out)
    return [leaf.grad for leaf in leaves]


def gradients_by_rows(q, k, v, out, lse, d_out, block):
    """Tiles of queries in place of keys: as good."""
    d_k, d_v, d_q, scale = (
        torch.zeros_like(k),
        torch.zeros_like(v),
        [],
        q.shape[1] ** -0.5,
    )
    parts = (x.split(block) for x in (q, out, lse, d_out))
    for rows, mean, sums, d in zip(*parts, strict=True):
        p = (rows @ k.mT * scale - sums[:, None]).exp()
        d_s = p * (d @ v.mT - (d * mean).sum(1, keepdim=True)) * scale
        d_q.append(d_s @ k)
        d_k, d_v = d_k + d_s.mT @ rows, d_v + p.mT @ d
    return torch.cat(d_q), d_k, d_v


def gradients_written_in_place(q, k, v, out, lse, d_out, block):
    d_q, d_k, d_v = (torch.zeros_like(x) for x in (q, k, v))
    for start in range(0, len(k), block):
        some = slice(start, start + block)
        one = gradients(q, k[some], v[some], out, lse, d_out, len(k[some]))
        d_q += one[0]
        d_k[some], d_v[some] = one[1], one[2]
    return [d_q, d_k, d_v]


WRONG = {
    "check_dense_cost": {
        "no additions": (cost(product, lambda d, e: d + e), "an addition counts too"),
        "no values": (cost(product, lambda d, e: 2 * d), "values are missing"),
        "products of scores alone": (cost(product, lambda d, e: d), "a second product"),
        "bytes forgotten": (cost(product, both, 1), "takes 4 bytes"),
        "float64": (cost(product, both, 8), "not 8"),
        "bits": (cost(product, both, 32), "not in bits"),
        "a sum": (cost(lambda n, m: n + m, both), "a product, not a sum"),
        "causal": (cost(lambda n, m: n * (n + 1) // 2, both), "no mask here"),
        "square of queries": (cost(lambda n, m: n * n, both), "not n_query squared"),
        "square of keys": (cost(lambda n, m: m * m, both), "not n_key squared"),
        "d_head twice": (cost(product, lambda d, e: 4 * d), "d_value wide"),
        "d_value twice": (cost(product, lambda d, e: 4 * e), "d_head wide"),
        "pairs alone": (lambda n, m, d, e: n * m, "with a comma between"),
    },
    "check_longest_text": {
        "no root": (lambda memory, heads: memory // (4 * heads), "take the root"),
        "no bytes": (lambda m, h: math.isqrt(m // h), "16 scores"),
        "two roots": (lambda m, h: math.isqrt(math.isqrt(m // 4 // h)), "not two"),
        "rounded up": (lambda m, h: math.ceil((m / 4 / h) ** 0.5), "not up"),
        "rounded": (lambda m, h: round((m / 4 / h) ** 0.5), "not up"),
        "not rounded": (lambda m, h: (m / 4 / h) ** 0.5, "tokens are whole"),
        "no heads": (lambda m, h: math.isqrt(m // 4), "n_heads counts"),
        "heads after the root": (
            lambda m, h: math.isqrt(m // 4) // h,
            "before the root",
        ),
        "heads multiply": (lambda m, h: math.isqrt(m * h // 4), "do not multiply"),
        "rounded between": (
            lambda m, h: int(math.sqrt(m) / 2 // math.sqrt(h)) - (m > 10**10),
            "round down once",
        ),
    },
    "check_running_max_and_sum": {
        "no shrinking": (lambda s: running(s, shrink=False), "the old maximum"),
        "grows": (upside_down, "blows up"),
        "no maximum": (
            lambda s: running(s, shrink=False, subtract=False),
            "subtracted",
        ),
        "swapped": (lambda s: running(s)[::-1], "the maximum first"),
        "thrown away": (thrown_away, "it is not lost"),
        "adds first": (
            lambda s: running(s, add_first=True),
            "shrink the old sum first",
        ),
        "two walks": (two_walks, "empty at the second walk"),
        "starts at 0": (lambda s: running(s, start=0.0), "at -math.inf"),
        "last is top": (last_is_top, "never falls"),
        "a logarithm": (
            lambda s: (lambda t: (t[0], math.log(t[1])))(running(s)),
            "not its logarithm",
        ),
        "lse": (
            lambda s: (lambda t: (t[0], t[0] + math.log(t[1])))(running(s)),
            "not its logarithm",
        ),
        "divides by e in the end": (
            lambda s: (lambda t: (t[0], t[1] * math.exp(-t[0])))(
                running(s, shrink=False, subtract=False)
            ),
            "exp(1000) overflows",
        ),
        "collects": (collects, "stores the row"),
        "takes places": (lambda s: (s[0], len(s)), "a stream has no places"),
    },
    "check_online_mean": {
        "mixture not shrunk": (lambda p: mean(p, mixes=False), "shrinks with the sum"),
        "sum not shrunk": (lambda p: mean(p, sums=False), "shrinks with the mixture"),
        "nothing shrunk": (
            lambda p: mean(p, sums=False, mixes=False),
            "shrink what was added",
        ),
        "not divided": (lambda p: mean(p, divide=False), "divide by the sum"),
        "divided by the count": (lambda p: mean(p, divide="count"), "not by the count"),
        "plain mean": (plain_mean, "not all alike"),
        "last value": (lambda pairs: [v for _, v in pairs][-1], "the last value alone"),
        "no maximum": (lambda p: mean(p, start=0.0, exps=False), "overflows"),
        "starts at 0": (lambda p: mean(p, start=0.0), "at -math.inf"),
        "writes into a value": (writes, "makes a new one"),
        "the first value becomes the mixture": (keeps_the_first, "makes a new one"),
        "collects": (stacks, "stores the row"),
        "takes places": (lambda p: p[0][1], "a stream has no places"),
    },
    "check_merge_two": {
        "plain mean": (
            lambda *given: mix(*given, share=lambda a, b: (0 * a + 0.5, 0 * b + 0.5)),
            "a plain mean",
        ),
        "swapped": (
            lambda *given: mix(*given, share=lambda a, b: exp_shares(b, a)),
            "the other way round",
        ),
        "no sum": (
            lambda a, la, b, lb: ((la - la).exp()[:, None] * a + b, by_log(la, lb)),
            "a mean, not a sum",
        ),
        "shares of logarithms": (
            lambda *given: mix(*given, share=lambda a, b: (a / (a + b), b / (a + b))),
            "is a logarithm",
        ),
        "exps alone": (
            lambda *given: mix(*given, share=lambda a, b: (a.exp(), b.exp())),
            "divide by the sum of both",
        ),
        "lse added": (
            lambda *given: mix(*given, lse=lambda a, b: a + b),
            "a product",
        ),
        "log missing": (
            lambda *given: mix(*given, lse=lambda a, b: a.exp() + b.exp()),
            "log is missing",
        ),
        "the larger": (
            lambda *given: mix(*given, lse=torch.maximum),
            "the larger alone",
        ),
        "overflows": (
            lambda *given: mix(*given, share=exp_shares, lse=by_log),
            "subtract the larger lse first",
        ),
        "nan": (
            lambda a, la, b, lb: (
                (la - torch.logaddexp(la, lb)).exp()[:, None] * a
                + (lb - torch.logaddexp(la, lb)).exp()[:, None] * b,
                torch.logaddexp(la, lb),
            ),
            "-inf minus -inf",
        ),
        "lse repaired to 0": (
            lambda *given: (
                mix(*given)[0],
                mix(*given)[1].nan_to_num(neginf=0.0),
            ),
            "let it stand",
        ),
        "if of a tensor": (
            lambda a, la, b, lb: (b, lb) if la == -math.inf else mix(a, la, b, lb),
            "torch.where",
        ),
        "no axis": (
            lambda a, la, b, lb: (
                (la - torch.logaddexp(la, lb)).exp() * a
                + (lb - torch.logaddexp(la, lb)).exp() * b,
                torch.logaddexp(la, lb),
            ),
            "lse[..., None]",
        ),
        "out alone": (lambda *given: mix(*given)[0], "return out, lse"),
    },
    "check_attention_in_tiles": {
        "dense": (dense, "dense in disguise"),
        "scores collected": (collected, "dense in disguise"),
        "last tile alone": (
            lambda q, k, v, block: dense(q, k[-block:], v[-block:], block),
            "last tile alone",
        ),
        "returns in the loop": (
            lambda *given: tiles(*given, one="first"),
            "return after the loop",
        ),
        "mean of tiles": (
            lambda *given: softmax_a_tile(*given, join=lambda x: x.mean(0)),
            "tiles count with their sums",
        ),
        "sum of tiles": (
            lambda *given: softmax_a_tile(*given, join=lambda x: x.sum(0)),
            "add up to 2",
        ),
        "no shrinking": (lambda *g: tiles(*g, shrink=False), "shrink mixture and sum"),
        "no scale": (lambda *g: tiles(*g, scale=1.0), "the scale is missing"),
        "no root": (
            lambda q, k, v, b: tiles(q, k, v, b, scale=q.shape[1]),
            "the root is missing",
        ),
        "not divided": (lambda *g: tiles(*g, divide=False), "by the sum at the end"),
        "lse without maximum": (
            lambda *g: tiles(*g, top_too=False),
            "maximum is missing",
        ),
        "lse without sum": (lambda *g: tiles(*g, lse=False), "the maximum alone"),
        "last tile dropped": (lambda *g: tiles(*g, drop=True), "was left out"),
        "filled up": (lambda *g: tiles(*g, fill=True), "filling up with zeros"),
        "no maximum": (lambda *g: tiles(*g, peak=False), "exp overflows"),
        "one maximum for all": (one_maximum, "its own maximum"),
        "writes into q": (in_place, "x = x - y"),
        "out alone": (lambda *g: tiles(*g)[0], "return out, lse"),
        "maximum of columns": (
            lambda q, k, v, block: tiles(q, k, v, block)[0] + (q @ k.mT).amax(0),
            "rows are queries",
        ),
    },
    "check_causal_tiles": {
        "no mask": (
            lambda *g: causal(*g, inside=False, full=True),
            "nothing is hidden",
        ),
        "diagonal tile whole": (
            lambda *g: causal(*g, inside=False),
            "needs a mask too",
        ),
        "diagonal alone": (lambda *g: causal(*g, before=False), "keys came earlier"),
        "not itself": (lambda *g: causal(*g, ahead=0), "a token sees itself"),
        "backwards": (causal_backwards, "the wrong half"),
        "no scale": (lambda *g: causal(*g, scale=1.0), "the scale is missing"),
        "mask not shifted": (mask_starts_again, "starts again in each tile"),
        "mask of a whole block": (fixed_mask, "take its size, not block"),
        "masked, not skipped": (skips_too_late, "leave out the tiles"),
        "dense": (causal_dense, "leave out the tiles"),
        "rows against all keys": (
            lambda *g: causal(*g, full=True),
            "leave out the tiles",
        ),
        "by torch, dense before": (
            lambda q, k, v, block: (
                causal(q, k, v, block) + 0 * ((q[:, None] - k[None]).sum(-1)).sum()
            ),
            "dense in disguise",
        ),
    },
    "check_recomputed_gradients": {
        "no lse": (lambda *g: gradients(*g, subtract=False), "lse is missing"),
        "no mean": (lambda *g: gradients(*g, mean=False), "the mean is missing"),
        "sign": (lambda *g: gradients(*g, sign=-1), "the other way round"),
        "softmax not passed": (lambda *g: gradients(*g, jacobian=False), "times p"),
        "no second scale": (lambda *g: gradients(*g, outer=1.0), "counts again"),
        "no first scale": (
            lambda *g: gradients(*g, scale=1.0),
            "missing in the scores",
        ),
        "last tile's d_q": (
            lambda *g: gradients(*g, sums=False),
            "sums over all tiles",
        ),
        "softmax within a tile": (lambda *g: gradients(*g, local=True), "whole rows"),
        "mean over tiles": (lambda *g: gradients(*g, average=True), "not a mean"),
        "swapped": (swapped, "d_q has a row for each query"),
        "two of three": (lambda *g: gradients(*g)[:2], "return all three"),
        "dense": (gradients_dense, "dense in disguise"),
        "autograd": (gradients_by_autograd, "dense in disguise"),
    },
}

ALTERNATIVES = {
    "check_dense_cost": [
        lambda n_query, n_key, d_head, d_value: [
            n_query * n_key,
            2 * n_query * n_key * (d_head + d_value),
            torch.zeros(n_query, n_key).nbytes,
        ],
        lambda n_query, n_key, d_head, d_value: (
            sum(n_key for _ in range(n_query)),
            sum(2 * n_query * n_key for _ in range(d_head + d_value)),
            sum(4 * n_query for _ in range(n_key)),
        ),
    ],
    "check_longest_text": [
        lambda m, h: int(math.sqrt(m / (4 * h))),
        lambda m, h: math.floor((m / h) ** 0.5 / 2),
        lambda m, h: float(math.isqrt(m // h // 4)),
    ],
    "check_running_max_and_sum": [running, by_lse, by_cases, as_tensors],
    "check_online_mean": [mean, moving_mean],
    "check_merge_two": [mix, shares_by_softmax, by_sigmoid],
    "check_attention_in_tiles": [
        tiles,
        by_merging,
        queries_in_tiles_too,
        a_query_at_a_time,
    ],
    "check_causal_tiles": [causal, causal_by_merging, causal_by_torch],
    "check_recomputed_gradients": [
        gradients,
        gradients_by_rows,
        gradients_written_in_place,
    ],
}
