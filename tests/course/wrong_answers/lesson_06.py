"""What learners write in lesson 06 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math

import torch
import torch.nn.functional as F

from longctx_edu.positions import (
    Frequencies,
    alibi_bias,
    alibi_slopes,
    distances,
    extend_table,
    llama3,
    relative_shift,
    rotate,
    rotation,
    sinusoidal,
)


def frequencies(d, theta, power=lambda i, d: -2 * i / d):
    return torch.tensor([float(theta) ** power(i, d) for i in range(d // 2)])


def woven(places, radians, order=(torch.sin, torch.cos)):
    angles = places[:, None] * radians
    return torch.stack([wave(angles) for wave in order], dim=-1).flatten(1)


def waves(places, d_model, theta):
    return woven(places, frequencies(d_model, theta))


def waves_with(power=None, factor=1.0, order=(torch.sin, torch.cos)):
    def answer(places, d, theta):
        radians = frequencies(d, theta, power) if power else frequencies(d, theta)
        return woven(places, factor * radians, order)

    return answer


def waves_in_halves(places, d, theta):
    angles = places[:, None] * frequencies(d, theta)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def waves_of_numbers(places, d, theta):
    angles = places[:, None] * theta ** (-torch.arange(d) / d)
    rows = angles.sin()
    rows[:, 1::2] = angles[:, 1::2].cos()
    return rows


def waves_by_slices(places, d_model, theta):
    rows = torch.empty(len(places), d_model)
    powers = torch.exp(-math.log(theta) * torch.arange(0, d_model, 2) / d_model)
    angles = torch.outer(places.float(), powers)
    rows[:, 0::2], rows[:, 1::2] = angles.sin(), angles.cos()
    return rows


def waves_by_loops(places, d_model, theta):
    rows = []
    for place in places.tolist():
        row = []
        for i in range(0, d_model, 2):
            angle = place / theta ** (i / d_model)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return torch.tensor(rows)


def waves_of_column(places, d, theta):
    return (places * frequencies(d, theta)).sin()


def longer_by_repeat(table, n_tokens):
    if len(table) >= n_tokens:
        return table
    copies = math.ceil(n_tokens / len(table))
    return table.repeat(copies, 1)[:n_tokens]


def longer_by_list(table, n_tokens):
    n = max(n_tokens, len(table))
    return torch.stack([table[place % len(table)] for place in range(n)])


def picked(rows):
    def answer(table, n):
        n = max(n, len(table))
        return table[torch.tensor(rows(len(table), n))]

    return answer


def mirrored(rows, n):
    there = [*range(rows), *reversed(range(rows))]
    return [there[place % len(there)] for place in range(n)]


def bounced(rows, n):
    there = [*range(rows), *range(rows - 2, 0, -1)]
    return [there[place % len(there)] for place in range(n)]


def padded_table(table, n):
    return F.pad(table, (0, 0, 0, max(0, n - len(table))))


def stretched_table(table, n):
    n = max(n, len(table))
    there = F.interpolate(table.mT[None], size=n, mode="linear", align_corners=True)
    return there[0].mT


def whole_copies(table, n):
    return table.repeat(math.ceil(n / len(table)), 1)


def cut_table(table, n):
    return table[torch.arange(n) % len(table)]


def parts(x, n):
    return x[:, :n], x[:, n : 2 * n], x[:, 2 * n :]


def turn(x, places, radians):
    a, b, rest = parts(x, len(radians))
    angles = places[:, None] * radians
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], dim=1)


def turned_by(rule, *, rest=lambda rest: rest):
    """Turn with another rule for a, b, cos and sin."""

    def answer(x, places, radians):
        a, b, still = parts(x, len(radians))
        angles = places[:, None] * radians
        first, second = rule(a, b, angles.cos(), angles.sin())
        return torch.cat([first, second, rest(still)], dim=1)

    return answer


def in_place(x, places, radians):
    n = len(radians)
    out, angles = x.clone(), places[:, None] * radians
    out[:, :n] = out[:, :n] * angles.cos() - out[:, n : 2 * n] * angles.sin()
    out[:, n : 2 * n] = out[:, :n] * angles.sin() + out[:, n : 2 * n] * angles.cos()
    return out


def neighbours(x, places, radians):
    turned = Frequencies(radians.double())
    return rotate(x, rotation(places, turned), interleaved=True)


def halves_of_all(x, places, radians):
    n, half = len(radians), x.shape[1] // 2
    out, angles = x.clone(), places[:, None] * radians
    a, b = x[:, :n], x[:, half : half + n]
    out[:, :n] = a * angles.cos() - b * angles.sin()
    out[:, half : half + n] = a * angles.sin() + b * angles.cos()
    return out


def counted_places(x, places, radians):
    return turn(x, torch.arange(len(x)) * (places[:1] * 0 + 1), radians)


def places_0_1_2(x, places, radians):
    places = places if len(places) == 1 else torch.arange(len(x))
    return turn(x, places, radians)


def places_from_1(x, places, radians):
    return turn(x, places + (len(places) > 1), radians)


def one_speed(x, places, radians):
    return turn(x, places, radians[:1].expand(len(radians)))


def last_speed_first(x, places, radians):
    return turn(x, places, radians.flip(0))


def turn_by_library(x, places, radians):
    return rotate(x, rotation(places, Frequencies(radians.double())))


def turn_by_numbers(x, places, radians):
    n = len(radians)
    pairs = torch.complex(x[:, :n], x[:, n : 2 * n])
    angles = (places[:, None] * radians).float()
    pairs = pairs * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([pairs.real, pairs.imag, x[:, 2 * n :]], dim=1)


def turn_by_loops(x, places, radians):
    out, n = x.clone(), len(radians)
    for row, place in enumerate(places.tolist()):
        for i, speed in enumerate(radians.tolist()):
            cos, sin = math.cos(place * speed), math.sin(place * speed)
            out[row, i] = x[row, i] * cos - x[row, i + n] * sin
            out[row, i + n] = x[row, i] * sin + x[row, i + n] * cos
    return out


def turn_by_rotate_half(x, places, radians):
    """The two long rows of cosines and sines that most published code has."""
    n = 2 * len(radians)
    angles = (places[:, None] * radians).repeat(1, 2)
    front = x[:, :n]
    half = torch.cat([-front[:, n // 2 :], front[:, : n // 2]], dim=1)
    return torch.cat([front * angles.cos() + half * angles.sin(), x[:, n:]], dim=1)


def attend(q, k, v, scale=None):
    return (q @ k.mT * (scale or q.shape[-1] ** -0.5)).softmax(dim=-1) @ v


def attends(q=turn, k=turn, v=lambda v, places, radians: v, scale=None):
    def answer(*given):
        *words, places, radians = given
        ways = zip((q, k, v), words, strict=True)
        return attend(*[way(x, places, radians) for way, x in ways], scale)

    return answer


def still(x, places, radians):
    return x


def backwards(x, places, radians):
    return turn(x, -places, radians)


def twice(x, places, radians):
    return turn(turn(x, places, radians), places, radians)


def by_distances(q, k, v, places, radians):
    """Turn each key by j - i for each query, and leave the query as it is."""
    rows = []
    for query, place in zip(q, places, strict=True):
        rows.append(attend(query[None], turn(k, places - place, radians), v))
    return torch.cat(rows)


def by_torch(q, k, v, places, radians):
    q, k = (turn(x, places, radians)[None] for x in (q, k))
    return F.scaled_dot_product_attention(q, k, v[None])[0]


def far_of(n_query, n_key):
    return torch.arange(n_key - n_query, n_key)[:, None] - torch.arange(n_key)


def shifted(by_distance, n_key):
    far = far_of(len(by_distance), n_key)
    column = (n_key - 1 - far).clamp(max=n_key - 1)
    return by_distance.gather(1, column).masked_fill(far < 0, 0.0)


def shifted_by_loops(by_distance, n_key):
    out = torch.zeros(len(by_distance), n_key)
    for i, row in enumerate(by_distance):
        place = n_key - len(by_distance) + i
        out[i, : place + 1] = row[n_key - 1 - place :]
    return out


def shifted_by_padding(by_distance, n_key):
    """The paper's own way, with the later keys set to 0."""
    n = len(by_distance)
    padded = F.pad(by_distance, (1, 0)).reshape(n_key + 1, n)
    return padded[1:].reshape(n, n_key).tril(n_key - n)


