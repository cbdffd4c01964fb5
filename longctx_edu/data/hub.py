"""Fetch a data set from the Hugging Face hub, its cache, or a saved copy.

Without network this ends in a second, where the hub's own client retries for half
a minute.
"""

import os
import socket
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def fetch(hub_id: str, revision: str | None = None) -> Mapping[str, Any]:
    """Load a data set from the hub, or from its cache where the hub is out of reach.

    Args:
        hub_id: Its name on the hub: "lhoestq/conll2003".
        revision: The branch or commit; the main branch if None.

    Raises:
        OSError: If the hub is out of reach and the cache does not have it.
    """
    import datasets

    if hub_in_reach():
        return datasets.load_dataset(hub_id, revision=revision)
    if not cached(hub_id):
        raise ConnectionError("the hub is out of reach")
    with offline():
        return datasets.load_dataset(hub_id, revision=revision)


def open_saved(folder: Path) -> Mapping[str, Any]:
    """Load a data set that `datasets` saved: Parquet files, or `save_to_disk`.

    Args:
        folder: Where it was saved.
    """
    import datasets

    if (folder / "dataset_dict.json").exists():
        return datasets.load_from_disk(str(folder))
    return datasets.load_dataset(str(folder.resolve()))


def is_saved(folder: Path) -> bool:
    """Tell whether `datasets` saved a data set in this folder.

    Args:
        folder: Where to look.
    """
    signs = ("dataset_dict.json", "*.parquet", "*/*.parquet")
    return any(next(folder.glob(sign), None) is not None for sign in signs)


def hub_in_reach(timeout_s: float = 1.0) -> bool:
    """Tell within a second whether the hub, or the proxy on the way to it, answers.

    Args:
        timeout_s: How long to wait.
    """
    import huggingface_hub.constants as constants

    off = os.environ.get("HF_HUB_OFFLINE", "") or os.environ.get(
        "HF_DATASETS_OFFLINE", ""
    )
    if constants.HF_HUB_OFFLINE or off.upper() in ("1", "ON", "YES", "TRUE"):
        return False
    proxy = urllib.request.getproxies().get("https")
    target = urlsplit(proxy or constants.ENDPOINT)
    port = target.port or (80 if target.scheme == "http" else 443)
    answers: list[bool] = []

    def knock() -> None:
        try:
            socket.create_connection((target.hostname, port), timeout_s).close()
            answers.append(True)
        except OSError:
            answers.append(False)

    # Looking up the name has no time limit of its own, so it waits in a thread.
    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return answers == [True]


def cached(hub_id: str) -> bool:
    """Tell whether the cache of `datasets` has a data set of this name.

    Args:
        hub_id: Its name on the hub.
    """
    import datasets

    folder = Path(datasets.config.HF_DATASETS_CACHE) / hub_id.replace("/", "___")
    return next(folder.glob("*/*/*"), None) is not None


@contextmanager
def offline() -> Iterator[None]:
    """Let `datasets` look into its cache alone, for as long as this lasts."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before
