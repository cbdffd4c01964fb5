"""The examples in the tools' docstrings hold."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["check_sizes", "course_source"])
def test_examples(name):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted
    assert outcome.failed == 0, "see the captured output"
