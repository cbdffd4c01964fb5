"""Mutants: one change at a time, each once, and only where the solution stands."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutants import mutants

CELL = """import math

SIZE = 3

def area(r, sign=1):
    if r <= 0 and sign:
        return -sign * r
    rows = [max(r, SIZE), sum(range(r, 7))]
    return math.pow(r, 2) + rows[0] if r > SIZE else round(rows[1], ndigits=2)
"""


def lines(source=CELL, first=6, last=9):
    return [str(mutant) for mutant in mutants(source, first, last)]


@pytest.mark.parametrize(
    "change",
    [
        "if r <= 0 and sign:  ->  if r < 0 and sign:",
        "if r <= 0 and sign:  ->  if r >= 0 and sign:",
        "if r <= 0 and sign:  ->  if r <= 1 and sign:",
        "if r <= 0 and sign:  ->  if r <= 0 or sign:",
        "if r <= 0 and sign:  ->  (dropped)",
        "return -sign * r  ->  return sign * r",
        "return -sign * r  ->  return -sign / r",
        "rows = [max(r, SIZE), sum(range(r, 7))]  ->  "
        "rows = [min(r, SIZE), sum(range(r, 7))]",
        "rows = [max(r, SIZE), sum(range(r, 7))]  ->  "
        "rows = [max(r, SIZE), sum(range(7, r))]",
    ],
)
def test_what_a_tired_reader_overlooks_is_among_them(change):
    assert change in lines()


def test_arguments_that_may_be_swapped_are_left():
    assert not any("max(SIZE, r)" in line for line in lines())


def test_a_keyword_is_left_out_and_branches_change_places():
    sources = [mutant.source for mutant in mutants(CELL, 9, 9)]
    assert any("round(rows[1])" in source for source in sources)
    swapped = "round(rows[1], ndigits=2) if r > SIZE else math.pow(r, 2) + rows[0]"
    assert any(swapped in source for source in sources)


def test_nothing_outside_the_lines_changes():
    for mutant in mutants(CELL, 6, 7):
        assert "SIZE = 3" in mutant.source and "ndigits=2" in mutant.source
        assert "def area(r, sign=1)" in mutant.source


def test_each_differs_from_the_solution_and_from_the_others():
    sources = [mutant.source for mutant in mutants(CELL, 1, 99)]
    assert len(sources) == len(set(sources))
    assert ast.unparse(ast.parse(CELL)) not in sources


@given(st.integers(-5, 5), st.sampled_from(["+", "-", "*", "//", "%"]))
def test_every_mutant_is_a_program(number, operator):
    cell = f"def f(x):\n    y = x {operator} {number}\n    return [y] * 2"
    for mutant in mutants(cell, 2, 3):
        compile(mutant.source, "<mutant>", "exec")


def test_a_chain_of_comparisons_is_changed_link_by_link():
    said = lines("def f(a, b, c):\n    return a <= b < c", 2, 2)
    assert "return a <= b < c  ->  return a < b < c" in said
    assert "return a <= b < c  ->  return a <= b <= c" in said
