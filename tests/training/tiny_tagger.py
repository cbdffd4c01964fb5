"""A model small enough to train in a second, with dropout, and texts for it."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

VOCAB, LABELS = 11, 3


class Tagger(nn.Module):
    def __init__(self, d_model: int = 8, dropout: float = 0.3):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, d_model)
        self.norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(d_model, LABELS)

    def forward(self, tokens):
        return self.head(self.dropout(self.norm(self.embedding(tokens))))


def make_model(seed: int = 1, **sizes) -> Tagger:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Tagger(**sizes)


def make_examples(n: int = 24, seed: int = 2) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, 10, (n,), generator=generator).tolist()
    draw = lambda length: torch.randint(
        1, VOCAB, (length,), generator=generator
    ).tolist()
    return [draw(length) for length in lengths]


def collate(examples: list) -> dict:
    longest = max(map(len, examples))
    rows = [row + [0] * (longest - len(row)) for row in examples]
    tokens = torch.tensor(rows)
    return {
        "tokens": tokens,
        "labels": (tokens % LABELS).masked_fill(tokens == 0, -100),
    }


def loss(model, batch):
    logits = model(batch["tokens"])
    return cross_entropy(logits.flatten(0, 1), batch["labels"].flatten())
