"""All commands under one name, and what happens when one of them fails."""

import os
import sys
from collections.abc import Sequence

import typer
from typer.core import TyperGroup

from longctx_edu.cli import (
    bench,
    bench_conversion,
    bench_decoding,
    bench_training,
    check,
    compare,
    data,
    demo,
    doctor,
    export,
    generate,
    grade,
    language,
    progress,
    reset,
    selftest,
    train,
    use,
)
from longctx_edu.cli.data_add import add, remove
from longctx_edu.cli.failure import in_one_line
from longctx_edu.errors import unknown_name

FAILED, INTERRUPTED = 2, 130


class Group(TyperGroup):
    """Commands under a name: alone it shows its help, a wrong one the nearest."""

    def parse_args(self, ctx, args):
        """Read a name without a command as a wish for help."""
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(self, ctx, args):
        """Refuse an unknown command with the names that come nearest."""
        known = self.list_commands(ctx)
        if not args[0].startswith("-") and args[0] not in known:
            raise unknown_name(f"command of {ctx.command_path}", args[0], known)
        return super().resolve_command(ctx, args)


def group(description: str) -> typer.Typer:
    """Open a group of commands.

    Args:
        description: The first line of its help.
    """
    return typer.Typer(
        cls=Group, help=description, add_completion=False, rich_markup_mode="rich"
    )


app = group("Long-context Transformers: check, train, evaluate and use them.")
app.command("doctor")(doctor.command)
app.command("demo")(demo.demo)
app.command("progress")(progress.progress)
app.command("reset")(reset.reset)
app.command("check")(check.check)
app.command("grade")(grade.grade)
app.command("selftest")(selftest.selftest)
trains = group("Train a model: a tagger of named entities, or a language model.")
trains.command("ner")(train.ner)
trains.command("lm")(language.lm)
app.add_typer(trains, name="train")
app.command("evaluate")(use.evaluate)
app.command("compare")(compare.compare)
app.command("predict")(use.predict)
app.command("generate")(generate.generate)
benches = group(
    "Measure on this machine: attention beside its peers, decoding, training."
)
benches.command("attention")(bench.attention)
benches.command("decoding")(bench_decoding.decoding)
benches.command("conversion")(bench_conversion.conversion)
benches.command("training")(bench_training.training)
app.add_typer(benches, name="bench")
texts = group("Look at data sets, check and add your own.")
texts.command("list")(data.known_sets)
texts.command("gazette")(data.gazette)
texts.command("add")(add)
texts.command("remove")(remove)
app.add_typer(texts, name="data")
exports = group("Write the course in the form of another tool.")
exports.command("nbgrader")(export.nbgrader)
app.add_typer(exports, name="export")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code.

    0: done; 1: the doctor, or a check of data, found something wrong; 2: a mistake in
    what was handed in, told in one line on stderr; 130: stopped by Ctrl-C.

    Args:
        argv: The words behind `longctx`; those of this process if None.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    command = typer.main.get_command(app)
    try:
        with command.make_context("longctx", words) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as done:
        return done.exit_code
    except KeyboardInterrupt as stop:
        print(str(stop) or "stopped by Ctrl-C", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        line = in_one_line(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return FAILED
    return 0
