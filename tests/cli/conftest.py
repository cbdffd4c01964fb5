import pytest
import torch

from longctx_edu.cli import main

TINY = ["--tokens", 16, "--layers", 1, "--heads", 2, "--d-model", 8, "--vocab-size"]
TINY += [270, "--epochs", 1, "--batch-tokens", 170, "--precision", "fp32", "--quiet"]
WORDS = "the old harbour of Marlow keeps its boats; Zoë's café sells fish, and nets."


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that runs a command: its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*argv):
        capsys.readouterr()
        code = main([str(word) for word in argv])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def refused(call):
    """Return a function that runs a command that must fail: the one line it says."""

    def run(*argv):
        code, out, err = call(*argv)
        assert (code, out) == (2, "")
        line, end = err[:-1], err[-1]
        assert line.startswith("error: ")
        assert end == "\n"
        assert "\n" not in line
        return line.removeprefix("error: ")

    return run


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Let every command start in an empty folder, with no data named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LONGCTX_DATA", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder in which `longctx train ner` has left a model of the Gazette."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    sizes = ["--articles", "8", "--tokens", "160", "--epochs", "1", "--quiet"]
    words = ["train", "ner", "--data", "gazette", *sizes, "--precision", "fp32"]
    assert main([*words, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def tiny():
    """The words of a `longctx train lm` that takes no time."""
    return list(TINY)


@pytest.fixture
def sea(tmp_path):
    """A text file of 1,300 bytes."""
    return write_sea(tmp_path)


@pytest.fixture(scope="session")
def language_run(tmp_path_factory):
    """A folder in which `longctx train lm` has left a model."""
    return train_lm(tmp_path_factory.mktemp("rotary"))


@pytest.fixture(scope="session")
def learned_run(tmp_path_factory):
    """The same with a table of positions."""
    return train_lm(tmp_path_factory.mktemp("learned"), "--positions", "learned")


def write_sea(folder):
    order = torch.randperm(240, generator=torch.Generator().manual_seed(0)).tolist()
    words = WORDS.split()
    path = folder / "sea.txt"
    path.write_text(" ".join(words[i % len(words)] for i in order))
    return path


def train_lm(folder, *words):
    path = write_sea(folder)
    argv = ["train", "lm", "--data", path, "--out", folder / "run", *TINY, *words]
    assert main([str(word) for word in argv]) == 0
    return folder / "run"
