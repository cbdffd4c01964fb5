"""Build notebooks/, exercises/ and solutions/ from lessons/, or check that they agree.

    python tools/build_notebooks.py               build everything
    python tools/build_notebooks.py 01 09         build what starts with 01 or 09
    python tools/build_notebooks.py --check       say what differs from its source

A second build gives the same bytes: own cell ids, no times, no versions. Outputs are
left aside by --check; nbval holds them in `make test`.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from course_source import (
    Product,
    SourceError,
    cell_lines,
    differences,
    products,
    scrub,
    unexecuted,
)
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
SLOW_S = 90.0
FOLDERS = ("notebooks", "exercises", "solutions")


class BuildError(Exception):
    """A notebook that could not be built: file, line, cell, what happened."""


class CellFailure(Exception):
    """A cell that stopped a run: its number in the notebook and why."""


def kernel_environment() -> dict[str, str]:
    """Give the kernel the same surroundings everywhere: offline, one thread, alone."""
    env = {k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "COLUMNS")}
    return {
        **env,
        "HF_HUB_OFFLINE": "1",
        "LONGCTX_PROGRESS": "off",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": env.get("OMP_NUM_THREADS", "1"),
        "MATPLOTLIBRC": str(Path(__file__).resolve().parent / "matplotlibrc"),
    }


def run_cells(
    notebook: NotebookNode, folder: Path, timeout_s: int, past_errors: bool = False
) -> None:
    """Run every cell in a fresh kernel that stands in `folder`.

    Raises:
        CellFailure: With the number of the cell and the error in one line.
    """
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # this environment's python3 kernel
    begun = [0]
    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        kernel_name="python3",
        allow_errors=past_errors,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
    )
    surroundings = {"env": kernel_environment(), "stderr": subprocess.DEVNULL}
    try:
        asyncio.run(client.async_execute(**surroundings))
    except CellExecutionError as error:
        raise CellFailure(begun[-1], f"{error.ename}: {error.evalue}") from None
    except CellTimeoutError:
        raise CellFailure(begun[-1], f"ran longer than {timeout_s} s") from None
    except DeadKernelError:
        reason = "the kernel died (out of memory?)"
        raise CellFailure(begun[-1], reason) from None


def execute(notebook: NotebookNode, product: Product, timeout_s: int) -> None:
    """Run a product's cells; say file, line, cell and code where one fails."""
    try:
        run_cells(notebook, product.target.parent, timeout_s)
    except CellFailure as failure:
        number, reason = failure.args
        cell = notebook.cells[number]
        line = cell_lines(product.source.read_text(encoding="utf-8"))[number]
        shown = "\n".join("    " + code for code in cell.source.split("\n"))
        where = f"{product.source}:{line}: cell {cell.id} of {product.folder} failed"
        raise BuildError(f"{where}\n{shown}\n  {reason.strip()}") from None


def write(notebook: NotebookNode, target: Path) -> None:
    """Write all of a notebook or nothing."""
    nbformat.validate(notebook)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        text = nbformat.writes(notebook)
        temporary.write_text(text + "\n" * (not text.endswith("\n")), encoding="utf-8")
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def build(product: Product, timeout_s: int) -> float:
    """Build one notebook and return the seconds that it took."""
    started = time.perf_counter()
    notebook = unexecuted(product)
    product.target.parent.mkdir(exist_ok=True)
    if product.executed:
        execute(notebook, product, timeout_s)
        scrub(notebook)
    write(notebook, product.target)
    return time.perf_counter() - started


def build_all(chosen: list[Product], root: Path, jobs: int, timeout_s: int) -> int:
    """Build what was chosen, `jobs` at a time; return how many failed."""
    failed = 0
    pool = ThreadPoolExecutor(max_workers=jobs)
    running = {pool.submit(build, p, timeout_s): p for p in chosen}
    try:
        for future in as_completed(running):
            name = running[future].target.relative_to(root)
            try:
                elapsed_s = future.result()
            except (BuildError, SourceError) as error:
                failed += 1
                print(f"FAILED {name}\n{error}", file=sys.stderr)
                continue
            late = f"  (a lesson takes {SLOW_S:.0f} s at most)"
            print(f"{name}  {elapsed_s:.1f} s{late * (elapsed_s > SLOW_S)}", flush=True)
    except KeyboardInterrupt:
        print("stopped; no notebook is half-written", file=sys.stderr, flush=True)
        os._exit(130)  # a kernel ends when it sees that its parent is gone
    pool.shutdown()
    return failed


def check_all(chosen: list[Product], root: Path, whole: bool) -> int:
    """Print what is out of step and how to mend it; return how many notebooks are."""
    failed = 0
    for product in chosen:
        name = product.target.relative_to(root)
        try:
            said = differences(product)
        except SourceError as error:
            failed += 1
            print(f"SOURCE {error}")
            continue
        for sentence in said[:3]:
            print(f"OUT OF STEP {name} {sentence}")
        failed += bool(said)
    wanted = {product.target for product in chosen}
    for path in sorted(p for f in FOLDERS for p in (root / f).glob("*.ipynb")):
        kept = ".before-" in path.name  # a learner's, by `longctx reset`
        if whole and path not in wanted and not kept:
            failed += 1
            print(f"ORPHAN {path.relative_to(root)} has no source in lessons/")
    if failed:
        print(f"{failed} out of step: edit lessons/ and say: make notebooks")
    else:
        print(f"{len(chosen)} notebooks agree with lessons/")
    return failed


def choose(root: Path, names: list[str]) -> list[Product]:
    """Keep the products whose source starts with one of the names; all without any."""
    known = products(root)
    for name in names:
        if not any(p.source.stem.startswith(name) for p in known):
            stems = ", ".join(sorted({p.source.stem for p in known})) or "none"
            raise BuildError(f"no source starts with {name!r}; there are: {stems}")
    return [p for p in known if not names or p.source.stem.startswith(tuple(names))]


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="starts of sources, such as 01")
    parser.add_argument("--check", action="store_true", help="compare, build nothing")
    parser.add_argument("--jobs", type=int, default=2, help="kernels at a time")
    parser.add_argument("--timeout", type=int, default=300, help="seconds per cell")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    try:
        chosen = choose(asked.root, asked.names)
    except BuildError as error:
        parser.error(str(error))
    if asked.check:
        return bool(check_all(chosen, asked.root, whole=not asked.names))
    return bool(build_all(chosen, asked.root, max(1, asked.jobs), asked.timeout))


if __name__ == "__main__":
    sys.exit(main())
