import pytest

from longctx_edu.cli import main


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


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder in which `longctx train ner` has left a model of the Gazette."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    sizes = ["--articles", "8", "--tokens", "160", "--epochs", "1", "--quiet"]
    words = ["train", "ner", "--data", "gazette", *sizes, "--precision", "fp32"]
    assert main([*words, "--out", str(folder)]) == 0
    return folder
