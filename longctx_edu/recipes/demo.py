"""The promise, on this machine: F1 against the distance of the evidence.

Three models of the same size learn the Gazette with the same budget, the same texts
in the same order: one reads chunks, one reads all with full attention, one reads all
through a window with global tokens on the lead.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from longctx_edu.data.cut import Splits
from longctx_edu.data.gazette import TYPES, Article, GazetteConfig, articles
from longctx_edu.measure import device, measure
from longctx_edu.recipes.config import SCRATCH, NerConfig
from longctx_edu.recipes.ner import describe_model, tagger_scores, write_report
from longctx_edu.recipes.scores import FAR, score_documents
from longctx_edu.recipes.tagger import Tagger, build
from longctx_edu.tasks import tagging_loss
from longctx_edu.training import TrainConfig, fit

FIGURE = "f1_by_distance.png"

MODELS = {
    "chunks": NerConfig(attention="chunks", size=128, dropout=0.0),
    "full": NerConfig(attention="full", dropout=0.0),
    "window_global": NerConfig(attention="window", left=16, right=16, dropout=0.0),
}
"""The three ways to read a long text."""

TRAINING = TrainConfig(**{**SCRATCH, "epochs": 1, "precision": "fp32"})
"""One pass over the articles, the same for all three."""


@dataclass(frozen=True)
class DemoSizes:
    """How much the demo trains and tests.

    Args:
        train_tokens: Tokens of articles to learn from, in all.
        lengths: Tokens of an article; each length has its equal share.
        test_tokens: Tokens of a test article.
        n_test: Test articles, and a quarter as many four times as long.
    """

    train_tokens: int = 900_000
    lengths: tuple[int, ...] = (256, 512, 1024)
    test_tokens: int = 1024
    n_test: int = 24


def run_demo(
    folder: str | Path,
    *,
    sizes: DemoSizes | None = None,
    seed: int = 0,
    progress: bool = True,
    overwrite: bool = True,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Train and test the three models; write report, figure and models.

    Args:
        folder: Gets `report.json`, the figure, and a folder a model.
        sizes: How much is trained and tested.
        seed: Decides articles, fresh weights and the order of the batches.
        progress: Show bars.
        overwrite: Begin anew in a folder that holds a demo.
        say: Called with a line at each stage.

    Raises:
        UserError: If the folder cannot be written.
        Interrupted: At Ctrl-C.
    """
    sizes, say = sizes or DemoSizes(), say or (lambda line: None)
    folder = Path(folder)
    say("Writing articles of the Gazette")
    splits, long_test = demo_articles(sizes, seed)
    report = {
        "sizes": asdict(sizes),
        "training": asdict(replace(TRAINING, seed=seed)),
        "far_tokens": FAR,
        "device": str(device()),
        "models": {},
    }
    for name, config in MODELS.items():
        say(f"Training {name}: {describe(config)}")
        report["models"][name] = train_one(
            config,
            splits,
            long_test,
            folder=folder / name,
            seed=seed,
            progress=progress,
            overwrite=overwrite,
        )
        write_report(report, folder)
    draw(report, folder / FIGURE)
    return report


