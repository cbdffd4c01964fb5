"""Values from a tree of JSON and raw bytes; anything else than these is refused."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from longctx_edu.grading.arrays import (
    DTYPES,
    array_from,
    known,
    sized,
    tensor_from,
)
from longctx_edu.grading.handed import Handed
from longctx_edu.grading.lookalike import BASES, Opaque, lookalike
from longctx_edu.grading.wire import Broken

__all__ = ["Reader", "generator_state", "opaque"]

LONGEST_RANGE = 10**6


class Reader:
    """Reads values; what is handed over with them gets its number.

    Args:
        blobs: The bytes behind the tree.
        handed: What was handed over.
        adds: Whether what is read is handed over with it.
        hold: Whether what is handed over is kept alive.
        other: Makes a stand-in of what is no plain value.
        gradient: Joins a tensor with its number among those that have a gradient.
    """

    def __init__(
        self,
        blobs: list[bytearray],
        handed: Handed,
        *,
        adds: bool,
        hold: bool = True,
        other: Callable[[list], Any] | None = None,
        gradient: Callable[[Tensor, int], Tensor] | None = None,
    ):
        self.blobs, self.handed, self.adds, self.hold = blobs, handed, adds, hold
        self.other, self.gradient, self.count = other or opaque, gradient, 0

    def value(self, tree: Any) -> Any:
        """Read a value.

        Raises:
            Broken: If it is none.
        """
        try:
            return self.read(tree)
        except Broken:
            raise
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            raise Broken(f"no value: {error}") from None
        except (RuntimeError, RecursionError, AttributeError) as error:
            raise Broken(f"no value: {error}") from None

    def read(self, tree: Any) -> Any:
        """Read a value of any kind."""
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if not isinstance(tree, list) or not tree:
            raise Broken(f"no value: {str(tree)[:40]}")
        tag, *rest = tree
        if tag == "@":
            return self.again(*rest)
        if tag in ("l", "d", "s"):
            return self.container(tag, rest)
        if tag in ("t", "fs", "z"):
            parts = [self.read(part) for part in rest]
            return {"t": tuple, "fs": frozenset, "z": torch.Size}[tag](parts)
        if tag in ("x", "xm", "xs", "n", "n1", "g"):
            return self.numbers(tag, rest)
        if tag == "u":
            return self.derived(*rest)
        if tag == "o":
            return self.other(rest)
        return self.small(tag, *rest)

    def again(self, number: int) -> Any:
        """Give what was handed over before."""
        if not isinstance(number, int) or number not in self.handed.things:
            raise Broken(f"nothing has the number {number!r}")
        return self.handed.thing(number)

    def added(self, thing: Any) -> Any:
        """Give a thing the next number, where things are handed over."""
        if self.adds:
            self.handed.add(thing, hold=self.hold)
        return thing

    def container(self, tag: str, parts: list) -> Any:
        """Read a list, a dict or a set; its number comes before those of its parts."""
        found: Any = {"l": list, "d": dict, "s": set}[tag]()
        self.added(found)
        if tag == "l":
            found.extend(self.read(part) for part in parts)
        elif tag == "s":
            found.update(self.read(part) for part in parts)
        else:
            found.update((self.read(key), self.read(value)) for key, value in parts)
        return found

    def numbers(self, tag: str, rest: list) -> Any:
        """Read a tensor, an array, a number of NumPy's or a source of chance."""
        if tag == "g":
            found = torch.Generator()
            found.set_state(generator_state(self.blobs[rest[0]]))
            return self.added(found)
        if tag == "xm":
            sized(rest[1], 0, bytearray())
            kind = known(DTYPES, rest[0])
            return self.added(torch.empty(rest[1], dtype=kind, device="meta"))
        if tag == "xs":
            layout = getattr(torch, str(rest[0]).removeprefix("torch."))
            return self.added(self.read(rest[1]).to_sparse(layout=layout))
        if tag == "x":
            name, shape, place, room, needs = rest
            found = tensor_from(self.blobs[place], name, shape, int(room))
            if needs is True and (found.is_floating_point() or found.is_complex()):
                found = self.joined(found)
            return self.added(found)
        name, shape, place = rest
        array = array_from(self.blobs[place], name, shape)
        return array[()] if tag == "n1" else self.added(array)

    def derived(self, base: str, module: str, name: str, said: Any, tree: Any) -> Any:
        """Read a value of a class of the other process, as one of the same name."""
        plain = Reader(self.blobs, self.handed, adds=False, other=self.other).read(tree)
        kind = known(BASES, base)
        if not isinstance(plain, kind):
            raise Broken(f"no {base}: {str(plain)[:40]}")
        found = lookalike(str(name)[:80], str(module)[:80], kind)(plain)
        if isinstance(said, str):
            found.said = said
        changeable = isinstance(found, list | dict | set | float)
        return self.added(found) if changeable else found

    def joined(self, found: Tensor) -> Tensor:
        """Give a tensor the gradient that it has in the other process."""
        number, self.count = self.count, self.count + 1
        return self.gradient(found, number) if self.gradient else found.requires_grad_()

    def small(self, tag: str, *rest: Any) -> Any:
        """Read a value that holds no others."""
        if tag == "I":
            return int(rest[0][:5000], 16)
        if tag == "c":
            return complex(*rest)
        if tag == "b":
            return bytes(self.blobs[rest[0]])
        if tag == "r":
            found = range(*rest)
            if len(found) > LONGEST_RANGE:
                raise Broken(f"a range of {len(found)} numbers")
            return found
        if tag == "dt":
            return known(DTYPES, rest[0])
        if tag == "dv":
            return torch.device(str(rest[0]))
        raise Broken(f"no value: {tag!r}")


def generator_state(blob: bytearray) -> torch.Tensor:
    """Make a state of torch's chance; only its size can be wrong."""
    if len(blob) != torch.Generator().get_state().numel():
        raise Broken(f"no state of chance: {len(blob)} bytes")
    return torch.frombuffer(bytearray(blob), dtype=torch.uint8).clone()


def opaque(rest: list) -> Opaque:
    """Make a thing that shows what another of the other process shows."""
    module, name, said, *_ = rest
    found = lookalike(str(name)[:80], str(module)[:80], Opaque)()
    found.said = str(said)
    return found
