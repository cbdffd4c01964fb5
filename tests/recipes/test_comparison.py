import io
import json
import re
import shutil
from dataclasses import replace

import pytest
import torch
from rich.console import Console

from longctx_edu.data.catalogue import load as load_data
from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError
from longctx_edu.metrics import entity_counts, paired_bootstrap
from longctx_edu.recipes.comparison import compare_runs, drawn_units, run_folders
from longctx_edu.recipes.scores import score_documents
from longctx_edu.recipes.show_seeds import show_comparison, show_seeds
from longctx_edu.recipes.tagger import Tagger, load


@pytest.fixture(scope="module")
def six():
    return load_data("gazette", counts=(1, 1, 6), n_tokens=160)


@pytest.fixture
def skilled(monkeypatch):
    """Let a folder's name say how many of the documents its tagger gets right."""

    def predict(self, documents, **_):
        right = self.skill
        return [
            d.tags if n < right else ("O",) * len(d) for n, d in enumerate(documents)
        ]

    def load_skilled(folder):
        tagger = load(folder)
        object.__setattr__(tagger, "skill", int(str(folder).rpartition("-")[2]))
        return tagger

    monkeypatch.setattr("longctx_edu.recipes.comparison.load", load_skilled)
    monkeypatch.setattr(Tagger, "predict", predict)


@pytest.fixture
def runs(run, tmp_path, skilled):
    """Runs whose taggers get so many documents right, and two seeds of which one."""
    for name in ("run-1", "run-5", "seeds/seed-1", "seeds/seed-5"):
        shutil.copytree(run[1], tmp_path / name)
    (tmp_path / "seeds" / "seeds.json").write_text('{"seeds": [1, 5]}')
    return tmp_path


def counts(documents, predicted):
    return entity_counts([document.tags for document in documents], predicted)


def guess(documents, right):
    return [d.tags if n < right else ["O"] * len(d) for n, d in enumerate(documents)]


# equals the test of the counts


def test_scores_and_p_are_those_of_the_predictions(runs, six):
    done = compare_runs(runs / "run-1", runs / "run-5", six, draws=200, seed=3)
    one, five = (guess(six.test, n) for n in (1, 5))
    wanted = paired_bootstrap(
        counts(six.test, one),
        counts(six.test, five),
        generator=torch.Generator().manual_seed(3),
        draws=200,
    )
    assert done["p_value"] == wanted.p_value
    assert (done["low"], done["high"]) == (wanted.low, wanted.high)
    assert done["f1_a"] == pytest.approx(score_documents(six.test, one)["f1"])
    assert done["f1_b"] == pytest.approx(score_documents(six.test, five)["f1"])
    assert done["a"] == {
        "folder": str(runs / "run-1"),
        "f1_of_runs": pytest.approx([done["f1_a"]]),
    }
    assert (done["unit"], done["units"], done["documents"]) == ("documents", 6, 6)
    assert json.loads(json.dumps(done)) == done


def test_a_folder_of_seeds_stands_for_its_mean(runs, six):
    done = compare_runs(runs / "run-1", runs / "seeds", six, draws=50)
    one, five = (score_documents(six.test, guess(six.test, n))["f1"] for n in (1, 5))
    assert done["b"]["f1_of_runs"] == pytest.approx([one, five])
    assert done["f1_b"] == pytest.approx((one + five) / 2)


def test_another_split(runs, six):
    two = replace(six, dev=six.test[:2])
    done = compare_runs(runs / "run-1", runs / "run-1", two, split="dev", draws=9)
    assert (done["split"], done["documents"], done["p_value"]) == ("dev", 2, 1)


def test_real_predictions_of_a_run_with_itself(run, six):
    done = compare_runs(run[1], run[1], six, draws=9)
    assert done["p_value"] == 1
    wanted = score_documents(six.test, load(run[1]).predict(six.test))["f1"]
    assert done["f1_a"] == pytest.approx(wanted)


# what is drawn


def test_of_one_document_sentences_are_drawn(runs, six):
    one = replace(six, test=six.test[:1])
    done = compare_runs(runs / "run-1", runs / "run-1", one, draws=9)
    n_sentences = len(six.test[0].sentence_starts)
    assert (done["unit"], done["units"]) == ("sentences", n_sentences)
    assert done["f1_a"] == 1
    assert drawn_units(six.test) == ("documents", None)


@pytest.mark.parametrize("documents", [[], [Document("a", ("Ada",), ("O",), (0,))]])
def test_too_little_to_draw_from(documents):
    line = "need at least 2 documents, or 2 sentences in one, to draw from, got "
    with pytest.raises(UserError, match=f"^{line}{len(documents)}$"):
        drawn_units(documents)


