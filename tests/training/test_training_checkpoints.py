import pickle

import pytest
import torch
from torch import nn

from longctx_edu.errors import UserError
from longctx_edu.training import load_weights, read_config, save_config, save_weights


def equal(a, b):
    ours, theirs = a.state_dict(), b.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.body = nn.Linear(8, 2)


def test_a_model_comes_back(model, tmp_path):
    save_weights(model, {"d_model": 8, "labels": ["O", "B-Ä"]}, tmp_path / "new")
    for place in (tmp_path / "new", str(tmp_path / "new" / "model.safetensors")):
        again = type(model)()
        assert not equal(again, model)
        load_weights(again, place)
        assert equal(again, model)
    assert read_config(tmp_path / "new") == {"d_model": 8, "labels": ["O", "B-Ä"]}


def test_config_is_kept_where_none_is_given(model, tmp_path):
    save_config({"d_model": 8}, tmp_path)
    save_weights(model, None, tmp_path)
    assert read_config(tmp_path) == {"d_model": 8}


def test_tied_weights_come_back_tied(tmp_path):
    model = nn.ModuleDict(
        {"in": nn.Embedding(5, 3), "out": nn.Linear(3, 5, bias=False)}
    )
    model["out"].weight = model["in"].weight
    save_weights(model, None, tmp_path)
    old = model["in"].weight.detach().clone()
    with torch.no_grad():
        model["in"].weight.zero_()
    load_weights(model, tmp_path)
    assert torch.equal(model["in"].weight, old)
    assert model["out"].weight is model["in"].weight


def test_another_architecture_is_refused_and_the_model_left_alone(model, tmp_path):
    save_weights(model, None, tmp_path)
    other = Other()
    before = other.embedding.weight.detach().clone()
    with pytest.raises(UserError) as error:
        load_weights(other, tmp_path)
    assert str(error.value) == (
        f"{tmp_path}/model.safetensors holds another architecture: "
        "missing body.weight, body.bias; "
        "unexpected head.bias, head.weight, norm.bias and 1 more; "
        "wrong shape embedding.weight (file 11 x 8, model 11 x 5)"
    )
    assert torch.equal(other.embedding.weight, before)


def test_a_truncated_file_is_refused(model, tmp_path):
    save_weights(model, None, tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(
        UserError, match=r"^cannot read .*model\.safetensors: it is trunc"
    ):
        load_weights(model, tmp_path)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "a.pt", "a.pkl", "a.ckpt", "a.pth"]
)
def test_a_pickle_is_refused_unread(model, tmp_path, name):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was read",))

    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    for place in (tmp_path, tmp_path / name):
        with pytest.raises(UserError) as error:
            load_weights(model, place)
        assert str(error.value) == (
            f"need weights as model.safetensors, got the pickle {tmp_path / name}: a "
            "pickle can run any code, so it is not read; save the model as safetensors"
        )


def test_a_pickle_under_a_good_name_is_refused(model, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps({"head.weight": 1}))
    with pytest.raises(UserError, match="truncated or no safetensors file"):
        load_weights(model, tmp_path)


def test_messages(model, tmp_path):
    for read in (read_config, lambda place: load_weights(model, place)):
        with pytest.raises(UserError) as error:
            read(tmp_path / "gone")
        assert str(error.value) == (
            f"need a folder with a saved model, got {tmp_path}/gone: no such folder"
        )
    with pytest.raises(UserError) as error:
        load_weights(model, tmp_path)
    assert str(error.value) == f"need model.safetensors in {tmp_path}, got none"
    with pytest.raises(UserError) as error:
        read_config(tmp_path)
    assert str(error.value) == f"need config.json in {tmp_path}, got none"
    (tmp_path / "config.json").write_text("{half")
    with pytest.raises(UserError, match=r"^cannot read .*/config\.json: "):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(UserError, match=r"^need a JSON object in .*json, got list$"):
        read_config(tmp_path)


def test_a_full_disk_is_named(model, tmp_path, full_disk):
    reason = full_disk()
    with pytest.raises(UserError) as error:
        save_weights(model, {}, tmp_path)
    assert str(error.value).startswith(f"cannot write {tmp_path}/model.safetensors: ")
    assert reason in str(error.value)
