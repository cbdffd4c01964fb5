# %% [markdown]
# # 00 · Start here
#
# *How does a model know what a word means when the explanation stood 3,000 words ago?*
# That question is this course.
#
# After this lesson you can say where the difficulty lies, show it in a figure that your
# own machine makes, and work with lessons, exercises and their checks. Reading takes
# about 10 minutes; the longest cell trains two models, in about a minute.

# %%
import html

import torch
from IPython.display import HTML, display

from longctx_edu.course import assert_close, guess
from longctx_edu.data.gazette import TYPES, GazetteConfig, article, segments
from longctx_edu.plotting import COLOURS, panels, plot_f1_by_distance, plot_mask

# %% [markdown]
# ## Is the machine ready?
#
# The **doctor** looks at what this machine has: Python, packages, memory, models.
# `missing` would mean that some lesson cannot run. Anything else runs everything, with
# or without a network, with or without a GPU.

# %%
from longctx_edu.cli.doctor import doctor_rows, lessons_can_run, render

rows = doctor_rows()
assert lessons_can_run(rows), "switch the next cell on: it says how"
for row in rows:
    print("missing" if row.status == "missing" else "fine   ", row.name)

# %% [markdown]
# Versions, sizes and advice differ from machine to machine, so they are not kept in
# this page. Switch the cell on to see yours. In a terminal the same table comes from
# `longctx doctor`.

# %%
SHOW_ALL = False
if SHOW_ALL:
    display(render(rows))

# %% [markdown]
# ## A word without its explanation
#
# The course has a newspaper of its own, the **Gazette**, from an invented world. A
# program writes it, as long as we like. Here is a piece from the end of an article.

# %%
# NBVAL_CHECK_OUTPUT
paper = article(GazetteConfig(n_tokens=512, seed=3), 0)
last = [m for m in paper.mentions if m.ambiguous][-2:]
print(" ".join(paper.tokens[last[0].start - 6 : last[1].stop + 7]))

# %% [markdown]
# Our task: find the names, and say what each one is. There are four types: **PER**, a
# person; **ORG**, an organisation; **LOC**, a place; **WORK**, a book or a painting.
#
# **Predict:** which type is *Brackume*, which is *Undune*?

# %%
guess([f"{m.name}: {m.type}" for m in last])

# %% [markdown]
# A newspaper and a stonemason. If you were wrong, you were not careless: both sound
# like villages, and nothing in the sentence tells. The answer stands at the top of the
# article, and nowhere else. Find both in the first lines.


# %%
def in_colour(text, kind):
    colour = dict(zip(TYPES, COLOURS, strict=False)).get(kind)
    safe = html.escape(text)
    if colour is None:
        return f"<b>{safe}</b>" if kind else safe
    return f'<b style="color:{colour}">{safe}</b><sub>{kind}</sub>'


# %%
page = "".join(in_colour(*piece) for piece in segments(paper))
HTML(f'<div style="white-space: pre-wrap; max-width: 46em">{page}</div>')

# %% [markdown]
# "Brackume, the newspaper" and "the stonemason Undune" are **evidence**: words that fix
# a type. Later mentions are bare. A model counts in **tokens**, here words and
# punctuation marks.
#
# **Predict** the distance, in tokens, between the last *Brackume* and its evidence. The
# article has about 500.

# %%
mention = last[0]
evidence = next(e for e in paper.evidence if e.name == mention.name)
print(" ".join(paper.tokens[evidence.start : evidence.stop]))
guess(mention.start - evidence.stop)

# %% [markdown]
# Some 450 tokens, with other names and much weather between. That is our question in
# small. Ask for a longer article, and the distance grows with it.

# %%
assert (mention.type, last[1].type) == ("ORG", "PER")
assert mention.distance == mention.start - evidence.stop == 452
assert evidence.stop < paper.lead < 100, "all evidence stands in the first lines"

# %% [markdown]
# ## Three ways to read
#
# A token learns from the tokens that it may look at. **Chunks:** the text is cut, and
# each piece is read alone. **Full attention:** everybody looks at everybody. **Window +
# global:** everybody looks at near neighbours and at the first lines, which see all.
#
# Twelve tokens, chunks of 4; a window of 1 on each side and 2 global tokens.
# **Predict:** how many of 144 squares are dark in each picture?

# %%
from longctx_edu.masks import dense_mask, document, global_tokens, window

