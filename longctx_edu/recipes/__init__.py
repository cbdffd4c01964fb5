"""Whole jobs: train, evaluate and use a tagger; the demo. The command line calls these.

A recipe puts the library's parts together and writes files; it computes nothing that
a part below could.
"""

from longctx_edu.recipes.comparison import compare_runs
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.continuation import continue_text
from longctx_edu.recipes.conversion import Rung, conversion_ladder
from longctx_edu.recipes.conversion_bits import bits_at, text_ids
from longctx_edu.recipes.conversion_model import (
    MaskedReader,
    load_masked,
    with_copied_rows,
    with_random_rows,
)
from longctx_edu.recipes.conversion_ner import fine_tuned_f1
from longctx_edu.recipes.conversion_training import (
    continue_training,
    learn_to_name,
    train_head,
)
from longctx_edu.recipes.demo import DemoSizes, run_demo
from longctx_edu.recipes.entities import TextEntity, find_entities
from longctx_edu.recipes.language import (
    LanguageData,
    evaluate_bits,
    fit_language_model,
    gazette_language,
    language_loss,
    text_language,
)
from longctx_edu.recipes.language_run import (
    LanguageRun,
    load_language_run,
    train_language_run,
)
from longctx_edu.recipes.ner import NerRun, tagger_scores, train_ner
from longctx_edu.recipes.recall import (
    fit_recall,
    read_in_segments,
    read_whole,
    recall_by_distance,
    recall_samples,
)
from longctx_edu.recipes.scores import score_documents
from longctx_edu.recipes.seeds import train_seeds
from longctx_edu.recipes.tagger import Tagger, build, load

__all__ = [
    "DemoSizes",
    "LanguageData",
    "LanguageRun",
    "MaskedReader",
    "NerConfig",
    "NerRun",
    "Rung",
    "Tagger",
    "TextEntity",
    "bits_at",
    "build",
    "compare_runs",
    "continue_text",
    "continue_training",
    "conversion_ladder",
    "evaluate_bits",
    "find_entities",
    "fine_tuned_f1",
    "fit_language_model",
    "fit_recall",
    "gazette_language",
    "language_loss",
    "learn_to_name",
    "load",
    "load_language_run",
    "load_masked",
    "read_in_segments",
    "read_whole",
    "recall_by_distance",
    "recall_samples",
    "run_demo",
    "score_documents",
    "tagger_scores",
    "text_ids",
    "text_language",
    "train_head",
    "train_language_run",
    "train_ner",
    "train_seeds",
    "with_copied_rows",
    "with_random_rows",
]
