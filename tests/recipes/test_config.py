import json
import math
import re

import pytest

from longctx_edu.errors import UserError
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes.config import NerConfig
from longctx_edu.tasks import Cut


@pytest.mark.parametrize(
    ("config", "table", "cut"),
    [
        (NerConfig(attention="chunks", size=64, overlap=8), 512, Cut(64, 8)),
        (NerConfig(attention="full"), None, Cut(None)),
        (NerConfig(attention="full"), 512, Cut(None)),
        (NerConfig(attention="full", max_tokens=100), 512, Cut(100)),
        (NerConfig(attention="window", n_global=4), 4096, Cut(4096, 0, 4)),
        (NerConfig(attention="window"), None, Cut(None)),
        (NerConfig(context="document"), None, Cut(128, context="document")),
        (NerConfig(context="sentence", size=9), 99, Cut(9, context="sentence")),
        (NerConfig(attention="window", max_tokens=99), 4096, Cut(99)),
    ],
)
def test_how_documents_are_cut(config, table, cut):
    assert config.cut(table) == cut


def test_a_config_comes_back_from_json():
    config = NerConfig(model="minilm", left=7, encoder=EncoderConfig(d_model=32))
    assert NerConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_what_is_trained_from_nothing():
    assert not NerConfig().is_pretrained
    assert NerConfig(model="minilm").is_pretrained


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        (
            {"attention": "windw"},
            "unknown attention 'windw': did you mean window? Known are chunks, full, "
            "window",
        ),
        ({"size": 7}, "need size >= 8, got size=7"),
        ({"overlap": -1}, "need overlap >= 0, got overlap=-1"),
        ({"left": -1}, "need left >= 0, got left=-1"),
        ({"n_global": -2}, "need n_global >= 0, got n_global=-2"),
        ({"max_tokens": 7}, "need max_tokens >= 8, got max_tokens=7"),
        (
            {"attention": "chunks", "size": 20, "overlap": 18},
            "need overlap < 18, what a piece holds beside special tokens, got "
            "overlap=18",
        ),
        ({"dropout": 1.0}, "need 0 <= dropout < 1, got dropout=1.0"),
        ({"outside_weight": 0.0}, "need outside_weight > 0, got outside_weight=0.0"),
        ({"outside_weight": -1.0}, "need outside_weight > 0, got outside_weight=-1.0"),
        ({"outside_weight": math.nan}, "need outside_weight > 0, got "),
        ({"outside_weight": math.inf}, "need outside_weight > 0, got "),
        (
            {"outside_weight": 0.5, "decoding": "crf"},
            "need outside_weight=1 with decoding='crf', whose loss is that of whole "
            "rows, got outside_weight=0.5",
        ),
    ],
)
def test_numbers_outside_their_range(numbers, wanted):
    with pytest.raises(UserError, match=re.escape(wanted)):
        NerConfig(**numbers)


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        (
            {"context": "documents"},
            "unknown context 'documents': did you mean document? Known are document, "
            "packed, sentence",
        ),
        (
            {"context": "document", "overlap": 8},
            "need overlap=0 with context='document', where each sentence has a piece "
            "of its own, got overlap=8",
        ),
    ],
)
def test_a_context_that_does_not_fit(numbers, wanted):
    with pytest.raises(UserError, match=re.escape(wanted)):
        NerConfig(**numbers)


def test_a_config_from_before_there_was_a_context():
    numbers = NerConfig().to_json()
    del numbers["context"]
    assert NerConfig.from_json(numbers) == NerConfig(context="packed")


@pytest.mark.parametrize("decoding", ["greedy", "constrained"])
def test_a_weight_comes_back_and_one_of_1_is_not_spoken_of(decoding):
    config = NerConfig(outside_weight=0.5, decoding=decoding)
    numbers = json.loads(json.dumps(config.to_json()))
    assert numbers["outside_weight"] == 0.5
    assert NerConfig.from_json(numbers) == config
    plain = NerConfig(decoding=decoding)
    assert "outside_weight" not in plain.to_json()
    assert NerConfig.from_json(plain.to_json()).outside_weight == 1
    assert NerConfig(decoding="crf", outside_weight=1.0).outside_weight == 1


def test_an_unknown_decoding_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match="unknown decoding 'greed': did you mean greed"):
        NerConfig(decoding="greed")
