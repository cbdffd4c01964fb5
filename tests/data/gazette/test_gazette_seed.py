"""The same seed gives the same bytes, in any process, and quickly."""

import hashlib
import os
import subprocess
import sys

from longctx_edu.data.gazette import GazetteConfig, article, articles

SCRIPT = """
import hashlib
from longctx_edu.data.gazette import GazetteConfig, articles
config = GazetteConfig(n_tokens=600, in_body=0.3, seed=5)
text = "".join(repr(a) for a in articles(config, 20))
print(hashlib.sha256(text.encode()).hexdigest())
"""
STOPWATCH = """
import time
from longctx_edu.data.gazette import GazetteConfig, articles
start = time.process_time()
assert len(list(articles(GazetteConfig(), 1000))) == 1000
print(time.process_time() - start)
"""


def fingerprint(hash_seed):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_same_bytes_in_every_process():
    config = GazetteConfig(n_tokens=600, in_body=0.3, seed=5)
    text = "".join(repr(a) for a in articles(config, 20))
    here = hashlib.sha256(text.encode()).hexdigest()
    assert fingerprint("1") == fingerprint("2") == here


def test_an_article_does_not_depend_on_the_others():
    config = GazetteConfig()
    later = article(config, 3)
    assert list(articles(config, 4))[3] == later == article(config, 3)


def test_other_seed_split_or_index_gives_another_article():
    texts = {
        article(GazetteConfig(seed=seed, split=split), index).tokens
        for seed in (0, 1)
        for split in ("train", "dev")
        for index in (0, 1)
    }
    assert len(texts) == 8


def test_a_thousand_articles_take_seconds():
    """In a process of its own: the checks of this one make it ten times slower."""
    done = subprocess.run(
        [sys.executable, "-c", STOPWATCH], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 6
