import json
import shutil

import pytest

from longctx_edu.cli.compare import other_data

GAZETTE = ["--data", "gazette", "--articles", 16, "--tokens", 160]
SMALL = ["--articles", 8, "--tokens", 160, "--epochs", 1, "--precision", "fp32", "-q"]


@pytest.fixture
def two(trained, tmp_path):
    """Two copies of a trained run."""
    return [shutil.copytree(trained, tmp_path / name) for name in ("one", "two")]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """A folder in which `longctx train ner --seeds 2` has left its runs."""
    from longctx_edu.cli import main

    folder = tmp_path_factory.mktemp("cli-seeds") / "runs of two"
    words = ["train", "ner", "--data", "gazette", *SMALL, "--seeds", 2]
    assert main([str(word) for word in [*words, "--out", folder]]) == 0
    return folder


@pytest.fixture
def mine(seeds, tmp_path):
    """A copy of it."""
    return shutil.copytree(seeds, tmp_path / "mine")


# train ner --seeds


def test_each_seed_is_a_run_with_its_figures(seeds):
    for seed in (0, 1):
        folder = seeds / f"seed-{seed}"
        names = {path.name for path in folder.iterdir()}
        assert names >= {"model.safetensors", "report.json", "training.png"}
        kept = json.loads((folder / "settings.json").read_text())
        assert kept["training"]["seed"] == seed
    assert json.loads((seeds / "seeds.json").read_text())["seeds"] == [0, 1]


def test_the_mean_is_printed_and_a_finished_run_tells_it_again(call, mine):
    before = (mine / "seed-1" / "model.safetensors").stat().st_mtime_ns
    code, out, err = call("train", "ner", "--resume", "--out", mine, "-q")
    assert (code, err) == (0, "")
    first, second, _, head, *rows = out.splitlines()
    assert first.startswith("seed 0: test F1 0.")
    assert second.endswith("mine/seed-1")
    assert head.split()[:6] == ["score", "seed", "0", "seed", "1", "mean"]
    assert any(row.startswith("  test token accuracy ") for row in rows)
    assert rows[-1] == f"  kept in {mine}/seeds.json"
    assert (mine / "seed-1" / "model.safetensors").stat().st_mtime_ns == before


def test_one_seed_is_a_run_as_ever(call, tmp_path):
    words = ["train", "ner", "--data", "gazette", *SMALL, "--out", "a"]
    code, out, _ = call(*words, "--seeds", 1, "--seed", 1)
    assert code == 0
    assert "5  test and use" in out
    kept = json.loads((tmp_path / "a" / "settings.json").read_text())["training"]
    assert (kept["seed"], "seeds" in kept) == (1, False)


