"""The plan for teachers names the minutes that the notebooks themselves name."""

import re

import machinery as m

PLAN = (m.ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \d+ \| (\d\d) (\w+) \| (\d+) \| (\d+) \|", re.MULTILINE)
READING = re.compile(r"about\s+(\d+)\s+minutes")
EXERCISE = re.compile(r"^# \*\*(\d+) minutes", re.MULTILINE)


def text(path):
    return re.sub(r"\n# ?", " ", path.read_text(encoding="utf-8")[:1500])


def minutes_of(lesson):
    """Read a lesson's minutes, and the sum of its exercises' own."""
    exercises = lesson.with_name(f"{lesson.stem}_exercises.py").read_text("utf-8")
    reading = READING.search(text(lesson)) or re.search(r"(\d+) minutes", text(lesson))
    return int(reading[1]), sum(map(int, EXERCISE.findall(exercises)))


def test_every_lesson_has_its_row_and_its_minutes():
    planned = {f"{n}_{name}": (int(a), int(b)) for n, name, a, b in ROW.findall(PLAN)}
    assert planned == {lesson.stem: minutes_of(lesson) for lesson in m.LESSONS}


def test_the_make_targets_that_it_names_exist():
    makefile = (m.ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make (\w+)", PLAN)):
        assert f"\n{target}: " in makefile, target
