"""What the tests of recipes share; how a page is read back stands in `page_reading`."""

import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

sys.path.append(str(Path(__file__).parent))

from longctx_edu.data.catalogue import load
from longctx_edu.models import EncoderConfig
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.ner import train_ner
from longctx_edu.training import TrainConfig

SMALL = EncoderConfig(n_layers=1, n_heads=1, d_model=8, d_ff=8, n_buckets=64)
TABLE = 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


@pytest.fixture(scope="session")
def splits():
    return load("gazette", counts=(4, 2, 2), n_tokens=160)


@pytest.fixture(scope="session")
def small_bert(tmp_path_factory):
    """A folder with a random BERT that reads 64 letters at once."""
    folder = tmp_path_factory.mktemp("bert")
    letters = [chr(code) for code in range(33, 127)]
    names = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters)]
    vocab = {name: number for number, name in enumerate(names)}
    fast = Tokenizer(WordPiece(vocab, unk_token="[UNK]"))
    fast.pre_tokenizer = BertPreTokenizer()
    fast.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=TABLE,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def run(splits, tmp_path_factory):
    """A short training, with the folder that it left."""
    folder = tmp_path_factory.mktemp("run") / "ner"
    training = TrainConfig(epochs=2, batch_tokens=400, precision="fp32")
    config = NerConfig(encoder=SMALL)
    done = train_ner(splits, config, training, folder=folder, progress=False)
    return done, folder
