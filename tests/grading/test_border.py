"""What a function does to what it is given, and what it asks, across the border."""

import torch

from longctx_edu.checks.largest import largest_tensor
from longctx_edu.checks.stream_03 import Stream


def called(open_border, fn, *given, **named):
    with open_border({"fn": fn}) as border:
        border.begin()
        return border.look("fn")[1](*given, **named)


def test_a_change_in_place_arrives(open_border):
    x, rows, names = torch.zeros(3), [1, [2]], {"a": 1}

    def fn(x, rows, names):
        x += 1
        rows[1].append(x)
        rows.append("new")
        del names["a"]

    called(open_border, fn, x, rows, names)
    assert x.tolist() == [1, 1, 1] and names == {}
    assert rows[0] == 1 and rows[2] == "new"
    assert rows[1][0] == 2 and rows[1][1] is x


def test_an_argument_comes_back_as_itself(open_border):
    x, rows = torch.zeros(3), [1]
    came = called(open_border, lambda *given: given, x, rows)
    assert came[0] is x and came[1] is rows


def test_gradients_go_all_the_way(open_border):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with open_border({"fn": lambda x: [(x * x).sum(), 2 * x]}) as border:
        border.begin()
        y = border.look("fn")[1](2 * x)
        (y[0] + y[1].sum()).backward()
    assert x.grad.tolist() == [12.0, 20.0, 28.0]


def test_a_cut_gradient_is_seen(open_border):
    x = torch.ones(3, requires_grad=True)
    assert not called(open_border, lambda x: x.detach() * 2, x).requires_grad
    weight = torch.ones(3, requires_grad=True)
    assert called(open_border, lambda x: x * weight, torch.ones(3)).requires_grad


def test_chance_moves_on_both_sides(open_border):
    chance = torch.Generator().manual_seed(1)
    twin = torch.Generator().manual_seed(1)
    came = called(open_border, lambda g: torch.rand(2, generator=g), chance)
    assert torch.equal(came, torch.rand(2, generator=twin))
    assert torch.equal(chance.get_state(), twin.get_state())


def test_a_function_of_the_check_is_asked(open_border):
    asked = []

    def double(x, *, by=2):
        asked.append(x)
        return by * x

    came = called(open_border, lambda f: f(f(3), by=5), double)
    assert (came, asked) == (30, [3, 6])


def test_an_error_of_the_check_s_function_goes_through(open_border):
    class Own(AssertionError):
        pass

    def refuses(x):
        raise Own("no")

    try:
        called(open_border, lambda f: f(1), refuses)
    except Own as error:
        assert str(error) == "no"
    assert called(open_border, swallows, refuses) == "AssertionError no"


def swallows(f):
    try:
        f(1)
    except AssertionError as error:
        return f"{type(error).__mro__[2].__name__} {error}"


def test_what_is_held_of_a_stream_is_counted(open_border):
    def two_at_a_time(stream):
        before = None
        for score in stream:
            before = (before, score)[1]

    for fn in (list, sum, two_at_a_time, lambda stream: [*map(float, stream)]):
        here, there = (Stream([float(n) for n in range(9)]) for _ in range(2))
        fn(here)
        called(open_border, fn, there)
        assert there.most_held == here.most_held
    assert here.most_held < 3


def test_a_cost_is_counted_where_it_arises(open_border):
    x = torch.zeros(50, 2)
    with open_border({"fn": lambda x: (x @ x.mT).sum()}) as border:
        border.begin()
        assert largest_tensor(border.look("fn")[1], x) == 2500
        assert border.relied_on == {"largest tensor"}


def test_a_callable_result_can_be_called(open_border):
    with open_border({"fn": lambda n: lambda x: x + n}) as border:
        border.begin()
        add = border.look("fn")[1](3)
        assert type(add).__name__ == "function" and add(4) == 7


def test_names_that_are_no_functions(open_border):
    with open_border({"a": 3, "none": None}) as border:
        assert border.look("a") == ("value", 3)
        assert border.look("none") == ("value", None)
        assert border.look("b") == ("missing", ["a", "none"])
