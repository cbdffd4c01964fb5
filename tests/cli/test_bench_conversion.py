import json

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from longctx_edu.data.cut import Splits

BENCH = ("bench", "conversion")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NAMES = [
    "original",
    "original, in chunks",
    "long, random rows",
    "long, copied rows",
    "in chunks, trained on",
    "long, trained on",
]
LADDER = "longctx_edu.recipes.conversion.conversion_ladder"


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A folder with a random BERT that reads 32 letters at once."""
    folder = tmp_path_factory.mktemp("bert")
    letters = [chr(code) for code in range(33, 127)]
    names = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    fast = Tokenizer(WordPiece({n: i for i, n in enumerate(names)}, unk_token="[UNK]"))
    fast.pre_tokenizer = BertPreTokenizer()
    tokens = {f"{name[1:-1].lower()}_token": name for name in SPECIAL}
    PreTrainedTokenizerFast(tokenizer_object=fast, **tokens).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(names),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=32,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def words(bert, sea):
    sizes = ("--lengths", "72,16", "--left", 8, "--right", 6, "--held-tokens", 90)
    steps = ("--head-steps", 1, "--steps", 2, "--seed", 3)
    return [*BENCH, "--text", sea, "--model", bert, *sizes, *steps]


def test_it_measures_prints_and_keeps(call, words, tmp_path, sea, bert):
    code, out, err = call(*words, "--json", "a/b.json", "--quiet")
    assert (code, err) == (0, "")
    report = json.loads((tmp_path / "a" / "b.json").read_text())
    assert report["complete"]
    asked = {"text": str(sea), "model": str(bert), "lengths": [72, 16], "left": 8}
    asked |= {"right": 6, "held_tokens": 90, "head_steps": 1, "steps": 2, "seed": 3}
    assert asked.items() <= report["settings"].items()
    assert [rung["name"] for rung in report["rungs"]] == NAMES
    assert report["rungs"][0]["bits"]["72"] is None
    for rung in report["rungs"]:
        line = next(
            row for row in out.splitlines() if row.startswith(f"{rung['name']}  ")
        )
        assert f"{rung['bits']['16']:.3f}" in line
    assert "cannot" in out
    control, trained = (rung["bits"]["72"] for rung in report["rungs"][-2:])
    word = "fewer" if trained < control else "more"
    apart = f"{abs(trained - control):.3f} bits {word}"
    assert f"at 72 tokens, {apart} than trained on in chunks" in out
    assert out.endswith("\nkept in a/b.json\n")


def test_without_a_file_nothing_is_kept_and_bars_are_shown(call, words, sea, tmp_path):
    code, out, err = call(*words)
    assert (code, list(tmp_path.iterdir())) == (0, [sea])
    assert "kept in" not in out
    assert "tokens/s" in err


def test_taggers(call, words, monkeypatch):
    seen = {}

    def fine_tuned(starts, splits, *, left, right, training, progress):
        longest = [reader.longest for reader in starts.values()]
        seen.update(longest=longest, how=(left, right, progress, splits.types))
        seen.update(epochs=training.epochs, seed=training.seed)
        return dict.fromkeys(starts, 0.25)

    splits = Splits("towns", [], [], [], ("PLACE",))
    monkeypatch.setattr("longctx_edu.data.catalogue.load", {"towns": splits}.get)
    monkeypatch.setattr("longctx_edu.recipes.conversion_ner.fine_tuned_f1", fine_tuned)
    more = ("--ner", "towns", "--ner-epochs", 2, "--quiet", "--json", "a.json")
    code, out, _ = call(*words, *more)
    assert code == 0
    assert (seen["longest"], seen["how"]) == ([72] * 3, (8, 6, False, ("PLACE",)))
    assert (seen["epochs"], seen["seed"]) == (2, 3)
    rows = out[out.index("towns, fine-tuned from") :]
    starts = [NAMES[2], NAMES[3], NAMES[5]]
    assert [name for name in NAMES if f"\n{name}  " in rows] == starts
    assert rows.count("0.250") == 3
    with open("a.json") as file:
        report = json.load(file)
    assert report["ner"] == {"data": "towns", "f1": dict.fromkeys(starts, 0.25)}


def test_threads(call, words, monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(LADDER, lambda *_, **__: [])
    try:
        assert call(*words, "--threads", 2, "--quiet")[0] == 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--steps", 0], "need steps >= 1, got steps=0"),
        (["--left", -1], "need left and right that are whole numbers >= 0 or None, "),
        (["--lengths", "a"], "need --lengths as whole numbers with commas, got 'a'"),
        (["--lengths", "16"], "need lengths > 2, one of them > 32, what the model "),
        (["--lengths", "900"], "need at least 900 tokens to learn from for texts of "),
        (["--threads", 0], "need --threads >= 1, got 0"),
        (["--json", "."], "need a file as --json, got the folder ."),
        (["--text", "no.txt"], "no.txt"),
        (["--model", "./no"], "need a folder with a pretrained model, got './no'"),
        (["--ner", "./no"], "no"),
        (["--ner-epochs", 0, "--ner", "gazette"], "need epochs >= 1, got epochs=0"),
        (["--step", 3], "no such option: --step; did you mean --steps"),
    ],
)
def test_a_mistake_is_told_in_one_line(refused, words, more, line):
    assert line in refused(*words, "--quiet", *more)


def test_without_a_text(refused):
    assert refused(*BENCH) == "need --text with a text file, got none"


def test_ctrl_c(call, words, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(LADDER, stop)
    assert call(*words) == (130, "", "stopped by Ctrl-C\n")
    said = "stopped by Ctrl-C; what was measured is in a.json\n"
    assert call(*words, "--json", "a.json") == (130, "", said)
