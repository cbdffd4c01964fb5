"""The learner's side of the border: calls a function, and sends what comes of it.

It runs in the learner's process, so its words count as little as those of the function
itself: they are values, and the other side judges them.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch

from longctx_edu.checks.report import learners_line
from longctx_edu.grading.changes import Snapshots
from longctx_edu.grading.faults import rebuilt, written_fault
from longctx_edu.grading.handed import Handed
from longctx_edu.grading.lookalike import Opaque, lookalike
from longctx_edu.grading.measuring import counting
from longctx_edu.grading.reader import Reader, opaque
from longctx_edu.grading.wire import Wire
from longctx_edu.grading.writer import Writer, said_of

__all__ = ["Served"]

SPECIAL = ("call", "next", "iter", "getitem", "len")


class Served:
    """Answers requests until the other side closes.

    Args:
        wire: The way to the other side.
        look: Gives the thing of a name in the learner's notebook, and all its names.
        run: Runs a cell, and gives what is to be said of it.
    """

    def __init__(
        self,
        wire: Wire,
        look: Callable[[str], tuple[Any, Iterable[str]]],
        run: Callable[[Any], Any] = lambda cell: None,
    ):
        self.wire, self.find, self.run = wire, look, run
        self.functions: list[Any] = []
        self.graphs: list[tuple[list, list]] = []
        self.handed = Handed()
        self.snapshots = Snapshots(self.handed)
        self.chance = torch.get_rng_state()

    def serve(self) -> None:
        """Answer one request after another; ends with `Ended`."""
        requests = {"look": self.look, "call": self.call, "back": self.back}
        while True:
            (kind, *rest), blobs = self.wire.receive()
            if kind == "cell":
                self.wire.send(["ran", self.run(rest[0])], [])
            elif kind == "begin":
                self.graphs.clear()
                self.seed()
                self.wire.send(["begun"], [])
            else:
                requests[kind](blobs, *rest)

    def seed(self) -> None:
        """Start every source of chance anew."""
        import random

        import numpy as np

        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        self.chance = torch.get_rng_state()

    def look(self, blobs: list, name: str) -> None:
        """Say what a name stands for."""
        thing, names = self.find(name)
        writer = Writer(Handed(), adds=False, other=self.opaque)
        if name not in names:
            self.wire.send(["missing", sorted(map(str, names))[:200]], [])
        elif callable(thing):
            self.functions.append(thing)
            self.wire.send(["function", len(self.functions) - 1], [])
        else:
            self.wire.send(["value", writer.tree(thing)], writer.blobs)

    def call(
        self, blobs: list, number: int, given: Any, named: Any, counts: list
    ) -> None:
        """Call a function, and send its result or what stopped it."""
        self.handed = Handed()
        self.snapshots = Snapshots(self.handed)
        reader = Reader(blobs, self.handed, adds=True, other=self.stand_in)
        args, kwargs = reader.value(given), reader.value(named)
        self.snapshots.take()
        writer = Writer(self.handed, adds=False, other=self.opaque)
        counted: dict[str, int] = {}
        try:
            with counting(counts, (args, kwargs)) as counted:
                result = self.functions[number](*args, **kwargs)
            answer = ["done", writer.tree(result)]
        except BaseException as error:
            answer = ["raised", self.fault(error)]
        self.keep_graph(writer, reader)
        self.send(answer, writer, counted)

    def fault(self, error: BaseException) -> list:
        """Write what stopped a function; an error of the judge keeps its number."""
        tree = written_fault(error, learners_line(error))
        return [*tree, getattr(error, "number_there", None)]

    def keep_graph(self, writer: Writer, reader: Reader) -> None:
        """Keep the way back from a result to what was given."""
        leaves = [
            thing
            for _, thing in self.handed.living()
            if isinstance(thing, torch.Tensor) and thing.requires_grad
        ]
        self.graphs.append((writer.with_gradient, leaves))

    def back(self, blobs: list, graph: int, place: int, gradient: Any) -> None:
        """Send the gradients that one result's gradient causes."""
        writer = Writer(Handed(), adds=False)
        try:
            results, leaves = self.graphs[graph]
            seed = Reader(blobs, Handed(), adds=False).value(gradient)
            found = torch.autograd.grad(
                results[place], leaves, seed, retain_graph=True, allow_unused=True
            )
            answer = ["done", writer.tree(list(found))]
        except BaseException as error:
            answer = ["raised", self.fault(error)]
        self.send(answer, writer, {})

    def send(self, answer: list, writer: Writer, counted: dict) -> None:
        """Send an answer with all that happened to what was given."""
        now = torch.get_rng_state()
        moved = None
        if not torch.equal(now, self.chance):
            self.chance = now
            moved = writer.blob(now.numpy().tobytes())
        gone, self.handed.gone = self.handed.gone, []
        news = [self.snapshots.changed(writer), gone, moved, counted]
        self.wire.send([*answer, news], writer.blobs)

    def opaque(self, value: Any) -> list:
        """Write a thing by its class and its words; a function can be called."""
        number = None
        if callable(value):
            self.functions.append(value)
            number = len(self.functions) - 1
        kind = type(value)
        return ["o", str(kind.__module__), str(kind.__name__), said_of(value), number]

    def stand_in(self, rest: list) -> Any:
        """Make a thing that asks the other side whenever it is used."""
        module, name, said, handle = rest
        if handle is None:
            return opaque(rest)
        number, features = handle
        kind = lookalike(name, module, asking(tuple(features)))
        found = kind()
        found.said, found.ask, found.__name__ = said, self.asker(number), name
        return found

    def asker(self, number: int) -> Callable[..., Any]:
        """Make a function that asks the other side about one of its things."""

        def ask(how: str, given: tuple, named: dict) -> Any:
            writer = Writer(self.handed, adds=False, other=self.opaque)
            trees = writer.tree(list(given)), writer.tree(named)
            self.send(["ask", number, how, *trees], writer, {})
            return self.told(hold=how != "next")

        return ask

    def told(self, *, hold: bool) -> Any:
        """Take what the other side says, or raise what it raised."""
        (kind, tree, *rest), blobs = self.wire.receive()
        if kind == "told":
            reader = Reader(
                blobs, self.handed, adds=True, hold=hold, other=self.stand_in
            )
            value = reader.value(tree)
            self.snapshots.take()
            return value
        if kind == "end":
            raise StopIteration
        error = rebuilt(tree)
        error.number_there = rest[0]
        raise error


def asking(features: tuple[str, ...]) -> type:
    """Make a class whose special methods ask the other side."""
    if features not in CLASSES:
        body: dict[str, Any] = {
            "__call__": lambda self, *given, **named: self.ask("call", given, named),
            "__next__": lambda self: self.ask("next", (), {}),
            "__iter__": lambda self: self,
            "__getitem__": lambda self, place: self.ask("getitem", (place,), {}),
            "__len__": lambda self: self.ask("len", (), {}),
        }
        kept = {n: m for n, m in body.items() if n.strip("_") in features}
        CLASSES[features] = type("Asking", (Opaque,), kept)
    return CLASSES[features]


CLASSES: dict[tuple[str, ...], type] = {}
