"""Each contender computes what it claims, or says why it cannot."""

import builtins
import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from longctx_edu.benchmarks import OURS, PEERS, CannotRun, Case, make_inputs
from longctx_edu.benchmarks.bigbird import times_seen
from longctx_edu.benchmarks.flex import SIZE, flex_blocks, flex_mask
from longctx_edu.benchmarks.rows import max_error
from longctx_edu.benchmarks.turns import Entry
from longctx_edu.masks import dense_mask

ALL = {each.name: each for each in (*OURS, *PEERS)}
SETTINGS = {
    "plain": {},
    "16 globals": {"n_global": 16},
    "none global": {"n_global": 0},
    "padded": {"padded": 0.25, "batch": 2},
    "causal": {"causal": True, "padded": 0.25},
    "dilated": {"dilation": 2},
}
NOT_THERE = {
    ("hf_longformer", "causal"): "it has no causal mode",
    ("hf_longformer", "dilated"): "it has no dilation",
    ("hf_bigbird", "causal"): "it has no causal mode",
    ("local_attention", "dilated"): "it has no dilation",
}


def entry(name, case, *, backward):
    inputs = make_inputs(case, backward=backward)
    return Entry(name, ALL[name], case, inputs, backward)


def test_the_names_are_those_of_the_reports():
    assert list(ALL) == [
        "window",
        "online",
        "block_sparse",
        "sdpa",
        "sdpa_mask",
        "hf_longformer",
        "hf_bigbird",
        "local_attention",
        "flex",
    ]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", [name for name in ALL if name != "flex"])
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_it_is_exact_under_its_own_claim(small, name, setting, backward):
    n = 1024 if name == "hf_bigbird" else 128
    case = Case(replace(small, **SETTINGS[setting]), n, "float32")
    mine = entry(name, case, backward=backward)
    if reason := NOT_THERE.get((name, setting)):
        with pytest.raises(CannotRun, match=f"^{reason}$"):
            mine.warm_up()
        return
    mine.warm_up()
    assert max_error(mine) < 5e-6


@pytest.mark.parametrize("name", [name for name in ALL if name != "flex"])
def test_its_needed_pairs_are_those_of_its_claim(small, name):
    case = Case(replace(small, padded=0.25), 768, "float32")
    mine = entry(name, case, backward=False)
    mine.warm_up()
    place = torch.arange(768)
    seen = mine.built.claim(place[:, None], place)[0]
    seen = seen.expand(case.setting.n_heads, 768, 768)[:, : case.n_real]
    assert mine.built.pairs() == seen.sum() // case.setting.n_heads


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", ["window", "sdpa", "hf_longformer", "local_attention"])
def test_it_takes_short_formats(small, name, dtype):
    mine = entry(name, Case(small, 128, dtype), backward=False)
    mine.warm_up()
    assert mine.ready_call()()[0].dtype == getattr(torch, dtype)
    assert 1e-6 < max_error(mine) < 0.03


def test_inputs_are_laid_out_as_their_users_have_them(small):
    x = make_inputs(Case(small, 16, "float32"), backward=False).q
    assert ALL["window"].lay_out(x) is x
    given = ALL["hf_longformer"].lay_out(x)
    assert given.shape == (1, 16, 2 * 8)
    assert given.is_contiguous()
    assert torch.equal(ALL["hf_longformer"].to_heads(given, n_heads=2), x)


def test_another_answer_shows(small):
    mine = entry("window", Case(small, 128, "float32"), backward=False)
    mine.warm_up()
    right = mine.built
    wide = replace(small, left=17)
    mine.built = ALL["window"].build(Case(wide, 128, "float32"))
    mine.built = replace(mine.built, claim=right.claim)
    assert max_error(mine) > 1e-3


# lengths and settings that a peer does not take


