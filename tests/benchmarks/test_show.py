import io

import pytest
from rich.console import Console

from longctx_edu.benchmarks import draw_benchmark, show_benchmark
from longctx_edu.benchmarks.figure import check_figure
from longctx_edu.benchmarks.show import growth_by_row


def row(impl, length, seconds, **more):
    known = {"impl": impl, "length": length, "seconds": seconds, "dtype": "float32"}
    known |= {"mode": "forward", "peak_bytes": 3_000_000, "share_of_peak": 0.417}
    return {**known, "max_error": 5e-7, **more}


def report(rows, *, skipped=(), variants=()):
    settings = {"n_heads": 8, "d_head": 64, "batch": 1, "left": 256, "right": 256}
    settings |= {"n_global": 1, "repeats": 5, "dtypes": ["float32"]}
    return {
        "gemm_gflops_by_dtype": {"float32": 149.6},
        "machine": {"processor": "A [bold] 1", "threads": 2},
        "settings": {**settings, "modes": ["forward", "forward_backward"]},
        "implementations": {"window": "", "sdpa": "", "flex": ""},
        "rows": list(rows),
        "variants": list(variants),
        "skipped": list(skipped),
    }


ROWS = [
    row("window", 1024, 0.01),
    row("sdpa", 1024, 0.02),
    row("window", 4096, 0.04),
    row("sdpa", 4096, 0.32, max_error=None, peak_bytes=None, share_of_peak=None),
]


def printed(found):
    out = io.StringIO()
    show_benchmark(found, Console(width=80, file=out))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_table():
    assert printed(report(ROWS)) == [
        "A [bold] 1, 2 threads; products of matrices (10^9 operations/s): float32 150",
        "8 heads of 64, batch 1; window 256 + 256, 1 global; median of 5",
        "",
        "float32, forward",
        "length implementation seconds x window x at 2n peak MB of GEMM max error",
        " 1,024 window          0.0100      1.0       -       3     42%   5.0e-07",
        "       sdpa            0.0200      2.0       -       3     42%   5.0e-07",
        " 4,096 window          0.0400      1.0    2.00       3     42%   5.0e-07",
        "       sdpa            0.3200      8.0    4.00       -       -         -",
    ]


def test_what_is_missing_is_said_once_for_each_reason():
    gaps = [
        {"impl": "flex", "length": n, "dtype": "float32", "mode": mode, "reason": why}
        for n, mode, why in [
            (1024, "forward_backward", "no [red]backward[/]"),
            (4096, "forward_backward", "no [red]backward[/]"),
            (4096, "forward", "too slow"),
        ]
    ]
    assert printed(report([], skipped=gaps))[3:] == [
        "not measured",
        "  flex: no [red]backward[/] (1,024 float32, forward + backward and 1 more)",
        "  flex: too slow (4,096 float32, forward)",
    ]


def test_the_table_of_the_variants():
    plain = {**row("-", 64, 0.01), "variant": "plain", "ratio_to_plain": 1.0}
    wide = {**row("-", 64, 0.02), "variant": "dilation_2", "ratio_to_plain": 2.0}
    assert printed(report([], variants=[plain, wide]))[3:] == [
        "window, float32, forward",
        "length variant    seconds x plain peak MB max error",
        "    64 plain       0.0100    1.00       3   5.0e-07",
        "       dilation 2  0.0200    2.00       3   5.0e-07",
    ]


def test_growth_is_for_twice_the_length():
    first, grown = growth_by_row([row("a", 1024, 1.0), row("a", 8192, 64.0)])
    assert (first, round(grown, 9)) == (None, 4.0)
    assert growth_by_row([row("a", 1024, 1.0), row("b", 8192, 64.0)]) == [None, None]


# the figure


def test_the_figure_has_time_and_memory_for_each_mode():
    both = [*ROWS, *(dict(each, mode="forward_backward") for each in ROWS)]
    axes = draw_benchmark(report(both)).figure.axes
    units = ["time (s)", "peak memory (MB)"] * 2
    assert [ax.get_ylabel() for ax in axes] == units
    modes = ["float32, forward"] * 2 + ["float32, forward + backward"] * 2
    assert [ax.get_title() for ax in axes] == modes
    lines = {line.get_label(): line for line in axes[0].lines}
    assert lines["sdpa"].get_ydata().tolist() == [0.02, 0.32]
    assert "flex" not in lines
    (memory,) = [line for line in axes[1].lines if line.get_label() == "sdpa"]
    assert memory.get_ydata().tolist() == [3.0]  # what is not known has no point


def test_nothing_measured_is_no_figure():
    assert draw_benchmark(report([])) is None


def test_a_figure_is_a_png(tmp_path):
    check_figure(tmp_path / "a.png")
    with pytest.raises(
        ValueError, match=r"^need a figure that ends in .png, got .*svg$"
    ):
        check_figure(tmp_path / "a.svg")
