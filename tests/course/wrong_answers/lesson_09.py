"""What learners write in lesson 09 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

from itertools import groupby

import torch
import torch.nn.functional as F
from seqeval.metrics.sequence_labeling import get_entities

from longctx_edu.metrics import entities, entity_scores
from longctx_edu.training import learning_rate_at


def aligned(word_ids, labels, ignore=-100, *, none=None, later=None, last=False):
    out = []
    for n, word in enumerate(word_ids):
        beside = word_ids[n + 1 : n + 2] if last else word_ids[max(n - 1, 0) : n]
        if word is None:
            out.append(ignore if none is None else none)
        elif beside == [word]:
            out.append(
                ignore if later is None else later(labels[word]) if later else ignore
            )
        else:
            out.append(labels[word])
    return out


def align_if_word(word_ids, labels, *, ignore_index=-100):
    out, previous = [], None
    for word in word_ids:
        out.append(labels[word] if word and word != previous else ignore_index)
        previous = word
    return out


def align_by_label(word_ids, labels, *, ignore_index=-100):
    out, previous = [], None
    for word in word_ids:
        label = None if word is None else labels[word]
        out.append(ignore_index if label is None or label == previous else label)
        previous = label
    return out


def align_by_position(word_ids, labels, *, ignore_index=-100):
    return (labels + [ignore_index] * len(word_ids))[: len(word_ids)]


def align_behind_cls(word_ids, labels, *, ignore_index=-100):
    return ([ignore_index] + labels + [ignore_index] * len(word_ids))[: len(word_ids)]


def align_from_the_end(word_ids, labels, *, ignore_index=-100):
    out = [ignore_index] * len(word_ids)
    for place in reversed(range(len(word_ids))):
        if word_ids[place] is not None:
            out[place] = labels[word_ids[place]]
            if place and word_ids[place - 1] == word_ids[place]:
                out[place] = ignore_index
    return out


def align_with_a_set(word_ids, labels, *, ignore_index=-100):
    seen = {None}
    return [
        ignore_index if word in seen else seen.add(word) or labels[word]
        for word in word_ids
    ]


def align_emptying(word_ids, labels, *, ignore_index=-100):
    waiting, out = labels, []
    for n, word in enumerate(word_ids):
        first = word is not None and word not in word_ids[:n]
        out.append(waiting.pop(0) if first else ignore_index)
    return out


def best_of(logits, word_ids, names, choose):
    best = logits.argmax(-1).tolist()
    rows = {}
    for place, word in enumerate(word_ids):
        if word is not None:
            rows.setdefault(word, []).append(place)
    return [choose(logits, best, places, names) for places in rows.values()]


def tags_of_first(logits, word_ids, names):
    return best_of(
        logits, word_ids, names, lambda x, best, at, names: names[best[at[0]]]
    )


def tags_of_last(logits, word_ids, names):
    return [
        names[n]
        for n in dict(
            (w, n)
            for w, n in zip(word_ids, logits.argmax(-1).tolist(), strict=True)
            if w is not None
        ).values()
    ]


def tags_of_sums(logits, word_ids, names):
    return best_of(
        logits, word_ids, names, lambda x, best, at, names: names[x[at].sum(0).argmax()]
    )


def tags_if_word(logits, word_ids, names):
    return [
        names[n]
        for i, n in enumerate(logits.argmax(-1).tolist())
        if word_ids[i] and word_ids[i] != word_ids[i - 1]
    ]


def loss_rows(logits, labels, ignore_index=-100):
    counts = labels != ignore_index
    return F.cross_entropy(logits[counts], labels[counts], reduction="none")


def loss_by_shares(logits, labels, ignore_index=-100):
    counts = labels != ignore_index
    logits, labels = logits[counts], labels[counts]
    shares = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -shares[torch.arange(len(labels)), labels].log().mean()


def loss_log_of_softmax(logits, labels, ignore_index=-100):
    counts = labels != ignore_index
    shares = logits[counts].softmax(-1)
    return -shares.gather(1, labels[counts][:, None]).log().mean()


def loss_without_log(logits, labels, ignore_index=-100):
    counts = labels != ignore_index
    shares = logits[counts].softmax(-1)
    return -shares[torch.arange(int(counts.sum())), labels[counts]].mean()


def loss_of_logits(logits, labels, ignore_index=-100):
    counts = labels != ignore_index
    return -logits[counts][torch.arange(int(counts.sum())), labels[counts]].mean()


def loss_in_loops(logits, labels, ignore_index=-100):
    losses = []
    for row, label in zip(logits, labels.tolist(), strict=True):
        if label != ignore_index:
            losses.append(torch.logsumexp(row, 0) - row[label])
    return sum(losses) / len(losses)


def loss_with_zeros(logits, labels, ignore_index=-100):
    counts = labels != ignore_index
    safe = labels.masked_fill(~counts, 0)[:, None]
    losses = -logits.log_softmax(-1).gather(1, safe)[:, 0]
    return (losses * counts).sum() / counts.sum()


def late_rate(step, total, warmup):
    return step / warmup if step < warmup else (total - step) / (total - warmup)


def falling(step, total, warmup):
    return max(0.0, (total - step) / (total - warmup))


def rate_by_min(step, total, warmup):
    up = (step + 1) / warmup if warmup else 1.0
    return max(0.0, min(up, (total - step) / (total - warmup), 1.0))


def stop(scores, patience, *, better=lambda a, b: a > b, reset=True, first=None):
    best, bad = 0, 0
    top = scores[0] if first is None else first
    for epoch in range(0 if first is not None else 1, len(scores)):
        if better(scores[epoch], top):
            top, best = scores[epoch], epoch
            bad = 0 if reset else bad
        else:
            bad += 1
        if bad >= patience:
            return best + 1, epoch + 1
    return best + 1, len(scores)


def stop_against_the_last(scores, patience):
    bad = 0
    for epoch in range(1, len(scores)):
        bad = bad + 1 if scores[epoch] <= scores[epoch - 1] else 0
        if bad >= patience:
            return scores.index(max(scores[: epoch + 1])) + 1, epoch + 1
    return scores.index(max(scores)) + 1, len(scores)


def stop_looking_back(scores, patience):
    for last in range(1, len(scores) + 1):
        best = scores.index(max(scores[:last])) + 1
        if last - best >= patience:
            return best, last
    return best, last


def stop_best_of_all(scores, patience):
    return scores.index(max(scores)) + 1, stop(scores, patience)[1]


def triples(tags):
    return [(e.start, e.stop, e.type) for e in entities(tags)]


def lenient(tags):
    return [(a, b + 1, kind) for kind, a, b in get_entities(list(tags))]


def read(tags, *, end=True, split=False, same_type=True, touch=True, opens=()):
    found, start, kind = [], 0, None
    for i, tag in enumerate([*tags, "O"] if end else tags):
        mine = tag[2:] == kind or not same_type
        goes_on = kind and mine and (tag[0] == "I" or (not touch and tag[0] == "B"))
        if kind and not goes_on:
            found.append((start, i, kind))
            kind = None
        if tag[0] in ("B", *opens) and not goes_on:
            start, kind = i, tag.split("-")[1] if split else tag[2:]
    return found


def read_on_after_a_gap(tags):
    """Never forgets what was open: an I- of its type goes on after any gap."""
    found = []
    for i, tag in enumerate(tags):
        if tag[0] == "B":
            found.append([i, i + 1, tag[2:]])
        elif tag[0] == "I" and found and found[-1][2] == tag[2:]:
            found[-1][1] = i + 1
    return [tuple(entity) for entity in found]


def read_by_groups(tags):
    number, marked = 0, []
    for i, tag in enumerate(tags):
        goes_on = tag[0] == "I" and i and marked[-1][1] == tag[2:]
        number += not goes_on
        kind = tag[2:] if goes_on or tag[0] == "B" else None
        marked.append((number, kind, i))
    groups = [list(g) for _, g in groupby(marked, key=lambda m: m[0])]
    return [(g[0][2], g[-1][2] + 1, g[0][1]) for g in groups if g[0][1] is not None]


def pairs(texts, read=triples):
    return {(n, e) for n, tags in enumerate(texts) for e in read(tags)}


def three(right, said, there):
    p, r = right / said if said else 0.0, right / there if there else 0.0
    return p, r, 2 * p * r / (p + r) if p + r else 0.0


def scores_of(gold, predicted, pairs=pairs):
    there, said = pairs(gold), pairs(predicted)
    return three(len(there & said), len(said), len(there))


def scores_by_words(gold, predicted):
    both = [
        pair
        for a, b in zip(gold, predicted, strict=True)
        for pair in zip(a, b, strict=True)
    ]
    right = sum(g == p != "O" for g, p in both)
    said, there = sum(p != "O" for _, p in both), sum(g != "O" for g, _ in both)
    return three(right, said, there)


def accuracy(gold, predicted):
    pairs = [
        g == p
        for a, b in zip(gold, predicted, strict=True)
        for g, p in zip(a, b, strict=True)
    ]
    return (sum(pairs) / len(pairs),) * 3


def mean_over_texts(gold, predicted):
    each = [scores_of([a], [b]) for a, b in zip(gold, predicted, strict=True)]
    return tuple(sum(column) / len(each) for column in zip(*each, strict=True))


def mean_over_types(gold, predicted):
    score = entity_scores(gold, predicted)["macro"]
    return score.precision, score.recall, score.f1


def joined(texts):
    return pairs([[tag for tags in texts for tag in tags]])


def plain_mean(gold, predicted):
    p, r, _ = scores_of(gold, predicted)
    return p, r, (p + r) / 2


def dividing(gold, predicted):
    there, said = pairs(gold), pairs(predicted)
    p, r = len(there & said) / len(said), len(there & said) / len(there)
    return p, r, 2 * p * r / max(p + r, 1e-9)


def from_the_library(gold, predicted):
    score = entity_scores(gold, predicted)["micro"]
    return score.precision, score.recall, score.f1


def by_counting(gold, predicted):
    right = said = there = 0
    for a, b in zip(gold, predicted, strict=True):
        a, b = set(triples(a)), set(triples(b))
        right, said, there = right + len(a & b), said + len(b), there + len(a)
    return three(right, said, there)


def f1_of(p, r):
    return 2 * p * r / (p + r) if p + r else 0.0


def consistent(p, r, f1, digits=3, half=0.5, own=0.5):
    half, own = half * 10**-digits, own * 10**-digits
    low = f1_of(max(0, p - half), max(0, r - half))
    return low <= f1 + own and f1_of(p + half, r + half) >= f1 - own


def consistent_by_trying(precision, recall, f1, digits=3):
    unit = 10**-digits
    steps = [(n / 20 - 0.5) * unit for n in range(21)]
    return any(
        abs(f1_of(max(0, precision + a), max(0, recall + b)) - f1) <= 0.5 * unit
        for a in steps
        for b in steps
    )


def consistent_unguarded(p, r, f1, digits=3):
    return abs(2 * p * r / (p + r) - f1) <= 10**-digits


WRONG = {
    "check_align_labels": {
        "every piece": (
            lambda w, y, *, ignore_index=-100: [
                ignore_index if n is None else y[n] for n in w
            ],
            "its first piece alone",
        ),
        "last piece": (
            lambda w, y, *, ignore_index=-100: aligned(w, y, last=True),
            "not the last",
        ),
        "specials are O": (
            lambda w, y, *, ignore_index=-100: aligned(w, y, none=0),
            "no word is no label",
        ),
        "everything else is O": (
            lambda w, y, *, ignore_index=-100: aligned(w, y, 0),
            "would be learnt",
        ),
        "later pieces are O": (
            lambda w, y, *, ignore_index=-100: aligned(w, y, later=lambda _: 0),
            "a later piece is no O",
        ),
        "if word": (align_if_word, "0 is a word"),
        "the word itself": (
            lambda w, y, *, ignore_index=-100: aligned(w, range(9)),
            "this is the word",
        ),
        "specials dropped": (
            lambda w, y, *, ignore_index=-100: aligned(
                [n for n in w if n is not None], y
            ),
            "have their place",
        ),
        "by position": (align_by_position, "not to positions"),
        "by position, behind [CLS]": (align_behind_cls, "not to positions"),
        "compares labels": (align_by_label, "compare the numbers of the words"),
        "always -100": (
            lambda w, y, *, ignore_index=-100: aligned(w, y),
            "only its default",
        ),
        "label of None": (
            lambda w, y, *, ignore_index=-100: [y[n] for n in w],
            "None has no label",
        ),
        "empties the labels": (align_emptying, "change the caller's list"),
    },
    "check_tags_of_words": {
        "every piece": (
            lambda x, w, names: [names[n] for n in x.argmax(-1)],
            "one tag a word, not a piece",
        ),
        "every piece of a word": (
            lambda x, w, names: [
                names[n] for n, i in zip(x.argmax(-1), w, strict=True) if i is not None
            ],
            "leave out its later pieces",
        ),
        "last piece": (tags_of_last, "a later piece does not answer"),
        "first rows": (
            lambda x, w, names: [names[n] for n in x.argmax(-1)][: max(w[1:-1]) + 1],
            "follow word_ids",
        ),
        "sum of the pieces": (tags_of_sums, "do not add pieces up"),
        "if word": (tags_if_word, "0 is a word"),
        "numbers": (
            lambda x, w, names: tags_of_first(x, w, range(9)),
            "numbers of labels",
        ),
        "smallest": (
            lambda x, w, names: tags_of_first(-x, w, names),
            "not the smallest",
        ),
        "down the columns": (
            lambda x, w, names: tags_of_first(x.mT, w, names),
            "the last axis",
        ),
        "without the ends": (
            lambda x, w, names: tags_of_first(x[1:-1], w[1:-1], names),
            "marks at both ends",
        ),
    },
    "check_masked_cross_entropy": {
        "-100 is O": (
            lambda x, y, ignore_index=-100: F.cross_entropy(x, y.clamp(min=0)),
            "counted as label 0",
        ),
        "mean over all": (
            lambda x, y, ignore_index=-100: (
                loss_rows(x, y, ignore_index).sum() / len(y)
            ),
            "not by all",
        ),
        "sum": (
            lambda x, y, ignore_index=-100: loss_rows(x, y, ignore_index).sum(),
            "this is the sum",
        ),
        "sign": (
            lambda x, y, ignore_index=-100: -loss_rows(x, y, ignore_index).mean(),
            "the sign",
        ),
        "bits": (
            lambda x, y, ignore_index=-100: (
                loss_rows(x, y, ignore_index).mean() / torch.tensor(2.0).log()
            ),
            "in nats",
        ),
        "no log": (loss_without_log, "the log is missing"),
        "no softmax": (loss_of_logits, "softmax, then log"),
        "-100 as a column": (
            lambda x, y, ignore_index=-100: (
                x.logsumexp(-1) - x[torch.arange(len(y)), y]
            )[y != ignore_index].mean(),
            "keep the labelled rows first",
        ),
        "exp overflows": (loss_by_shares, "subtracts the maximum"),
        "log of softmax": (loss_log_of_softmax, "log(0) is -inf"),
        "always -100": (
            lambda x, y, ignore_index=-100: F.cross_entropy(x, y % 5 if -1 in y else y),
            "only its default",
        ),
        "a number": (
            lambda x, y, ignore_index=-100: loss_rows(x, y, ignore_index).mean().item(),
            "torch.tensor(...)",
        ),
        "no mean": (
            lambda x, y, ignore_index=-100: loss_rows(x, y, ignore_index),
            "take the mean over pieces",
        ),
        "detached": (
            lambda x, y, ignore_index=-100: loss_in_loops(x, y, ignore_index).detach(),
            "cut the way back",
        ),
    },
    "check_rate_at": {
        "starts at 0": (late_rate, "would not move"),
        "no fall": (
            lambda step, total, warmup: min(1.0, (step + 1) / warmup),
            "after the warm-up it falls",
        ),
        "no rise": (
            lambda step, total, warmup: min(1.0, falling(step, total, warmup)),
            "during the warm-up it rises",
        ),
        "falls from the start": (
            lambda step, total, warmup: (
                (step + 1) / warmup if step < warmup else 1 - step / total
            ),
            "divide by total - warmup",
        ),
        "a step early": (
            lambda step, total, warmup: (
                rate_by_min(step, total, warmup)
                if step < warmup
                else (total - step - 1) / (total - warmup)
            ),
            "the share is still 1",
        ),
        "whole division": (
            lambda step, total, warmup: (
                (step + 1) // warmup
                if step < warmup
                else (total - step) // (total - warmup)
            ),
            "throws the fraction away",
        ),
        "no warm-up fails": (
            lambda step, total, warmup: max(
                0.0, min((step + 1) / warmup, falling(step, total, warmup))
            ),
            "warmup=0 means no rise",
        ),
        "below 0": (
            lambda step, total, warmup: (
                (step + 1) / warmup
                if step < warmup
                else (total - step) / (total - warmup)
            ),
            "climb the loss",
        ),
    },
    "check_stop_at": {
        "looks ahead": (stop_best_of_all, "from the scores it has seen"),
        "against the last epoch": (stop_against_the_last, "does not beat 0.7"),
        "counts from 0": (
            lambda s, patience: tuple(n - 1 for n in stop(s, patience)),
            "count epochs from 1",
        ),
        "too early": (lambda s, patience: stop(s, patience - 1), "not one"),
        "too late": (
            lambda s, patience: stop(s, patience + 1),
            "not the third",
        ),
        "swapped": (lambda s, patience: stop(s, patience)[::-1], "comes first"),
        "keeps the last": (
            lambda s, patience: (stop(s, patience)[1],) * 2,
            "not the last one, is kept",
        ),
        "ties count": (
            lambda s, patience: stop(s, patience, better=lambda a, b: a >= b),
            ">, not >=",
        ),
        "never resets": (
            lambda s, patience: stop(s, patience, reset=False),
            "start counting anew",
        ),
        "starts at 0": (
            lambda s, patience: stop(s, patience, first=0.0),
            "also one below 0",
        ),
        "only the best": (lambda s, patience: stop(s, patience)[0], "comma between"),
    },
    "check_read_entities": {
        "inclusive stop": (
            lambda tags: [(a, b - 1, kind) for a, b, kind in triples(tags)],
            "stop is the token after",
        ),
        "loses the last": (lambda tags: read(tags, end=False), "end with the text"),
        "only B-": (
            lambda tags: [(i, i + 1, t[2:]) for i, t in enumerate(tags) if t[0] == "B"],
            "the I- belongs to it",
        ),
        "type with its prefix": (
            lambda tags: [(a, b, f"B-{kind}") for a, b, kind in triples(tags)],
            "what follows B-",
        ),
        "every tag": (
            lambda tags: [(i, i + 1, t[2:]) for i, t in enumerate(tags) if t != "O"],
            "does not open anything",
        ),
        "joins what touches": (
            lambda tags: read(tags, touch=False),
            "B- closes the first",
        ),
        "lenient": (lenient, "only B- opens an entity"),
        "any I- goes on": (
            lambda tags: read(tags, same_type=False),
            "compare the types",
        ),
        "on after a gap": (read_on_after_a_gap, "forget start and type"),
        "splits at every hyphen": (
            lambda tags: read(tags, split=True),
            "cut at the first hyphen",
        ),
        "flat": (
            lambda tags: [part for e in triples(tags) for part in e],
            "two pairs of brackets",
        ),
    },
    "check_micro_scores": {
        "swapped": (lambda g, p: scores_of(p, g), "precision first"),
        "plain mean": (plain_mean, "the harmonic mean"),
        "words": (scores_by_words, "an entity is right as a whole"),
        "accuracy": (accuracy, "token accuracy"),
        "without types": (
            lambda g, p: scores_of(
                g, p, lambda texts: {(n, e[:2]) for n, e in pairs(texts)}
            ),
            "a LOC is no ORG",
        ),
        "percent": (
            lambda g, p: tuple(100 * x for x in scores_of(g, p)),
            "not percent",
        ),
        "starts alone": (
            lambda g, p: scores_of(
                g, p, lambda texts: {(n, e[0], e[2]) for n, e in pairs(texts)}
            ),
            "start and stop must both",
        ),
        "without the text": (
            lambda g, p: scores_of(g, p, lambda texts: {e for _, e in pairs(texts)}),
            "the number of the text",
        ),
        "mean over texts": (mean_over_texts, "mean over texts"),
        "mean over types": (mean_over_types, "mean over types"),
        "joined texts": (
            lambda g, p: scores_of(g, p, joined),
            "goes on across the border",
        ),
        "divides by zero": (dividing, "a share is 0"),
        "F1 alone": (lambda g, p: scores_of(g, p)[2], "comma between"),
    },
    "check_is_consistent": {
        "wide tolerance": (
            lambda p, r, f1, digits=3: abs(f1_of(p, r) - f1) < 0.01,
            "more than rounding",
        ),
        "the plain mean": (
            lambda p, r, f1, digits=3: abs((p + r) / 2 - f1) <= 0.001,
            "not (P + R) / 2",
        ),
        "rounds once": (
            lambda p, r, f1, digits=3: round(f1_of(p, r), digits) == f1,
            "precision and recall are rounded too",
        ),
        "only F1 has a range": (
            lambda p, r, f1, digits=3: consistent(p, r, f1, digits, half=0),
            "precision and recall are rounded too",
        ),
        "whole digits": (
            lambda p, r, f1, digits=3: consistent(p, r, f1, digits, 1.0, 1.0),
            "the ranges are too wide",
        ),
        "one side": (
            lambda p, r, f1, digits=3: (
                f1_of(max(0, p - 0.5 * 10**-digits), max(0, r - 0.5 * 10**-digits))
                <= f1 + 0.5 * 10**-digits
            ),
            "look at both sides",
        ),
        "three digits": (
            lambda p, r, f1, digits=3: consistent(p, r, f1),
            "use the parameter digits",
        ),
        "0 / 0": (
            lambda p, r, f1, digits=3: (
                consistent(p, r, f1, digits) and 2 * p * r / (p + r) >= 0
            ),
            "ask before dividing",
        ),
        "a number": (lambda p, r, f1, digits=3: f1_of(p, r) - f1, "comparison itself"),
    },
}

ALTERNATIVES = {
    "check_align_labels": [align_from_the_end, align_with_a_set],
    "check_tags_of_words": [
        tags_of_first,
        lambda logits, word_ids, names: [
            names[logits[word_ids.index(word)].argmax()]
            for word in range(max(w for w in word_ids if w is not None) + 1)
        ],
    ],
    "check_masked_cross_entropy": [
        loss_in_loops,
        loss_with_zeros,
        lambda x, y, ignore_index=-100: F.cross_entropy(
            x, y, ignore_index=ignore_index
        ),
    ],
    "check_rate_at": [
        rate_by_min,
        lambda step, total, warmup: learning_rate_at(step, total, warmup, "linear"),
    ],
    "check_stop_at": [stop, stop_looking_back],
    "check_read_entities": [read_by_groups, triples, read],
    "check_micro_scores": [from_the_library, by_counting, scores_of],
    "check_is_consistent": [consistent, consistent_by_trying],
}
