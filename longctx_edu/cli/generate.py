"""`longctx generate`: a trained language model writes on, and the text is shown."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from longctx_edu.cli.options import flag, given, option, takes_options
from longctx_edu.cli.use import standard_input
from longctx_edu.errors import UserError

RUN = Annotated[Path, typer.Argument(help="Where `longctx train lm` left the model.")]
TEMPERATURE = 0.8


@dataclass(frozen=True)
class Choice:
    """The options that say how the next token is chosen."""

    panel: ClassVar[str] = "The choice of a token"

    temperature: Annotated[
        float | None,
        option("Below 1 likely tokens gain, above 1 unlikely ones.", default="0.8"),
    ] = None
    top_k: Annotated[
        int | None, option("Likeliest tokens that are drawn from.", default="all")
    ] = None
    top_p: Annotated[
        float | None, option("Share that those tokens cover.", default="1")
    ] = None
    greedy: flag("Always the likeliest token: no chance.", "--greedy") = False
    seed: Annotated[int | None, option("Another seed, another text.", default="0")] = (
        None
    )


@dataclass(frozen=True)
class Memory:
    """The options that say what the model keeps of what it has read."""

    panel: ClassVar[str] = "What is kept of the text"

    left: Annotated[
        int | None,
        option("Last tokens in the cache.", default="as in training"),
    ] = None
    sinks: Annotated[
        int | None, option("First tokens in the cache, beside them.", default="0")
    ] = None
    no_cache: flag("Read all again for each new token: slow.", "--no-cache") = False


@takes_options
def generate(
    run: RUN,
    choice: Choice,
    memory: Memory,
    prompt: Annotated[
        str,
        option("How the text begins; - reads standard input, less its last line end."),
    ] = "",
    tokens: Annotated[int, option("New tokens.", default="200")] = 200,
) -> None:
    """Let a trained language model write on, and print the text as it comes."""
    from longctx_edu.recipes.continuation import continue_text
    from longctx_edu.recipes.language_run import load_language_run

    if tokens < 1:
        raise UserError(f"need --tokens >= 1, got {tokens}")
    need_one_way(choice, memory)
    if prompt == "-":
        prompt = standard_input().removesuffix("\n")
    found = load_language_run(run)
    pieces = continue_text(
        found,
        prompt,
        n_tokens=tokens,
        choose=choose_by(choice, found.tokenizer.vocab_size),
        left=memory.left,
        sinks=memory.sinks or 0,
        cached=not memory.no_cache,
    )
    print(prompt, end="", flush=True)
    for piece in pieces:
        print(piece, end="", flush=True)
    print()


def choose_by(choice: Choice, vocab_size: int) -> Callable[[Any], Any]:
    """Return what chooses the next token.

    Args:
        choice: What was asked for.
        vocab_size: Ids of the tokenizer.

    Raises:
        ValueError: If a number is outside of its range.
    """
    from longctx_edu.models import greedy
    from longctx_edu.recipes.continuation import chooser

    if choice.greedy:
        return greedy
    return chooser(vocab_size, **{"temperature": TEMPERATURE, **given(choice)})


def need_one_way(choice: Choice, memory: Memory) -> None:
    """Refuse options that contradict each other, or that no model can follow.

    Args:
        choice: How the next token is chosen.
        memory: What is kept of the text.

    Raises:
        UserError: Naming the option that has to go.
    """
    drawn = {n for n in given(choice) if n not in ("greedy", "seed")}
    kept = {n for n in given(memory) if n != "no_cache"}
    for alone, others in (
        ("greedy", drawn if choice.greedy else ()),
        ("no_cache", kept if memory.no_cache else ()),
    ):
        if others:
            first, name = (n.replace("_", "-") for n in (min(others), alone))
            raise UserError(f"need --{first} or --{name}, got both: leave one out")
    if choice.temperature is not None and not choice.temperature > 0:
        raise UserError(
            f"need --temperature > 0, got {choice.temperature}: for the likeliest "
            "token say --greedy"
        )
    if choice.seed is not None and not 0 <= choice.seed < 2**63:
        raise UserError(f"need --seed from 0 to 2**63 - 1, got {choice.seed}")
