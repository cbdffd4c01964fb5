"""A random BERT that knows letters, in a folder, for tests of what is pretrained."""

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def save_random_bert(folder, *, table):
    """Save a BERT of one layer, and its tokenizer; the same weights each time."""
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
        max_position_embeddings=table,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder
