"""Variables of the environment, set for a while."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["variables"]


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Set variables for this process and those that it starts; then as before.

    Args:
        values: By name.

    Example:
        >>> with variables(LONGCTX_PROGRESS="off"):
        ...     os.environ["LONGCTX_PROGRESS"]
        'off'
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
