"""Ask each check how many machine-made wrong answers it refuses.

    python tools/prove_checks.py                all lessons
    python tools/prove_checks.py 04 05          some
    python tools/prove_checks.py 04 --every 7   each seventh mutant, a quick look

A mutant (see mutants.py) is refused when the check fails it, or when it never ends.
One that passes is either listed with a reason in tests/course/equivalent_mutants, as
it does what the solution does on every valid input, or it has escaped: then the exit
status is 1. Beside each escaped one stands an input on which it differs, if one of
those that the check itself uses, with other random numbers, shows it.
"""

import argparse
import ast
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from course_source import BEGIN, END, EXERCISES, read_source
from mutants import Mutant, mutants
from trial import Trial, difference, tried

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENT = ROOT / "tests" / "course" / "equivalent_mutants"
ENOUGH = 0.9
"""Least share of the mutants that change behaviour that a check must refuse."""


@dataclass
class Proof:
    """What became of an exercise's mutants.

    Args:
        exercise: The function.
        n_refused: Mutants that the check failed, or that never ended.
        equivalent: Mutants that passed, and are listed as no mistakes.
        escaped: Mutants that passed, and what shows that they differ.
    """

    exercise: str
    n_refused: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    escaped: list[tuple[Mutant, str]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share that was refused of those that are not equivalent."""
        n = self.n_refused + len(self.escaped)
        return self.n_refused / n if n else 1.0


def exercises_of(source: Path) -> list[tuple[str, str, int, int]]:
    """Give each exercise's function, its cell, and the lines of its solution.

    Args:
        source: lessons/NN_topic_exercises.py.
    """
    found = []
    for cell in read_source(source).cells:
        lines = [line.strip() for line in cell.source.split("\n")]
        if cell.cell_type != "code" or BEGIN not in lines:
            continue
        first, last = lines.index(BEGIN) + 1, lines.index(END) + 1
        tree = ast.parse(cell.source)
        holders = [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.lineno < last
        ]
        found.append((holders[-1], cell.source, first, last))
    return found


def known_equivalents(lesson: str) -> dict[tuple[str, str, str], str]:
    """Read which mutants of a lesson are no mistakes, and why.

    Args:
        lesson: Its number, such as "05".
    """
    path = EQUIVALENT / f"lesson_{lesson}.toml"
    if not path.exists():
        return {}
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    return {(r["exercise"], r["before"], r["after"]): r["reason"] for r in rows}


def prove(source: Path, *, every: int = 1, only: str | None = None) -> list[Proof]:
    """Try the mutants of a lesson's exercises.

    Args:
        source: lessons/NN_topic_exercises.py.
        every: Try one mutant in so many.
        only: Try this exercise alone.
    """
    lesson = source.stem.split("_")[0]
    equivalents = known_equivalents(lesson)
    trial = Trial(source, f"longctx_edu.checks.lesson_{lesson}")
    proofs = []
    for name, cell, first, last in exercises_of(source):
        if only not in (None, name) or f"check_{name}" not in trial.calls:
            continue
        proof = Proof(name)
        for mutant in mutants(cell, first, last)[::every]:
            if tried(trial, name, mutant) != "passed":
                proof.n_refused += 1
            elif (name, mutant.before, mutant.after) in equivalents:
                proof.equivalent.append(mutant)
            else:
                proof.escaped.append((mutant, difference(trial, name, mutant)))
        proofs.append(proof)
    return proofs


def report(source: Path, proofs: list[Proof]) -> None:
    """Print a table of a lesson's exercises, and what escaped.

    Args:
        source: lessons/NN_topic_exercises.py.
        proofs: Of its exercises.
    """
    print(source.stem.removesuffix(EXERCISES))
    for proof in proofs:
        n = proof.n_refused + len(proof.escaped) + len(proof.equivalent)
        print(
            f"  {proof.exercise:24} {n:4} mutants  {len(proof.equivalent):3} equivalent"
            f"  {proof.n_refused:4} refused  {100 * proof.share:5.1f} %"
        )
        for mutant, witness in proof.escaped:
            print(f"      escaped: {mutant}\n               {witness}")


def main(arguments: list[str] | None = None) -> int:
    """Prove the checks of the lessons that are named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 05; none: all")
    parser.add_argument("--every", type=int, default=1, help="one mutant in so many")
    parser.add_argument("--only", help="one exercise")
    asked = parser.parse_args(arguments)
    sources = sorted((ROOT / "lessons").glob(f"[0-9]*{EXERCISES}.py"))
    numbers = {source.stem.split("_")[0] for source in sources}
    strange = sorted(set(asked.lessons) - numbers)
    if strange or asked.every < 1:
        known = ", ".join(sorted(numbers))
        parser.error(f"need lessons among {known} and --every >= 1")
    n_refused = n_escaped = n_equivalent = 0
    for source in sources:
        if asked.lessons and source.stem.split("_")[0] not in asked.lessons:
            continue
        proofs = prove(source, every=asked.every, only=asked.only)
        report(source, proofs)
        sys.stdout.flush()
        n_refused += sum(proof.n_refused for proof in proofs)
        n_escaped += sum(len(proof.escaped) for proof in proofs)
        n_equivalent += sum(len(proof.equivalent) for proof in proofs)
    share = n_refused / max(n_refused + n_escaped, 1)
    print(
        f"{n_refused + n_escaped + n_equivalent} mutants, {n_equivalent} equivalent, "
        f"{n_refused} refused: {100 * share:.1f} %; {n_escaped} escaped"
    )
    return int(n_escaped > 0)


if __name__ == "__main__":
    sys.exit(main())
