"""Whole jobs: train, evaluate and use a tagger; the demo. The command line calls these.

A recipe puts the library's parts together and writes files; it computes nothing that
a part below could.
"""

from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.demo import DemoSizes, run_demo
from longctx_edu.recipes.entities import TextEntity, find_entities
from longctx_edu.recipes.ner import NerRun, tagger_scores, train_ner
from longctx_edu.recipes.scores import score_documents
from longctx_edu.recipes.tagger import Tagger, build, load

__all__ = [
    "DemoSizes",
    "NerConfig",
    "NerRun",
    "Tagger",
    "TextEntity",
    "build",
    "find_entities",
    "load",
    "run_demo",
    "score_documents",
    "tagger_scores",
    "train_ner",
]
