"""Decoding with a cache and without, and the memory of a stream, on this machine.

A model with random weights does: what a step costs does not depend on what is said.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from longctx_edu.attention import kv_cache_bytes
from longctx_edu.benchmarks.machine import machine_facts, versions
from longctx_edu.benchmarks.record import Row
from longctx_edu.measure import device, measure
from longctx_edu.memory import KVCache
from longctx_edu.models import LanguageModel, TransformerConfig, build_language_model

ALSO = (8, 4, 2, 1)
"""Steps are also measured at these parts of the length."""


@dataclass(frozen=True)
class DecodingPlan:
    """What is measured.

    Args:
        length: Tokens that stand before a step.
        stream: Tokens of the stream.
        left: Tokens that the window keeps.
        sinks: First tokens that stay beside it.
        piece: Tokens of the stream that are read at once.
        steps: Measured steps with a cache, at each length.
        again: Measured steps without one: each reads the whole text.
        n_layers: Blocks of the model.
        n_heads: Heads of queries.
        n_kv_heads: Heads of keys and values.
        d_model: Width of a token's vector; four times as wide inside a block.
        vocab_size: Known tokens.
        seed: Decides weights and tokens.

    Raises:
        ValueError: If a number is below its least.

    Example:
        >>> DecodingPlan(length=512).lengths
        (64, 128, 256, 512)
    """

    length: int = 4096
    stream: int = 20_000
    left: int = 1020
    sinks: int = 4
    piece: int = 64
    steps: int = 32
    again: int = 3
    n_layers: int = 4
    n_heads: int = 4
    n_kv_heads: int = 2
    d_model: int = 128
    vocab_size: int = 1024
    seed: int = 0

    def __post_init__(self):
        least = {"length": ALSO[0], "sinks": 0, "seed": 0}
        for name, value in asdict(self).items():
            if value < least.get(name, 1):
                raise ValueError(
                    f"need {name} >= {least.get(name, 1)}, got {name}={value}"
                )
        self.model_config()

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths at which a step is measured, in tokens."""
        return tuple(self.length // part for part in ALSO)

    def model_config(self) -> TransformerConfig:
        """Name the sizes of the model."""
        return TransformerConfig(
            vocab_size=self.vocab_size,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            n_kv_heads=self.n_kv_heads,
            d_model=self.d_model,
            d_ff=4 * self.d_model,
        )

    def caches(self) -> dict[str, dict[str, int]]:
        """Name the caches of the stream, and what each keeps."""
        return {
            "full": {},
            "window": {"left": self.left + self.sinks},
            "window + sinks": {"left": self.left, "sinks": self.sinks},
        }


def run_decoding(
    plan: DecodingPlan,
    *,
    progress: bool = False,
    save: Callable[[Row], object] = lambda report: None,
) -> Row:
    """Measure all that is planned.

    A step is one token: its vector through the model, and the logits behind it alone.
    Without a cache the whole text goes through the model again; so few steps are
    measured, and the median of them counts.

    Args:
        plan: What is measured.
        progress: Show a bar, where somebody sees it.
        save: Called with the report as it grows.

    Returns:
        The report: what JSON holds.

    Example:
        >>> plan = DecodingPlan(length=16, stream=40, left=6, sinks=2, piece=8, steps=2)
        >>> report = run_decoding(plan)
        >>> [row["cache_bytes"] == row["formula_bytes"] for row in report["streams"]]
        [True, True, True]

    Source: StreamingLLM (Xiao et al. 2024), section 4.5 and figure 10. Built in lesson
    07.
    """
    report: dict[str, Any] = {
        "complete": False,
        "machine": machine_facts(),
        "versions": versions(),
        "settings": asdict(plan),
        "steps": [],
        "streams": [],
    }
    torch.manual_seed(plan.seed)
    model = build_language_model(plan.model_config()).to(device()).eval()
    longest = max(plan.length + 1, plan.stream)
    ids = torch.randint(plan.vocab_size, (1, longest)).to(device())
    total = 2 * len(plan.lengths) + len(plan.caches())
    with tqdm(total=total, disable=None if progress else True) as bar:
        for n in plan.lengths:
            for way in (step_again, step_kept):
                report["steps"].append(way(model, ids[:, : n + 1], plan))
                save(report)
                bar.update()
        for name, keeps in plan.caches().items():
            row = {"cache": name, **stream_once(model, ids, plan, keeps)}
            report["streams"].append(row)
            save(report)
            bar.update()
    report["complete"] = True
    save(report)
    return report


@torch.inference_mode()
def next_logits(
    model: LanguageModel, ids: Tensor, cache: KVCache | None = None
) -> Tensor:
    """Read tokens, and name what comes behind the last one.

    Args:
        model: The model.
        ids: The tokens, all or the new ones.
        cache: What was read before.
    """
    return model.name_tokens(model.transformer(ids, cache=cache)[:, -1:])


def step_again(model: LanguageModel, ids: Tensor, plan: DecodingPlan) -> Row:
    """Time a step that reads the whole text again.

    Args:
        model: The model.
        ids: The text, the new token last.
        plan: How often.
    """
    run = measure(next_logits, model, ids, repeats=plan.again, warmup=1)
    return _step("no cache", ids.shape[1] - 1, run.elapsed_s, plan.again)


def step_kept(model: LanguageModel, ids: Tensor, plan: DecodingPlan) -> Row:
    """Time a step that reads the new token alone.

    Args:
        model: The model.
        ids: The text, the new token last.
        plan: How often; the text grows by a token each time.
    """
    cache = KVCache(plan.n_layers)
    next_logits(model, ids[:, :-1], cache)
    before = cache.n_tokens
    step = partial(next_logits, model, ids[:, -1:], cache)
    run = measure(step, repeats=plan.steps, warmup=1)
    return _step("cache", before, run.elapsed_s, plan.steps)


def _step(way: str, length: int, elapsed_s: float, measured: int) -> Row:
    return {
        "way": way,
        "length": length,
        "seconds": elapsed_s,
        "tokens_per_s": 1 / elapsed_s,
        "measured_steps": measured,
    }


def stream_once(
    model: LanguageModel, ids: Tensor, plan: DecodingPlan, keeps: dict[str, int]
) -> Row:
    """Read the stream piece by piece: its time, its peak, its cache beside the formula.

    Args:
        model: The model.
        ids: The text.
        plan: How much of it, in which pieces.
        keeps: What the cache keeps.
    """
    cache = KVCache(plan.n_layers, **keeps)

    def read() -> None:
        for part in ids[:, : plan.stream].split(plan.piece, dim=1):
            next_logits(model, part, cache)

    run = measure(read)
    config = model.transformer.config
    formula = kv_cache_bytes(
        plan.stream,
        n_layers=plan.n_layers,
        n_kv_heads=config.kv_heads,
        d_head=config.d_head,
        number_bytes=4,
        window=keeps.get("left"),
        sinks=keeps.get("sinks", 0),
    )
    return {
        "kept_tokens": min(plan.stream, sum(keeps.values()) or plan.stream),
        "seconds": run.elapsed_s,
        "tokens_per_s": plan.stream / run.elapsed_s,
        "peak_bytes": run.peak_bytes,
        "cache_bytes": cache.nbytes,
        "formula_bytes": formula,
        "reserved_bytes": cache.reserved_bytes,
    }
