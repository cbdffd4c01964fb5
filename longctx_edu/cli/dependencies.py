"""Whether all that the library needs is installed, new enough, and loads."""

import subprocess
import sys
from contextlib import suppress
from importlib import metadata

from longctx_edu.cli.finding import Finding

LOADING_S = 4.0
# Names each module before it is loaded, so that one that ends the process is known.
TRY_IMPORTS = """
import importlib, sys
out, sys.stdout = sys.stdout, sys.stderr
for name in sys.argv[1:]:
    print(name, end="\\t", file=out, flush=True)
    try:
        importlib.import_module(name)
        said = "ok"
    except BaseException as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
    print(said, file=out, flush=True)
"""


def dependencies() -> Finding:
    """Load every core dependency in a fresh process, and compare its version."""
    from packaging.requirements import Requirement

    try:
        needs = map(Requirement, metadata.requires("longctx-edu") or [])
    except metadata.PackageNotFoundError:
        return "note", "longctx-edu is not installed", "pip install -e ."
    needs = [need for need in needs if not need.marker or need.marker.evaluate()]
    wrong = broken([need.name.replace("-", "_") for need in needs])
    for need in needs:
        with suppress(metadata.PackageNotFoundError):
            version = metadata.version(need.name)
            if not need.specifier.contains(version, prereleases=True):
                wrong.setdefault(need.name, f"is {version}, need {need.specifier}")
    if not wrong:
        return "ok", f"all {len(needs)} load", ""
    value = "; ".join(f"{name}: {reason}" for name, reason in wrong.items())
    if set(wrong.values()) == {"still loading"}:
        return "note", value, "a first load from a slow disk takes long: try again"
    return "missing", value, "make setup, or pip install --force-reinstall the named"


def broken(modules: list[str]) -> dict[str, str]:
    """Load modules in a fresh process, for LOADING_S; say why one does not load.

    Args:
        modules: Their names.
    """
    command = [sys.executable, "-P", "-W", "ignore", "-c", TRY_IMPORTS, *modules]
    end = "ends Python when it is loaded"
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=LOADING_S, stdin=subprocess.DEVNULL
        )
        said = done.stdout
    except subprocess.TimeoutExpired as stopped:
        said, end = stopped.stdout or b"", "still loading"
    lines = (
        line.partition("\t") for line in said.decode(errors="replace").splitlines()
    )
    told = {name: reason for name, tab, reason in lines if tab}
    told = told or {modules[0]: ""}  # not even the first was named
    return {name: why or end for name, why in told.items() if why != "ok"}
