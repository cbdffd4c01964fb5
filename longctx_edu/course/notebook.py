"""What a notebook needs beside the library: a hidden answer, live source, one alarm."""

import ast
import html
import inspect
import textwrap
from collections.abc import Callable

HIDDEN = "The answer is hidden: predict first, then open it in the notebook."


class Guess:
    """An answer that stays folded until the reader opens it.

    Args:
        value: The answer.
    """

    def __init__(self, value: object):
        self.value = value

    def __repr__(self) -> str:
        return HIDDEN

    def _repr_html_(self) -> str:
        answer = html.escape(answer_text(self.value))
        return (
            "<details><summary><b>Your prediction first</b>, then open the answer"
            f"</summary><pre>{answer}</pre></details>"
        )


def guess(value: object) -> Guess:
    """Hide a result until the reader has made a prediction.

    It needs no script and no widget, so it works in JupyterLab, in Colab and on a page.

    Args:
        value: The result; a tensor is shown as its numbers, rounded to 4 places.

    Example:
        >>> guess(9)
        The answer is hidden: predict first, then open it in the notebook.

    Source: The idea is that of the einops tutorials, `docs/utils`.
    """
    return Guess(value)


def answer_text(value: object) -> str:
    """Write an answer the way a reader would."""
    import torch

    if isinstance(value, torch.Size):
        return str(tuple(value))
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        if value.is_floating_point():
            value = value.double().mul(1e4).round().div(1e4) + 0.0  # no -0.0
        return str(value.tolist())
    return str(round(value, 4) if isinstance(value, float) else value)


class Source:
    """Source code that shows itself in colour.

    Args:
        text: The code.
    """

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def _repr_html_(self) -> str:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer

        looks = "font-family: monospace; line-height: 1.35; margin: 0"
        form = HtmlFormatter(noclasses=True, nobackground=True, prestyles=looks)
        return highlight(self.text, PythonLexer(), form)


def show_source(thing: Callable, *, docstring: bool = False) -> Source:
    """Show the source that runs, in colour.

    Args:
        thing: A function, a method or a class of the library.
        docstring: Whole docstrings; by default only their first line, so that the code
            is in view.

    Example:
        >>> print(show_source(guess).text.splitlines()[0])
        def guess(value: object) -> Guess:
    """
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(thing)))
    return Source(source if docstring else first_lines(source))


def first_lines(source: str) -> str:
    """Cut each docstring to its first line.

    Args:
        source: Of one function or class.
    """
    lines: list[str | None] = list(source.split("\n"))
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        text = ast.get_docstring(node, clean=False)
        if text is None:
            continue
        first, last = node.body[0].lineno - 1, node.body[0].end_lineno
        if last - first > 1:
            lines[first] = lines[first].rstrip() + lines[last - 1].strip()[-3:]
            lines[first + 1 : last] = [None] * (last - first - 1)
    return "\n".join(line for line in lines if line is not None).rstrip() + "\n"


def assert_close(derivation: object, library: object, atol: float = 1e-6) -> None:
    """Hold a lesson's derivation against the library: the alarm that rings on drift.

    Bools and whole numbers must be equal; floats may differ by `atol`.

    Args:
        derivation: What the lesson computed, a tensor or numbers.
        library: What the library gives for the same input.
        atol: Largest difference that still counts as the same.

    Raises:
        AssertionError: If shapes or values differ, or a value is not a number.

    Example:
        >>> import torch
        >>> assert_close([0.5, 0.5], torch.tensor([0.5, 0.5]))
        same numbers: largest difference below 1e-06
        >>> assert_close([True, False], torch.tensor([True, False]))
        same values: all 2
    """
    import torch

    ours, theirs = torch.as_tensor(derivation), torch.as_tensor(library)
    if ours.shape != theirs.shape:
        raise AssertionError(
            f"need equal shapes, got {tuple(ours.shape)} by hand "
            f"and {tuple(theirs.shape)} from the library"
        )
    if not (ours.is_floating_point() or theirs.is_floating_point()):
        unequal = int((ours != theirs).sum())
        if unequal:
            raise AssertionError(f"{unequal} of {ours.numel()} values differ")
        print(f"same values: all {ours.numel()}")
        return
    difference = (ours.double() - theirs.double()).abs()
    largest = difference.max().item() if difference.numel() else 0.0
    if not largest <= atol:  # also where it is nan
        raise AssertionError(f"the largest difference is {largest:.3g}, over {atol:g}")
    print(f"same numbers: largest difference below {atol:g}")
