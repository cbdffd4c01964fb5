"""What the tests of recipes share; how a page is read back stands in `page_reading`."""

import sys
from pathlib import Path

import pytest
from random_bert import save_random_bert

sys.path.append(str(Path(__file__).parent))

from longctx_edu.data.catalogue import load
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.ner import train_ner
from longctx_edu.training import TrainConfig

SMALL = EncoderConfig(n_layers=1, n_heads=1, d_model=8, d_ff=8, n_buckets=64)
TABLE = 64


@pytest.fixture(scope="session")
def splits():
    return load("gazette", counts=(4, 2, 2), n_tokens=160)


@pytest.fixture(scope="session")
def small_bert(tmp_path_factory):
    """A folder with a random BERT that reads 64 letters at once."""
    return str(save_random_bert(tmp_path_factory.mktemp("bert"), table=TABLE))


@pytest.fixture(scope="session")
def run(splits, tmp_path_factory):
    """A short training, with the folder that it left."""
    folder = tmp_path_factory.mktemp("run") / "ner"
    training = TrainConfig(epochs=2, batch_tokens=400, precision="fp32")
    config = NerConfig(encoder=SMALL)
    done = train_ner(splits, config, training, folder=folder, progress=False)
    return done, folder