@pytest.mark.parametrize(
    ("name", "n", "change", "reason"),
    [
        ("hf_longformer", 100, {}, "it needs a length that 32 divides"),
        ("hf_longformer", 128, {"right": 8}, "it needs left = right > 0"),
        ("hf_bigbird", 1000, {}, "it needs a length that 64 divides"),
        ("hf_bigbird", 704, {}, "its model takes full attention up to 704 tokens"),
        ("local_attention", 100, {}, "it needs a length that 16 divides"),
        ("local_attention", 128, {"left": 0}, "it needs left = right > 0"),
        ("local_attention", 128, {"right": 8}, "it needs left = right > 0"),
    ],
)
def test_what_a_peer_does_not_take(small, name, n, change, reason):
    with pytest.raises(CannotRun) as refused:
        ALL[name].build(Case(replace(small, **change), n, "float32"))
    assert str(refused.value) == reason


def test_a_peer_that_is_not_installed(small, monkeypatch):
    really = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "local_attention":
            raise ImportError(f"No module named {name!r}")
        return really(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CannotRun, match="not installed; pip install"):
        ALL["local_attention"].build(Case(small, 128, "float32"))


def test_peers_are_loaded_when_they_are_built():
    code = "import json, sys, longctx_edu.benchmarks; print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded & {"transformers", "local_attention", "matplotlib"} == set()


# BigBird's own way of counting


def test_a_random_block_in_the_window_counts_twice():
    drawn = torch.tensor([[[1], [4], [1], [2]]])
    assert times_seen(drawn, 6)[0].tolist() == [
        [1, 1, 1, 1, 1, 1],
        [1, 2, 1, 0, 0, 1],
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
        [1, 0, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
    ]


def test_random_blocks_are_drawn_and_some_count_twice(small):
    """At 1,024 tokens its plan may draw the last block, which all see already."""
    mine = entry("hf_bigbird", Case(small, 1024, "float32"), backward=False)
    mine.warm_up()
    place = torch.arange(1024)
    seen, bias = mine.built.claim(place[:, None], place)
    blocks = seen[:, ::64, ::64].sum(dim=2)[:, 3:-3]
    assert (blocks >= 7).all()
    assert (blocks == 8).any()
    assert bias.max() == torch.tensor(2.0, dtype=torch.float64).log()


# FlexAttention


@pytest.mark.parametrize(
    "change", [*SETTINGS.values(), {"n_global": 200, "left": 150, "dilation": 3}]
)
@pytest.mark.parametrize("n", [512, 700])
def test_its_blocks_hold_what_the_mask_shows(small, change, n):
    side = 200 if n == 700 else 16
    setting = replace(small, **{"left": side, "right": side, **change})
    case = Case(setting, n, "float32")
    seen = dense_mask(case.window(), n).expand(n, n)
    some, whole = flex_blocks(case)
    for row in range(len(some)):
        for column in range(len(some)):
            part = seen[row * SIZE :, column * SIZE :][:SIZE, :SIZE]
            assert some[row, column] or not part.any()
            assert not whole[row, column] or part.all()
            assert not whole[row, column] or part.shape == (SIZE, SIZE)
    place = torch.arange(n)
    rule = flex_mask(case).mask_mod(0, 0, place[:, None], place)
    assert torch.equal(rule.expand(n, n), seen)


def test_flex_has_no_backward_on_the_cpu(small):
    mine = entry("flex", Case(small, 128, "float32"), backward=True)
    with pytest.raises(CannotRun, match=r"^it has no backward on the CPU$"):
        mine.warm_up()


@pytest.mark.slow
def test_flex_compiled_is_exact(tmp_path):
    """In a process of its own: what checks shapes in tests cannot be compiled."""
    words = (
        "--impls none --peers flex --lengths 300 --left 100 --right 100 --padding 0.1"
    )
    more = "--heads 2 --d-head 16 --modes forward --repeats 1 --quiet --json a.json"
    command = [sys.executable, "-m", "longctx_edu.cli", "bench", "attention"]
    subprocess.run([*command, *words.split(), *more.split()], check=True, cwd=tmp_path)
    (row,) = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert (row["impl"], row["length"]) == ("flex", 300)
    assert row["max_error"] < 5e-6
