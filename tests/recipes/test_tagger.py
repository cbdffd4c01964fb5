import json
import re
import shutil
from dataclasses import replace
from functools import partial

import pytest
import torch

from longctx_edu.data.documents import Document
from longctx_edu.data.tags import stray
from longctx_edu.errors import UserError
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes import parts
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.tagger import build, load
from longctx_edu.tasks import crf_loss, tagging_loss, weighted_tagging_loss

TYPES = ("LOC", "PER")
SMALL = EncoderConfig(n_layers=1, n_heads=1, d_model=8, d_ff=8, n_buckets=64)
TABLE = 64  # tokens that the small BERT reads


def text(words, name="text"):
    return Document(name, tuple(words), ("O",) * len(words), (0,))


TEXTS = [text(["Ada", "met", "Bo", "in", "Rome", "."] * 9), text(["Bo"]), text(())]


def same(ours, theirs):
    assert ours.predict(TEXTS) == theirs.predict(TEXTS)
    assert (ours.tags, ours.config, ours.table) == (
        theirs.tags,
        theirs.config,
        theirs.table,
    )


# saved and loaded, it is the same


@pytest.mark.parametrize("attention", ["chunks", "full", "window"])
def test_from_scratch_it_comes_back_the_same(attention, tmp_path):
    config = NerConfig(attention=attention, size=16, overlap=4, encoder=SMALL)
    tagger = build(config, TYPES, seed=3)
    tagger.save(tmp_path / "new")
    same(load(tmp_path / "new"), tagger)


@pytest.mark.parametrize("context", ["sentence", "document"])
def test_a_context_comes_back_the_same(context, small_bert, tmp_path):
    config = NerConfig(
        model=small_bert, attention="full", size=24, context=context, max_tokens=9
    )
    tagger = build(config, TYPES, seed=3)
    tagger.save(tmp_path)
    same(load(tmp_path), tagger)
    assert max(len(piece) for piece in load(tmp_path).pieces(TEXTS)) == 24


@pytest.mark.parametrize("attention", ["chunks", "window"])
def test_a_pretrained_one_comes_back_the_same(attention, small_bert, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(small_bert, folder)
    config = NerConfig(
        model=str(folder), attention=attention, size=32, overlap=4, max_tokens=300
    )
    tagger = build(config, TYPES, seed=3)
    tagger.save(tmp_path / "saved")
    shutil.rmtree(folder)  # what was saved needs nothing else
    same(load(tmp_path / "saved"), tagger)


def with_steps(tagger):
    """Give a tagger's transitions what they might have learnt."""
    generator = torch.Generator().manual_seed(0)
    for weight in tagger.model.head_transitions.parameters():
        drawn = torch.randn(weight.shape, generator=generator)
        weight.data.copy_(3 * drawn)
    return tagger


def test_what_a_crf_learnt_comes_back(small_bert, tmp_path):
    for name, config in {
        "own": NerConfig(attention="chunks", size=16, decoding="crf", encoder=SMALL),
        "bert": NerConfig(small_bert, "chunks", size=32, decoding="crf"),
    }.items():
        tagger = with_steps(build(config, TYPES, seed=3))
        tagger.save(tmp_path / name)
        back = load(tmp_path / name)
        same(back, tagger)
        found = zip(
            back.model.head_transitions(), tagger.model.head_transitions(), strict=True
        )
        assert all(torch.equal(ours, theirs) for ours, theirs in found)


def test_a_crf_begins_with_the_weights_of_the_others_and_reads_off_legal_rows():
    plain, crf = (
        build(NerConfig(decoding=decoding, encoder=SMALL), TYPES, seed=3)
        for decoding in ("constrained", "crf")
    )
    weights, own = plain.model.state_dict(), crf.model.state_dict()
    assert set(own) - set(weights) == {
        "head_transitions.first",
        "head_transitions.follows",
    }
    assert all(torch.equal(weights[name], own[name]) for name in weights)
    assert crf.predict(TEXTS) == plain.predict(TEXTS)  # nothing is learnt of steps yet
    found = with_steps(crf).predict(TEXTS)
    assert found != plain.predict(TEXTS)
    assert all(stray(tags) is None for tags in found)


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ({"decoding": "constrained"}, tagging_loss),
        ({"decoding": "crf"}, crf_loss),
        ({"outside_weight": 0.5}, partial(weighted_tagging_loss, outside_weight=0.5)),
    ],
)
def test_what_training_lowers(how, wanted):
    tagger = build(NerConfig(encoder=SMALL, dropout=0.0, **how), TYPES)
    tagger.model.eval()
    names = ("B-PER", "O", "B-PER", "O", "B-LOC", "O")
    read = replace(TEXTS[0], tags=names * 9)
    batch = tagger.collate(tagger.pieces([read]))
    assert torch.equal(tagger.loss(tagger.model, batch), wanted(tagger.model, batch))
    assert ("opens" in batch) == ("crf" in how.values())


