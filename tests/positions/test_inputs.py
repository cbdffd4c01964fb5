import inspect
import math

import pytest

from longctx_edu.positions import inputs


def said(check, *args):
    # Unwrapped: a caller who runs no type checks gets the message of the function.
    with pytest.raises(ValueError) as error:
        inspect.unwrap(check)(*args)
    return str(error.value)


@pytest.mark.parametrize("width", [4.0, True, "4", None])
def test_a_width_that_is_no_whole_number(width):
    text = f"need an even d_head >= 2, got {width}"
    assert said(inputs.check_width, "d_head", width) == text


@pytest.mark.parametrize("count", [0, 2.0, True, "4", None])
def test_a_count_that_is_no_whole_number(count):
    text = f"need n_heads that is a whole number >= 1, got {count}"
    assert said(inputs.check_count, "n_heads", count) == text


@pytest.mark.parametrize("number", [0, -1.5, math.nan, math.inf])
def test_a_factor_that_is_not_positive(number):
    text = f"need a finite share > 0, got {number}"
    assert said(inputs.check_positive, "share", number) == text
