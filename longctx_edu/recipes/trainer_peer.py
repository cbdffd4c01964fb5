"""The training of a tagger by transformers' Trainer, as its users run it.

The modules that learn are those of one of our taggers, under transformers' own token
head: so the weights at the start are ours, and our scorer reads what was learnt.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from torch import nn
from tqdm import tqdm
from transformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from longctx_edu.errors import UserError
from longctx_edu.measure import device
from longctx_edu.recipes.tagger import Tagger
from longctx_edu.recipes.trainer_batches import Counted, as_features
from longctx_edu.tasks import Piece
from longctx_edu.training import TrainConfig


class Clock(TrainerCallback):
    """Times a training, and has it scored after each epoch, off the clock.

    Args:
        score: Called after each epoch.
        bar: Shows the steps.
    """

    def __init__(self, score: Callable[[], object] | None, bar: tqdm):
        self.score, self.bar = score, bar
        self.seconds = self._started = 0.0

    def on_train_begin(self, args, state, control, **kwargs):
        """Start where the first batch is fetched."""
        self._started = perf_counter()

    def on_step_end(self, args, state, control, **kwargs):
        """Move the bar."""
        self.bar.update()

    def on_epoch_end(self, args, state, control, **kwargs):
        """Stop while the model is scored."""
        self.seconds += perf_counter() - self._started
        if self.score is not None:
            self.score()
        self._started = perf_counter()

    def on_train_end(self, args, state, control, **kwargs):
        """Stop for good."""
        self.seconds += perf_counter() - self._started


def under_their_head(tagger: Tagger) -> nn.Module:
    """Put transformers' token head on the modules of a tagger; weights are shared.

    Args:
        tagger: A pretrained encoder with a task layer.

    Raises:
        UserError: If their head is more than dropout and one linear layer.
    """
    encoder = tagger.model.encoder.model
    config = deepcopy(encoder.config)
    config.num_labels = len(tagger.tags)
    with torch.random.fork_rng():
        model = AutoModelForTokenClassification.from_config(config)
    own = {name for name, _ in model.named_children()}
    if own != {model.base_model_prefix, "dropout", "classifier"}:
        raise UserError(
            "need a model whose token head in transformers is dropout and one linear "
            f"layer, got {type(model).__name__} with {', '.join(sorted(own))}: choose "
            "one of the BERT, RoBERTa, ELECTRA or DistilBERT families"
        )
    setattr(model, model.base_model_prefix, encoder)
    model.classifier = tagger.model.head
    model.dropout = tagger.model.dropout
    return model.to(device())


def collator(tagger: Tagger) -> Counted:
    """Return what pads a batch to its longest example, as Trainer's users have it.

    Args:
        tagger: Its reader knows the tokenizer.
    """
    collate = DataCollatorForTokenClassification(tagger.reader.tokenizer)
    return Counted(collate, "attention_mask")


def train_by_trainer(
    tagger: Tagger,
    pieces: Sequence[Piece],
    config: TrainConfig,
    *,
    batch: int,
    grouped: bool,
    score: Callable[[], object] | None = None,
    progress: bool = False,
) -> dict[str, float]:
    """Train a tagger's modules with Trainer; nothing is kept but their weights.

    Args:
        tagger: Its model learns.
        pieces: What it learns from.
        config: How; its precision is "fp32" or "bf16".
        batch: Examples in a batch.
        grouped: Group examples by length.
        score: Called after each epoch, off the clock.
        progress: Show a bar.

    Returns:
        Seconds, steps, tokens, and tokens with padding counted.
    """
    collate = collator(tagger)
    steps = config.epochs * -(-len(pieces) // batch)
    with (
        TemporaryDirectory() as folder,
        torch.random.fork_rng(),
        tqdm(total=steps, disable=not progress) as bar,
    ):
        clock = Clock(score, bar)
        trainer = Trainer(
            under_their_head(tagger),
            arguments(config, folder, batch=batch, grouped=grouped, steps=steps),
            data_collator=collate,
            train_dataset=as_features(pieces),
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    tagger.model.eval()
    return {
        "seconds": clock.seconds,
        "steps": trainer.state.global_step,
        "tokens": collate.real,
        "padded_tokens": collate.padded,
    }


def arguments(
    config: TrainConfig, folder: str, *, batch: int, grouped: bool, steps: int
) -> TrainingArguments:
    """Say to Trainer what our settings say; the rest is as it is by default.

    Args:
        config: Our settings.
        folder: Where Trainer would write.
        batch: Examples in a batch.
        grouped: Group examples by length.
        steps: Of the whole training.
    """
    on_cpu = device().type == "cpu"
    return TrainingArguments(
        folder,
        per_device_train_batch_size=batch,
        num_train_epochs=config.epochs,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_norm,
        lr_scheduler_type=config.schedule,
        warmup_steps=round(config.warmup * steps),
        seed=config.seed,
        bf16=config.precision == "bf16",
        train_sampling_strategy="group_by_length" if grouped else "random",
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
