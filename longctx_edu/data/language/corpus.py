"""One long text to learn from: any file, or the Gazette; and its held-out end."""

from pathlib import Path
from typing import TypeVar

from torch import Tensor

from longctx_edu.data.files import decoded
from longctx_edu.data.gazette import GazetteConfig, articles, render

Text = TypeVar("Text", str, Tensor)


def read_corpus(path: str | Path) -> str:
    """Read a text file, all of it.

    Args:
        path: The file, in UTF-8.

    Raises:
        UserError: If there is no such file, or it is a folder.
        DataError: If it is empty, or at the line that is not UTF-8.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "note.txt")
        ...     _ = path.write_text("To the harbour.")
        ...     read_corpus(path)
        'To the harbour.'
    """
    return decoded(path)


def gazette_corpus(config: GazetteConfig, count: int) -> str:
    r"""Write articles of the Gazette as plain text.

    A headline, a heading and a paragraph are a line each; an empty line parts the
    articles. For held-out text take another `split` in the config: it shares no name
    with this one.

    Args:
        config: The dials of the generator, the split among them.
        count: How many articles.

    Raises:
        ValueError: If count is below 1.

    Example:
        >>> text = gazette_corpus(GazetteConfig(n_tokens=128), 3)
        >>> len(text.split("\n\n"))
        3
    """
    if count < 1:
        raise ValueError(f"need count >= 1, got count={count}")
    texts = (render(article) for article in articles(config, count))
    return "\n\n".join(text.replace("\n\n", "\n") for text in texts) + "\n"


def held_out(text: Text, share: float = 0.1) -> tuple[Text, Text]:
    """Cut off the end of a text, to test on what no training has seen.

    The end and not a random choice: a window of test text must not overlap with one
    of training text.

    Args:
        text: A text, or its token ids.
        share: Part of its characters or tokens that is held out.

    Raises:
        ValueError: If the share is not between 0 and 1, or one part would be empty.

    Returns:
        The text to train on, then the text to test on.

    Example:
        >>> held_out("abcdefghij", share=0.2)
        ('abcdefgh', 'ij')
    """
    if not 0 < share < 1:
        raise ValueError(f"need 0 < share < 1, got share={share}")
    first = len(text) - round(share * len(text))
    if not 0 < first < len(text):
        unit = "characters" if isinstance(text, str) else "tokens"
        raise ValueError(
            f"need a text long enough for two parts, got {len(text)} {unit} "
            f"and share={share}"
        )
    return text[:first], text[first:]