# folders


def test_folders(runs):
    assert run_folders(runs / "run-1") == [runs / "run-1"]
    seeds = runs / "seeds"
    assert run_folders(seeds) == [seeds / "seed-1", seeds / "seed-5"]
    (seeds / "seeds.json").unlink()
    line = (
        f"need runs with seeds that are finished, got no seeds.json in {seeds}: finish "
        f"them with longctx train ner --resume --out {seeds}"
    )
    with pytest.raises(UserError, match=f"^{re.escape(line)}$"):
        run_folders(seeds)


def test_other_types_are_refused_before_anything_is_predicted(runs, six, monkeypatch):
    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr(Tagger, "predict", never)
    path = runs / "run-5" / "config.json"
    path.write_text(path.read_text().replace('"WORK"', '"FILM"'))
    tags = [("O",) * len(document) for document in six.test]
    plain = [
        replace(d, tags=t, mentions=()) for d, t in zip(six.test, tags, strict=True)
    ]
    bare = replace(six, test=plain, types=("LOC",))
    line = (
        "need runs with the same entity types, got LOC, ORG, PER, WORK in "
        f"{runs}/run-1 and FILM, LOC, ORG, PER in {runs}/run-5"
    )
    with pytest.raises(UserError, match=f"^{re.escape(line)}$"):
        compare_runs(runs / "run-1", runs / "run-5", bare)
    with pytest.raises(UserError, match="need entity types among LOC, ORG, PER, FILM"):
        compare_runs(runs / "run-1", runs / "run-5", six)


# what is printed


def shown(show, done):
    out = io.StringIO()
    show(done, Console(file=out, width=100))
    return out.getvalue()


def comparison(**more):
    return {
        "split": "test",
        "unit": "documents",
        "a": {"folder": "runs/a", "f1_of_runs": [0.5]},
        "b": {"folder": "my runs", "f1_of_runs": [0.6]},
        "f1_a": 0.5,
        "f1_b": 0.6,
        "difference": 0.1,
        "low": 0.05,
        "high": 0.15,
        "p_value": 0.0042,
        "level": 0.95,
        "units": 1200,
        "draws": 10_000,
    } | more


def test_a_comparison_in_words():
    assert shown(show_comparison, comparison()).splitlines() == [
        "  a  F1 0.500  runs/a",
        "  b  F1 0.600  'my runs'",
        "  b - a  +0.100, 95 % interval from +0.050 to +0.150",
        "  p = 0.0042: of two equally good systems, 4.2 of 1,000 draws would differ by "
        "as much; so b is better, as far as this test split can say",
        "  paired bootstrap, 10,000 draws of 1,200 documents",
        "  a single training says nothing of other seeds: longctx train ner --seeds 3 "
        "does",
    ]


def test_other_outcomes_in_words():
    back = shown(show_comparison, comparison(difference=-0.1))
    assert "so a is better" in back
    open_ = shown(show_comparison, comparison(p_value=1.0))
    assert "p = 1: of two equally good systems, 1,000 of 1,000 draws" in open_
    assert "so this test split does not tell a from b" in open_


def test_seeds_and_sentences_in_words():
    several = {"folder": "s", "f1_of_runs": [0.25, 0.75]}
    text = shown(show_comparison, comparison(a=several, b=several, unit="sentences"))
    assert "  a  F1 0.500  s, mean of 2 seeds: 0.250, 0.750" in text
    assert "there is one document, so its sentences are drawn" in text
    assert "each draw is the same for all seeds, and F1 is their mean" in text
    assert "a single training" not in text


def summary(n):
    row = {"values": [0.5] * n, "mean": 0.125, "spread": 0.25, "low": 0.0, "high": 1.0}
    return {
        "seeds": list(range(n)),
        "dev": {"f1": row},
        "test": {"f1_far": row},
        "types": {"[b]A_B": row},
    }


def test_a_table_of_seeds():
    lines = [line.split() for line in shown(show_seeds, summary(2)).splitlines()]
    assert lines[1][:6] == ["score", "seed", "0", "seed", "1", "mean"]
    numbers = ["0.500", "0.500", "0.125", "0.250", "0.000", "to", "1.000"]
    assert lines[2] == ["dev", "F1", *numbers]
    assert lines[3] == ["test", "F1", "far", *numbers]
    assert lines[4] == ["test", "F1,", "[b]A_B", *numbers]


def test_many_seeds_are_shown_by_their_mean_alone():
    text = shown(show_seeds, summary(6))
    assert "seed 0" not in text
    assert "over 6 seeds" in text
    assert text.splitlines()[2].split()[2] == "0.125"
