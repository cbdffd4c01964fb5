"""What learners write in lesson 04 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch

from longctx_edu.chunking import owner, split


def cut(n, size, overlap, *, step=None, back=True, clip=True, last=True, short=True):
    step = size - overlap if step is None else step(size, overlap)
    end = max(0, n - size)
    starts = [*range(0, end, step)]
    if last:
        starts.append(end if back else (starts[-1] + step if starts else 0))
    stops = [min(start + size, n) if clip else start + size for start in starts]
    return list(zip(starts, stops, strict=True))


def to_the_end(n, size, overlap):
    """Starts everywhere, also behind the last chunk that is needed."""
    starts = range(0, n, size - overlap)
    return [(start, min(start + size, n)) for start in starts]


def moved_to_the_end(n, size, overlap):
    starts = range(0, n, size - overlap)
    return [(max(0, min(s, n - size)), min(s + size, n)) for s in starts]


def below_zero(n, size, overlap):
    last = n - size
    starts = [*range(0, last, size - overlap), last]
    return [(start, start + size) for start in starts]


def cut_in_a_loop(n_tokens, size, overlap):
    found, start = [], 0
    while True:
        if start + size >= n_tokens:
            return [*found, [max(0, n_tokens - size), n_tokens]]
        found.append([start, start + size])
        start += size - overlap


def cut_by_recursion(n, size, overlap):
    if n <= size:
        return [(0, n)]
    n_steps = math.ceil((n - size) / (size - overlap))
    before = [
        (k * (size - overlap), k * (size - overlap) + size) for k in range(n_steps)
    ]
    return (*before, (n - size, n))


def by_split(n, size, overlap):
    return [(c.start, c.stop) for c in split(n, size=size, overlap=overlap)]


def up(a, b):
    return -(-a // b)


def read(n, size, overlap, *, count=None, step=None, short=True, times=True):
    if short and n <= size:
        return n
    step = (size - overlap) if step is None else step(size, overlap)
    count = 1 + up(n - size, step) if count is None else count(n, size, step)
    return size * count if times else count


def read_by_sum(n, size, overlap):
    return sum(stop - start for start, stop in by_split(n, size, overlap))


def last_one_short(n, size, overlap):
    return n + overlap * max(0, up(n - size, size - overlap))


def owners(chunks, n, *, choose=min, ends=True, tie="first", prefer=None):
    found = []
    for token in range(n):
        best, most = 0, -1
        for number, (start, stop) in enumerate(chunks):
            if not start <= token < stop:
                continue
            before, after = token - start, stop - 1 - token
            before = n if ends is True and start == 0 else before
            after = n if ends and stop == n else after
            context = choose(before, after) if prefer is None else prefer(number)
            if context > most or (tie == "last" and context == most):
                best, most = number, context
        found.append(best)
    return found


def longer_side(chunks, n):
    return owners(chunks, n, choose=max, ends=False)


def least_context(chunks, n):
    return owners(chunks, n, choose=lambda before, after: n + 1 - min(before, after))


def owners_by_library(chunks, n):
    from longctx_edu.chunking import Chunk

    return owner([Chunk(*pair) for pair in chunks]).tolist()


def owners_by_max(chunks, n):
    def context(token, chunk):
        start, stop = chunk
        if not start <= token < stop:
            return -1
        sides = [n]
        if start > 0:
            sides.append(token - start)
        if stop < n:
            sides.append(stop - 1 - token)
        return min(sides)

    return [
        max(range(len(chunks)), key=lambda k: context(token, chunks[k]))
        for token in range(n)
    ]


def rows_by(pieces, chunks, owners, *, order=None, inside=True):
    n = len(owners)
    out = torch.zeros(n, *pieces[0].shape[1:])
    for token in range(n):
        numbers = [k for k, (a, b) in enumerate(chunks) if a <= token < b]
        number = owners[token] if order is None else order(numbers, owners[token])
        at = token - chunks[number][0] if inside else token
        out[token] = pieces[number][min(at, len(pieces[number]) - 1)]
    return out


def mean_of_both(pieces, chunks, owners):
    total = torch.zeros(len(owners), *pieces[0].shape[1:])
    count = torch.zeros(len(owners), *[1] * (total.ndim - 1))
    for piece, (start, stop) in zip(pieces, chunks, strict=True):
        total[start:stop] += piece
        count[start:stop] += 1
    return total / count


def beyond_the_piece(pieces, chunks, owners):
    return torch.stack([pieces[n][token] for token, n in enumerate(owners)])


def written_into(pieces, chunks, owners):
    for number, (start, stop) in enumerate(chunks):
        for token in range(start, stop):
            if owners[token] != number:
                pieces[number][token - start] = 0
    out = torch.zeros(len(owners), *pieces[0].shape[1:])
    for piece, (start, stop) in zip(pieces, chunks, strict=True):
        out[start:stop] += piece
    return out


def by_mask(pieces, chunks, owners):
    out = torch.empty(len(owners), *pieces[0].shape[1:])
    who = torch.tensor(owners)
    for number, (piece, (start, stop)) in enumerate(zip(pieces, chunks, strict=True)):
        mine = who[start:stop] == number
        out[start:stop][mine] = piece[mine]
    return out


def by_cat(pieces, chunks, owners):
    parts = []
    for number, (piece, (start, stop)) in enumerate(zip(pieces, chunks, strict=True)):
        mine = [t - start for t in range(start, stop) if owners[t] == number]
        parts.append(piece[mine])
    return torch.cat(parts)


def labels(labels, chunks, owners, *, when=None, fill=-100, place=True):
    found = []
    for number, (start, stop) in enumerate(chunks):
        row = []
        for token in range(start, stop):
            right = owners[token] == number
            mine = right if when is None else when(token, number, chunks, right)
            row.append(labels[token if place else token - start] if mine else fill)
        found.append(row)
    return found


def holders(token, chunks):
    return [k for k, (a, b) in enumerate(chunks) if a <= token < b]


def only_mine(labels, chunks, owners):
    return [
        [labels[t] for t in range(start, stop) if owners[t] == n]
        for n, (start, stop) in enumerate(chunks)
    ]


def labels_in_one(labels, chunks, owners):
    return only_mine(labels, chunks, owners)[0]


def labels_by_fill(labels, chunks, owners):
    found = tuple([-100] * (stop - start) for start, stop in chunks)
    for token, (label, number) in enumerate(zip(labels, owners, strict=True)):
        found[number][token - chunks[number][0]] = label
    return found


def merged(found, chunks, owners, *, shift=(True, True), keep=None):
    out = []
    for number, some in enumerate(found):
        first = chunks[number][0]
        for start, stop, kind in some:
            place = (start + first, stop + first, kind)
            mine = owners[place[0]] == number
            if mine if keep is None else keep(place, number, out, owners):
                a, b = (place[i] if shift[i] else (start, stop)[i] for i in (0, 1))
                out.append((a, b, kind))
    return out


def no_shift_at_all(found, chunks, owners):
    return [entity for some in found for entity in some]


def as_a_set(found, chunks, owners):
    return sorted(set(merged(found, chunks, owners, keep=lambda *_: True)))


def first_wins(found, chunks, owners):
    def free(place, number, out, owners):
        return all(place[1] <= a or place[0] >= b for a, b, _ in out)

    return merged(found, chunks, owners, keep=free)


def merged_by_list(found, chunks, owners):
    places = [
        (a + chunks[n][0], b + chunks[n][0], kind, n)
        for n, some in enumerate(found)
        for a, b, kind in some
    ]
    return [[a, b, kind] for a, b, kind, n in sorted(places) if owners[a] == n]


def pools(logits, keep, how, *, mean=None, low=-torch.inf, lse=None):
    if how == "mean":
        real = logits.masked_fill(~keep, 0.0).sum(1)
        return real / keep.sum(1) if mean is None else mean(logits, keep, real)
    lowered = logits.masked_fill(~keep, low)
    if how == "max":
        return lowered.amax(1)
    return lowered.logsumexp(1) if lse is None else lse(lowered, keep)


def times_keep(logits, keep, how):
    kept = logits * keep
    if how == "mean":
        return kept.sum(1) / keep.sum(1)
    return pools(kept, keep, how)


def chunk_by_chunk(logits, keep, how):
    out = []
    for row, real in zip(logits, keep, strict=True):
        row = row[real]
        out.append(
            {"mean": row.mean, "max": row.max}.get(how, lambda r=row: r.logsumexp(0))()
        )
    return torch.stack(out)


def by_where(logits, keep, how):
    if how == "mean":
        return torch.where(keep, logits, 0.0).sum(-1) / keep.float().sum(-1)
    low = torch.where(keep, logits, -math.inf)
    top = low.max(dim=-1).values
    if how == "max":
        return top
    return top + (low - top[:, None]).exp().sum(-1).log()


def memory(old, x, length, again=0, *, join=None, stop=None, first=False, detach=True):
    rows = torch.cat([old, x]) if join is None else join(old, x)
    end = len(old) + len(x) - again if stop is None else stop(len(old), len(x), again)
    rows = rows[:length] if first else rows[max(0, end - length) : end]
    return rows.detach() if detach else rows


def minus_zero(old, x, length, again=0):
    return torch.cat([old, x])[: len(old) + len(x) - again][-length:].detach()


def minus_again(old, x, length, again=0):
    rows = torch.cat([old, x])[:-again]
    return rows[max(0, len(rows) - length) :].detach()


def cut_then_left_out(old, x, length, again=0):
    rows = torch.cat([old, x])
    rows = rows[max(0, len(rows) - length) :]
    return rows[: len(rows) - again].detach()


def filled_up(old, x, length, again=0):
    rows = memory(old, x, length, again)
    return torch.cat([rows.new_zeros(length - len(rows), rows.shape[1]), rows])


def by_deque(old, x, length, again=0):
    from collections import deque

    with torch.no_grad():
        kept = deque([*old, *x[: len(x) - again]], maxlen=length)
        return torch.stack([*kept]) if kept else x[:0].clone()


def by_steps(old, x, length, again=0):
    fresh = x.detach()[: x.shape[0] - again]
    room = max(0, length - fresh.shape[0])
    start = max(0, fresh.shape[0] - length)
    return torch.cat([old[max(0, len(old) - room) :], fresh[start:]])


WRONG = {
    "check_chunk_places": {
        "no overlap": (
            lambda n, s, o: cut(n, s, 0),
            "overlap is missing",
        ),
        "stride for step": (
            lambda n, s, o: cut(n, s, o, step=lambda size, overlap: overlap or size),
            "not the distance of their starts",
        ),
        "on both sides": (
            lambda n, s, o: cut(n, s, o, step=lambda a, b: max(1, a - 2 * b)),
            "share overlap tokens once",
        ),
        "last one short": (lambda *g: cut(*g, back=False), "until it is full"),
        "beyond the end": (
            lambda *g: cut(*g, back=False, clip=False),
            "there is no token 9",
        ),
        "last one missing": (
            lambda *g: cut(*g, last=False) or [(0, g[0])],
            "in no chunk",
        ),
        "starts to the end": (to_the_end, "until it is full"),
        "the same twice": (moved_to_the_end, "the same chunk twice"),
        "looks into an empty list": (
            lambda n, s, o: (
                places
                if (places := cut(n, s, o, last=False) if n <= s else cut(n, s, o))[-1]
                else None
            ),
            "a short document",
        ),
        "lengths": (
            lambda *g: [(a, b - a) for a, b in cut(*g)],
            "not (start, length)",
        ),
        "stop included": (
            lambda *g: [(a, b - 1) for a, b in cut(*g)],
            "the token after the last one",
        ),
        "below zero": (below_zero, "no start below 0"),
        "no clip": (lambda *g: cut(*g, clip=False), "there is no token 3"),
        "starts alone": (lambda *g: [a for a, _ in cut(*g)], "pairs of brackets"),
    },
    "check_tokens_read": {
        "rounded down": (
            lambda *g: read(*g, count=lambda n, s, step: 1 + (n - s) // step),
            "round up",
        ),
        "not rounded": (lambda n, s, o: n * s / (s - o), "chunks are whole"),
        "stride for step": (
            lambda *g: read(*g, step=lambda size, overlap: overlap or size),
            "not overlap",
        ),
        "no overlap": (
            lambda n, s, o: read(n, s, 0),
            "the overlap is missing",
        ),
        "last one short": (last_one_short, "moved back and shares more"),
        "chunks": (lambda *g: read(*g, times=False), "times size"),
        "once": (lambda n, s, o: n, "read twice"),
        "short document": (
            lambda n, s, o: s * (1 + max(0, up(n - s, s - o))),
            "only 4 tokens",
        ),
        "steps alone": (
            lambda *g: read(*g, count=lambda n, s, step: up(n, step)),
            "the first chunk brings size tokens",
        ),
    },
    "check_answering_chunks": {
        "first holder": (
            lambda c, n: owners(c, n, prefer=lambda number: -number + 99),
            "first chunk that holds",
        ),
        "last holder": (
            lambda c, n: owners(c, n, prefer=lambda number: number),
            "last chunk that holds",
        ),
        "longer side": (longer_side, "the poorer side counts"),
        "least": (least_context, "min(before, after)"),
        "tie to the later": (
            lambda c, n: owners(c, n, tie="last"),
            "a tie goes to the earlier",
        ),
        "ends as edges": (lambda c, n: owners(c, n, ends=False), "are no edges"),
        "one end as an edge": (
            lambda c, n: owners(c, n, ends="the last"),
            "are no edges",
        ),
        "from one": (
            lambda c, n: [k + 1 for k in owners(c, n)],
            "counted from 0",
        ),
    },
    "check_put_together": {
        "whole pieces": (lambda p, c, o: torch.cat(p), "keeps what they share twice"),
        "last writes": (
            lambda *g: rows_by(*g, order=lambda held, own: held[-1]),
            "later pieces write over",
        ),
        "first writes": (
            lambda *g: rows_by(*g, order=lambda held, own: held[0]),
            "first piece is not always",
        ),
        "mean": (mean_of_both, "no mean over both"),
        "the other": (
            lambda *g: rows_by(
                *g, order=lambda held, own: next((k for k in held if k != own), own)
            ),
            "the other piece",
        ),
        "place in the document": (beyond_the_piece, "own row 0"),
        "place, held in": (lambda *g: rows_by(*g, inside=False), "own row 0"),
        "written into": (written_into, "torch.stack them"),
        "flat": (lambda *g: rows_by(*g).flatten(), "own axes stay"),
    },
    "check_labels_once": {
        "counted twice": (
            lambda *g: labels(*g, when=lambda *_: True),
            "count twice",
        ),
        "zero": (lambda *g: labels(*g, fill=0), "would be learnt"),
        "nowhere": (
            lambda *g: labels(*g, when=lambda t, n, c, _: len(holders(t, c)) == 1),
            "count nowhere",
        ),
        "first": (
            lambda *g: labels(*g, when=lambda t, n, c, _: holders(t, c)[0] == n),
            "not who comes first",
        ),
        "last": (
            lambda *g: labels(*g, when=lambda t, n, c, _: holders(t, c)[-1] == n),
            "not who comes last",
        ),
        "other way round": (
            lambda *g: labels(*g, when=lambda t, n, c, right: not right),
            "other way round",
        ),
        "left out": (only_mine, "take nothing away"),
        "places in the chunk": (lambda *g: labels(*g, place=False), "labels[token]"),
        "one list": (labels_in_one, "a list for each chunk"),
    },
    "check_merge_entities": {
        "no shift": (no_shift_at_all, "places within a chunk"),
        "all": (
            lambda *g: merged(*g, keep=lambda *_: True),
            "counts twice",
        ),
        "a set": (as_a_set, "cut by the edge"),
        "first wins": (first_wins, "does not win always"),
        "all tokens owned": (
            lambda *g: merged(
                *g,
                keep=lambda p, n, out, o: all(o[t] == n for t in range(p[0], p[1])),
            ),
            "its first token decides",
        ),
        "last token": (
            lambda *g: merged(*g, keep=lambda p, n, out, o: o[p[1] - 1] == n),
            "its first token decides",
        ),
        "start alone": (
            lambda *g: merged(*g, shift=(True, False)),
            "to start and to stop",
        ),
        "tested, not shifted": (
            lambda *g: merged(*g, shift=(False, False)),
            "both to start and to stop",
        ),
    },
    "check_pool_chunks": {
        "filling in the mean": (
            lambda *g: pools(*g, mean=lambda z, keep, real: (z * keep).mean(1)),
            "the filling counts",
        ),
        "keep forgotten": (
            lambda z, keep, how: pools(z, torch.ones_like(keep), how),
            "the filling counts",
        ),
        "sum": (
            lambda *g: pools(*g, mean=lambda z, keep, real: real),
            "a sum, not a mean",
        ),
        "all documents": (
            lambda *g: pools(*g, mean=lambda z, keep, real: real / keep.sum()),
            "of each document alone",
        ),
        "maximum of zeros": (lambda *g: pools(*g, low=0.0), "beats logits below 0"),
        "mean of exps": (
            lambda *g: pools(
                *g, lse=lambda low, keep: low.logsumexp(1) - keep.sum(1).log()
            ),
            "log of the sum",
        ),
        "no logarithm": (
            lambda *g: pools(*g, lse=lambda low, keep: low.exp().sum(1)),
            "the logarithm is missing",
        ),
        "no maximum": (
            lambda *g: pools(*g, lse=lambda low, keep: low.exp().sum(1).log()),
            "subtracts the maximum first",
        ),
        "values and places": (
            lambda z, keep, how: z.max(dim=1) if how == "max" else pools(z, keep, how),
            "or .values",
        ),
        "times keep": (
            lambda z, keep, how: times_keep(z, keep, how),
            "inf * 0 is nan",
        ),
        "always the maximum": (
            lambda z, keep, how: pools(z, keep, "max"),
            "look at how",
        ),
        "over the documents": (
            lambda z, keep, how: z.masked_fill(~keep, 0.0).mean(0),
            "goes along the chunks",
        ),
    },
    "check_next_memory": {
        "new before old": (
            lambda *g, **n: memory(*g, **n, join=lambda old, x: torch.cat([x, old])),
            "the memory is older",
        ),
        "the first rows": (
            lambda *g, **n: memory(*g, **n, first=True),
            "not the first",
        ),
        "the segment alone": (
            lambda old, x, length, again=0: x[-length:].detach() if length else x[:0],
            "the old memory is lost",
        ),
        "minus again of x": (
            lambda old, x, length, again=0: torch.cat([old, x[:-again]]).detach(),
            "x[:-0] is none",
        ),
        "not taken up": (lambda old, x, length, again=0: old, "nothing was taken up"),
        "without end": (
            lambda old, x, length, again=0: torch.cat([old, x]),
            "it grows without end",
        ),
        "minus zero": (minus_zero, "[-0:] is everything"),
        "minus again": (minus_again, "x[:-0] nothing"),
        "filled up": (filled_up, "no filling up"),
        "again forgotten": (
            lambda old, x, length, again=0: memory(old, x, length),
            "it would see them twice",
        ),
        "cut, then left out": (cut_then_left_out, "leave out first"),
        "lengths swapped": (
            lambda *g, **n: memory(
                *g, **n, stop=lambda old, new, again: new + max(0, old - again)
            ),
            "changed places",
        ),
        "not detached": (lambda *g, **n: memory(*g, **n, detach=False), "detach()"),
        "along the numbers": (
            lambda old, x, length, again=0: torch.cat([old, x], dim=1),
            "join them along dim=0",
        ),
    },
}

ALTERNATIVES = {
    "check_chunk_places": [cut, cut_in_a_loop, cut_by_recursion, by_split],
    "check_tokens_read": [read, read_by_sum, lambda *g: float(read(*g))],
    "check_answering_chunks": [owners, owners_by_library, owners_by_max],
    "check_put_together": [rows_by, by_mask, by_cat],
    "check_labels_once": [labels, labels_by_fill],
    "check_merge_entities": [merged, merged_by_list],
    "check_pool_chunks": [pools, chunk_by_chunk, by_where],
    "check_next_memory": [memory, by_deque, by_steps],
}
