import json

import pytest

from longctx_edu.course.progress import as_text, progress_file, read_progress
from longctx_edu.course.record import Progress, Quizzed, Tried

DONE = Tried("done", 2, "2026-01-01", "2026-01-02", "2026-01-02")
BEGUN = Tried("started", 3, "2026-01-01", "2026-01-03")
NOTED = Progress(
    {"00/chunk_of": DONE, "05/window_mask": BEGUN, "05/dilated_mask": DONE},
    {"05": Quizzed(4, 5, 1, "2026-01-01", "2026-01-01")},
)


@pytest.fixture
def noted():
    """Let some progress be there."""
    progress_file().parent.mkdir(parents=True)
    progress_file().write_text(as_text(NOTED))


def test_the_table_counts_each_lesson_and_names_the_next_step(call, noted):
    code, out, err = call("progress")
    rows = {line[:2]: line.split() for line in out.splitlines() if line}
    assert (code, err) == (0, "")
    assert rows["le"] == ["lesson", "done", "started", "open", "self-test"]
    assert rows["00"] == ["00", "Start", "here", "1", "0", "2"]
    assert " ".join(rows["05"]) == "05 Structured attention 1 1 9 4 of 5"
    assert rows["al"][:3] == ["all", "2", "1"]
    assert out.endswith(
        "Next: exercise 5.1 window_mask, A window\n"
        "      in exercises/05_structured_attention.ipynb\n"
    )


def test_without_progress_the_first_exercise_is_next(call):
    code, out, _ = call("progress")
    assert code == 0 and "Next: exercise 0.1 chunk_of" in out
    assert not progress_file().parent.exists()


def test_a_lesson_shows_its_exercises(call, noted):
    _, out, _ = call("progress", "5")
    lines = out.splitlines()
    assert " ".join(lines[1].split()) == "5.1 A window window_mask … started 3"
    assert lines[2].split() == ["5.2", "Dilation", "dilated_mask", "✓", "done", "2"]
    assert lines[3].split() == ["5.3", "Global", "tokens", "add_globals", "○", "open"]


def test_json_holds_the_same(call, noted):
    found = json.loads(call("progress", "--json")[1])
    assert found["file"] == str(progress_file())
    five = next(each for each in found["lessons"] if each["number"] == "05")
    assert five["notebook"] == "exercises/05_structured_attention.ipynb"
    assert five["self_test"]["right"] == 4
    states = [(e["number"], e["status"], e["tries"]) for e in five["exercises"][:3]]
    assert states == [("5.1", "started", 3), ("5.2", "done", 2), ("5.3", "open", 0)]
    assert found["next"]["name"] == "window_mask"
    assert found["next"]["notebook"] == five["notebook"]
    assert len(json.loads(call("progress", "05", "--json")[1])["lessons"]) == 1


def test_all_done_is_said(call):
    lessons = json.loads(call("progress", "--json")[1])["lessons"]
    keys = [f"{e['lesson']}/{e['name']}" for each in lessons for e in each["exercises"]]
    progress_file().parent.mkdir(parents=True)
    progress_file().write_text(as_text(Progress(dict.fromkeys(keys, DONE))))
    assert call("progress")[1].endswith("\nAll exercises are done.\n")
    assert json.loads(call("progress", "--json")[1])["next"] is None


def test_progress_moves_to_another_machine(call, noted, tmp_path, monkeypatch):
    code, _, err = call("progress", "--export", tmp_path / "mine.json")
    assert code == 0 and "progress is written to" in err
    assert read_progress(tmp_path / "mine.json") == NOTED
    monkeypatch.setenv("LONGCTX_HOME", str(tmp_path / "other"))
    progress_file().parent.mkdir()
    progress_file().write_text(as_text(Progress({"05/window_mask": DONE})))
    code, out, err = call("progress", "--import", tmp_path / "mine.json")
    assert code == 0 and "3 exercises of" in err and "Next: exercise 5.3" in out
    found = read_progress(progress_file())
    assert found.exercises["05/window_mask"].status == "done"
    assert found.exercises["00/chunk_of"] == DONE
    before = progress_file().read_bytes()
    call("progress", "--import", tmp_path / "mine.json")
    assert progress_file().read_bytes() == before


def test_an_earlier_export_is_replaced_and_another_file_is_not(
    call, refused, noted, tmp_path
):
    mine = tmp_path / "mine.json"
    mine.write_text(as_text(Progress()))
    assert call("progress", "--export", mine)[0] == 0
    assert read_progress(mine) == NOTED
    mine.write_text("my notes")
    said = refused("progress", "--export", mine)
    assert said.startswith("need a new file or an earlier export, got ")
    assert mine.read_text() == "my notes"


def test_a_wrong_import_changes_nothing(refused, noted, tmp_path):
    before = progress_file().read_bytes()
    assert "no file gone.json" in refused("progress", "--import", "gone.json")
    (tmp_path / "bad.json").write_text("{")
    said = refused("progress", "--import", tmp_path / "bad.json")
    assert said.startswith("need a record of progress in ") and "damaged" in said
    assert progress_file().read_bytes() == before
    assert (tmp_path / "bad.json").read_text() == "{"


def test_a_damaged_file_is_kept_aside_and_said(call, noted):
    progress_file().write_text("{")
    code, out, err = call("progress")
    assert code == 0 and "Next: exercise 0.1" in out
    kept = progress_file().with_name("progress.damaged-1.json")
    assert err == f"the record of progress was damaged; it is kept as {kept}\n"
    assert kept.read_text() == "{"
    assert call("progress")[2] == ""


def test_a_file_of_a_later_version_is_refused(refused, noted):
    progress_file().write_text('{"version": 9}')
    assert "got version 9: update longctx" in refused("progress")
    assert progress_file().read_text() == '{"version": 9}'


def test_an_unknown_lesson_is_refused(refused):
    said = refused("progress", "structured_atention")
    assert said.startswith("unknown lesson 'structured_atention': did you mean 05_str")


def test_it_starts_without_torch():
    import subprocess
    import sys

    code = (
        "import sys\nfrom longctx_edu.cli import main\nmain(['progress'])\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("\nFalse\n")
