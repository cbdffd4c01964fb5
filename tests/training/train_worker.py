"""Train the small model in a process of its own, and hang at a step to be killed."""

import sys
import time
import warnings

from tiny_tagger import collate, loss, make_examples, make_model

from longctx_edu.training import TrainConfig, fit


def evaluate(model):
    batch = collate(make_examples(5, seed=9))
    return {"score": -loss(model, batch).item()}


def main(folder: str, hang_at: int, *, resume: bool):
    def hang(row):
        if row["step"] == hang_at:
            time.sleep(1000)

    config = TrainConfig(
        epochs=3,
        learning_rate=0.01,
        batch_tokens=20,
        save_every_steps=4,
        precision="fp32",
        seed=3,
    )
    fit(
        make_model(),
        make_examples(),
        collate=collate,
        loss=loss,
        config=config,
        evaluate=evaluate,
        monitor="score",
        folder=folder,
        resume=resume,
        on_step=hang,
        progress=False,
    )


if __name__ == "__main__":
    warnings.simplefilter("error")
    main(sys.argv[1], int(sys.argv[2]), resume=sys.argv[3] == "resume")
