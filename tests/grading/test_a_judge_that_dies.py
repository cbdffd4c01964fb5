"""A process of ours that is killed costs one submission its grade, and no other."""

import tempfile

from deadly_points import DeadlyPoints

from longctx_edu.course.outline import lessons
from longctx_edu.grading.grader import Rules
from longctx_edu.grading.points import read_points
from longctx_edu.grading.run import grade_folder

MASK = "import torch\ndef causal_mask(n):\n    return torch.ones(n, n).tril().bool()\n"
CHECKED = "from longctx_edu.checks.lesson_{} import check_{}\ncheck_{}(None)\n"


def test_only_its_own_submission_is_refused(tmp_path, monkeypatch):
    desk = tmp_path / "desk"
    desk.mkdir()
    monkeypatch.setenv("TMPDIR", str(desk))
    monkeypatch.setattr(tempfile, "tempdir", None)
    folder = tmp_path / "submissions"
    folder.mkdir()
    known = lessons()
    block = known[2].exercises[0].name
    deadly = CHECKED.format("02", block, block)
    honest = CHECKED.format("01", "causal_mask", "causal_mask") + MASK
    for n, text in enumerate([honest, honest, deadly, honest, honest, honest]):
        (folder / f"learner-{n}.py").write_text(text)
    points = DeadlyPoints(read_points(None, known))
    heard = []

    graded = grade_folder(
        folder,
        tmp_path / "grades",
        Rules(points),
        jobs=2,
        heard=lambda done, total, sheet: heard.append(sheet.file),
    )

    sheets = {sheet.learner: sheet for sheet in graded.sheets}
    assert sorted(heard) == sorted(path.name for path in folder.iterdir())
    assert sheets.pop("learner-2").refused == "the process that judges it ended"
    assert len(sheets) == 5
    for sheet in sheets.values():
        assert not sheet.refused
        assert sheet.points == 1.0

    assert list(desk.iterdir()) == [], "no folder stays behind"
    again = grade_folder(folder, tmp_path / "grades", Rules(points), jobs=1)
    assert again.n_new == 1, "only what was refused is tried once more"
