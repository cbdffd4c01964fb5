import io
import sys

import pytest
import torch

from longctx_edu.cli import main
from longctx_edu.cli.generate import Choice, choose_by
from longctx_edu.recipes.language_run import load_language_run

# what it says


def said(call, language_run, *words):
    code, out, err = call("generate", language_run, *words)
    assert (code, err) == (0, "")
    return out


def test_a_text_goes_on(call, language_run):
    out = said(call, language_run, "--prompt", "the old", "--tokens", 12)
    assert out.startswith("the old") and out.endswith("\n")
    assert len(out) > len("the old\n")
    assert said(call, language_run, "--prompt", "the old", "--tokens", 12) == out
    other = said(call, language_run, "--prompt", "the old", "--tokens", 12, "--seed", 1)
    assert other != out


def test_what_is_said_is_what_the_recipe_says(call, language_run):
    from longctx_edu.recipes.continuation import chooser, continue_text

    words = ["--temperature", 0.5, "--top-k", 9, "--top-p", 0.9, "--seed", 7]
    words += ["--left", 5, "--sinks", 2, "--prompt", "boats", "--tokens", 30]
    choose = chooser(270, temperature=0.5, top_k=9, top_p=0.9, seed=7)
    pieces = continue_text(
        load_language_run(language_run),
        "boats",
        n_tokens=30,
        choose=choose,
        left=5,
        sinks=2,
    )
    assert said(call, language_run, *words) == f"boats{''.join(pieces)}\n"


def test_the_likeliest_token_with_and_without_cache(call, language_run):
    words = ["--greedy", "--prompt", "the", "--tokens", 20]
    assert said(call, language_run, *words) == said(
        call, language_run, *words, "--no-cache"
    )
    assert said(call, language_run, *words) == said(
        call, language_run, *words, "--seed", 5
    )


def test_the_choice_without_a_word():
    logits = torch.randn(1, 50, generator=torch.Generator().manual_seed(0))
    how = choose_by(Choice(), 50)
    assert how.keywords["temperature"] == 0.8
    assert (how.keywords["top_k"], how.keywords["top_p"]) == (None, None)
    assert choose_by(Choice(greedy=True), 50)(logits) == logits.argmax(dim=-1)


def test_the_default_of_the_seed_is_zero(call, language_run):
    words = ["--prompt", "the", "--tokens", 20]
    assert said(call, language_run, *words) == said(
        call, language_run, *words, "--seed", 0
    )


def test_an_empty_prompt_begins_with_the_start_token(call, language_run):
    out = said(call, language_run, "--tokens", 8)
    assert "<start>" not in out
    assert said(call, language_run, "--prompt", "", "--tokens", 8) == out


def test_the_prompt_can_come_from_standard_input(
    call, language_run, refused, monkeypatch
):
    def standard_input(content):
        stream = io.TextIOWrapper(io.BytesIO(content), encoding="latin-1")
        monkeypatch.setattr(sys, "stdin", stream)

    standard_input("Zoë's\ncafé\n".encode())
    out = said(call, language_run, "--prompt", "-", "--tokens", 5)
    wanted = said(call, language_run, "--prompt", "Zoë's\ncafé", "--tokens", 5)
    assert out == wanted and out.startswith("Zoë's\ncafé")
    standard_input(b"z\xe9ro")
    assert refused("generate", language_run, "--prompt", "-") == (
        "need UTF-8 on standard input, got the byte 0xe9 at 1"
    )


def test_the_text_is_printed_as_it_comes(language_run, monkeypatch):
    class Paper(io.StringIO):
        seen: list = []  # noqa: RUF012

        def flush(self):
            self.seen.append(self.getvalue())

    monkeypatch.setattr(sys, "stdout", Paper())
    assert (
        main(["generate", str(language_run), "--prompt", "the old", "--tokens", "6"])
        == 0
    )
    assert Paper.seen[0] == "the old"
    assert len(set(Paper.seen)) > 3


# what is refused


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--temperature", 0],
            "need --temperature > 0, got 0.0: for the likeliest token say --greedy",
        ),
        (
            ["--temperature", -1],
            "need --temperature > 0, got -1.0: for the likeliest token say --greedy",
        ),
        (
            ["--temperature", "nan"],
            "need --temperature > 0, got nan: for the likeliest token say --greedy",
        ),
        (
            ["--top-k", 0],
            "need top_k from 1 to the 270 tokens of the vocabulary, got 0",
        ),
        (["--top-p", 2], "need a top_p above 0 and up to 1, got 2.0"),
        (["--tokens", 0], "need --tokens >= 1, got 0"),
        (["--seed", -1], "need --seed from 0 to 2**63 - 1, got -1"),
        (["--seed", 2**63], f"need --seed from 0 to 2**63 - 1, got {2**63}"),
        (
            ["--sinks", 4],
            "need --left beside --sinks 4, got none: say how many of the last tokens "
            "are kept, such as --left 127",
        ),
        (
            ["--left", -2],
            "need left that is a whole number >= 0 or None, got -2",
        ),
        (
            ["--greedy", "--top-k", 3, "--temperature", 2.0],
            "need --temperature or --greedy, got both: leave one out",
        ),
        (
            ["--no-cache", "--left", 3],
            "need --left or --no-cache, got both: leave one out",
        ),
        (["--promt", 3], "no such option: --promt; did you mean --prompt?"),
    ],
)
def test_a_mistake_is_told_in_one_line(refused, language_run, words, line):
    assert refused("generate", language_run, "--prompt", "the", *words) == line


def test_a_learned_table_that_ends(call, refused, learned_run):
    n = len(load_language_run(learned_run).tokenizer.encode("boats"))
    assert refused("generate", learned_run, "--prompt", "boats") == (
        f"need at most 16 tokens for the model's table of learned positions, got {n} "
        f"of the prompt and 200 new ones: take --tokens {17 - n}, or a model trained "
        "with --positions rotary"
    )
    assert said(call, learned_run, "--prompt", "boats", "--tokens", 17 - n)
    line = refused("generate", learned_run, "--tokens", 2, "--left", 3, "--sinks", 1)
    assert line == (
        "need a model trained with --positions rotary, alibi or none for --sinks 1, "
        "got learned, whose tokens carry their place with them: leave --sinks out"
    )


def test_no_language_model(refused, trained, tmp_path):
    assert refused("generate", "nowhere") == (
        "need a folder with a saved model, got nowhere: no such folder"
    )
    assert refused("generate", trained) == (
        "need a language model that longctx train lm wrote, got another config.json "
        f"in {trained}"
    )
    assert refused("predict", tmp_path, "Ada") == (
        f"need config.json in {tmp_path}, got none"
    )


def test_a_language_model_tags_nothing(refused, language_run):
    assert refused("predict", language_run, "Ada") == (
        "need a tagger that longctx train wrote, got another config.json in "
        f"{language_run}"
    )