def test_only_a_crf_can_be_asked_for_one():
    tagger = build(NerConfig(encoder=SMALL), TYPES)
    other = replace(tagger, config=replace(tagger.config, decoding="crf"))
    with pytest.raises(UserError) as error:
        other.predict(TEXTS)
    assert str(error.value) == (
        "need a model trained with --decoding crf, got one that learnt nothing of "
        "steps between tags: use greedy or constrained"
    )


def test_a_seed_decides_the_fresh_weights():
    one, same_one, other = (
        build(NerConfig(encoder=SMALL), TYPES, seed=seed) for seed in (1, 1, 2)
    )
    weights = [each.model.head.weight for each in (one, same_one, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_building_does_not_touch_the_callers_randomness():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    build(NerConfig(encoder=SMALL), TYPES, seed=1)
    assert torch.equal(torch.rand(3), wanted)


# documents longer than the position table


def test_through_a_window_the_table_grows(small_bert):
    config = NerConfig(model=small_bert, attention="window", max_tokens=300)
    tagger = build(config, TYPES)
    assert tagger.table == 300
    assert len(tagger.pieces([text(["a"] * 290)])) == 1
    assert len(tagger.pieces([text(["a"] * 700)])) == 3


def test_with_a_context_the_table_grows_to_the_size(small_bert, monkeypatch):
    monkeypatch.setattr(parts, "LONG", 80)
    config = NerConfig(model=small_bert, context="document", size=100)
    assert build(config, TYPES).table == 100
    assert build(NerConfig(model=small_bert, size=100), TYPES).table == 80


def test_full_attention_refuses_a_longer_document(small_bert):
    tagger = build(NerConfig(model=small_bert, attention="full"), TYPES)
    assert len(tagger.pieces([text(["a"] * (TABLE - 2))])) == 1
    with pytest.raises(UserError) as error:
        tagger.predict([text(["a"] * 9), text(["a"] * (TABLE - 1), "my novel")])
    assert str(error.value) == (
        f"need at most 64 tokens, the length of the position table of {small_bert}, "
        "got 65 in my novel: use --attention chunks or window, or cut documents with "
        "--max-tokens 64"
    )


def test_full_attention_cuts_where_it_was_told_to(small_bert):
    config = NerConfig(model=small_bert, attention="full", max_tokens=TABLE)
    pieces = build(config, TYPES).pieces([text(["a"] * 100)])
    assert [len(piece) for piece in pieces] == [64, 40]


@pytest.mark.parametrize(
    ("numbers", "flag"),
    [
        ({"attention": "chunks", "size": 65}, "size"),
        ({"attention": "full", "size": 65, "context": "document"}, "size"),
        ({"attention": "full", "max_tokens": 65}, "max-tokens"),
    ],
)
def test_pieces_longer_than_the_table(numbers, flag, small_bert):
    wanted = f"need --{flag} <= 64, the length of the position table of "
    with pytest.raises(UserError, match=wanted):
        build(NerConfig(model=small_bert, **numbers), TYPES)


# what is no tagger is refused


@pytest.fixture
def saved(tmp_path):
    build(NerConfig(encoder=SMALL), TYPES).save(tmp_path)
    return tmp_path


def rewrite(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refused(folder):
    with pytest.raises(UserError) as error:
        load(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_no_folder(tmp_path):
    assert refused(tmp_path / "x").endswith("no such folder")


def test_another_kind_of_model(saved):
    rewrite(saved, kind="translator")
    assert refused(saved).startswith("need a tagger that longctx train wrote, got ")


def test_a_damaged_config(saved):
    rewrite(saved, ner={"colour": "red"})
    assert f"{saved}/config.json is damaged: " in refused(saved)


def test_weights_of_another_architecture(saved):
    ner = json.loads((saved / "config.json").read_text())["ner"]
    ner["encoder"]["d_model"] = 16
    rewrite(saved, ner=ner)
    assert re.search(r"holds another architecture: wrong shape ", refused(saved))


def test_truncated_weights(saved):
    weights = saved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert "it is truncated or no safetensors file" in refused(saved)


def test_a_pickle(saved):
    (saved / "model.safetensors").rename(saved / "model.bin")
    assert "got the pickle" in refused(saved)


def test_a_pretrained_one_without_its_tokenizer(small_bert, tmp_path):
    build(NerConfig(model=small_bert, attention="chunks", size=32), TYPES).save(
        tmp_path
    )
    shutil.rmtree(tmp_path / "tokenizer")
    wanted = f"need the tokenizer in {tmp_path}/tokenizer, got none; train again"
    assert refused(tmp_path) == wanted


def test_a_tokenizer_that_cannot_be_written(small_bert, tmp_path):
    (tmp_path / "file").touch()
    tagger = build(NerConfig(model=small_bert, attention="chunks", size=32), TYPES)
    with pytest.raises(UserError, match=r"cannot write .*/file/tokenizer: "):
        tagger.save(tmp_path / "file")


def test_long_is_what_the_window_reads_where_nothing_is_said(small_bert, monkeypatch):
    monkeypatch.setattr(parts, "LONG", 200)
    assert build(NerConfig(model=small_bert, attention="window"), TYPES).table == 200
