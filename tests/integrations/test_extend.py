import pytest
import torch

from longctx_edu.errors import UserError
from longctx_edu.integrations import extend_positions, table_length

TABLE = 40  # tokens that each family of conftest.py reads
LONG = 101

WITH_TABLE = {  # the name of the table, and the rows before the first position
    "bert": ("embeddings.position_embeddings", 0),
    "roberta": ("embeddings.position_embeddings", 2),
    "distilbert": ("embeddings.position_embeddings", 0),
    "electra": ("embeddings.position_embeddings", 0),
    "gpt2": ("wpe", 0),
}
HEADS = {
    "bert": "AutoModelForTokenClassification",
    "roberta": "AutoModelForMaskedLM",
    "distilbert": "AutoModelForMaskedLM",
    "electra": "AutoModelForTokenClassification",
    "gpt2": "AutoModelForCausalLM",
}


@pytest.fixture(params=WITH_TABLE)
def learned(request, of_kind):
    return of_kind(request.param)


def table_of(model):
    return model.base_model.get_submodule(WITH_TABLE[model.config.model_type][0])


def ids(n):
    return torch.randint(5, 60, (1, n), generator=torch.Generator().manual_seed(0))


def first_output(model, text):
    with torch.no_grad():
        return model(text)[0]


# a learned table


@pytest.mark.parametrize("head", [False, True])
def test_every_row_is_a_copy_of_a_trained_one(learned, head):
    model = learned.make(HEADS[learned.kind] if head else "AutoModel")
    rows = table_of(model).weight.detach().clone()
    first = WITH_TABLE[learned.kind][1]
    assert len(rows) == first + TABLE
    extend_positions(model, LONG)
    table = table_of(model)
    assert len(table.weight) == table.num_embeddings == first + LONG
    assert torch.equal(table.weight[: len(rows)], rows)
    for row in range(LONG):
        assert torch.equal(table.weight[first + row], rows[first + row % TABLE])
    assert table.weight.requires_grad
    assert model.config.max_position_embeddings == first + LONG
    assert table_length(model.config) == LONG


def test_a_short_text_reads_the_same_and_a_long_one_reads_at_all(learned):
    model = learned.make(HEADS[learned.kind])
    wanted = first_output(model, ids(TABLE))
    extend_positions(model, LONG)
    torch.testing.assert_close(first_output(model, ids(TABLE)), wanted)
    long = first_output(model, ids(LONG))
    assert long.shape[1] == LONG
    assert long.isfinite().all()


def test_a_longer_model_comes_back_from_its_config(learned):
    model = learned.make()
    extend_positions(model, LONG)
    again = type(model)(model.config).eval().double()
    again.load_state_dict(model.state_dict())
    assert torch.equal(first_output(again, ids(LONG)), first_output(model, ids(LONG)))


def test_padding_keeps_its_row_and_its_gradient(of_kind):
    model = of_kind("roberta").make()
    extend_positions(model, LONG)
    text = torch.cat([ids(LONG - 3), torch.full((1, 3), 1)], dim=1)
    model(text).last_hidden_state.square().sum().backward()
    table = table_of(model)
    assert table.padding_idx == 1
    assert table.weight.grad[1].eq(0).all()
    assert table.weight.grad[2].ne(0).any()


def test_a_frozen_table_of_another_dtype_stays_so(of_kind):
    model = of_kind("gpt2").make().bfloat16()
    table_of(model).weight.requires_grad = False
    extend_positions(model, LONG)
    assert table_of(model).weight.dtype == torch.bfloat16
    assert not table_of(model).weight.requires_grad


def test_a_table_that_is_long_enough_stays(learned):
    model = learned.make()
    before = table_of(model).weight
    extend_positions(model, TABLE)
    assert table_of(model).weight is before


# rotary positions have no table


@pytest.mark.parametrize("kind", ["modernbert", "llama", "qwen2", "qwen3", "mistral"])
def test_rotary_positions_are_told_the_length(of_kind, kind):
    model = of_kind(kind).make(max_position_embeddings=TABLE)
    names = list(model.state_dict())
    wanted = first_output(model, ids(LONG))
    extend_positions(model, LONG)
    assert model.config.max_position_embeddings == LONG
    assert list(model.state_dict()) == names
    assert torch.equal(first_output(model, ids(LONG)), wanted)
    extend_positions(model, 7)
    assert model.config.max_position_embeddings == LONG


# messages


def said(call, *args, **how):
    with pytest.raises(UserError) as error:
        call(*args, **how)
    return str(error.value)


def test_rotary_positions_that_depend_on_the_length(of_kind):
    rotary = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}
    model = of_kind("llama").make(rope_parameters=rotary)
    assert said(extend_positions, model, LONG) == (
        "need rotary positions of type default, linear, llama3, proportional to read "
        "101 tokens, got dynamic, whose angles depend on max_position_embeddings=40: "
        "set it in the config before the model is loaded"
    )


def test_no_positions_to_lengthen(of_kind):
    model = of_kind("bert").make()
    del model.embeddings.position_embeddings
    assert said(extend_positions, model, LONG) == (
        "need a model with a learned position table or rotary positions to read 101 "
        "tokens, got bert, which ends at 40: use --attention chunks"
    )


@pytest.mark.parametrize("length", [0, -1, True])
def test_a_length_that_is_none(of_kind, length):
    wanted = f"need max_tokens that is a whole number >= 1, got {length}"
    assert said(extend_positions, of_kind("bert").make(), length) == wanted
