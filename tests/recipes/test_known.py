import pytest
from page_reading import document

from longctx_edu.errors import UserError
from longctx_edu.recipes.known import known_of, read_known, write_known


def test_what_is_written_is_read(tmp_path):
    documents = [
        document('北京 Ada "q" Ada', "B-LOC B-PER B-PER B-ORG"),
        document("Ada Byron", "B-PER I-PER"),
    ]
    known = known_of(documents)
    assert known == {
        '"q"': ["PER"],
        "Ada": ["ORG", "PER"],
        "Ada Byron": ["PER"],
        "北京": ["LOC"],
    }
    write_known(known, tmp_path)
    assert read_known(tmp_path) == known
    assert [path.name for path in tmp_path.iterdir()] == ["seen.json"]


def test_a_folder_of_an_older_run(tmp_path):
    assert read_known(tmp_path) is None


def test_no_entity(tmp_path):
    write_known(known_of([document("a", "O")]), tmp_path)
    assert read_known(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{", r"cannot read .*seen\.json: "),
        ("[1]", r"need an object of forms and their types in .*seen\.json"),
        ('{"Ada": "PER"}', r"need an object of forms and their types in "),
        ('{"Ada": [1]}', r"need an object of forms and their types in "),
    ],
)
def test_a_damaged_file(text, wanted, tmp_path):
    (tmp_path / "seen.json").write_text(text)
    with pytest.raises(UserError, match=wanted):
        read_known(tmp_path)