def test_ctrl_c_tells_the_command_that_goes_on(call, mine, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("longctx_edu.recipes.seeds.train_ner", stop)
    words = ["train", "ner", "--data", "gazette", *SMALL, "--seeds", 2]
    assert call(*words, "--out", "my runs") == (
        130,
        "",
        "stopped; continue with: longctx train ner --resume --out 'my runs'\n",
    )


def test_seeds_that_are_refused(refused, mine, trained):
    words = ["train", "ner", "--data", "gazette", *SMALL]
    assert refused(*words, "--seeds", 0) == "need --seeds >= 1, got 0"
    held = (
        f"{mine} already holds runs with seeds: continue them with --resume, or choose "
        "another folder with --out"
    )
    assert refused(*words, "--out", mine) == held
    assert refused(*words, "--out", mine, "--seeds", 2) == held
    resume = ["train", "ner", "--resume", "-q", "--out"]
    assert refused(*resume, mine, "--seeds", 1) == (
        f"need --seeds >= 2, as {mine} has, got 1"
    )
    assert refused(*resume, trained, "--seeds", 2).startswith(
        "need runs with seeds to continue, got a single run in "
    )


def test_a_single_run_over_runs_with_seeds(call, mine):
    words = ["train", "ner", "--data", "gazette", *SMALL, "--out", mine]
    assert call(*words, "--overwrite")[0] == 0
    assert (mine / "model.safetensors").is_file()
    assert not (mine / "seeds.json").exists()
    assert not (mine / "seed-0" / "model.safetensors").exists()
    assert call("compare", mine, mine, *GAZETTE)[0] == 0


# compare


def test_two_runs_are_compared_and_the_result_is_kept(call, two):
    code, out, err = call("compare", *two, *GAZETTE, "--draws", 99)
    assert (code, err) == (0, "")
    kept = json.loads((two[0] / "comparison_two_gazette_test.json").read_text())
    assert (kept["data"], kept["documents"], kept["draws"]) == ("gazette", 2, 99)
    assert kept["p_value"] == 1
    lines = out.splitlines()
    assert lines[0] == "gazette, test: 2 documents"
    assert lines[1].startswith("  a  F1 0.")
    assert "does not tell a from b" in out
    assert lines[-1] == f"kept in {two[0]}/comparison_two_gazette_test.json"


def test_the_scores_are_those_of_evaluate(call, two):
    call("compare", *two, *GAZETTE, "--draws", 9)
    call("evaluate", two[0], *GAZETTE)
    kept = json.loads((two[0] / "comparison_two_gazette_test.json").read_text())
    scored = json.loads((two[0] / "evaluation_gazette_test.json").read_text())
    assert kept["f1_a"] == pytest.approx(scored["f1"])


def test_the_seed_decides_the_draws(call, two):
    said = [call("compare", *two, *GAZETTE, "--seed", n, "--draws", 9) for n in (1, 1)]
    assert said[0] == said[1]


def test_a_folder_of_seeds_and_one_document(call, mine, two):
    one = ["--data", "gazette", "--articles", 8, "--tokens", 160]
    code, out, _ = call("compare", mine, two[1], *one, "--split", "dev")
    assert code == 0
    assert "mean of 2 seeds" in out
    assert "its sentences are drawn" in out
    kept = json.loads((mine / "comparison_two_gazette_dev.json").read_text())
    assert kept["unit"] == "sentences"
    assert len(kept["a"]["f1_of_runs"]) == 2


# what they were trained on


def retold(folder, **data):
    """Let the settings of a run say that it was trained on other data."""
    path = folder / "settings.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "data": data}))


def test_runs_that_were_trained_on_other_data(call, two, mine):
    words = ["compare", *two, *GAZETTE, "--draws", 9]
    kept = two[0] / "comparison_two_gazette_test.json"
    _, out, _ = call(*words)
    assert "trained on other data" not in out
    assert json.loads(kept.read_text())["trained_on_other"] == []
    retold(two[1], data="gazette", articles=9, tokens=160, repair_tags=True)
    code, out, _ = call(*words)
    lines = ["articles 8 in a, 9 in b", "repair tags by default in a, True in b"]
    assert code == 0
    for line in lines:
        assert f"note: trained on other data: {line}\n" in out
    assert json.loads(kept.read_text())["trained_on_other"] == lines
    assert other_data(mine, two[0]) == []
    assert other_data(two[1], mine)[0] == "articles 9 in a, 8 in b"


def test_a_run_that_does_not_tell_its_data_is_compared_without_a_word(two):
    retold(two[1])
    assert other_data(*two) == []
    (two[1] / "settings.json").unlink()
    assert other_data(*two) == []


# what is refused


def test_runs_and_data_that_do_not_fit(refused, two, tmp_path):
    assert refused("compare", two[0], "nowhere", *GAZETTE) == (
        "need a folder with a saved model, got nowhere: no such folder"
    )
    assert refused("compare", *two) == (
        "need --data with a data set, a file or a folder, got none"
    )
    (tmp_path / "a.conll").write_text("Ada B-DOG\nsings O\n\n" * 9)
    assert refused("compare", *two, "--data", "a.conll").startswith(
        f"need entity types among LOC, ORG, PER, WORK, which the model in {two[0]} "
    )
    path = two[1] / "config.json"
    path.write_text(path.read_text().replace('"WORK"', '"FILM"'))
    (tmp_path / "b.conll").write_text("Ada B-PER\nsings O\n\n" * 9)
    assert refused("compare", *two, "--data", "b.conll", "--split", "train") == (
        f"need runs with the same entity types, got LOC, ORG, PER, WORK in {two[0]} "
        f"and FILM, LOC, ORG, PER in {two[1]}"
    )


def test_numbers_and_names_out_of_range(refused, two):
    assert refused("compare", *two, *GAZETTE, "--split", "tst") == (
        "unknown split 'tst': did you mean test? Known are dev, test, train"
    )
    assert "'--draws'" in refused("compare", *two, *GAZETTE, "--draws", 0)


def test_a_folder_that_cannot_be_written(refused, two, monkeypatch):
    def full(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("os.replace", full)
    assert refused("compare", *two, *GAZETTE, "--draws", 9) == (
        f"cannot write {two[0]}/comparison_two_gazette_test.json: Read-only file "
        "system; free some space or choose another folder with --out"
    )
