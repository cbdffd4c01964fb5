"""What fits no exercise: a check must say so in words, whatever comes.

ANY_MISTAKE[name] = a wrong answer to every exercise of every lesson.
"""

import warnings

import numpy
import torch
from torch import Tensor


class Hostile:
    """An object that answers nothing: each question stops with an error."""

    def fail(self, *_, **__):
        raise ZeroDivisionError("no answer")

    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = fail
    __bool__ = __len__ = __iter__ = __getitem__ = __float__ = __int__ = fail
    __repr__ = __str__ = __add__ = __sub__ = __mul__ = fail
    __hash__ = None


class Unwritable(Exception):
    """An error whose text cannot be written."""

    def __str__(self):
        raise RuntimeError("no text")


class OwnKind(BaseException):
    """An error that `except Exception` does not catch."""


class Equal:
    """An object that equals everything, and is no answer."""

    def __eq__(self, other):
        return True

    __hash__ = None


def raises(kind: BaseException):
    """Return a function that stops with an error."""

    def answer(*_, **__):
        raise kind

    return answer


def for_ever(*given, **named):
    return for_ever(*given, **named)


def with_a_warning(*_, **__):
    warnings.simplefilter("error")
    warnings.warn("soon to go", DeprecationWarning, stacklevel=1)


def like_the_input(*given, **named):
    """Return a tensor of the shape and kind of the first one that came in."""
    values = [*given, *named.values(), torch.zeros(2)]
    return next(value for value in values if isinstance(value, Tensor))


def yields(*given, **_):
    yield from given


def gives(value: object):
    """Return a function that gives the same, whatever it gets."""
    return lambda *_, **__: value


MANY = list(range(1_000_000))

ANY_MISTAKE = {
    "returns nothing": gives(None),
    "returns words": gives("a mask"),
    "returns its input": lambda *given, **named: [*given, *named.values()][0],
    "returns a NumPy array": gives(numpy.ones((3, 3))),
    "returns a NumPy number": gives(numpy.int64(3)),
    "returns a class": gives(Tensor),
    "returns a function": gives(abs),
    "returns a dict": gives({n: n for n in range(1000)}),
    "returns bytes": gives(b"a mask"),
    "returns a set": gives({1, 2}),
    "returns a generator": yields,
    "returns nan": gives(torch.nan),
    "returns nans": lambda *given, **named: like_the_input(*given, **named) * torch.nan,
    "returns two nans": gives((torch.nan, torch.nan)),
    "returns infinity": gives(-torch.inf),
    "returns a number that no float holds": gives(10**400),
    "returns a complex number": gives(1j),
    "returns complex numbers": gives(torch.ones(3, dtype=torch.complex64)),
    "returns a meta tensor": gives(torch.zeros(3, 3, device="meta")),
    "returns its input on another device": lambda *given, **named: like_the_input(
        *given, **named
    ).to("meta"),
    "returns a pair of meta tensors": gives((torch.zeros(2, device="meta"),) * 2),
    "returns a sparse tensor": gives(torch.eye(3).to_sparse()),
    "returns an empty tensor": gives(torch.zeros(0)),
    "returns an empty list": gives([]),
    "returns a large tensor": gives(torch.zeros(1, 1).expand(30_000, 30_000)),
    "returns a long list": gives(MANY),
    "returns a list of long lists": gives([MANY, MANY]),
    "returns long words": gives("a mask " * 1_000_000),
    "returns half a letter": gives("\ud800"),
    "returns a list of arrays": gives([numpy.ones(3), numpy.ones(3)]),
    "returns a list of tensors": gives([torch.ones(3), torch.ones(3)]),
    "returns a list of nothing": gives([None, None, None]),
    "returns what answers nothing": gives(Hostile()),
    "returns a list of what answers nothing": gives([Hostile(), Hostile()]),
    "returns what equals everything": gives(Equal()),
    "raises": raises(ZeroDivisionError("division by zero")),
    "raises without a text": raises(ValueError()),
    "raises what cannot be written": raises(Unwritable()),
    "raises with a long text": raises(ValueError("so " * 1_000_000)),
    "raises an own kind": raises(OwnKind("not an Exception")),
    "ends the process": raises(SystemExit(0)),
    "ends a generator": raises(StopIteration()),
    "closes a generator": raises(GeneratorExit()),
    "runs out of memory": raises(MemoryError()),
    "asserts": raises(AssertionError()),
    "calls itself": for_ever,
    "warns, and takes warnings for errors": with_a_warning,
    "takes nothing": lambda: 0,
    "is no function": None,
    "is a tensor": torch.ones(3),
    "is a class": Hostile,
}