def shifted_by_library(by_distance, n_key):
    return relative_shift(by_distance, n_key)


def rolls(by_distance, n_key):
    n = len(by_distance)
    return torch.stack([row.roll(i + 1 - n) for i, row in enumerate(by_distance)])


def reads_on(by_distance, n_key):
    n = len(by_distance)
    return F.pad(by_distance, (1, 0)).reshape(n_key + 1, n)[1:].reshape(n, n_key)


def from_the_first(by_distance, n_key):
    out = torch.zeros(len(by_distance), n_key)
    for i, row in enumerate(by_distance):
        out[i, : i + 1] = row[n_key - 1 - i :]
    return out


def rule(n):
    return [2 ** (-8 * h / n) for h in range(1, n + 1)]


def slopes(n_heads):
    lower = 2 ** int(math.log2(n_heads))
    return rule(lower) + rule(2 * lower)[::2][: n_heads - lower]


def is_power(n):
    return n & (n - 1) == 0


def unless_power(other):
    """Right for powers of two, and something else for other numbers of heads."""
    return lambda n: rule(n) if is_power(n) else other(n)


def slopes_by_recursion(n_heads):
    if is_power(n_heads):
        start = 2 ** (-(2 ** -(math.log2(n_heads) - 3)))
        return [start * start**i for i in range(n_heads)]
    lower = 2 ** math.floor(math.log2(n_heads))
    more = slopes_by_recursion(2 * lower)[0::2][: n_heads - lower]
    return slopes_by_recursion(lower) + more


