"""Commands that take dataclasses: each field becomes an option."""

from collections.abc import Callable
from copy import copy
from dataclasses import asdict, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, get_args

import typer


def takes_options(run: Callable) -> Callable:
    """Turn the fields of a function's dataclass arguments into options of a command.

    Settings that belong together stay together, and each option, with its help,
    stands in one place, however many commands take it.

    Args:
        run: Called with the dataclasses, whose fields are all `Annotated` with an
            option; its other arguments stay as they are.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Size:
        ...     width: Annotated[int, option("How wide.")] = 3
        >>> @takes_options
        ... def area(size: Size, height: int) -> int:
        ...     return size.width * height
        >>> area(width=4, height=5)
        20
    """
    groups, plain = {}, []
    for name, parameter in signature(run).parameters.items():
        if is_dataclass(parameter.annotation):
            groups[name] = parameter.annotation
        else:
            plain.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))

    def command(**given: Any) -> Any:
        for name, kind in groups.items():
            names = [each.name for each in fields(kind)]
            given[name] = kind(**{n: given.pop(n) for n in names if n in given})
        return run(**given)

    parameters = [*plain, *(p for kind in groups.values() for p in _parameters(kind))]
    command.__name__, command.__doc__ = run.__name__, run.__doc__
    command.__signature__ = Signature(parameters)
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def option(text: str, *names: str, default: str = "", metavar: str = "") -> Any:
    """Describe an option.

    Args:
        text: Its help, in one sentence.
        names: What it is called, where the field's name does not tell.
        default: What holds where it is not given, for the help.
        metavar: What stands for its value in the help.
    """
    said = f"{text.removesuffix('.')} ({default})." if default else text
    return typer.Option(*names, help=said, show_default=False, metavar=metavar or None)


def flag(text: str, *names: str) -> Any:
    """Describe an option that is given or not, without a value.

    Args:
        text: Its help, in one sentence.
        names: What it is called, with its dashes.
    """
    return Annotated[bool, typer.Option(*names, help=text, show_default=False)]


def switch(text: str, name: str, *, default: str) -> Any:
    """Describe an option that says yes, as --name, or no, as --no-name; None: neither.

    Args:
        text: Its help, in one sentence.
        name: What it is called, without its dashes.
        default: What holds where neither is said, for the help.
    """
    said = option(text, f"--{name}/--no-{name}", default=default)
    return Annotated[bool | None, said]


def given(options: Any) -> dict[str, Any]:
    """Return what was asked for, by name.

    Args:
        options: A dataclass whose fields are None, or a flag's False, where nothing
            was. A field that is None by default was asked for where it is False.
    """
    nothing = {each.name: each.default for each in fields(options)}
    return {
        n: x
        for n, x in asdict(options).items()
        if x is not None and (x is not False or nothing[n] is None)
    }


def _parameters(kind: type) -> list[Parameter]:
    """Make parameters of fields; the help shows them under the dataclass's panel."""
    parameters = []
    for each in fields(kind):
        inner, about = get_args(each.type)
        about = copy(about)
        about.rich_help_panel = getattr(kind, "panel", None)
        parameters.append(
            Parameter(
                each.name,
                Parameter.KEYWORD_ONLY,
                default=each.default,
                annotation=Annotated[inner, about],
            )
        )
    return parameters
