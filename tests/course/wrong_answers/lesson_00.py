"""What learners write in lesson 00 before they get it right, and in other right ways.

WRONG[check][name] = (wrong answer, words of its own hint); ALTERNATIVES[check] = right
answers in another style, which must pass.
"""

import math


def both_ways(mention, evidence):
    return max(mention[0] - evidence[1], evidence[0] - mention[1])


def by_cases(mention, evidence):
    if evidence[1] <= mention[0]:
        return mention[0] - evidence[1]
    if mention[1] <= evidence[0]:
        return evidence[0] - mention[1]
    return 0


def by_steps(token, size):
    chunk = 0
    while token >= size:
        token -= size
        chunk += 1
    return chunk


def ends(mention, evidence, last=1):
    return mention[0], mention[1] - last, evidence[0], evidence[1] - last


def same_chunk(tokens, size):
    return len({token // size for token in tokens}) == 1


def by_limits(mention, evidence, size):
    start = mention[0] // size * size
    both = (mention, evidence)
    return all(start <= a and b <= start + size for a, b in both)


WRONG = {
    "check_chunk_of": {
        "fractions": (lambda token, size: token / size, "/ gives fractions"),
        "rounds": (lambda token, size: round(token / size), "up from the middle on"),
        "rounds up": (lambda token, size: math.ceil(token / size), "rounds up"),
        "place in the chunk": (lambda token, size: token % size, "within the chunk"),
        "counts from 1": (lambda token, size: token // size + 1, "add nothing"),
        "token counts from 1": (lambda token, size: (token - 1) // size, "no - 1"),
        "always 128": (lambda token, size: token // 128, "here it is 4, not 128"),
        "always 4": (lambda token, size: token // 4, "parameter size, not a number"),
        "turned around": (
            lambda token, size: size // (token + 1),
            "how many whole chunks lie before",
        ),
    },
    "check_distance_to_evidence": {
        "start to start": (lambda m, e: abs(m[0] - e[0]), "this is start to start"),
        "stop to stop": (lambda m, e: abs(m[1] - e[1]), "this is stop to stop"),
        "both phrases": (
            lambda m, e: max(m[1], e[1]) - min(m[0], e[0]),
            "counts both phrases",
        ),
        "one less": (lambda m, e: m[0] - e[1] - 1, "subtract nothing more"),
        "one more": (lambda m, e: m[0] - e[1] + 1, "add nothing"),
        "turned around": (lambda m, e: e[1] - m[0], "later place minus the earlier"),
        "back only": (lambda m, e: m[0] - e[1], "turn the two around"),
        "back only, at least 0": (
            lambda m, e: max(m[0] - e[1], 0),
            "here the evidence stands ahead",
        ),
        "abs": (lambda m, e: abs(m[0] - e[1]), "abs is not enough"),
        "below 0": (both_ways, "give max a 0 as well"),
        "abs of an overlap": (
            lambda m, e: abs(both_ways(m, e)),
            "turns an overlap into a distance",
        ),
    },
    "check_reachable": {
        "inverted": (
            lambda m, e, size: not same_chunk(ends(m, e), size),
            "one chunk holds both",
        ),
        "always": (lambda m, e, size: True, "two chunks"),
        "stop itself": (
            lambda m, e, size: same_chunk(ends(m, e, last=0), size),
            "the last token is stop - 1",
        ),
        "near enough": (
            lambda m, e, size: both_ways(m, e) < size,
            "not for the distance",
        ),
        "starts alone": (
            lambda m, e, size: same_chunk((m[0], e[0]), size),
            "last token counts as well as its first",
        ),
        "last tokens alone": (
            lambda m, e, size: same_chunk((m[1] - 1, e[1] - 1), size),
            "first token counts as well as its last",
        ),
        "one token of the mention": (
            lambda m, e, size: same_chunk((m[0], e[0], e[1] - 1), size),
            "the same chunk for all four ends",
        ),
        "always 4": (
            lambda m, e, size: same_chunk(ends(m, e), 4),
            "size is a parameter",
        ),
        "a number": (
            lambda m, e, size: m[0] // size - e[0] // size,
            "return the comparison itself",
        ),
    },
}

ALTERNATIVES = {
    "check_chunk_of": [
        by_steps,
        lambda token, size: int(token / size),
        lambda token, size: math.floor(token / size),
    ],
    "check_distance_to_evidence": [
        by_cases,
        lambda mention, evidence: max(both_ways(mention, evidence), 0),
        lambda mention, evidence: (
            len(range(*sorted([*mention, *evidence])[1:3]))
            if both_ways(mention, evidence) > 0
            else 0
        ),
    ],
    "check_reachable": [
        by_limits,
        lambda mention, evidence, size: same_chunk(ends(mention, evidence), size),
        lambda mention, evidence, size: (
            min(*mention, *evidence) // size == (max(*mention, *evidence) - 1) // size
        ),
    ],
}