def bias(change=lambda far: far.abs(), sign=-1, far=far_of, slope=lambda s: s):
    def answer(slopes, n_query, n_key):
        return sign * slope(slopes)[:, None, None] * change(far(n_query, n_key))

    return answer


def from_first_key(n_query, n_key):
    return torch.arange(n_query)[:, None] - torch.arange(n_key)


def bias_by_library(slopes, n_query, n_key):
    return alibi_bias(slopes, distances(n_query, n_key))


def bias_by_loops(slopes, n_query, n_key):
    first = n_key - n_query
    squares = [
        [[-s * abs(first + i - j) for j in range(n_key)] for i in range(n_query)]
        for s in slopes.tolist()
    ]
    return torch.tensor(squares)


def heads_last(slopes, n_query, n_key):
    return -far_of(n_query, n_key).abs()[..., None] * slopes


def no_column(slopes, n_query, n_key):
    return -slopes * far_of(n_query, n_key).abs()


def base_by_search(theta, d_head, factor):
    wanted = theta ** (-(d_head - 2) / d_head) / factor
    return math.exp(-math.log(wanted) * d_head / (d_head - 2))


def ramp(
    radians, factor, trained, slow, fast, *, turns=None, share=None, mix=None
):  # fmt: skip
    count = radians * trained / (2 * math.pi) if turns is None else turns
    line = (count - slow) / (fast - slow)
    kept = line.clamp(0, 1) if share is None else share(count, line, slow, fast)
    if mix is not None:
        return mix(kept)
    return kept * radians + (1 - kept) * radians / factor


def ramps(share):
    return lambda *given: ramp(*given, share=share)


def faster(radians, factor, trained, slow, fast):
    return ramp(radians, 1 / factor, trained, slow, fast)


def all_slower(radians, factor, trained, slow, fast):
    return radians / factor


def no_2_pi(radians, factor, trained, slow, fast):
    return ramp(radians, factor, trained, slow, fast, turns=radians * trained)


def by_wave(radians, factor, trained, slow, fast):
    return ramp(radians, factor, trained, slow, fast, turns=2 * math.pi / radians)


