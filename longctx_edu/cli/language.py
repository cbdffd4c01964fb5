"""`longctx train lm`: from a text to a trained, scored and saved language model."""

from dataclasses import asdict
from pathlib import Path

from longctx_edu.cli.language_options import (
    N_TOKENS,
    LanguageOptions,
    LanguageRunOptions,
    LanguageTraining,
    TextOptions,
    found_anywhere,
    language_config,
    language_training,
    load_text,
)
from longctx_edu.cli.ner_options import over
from longctx_edu.cli.options import given, takes_options
from longctx_edu.cli.train import how_to_go_on


@takes_options
def lm(
    text: TextOptions,
    model: LanguageOptions,
    training: LanguageTraining,
    run: LanguageRunOptions,
) -> None:
    """Train a language model on the Gazette or a text file; its last tenth is a test.

    Weights, tokenizer, settings and report are kept in the folder --out. A run that
    was stopped goes on with: longctx train lm --resume --out FOLDER
    """
    from rich.console import Console

    from longctx_edu.recipes.language_run import need_same_kind, train_language_run
    from longctx_edu.recipes.ner import read_settings
    from longctx_edu.recipes.show_language import show_language
    from longctx_edu.training import Interrupted
    from longctx_edu.training.state import need_no_state

    out = run.out or Path("runs") / f"lm-{Path(text.data or '').stem}"
    if run.resume:
        need_same_kind(out)
        stored = read_settings(out)
        text = over(text, stored["data"])
        model = over(model, stored["model"])
        training = over(training, stored["training"])
    elif not run.overwrite:
        need_no_state(out, overwrite=False)
    config, how = language_config(model), language_training(training)
    try:
        done = train_language_run(
            load_text(text, vocab_size=config.vocab_size),
            config,
            how,
            n_tokens=N_TOKENS if model.tokens is None else model.tokens,
            left=model.left,
            folder=out,
            resume=run.resume,
            overwrite=run.overwrite,
            progress=not run.quiet,
            settings={
                "data": given(found_anywhere(text)),
                "model": given(model),
                "training": asdict(how),
            },
        )
    except Interrupted as stop:
        said = how_to_go_on(stop.folder, stop.step, what="lm")
        raise KeyboardInterrupt(said) from None
    show_language(done.report, Console(), folder=out)
