"""The entities that a tagger was trained on, kept beside it as `seen.json`."""

import json
from collections.abc import Sequence
from pathlib import Path

from longctx_edu.data.documents import Document
from longctx_edu.errors import UserError
from longctx_edu.metrics import known_forms
from longctx_edu.metrics.novelty import Known
from longctx_edu.training.files import write_text

SEEN = "seen.json"


def known_of(documents: Sequence[Document]) -> dict[str, list[str]]:
    """Collect the surface forms of documents' entities, each with its types, sorted.

    Args:
        documents: What a tagger is trained on.

    Example:
        >>> known_of([Document("note", ("Ada", "sings"), ("B-PER", "O"), (0,))])
        {'Ada': ['PER']}
    """
    tokens = [document.tokens for document in documents]
    known = known_forms(tokens, [document.tags for document in documents])
    return {form: sorted(known[form]) for form in sorted(known)}


def write_known(known: Known, folder: str | Path) -> None:
    """Write `seen.json`, whole or not at all.

    Args:
        known: What `known_of` returns.
        folder: The folder of the run.

    Raises:
        UserError: If it cannot be written.
    """
    text = json.dumps(known, ensure_ascii=False, indent=0)
    write_text(Path(folder) / SEEN, text + "\n")


def read_known(folder: str | Path) -> dict[str, list[str]] | None:
    """Read `seen.json`; None where the run that made the folder did not write it.

    Args:
        folder: The folder of the run.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / SEEN
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not isinstance(known, dict) or not all(map(_is_types, known.values())):
        raise UserError(f"need an object of forms and their types in {path}")
    return known


def _is_types(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
