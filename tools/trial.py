"""Run a mutant against its check in a process of its own, which may be ended."""

import ast
import contextlib
import importlib
import os
import select
import signal
import sys
import types
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
os.environ["LONGCTX_PROGRESS"] = "off"  # these are nobody's tries
sys.path.insert(0, str(ROOT / "tests" / "course"))

import machinery  # noqa: E402  the tests' own way to run a solution
from mutants import Mutant  # noqa: E402

LIMIT_S = 30.0
KEPT_CALLS = 300
NO_WITNESS = "no input found on which it differs"


class Trial:
    """A lesson's solutions and checks, loaded once.

    Args:
        source: lessons/NN_topic_exercises.py.
        checks: The name of its module of checks.
    """

    def __init__(self, source: Path, checks: str):
        self.module = machinery.solution_module(source)
        self.checks = importlib.import_module(checks)
        self.calls = {
            name: compile(ast.Expression(call), f"<{name}>", "eval")
            for _, tree in machinery.code_cells(source)
            for name, call in machinery.check_calls(tree)
        }

    def names(self, source: str) -> dict:
        """Give the lesson's names with one cell run again, changed.

        Args:
            source: The changed cell.
        """
        names = dict(vars(self.module))
        exec(compile(source, "<mutant>", "exec"), names)
        return names

    def verdict(self, name: str, names: dict) -> str:
        """Ask the check of an exercise.

        Args:
            name: The exercise's function.
            names: What `names` gave.
        """
        checks = vars(self.checks)
        return eval(self.calls[f"check_{name}"], {**checks, **names}).status


def tried(trial: Trial, name: str, mutant: Mutant) -> str:
    """Say what a check makes of a mutant: its verdict, "endless" or "crashed".

    Args:
        trial: The lesson.
        name: The exercise's function.
        mutant: The changed solution.
    """
    return apart(lambda: trial.verdict(name, trial.names(mutant.source)))


def difference(trial: Trial, name: str, mutant: Mutant) -> str:
    """Look for an input on which a mutant differs from the solution.

    The inputs are those of the check itself; then the same with other random numbers,
    then with whole numbers one larger and one smaller, where the solution takes them.

    Args:
        trial: The lesson.
        name: The exercise's function.
        mutant: The changed solution.
    """
    return apart(lambda: _difference(trial, name, mutant))


def apart(job: Callable[[], str], limit_s: float = LIMIT_S) -> str:
    """Do a job in a process of its own and read its word; end one that takes too long.

    Args:
        job: Gives a word.
        limit_s: Seconds that it may take.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            _answer(job, write)
        os._exit(0)
    os.close(write)
    ready, _, _ = select.select([read], [], [], limit_s)
    said = os.read(read, 4096).decode() if ready else "endless"
    os.close(read)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return said or "crashed"


def _answer(job: Callable[[], str], write: int) -> None:
    """Say one word and no other."""
    torch.set_num_threads(1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    try:
        said = job()
    except BaseException:
        said = "crashed"
    os.write(write, said.encode()[:4096])


def _difference(trial: Trial, name: str, mutant: Mutant) -> str:
    right = getattr(trial.module, name)
    wrong = trial.names(mutant.source)[name]
    for kind, args, kwargs in _inputs(trial, name, right):
        wanted = _outcome(right, args, kwargs)
        if wanted is None:
            continue
        came = _outcome(wrong, args, kwargs)
        if came is None or not _alike(wanted[0], came[0]):
            return f"differs on {kind}: {_shown(args, kwargs)}"
    return NO_WITNESS


def _inputs(trial: Trial, name: str, right: Callable):
    """Give the check's own inputs, and what is made of them."""
    seen: list[tuple[tuple, dict]] = []

    def listening(*args, **kwargs):
        if len(seen) < KEPT_CALLS:
            seen.append((_copy(args), _copy(kwargs)))
        return right(*args, **kwargs)

    trial.verdict(name, {**vars(trial.module), name: listening})
    for args, kwargs in seen:
        yield "the check's own input", args, kwargs
    for turn in range(3):
        torch.manual_seed(turn)
        for args, kwargs in seen:
            yield "other numbers", _copy(args, _noise), _copy(kwargs, _noise)
    for step in (1, -1):
        for args, kwargs in seen:
            for at, value in enumerate(args):
                if type(value) is int:
                    other = (*args[:at], value + step, *args[at + 1 :])
                    yield "a number one off", other, kwargs


def _noise(x: Tensor) -> Tensor:
    return torch.randn_like(x) if x.is_floating_point() else x


def _copy(value: object, change: Callable = lambda x: x) -> object:
    if isinstance(value, Tensor):
        return change(value.detach().clone()).requires_grad_(value.requires_grad)
    if type(value) in (list, tuple):
        return type(value)(_copy(part, change) for part in value)
    if isinstance(value, dict):
        return {key: _copy(part, change) for key, part in value.items()}
    if isinstance(value, torch.Generator):
        return value.clone_state()
    return value


def _outcome(f: Callable, args: tuple, kwargs: dict) -> tuple | None:
    """Call a function on copies; None where it stops with an error."""
    torch.manual_seed(0)
    try:
        return (_plain(f(*_copy(args), **_copy(kwargs))),)
    except Exception:
        return None


def _plain(value: object) -> object:
    if isinstance(value, types.GeneratorType):
        return list(value)
    return value


def _alike(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        same = torch.allclose if one.is_floating_point() else torch.equal
        close = {"rtol": 1e-4, "atol": 1e-6, "equal_nan": True}
        return same(one, other, **(close if one.is_floating_point() else {}))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[k], other[k]) for k in one)
    if isinstance(one, float) and isinstance(other, float | int):
        return abs(one - other) <= 1e-6 * max(1.0, abs(one)) or one != one
    return one == other


def _shown(args: tuple, kwargs: dict) -> str:
    words = [_word(a) for a in args] + [f"{k}={_word(v)}" for k, v in kwargs.items()]
    return ", ".join(words)[:300]


def _word(value: object) -> str:
    if isinstance(value, Tensor) and value.numel() > 12:
        return f"tensor of shape {tuple(value.shape)}"
    return " ".join(repr(value).split())[:80]