position = torch.arange(12)
chunks = dense_mask(document(position // 4), 12)
full = torch.ones(12, 12, dtype=torch.bool)
near = window(left=1, right=1) | global_tokens(position < 2)
guess([int(mask.sum()) for mask in (chunks, full, dense_mask(near, 12))])

# %%
left, middle, right = panels(3, width=2.7)
plot_mask(chunks, ax=left, title="chunks")
plot_mask(full, ax=middle, title="full")
plot_mask(dense_mask(near, 12), ax=right, title="window + global")

# %% [markdown]
# A row is a token that looks, a dark square is a token that it sees. In the bottom row,
# the last token sees the first in the second and the third picture, never in the first.
#
# Full attention pays for it: twice the text, four times the squares. The other two
# grow with the text, and no faster.

# %%
assert not chunks[-1, 0] and full[-1, 0] and dense_mask(near, 12)[-1, 0]
twice = torch.arange(24)
longer = dense_mask(window(left=1, right=1) | global_tokens(twice < 2), 24)
assert int(longer.sum()) / int(dense_mask(near, 12).sum()) < 2.2
assert int(dense_mask(document(twice // 4), 24).sum()) == 2 * int(chunks.sum())

# %% [markdown]
# ## The promise, in small
#
# Now we train. Two models of the same size start from nothing and read the same
# articles once. One reads chunks of at most 128 tokens, one a window of 16 on each side
# with the first lines global. Both are tested on people, organisations and places that
# they have never met.

# %%
from longctx_edu.recipes.demo import MODELS, TRAINING, DemoSizes, demo_articles
from longctx_edu.recipes.ner import train_ner

sizes = DemoSizes(360_000, lengths=(256, 512), test_tokens=1024, n_test=10)
texts, _ = demo_articles(sizes, seed=0)
seen, asked = (
    {m.name for paper in part for m in paper.mentions if m.type != "WORK"}
    for part in (texts.train, texts.test)
)
assert not seen & asked, "no person, organisation or place is in both"

# %% [markdown]
# **F1** is 1 where every name is found with the right type, 0 where none is; lesson 09
# builds it. We look at bare names whose evidence is 128 tokens away or more. Whoever
# finds them all and guesses among four types is right one time in four.
#
# **Predict** the F1 of each model: nearer to 0.25, 0.5 or 0.8? Then run the cell and
# give it a minute.

# %%
runs = {
    name: train_ner(texts, MODELS[name], TRAINING, progress=False).report
    for name in ("chunks", "window_global")
}
far = {name: run["test"]["f1_far"] for name, run in runs.items()}
guess({name: round(f1, 2) for name, f1 in far.items()})

# %%
lines = {
    name.replace("_", " + "): [
        (b["low"], b["high"], b["f1"] if b["support"] else None)
        for b in run["test"]["by_distance_ambiguous"]
    ]
    for name, run in runs.items()
}
plot_f1_by_distance(lines, title="bare names, two models", chance=1 / len(TYPES))

# %% [markdown]
# With chunks, a name beside its evidence is mostly found and any other is little more
# than a guess; with window + global, distance hardly matters. Same size, same texts:
# what differs is who may look at whom.
#
# Some near names do share a chunk with their evidence. So short a training does not
# teach the chunked model those either. A far one it could never learn.

# %%
chunked, structured = runs.values()
assert chunked["model"]["weights"] == structured["model"]["weights"]
assert far["window_global"] - far["chunks"] > 0.2
assert far["chunks"] < 0.5
beside, nearby, *_ = chunked["test"]["by_distance_ambiguous"]
assert beside["f1"] - nearby["f1"] > 0.1

# %% [markdown]
# That is the course's promise. `longctx demo`, or `make run`, makes the large figure:
# more training, full attention as a third line, tests on articles of 1,024 and of 4,096
# tokens, and what each model costs. It takes a few minutes and writes to `runs/demo/`.

# %% [markdown]
# ## How a lesson works
#
# As above: **predict, run, figure, one sentence**. Predict in earnest, on paper: a
# wrong prediction is where you learn something. And every claim is an `assert` in a
# cell, so a lesson cannot say what it did not just measure.
#
# We build each thing by hand first, slowly. Then the library's version comes, and an
# alarm holds the two together. Here are the distances of all bare names.


# %%
def nearest_by_hand(mention):
    places = [e for e in paper.evidence if e.name == mention.name]
    gaps = [max(e.start - mention.stop, mention.start - e.stop, 0) for e in places]
    return min(gaps)


# %%
# NBVAL_CHECK_OUTPUT
bare = [m for m in paper.mentions if m.ambiguous]
assert_close([nearest_by_hand(m) for m in bare], [m.distance for m in bare])

# %% [markdown]
# If anyone changes the library, or this page, so that they part, the cell fails. Change
# what you like: each lesson runs alone.
#
# ## How an exercise works
#
# An exercise gives you a function without its inside, and a check. Which chunk does a
# token fall in? The check says at once that nothing stands there yet.

# %%
# NBVAL_CHECK_OUTPUT
from longctx_edu.checks.lesson_00 import check_chunk_of


def chunk_of(token, size):
    raise NotImplementedError


check_chunk_of(chunk_of)

# %% [markdown]
# Suppose we count chunks from 1, as people do. **Predict:** what will the check say
# about token 0?


# %%
# NBVAL_CHECK_OUTPUT
def chunk_of(token, size):
    return token // size + 1


check_chunk_of(chunk_of)

# %% [markdown]
# It names the property that fails, the smallest input that shows it, what came, what
# was expected, and its guess at what you had in mind. We take the advice.


# %%
# NBVAL_CHECK_OUTPUT
def chunk_of(token, size):
    return token // size


check_chunk_of(chunk_of)

# %% [markdown]
# Green, with what you have just shown. If you are stuck before that, each exercise
# holds three folded hints. Open one at a time:
#
# <details><summary>Hint 1: a nudge</summary>
# Which operator leaves the remainder away?
# </details>
#
# The answers stand in `solutions/`, and are worth reading after your own.
#
# **Exercises 0.1 to 0.3** · 15 minutes · ●●○○○ · Which chunk, what distance, and can a
# chunk see both?

# %% [markdown]
# ## When something goes wrong
#
# An error of the library is one line: what must hold, what came, and what to do where
# that is known. Read it aloud; it was written for you. Two of them:

# %%
# NBVAL_CHECK_OUTPUT
for wrong in ({"n_tokens": 10}, {"split": "tets"}):
    try:
        GazetteConfig(**wrong)
    except ValueError as error:
        print(error)

# %% [markdown]
# The command line speaks the same way, and `longctx --help` lists what it can do. If a
# whole notebook fails, ask `longctx doctor` first. Then restart the kernel and run all
# cells: cells that ran out of order are the usual reason.

# %% [markdown]
# ## The map
#
# | lesson | the question | minutes |
# |---|---|---|
# | 00 | what is far, and why does it matter? | 10 |
# | [01 attention](01_attention.ipynb) | how does a token look at another? | 45 |
# | [02 transformer](02_transformer.ipynb) | what is a block made of? | 60 |
# | [03 the quadratic wall](03_the_quadratic_wall.ipynb) | what does it cost? | 60 |
# | [04 chunking](04_chunking.ipynb) | what does an edge cost? | 60 |
# | [05 structured attention](05_structured_attention.ipynb) | which pairs count? | 75 |
# | [06 long range](06_long_range.ipynb) | where am I, and how far can I see? | 75 |
# | [07 streaming](07_streaming.ipynb) | what may a stream forget? | 60 |
# | [08 cross-entropy](08_cross_entropy.ipynb) | which way is less wrong? | 70 |
# | [09 fine-tuning](09_finetuning_ner.ipynb) | when is a score to be trusted? | 60 |
# | [10 long documents](10_long_documents.ipynb) | which tokens must be seen? | 75 |
#
# Later numbers are kept for lessons that are planned and not written: classification,
# and what is built on it.

# %% [markdown]
# ## How to go on
#
# `make lab` opens this folder. Do the
# [three warm-ups](../exercises/00_start_here.ipynb), then lesson 01 and its exercises,
# then the lessons in the order of their numbers. Each takes an evening with its
# exercises, an hour without. They need no GPU and no network.
#
# If you came for results on your own texts, run lesson 09 and then `longctx train ner
# --help`.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 00` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("00")

# %% [markdown]
# ## What you can now do
#
# - say what a mention, its evidence and their distance are;
# - tell three ways to read a text by their pictures, and say which of them can see far;
# - show on your own machine what a chunk cannot know;
# - work through a lesson and an exercise, and read what a check says.

# %% [markdown]
# ## Source
#
# - Beltagy, Peters and Cohan 2020, *Longformer: the long-document transformer*: section
#   3.1, a window and global tokens in place of full attention.
