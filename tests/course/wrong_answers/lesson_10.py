"""What learners write in lesson 10 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math
from itertools import pairwise

import torch

from longctx_edu.attention import window_pairs
from longctx_edu.positions import extend_table

MARKS = (".", "!", "?")


def layers(distance, side, dilation=1, *, how=math.ceil):
    if distance == 0:
        return 0
    if distance % dilation or not side:
        return None
    return how(distance / dilation / side)


def layers_ignoring_gaps(distance, side, dilation=1):
    return None if not side else math.ceil(distance / (side * dilation))


def layers_dividing(distance, side, dilation=1):
    return None if distance % dilation else -(-(distance // dilation) // side)


def layers_by_walking(distance, side, dilation=1):
    reached, n = {0}, 0
    steps = [d * dilation for d in range(-side, side + 1)]
    while distance not in reached:
        wider = {a + s for a in reached for s in steps}
        wider = {a for a in wider if abs(a) <= distance + side * dilation}
        if wider == reached:
            return None
        reached, n = wider, n + 1
    return n


def flags_by_letter(words):
    return [word[0].isupper() for word in words]


def flags_if(words, begins, first=True):
    flags = [first] if words else []
    return flags + [begins(a, b) for a, b in pairwise(words)]


def flags_with_places(words):
    flags = [False] * len(words)
    for place, word in enumerate(words):
        before = words[place - 1] if place else "."
        if before in ".!?" and word not in ".!?":
            flags[place] = True
    return flags


def flags_first_without_asking(words):
    flags = [False] * len(words)
    flags[0] = True
    for place in range(1, len(words)):
        flags[place] = words[place - 1] in MARKS and words[place] not in MARKS
    return flags


def places_of_starts(words):
    return [place for place, flag in enumerate(flags_with_places(words)) if flag]


def chosen_of(keep, places):
    return torch.zeros_like(keep).index_fill(0, places, True)


def best_of_all(scores, keep, budget):
    return chosen_of(keep, scores.topk(min(budget, len(scores))).indices)


def best_times_keep(scores, keep, budget):
    n = min(budget, int(keep.sum()))
    return chosen_of(keep, (scores * keep).argsort(descending=True, stable=True)[:n])


def best_above_zero(scores, keep, budget):
    hidden = scores.masked_fill(~keep, 0.0).clamp_min(0)
    order = hidden.argsort(descending=True, stable=True)[: min(budget, int(keep.sum()))]
    return chosen_of(keep, order) & (hidden > 0)


def best_by_threshold(scores, keep, budget):
    real = scores[keep].sort(descending=True).values
    n = min(budget, len(real))
    if n == 0:
        return torch.zeros_like(keep)
    return keep & (scores >= real[n - 1])


def best_smallest(scores, keep, budget):
    return chosen_of(keep, scores.argsort(stable=True)[:budget])


def best_with_filling(scores, keep, budget):
    hidden = scores.masked_fill(~keep, -torch.inf)
    return chosen_of(keep, hidden.argsort(descending=True, stable=True)[:budget])


def best_from_the_end(scores, keep, budget):
    hidden = scores.masked_fill(~keep, -torch.inf)
    order = hidden.flip(0).argsort(stable=True)
    return chosen_of(keep, len(scores) - 1 - order[-budget:]) & keep


def best_in_loops(scores, keep, budget):
    places = [p for p in range(len(scores)) if keep[p]]
    places.sort(key=lambda p: -float(scores[p]))
    flags = torch.zeros(len(scores), dtype=torch.bool)
    for place in places[:budget]:
        flags[place] = True
    return flags


def best_by_rank(scores, keep, budget):
    place = torch.arange(len(scores))
    before = (scores > scores[:, None]) | (
        (scores == scores[:, None]) & (place < place[:, None])
    )
    return keep & ((before & keep).sum(-1) < budget)


def far(n, side):
    place = torch.arange(n)
    return (place[:, None] - place).abs() > side


def helps(w, g, side, *, sign=-1, dim=0, mask=far):
    return (sign * w * g * mask(len(w), side)).sum(dim)


def help_in_loops(weights, gradients, side):
    n = len(weights)
    out = torch.zeros(n)
    for j in range(n):
        for i in range(n):
            if abs(i - j) > side:
                out[j] -= weights[i, j] * gradients[i, j]
    return out


def help_by_einsum(weights, gradients, side):
    far_away = far(len(weights), side).float()
    return torch.einsum("ij,ij,ij->j", weights, -gradients, far_away)


def see(mention, evidence, left, right, flags, *, query=0, last=0, g=True, row=True):
    at = mention[query] - (query == 1)
    return any(
        -left <= key - at <= right or (g and flags[key]) or (row and flags[at])
        for key in range(evidence[0], evidence[1] + last)
    )


def see_both_sides_alike(mention, evidence, left, right, flags):
    at = mention[0]
    near = max(left, right)
    return any(abs(k - at) <= near or flags[k] or flags[at] for k in range(*evidence))


def see_only_before(mention, evidence, left, right, flags):
    at = mention[0]
    return any(0 <= at - k <= left or flags[k] or flags[at] for k in range(*evidence))


def see_first_of_evidence(mention, evidence, left, right, flags):
    return see(mention, (evidence[0], evidence[0] + 1), left, right, flags)


def see_any_global(mention, evidence, left, right, flags):
    return see(mention, evidence, left, right, flags) or any(flags)


def see_anything(mention, evidence, left, right, flags):
    return True


def see_by_ranges(mention, evidence, left, right, flags):
    at = mention[0]
    near = evidence[0] <= at + right and at - left < evidence[1]
    return bool(near or flags[at] or any(flags[evidence[0] : evidence[1]]))


def see_by_mask(mention, evidence, left, right, flags):
    at, flags = mention[0], torch.tensor(flags)
    key = torch.arange(len(flags))
    sees = ((key - at >= -left) & (key - at <= right)) | flags | flags[at]
    return bool(sees[evidence[0] : evidence[1]].any())


def plain_pairs(n, side):
    return sum(min(n - 1, i + side) - max(0, i - side) + 1 for i in range(n))


def pairs_if(n, side, places, rule):
    return sum(
        abs(i - j) <= side or rule(i in places, j in places)
        for i in range(n)
        for j in range(n)
    )


def pairs_by_formula(n, side, places):
    total = plain_pairs(n, side)
    for p in places:
        total += 2 * (n - (min(n - 1, p + side) - max(0, p - side) + 1))
    return total - sum(abs(p - q) > side for p in places for q in places)


def long_table(table, n, special, **_):
    return extend_table(table, n, first=special)


def table_in_loops(table, n_places, n_special):
    trained = len(table) - n_special
    rows = [table[i] for i in range(n_special)]
    for place in range(max(n_places, trained)):
        rows.append(table[n_special + place % trained])
    return torch.stack(rows)


def table_by_repeat(table, n_places, n_special):
    trained = table[n_special:]
    times = max(1, math.ceil(n_places / len(trained)))
    return torch.cat(
        [table[:n_special], trained.repeat(times, 1)[: max(n_places, len(trained))]]
    )


def wrong_table(table, n_places, n_special, rows):
    trained = len(table) - n_special
    if n_places <= trained:
        return table
    return rows(table, n_places, n_special, trained)


def wrong(rows):
    return lambda table, n, s: wrong_table(table, n, s, rows)


def cut_table(table, n_places, n_special):
    trained = table[n_special:]
    place = torch.arange(n_places)
    return torch.cat([table[:n_special], trained[place % len(trained)]])


def overlap(a, b):
    return a[0] < b[1] and b[0] < a[1]


def f1_buckets(mentions, predicted, buckets, *, own=overlap, fits=None, f1=None):
    fits = fits or (lambda p, m: tuple(p) == tuple(m[:3]))
    f1 = f1 or (lambda r, t, s: 2 * r / (t + s) if t + s else 0.0)
    out = []
    for low, high in buckets:
        there = [m for m in mentions if low <= m[3] <= high]
        said = [p for p in predicted if any(own(p, m) for m in there)]
        right = sum(any(fits(p, m) for m in there) for p in said)
        out.append(f1(right, len(there), len(said)))
    return out


def f1_without_asking(mentions, predicted, buckets):
    return f1_buckets(mentions, predicted, buckets, f1=lambda r, t, s: 2 * r / (t + s))


def f1_half_open(mentions, predicted, buckets):
    return f1_buckets(mentions, predicted, [(a, b - 1) for a, b in buckets])


def f1_of_all(mentions, predicted, buckets):
    there = [m[:3] for m in mentions]
    right = sum(p in there for p in predicted)
    total = len(there) + len(predicted)
    return [2 * right / total if total else 0.0] * len(buckets)


def f1_all_said_everywhere(mentions, predicted, buckets):
    return f1_buckets(mentions, predicted, buckets, own=lambda p, m: True)


def f1_by_precision(mentions, predicted, buckets):
    def f1(right, there, said):
        p, r = right / said if said else 0.0, right / there if there else 0.0
        return 2 * p * r / (p + r) if p + r else 0.0

    return f1_buckets(mentions, predicted, buckets, f1=f1)


def f1_by_walking(mentions, predicted, buckets):
    def bucket(distance):
        fits = [n for n, (a, b) in enumerate(buckets) if a <= distance <= b]
        return fits[0] if fits else None

    there, said, right = ([0] * len(buckets) for _ in range(3))
    for m in mentions:
        there[bucket(m[3])] += 1
    for p in predicted:
        for m in mentions:
            if overlap(p, m):
                said[bucket(m[3])] += 1
                right[bucket(m[3])] += tuple(m[:3]) == tuple(p)
                break
    return [
        2 * r / (t + s) if t + s else 0.0
        for r, t, s in zip(right, there, said, strict=True)
    ]


WRONG = {
    "check_layers_for": {
        "rounded down": (
            lambda d, s, dilation=1: layers(d, s, dilation, how=int),
            "up",
        ),
        "both sides": (
            lambda d, s, dilation=1: (
                0
                if not d
                else None
                if not s or d % dilation
                else math.ceil(d / dilation / s)
                if d < 20
                else math.ceil(d / (2 * s))
            ),
            "one direction carries side",
        ),
        "one too many": (
            lambda d, s, dilation=1: d // s + 1 if d and s else 0 if not d else None,
            "the side counts in",
        ),
        "no dilation": (
            lambda d, s, dilation=1: layers(d, s),
            "a step is as long as the dilation",
        ),
        "gaps are heard": (layers_ignoring_gaps, "multiples of the dilation"),
        "divides by 0": (layers_dividing, "a window of 0 carries nowhere"),
        "itself takes one": (
            lambda d, s, dilation=1: layers(d, s, dilation) or 1,
            "distance 0 needs none",
        ),
    },
    "check_starts_of_sentences": {
        "capital letters": (flags_by_letter, "ask for the mark before"),
        "not the first": (
            lambda w: flags_if(
                w, lambda a, b: a in MARKS and b not in MARKS, first=False
            ),
            "the first word of the text begins a sentence",
        ),
        "full stops alone": (
            lambda w: flags_if(w, lambda a, b: a == "." and b != "."),
            "all three marks",
        ),
        "marks begin": (
            lambda w: flags_if(w, lambda a, b: a in MARKS),
            "two conditions",
        ),
        "ends with": (
            lambda w: flags_if(w, lambda a, b: a[-1] in MARKS and b not in MARKS),
            "not endswith",
        ),
        "the marks themselves": (
            lambda w: [word in MARKS for word in w],
            "the word after the mark",
        ),
        "places": (places_of_starts, "a flag for each word"),
        "words[0]": (flags_first_without_asking, "no words[0]"),
    },
    "check_best_tokens": {
        "filling too": (best_of_all, "a score of -inf"),
        "times keep": (best_times_keep, "-inf, not 0"),
        "above 0": (best_above_zero, "logits may be negative"),
        "a threshold": (best_by_threshold, "a threshold takes all that are equal"),
        "the smallest": (best_smallest, "largest first"),
        "never fewer": (best_with_filling, "number of real tokens"),
        "x[-0:]": (best_from_the_end, "x[-0:] is all"),
        "places": (lambda s, k, b: s.topk(b).indices, "bools"),
    },
    "check_help_of_keys": {
        "harm": (lambda w, g, s: helps(w, g, s, sign=1), "a positive gradient harms"),
        "a row": (lambda w, g, s: helps(w, g, s, dim=1), "one number a key"),
        "all queries": (lambda w, g, s: (-w * g).sum(0), "leave out the queries"),
        "side itself": (
            lambda w, g, s: helps(w, g, s - 1),
            "more than side away",
        ),
        "near ones": (
            lambda w, g, s: helps(w, g, s, mask=lambda n, s: ~far(n, s)),
            "these are the near ones",
        ),
        "no weight": (
            lambda w, g, s: (-g * far(len(w), s)).sum(0),
            "times the weight",
        ),
        "no sign": (
            lambda w, g, s: (w * g * far(len(w), s)).abs().sum(0),
            "keep the sign",
        ),
        "a mean": (
            lambda w, g, s: (-w * g * far(len(w), s)).mean(0),
            "not the mean",
        ),
    },
    "check_can_see": {
        "both sides alike": (see_both_sides_alike, "no abs()"),
        "only before": (see_only_before, "ask for right as well"),
        "first of the evidence": (see_first_of_evidence, "not its first alone"),
        "stop included": (
            lambda *a: see(*a, last=1),
            "stop is the token after the last",
        ),
        "last of the mention": (
            lambda *a: see(*a, query=1),
            "the query is mention[0]",
        ),
        "no columns": (lambda *a: see(*a, g=False), "opens the column"),
        "no rows": (lambda *a: see(*a, row=False), "opens the row"),
        "any global": (see_any_global, "one layer"),
        "one more": (
            lambda m, e, a, b, g: see(m, e, a + 1, b + 1, g),
            "the token itself is not counted",
        ),
        "everything": (see_anything, "a window has an end"),
    },
    "check_pairs_with_globals": {
        "twice": (
            lambda n, s, p: plain_pairs(n, s) + 2 * len(p) * n,
            "each pair once",
        ),
        "no globals": (lambda n, s, p: plain_pairs(n, s), "rows and columns"),
        "columns alone": (
            lambda n, s, p: pairs_if(n, s, p, lambda i, j: j),
            "a row and a column",
        ),
        "rows alone": (
            lambda n, s, p: pairs_if(n, s, p, lambda i, j: i),
            "a row and a column",
        ),
        "no ends": (
            lambda n, s, p: n * (2 * s + 1) + 2 * len(p) * (n - 2 * s - 1),
            "cut at both ends",
        ),
        "window again": (
            lambda n, s, p: plain_pairs(n, s) + 2 * len(p) * n - len(p) ** 2,
            "not added again",
        ),
        "crossings twice": (
            lambda n, s, p: plain_pairs(n, s) + 2 * len(p) * (n - 2 * s - 1),
            "cross twice",
        ),
    },
    "check_table_with_special": {
        "special rows copied": (
            wrong(lambda t, n, s, m: t[torch.arange(n + s) % len(t)]),
            "special rows are never copied",
        ),
        "no special rows": (
            wrong(lambda t, n, s, m: t[s:][torch.arange(n) % m]),
            "n_special rows more than places",
        ),
        "the last row": (
            wrong(lambda t, n, s, m: t[torch.arange(n + s).clamp_max(len(t) - 1)]),
            "not the last one",
        ),
        "zeros": (
            wrong(lambda t, n, s, m: torch.cat([t, t.new_zeros(n - m, t.shape[1])])),
            "not zeros",
        ),
        "rows for places": (
            lambda t, n, s: extend_table(t, n - s, first=s),
            "n_special rows more",
        ),
        "always cut": (cut_table, "never cut"),
        "special rows last": (
            wrong(lambda t, n, s, m: torch.cat([t[s:][torch.arange(n) % m], t[:s]])),
            "stand in front",
        ),
    },
    "check_f1_in_buckets": {
        "one for all": (f1_of_all, "each bucket has its own counts"),
        "no type": (
            lambda m, p, b: f1_buckets(
                m, p, b, fits=lambda x, y: tuple(x[:2]) == tuple(y[:2])
            ),
            "the type counts too",
        ),
        "recall": (
            lambda m, p, b: f1_buckets(m, p, b, f1=lambda r, t, s: r / t if t else 0.0),
            "precision",
        ),
        "overlap is right": (
            lambda m, p, b: f1_buckets(
                m, p, b, fits=lambda x, y: overlap(x, y) and x[2] == y[2]
            ),
            "right needs",
        ),
        "said everywhere": (f1_all_said_everywhere, "each bucket has its own"),
        "neighbours overlap": (
            lambda m, p, b: f1_buckets(
                m, p, b, own=lambda x, y: x[0] <= y[1] and y[0] <= x[1]
            ),
            "<, not <=",
        ),
        "half open": (f1_half_open, "low <= distance <= high"),
        "divides by 0": (f1_without_asking, "ask before dividing"),
    },
}

ALTERNATIVES = {
    "check_layers_for": [layers, layers_by_walking],
    "check_starts_of_sentences": [
        flags_with_places,
        lambda w: flags_if(w, lambda a, b: a in MARKS and b not in MARKS),
    ],
    "check_best_tokens": [best_in_loops, best_by_rank],
    "check_help_of_keys": [help_in_loops, help_by_einsum],
    "check_can_see": [see_by_ranges, see_by_mask],
    "check_pairs_with_globals": [
        lambda n, s, p: window_pairs(n, left=s, right=s, global_places=p),
        pairs_by_formula,
    ],
    "check_table_with_special": [long_table, table_in_loops, table_by_repeat],
    "check_f1_in_buckets": [f1_by_precision, f1_by_walking],
}
