"""What learners write in lesson 05 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch
from torch.nn.functional import scaled_dot_product_attention

from longctx_edu.attention import window_attention


def offsets(n):
    i = torch.arange(n)
    return i - i[:, None]


def window(n, left, right):
    return (offsets(n) >= -left) & (offsets(n) <= right)


def window_by_loops(n_token, left, right):
    mask = torch.zeros(n_token, n_token, dtype=torch.bool)
    for query in range(n_token):
        for key in range(max(0, query - left), min(n_token, query + right + 1)):
            mask[query, key] = True
    return mask


def window_by_triangles(n_token, left, right):
    return torch.ones(n_token, n_token).tril(right).triu(-left).bool()


def window_by_slices(n_token, left, right):
    mask = torch.zeros(n_token, n_token)
    for query in range(n_token):
        mask[query, query - left : query + right + 1] = 1
    return mask.bool()


def dilated(n, left, right, dilation):
    return window(n, left * dilation, right * dilation) & (offsets(n) % dilation == 0)


def dilated_by_loops(n_token, left, right, dilation):
    mask = torch.zeros(n_token, n_token).bool()
    for query in range(n_token):
        for step in range(-left, right + 1):
            if 0 <= query + step * dilation < n_token:
                mask[query, query + step * dilation] = True
    return mask


def every(n, left, right, dilation, column=True):
    place = torch.arange(n) % dilation == 0
    place = place if column else place[:, None]
    return window(n, left * dilation, right * dilation) & place


def written_into(mask, flags):
    mask[flags] = True
    mask[:, flags] = True
    return mask


def written_into_a_copy(mask, flags):
    mask = mask.clone()
    mask[flags] = True
    mask[:, flags] = True
    return mask


def globals_by_loops(mask, flags):
    rows = [
        [bool(mask[i, j] or flags[i] or flags[j]) for j in range(len(flags))]
        for i in range(len(flags))
    ]
    return torch.tensor(rows)


def first_only(mask, flags):
    first = torch.zeros_like(flags)
    first[int(flags.int().argmax())] = flags.any()
    return mask | first[:, None] | first


def triangle(side):
    return side * (side + 1) // 2


def pairs(n, left, right):
    left, right = min(left, n - 1), min(right, n - 1)
    return n * (left + 1 + right) - triangle(left) - triangle(right)


def unclipped(n, left, right):
    return n * (left + 1 + right) - triangle(left) - triangle(right)


def pairs_by_rows(n_token, left, right):
    return sum(min(left, i) + 1 + min(right, n_token - 1 - i) for i in range(n_token))


def pairs_by_torch(n_token, left, right):
    i = torch.arange(n_token)
    return (i.clamp(max=left) + 1 + i.clamp(max=right)).sum()


def hears(mask, n_layers, *, join=False, test=lambda x: x > 0, turn=False):
    found = torch.eye(len(mask)).bool()
    for _ in range(n_layers):
        more = test((mask.mT if turn else mask).int() @ found.int())
        found = more | found if join else more
    return found


def hears_by_power(mask, n_layers):
    return torch.linalg.matrix_power(mask.long(), n_layers) > 0


def hears_by_floats(mask, n_layers):
    found = torch.eye(len(mask))
    for _ in range(n_layers):
        found = ((found @ mask.float()) > 0).float()
    return found.bool()


def hears_by_sets(mask, n_layers):
    rows = []
    for query in range(len(mask)):
        here = {query}
        for _ in range(n_layers):
            here = {int(key) for q in here for key in mask[q].nonzero()}
        rows.append([key in here for key in range(len(mask))])
    return torch.tensor(rows)


def ends(block, size, n, left, right):
    first, stop = block * size, min((block + 1) * size, n)
    return max(first - left, 0), min(stop + right, n)


def ends_by_search(block, size, n_token, left, right):
    queries = range(block * size, min((block + 1) * size, n_token))
    keys = [
        key
        for key in range(n_token)
        if any(-left <= key - query <= right for query in queries)
    ]
    return keys[0], keys[-1] + 1


def moved(n_before, n_after):
    def answer(block, size, n, left, right):
        low, high = ends(block, size, n, left, right)
        return max(low + n_before, 0), min(high + n_after, n)

    return answer


def band(size, left, right, shift=None):
    queries = torch.arange(size)[:, None] + (left if shift is None else shift)
    offset = torch.arange(left + size + right) - queries
    return (offset >= -left) & (offset <= right)


def band_by_loops(size, left, right):
    mask = torch.zeros(size, left + size + right).bool()
    for row in range(size):
        mask[row, row : row + left + 1 + right] = True
    return mask


def attend(q, k, v, mask=None, scale=None):
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is None:
        return scores.softmax(-1) @ v
    weights = scores.masked_fill(~mask, -math.inf).softmax(-1)
    return weights.masked_fill(~mask.any(-1, keepdim=True), 0.0) @ v


def blocks(
    q, k, v, left, right, size, *, seen=None, own=False, bare=False, whole=False,
    scale=None, clip=True, drop=False,
):  # fmt: skip
    """One walk over the blocks, with the mistakes that one can make in it."""
    n, rows = len(q), []
    for first in range(0, n - size + 1 if drop else n, size):
        stop = min(first + size, n)
        low, high = max(first - left, 0), min(stop + right, n)
        if not clip:
            low, high = first - left, stop + right
        if own:
            low, high = first, stop
        if whole:
            low, high = 0, n
        offset = torch.arange(low, high) - torch.arange(first, stop)[:, None]
        wide = seen or (left, right)
        mask = (offset >= -wide[0]) & (offset <= wide[1])
        mask = torch.ones_like(mask) if bare else mask
        rows.append(attend(q[first:stop], k[low:high], v[low:high], mask, scale))
    return torch.cat(rows)


def negative_slices(q, k, v, left, right, size):
    parts = []
    for first in range(0, len(q), size):
        keys = slice(first - left, first + size + right)
        parts.append(attend(q[first : first + size], k[keys], v[keys]))
    return torch.cat(parts)


def one_mask_for_the_ends(q, k, v, left, right, size):
    parts = []
    for first in range(0, len(q), size):
        keys = slice(max(first - left, 0), first + size + right)
        rows = q[first : first + size]
        mask = band(size, left, right)
        parts.append(attend(rows, k[keys], v[keys], mask))
    return torch.cat(parts)


def wider(before, after):
    def answer(q, k, v, left, right, size):
        return blocks(q, k, v, left + before, right + after, size)

    return answer


def dense(q, k, v, left, right, size):
    return attend(q, k, v, window(len(q), left, right))


def dense_by_torch(q, k, v, left, right, size):
    seen = window(len(q), left, right)
    return scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=seen)[0]


def row_by_row(q, k, v, left, right, size):
    near = [slice(max(i - left, 0), i + right + 1) for i in range(len(q))]
    return torch.cat([attend(q[i : i + 1], k[s], v[s]) for i, s in enumerate(near)])


def by_filling_up(q, k, v, left, right, size):
    n = len(q)
    extra = -n % size
    places = torch.nn.functional.pad(torch.arange(n), (left, right + extra), value=-1)
    k, v = (
        torch.nn.functional.pad(x, (0, 0, left, right + extra)).unfold(
            0, left + size + right, size
        )
        for x in (k, v)
    )
    real = places.unfold(0, left + size + right, size)[:, None] >= 0
    q = torch.nn.functional.pad(q, (0, 0, 0, extra)).unflatten(0, (-1, size))
    out = attend(q, k.mT, v.mT, band(size, left, right) & real)
    return out.flatten(0, 1)[:n]


def by_the_library(q, k, v, left, right, size):
    q, k, v = (x[None, None] for x in (q, k, v))
    return window_attention(q, k, v, left=left, right=right)[0, 0]


def with_globals(
    q, k, v, left, right, size, places, *, twice=False, never=False, rows=True,
    columns=True,
):  # fmt: skip
    """Near and global keys side by side, with the mistakes that one can make there."""
    n, parts = len(q), []
    for first in range(0, n, size):
        stop = min(first + size, n)
        low, high = max(first - left, 0), min(stop + right, n)
        query = torch.arange(first, stop)[:, None]
        here, there = torch.arange(low, high) - query, places - query
        near = (here >= -left) & (here <= right)
        beyond = (there < -left) | (there > right)
        if twice:
            beyond = torch.ones_like(beyond)
        if never:
            near = near & ~torch.isin(torch.arange(low, high), places)
        if not columns:
            beyond = torch.zeros_like(beyond)
        keys, values = (torch.cat([x[low:high], x[places]]) for x in (k, v))
        mask = torch.cat([near, beyond], dim=1)
        parts.append(attend(q[first:stop], keys, values, mask))
    out = torch.cat(parts)
    if rows:
        out[places] = attend(q[places], k, v)
    return out


def two_softmaxes(mix):
    def answer(q, k, v, left, right, size, places):
        near = blocks(q, k, v, left, right, size)
        out = mix(near, attend(q, k[places], v[places]) if len(places) else near)
        out[places] = attend(q[places], k, v)
        return out

    return answer


def only_globals(q, k, v, left, right, size, places):
    out = attend(q, k[places], v[places])
    out[places] = attend(q[places], k, v)
    return out


def joined_mask(n, left, right, places):
    flags = torch.zeros(n).bool()
    flags[places] = True
    return window(n, left, right) | flags[:, None] | flags


def dense_globals(q, k, v, left, right, size, places):
    return attend(q, k, v, joined_mask(len(q), left, right, places))


def by_merging(q, k, v, left, right, size, places):
    """Two parts with their log-sum-exps, as the lesson has it."""

    def part(q, k, v, mask):
        scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~mask, -math.inf)
        low = scores.new_full((len(q), 1), -math.inf)
        top = torch.cat([scores, low], dim=1).amax(-1, keepdim=True)
        top = top.masked_fill(top == -math.inf, 0.0)
        weights = (scores - top).exp()
        return weights @ v, weights.sum(-1, keepdim=True), top

    outs = []
    for first in range(0, len(q), size):
        stop = min(first + size, len(q))
        low, high = max(first - left, 0), min(stop + right, len(q))
        query = torch.arange(first, stop)[:, None]
        here, there = torch.arange(low, high) - query, places - query
        near = (here >= -left) & (here <= right)
        beyond = (there < -left) | (there > right)
        rows = q[first:stop]
        one = part(rows, k[low:high], v[low:high], near)
        two = part(rows, k[places], v[places], beyond)
        top = torch.maximum(one[2], two[2])
        shrink = [(x[2] - top).exp() for x in (one, two)]
        mixed = one[0] * shrink[0] + two[0] * shrink[1]
        outs.append(mixed / (one[1] * shrink[0] + two[1] * shrink[1]))
    out = torch.cat(outs)
    return out.index_copy(0, places, attend(q[places], k, v))


def globals_by_the_library(q, k, v, left, right, size, places):
    flags = torch.zeros(1, len(q)).bool()
    flags[0, places] = True
    q, k, v = (x[None, None] for x in (q, k, v))
    out = window_attention(q, k, v, left=left, right=right, global_tokens=flags)
    return out[0, 0]


RIGHT_SIDES = {
    "torch mask": lambda w: (w, w),
    "transformers causal": lambda w: (w - 1, 0),
    "transformers both ways": lambda w: (w, w),
    "longformer": lambda w: (w // 2, w // 2),
    "attention-gym": lambda w: (w, 0),
}


def sides(**other):
    table = {**RIGHT_SIDES, **{name.replace("_", " "): f for name, f in other.items()}}

    def answer(who, size):
        if who not in table:
            raise ValueError(f"need a window, got {who}")
        return table[who](size)

    return answer


def buckets_as_sides(who, size):
    return RIGHT_SIDES.get(who, lambda w: (w, w))(size)


def no_such_key(who, size):
    return RIGHT_SIDES[who](size)


def nameless(who, size):
    if who not in RIGHT_SIDES:
        raise ValueError("no")
    return RIGHT_SIDES[who](size)


def sides_by_ifs(who, size):
    if who in ("torch mask", "transformers both ways"):
        return [size, size]
    if who == "transformers causal":
        return [size - 1, 0]
    if who == "longformer":
        return [size // 2] * 2
    if who == "attention-gym":
        return [size, 0]
    raise ValueError(f"local-attention has no sides: {who}")


def layout(near, n_random, generator):
    lots = torch.rand(near.shape, generator=generator).masked_fill(near, -1)
    top = lots.topk(n_random, dim=1)
    return near | torch.zeros_like(near).scatter(1, top.indices, top.values >= 0)


def layout_by_rows(near, n_random, generator):
    drawn = near.clone()
    for row in drawn:
        free = (~row).nonzero().flatten()
        row[free[torch.randperm(len(free), generator=generator)[:n_random]]] = True
    return drawn


def layout_by_sorting(near, n_random, generator):
    lots = torch.rand(near.shape, generator=generator)
    rank = (lots - 2.0 * near).argsort(dim=1, descending=True).argsort(dim=1)
    return near | ((rank < n_random) & ~near)


def may_repeat(near, n_random, generator):
    drawn = near.clone()
    places = torch.randint(len(near), (len(near), n_random), generator=generator)
    return drawn.scatter(1, places, True)


def lost(near, n_random, generator):
    return layout(near, n_random, generator) & ~near


def global_generator(near, n_random, generator):
    lots = torch.rand(near.shape).masked_fill(near, -1)
    top = lots.topk(n_random, dim=1)
    return near | torch.zeros_like(near).scatter(1, top.indices, top.values >= 0)


def own_seed(near, n_random, generator):
    return layout(near, n_random, torch.Generator().manual_seed(0))


def one_for_all(near, n_random, generator):
    order = torch.randperm(len(near), generator=generator).tolist()
    drawn = near.clone()
    for row in drawn:
        free = [place for place in order if not row[place]]
        row[free[:n_random]] = True
    return drawn


def first_blocks_only(near, n_random, generator):
    lots = torch.rand(near.shape, generator=generator).masked_fill(near, -1)
    lots[:, 6:] -= 0.99 * (lots[:, 6:] > 0)
    lots = torch.where((torch.arange(8) > 5) & ~near, lots * 0, lots)
    top = lots.topk(n_random, dim=1)
    return near | torch.zeros_like(near).scatter(1, top.indices, top.values >= 0)


def needs_enough(near, n_random, generator):
    drawn = near.clone()
    for row in drawn:
        free = (~row).nonzero().flatten()
        order = torch.randperm(len(free), generator=generator)
        row[torch.stack([free[order[j]] for j in range(n_random)])] = True
    return drawn


def takes_near_ones(near, n_random, generator):
    lots = torch.rand(near.shape, generator=generator).masked_fill(near, -1)
    return near | (lots >= lots.topk(n_random, dim=1).values[:, -1:])


def in_all(near, n_random, generator):
    return layout(near, n_random + 1, generator)


def by_chance(near, n_random, generator):
    return near | (torch.rand(near.shape, generator=generator) < n_random / len(near))


def into_the_input(near, n_random, generator):
    near |= layout(near, n_random, generator)
    return near


WRONG = {
    "check_window_mask": {
        "transposed": (lambda n, a, b: window(n, a, b).mT, "the transpose"),
        "without itself": (
            lambda n, a, b: window(n, a, b) & ~torch.eye(n).bool(),
            "zero is included",
        ),
        "left counts itself": (
            lambda n, a, b: window(n, max(a - 1, 0), b),
            "without the query itself",
        ),
        "one too many": (lambda n, a, b: window(n, a + 1, b), "too wide"),
        "twice as wide": (lambda n, a, b: window(n, 2 * a, 2 * b), "twice as wide"),
        "symmetric": (lambda n, a, b: offsets(n).abs() <= a, "right has its own"),
        "no left end": (lambda n, a, b: offsets(n) <= b, "left end is missing"),
        "hidden": (lambda n, a, b: ~window(n, a, b), "marks what is hidden"),
        "no right": (lambda n, a, b: window(n, a, 0), "right is forgotten"),
        "right one too many": (
            lambda n, a, b: window(n, a, b + (b > 0)),
            "right counts without",
        ),
        "numbers": (lambda n, a, b: window(n, a, b).int(), "a comparison gives bools"),
        "negative slices": (window_by_slices, "counts from the end"),
        "and": (
            lambda n, a, b: (offsets(n) >= -a) and (offsets(n) <= b),
            "each comparison stands in brackets",
        ),
    },
    "check_dilated_mask": {
        "reach stays": (
            lambda n, a, b, d: window(n, a, b) & (offsets(n) % d == 0),
            "the reach grows",
        ),
        "no holes": (lambda n, a, b, d: window(n, a * d, b * d), "no holes yet"),
        "no dilation": (lambda n, a, b, d: window(n, a, b), "without dilation"),
        "from the start": (every, "count from the query"),
        "queries from the start": (
            lambda *given: every(*given, column=False),
            "count from the query",
        ),
        "left alone": (
            lambda n, a, b, d: window(n, a * d, b) & (offsets(n) % d == 0),
            "right * dilation",
        ),
        "right alone": (
            lambda n, a, b, d: window(n, a, b * d) & (offsets(n) % d == 0),
            "left * dilation",
        ),
        "transposed": (lambda *given: dilated(*given).mT, "not query - key"),
        "one step too far": (
            lambda n, a, b, d: dilated(n, a, b, d + (d > 1)),
            "not of 3",
        ),
    },
    "check_add_globals": {
        "column alone": (lambda m, f: m | f, "the row is missing"),
        "row alone": (lambda m, f: m | f[:, None], "the column is missing"),
        "mask lost": (lambda m, f: f | f[:, None], "the mask is lost"),
        "both at once": (lambda m, f: m | (f & f[:, None]), "| between them"),
        "xor": (lambda m, f: m ^ (f | f[:, None]), "takes back"),
        "restricts": (lambda m, f: m & (f | f[:, None]), "global tokens add pairs"),
        "the others": (lambda m, f: m | ~f | ~f[:, None], "turned round"),
        "first only": (first_only, "not only the first"),
        "writes into it": (written_into, "x = x - y makes a new one"),
        "a sum": (lambda m, f: m.int() + f.int(), "a comparison gives bools"),
    },
    "check_band_pairs": {
        "no ends": (lambda n, a, b: n * (a + 1 + b), "sticks out there"),
        "one end": (
            lambda n, a, b: n * (a + 1 + b) - triangle(a),
            "both ends",
        ),
        "without itself": (
            lambda n, a, b: n * (a + b) - triangle(a) - triangle(b),
            "left + 1 + right keys",
        ),
        "full": (lambda n, a, b: n * n, "full attention"),
        "a side, no triangle": (
            lambda n, a, b: n * (a + 1 + b) - a - b,
            "a triangle, not one side",
        ),
        "squares": (
            lambda n, a, b: n * (a + 1 + b) - a * a - b * b,
            "not 3 * 3",
        ),
        "no half": (
            lambda n, a, b: n * (a + 1 + b) - a * (a + 1) - b * (b + 1),
            "lacks 1 pair here",
        ),
        "left twice": (lambda n, a, b: pairs(n, a, a), "right has its own"),
        "not clipped": (unclipped, "no side is longer"),
        "dense": (lambda n, a, b: int(window(n, a, b).sum()), "dense in disguise"),
    },
    "check_heard_after": {
        "elementwise": (lambda m, n: m & m, "the matrix product"),
        "one too many": (lambda m, n: hears(m, n + 1), "one layer too many"),
        "transposed": (lambda m, n: hears(m, n, turn=True), "the transpose"),
        "both ways": (
            lambda m, n: hears(m | m.mT, n),
            "the ways have a direction",
        ),
        "exactly one way": (
            lambda m, n: hears(m, n, test=lambda x: x == 1),
            "not == 1",
        ),
        "more than one way": (
            lambda m, n: (
                hears(m, n, test=lambda x: x > 1) if n != 2 else m.int() @ m.int() > 1
            ),
            "not > 1",
        ),
        "keeps itself": (lambda m, n: hears(m, n, join=True), "forgets itself"),
        "starts at one": (
            lambda m, n: hears(m, max(n, 1)),
            "begin with torch.eye",
        ),
        "counts overflow": (hears_by_power, "more than a number holds"),
        "bools": (lambda m, n: m @ m, "no matrices of bools"),
        "ways": (lambda m, n: m.int() @ m.int(), "a comparison gives bools"),
    },
    "check_key_range": {
        "last included": (moved(0, -1), "one past the last key"),
        "one too far": (moved(0, 1), "24 + 2 is 26"),
        "left counts itself": (moved(1, 0), "left counts without"),
        "first query's": (
            lambda b, s, n, x, y: (max(b * s - x, 0), min(b * s + y + 1, n)),
            "the last query is 23",
        ),
        "queries alone": (
            lambda b, s, n, x, y: (b * s, min((b + 1) * s, n)),
            "these are the queries",
        ),
        "swapped": (lambda b, s, n, x, y: ends(b, s, n, y, x), "are swapped"),
        "twice as wide": (
            lambda b, s, n, x, y: ends(b, s, n, 2 * x, 2 * y),
            "twice as wide",
        ),
        "block for query": (
            lambda b, s, n, x, y: (b - x, b + s + y),
            "not at query 3",
        ),
        "below the text": (
            lambda b, s, n, x, y: (b * s - x, min((b + 1) * s + y, n)),
            "counts from the end",
        ),
        "beyond the text": (
            lambda b, s, n, x, y: (max(b * s - x, 0), (b + 1) * s + y),
            "there is no key 60",
        ),
        "from the low end": (
            lambda b, s, n, x, y: (
                max(b * s - x, 0),
                min(max(b * s - x, 0) + x + s + y, n),
            ),
            "high does not move",
        ),
    },
    "check_band_mask": {
        "not shifted": (lambda s, a, b: band(s, a, b, 0), "key 0 is not query 0"),
        "to the left": (lambda s, a, b: band(s, a, b).flip(0), "moves to the right"),
        "no left end": (
            lambda s, a, b: torch.ones(s, a + s + b).tril(a + b).bool(),
            "the left end is missing",
        ),
        "no right end": (
            lambda s, a, b: torch.ones(s, a + s + b).triu().bool(),
            "the right end is missing",
        ),
        "all": (
            lambda s, a, b: torch.ones(s, a + s + b).bool(),
            "more keys than each query sees",
        ),
        "hidden": (lambda s, a, b: ~band(s, a, b), "marks what is hidden"),
        "without itself": (
            lambda s, a, b: (
                band(s, a, b)
                & (torch.arange(a + s + b) != torch.arange(s)[:, None] + a)
            ),
            "sees itself too",
        ),
        "off by one": (
            lambda s, a, b: (
                band(s, a, b) & (torch.arange(a + s + b) != torch.arange(s)[:, None])
            ),
            "both included",
        ),
        "square": (lambda s, a, b: window(s, a, b), "more keys than it has queries"),
        "turned": (lambda s, a, b: band(s, a, b).mT, "is it the transpose"),
        "one query's keys": (
            lambda s, a, b: torch.ones(s, a + 1 + b).bool(),
            "not those of one query",
        ),
        "twice as wide": (
            lambda s, a, b: band(s, 2 * a, 2 * b),
            "twice as wide",
        ),
    },
    "check_window_in_blocks": {
        "dense in disguise": (dense, "dense in disguise"),
        "dense, by torch": (dense_by_torch, "dense in disguise"),
        "all keys for each block": (
            lambda *given: blocks(*given, whole=True),
            "slice k[low:high] before",
        ),
        "twice as wide": (
            lambda q, k, v, a, b, s: blocks(q, k, v, 2 * a, 2 * b, s),
            "twice as wide",
        ),
        "one off on the left": (wider(1, 0), "one key too many on the left"),
        "one off on the right": (wider(0, 1), "one key too many on the right"),
        "one short on the left": (wider(-1, 0), "left counts without the query"),
        "one short on the right": (wider(0, -1), "off by one on the right"),
        "swapped": (
            lambda q, k, v, a, b, s: blocks(q, k, v, b, a, s),
            "left and right are swapped",
        ),
        "chunks": (
            lambda *given: blocks(*given, own=True, bare=True),
            "these are chunks",
        ),
        "keys of its own": (
            lambda *given: blocks(*given, own=True),
            "also needs the keys beside it",
        ),
        "no mask inside": (
            lambda *given: blocks(*given, bare=True),
            "the mask inside the block is missing",
        ),
        "no scale": (
            lambda *given: blocks(*given, scale=1.0),
            "the scale is missing",
        ),
        "not clipped": (
            lambda *given: blocks(*given, clip=False),
            "clip the keys to the text",
        ),
        "negative slices": (negative_slices, "a negative start counts from the end"),
        "one mask for the ends": (one_mask_for_the_ends, "its mask is as much smaller"),
        "last block lost": (
            lambda *given: blocks(*given, drop=True),
            "collect those of every block",
        ),
        "full": (lambda q, k, v, a, b, s: attend(q, k, v), "full attention"),
    },
    "check_window_and_globals": {
        "counted twice": (
            lambda *given: with_globals(*given, twice=True),
            "is counted twice",
        ),
        "twice, and no rows": (
            lambda *given: with_globals(*given, twice=True, rows=False),
            "own rows are missing",
        ),
        "averaged": (two_softmaxes(lambda x, y: (x + y) / 2), "one softmax over near"),
        "added": (two_softmaxes(lambda x, y: x + y), "one softmax over near"),
        "no rows": (
            lambda *given: with_globals(*given, rows=False),
            "its row is missing",
        ),
        "no columns": (
            lambda *given: with_globals(*given, columns=False),
            "the columns are missing",
        ),
        "window alone": (
            lambda *given: with_globals(*given, columns=False, rows=False),
            "the window alone",
        ),
        "globals alone": (only_globals, "the window is lost"),
        "counted nowhere": (
            lambda *given: with_globals(*given, never=True),
            "counted nowhere: leave it out once",
        ),
        "twice as wide": (
            lambda q, k, v, a, b, s, p: with_globals(q, k, v, 2 * a, 2 * b, s, p),
            "twice as wide",
        ),
        "dense in disguise": (dense_globals, "dense in disguise"),
    },
    "check_to_sides": {
        "paper's halves": (
            sides(torch_mask=lambda w: (w // 2, w // 2)),
            "the mask's 8 is one side",
        ),
        "itself not counted": (
            sides(transformers_causal=lambda w: (w, 0)),
            "itself is counted",
        ),
        "looks ahead": (
            sides(transformers_causal=lambda w: (w - 1, w - 1)),
            "nobody looks ahead",
        ),
        "both sides together": (
            sides(transformers_both_ways=lambda w: (w // 2, w // 2)),
            "here W is one side",
        ),
        "one side": (sides(longformer=lambda w: (w, w)), "half of it each"),
        "floats": (sides(longformer=lambda w: (w / 2, w / 2)), "// a whole number"),
        "fixed": (sides(longformer=lambda w: (4, 4)), "compute with size"),
        "like transformers": (
            sides(**{"attention-gym": lambda w: (w - 1, 0)}),
            "here itself is not counted",
        ),
        "buckets as sides": (buckets_as_sides, "raise ValueError"),
        "a missing key": (no_such_key, "raise ValueError"),
        "nameless": (nameless, "put what came into the message"),
    },
    "check_random_layout": {
        "may repeat": (may_repeat, "a block was drawn twice, or one that is near"),
        "near lost": (lost, "join the drawn blocks with near"),
        "nothing drawn": (lambda near, n, g: near.clone(), "nothing was drawn"),
        "one more": (in_all, "near blocks not counted"),
        "by chance": (by_chance, "chance decides how many"),
        "global generator": (global_generator, "hand `generator` to everything"),
        "own seed": (own_seed, "do not seed one inside"),
        "one for all rows": (one_for_all, "draw for each row"),
        "first blocks only": (first_blocks_only, "some blocks are never drawn"),
        "needs enough": (needs_enough, "blocks may be left"),
        "into the input": (into_the_input, "near.clone()"),
        "numbers": (
            lambda near, n, g: layout(near, n, g).int(),
            "a comparison gives bools",
        ),
    },
}

ALTERNATIVES = {
    "check_window_mask": [window, window_by_loops, window_by_triangles],
    "check_dilated_mask": [dilated, dilated_by_loops],
    "check_add_globals": [
        lambda mask, flags: mask | flags | flags[:, None],
        written_into_a_copy,
        globals_by_loops,
    ],
    "check_band_pairs": [pairs, pairs_by_rows, pairs_by_torch],
    "check_heard_after": [hears, hears_by_floats, hears_by_sets],
    "check_key_range": [ends, ends_by_search, lambda *given: list(ends(*given))],
    "check_band_mask": [
        band,
        band_by_loops,
        lambda s, a, b: torch.ones(s, a + s + b).triu().tril(a + b).bool(),
    ],
    "check_window_in_blocks": [blocks, row_by_row, by_filling_up, by_the_library],
    "check_window_and_globals": [with_globals, by_merging, globals_by_the_library],
    "check_to_sides": [sides(), sides_by_ifs],
    "check_random_layout": [layout, layout_by_rows, layout_by_sorting],
}
