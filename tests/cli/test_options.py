import inspect
from dataclasses import dataclass, fields
from typing import Annotated, ClassVar

import pytest
import typer

from longctx_edu.cli.data_options import DataOptions, absolute
from longctx_edu.cli.ner_options import (
    ModelOptions,
    TrainOptions,
    ner_config,
    over,
    train_config,
)
from longctx_edu.cli.options import flag, given, option, switch, takes_options
from longctx_edu.data.catalogue import GAZETTE_ARTICLES
from longctx_edu.data.columns import Layout
from longctx_edu.data.gazette import GazetteConfig
from longctx_edu.recipes.config import PRETRAINED, SCRATCH, NerConfig
from longctx_edu.training import TrainConfig


@dataclass(frozen=True)
class Paint:
    """The options of a test."""

    panel: ClassVar[str] = "Paint"

    colour: Annotated[str | None, option("Which.", default="red")] = None
    shiny: flag("Whether.", "--shiny") = False
    thick: switch("How.", "thick", default="as the pen is") = None


@takes_options
def draw(width: int, paint: Paint) -> tuple[int, Paint]:
    """Draw a line."""
    return width, paint


# fields become options


def test_each_field_is_an_option():
    parameters = inspect.signature(draw).parameters
    assert list(parameters) == ["width", "colour", "shiny", "thick"]
    assert parameters["colour"].default is None
    assert draw.__doc__ == "Draw a line."
    about = parameters["colour"].annotation.__metadata__[0]
    assert isinstance(about, type(typer.Option()))
    assert (about.help, about.rich_help_panel) == ("Which (red).", "Paint")
    about = parameters["thick"].annotation.__metadata__[0]
    assert (about.help, about.rich_help_panel) == ("How (as the pen is).", "Paint")


def test_a_command_gets_its_dataclass_back():
    assert draw(width=3, colour="blue", shiny=True) == (3, Paint("blue", shiny=True))
    assert draw(width=3) == (3, Paint())


# what the help says is what holds


def defaults(kind):
    """What the help of each option says in brackets."""
    said = {}
    for each in fields(kind):
        text = each.type.__metadata__[0].help
        if text.endswith(")."):
            said[each.name] = text[text.rindex("(") + 1 : -2]
    return said


def test_defaults_of_the_model():
    made = ner_config(ModelOptions())
    assert made == NerConfig()
    said = defaults(ModelOptions)
    assert said.pop("max_tokens") == "none"
    assert made.max_tokens is None
    for name, text in said.items():
        assert str(getattr(made, name)) == text


@pytest.mark.parametrize(
    ("is_pretrained", "own"), [(False, SCRATCH), (True, PRETRAINED)]
)
def test_defaults_of_the_training(is_pretrained, own):
    made = train_config(TrainOptions(), is_pretrained=is_pretrained)
    assert made == TrainConfig(**own)
    said = defaults(TrainOptions)
    assert said.pop("patience") == "never"
    assert said.pop("seeds") == "1"
    for name, none in (
        ("layer_decay", "1"),
        ("head_learning_rate", "that of the rest"),
    ):
        without, _, own_value = said.pop(name).partition(", pretrained ")
        assert without == none
        value = getattr(made, name)
        assert value == (float(own_value) if is_pretrained else None)
    for name, text in said.items():
        first, _, second = text.partition(", pretrained ")
        wanted = second if second and is_pretrained else first
        value = getattr(made, name)
        assert type(value)(wanted) == value


def test_defaults_of_the_data():
    said = defaults(DataOptions)
    assert said.pop("articles") == str(GAZETTE_ARTICLES[0])
    assert float(said.pop("in_body")) == GazetteConfig().in_body
    assert float(said.pop("ambiguous")) == GazetteConfig().ambiguous
    assert int(said.pop("tokens")) == GazetteConfig().n_tokens
    assert (said.pop("scheme"), Layout().scheme) == ("found out", None)
    assert said.pop("document_per_sentence") == "as is known of the set"
    assert said == {n: str(getattr(Layout(), n)) for n in said}


# what was asked for, and what was stored


def test_only_what_was_asked_for_is_given():
    assert given(DataOptions("a", nested=True)) == {"data": "a", "nested": True}
    zeros = {"dropout": 0.0, "overlap": 0}
    assert given(ModelOptions(**zeros)) == zeros


@pytest.mark.parametrize("said", [True, False])
def test_a_no_is_asked_for_and_silence_is_not(said):
    assert given(Paint(thick=said)) == {"thick": said}
    assert given(Paint(shiny=False)) == {}
    assert over(Paint(thick=said), {"thick": not said}).thick is said
    assert over(Paint(), {"thick": said}).thick is said


def test_what_is_asked_for_goes_over_what_was_stored():
    stored = {"left": 3, "right": 4, "encoder": {}}
    assert over(ModelOptions(left=9), stored) == ModelOptions(left=9, right=4)


def test_a_path_is_kept_so_that_another_folder_finds_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute(DataOptions("wnut17")).data == "wnut17"
    assert absolute(DataOptions("a.conll")).data == str(tmp_path / "a.conll")
    assert absolute(DataOptions()).data is None