def waves_mixed(radians, factor, trained, slow, fast):
    def mix(kept):
        return 1 / (kept / radians + (1 - kept) * factor / radians)

    return ramp(radians, factor, trained, slow, fast, mix=mix)


def ramp_by_library(radians, factor, trained, slow, fast):
    given = {"factor": factor, "trained": trained, "slow": slow, "fast": fast}
    return llama3(Frequencies(radians.double()), **given).radians


def ramp_by_cases(radians, factor, trained, slow, fast):
    found = []
    for speed in radians.tolist():
        turns = trained / (2 * math.pi / speed)
        if turns >= fast:
            found.append(speed)
        elif turns <= slow:
            found.append(speed / factor)
        else:
            kept = (turns - slow) / (fast - slow)
            found.append(speed / factor + kept * (speed - speed / factor))
    return torch.tensor(found)


def t_of(factor, log=math.log):
    return 0.1 * log(factor) + 1


def heard(layers):
    found = {0}
    for left, dilation in layers:
        found = {far + step * dilation for far in found for step in range(left + 1)}
    return sorted(found)


def heard_with(steps, start=(0,)):
    def answer(layers):
        found = set(start)
        for layer in layers:
            found = {far + step for far in found for step in steps(*layer)}
        return sorted(found)

    return answer


def heard_by_masks(layers):
    n = 1 + sum(left * dilation for left, dilation in layers)
    far = torch.arange(n)[:, None] - torch.arange(n)
    row = torch.arange(n) == n - 1
    for left, dilation in layers:
        mask = (far >= 0) & (far <= left * dilation) & (far % dilation == 0)
        row = mask[row].any(dim=0)
    return sorted(n - 1 - key for key in row.nonzero().flatten().tolist())


def heard_by_recursion(layers):
    if not layers:
        return [0]
    (left, dilation), *rest = layers
    below = heard_by_recursion(rest)
    return sorted({far + s * dilation for far in below for s in range(left + 1)})


def heard_twice(layers):
    found = [0]
    for left, dilation in layers:
        found = [far + step * dilation for far in found for step in range(left + 1)]
    return sorted(found)


def last_layer(layers):
    left, dilation = layers[-1]
    return [step * dilation for step in range(left + 1)]


