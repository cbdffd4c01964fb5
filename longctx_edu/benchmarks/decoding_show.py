"""Print what decoding cost: steps with and without a cache, then the streams."""

from rich.console import Console

from longctx_edu.benchmarks.record import Row
from longctx_edu.benchmarks.show import new_table, print_table, say


def show_decoding(report: Row, console: Console) -> None:
    """Print the report as two tables.

    Args:
        report: What `run_decoding` returns.
        console: Where to print.
    """
    settings, machine = report["settings"], report["machine"]
    say(
        console,
        f"{machine.get('gpu', machine['processor'])}, {machine['threads']} threads; "
        f"float32, random weights",
        f"{settings['n_layers']} layers, {settings['n_heads']} heads of queries, "
        f"{settings['n_kv_heads']} of keys, d_model {settings['d_model']}; median of "
        f"{settings['steps']} steps with a cache, of {settings['again']} without",
    )
    table = new_table("length", "way", "ms a token", "tokens/s")
    for row in report["steps"]:
        table.add_row(
            f"{row['length']:,}",
            row["way"],
            f"{1000 * row['seconds']:,.2f}",
            f"{row['tokens_per_s']:,.1f}",
        )
    print_table(table, "one token more", console)
    names = ("tokens", "cache", "cache KB", "formula KB", "room KB", "peak MB")
    table = new_table(*names, "tokens/s")
    for row in report["streams"]:
        held = (row[name] for name in ("cache_bytes", "formula_bytes"))
        table.add_row(
            f"{settings['stream']:,}",
            f"{row['cache']}, {row['kept_tokens']:,}",
            *(f"{n_bytes / 1e3:,.1f}" for n_bytes in (*held, row["reserved_bytes"])),
            f"{row['peak_bytes'] / 1e6:,.1f}",
            f"{row['tokens_per_s']:,.0f}",
        )
    title = f"a stream, {settings['piece']} tokens at a time"
    print_table(table, title, console)