def demo_articles(sizes: DemoSizes, seed: int) -> tuple[Splits, list[Article]]:
    """Write the articles: to train on, to test on, and to test on four times as long.

    Args:
        sizes: How many, and how long.
        seed: Another seed, other articles.
    """
    share = sizes.train_tokens // len(sizes.lengths)
    train: list[Article] = []
    for number, n_tokens in enumerate(sizes.lengths):
        config = GazetteConfig(n_tokens=n_tokens, seed=seed * 100 + number)
        train += articles(config, share // n_tokens)
    held_out = GazetteConfig(n_tokens=sizes.test_tokens, split="test", seed=seed)
    test = list(articles(held_out, sizes.n_test))
    longer = replace(held_out, n_tokens=4 * sizes.test_tokens, seed=seed + 1)
    splits = Splits("gazette", train, [], test, tuple(sorted(TYPES)))
    return splits, list(articles(longer, max(1, sizes.n_test // 4)))


def train_one(
    config: NerConfig,
    splits: Splits,
    long_test: list[Article],
    *,
    folder: Path,
    seed: int,
    progress: bool,
    overwrite: bool,
) -> dict[str, Any]:
    """Train one model, test it at both lengths, and measure what it costs.

    Args:
        config: How it reads.
        splits: Articles to train and test on.
        long_test: Test articles four times as long.
        folder: Where it is saved.
        seed: Decides fresh weights and batches.
        progress: Show a bar.
        overwrite: Begin anew in a folder that holds a model.
    """
    tagger = build(config, splits.types, seed=seed)
    before = tagger_scores(tagger, splits.test)
    history = fit(
        tagger.model,
        tagger.pieces(splits.train),
        collate=tagger.collate,
        loss=tagging_loss,
        config=replace(TRAINING, seed=seed),
        folder=folder,
        overwrite=overwrite,
        progress=progress,
        describe=tagger.describe(),
    )
    after = tagger_scores(tagger, splits.test)
    predicted: list[list[list[str]]] = []
    reading = measure(lambda: predicted.append(tagger.predict(long_test)))
    words = sum(len(article) for article in long_test)
    return {
        **pick(after),
        "f1_before": before["f1"],
        "before": pick(before),
        "four_times": pick(score_documents(long_test, predicted[0])),
        "seconds": history.training_s,
        "tokens_per_s": history.tokens_per_s,
        "peak_bytes": step_bytes(tagger, long_test[0]),
        "reading_tokens_per_s": words / reading.elapsed_s,
        "model": describe_model(tagger),
    }


def pick(scores: dict[str, Any]) -> dict[str, Any]:
    """Keep what the demo shows of all scores."""
    names = (
        "f1",
        "precision",
        "recall",
        "token_accuracy",
        "f1_far",
        "by_distance",
        "by_distance_ambiguous",
        "errors",
    )
    return {name: scores[name] for name in names}


def step_bytes(tagger: Tagger, article: Article) -> int:
    """Measure the peak memory of one training step on one long article, in bytes.

    Args:
        tagger: The model; its weights stay as they are.
        article: What it reads.
    """
    batch = tagger.collate(tagger.pieces([article]))
    batch = {name: x.to(device()) for name, x in batch.items()}

    def step() -> None:
        tagger.model.train()
        tagging_loss(tagger.model, batch).backward()
        tagger.model.zero_grad(set_to_none=True)

    peak = measure(step, repeats=3).peak_bytes
    tagger.model.eval()
    return peak


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw F1 by distance of all models, at both lengths.

    Args:
        report: What `run_demo` gathers.
        path: The PNG.
    """
    from longctx_edu.plotting import panels, plot_f1_by_distance, save_figure

    long = 4 * report["sizes"]["test_tokens"]
    axes = panels(2, width=4.6, height=3.4)
    for ax, title, key in (
        (axes[0], f"articles of {report['sizes']['test_tokens']:,} tokens", None),
        (axes[1], f"articles of {long:,} tokens", "four_times"),
    ):
        lines = {
            name.replace("_", " + "): [
                (b["low"], b["high"], b["f1"] if b["support"] else None)
                for b in (found if key is None else found[key])["by_distance_ambiguous"]
            ]
            for name, found in report["models"].items()
        }
        plot_f1_by_distance(lines, ax=ax, title=title, chance=1 / len(TYPES))
    save_figure(axes[0], path)


def describe(config: NerConfig) -> str:
    """Say in a few words how a model reads."""
    if config.attention == "chunks":
        return f"pieces of {config.size} tokens, each on its own"
    if config.attention == "full":
        return "every token sees every token"
    return f"{config.left} neighbours on each side, and the lead is global"
