import shutil
import socket
import time

import datasets
import huggingface_hub.constants
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from longctx_edu.data import hub
from longctx_edu.data.rows import read_rows


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Return a small data set, with the cache of `datasets` in a folder of its own."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    features = Features(
        tokens=datasets.Sequence(Value("string")),
        ner_tags=datasets.Sequence(ClassLabel(names=["O", "B-PER"])),
    )
    rows = [{"tokens": ["Ada", "sings"], "ner_tags": [1, 0]}]
    table = Dataset.from_list(rows, features=features)
    return DatasetDict({"train": table, "validation": table, "test": table})


@pytest.fixture
def no_limits(monkeypatch):
    """Take away what the machine says of the hub."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub.urllib.request, "getproxies", dict)


def write_parquet(data, folder):
    (folder / "data").mkdir(parents=True)
    for split, table in data.items():
        table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")


# saved copies


def test_parquet_files(saved, tmp_path):
    write_parquet(saved, tmp_path / "set")
    assert hub.is_saved(tmp_path / "set")
    splits = read_rows(hub.open_saved(tmp_path / "set"), "set")
    assert splits.dev[0].tokens == ("Ada", "sings")
    assert splits.dev[0].tags == ("B-PER", "O")


def test_saved_to_disk(saved, tmp_path):
    saved.save_to_disk(tmp_path / "set")
    assert hub.is_saved(tmp_path / "set")
    splits = read_rows(hub.open_saved(tmp_path / "set"), "set")
    assert splits.test[0].tags == ("B-PER", "O")


def test_other_folders_are_no_saved_copies(tmp_path):
    (tmp_path / "train.conll").write_text("a O")
    assert not hub.is_saved(tmp_path)


# the hub and its cache


def test_the_hub_is_asked_where_it_is_in_reach(saved, monkeypatch):
    asked = []

    def load_dataset(name, revision=None):
        asked.append((name, revision))
        return saved

    monkeypatch.setattr(hub, "hub_in_reach", lambda: True)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert hub.fetch("some/set", "main") is saved
    assert asked == [("some/set", "main")]


def test_out_of_reach_and_not_in_the_cache(saved, monkeypatch):
    monkeypatch.setattr(hub, "hub_in_reach", lambda: False)
    with pytest.raises(ConnectionError, match=r"^the hub is out of reach$"):
        hub.fetch("some/set")


def test_out_of_reach_the_cache_is_enough(saved, tmp_path, monkeypatch):
    # What a load from the hub leaves behind: the same files under the name on the hub.
    write_parquet(saved, tmp_path / "set")
    hub.open_saved(tmp_path / "set")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    shutil.copytree(tmp_path / "cache" / "set", tmp_path / "cache" / "some___set")
    monkeypatch.setattr(hub, "hub_in_reach", lambda: False)
    began_s = time.perf_counter()
    came = hub.fetch("some/set", "refs/convert/parquet")
    assert time.perf_counter() - began_s < 10
    assert came["train"][0]["tokens"] == ["Ada", "sings"]
    assert datasets.config.HF_HUB_OFFLINE is False


def test_offline_ends_with_its_block(monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    with pytest.raises(KeyError), hub.offline():
        assert datasets.config.HF_HUB_OFFLINE is True
        raise KeyError
    assert datasets.config.HF_HUB_OFFLINE is False


# in reach or not


def test_a_hub_that_answers_is_in_reach(no_limits, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(
            huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{port}"
        )
        assert hub.hub_in_reach()


def test_a_proxy_that_answers_is_enough(no_limits, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setattr(hub.urllib.request, "getproxies", lambda: {"https": proxy})
        assert hub.hub_in_reach()


def test_a_hub_that_refuses_is_out_of_reach(no_limits, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(
        huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{port}"
    )
    assert not hub.hub_in_reach()


def test_a_name_that_takes_long_to_look_up_is_out_of_reach(no_limits, monkeypatch):
    def hang(address, timeout_s):
        time.sleep(3)
        raise OSError

    monkeypatch.setattr(hub.socket, "create_connection", hang)
    began_s = time.perf_counter()
    assert not hub.hub_in_reach(timeout_s=0.2)
    assert time.perf_counter() - began_s < 2


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"])
def test_who_asks_to_stay_offline_stays_offline(no_limits, monkeypatch, name):
    def knock(address, timeout_s):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(hub.socket, "create_connection", knock)
    monkeypatch.setenv(name, "1")
    assert not hub.hub_in_reach()
