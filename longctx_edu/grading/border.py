"""The judge's side of the border: a function of another process, called as one's own.

A check gets a stand-in. What arrives is data in a narrow form; whatever else the other
process does, ends the submission's turn, not the judge.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from longctx_edu.grading.backward import Back
from longctx_edu.grading.changes import apply
from longctx_edu.grading.faults import rebuilt, written_fault
from longctx_edu.grading.handed import Handed
from longctx_edu.grading.measuring import add_counts, asked_counts, uncounted
from longctx_edu.grading.reader import Reader, generator_state, opaque
from longctx_edu.grading.stopped import Stopped
from longctx_edu.grading.wire import Broken, Ended, Wire
from longctx_edu.grading.writer import Writer, said_of

__all__ = ["Border"]

FEATURES = ("__call__", "__next__", "__iter__", "__getitem__", "__len__")
WRONG = (Broken, ValueError, TypeError, LookupError, AttributeError, OverflowError)
FORGED = "the notebook's process sent something that is no answer"
ENDED = "the notebook's process ended: os._exit, a crash, or no memory left"


class Border:
    """Asks the learner's process.

    Args:
        wire: The way to it.
        n_asks: How often one call may ask back.
    """

    def __init__(self, wire: Wire, n_asks: int = 100_000):
        self.wire, self.n_asks = wire, n_asks
        self.functions: list[Any] = []
        self.raised: list[Exception] = []
        self.handed = Handed()
        self.graph = 0
        self.relied_on: set[str] = set()
        self.stopped: Stopped | None = None

    def ask(self, tree: list, blobs: list[bytes]) -> tuple[list, list[bytearray]]:
        """Send a request, and take the next frame.

        Raises:
            Stopped: If the other process is gone, too slow, or sends no frame.
        """
        if self.stopped:
            raise self.stopped
        with self.watched():
            self.wire.send(tree, blobs)
            answer, found = self.wire.receive()
            if not isinstance(answer, list) or not answer:
                raise Broken("an empty answer")
        return answer, found

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Note whatever ends the submission's turn: a check might swallow it."""
        try:
            yield
        except Ended:
            self.stopped = Stopped(ENDED)
        except WRONG as error:
            self.stopped = Stopped(f"{FORGED}: {str(error)[:200]}")
        except BaseException as stop:
            self.stopped = stop if isinstance(stop, Stopped) else None
            raise
        if self.stopped:
            raise self.stopped from None

    def begin(self) -> None:
        """Begin a check: every source of chance starts anew, on both sides."""
        self.relied_on, self.graph = set(), 0
        self.ask(["begin"], [])
        torch.manual_seed(0)

    def look(self, name: str) -> tuple[str, Any]:
        """Find what stands under a name in the notebook.

        Args:
            name: Of an exercise.

        Returns:
            "function" and a stand-in, "value" and it, or "missing" and all names.
        """
        (kind, *rest), blobs = self.ask(["look", name], [])
        with self.watched():
            if kind == "function":
                return kind, self.stand_in(int(rest[0]))
            if kind == "missing":
                return kind, [str(each)[:80] for each in rest[0]][:200]
            reader = Reader(blobs, Handed(), adds=False, other=self.foreign)
            return "value", reader.value(rest[0])

    def stand_in(self, number: int) -> Callable[..., Any]:
        """Make a function that is called in the other process."""

        def answer(*given: Any, **named: Any) -> Any:
            return self.call(number, given, named)

        return answer

    def foreign(self, rest: list) -> Any:
        """Read a thing that is no plain value; a function gets a stand-in."""
        found = opaque(rest)
        if len(rest) > 3 and rest[3] is not None:
            answer = self.stand_in(int(rest[3]))
            kind = type(found)
            body = {"__call__": lambda self, *given, **named: answer(*given, **named)}
            body |= {"__module__": kind.__module__}
            found.__class__ = type(kind.__name__, (kind,), body)
        return found

    def call(self, number: int, given: tuple, named: dict[str, Any]) -> Any:
        """Call a function of the other process, and answer what it asks meanwhile."""
        outer, self.handed = self.handed, Handed()
        functions, self.functions = self.functions, []
        try:
            with uncounted_unless(self) as counts:
                writer = Writer(self.handed, adds=True, other=self.handle)
                trees = writer.tree(list(given)), writer.tree(named)
                frame = self.ask(["call", number, *trees, counts], writer.blobs)
            return self.follow(frame)
        finally:
            self.handed, self.functions = outer, functions

    def follow(self, frame: tuple[list, list]) -> Any:
        """Answer what is asked until there is a result."""
        for _ in range(self.n_asks):
            answer, blobs = frame
            with self.watched(), uncounted():
                self.hear(answer[-1], blobs)
            with self.watched():
                add_counts(counts_of(answer[-1]))
            if answer[0] == "ask":
                frame = self.answered(answer, blobs)
                continue
            graph, self.graph = self.graph, self.graph + 1
            with self.watched(), uncounted():
                if answer[0] == "done":
                    return self.result(answer[1], blobs, graph)
                error = self.error(answer[1])
            raise error from None
        with self.watched():
            raise Stopped(f"the function asked more than {self.n_asks} times")

    def hear(self, news: Any, blobs: list) -> None:
        """Take over what happened to the things that were handed over."""
        changed, gone, moved, _ = news
        for number in gone:
            self.relied_on.add("what is held")
            self.handed.drop(int(number))
        for number, tree in changed:
            reader = Reader(blobs, self.handed, adds=False, other=self.foreign)
            apply(self.handed.thing(int(number)), tree, reader)
        if moved is not None:
            torch.set_rng_state(generator_state(blobs[int(moved)]))

    def result(self, tree: Any, blobs: list, graph: int) -> Any:
        """Read a result, and join it with the gradients of what was given."""
        leaves = [
            thing
            for _, thing in self.handed.living()
            if isinstance(thing, Tensor) and thing.requires_grad
        ]

        def joined(found: Tensor, place: int) -> Tensor:
            if not leaves:
                return found.requires_grad_()
            return Back.apply(self, graph, place, found, *leaves)

        return Reader(
            blobs, self.handed, adds=False, other=self.foreign, gradient=joined
        ).value(tree)

    def error(self, tree: Any) -> Exception:
        """Make the exception that stopped a function, or give back one of ours."""
        *written, number = tree
        if number is not None:
            return self.raised[int(number)]
        return rebuilt(written)

    def handle(self, value: Any) -> list:
        """Write a thing of a check that only a stand-in can represent there."""
        features = [n.strip("_") for n in FEATURES if hasattr(type(value), n)]
        kind, number = type(value), None
        if features:
            self.functions.append(value)
            number = [len(self.functions) - 1, features]
        return ["o", kind.__module__, kind.__name__, said_of(value), number]

    def answered(self, answer: list, blobs: list) -> tuple[list, list]:
        """Use a thing of the check as the other process asks."""
        with self.watched(), uncounted():
            _, number, how, given, named, _ = answer
            thing = self.functions[int(number)]
            reader = Reader(blobs, self.handed, adds=False, other=self.foreign)
            args, kwargs = reader.value(given), reader.value(named)
            use = USES[how]
        try:
            value = use(thing, *args, **kwargs)
        except StopIteration:
            return self.ask(["end", None], [])
        except Exception as error:
            self.raised.append(error)
            return self.ask(
                ["raised", written_fault(error, None), len(self.raised) - 1], []
            )
        with uncounted():
            writer = Writer(self.handed, adds=True, other=self.handle)
            tree = writer.tree(value)
            del value  # whether it is held is counted
            return self.ask(["told", tree], writer.blobs)


USES: dict[str, Callable] = {
    "call": lambda thing, *given, **named: thing(*given, **named),
    "next": lambda thing: next(thing),
    "getitem": lambda thing, place: thing[place],
    "len": lambda thing: len(thing),
}


@contextlib.contextmanager
def uncounted_unless(border: Border):
    """Leave the border's own work out of all counts, and say what is counted."""
    counts = asked_counts()
    border.relied_on.update(counts)
    with uncounted():
        yield counts


def counts_of(news: Any) -> dict:
    """Take the counts out of what happened."""
    counts = news[3]
    if not isinstance(counts, dict):
        raise Broken("no counts")
    return counts
