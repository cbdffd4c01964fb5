"""The set-up says each thing once: pyproject, constraints, environment, Makefile."""

import os
import re
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import longctx_edu

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and line[0] != "#"]
    names = [canonicalize_name(name) for name, _ in pins]
    assert len(set(names)) == len(names), "each name is pinned once"
    return {name: Version(pin) for name, (_, pin) in zip(names, pins, strict=True)}


def direct() -> list[Requirement]:
    listed = [PROJECT["dependencies"], *EXTRAS.values()]
    return [Requirement(text) for requirements in listed for text in requirements]


def environment() -> tuple[list[str], list[str]]:
    """Give conda's packages and pip's lines."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [part["pip"] for part in listed if isinstance(part, dict)]
    return [part for part in listed if isinstance(part, str)], pip


def extras_in(text: str) -> set[str]:
    return set(
        re.search(r"\[([a-z,]+)\]|EXTRAS := ([a-z,]+)", text).expand(r"\1\2").split(",")
    )


def test_no_dependency_is_listed_twice():
    names = [canonicalize_name(requirement.name) for requirement in direct()]
    assert len(set(names)) == len(names)


def test_the_constraints_pin_every_dependency_inside_its_range():
    pins = constraints()
    outside = [
        str(requirement)
        for requirement in direct()
        if pins[canonicalize_name(requirement.name)] not in requirement.specifier
    ]
    assert outside == []


def test_torch_is_pinned_without_a_local_part():
    assert constraints()["torch"] == Version("2.13.0")
    assert "torch>=" in PROJECT["dependencies"][0]
    assert "<" not in PROJECT["dependencies"][0]


def test_conda_gives_python_and_pip_and_the_rest_is_the_package():
    conda, pip = environment()
    python, *others = conda
    assert others == ["pip"]
    assert Version(python.removeprefix("python=")) in SpecifierSet(
        PROJECT["requires-python"]
    )
    assert len(pip) == 1
    assert pip[0].startswith("-e .[")
    assert extras_in(pip[0]) <= set(EXTRAS)


def test_make_and_conda_install_the_same_extras():
    _, pip = environment()
    assert extras_in((ROOT / "Makefile").read_text()) == extras_in(pip[0])


def test_the_version_is_the_same_everywhere():
    assert longctx_edu.__version__ == PROJECT["version"]
    assert f"\n## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_licence_is_the_one_that_pyproject_names():
    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()[:200]
    assert "CC BY 4.0" in (ROOT / "LICENSE-TEXT").read_text()


def test_ci_can_be_run_and_runs_the_tests():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert "\nmake test\n" in script.read_text()


def make(*arguments: str) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True
    )


def test_make_help_lists_every_command():
    phony = re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text())[1].split()
    shown = re.findall(r"^  make ([\w-]+)", make("help").stdout, re.M)
    assert sorted(shown) == sorted(phony)


@pytest.mark.parametrize("version", ["3.10.13", "3.14.0"])
def test_make_refuses_a_python_that_does_not_fit(tmp_path, version):
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$1" in --version) echo Python {version};; *) exit 1;; esac\n'
    )
    python.chmod(0o755)
    venv = tmp_path / "venv"
    done = make("setup", f"PYTHON={python}", f"VENV={venv}")
    assert done.returncode == 2
    assert f"need Python 3.11, 3.12 or 3.13, got {python} (Python {version})" in (
        done.stdout
    )
    assert "make setup PYTHON=" in done.stdout
    assert not venv.exists()
