"""A page for a learner: what passed, what did not, and the hint of each check."""

import html
from string import Template

from longctx_edu.grading.sheet import Mark, Sheet

__all__ = ["page_of"]

SIGNS = {"passed": "✓", "failed": "✗", "review": "?"}
COLOURS = {"passed": "#009E73", "failed": "#D55E00", "review": "#0072B2"}
GREY = "#6B7079"
PAGE = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Feedback for $learner</title>
<style>
body { font-family: system-ui, sans-serif; line-height: 1.5; max-width: 46rem;
  margin: 2rem auto; padding: 0 1rem; color: #1A1D21; background: #FFFFFF; }
pre { font-family: ui-monospace, monospace; white-space: pre-wrap; margin: 0;
  overflow-wrap: anywhere; }
section { border-left: 4px solid #6B7079; padding: 0.25rem 0.75rem; margin: 0.75rem 0; }
h1, h2, h3 { line-height: 1.2; } h3 { margin: 0.25rem 0; font-size: 1rem; }
.note { color: #4A4F57; font-size: 0.9rem; }
</style>
</head>
<body>
<h1>Feedback for $learner</h1>
$lessons
</body>
</html>
"""
)


def page_of(learner: str, sheets: list[Sheet]) -> str:
    """Write the page of a learner; it needs no other file.

    Args:
        learner: Their name.
        sheets: Of all that they handed in.
    """
    lessons = "\n".join(lesson_part(sheet) for sheet in sheets)
    return PAGE.substitute(learner=html.escape(learner), lessons=lessons)


def lesson_part(sheet: Sheet) -> str:
    """Write what came of one file."""
    title = f"Lesson {sheet.lesson}" if sheet.lesson else "Handed in"
    file = f'<p class="note">{html.escape(sheet.file)}</p>'
    if sheet.refused:
        why = html.escape(sheet.refused)
        part = f"<section><h3>Not graded</h3><pre>{why}</pre></section>"
        return "\n".join([f"<h2>{title}</h2>", file, part])
    head = f"<h2>{title}: {sheet.points:g} of {sheet.out_of:g} points</h2>"
    parts = [exercise_part(mark) for mark in sheet.marks]
    notes = [f'<pre class="note">{html.escape(note)}</pre>' for note in sheet.notes]
    if notes:
        notes = ["<h3>While the cells ran</h3>", *notes]
    return "\n".join([head, file, *parts, *notes])


def exercise_part(mark: Mark) -> str:
    """Write what came of one exercise."""
    colour = COLOURS.get(mark.status, GREY)
    points = f"{mark.points:g} of {mark.out_of:g}"
    name = html.escape(mark.exercise)
    lines = [
        f'<section style="border-color: {colour}">',
        f"<h3>{SIGNS.get(mark.status, '○')} {name}: {mark.status}, {points}</h3>",
        f"<pre>{html.escape(mark.message)}</pre>",
    ]
    if mark.leans_on:
        used = html.escape(", ".join(mark.leans_on))
        lines.append(f'<p class="note">It calls finished functions: {used}.</p>')
    return "\n".join([*lines, "</section>"])
