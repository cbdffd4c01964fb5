"""What learners write in lesson 07 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch
from torch.nn.functional import scaled_dot_product_attention


def attend(q, k, v, mask=None, scale=None, dim=-1):
    scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim) @ v


def step(q, k, v, keys, values, *, late=False, use=True, grow=True, **how):
    new_keys, new_values = torch.cat([keys, k]), torch.cat([values, v])
    seen = (keys, values) if late else (new_keys, new_values) if use else (k, v)
    out = attend(q, *seen, **how)
    return (out, new_keys, new_values) if grow else (out, keys, values)


def step_in_front(q, k, v, keys, values):
    keys, values = torch.cat([k, keys]), torch.cat([v, values])
    return attend(q, keys, values), keys, values


def step_value_in_front(q, k, v, keys, values):
    keys, values = torch.cat([keys, k]), torch.cat([v, values])
    return attend(q, keys, values), keys, values


def step_slides(q, k, v, keys, values):
    out, keys, values = step(q, k, v, keys, values)
    return out, keys[1:], values[1:]


def step_beside(q, k, v, keys, values):
    keys, values = torch.cat([keys, k], dim=1), torch.cat([values, v], dim=1)
    return attend(q, keys, values), keys, values


def step_by_loop(q, k, v, keys, values):
    keys, values = [*keys, k[0]], [*values, v[0]]
    scores = torch.stack([q[0] @ one / q.shape[1] ** 0.5 for one in keys])
    out = sum(w * one for w, one in zip(scores.softmax(0), values, strict=True))
    return out[None], torch.stack(keys), torch.stack(values)


def step_by_torch(q, k, v, keys, values):
    keys, values = torch.vstack([keys, k]), torch.vstack([values, v])
    out = scaled_dot_product_attention(q[None], keys[None], values[None])
    return [out[0], keys, values]


def groups(q, k, v, repeat=None, **how):
    group = len(q) // len(k)
    if repeat is None:
        k, v = (x.repeat_interleave(group, dim=0) for x in (k, v))
    else:
        k, v = repeat(k, group), repeat(v, group)
    return attend(q, k, v, **how)


def in_turn(x, group):
    return x.repeat(group, 1, 1)


def groups_without_copies(q, k, v):
    cut = q.reshape(len(k), len(q) // len(k), *q.shape[1:])
    return attend(cut, k[:, None], v[:, None]).reshape(len(q), q.shape[1], -1)


def groups_cut_wrongly(q, k, v):
    cut = q.reshape(len(q) // len(k), len(k), *q.shape[1:])
    return attend(cut, k[None], v[None]).reshape(len(q), q.shape[1], -1)


def groups_by_loop(q, k, v):
    group = len(q) // len(k)
    return torch.stack(
        [attend(q[h], k[h // group], v[h // group]) for h in range(len(q))]
    )


def groups_by_torch(q, k, v):
    return scaled_dot_product_attention(q[None], k[None], v[None], enable_gqa=True)[0]


def chunks(
    q, k, v, size, *, first=None, last=None, ahead=1, mask=True, corner=None, scale=None
):
    """Causal attention in chunks: right, with dials."""
    rows, n = [], len(q)
    for start in range(0, n, size):
        stop = min(start + size, n)
        low = start if first == "start" else 0
        high = {None: stop, "start": start, "all": n}[last]
        queries = torch.arange(start, stop)[:, None]
        if corner == "top left":
            queries = queries - start
        if corner == "block":
            queries = torch.arange(start, start + size)[:, None]
        hidden = torch.arange(low, high) >= queries + ahead
        seen = ~hidden if mask else None
        out = attend(q[start:stop], k[low:high], v[low:high], seen, scale)
        rows.append(out.nan_to_num(0.0))
    return torch.cat(rows)


def chunks_backwards(q, k, v, size):
    seen = torch.ones(len(q), len(q)).triu().bool()
    return attend(q, k, v, seen)


def chunks_dense(q, k, v, size):
    return attend(q, k, v, torch.ones(len(q), len(q)).tril().bool())


def chunks_masked_dense(q, k, v, size):
    """Makes the whole mask first, and slices it."""
    mask = torch.ones(len(q), len(q)).tril().bool()
    rows = [
        attend(
            q[a : a + size],
            k[: a + size],
            v[: a + size],
            mask[a : a + size, : a + size],
        )
        for a in range(0, len(q), size)
    ]
    return torch.cat(rows)


def chunks_that_fit(q, k, v, size):
    """Leaves out the last chunk where it is smaller."""
    whole = max(len(q) // size * size, 1)
    return chunks(q[:whole], k[:whole], v[:whole], size)


def chunks_from_a_cache(q, k, v, size):
    keys, values, rows = k[:0], v[:0], []
    for parts in zip(q.split(size), k.split(size), v.split(size), strict=True):
        keys, values = torch.cat([keys, parts[1]]), torch.cat([values, parts[2]])
        n, new = len(keys), len(parts[0])
        seen = torch.ones(new, n).tril(n - new).bool()
        rows.append(attend(parts[0], keys, values, seen))
    return torch.cat(rows)


def token_by_token(q, k, v, size):
    rows = [attend(q[i : i + 1], k[: i + 1], v[: i + 1]) for i in range(len(q))]
    return torch.cat(rows)


def forgets(n_window=lambda left, sinks: left, n_sinks=lambda sinks: sinks):
    def forget(keys, left, sinks):
        stays = n_sinks(sinks)
        first = max(stays, len(keys) - n_window(left, sinks))
        return torch.cat([keys[:stays], keys[first:]])

    return forget


def negative(keys, left, sinks):
    return torch.cat([keys[:sinks], keys[-left:]])


def negative_behind_the_sinks(keys, left, sinks):
    return torch.cat([keys[:sinks], keys[sinks:][-left:]])


def a_view(keys, left, sinks):
    if sinks == 0:
        return keys[max(0, len(keys) - left) :]
    return forgets()(keys, left, sinks)


def views(keys, left, sinks):
    if len(keys) <= left + sinks:
        return keys
    return forgets()(keys, left, sinks)[:]


def window_first(keys, left, sinks):
    first = max(sinks, len(keys) - left)
    return torch.cat([keys[first:], keys[:sinks]])


def short_texts_too(keys, left, sinks):
    first = len(keys) - left
    return torch.cat([keys[:sinks], keys[first:]])


def by_places(keys, left, sinks):
    n = len(keys)
    place = torch.arange(n)
    return keys[(place < sinks) | (place >= n - left)]


def by_list(keys, left, sinks):
    stays = [t for t in range(len(keys)) if t < sinks or t >= len(keys) - left]
    return keys[torch.tensor(stays, dtype=torch.long)]


def told(place, left, sinks, *, inside=None, near=None, first=None):
    at = min(place, sinks + left) if inside is None else inside(place, left, sinks)
    first = range(min(sinks, place + 1)) if first is None else first(place, sinks)
    begin = max(sinks, place - left) if near is None else near(place, left, sinks)
    return [at - t for t in first] + [place - t for t in range(begin, place + 1)]


def told_by_masks(place, left, sinks):
    t = torch.arange(place + 1)
    inside = torch.full_like(t, min(place, sinks + left))
    distance = torch.where(t < sinks, inside, torch.full_like(t, place)) - t
    return distance[(t < sinks) | (t >= place - left)].tolist()


def top_p(shares, p, *, shift=0, inclusive=False, scale=True, back=True, up=False):
    ordered, order = shares.sort(descending=not up)
    before = ordered.cumsum(0) - (0 if inclusive else ordered)
    stays = (before < p) if not inclusive else (before <= p)
    n = int(stays.sum()) + shift
    chosen = order[:n]
    if not back:
        left = ordered * (torch.arange(len(shares)) < n)
    else:
        left = torch.zeros_like(shares)
        left[chosen] = shares[chosen]
    return left / left.sum() if scale else left


def softmax_of_shares(shares, p):
    left = top_p(shares, p, scale=False)
    return left.masked_fill(left == 0, -math.inf).softmax(0)


def softmax_with_zeros(shares, p):
    return top_p(shares, p, scale=False).softmax(0)


def unsorted(shares, p):
    left = shares * (shares.cumsum(0) - shares < p)
    return left / left.sum()


def least_share(shares, p):
    left = shares * (shares >= p)
    return left / left.sum()


def top_p_by_loop(shares, p):
    left, covered = torch.zeros(len(shares)), 0.0
    for word in shares.argsort(descending=True).tolist():
        if covered < p:
            left[word] = shares[word]
            covered += float(shares[word])
    return left / left.sum()


def top_p_by_logits(shares, p):
    ordered, order = shares.log().sort(descending=True)
    goes = ordered.softmax(0).cumsum(0) - ordered.softmax(0) >= p
    ordered = ordered.masked_fill(goes, -math.inf)
    return torch.empty_like(shares).scatter(0, order, ordered).softmax(0)


def write(
    read, prompt, most, end, *, again=False, front=False, choose=torch.argmax,
    stop="after", extra=0, count=0, first=None,
):  # fmt: skip
    new, unread, text = [], prompt, list(prompt)
    if first == "last token":
        unread = prompt[-1:]
    if first == "backwards":
        unread = prompt[::-1]
    while len(new) + count < most + extra:
        token = int(choose(read(text if again else unread)))
        if stop == "before" and token == end:
            break
        new.append(token)
        text.append(token)
        unread = [token]
        if stop == "after" and token == end:
            break
    return prompt + new if front else new


def writes_into_the_prompt(read, prompt, most, end):
    new = write(read, prompt, most, end)
    prompt.extend(new)
    return new


def hands_over_the_prompt_again(read, prompt, most, end):
    new = []
    for _ in range(most):
        new.append(int(read(prompt).argmax()))
        if new[-1] == end:
            break
    return new


def hands_over_tensors(read, prompt, most, end):
    new, unread = [], prompt
    for _ in range(most):
        token = read(unread).argmax()
        new.append(token)
        unread = [token]
        if token == end:
            break
    return new


def hands_over_a_number(read, prompt, most, end):
    new, unread = [], prompt
    for _ in range(most):
        new.append(int(read(unread).argmax()))
        unread = new[-1]
        if unread == end:
            break
    return new


def never_enough(read, prompt, most, end):
    return write(read, prompt, 10**6, end)


def by_for(read, prompt, most, end):
    new, logits = [], None
    for _ in range(most):
        logits = read(prompt) if logits is None else read([new[-1]])
        new.append(logits.argmax().item())
        if new[-1] == end:
            break
    return new


def reads_at_the_end(read, prompt, most, end):
    new, logits = [], read(prompt)
    while len(new) < most:
        new.append(int(logits.argmax()))
        logits = read([new[-1]])
        if new[-1] == end:
            return new
    return new


def prompt_token_by_token(read, prompt, most, end):
    for token in prompt[:-1]:
        read([token])
    return write(read, prompt, most, end, first="last token")


def cut_behind(read, prompt, most, end):
    new = write(read, prompt, most, -1)
    return new[: new.index(end) + 1] if end in new else new


WRONG = {
    "check_cache_bytes": {
        "no values": (
            lambda n, la, h, kv, d, b: n * la * kv * d * b,
            "values are missing",
        ),
        "queries too": (lambda n, la, h, kv, d, b: 3 * n * la * kv * d * b, "ask once"),
        "queries of all heads too": (
            lambda n, la, h, kv, d, b: n * la * (h + 2 * kv) * d * b,
            "ask once",
        ),
        "heads of queries": (
            lambda n, la, h, kv, d, b: 2 * n * la * h * d * b,
            "not n_heads",
        ),
        "both kinds of heads": (
            lambda n, la, h, kv, d, b: 2 * n * la * h * kv * d * b,
            "n_kv_heads alone",
        ),
        "keys of all heads": (
            lambda n, la, h, kv, d, b: n * la * (h + kv) * d * b,
            "for keys and for values",
        ),
        "bits": (lambda n, la, h, kv, d, b: 16 * n * la * kv * d * b, "not in bits"),
        "numbers": (lambda n, la, h, kv, d, b: 2 * n * la * kv * d, "not bytes"),
        "one layer": (lambda n, la, h, kv, d, b: 2 * n * kv * d * b, "n_layers counts"),
        "one token": (
            lambda n, la, h, kv, d, b: 2 * la * kv * d * b,
            "n_tokens counts",
        ),
        "four vectors": (
            lambda n, la, h, kv, d, b: 4 * n * la * kv * d * b,
            "not four",
        ),
    },
    "check_cached_step": {
        "itself unseen": (lambda *g: step(*g, late=True), "a token sees itself"),
        "cache unused": (lambda *g: step(*g, use=False), "the cache is not used"),
        "no scale": (lambda *g: step(*g, scale=1.0), "the scale is missing"),
        "no root": (lambda *g: step(*g, scale=0.25), "the root is missing"),
        "softmax of columns": (lambda *g: step(*g, dim=0), "softmax over the keys"),
        "old cache back": (lambda *g: step(*g, grow=False), "is not in the cache"),
        "new token alone": (
            lambda q, k, v, keys, values: (step(q, k, v, keys, values)[0], k, v),
            "the old tokens are lost",
        ),
        "in front": (step_in_front, "newest last"),
        "value in front": (step_value_in_front, "v went to another place"),
        "slides": (step_slides, "nothing is forgotten here"),
        "out alone": (lambda *g: step(*g)[0], "the next step needs the cache"),
        "beside": (step_beside, "cat along dim 0"),
    },
    "check_grouped_attention": {
        "in turn": (lambda *g: groups(*g, repeat=in_turn), "neighbours share"),
        "cut the other way": (groups_cut_wrongly, "neighbours share"),
        "keys in turn alone": (
            lambda q, k, v: attend(q, in_turn(k, len(q) // len(k)),
                                   v.repeat_interleave(len(q) // len(k), 0)),
            "different heads",
        ),
        "first keys": (
            lambda q, k, v: attend(q, k[:1], v[:1]),
            "every head asks the first",
        ),
        "mean of heads": (
            lambda q, k, v: attend(q, k.mean(0, keepdim=True), v.mean(0, keepdim=True)),
            "a mean over the heads",
        ),
        "group of two": (
            lambda q, k, v: torch.stack([
                attend(q[h], k[min(h // 2, len(k) - 1)], v[min(h // 2, len(k) - 1)])
                for h in range(len(q))
            ]),
            "not always 2",
        ),
        "no repeat": (lambda q, k, v: attend(q, k, v), "heads are the first axis"),
        "no scale": (lambda *g: groups(*g, scale=1.0), "the scale is missing"),
        "no root": (lambda *g: groups(*g, scale=0.25), "the root is missing"),
        "softmax of queries": (lambda *g: groups(*g, dim=-2), "the last axis"),
    },
    "check_prefill": {
        "top left": (lambda *g: chunks(*g, corner="top left"), "top left"),
        "chunk unmasked": (lambda *g: chunks(*g, mask=False), "half is ahead"),
        "no mask": (lambda *g: chunks(*g, mask=False, last="all"), "nothing is hidden"),
        "chunk alone": (lambda *g: chunks(*g, first="start"), "keys from 0"),
        "not itself": (lambda *g: chunks(*g, ahead=0), "a token sees itself"),
        "before the chunk": (
            lambda *g: chunks(*g, last="start", mask=False),
            "the chunk itself",
        ),
        "backwards": (chunks_backwards, "the wrong half"),
        "no scale": (lambda *g: chunks(*g, scale=1.0), "the scale is missing"),
        "no root": (lambda *g: chunks(*g, scale=0.25), "the root is missing"),
        "mask of a whole chunk": (
            lambda *g: chunks(*g, corner="block"),
            "may be smaller",
        ),
        "last chunk left out": (chunks_that_fit, "may be smaller"),
        "dense": (chunks_dense, "dense in disguise"),
        "mask dense": (chunks_masked_dense, "dense in disguise"),
    },
    "check_forget": {
        "sinks gone": (forgets(n_sinks=lambda sinks: 0), "the sinks are gone"),
        "sinks inside the window": (
            forgets(n_window=lambda left, sinks: max(left - sinks, 0)),
            "besides the window",
        ),
        "one too many": (forgets(n_window=lambda left, _: left + 1), "one too many"),
        "one too few": (forgets(n_window=lambda left, _: left - 1), "one too few"),
        "negative slice": (negative, "kept twice"),
        "minus zero": (negative_behind_the_sinks, "keys[-0:]"),
        "nothing forgotten": (lambda keys, left, sinks: keys, "nothing was forgotten"),
        "the oldest": (
            lambda keys, left, sinks: keys[: left + sinks].clone(),
            "newest tokens stay",
        ),
        "window first": (window_first, "in the order of the text"),
        "short text": (short_texts_too, "kept twice"),
        "a view": (a_view, "a slice is a view"),
        "along columns": (
            lambda keys, left, sinks: torch.cat([keys[:sinks], keys[-left:]], dim=1),
            "rows are tokens",
        ),
    },
    "check_cache_distances": {
        "by the text": (
            lambda *g: told(*g, inside=lambda place, left, sinks: place),
            "by the text",
        ),
        "one too near": (
            lambda *g: told(*g, inside=lambda p, left, s: min(p, s + left - 1)),
            "one too near",
        ),
        "one too far": (
            lambda *g: told(*g, inside=lambda p, left, s: min(p, s + left + 1)),
            "one too far",
        ),
        "sinks take no places": (
            lambda *g: told(*g, inside=lambda p, left, s: min(p, left)),
            "take places too",
        ),
        "no min": (
            lambda *g: told(*g, inside=lambda p, left, s: s + left),
            "the query stands nearer",
        ),
        "not itself": (lambda *g: told(*g)[:-1], "sees itself"),
        "no sinks": (lambda *g: told(*g, first=lambda p, s: ()), "sinks are missing"),
        "counted twice": (
            lambda *g: told(*g, near=lambda p, left, s: max(0, p - left)),
            "each token once",
        ),
        "sinks ahead": (
            lambda *g: told(*g, first=lambda p, s: range(s)),
            "come after it",
        ),
        "places": (
            lambda p, left, s: [*range(min(s, p + 1)), *range(max(s, p - left), p + 1)],
            "these are places",
        ),
        "reversed": (lambda *g: told(*g)[::-1], "sinks first"),
        "sign": (lambda *g: [-x for x in told(*g)], "no sign"),
        "left counts itself": (
            lambda *g: told(*g, near=lambda p, left, s: max(s, p - left + 1)),
            "itself not counted",
        ),
    },
    "check_top_p_shares": {
        "one too few": (lambda *g: top_p(*g, inclusive=True), "one word too few"),
        "one too many": (lambda *g: top_p(*g, shift=1), "one word too many"),
        "not scaled": (lambda *g: top_p(*g, scale=False), "divide by its sum"),
        "sorted twice": (
            lambda shares, p: top_p(shares, p, back=False)[
                shares.argsort(descending=True)
            ],
            "sorts once more",
        ),
        "order of the sort": (lambda *g: top_p(*g, back=False), "order of the sort"),
        "from the smallest": (
            lambda *g: top_p(*g, up=True, inclusive=True),
            "from the largest down",
        ),
        "not sorted": (unsorted, "sort first"),
        "least share": (least_share, "not the least share"),
        "softmax": (softmax_of_shares, "flattens"),
        "softmax with zeros": (softmax_with_zeros, "flattens"),
        "all": (lambda shares, p: shares.clone(), "nothing was left out"),
        "in place": (
            lambda shares, p: shares.mul_(top_p(shares, p) > 0).div_(shares.sum()),
            "x = x - y makes a new one",
        ),
    },
    "check_write_on": {
        "whole text again": (lambda *g: write(*g, again=True), "read remembers"),
        "prompt again": (hands_over_the_prompt_again, "read remembers"),
        "never stops at the end": (
            lambda *g: write(*g, stop=None),
            "nothing comes after the end",
        ),
        "end left out": (lambda *g: write(*g, stop="before"), "append first"),
        "one too many": (lambda *g: write(*g, extra=1), "one too many"),
        "one too few": (lambda *g: write(*g, extra=-1), "one too few"),
        "prompt counted": (
            lambda read, prompt, most, end: write(
                read, prompt, most, end, count=len(prompt)
            ),
            "most counts the new ids",
        ),
        "prompt in front": (lambda *g: write(*g, front=True), "without the prompt"),
        "argmin": (lambda *g: write(*g, choose=torch.argmin), "not argmin"),
        "last token of the prompt": (
            lambda *g: write(*g, first="last token"),
            "whole and in its order",
        ),
        "prompt backwards": (
            lambda *g: write(*g, first="backwards"),
            "whole and in its order",
        ),
        "tensors": (hands_over_tensors, "int(...) of a tensor"),
        "a number": (hands_over_a_number, "a list with the new id"),
        "never enough": (never_enough, "stop at most"),
        "prompt changed": (writes_into_the_prompt, "new = []"),
        "cut behind the end": (cut_behind, "stop reading"),
    },
}  # fmt: skip

ALTERNATIVES = {
    "check_cache_bytes": [
        lambda n, la, h, kv, d, b: la * n * (kv * d + kv * d) * b,
        lambda n, la, h, kv, d, b: [n * la * kv * 2 * d * b],
        lambda n, la, h, kv, d, b: float(n * la) * kv * 2 * d * b,
    ],
    "check_cached_step": [step, step_by_loop, step_by_torch],
    "check_grouped_attention": [
        groups,
        groups_without_copies,
        groups_by_loop,
        groups_by_torch,
    ],
    "check_prefill": [chunks, chunks_from_a_cache, token_by_token],
    "check_forget": [forgets(), views, by_places, by_list],
    "check_cache_distances": [told, told_by_masks, lambda *g: tuple(told(*g))],
    "check_top_p_shares": [top_p, top_p_by_loop, top_p_by_logits],
    "check_write_on": [write, by_for, reads_at_the_end, prompt_token_by_token],
}