WRONG = {
    "check_waves": {
        "sines before cosines": (waves_in_halves, "side by side"),
        "cosines first": (
            waves_with(order=(torch.cos, torch.sin)),
            "cosines stand first",
        ),
        "half the exponent": (waves_with(lambda i, d: -i / d), "twice as slow"),
        "not divided": (waves_with(lambda i, d: -2 * i), "divided by d_model"),
        "growing": (waves_with(lambda i, d: 2 * i / d), "exponent is negative"),
        "divided by the last": (
            waves_with(lambda i, d: -i / max(1, d // 2 - 1)),
            "divide by d_model",
        ),
        "numbers instead of pairs": (waves_of_numbers, "share one angle"),
        "degrees": (waves_with(factor=math.pi / 180), "not degrees"),
        "whole turns": (waves_with(factor=2 * math.pi), "by a whole turn"),
        "counts itself": (
            lambda p, d, t: waves(torch.arange(len(p)), d, t),
            "places that came in",
        ),
        "from 1": (lambda p, d, t: waves(p + 1, d, t), "count from 0"),
        "no column": (waves_of_column, "column of places"),
        "sines alone": (
            lambda p, d, t: (p[:, None] * frequencies(d, t)).sin(),
            "one row a token",
        ),
        "base written in": (lambda p, d, t: waves(p, d, 100.0), "compute with"),
    },
    "check_longer_table": {
        "the last row": (
            picked(lambda rows, n: [min(place, rows - 1) for place in range(n)]),
            "last row over and over",
        ),
        "each row repeated": (
            picked(lambda rows, n: [place * rows // n for place in range(n)]),
            "neighbours share a row",
        ),
        "repeat_interleave": (
            lambda table, n: table.repeat_interleave(3, dim=0)[:n],
            "neighbours share a row",
        ),
        "mirrored": (picked(mirrored), "runs backwards"),
        "bounced": (picked(bounced), "runs backwards"),
        "zeros": (padded_table, "never trained"),
        "stretched": (stretched_table, "no training"),
        "whole copies": (whole_copies, "cut the last copy"),
        "cuts the table": (cut_table, "never fewer"),
        "as it is": (lambda table, n: table, "exactly 7 rows"),
    },
    "check_turn_pairs": {
        "backwards": (
            turned_by(lambda a, b, c, s: (a * c + b * s, b * c - a * s)),
            "turns backwards",
        ),
        "no minus": (
            turned_by(lambda a, b, c, s: (a * c + b * s, a * s + b * c)),
            "minus is missing",
        ),
        "cosine alone": (
            turned_by(lambda a, b, c, s: (a * c, b * c)),
            "sine's part is missing",
        ),
        "overwritten": (in_place, "keep a and b apart"),
        "nothing": (still, "nothing turned"),
        "neighbours": (neighbours, "these are neighbours"),
        "halves of all": (halves_of_all, "numbers that turn"),
        "counts itself": (places_0_1_2, "places that came in"),
        "from 1": (places_from_1, "place 0 does not turn"),
        "one speed": (one_speed, "a speed of its own"),
        "speeds turned round": (last_speed_first, "speeds are turned round"),
        "rest is lost": (
            lambda *given: turn(*given)[:, : 2 * len(given[2])],
            "put back behind",
        ),
        "rest is 0": (
            turned_by(
                lambda a, b, c, s: (a * c - b * s, a * s + b * c),
                rest=torch.zeros_like,
            ),
            "here it became 0",
        ),
        "no column": (
            lambda x, p, r: turn(x, p, r) + 0 * (p * r).sum() * x[:, : len(r)],
            "a row a token",
        ),
    },
    "check_rotary_attention": {
        "values turn": (attends(v=turn), "values turned too"),
        "queries alone": (attends(k=still), "keys turn too"),
        "keys alone": (attends(q=still), "queries turn too"),
        "nothing turns": (attends(q=still, k=still), "nothing turned"),
        "keys backwards": (attends(k=backwards), "i + j"),
        "turned twice": (attends(q=twice, k=twice), "turned twice"),
        "no scale": (attends(scale=1.0), "scale is missing"),
        "counts itself": (
            lambda q, k, v, p, r: attends()(q, k, v, torch.arange(len(q)), r),
            "places that came in",
        ),
        "scale of the pairs": (
            lambda q, k, v, p, r: attends(scale=(2 * len(r)) ** -0.5)(q, k, v, p, r),
            "of all numbers",
        ),
        "no transpose": (
            lambda q, k, v, p, r: (turn(q, p, r) @ turn(k, p, r)[:3]) @ v,
            "keys .mT",
        ),
    },
    "check_under_the_keys": {
        "nothing moves": (lambda rows, n: rows, "nothing moved"),
        "flipped": (lambda rows, n: rows.flip(1), "move by its own"),
        "flipped and masked": (
            lambda rows, n: rows.flip(1).tril(n - len(rows)),
            "key j took distance j",
        ),
        "mask alone": (
            lambda rows, n: rows.tril(n - len(rows)),
            "the move did not",
        ),
        "rolled": (rolls, "came back on the other side"),
        "reads on": (reads_on, "numbers of the next row"),
        "transposed": (
            lambda rows, n: shifted(rows, n).mT,
            "is it the transpose",
        ),
        "first row stays": (
            lambda rows, n: shifted(rows, n).flip(0),
            "the last row stays",
        ),
        "from the first key": (from_the_first, "stands at the last key"),
        "no end": (
            lambda rows, n: rows.gather(1, n - 1 - far_of(len(rows), n)),
            "none is below 0",
        ),
    },
    "check_slopes_of": {
        "from 1": (lambda n: [2 * s for s in slopes(n)], "first slope is 1/2"),
        "far-sighted first": (lambda n: slopes(n)[::-1], "1/2 comes first"),
        "negative": (lambda n: [-s for s in slopes(n)], "slopes are positive"),
        "growing": (lambda n: [1 / s for s in slopes(n)], "exponent is negative"),
        "harmonic": (lambda n: [1 / h for h in range(1, n + 1)], "geometric"),
        "halves": (lambda n: [2.0**-h for h in range(1, n + 1)], "-8 h / n_heads"),
        "divided the other way": (
            lambda n: [2 ** (-n * h / 8) for h in range(1, n + 1)],
            "not the other way",
        ),
        "one rule for all": (rule, "no power of two"),
        "cut from 8": (unless_power(lambda n: rule(8)[:n]), "comes first"),
        "sorted": (
            lambda n: sorted(slopes(n), reverse=True),
            "not sorted",
        ),
        "others of 8": (
            unless_power(lambda n: rule(4) + rule(8)[1::2][: n - 4]),
            "there already",
        ),
        "next of 8": (
            unless_power(lambda n: rule(4) + rule(8)[: n - 4]),
            "not 1/4",
        ),
        "too many": (
            unless_power(lambda n: rule(4) + rule(8)[::2]),
            "as many as are missing",
        ),
        "six alone": (
            unless_power(lambda n: rule(4) + rule(8)[::2][:2]),
            "as many as are missing",
        ),
    },
    "check_penalty": {
        "a gain": (bias(sign=1), "is subtracted"),
        "signed": (bias(lambda far: far), "no gain"),
        "signed gain": (bias(lambda far: far, sign=1), "times .abs()"),
        "clamped": (bias(lambda far: far.clamp(min=0)), "cost as well"),
        "from the first key": (bias(far=from_first_key), "stands at the last key"),
        "from 1": (bias(lambda far: far.abs() + 1), "itself is 0"),
        "squared": (bias(lambda far: far**2), "not its square"),
        "no slopes": (bias(slope=torch.ones_like), "slopes are missing"),
        "heads turned round": (
            bias(slope=lambda s: s.flip(0)),
            "heads are turned round",
        ),
        "a factor": (
            lambda s, n, m: bias()(s, n, m).exp(),
            "before the softmax",
        ),
        "heads last": (heads_last, "heads come first"),
        "no column": (no_column, "heads come first"),
    },
    "check_larger_base": {
        "times factor": (lambda t, d, f: t * f, "not enough"),
        "upside down": (lambda t, d, f: t * f ** ((d - 2) / d), "(d_head - 2) / d_h"),
        "smaller": (lambda t, d, f: t * f ** (-d / (d - 2)), "shrinks"),
        "divided": (lambda t, d, f: t / f, "shrinks"),
        "minus 1": (lambda t, d, f: t * f ** (d / (d - 1)), "(d_head - 1)"),
        "power of theta": (lambda t, d, f: t**f, "raised to a power"),
        "power of both": (lambda t, d, f: (t * f) ** (d / (d - 2)), "outside"),
        "no brackets": (lambda t, d, f: t * f ** (d / d - 2), "shrinks"),
        "as it is": (lambda t, d, f: t, "nothing changed"),
        "squared": (lambda t, d, f: t * f**2, "in general it is not"),
        "no pair left": (lambda t, d, f: t * f ** (d / (d - 4)), "put brackets"),
    },
    "check_by_turns": {
        "faster": (faster, "the wrong way"),
        "reversed": (
            ramps(lambda count, line, slow, fast: 1 - line.clamp(0, 1)),
            "turned round",
        ),
        "all": (all_slower, "all pairs are slowed"),
        "no clamp": (ramps(lambda count, line, slow, fast: line), "clamp(0, 1)"),
        "no 2 pi": (no_2_pi, "2 pi radians"),
        "wave lengths": (by_wave, "length of a wave"),
        "a step": (
            ramps(lambda count, line, slow, fast: (count > slow).float()),
            "not a step",
        ),
        "from zero": (
            ramps(lambda count, line, slow, fast: (count / fast).clamp(0, 1)),
            "not at no turn at all",
        ),
        "waves mixed": (waves_mixed, "mix the speeds"),
        "nothing": (lambda radians, *_: radians, "nothing was slowed"),
        "numbers written in": (
            lambda radians, *_: ramp(radians, 4.0, 16, 1.0, 5.0),
            "compute with factor",
        ),
    },
    "check_sharper": {
        "once": (lambda s, f: s * t_of(f), "the square"),
        "the root": (lambda s, f: s * t_of(f) ** 0.5, "not the root"),
        "spread": (lambda s, f: s / t_of(f) ** 2, "gather, not spread"),
        "spread once": (lambda s, f: s / t_of(f), "and twice"),
        "base 2": (lambda s, f: s * t_of(f, math.log2) ** 2, "natural"),
        "base 10": (lambda s, f: s * t_of(f, math.log10) ** 2, "natural"),
        "the factor": (lambda s, f: s * f, "not the factor itself"),
        "added": (lambda s, f: s + t_of(f) ** 2, "no summand"),
        "no 1": (lambda s, f: s * (0.1 * math.log(f)) ** 2, "the 1 is missing"),
        "twice": (lambda s, f: s * 2 * t_of(f), "not the double"),
        "written in": (lambda s, f: s * t_of(16) ** 2, "compute with factor"),
    },
    "check_distances_heard": {
        "without itself": (
            lambda layers: [far for far in heard(layers) if far],
            "itself too",
        ),
        "one too few": (
            heard_with(lambda left, d: range(0, left * d, d)),
            "range(left + 1)",
        ),
        "the larger one": (
            lambda layers: [*range(max((n * d for n, d in layers), default=0) + 1)],
            "not the larger one",
        ),
        "last layer": (last_layer, "last layer alone"),
        "the farthest": (
            lambda layers: heard(layers) if len(layers) < 2 else [max(heard(layers))],
            "not only the farthest",
        ),
        "twice": (heard_twice, "in a set"),
        "no holes": (
            lambda layers: [*range(sum(n * d for n, d in layers) + 1)],
            "no sum of even steps",
        ),
        "no dilation": (
            heard_with(lambda left, d: range(left + 1)),
            "dilation tokens long",
        ),
        "left in tokens": (
            heard_with(lambda left, d: range(0, left + 1, d)),
            "left counts keys",
        ),
        "multiplied": (
            lambda layers: (
                [*range(0, 17, 2)] if layers == [(2, 2)] * 2 else heard(layers)
            ),
            "not 4 * 4",
        ),
        "a number": (
            lambda layers: sum(n * d for n, d in layers),
            "start with an empty list",
        ),
    },
}

ALTERNATIVES = {
    "check_waves": [
        waves,
        waves_by_slices,
        waves_by_loops,
        lambda places, d, theta: sinusoidal(places, d, theta=theta),
        lambda places, d, theta: waves(places.double(), d, theta).double(),
    ],
    "check_longer_table": [
        longer_by_repeat,
        longer_by_list,
        extend_table,
    ],
    "check_turn_pairs": [
        turn,
        turn_by_library,
        turn_by_numbers,
        turn_by_loops,
        turn_by_rotate_half,
    ],
    "check_rotary_attention": [attends(), by_torch, by_distances],
    "check_under_the_keys": [
        shifted,
        shifted_by_loops,
        shifted_by_padding,
        shifted_by_library,
    ],
    "check_slopes_of": [
        slopes,
        slopes_by_recursion,
        alibi_slopes,
        lambda n: alibi_slopes(n).tolist(),
    ],
    "check_penalty": [bias(), bias_by_loops, bias_by_library],
    "check_larger_base": [
        lambda theta, d, factor: theta * factor ** (d / (d - 2)),
        base_by_search,
        lambda theta, d, factor: torch.tensor(theta).double() * factor ** (d / (d - 2)),
    ],
    "check_by_turns": [ramp, ramp_by_library, ramp_by_cases],
    "check_sharper": [
        lambda scores, factor: scores * t_of(factor) ** 2,
        lambda scores, factor: scores * t_of(factor) * t_of(factor),
        lambda scores, factor: (
            scores * (0.1 * torch.log(torch.tensor(float(factor))) + 1).square()
        ),
    ],
    "check_distances_heard": [
        heard,
        heard_by_masks,
        heard_by_recursion,
        lambda layers: set(heard(layers)),
    ],
}
