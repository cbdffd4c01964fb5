# %% [markdown]
# # 04 · Chunking
#
# *The text is long, the model is short: what is lost where we cut?* Cutting is the
# oldest answer to the wall of lesson 03, and the one that is used most.
#
# After it you can cut a text and put its results together again, predict from one curve
# what overlap buys, make one answer of many chunks, and carry a memory from piece to
# piece. Reading and predicting takes about 75 minutes; the cells run in one.

# %%
import itertools
import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.plotting import panels, plot_chunks, plot_lines, plot_mask, plot_reach

# %% [markdown]
# ## Nine tokens, four at a time
#
# A model reads four tokens at once, the text has nine. A **chunk** is a piece that is
# read on its own. **Predict:** where do the chunks start, and how many tokens has the
# last?

# %%
starts = list(range(0, 9, 4))
guess({"starts": starts, "tokens in the last": 9 - starts[-1]})

# %% [markdown]
# One token, alone, without a neighbour: the model will know little about it. We move
# the last chunk back until it is full; it starts at 5 and shares what it must.
#
# Neighbours may share more, on purpose: the **overlap**. Then starts are
# size - overlap apart, the **step**. **Predict** the chunks for an overlap of 1.


# %%
def places_by_hand(n_tokens, size, overlap):
    last = max(0, n_tokens - size)
    starts = [*range(0, last, size - overlap), last]
    return [(start, min(start + size, n_tokens)) for start in starts]


# %%
guess(places_by_hand(9, 4, 1))

# %% [markdown]
# (0, 4), (3, 7), (5, 9): the second pair shares one token, the last pair two. Stop is
# the token after the last one, as in a Python slice. The library does the same.

# %%
from longctx_edu.chunking import split

show_source(split)

# %%
# NBVAL_CHECK_OUTPUT
cuts = [(n, s, o) for n in range(1, 25) for s in range(1, 9) for o in range(s)]
ours = [pair for cut in cuts for pair in places_by_hand(*cut)]
theirs = [(c.start, c.stop) for n, s, o in cuts for c in split(n, size=s, overlap=o)]
assert_close(ours, theirs)

# %% [markdown]
# A row for each chunk, dark where it reads: 20 tokens in chunks of 8, without overlap
# and with an overlap of 4. **Predict** the number of rows on the right, and how many
# tokens are read in all.

# %%
left, right = panels(2, width=4.4, height=2.2)
plot_chunks(split(20, size=8), ax=left, title="overlap 0")
plot_chunks(split(20, size=8, overlap=4), ax=right, title="overlap 4")


# %%
def tokens_in(chunks):
    return sum(map(len, chunks))


# %% [markdown]
# On the left the last row was moved back. On the right are four rows of 8: each token
# but the first and last four is read twice. In a long text the cost is size / (size -
# overlap): 2 for a half, 4 for three quarters.

# %%
assert tokens_in(split(20, size=8)) == 24
assert tokens_in(split(20, size=8, overlap=4)) == 32
long = [tokens_in(split(100_000, size=8, overlap=o)) for o in (0, 4, 6)]
assert [round(tokens / 100_000, 2) for tokens in long] == [1, 2, 4]

# %% [markdown]
# ### One word, two meanings
#
# Papers and programs say **stride**. Here are two programs, both called with stride 1,
# on our nine tokens. The first is the tokenizer library of Hugging Face, which cuts
# long texts. The second is a pooling of PyTorch, which we use to show the first token
# of each of its windows.

# %%
from tokenizers import Tokenizer, models, pre_tokenizers

nine = Tokenizer(models.WordLevel({c: n for n, c in enumerate("012345678")}, "0"))
nine.pre_tokenizer = pre_tokenizers.Whitespace()
nine.enable_truncation(max_length=4, stride=1)
first = nine.encode("0 1 2 3 4 5 6 7 8")
by_tokenizer = [piece.ids[0] for piece in (first, *first.overflowing)]

# %%
places = torch.arange(9.0)[None]
by_pooling = -F.max_pool1d(-places, kernel_size=4, stride=1)
guess({"tokenizer": by_tokenizer, "pooling": by_pooling.long()[0].tolist()})

# %% [markdown]
# 0, 3, 6 against 0, 1, 2, 3, 4, 5. For the tokenizer stride is what neighbours *share*,
# for the pooling it is how far they are *apart*. Question answering code has used both.
# **Predict:** 10,000 tokens, size 384, "stride 128": how many chunks in either sense?

# %%
as_overlap = len(split(10_000, size=384, overlap=128))
as_step = len(split(10_000, size=384, overlap=384 - 128))
guess([as_overlap, as_step])

# %% [markdown]
# 39 or 77, for one number. So this course says **overlap** and **step**,
# and never the third word.

# %%
assert by_tokenizer == [0, 3, 6]
assert by_pooling[0].tolist() == [0, 1, 2, 3, 4, 5]
assert (as_overlap, as_step) == (39, 77)

# %% [markdown]
# ## Two answers for one token
#
# A token in the overlap gets two answers, and they may differ. Which one counts? Take
# chunks (0, 4) and (2, 6). Token 2 is the last but one of the first chunk and the very
# first of the second: there it has nothing before it.
#
# Its **context** in a chunk is the number of tokens on its poorer side. The document's
# own ends are no edges: nothing is cut off there.


# %%
def context_by_hand(token, chunk, n_tokens):
    before = token - chunk.start if chunk.start > 0 else n_tokens
    after = chunk.stop - 1 - token if chunk.stop < n_tokens else n_tokens
    return min(before, after)


# %% [markdown]
# **Predict** the context of tokens 2 and 3 in both chunks, and who should answer.

# %%
pair = split(6, size=4, overlap=2)
guess([[context_by_hand(token, chunk, 6) for chunk in pair] for token in (2, 3)])

# %% [markdown]
# Token 2 has 1 and 0, token 3 has 0 and 1: each is better off away from the edge. That
# is the **maximum-context rule**; a tie goes to the earlier chunk.


# %%
def owner_by_hand(chunks, n_tokens):
    owners = []
    for token in range(n_tokens):
        inside = [n for n, c in enumerate(chunks) if c.start <= token < c.stop]
        context = [context_by_hand(token, chunks[n], n_tokens) for n in inside]
        owners.append(inside[context.index(max(context))])
    return owners


# %%
# NBVAL_CHECK_OUTPUT
from longctx_edu.chunking import owner, stitch

every = [(n, split(n, size=s, overlap=o)) for n, s, o in cuts]
ours = [number for n, chunks in every for number in owner_by_hand(chunks, n)]
assert_close(ours, torch.cat([owner(chunks) for _, chunks in every]))

# %% [markdown]
# Dark is where a chunk answers, pale where it only reads. **Predict:** with an overlap
# of 4, what is the least context of any dark square at an inner edge?

# %%
chunks = split(20, size=8, overlap=4)
plot_chunks(chunks, owners=owner(chunks))

# %% [markdown]
# Two: half of the overlap on either side. That holds in general, and we let a loop say
# so for every small case: the owner's context is never below overlap // 2, and wherever
# chunks share just the overlap, some token has no more.


# %%
def least_context(n_tokens, chunks):
    owners = owner(chunks).tolist()
    return min(context_by_hand(t, chunks[k], n_tokens) for t, k in enumerate(owners))


# %%
many = [(n, s, o) for n, s, o in cuts if n > s]
least = [least_context(n, split(n, size=s, overlap=o)) for n, s, o in many]
assert all(context >= o // 2 for context, (_, _, o) in zip(least, many, strict=True))
even = [(s + 2 * (s - o), s, o) for _, s, o in many]  # no chunk is moved back
assert all(least_context(n, split(n, size=s, overlap=o)) == o // 2 for n, s, o in even)

# %% [markdown]
# ### Stitch
#
# Now the results can be joined: each token's row comes from the chunk that owns it, at
# the token's place *in that chunk*. If the pieces are those of a text, the text must
# come back.


# %%
def stitch_by_hand(pieces, chunks):
    n_tokens = chunks[-1].stop
    owners = owner_by_hand(chunks, n_tokens)
    return torch.stack([pieces[k][t - chunks[k].start] for t, k in enumerate(owners)])


# %%
# NBVAL_CHECK_OUTPUT
for n, chunks in every:
    x = torch.arange(2.0 * n).reshape(n, 2)
    pieces = [x[c.start : c.stop] for c in chunks]
    assert torch.equal(stitch(pieces, chunks), x), "stitch(split(x)) == x"
    assert torch.equal(stitch_by_hand(pieces, chunks), x)
print(len(every), "cuts, and every text came back")

# %% [markdown]
# All lengths to 24, all sizes to 8, all overlaps. The library has no loop over tokens:
# it counts the rows of all pieces together and picks.

# %%
show_source(stitch)

# %%
# NBVAL_CHECK_OUTPUT
chunks = split(20, size=8, overlap=3)
generator = torch.Generator().manual_seed(0)
pieces = [torch.randn(len(c), 5, generator=generator) for c in chunks]
assert_close(stitch_by_hand(pieces, chunks), stitch(pieces, chunks))

# %% [markdown]
# ## What does the edge cost?
#
# Now with a model. It marks the names in articles of the **Gazette**, the course's own
# newspaper: persons, places, organisations, works. Lesson 09 builds this tagger; here
# we only want its mistakes. Chunks of 16 words are tiny on purpose: many edges.

# %%
from longctx_edu.data import catalogue
from longctx_edu.recipes.config import NerConfig
from longctx_edu.recipes.tagger import build
from longctx_edu.tasks import tagging_loss
from longctx_edu.training import TrainConfig, fit

SIZE = 16
news = catalogue.load("gazette", counts=(60, 1, 20), n_tokens=256, ambiguous=0.0)
tagger = build(NerConfig(attention="chunks", size=SIZE, overlap=8), news.types)
training = TrainConfig(
    epochs=6,
    learning_rate=5e-3,
    batch_tokens=2048,
    weight_decay=0.5,
    precision="fp32",
)

# %%
history = fit(
    tagger.model,
    tagger.pieces(news.train),
    collate=tagger.collate,
    loss=tagging_loss,
    config=training,
    progress=False,
)

# %% [markdown]
# In the test articles names and most sentences are new. We slide a chunk over an
# article, one word at a time: each word then stands once at each place of a chunk, 0 to
# 15, and nothing but its place changes.


# %%
def words_of(document):
    labels = [tagger.tags.index(tag) for tag in document.tags]
    return tagger.reader.read(document.tokens).inputs, torch.tensor(labels)


@torch.no_grad()
def at_every_place(document):
    inputs, labels = words_of(document)
    logits = tagger.model(inputs.unfold(0, SIZE, 1).mT)  # chunk place label
    token = torch.arange(SIZE - 1, len(inputs) - SIZE + 1)
    place = torch.arange(SIZE)
    return logits[token[:, None] - place, place], labels[token]


# %% [markdown]
# `logits[token - place, place]` is the word's answer when it stands at that place.
# **Predict:** what share of the words in names is wrong in the middle of a chunk, at
# its first place, at its last? Which end is worse?

# %%
found = [at_every_place(document) for document in news.test]
logits, labels = (torch.cat(parts) for parts in zip(*found, strict=True))
in_name = labels > 0
wrong = (logits.argmax(dim=-1) != labels[:, None])[in_name].float()
by_place = 100 * wrong.mean(dim=0)
guess(by_place[[7, 0, 15]])

# %%
places = list(range(SIZE))
error = "wrong tags in names (%)"
line = {"": (places, by_place.tolist())}
_ = plot_lines(line, x="place in the chunk (token)", y=error).set_ylim(bottom=0)

# %% [markdown]
# Flat in the middle, and steep at both ends. The last place is the worst: of a name
# like *Corby Bay* the first word is there, and *Bay*, which tells the type, is cut off.
# At the first place it is the other way round: a name's end has lost its beginning.

# %%
middle = by_place[4:12]
begins = torch.tensor([tagger.tags[n].startswith("B-") for n in labels[in_name]])
assert by_place[15] > by_place[0] > 2.5 * middle.mean()
assert middle.max() - middle.min() < 1
assert wrong[~begins, 0].mean() > 1.5 * wrong[begins, 0].mean()
assert wrong[begins, 15].mean() > 3 * wrong[~begins, 15].mean()

# %% [markdown]
# The same words by their context, the distance to the nearer edge. **Predict:** from
# which context on does one more neighbour change nothing?

# %%
context = torch.tensor([min(place, SIZE - 1 - place) for place in places])
by_context = [by_place[context == c].mean().item() for c in range(SIZE // 2)]
line = {"": (range(SIZE // 2), by_context)}
_ = plot_lines(line, x="distance to the nearer edge (tokens)", y=error).set_ylim(0)

# %% [markdown]
# From two on. This model knows a name by its form and by the words beside it, so its
# curve is short. Another task has another curve, and the curve is what decides about
# the overlap.

# %%
assert all(abs(error - middle.mean()) < 0.5 for error in by_context[2:])
assert by_context[0] > 3 * by_context[2]

# %% [markdown]
# ### What overlap buys, predicted
#
# The owner rule says at which place each token is answered. The curve says what that
# place costs. So the error for any overlap can be computed before anything is read.
# **Predict:** an overlap of 4 guarantees a context of 2. What error is left, and how
# often is each token read?


# %%
def predicted_error(overlap, n_tokens=10_000):
    chunks = split(n_tokens, size=SIZE, overlap=overlap)
    starts = torch.tensor([chunk.start for chunk in chunks])
    place = torch.arange(n_tokens) - starts[owner(chunks)]
    return by_place[place].mean().item()


def cost(overlap, n_tokens=10_000):
    return tokens_in(split(n_tokens, size=SIZE, overlap=overlap)) / n_tokens


# %%
overlaps = (0, 2, 4, 8, 12)
predicted = [predicted_error(overlap) for overlap in overlaps]
costs = [cost(overlap) for overlap in overlaps]
pairs = zip([round(e, 1) for e in predicted], [round(c, 2) for c in costs], strict=True)
guess(dict(zip(overlaps, pairs, strict=True)))

# %% [markdown]
# Now the measurement: cut each test article, tag the chunks, stitch, count.


# %%
@torch.no_grad()
def logits_in_chunks(document, overlap):
    inputs, _ = words_of(document)
    chunks = split(len(inputs), size=SIZE, overlap=overlap)
    pieces = tagger.model(torch.stack([inputs[c.start : c.stop] for c in chunks]))
    return stitch(list(pieces), chunks)


def measured_error(overlap):
    answers = torch.cat([logits_in_chunks(d, overlap).argmax(-1) for d in news.test])
    gold = torch.cat([words_of(document)[1] for document in news.test])
    return 100 * (answers != gold)[gold > 0].float().mean().item()


# %%
measured = [measured_error(overlap) for overlap in overlaps]
lines = {"predicted from the edge": (costs, predicted), "measured": (costs, measured)}
_ = plot_lines(lines, x="each token is read (times)", y=error).set_ylim(bottom=0)

# %% [markdown]
# Dots for overlaps of 0, 2, 4, 8 and 12. What was computed and what was measured lie
# within half a point of each other. The first two tokens bring most of the gain, for a
# seventh more reading. What comes behind is paid for and brings next to nothing: the
# curve of the edge was flat there.

# %%
assert all(abs(p - m) < 0.5 for p, m in zip(predicted, measured, strict=True))
gain = measured[0] - measured[-1]
assert measured[0] - measured[1] > 0.6 * gain > 0.4 and costs[1] < 1.15
assert abs(measured[2] - measured[-1]) < 0.6 and costs[-1] > 3.9

# %% [markdown]
# ### What overlap cannot buy
#
# Some names have no form. *Marlow* is a surgeon or a town, and one phrase of the
# article tells which, its **evidence**, maybe 300 words away. We count, without a
# model: for how many bare mentions does the chunk that answers hold the evidence?
# **Predict** for articles of 512 words and chunks of 64, without overlap and with 32.

# %%
from longctx_edu.data.gazette import GazetteConfig, articles

papers = list(articles(GazetteConfig(n_tokens=512, in_body=0.5), 30))


def in_reach(paper, size, overlap):
    chunks = split(len(paper), size=size, overlap=overlap)
    owners = owner(chunks)
    for mention in (m for m in paper.mentions if m.ambiguous):
        chunk = chunks[owners[mention.start]]
        told = [e for e in paper.evidence if e.name == mention.name]
        yield any(chunk.start <= e.start and e.stop <= chunk.stop for e in told)


def share_in_reach(size, overlap):
    found = [seen for paper in papers for seen in in_reach(paper, size, overlap)]
    return 100 * sum(found) / len(found)


# %%
guess([round(share_in_reach(64, overlap)) for overlap in (0, 32)])

# %%
sizes = (32, 64, 128, 256, 512)
alone = [share_in_reach(size, 0) for size in sizes]
half = [share_in_reach(size, size // 2) for size in sizes]
lines = {"no overlap": (sizes, alone), "half overlap": (sizes, half)}
plot_lines(lines, x="size of a chunk (tokens)", y="evidence in the chunk (%)")

# %% [markdown]
# In chunks of 64 nearly three quarters of the evidence is out of reach, and reading all
# twice does not help: from 64 on, the orange line lies even *below* the blue one. The
# chunk that answers has its token in the middle, so it sees near things on both sides
# and reaches back less. A chunk twice as long, for the same number of pairs, finds
# more. Overlap mends edges. It does not make a chunk longer.

# %%
from longctx_edu.attention import chunk_pairs

assert alone[-1] == half[-1] == 100 and alone[1] < 30
assert all(h < a for h, a in zip(half[1:-1], alone[1:-1], strict=True))
assert alone[2] > half[1] + 5
pairs = chunk_pairs(8192, size=64, overlap=32), chunk_pairs(8192, size=128)
assert math.isclose(*pairs, rel_tol=0.01), "twice the tokens, or twice the size"

# %% [markdown]
# ## A label that counts twice
#
# What is read twice also has two losses. A mean over all copies counts each token of
# an overlap double, once well inside a chunk and once near an edge. We take the mean
# loss of the test articles in three ways: without overlap; with an overlap of 8, over
# all copies; with an overlap of 8, each token once, where its owner reads it.
#
# **Predict** the order of the three numbers.


# %%
@torch.no_grad()
def losses_in_chunks(document, overlap):
    inputs, labels = words_of(document)
    chunks = split(len(inputs), size=SIZE, overlap=overlap)
    owners, found = owner(chunks), []
    for number, chunk in enumerate(chunks):
        here = slice(chunk.start, chunk.stop)
        logits = tagger.model(inputs[None, here])[0]
        loss = F.cross_entropy(logits, labels[here], reduction="none")
        found.append(torch.stack([loss, owners[here] == number]))
    return torch.cat(found, dim=1)


# %%
cut = torch.cat([losses_in_chunks(document, 0) for document in news.test], dim=1)
shared = torch.cat([losses_in_chunks(document, 8) for document in news.test], dim=1)
mine = shared[1] == 1
ways = {"no overlap": cut[0], "every copy": shared[0], "once": shared[0, mine]}
guess({name: round(loss.mean().item(), 3) for name, loss in ways.items()})

# %% [markdown]
# Every copy: nearly as bad as without overlap, since the share of copies at an edge is
# the same. Once: two thirds of it. The model is the same, and so are its answers for
# the text. Whoever reports a loss or a perplexity over chunks has to say which it is.

# %%
assert int(mine.sum()) == sum(map(len, news.test)), "each word once"
every_copy, once = shared[0].mean(), shared[0, mine].mean()
assert 0.5 < once / every_copy < 0.8 and abs(every_copy / cut[0].mean() - 1) < 0.2

# %% [markdown]
# In training both are in use. Copies are extra examples, in which a word stands in
# other company; but the middle of a text then weighs double, and its ends do not. Our
# library trains on every copy and lets only the owner answer; `labels_once`, exercise
# 4.5, gives -100 to the rest, as lesson 09 does with padding.

# %%
pieces = tagger.pieces(news.test)
answers = sum(int((piece.words >= 0).sum()) for piece in pieces)
trained = sum(int((piece.labels != -100).sum()) for piece in pieces)
assert answers == sum(map(len, news.test)) and trained > 1.8 * answers

# %% [markdown]
# ## Names under the knife
#
# An edge may fall inside a name. A name of m words has m - 1 places for that, and a cut
# comes every 16 words. **Predict:** how many of the names in the test articles does a
# cut without overlap hit, on average over all 16 ways to begin?

# %%
from longctx_edu.metrics import entities

names = [entity for document in news.test for entity in entities(document.tags)]
expected = sum((name.stop - name.start - 1) / SIZE for name in names)
guess(f"{expected:.1f} of {len(names)}")


# %%
def is_hit(name, first):
    return (name.stop - 1 - first) // SIZE > (name.start - first) // SIZE


hits = [sum(is_hit(name, first) for name in names) for first in range(SIZE)]
lines = {"counted": (range(SIZE), hits), "mean": (range(SIZE), [expected] * SIZE)}
_ = plot_lines(lines, x="first cut after (words)", y="names hit").set_ylim(bottom=0)

# %% [markdown]
# Luck with one beginning, bad luck with another; the mean is exact, since each name
# meets each beginning once. One name in eleven is torn, whatever the model can do.

# %%
assert (
    math.isclose(sum(hits) / SIZE, expected) and 1 / 12 < expected / len(names) < 1 / 10
)

# %% [markdown]
# Overlap heals that as well. **Predict:** which overlap is enough for a name of m words
# to stand whole in *some* chunk? And which, for it to stand whole in the chunk that
# *owns its first word*?


# %%
def holders(chunks, start, stop):
    return [k for k, c in enumerate(chunks) if c.start <= start and stop <= c.stop]


def overlap_enough(size, m, owned):
    for overlap in range(size):
        chunks = split(6 * size, size=size, overlap=overlap)
        owners = owner(chunks).tolist()
        found = [holders(chunks, t, t + m) for t in range(6 * size - m + 1)]
        if all(owners[t] in k if owned else k for t, k in enumerate(found)):
            return overlap
    return None


# %%
enough = {
    m: [overlap_enough(12, m, owned) for owned in (False, True)] for m in (2, 3, 4)
}
guess(enough)

# %% [markdown]
# m - 1 in some chunk: 1, 2, 3. For the owner twice that, since it guarantees half of
# the overlap: 2, 4, 6. Models that return names instead of rows are merged by that rule
# in exercise 4.6.

# %%
assert enough == {m: [m - 1, 2 * (m - 1)] for m in (2, 3, 4)}

# %% [markdown]
# ### Cut where the text breathes
#
# The other way out: do not cut inside a sentence, and no name is hit. Then chunks are
# not full. `pack` takes whole sentences while they fit. **Predict** the chunks of nine
# words with sentences at 0, 3 and 5, at most 6 words each.

# %%
from longctx_edu.chunking import pack

show_source(pack)

# %%
guess([(chunk.start, chunk.stop) for chunk in pack(9, starts=[0, 3, 5], size=6)])

# %% [markdown]
# (0, 5) and (5, 9): three words and two fit, four more do not. A sentence that is
# longer than a chunk is still cut, where it is full. **Predict** for the test articles
# and chunks of 64: how many names are hit, and how full are the chunks?

# %%
packed = [pack(len(d), starts=d.sentence_starts, size=64) for d in news.test]
edges = [{chunk.start for chunk in chunks} for chunks in packed]
hit = sum(
    any(e.start < edge < e.stop for edge in inside)
    for document, inside in zip(news.test, edges, strict=True)
    for e in entities(document.tags)
)
full = sum(map(len, news.test)) / (64 * sum(map(len, packed)))
guess({"names hit": hit, "full": round(full, 2)})

# %%
assert hit == 0 and 0.7 < full < 0.95

# %% [markdown]
# ## One answer for the whole document
#
# *Does the paper report on the weather anywhere?* The model reads chunk by chunk, so
# there is a logit a chunk, and somebody has to make one of them. Four chunks, and only
# the first is about the weather. **Predict** the mean, the maximum and the
# **log-sum-exp**, log of the sum of exp. Is the document's answer above 0, a yes?

# %%
logits = torch.tensor([4.0, -2.0, -2.0, -4.0], requires_grad=True)
pools = {
    "mean": partial(torch.mean, dim=-1),
    "max": partial(torch.amax, dim=-1),
    "logsumexp": partial(torch.logsumexp, dim=-1),
}
guess({name: round(pool(logits).item(), 2) for name, pool in pools.items()})

# %% [markdown]
# -1, 4 and 4.01. The mean says no: three chunks of other news outvote the one that
# knows. The log-sum-exp is a soft maximum, never below it and at most log n above.
#
# In training, who learns from the document's label? **Predict** the gradient on the
# four logits, for each way.

# %%
gradients = {
    name: torch.autograd.grad(pool(logits), logits)[0] for name, pool in pools.items()
}
guess({name: [round(g, 3) for g in grad.tolist()] for name, grad in gradients.items()})

# %% [markdown]
# The mean gives each chunk a quarter, deserved or not. The maximum gives all to one
# chunk, be it the wrong one. The log-sum-exp gives each its softmax share: nearly all
# to the first, and a little to the others, which they can grow by.

# %%
assert gradients["mean"].tolist() == [0.25] * 4
assert gradients["max"].tolist() == [1, 0, 0, 0]
assert torch.allclose(gradients["logsumexp"], logits.softmax(dim=0))
top = pools["max"](logits)
assert top <= pools["logsumexp"](logits) <= top + math.log(4)

# %% [markdown]
# The library pools vectors or logits, and leaves the filling out, which a batch of
# documents of unequal length needs.

# %%
# NBVAL_CHECK_OUTPUT
from longctx_edu.models.pooling import pool

filled = torch.cat([logits.detach(), torch.tensor([9.0, 9.0])])
keep = torch.tensor([True] * 4 + [False] * 2)
theirs = [pool(filled[:, None], keep, how) for how in pools]
assert_close([each(logits).item() for each in pools.values()], torch.cat(theirs))

# %% [markdown]
# ### Trained on eight chunks, asked about sixty-four
#
# Now for real. From Gazette articles we take chunks of 32 words: some from weather
# reports, most from elsewhere. A document is 8 chunks; half of the documents have one
# about the weather. The model sees the label of the document alone, never that of a
# chunk.

# %%
from longctx_edu.tasks import WordReader

reader = WordReader(n_buckets=4096)


def chunks_with_share(paper):
    """Cut a paper; say which share of each chunk belongs to weather reports."""
    is_weather = torch.zeros(len(paper))
    edges = [*paper.sentence_starts, len(paper)]
    sentences = zip(itertools.pairwise(edges), paper.patterns, strict=True)
    for (start, stop), name in sentences:
        is_weather[start:stop] = name.startswith("weather/")
    inputs, chunks = reader.read(paper.tokens).inputs, split(len(paper), size=32)
    rows = [slice(chunk.start, chunk.stop) for chunk in chunks]
    share = [is_weather[row].mean() for row in rows]
    return torch.stack([inputs[row] for row in rows]), torch.stack(share)


# %%
papers = list(articles(GazetteConfig(n_tokens=512), 160))
found = [chunks_with_share(paper) for paper in papers]


def bank(found):
    """Collect the chunks about the weather, and those without a word of it."""
    inputs, share = (torch.cat(parts) for parts in zip(*found, strict=True))
    return inputs[share >= 0.5], inputs[share == 0]


train_bank, test_bank = bank(found[:100]), bank(found[100:])
for name, (yes, no) in {"training": train_bank, "test": test_bank}.items():
    print(f"{name}: {len(yes)} chunks about the weather, {len(no)} about anything else")

# %% [markdown]
# From these we bind as many documents as we like, of as many chunks as we like. Then a
# small scorer: the mean of a chunk's words, one linear layer.


# %%
def documents(bank, count, n_chunks, generator):
    """Bind chunks to documents; every second one has a chunk about the weather."""
    yes, no = bank
    drawn = no[torch.randint(len(no), (count, n_chunks), generator=generator)]
    label = torch.arange(count) % 2
    at = torch.randint(n_chunks, (count,), generator=generator)
    told = yes[torch.randint(len(yes), (count,), generator=generator)]
    rows = (label == 1).nonzero().flatten()
    drawn[rows, at[rows]] = told[rows]
    return drawn, label.float()


# %%
from longctx_edu.models import EncoderConfig, WordEmbedding


class ChunkScorer(nn.Module):
    """One logit a chunk: its words' vectors, their mean, one linear layer."""

    def __init__(self):
        super().__init__()
        self.embedding = WordEmbedding(EncoderConfig(n_buckets=4096))
        self.head = nn.Linear(64, 1)

    def forward(self, inputs):
        words = self.embedding(inputs.flatten(0, 1))
        return self.head(words.mean(dim=1)).reshape(inputs.shape[:2])


# %% [markdown]
# The pool stands between the chunks' logits and the loss, and that is all that differs
# among the three trainings.


# %%
def train_scorer(pool, steps=100):
    torch.manual_seed(0)
    scorer, generator = ChunkScorer(), torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(scorer.parameters(), lr=5e-3, weight_decay=0.1)
    for _ in range(steps):
        inputs, label = documents(train_bank, 16, 8, generator)
        loss = F.binary_cross_entropy_with_logits(pool(scorer(inputs)), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return scorer.eval()


scorers = {name: train_scorer(each) for name, each in pools.items()}

# %% [markdown]
# All three are right on documents like those of the training. The test chunks are from
# other articles. **Predict** for each pool the accuracy on documents of 1 to 64 chunks,
# half of them with one chunk about the weather.


# %%
@torch.no_grad()
def accuracy(name, n_chunks):
    generator = torch.Generator().manual_seed(2)
    scored = [scorers[name](chunks[None])[0] for chunks in test_bank]
    logits, label = documents(scored, 2000, n_chunks, generator)
    return ((pools[name](logits) > 0) == (label == 1)).float().mean().item()


# %%
counts = (1, 2, 4, 8, 16, 32, 64)
lines = {name: (counts, [accuracy(name, n) for n in counts]) for name in pools}
coin = {"a coin": (counts, [0.5] * len(counts))}
ax = plot_lines(lines | coin, x="chunks in the document", y="accuracy (share)")
ax.set_xscale("log", base=2)
_ = ax.set_ylim(0.4, 1.02)

# %% [markdown]
# The mean holds to 8 chunks, as long as it was trained for, and falls to a coin at 64.
# It had found a way: to *shout*, with a logit so large that it survives a division by
# 8. It does not survive one by 64. Maximum and log-sum-exp do not care how much else is
# in the document.

# %%
results = {name: dict(zip(*line, strict=True)) for name, line in lines.items()}
assert all(result[8] > 0.93 for result in results.values())
assert results["mean"][64] < 0.6
assert min(results[name][64] for name in ("max", "logsumexp")) > 0.9
with torch.no_grad():
    loud = {name: each(test_bank[0][None]).mean() for name, each in scorers.items()}
assert loud["mean"] > 4 * max(loud["max"], loud["logsumexp"])

# %% [markdown]
# The maximum has a weakness of its own. Let a chunk without weather be taken for
# weather once in a hundred times. **Predict:** how often does a document of 64 such
# chunks get a false yes?

# %%
guess(f"{1 - 0.99**64:.2f}")

# %% [markdown]
# Nearly every second time: one voice is enough, also a wrong one. And where the
# question is *how much*, not *whether*, the maximum cannot answer at all. One chunk of
# four with good news, or all four: **predict** which pools see a difference.

# %%
one, four = torch.tensor([3.0, -3.0, -3.0, -3.0]), torch.tensor([3.0, 3.0, 3.0, 3.0])
guess({name: [round(p(x).item(), 2) for x in (one, four)] for name, p in pools.items()})

# %% [markdown]
# 3 and 3 for the maximum; the log-sum-exp moves by log 4 at most; the mean goes from
# -1.5 to 3. The question chooses the pool: *anywhere* asks for a maximum, soft or hard,
# *on the whole* for a mean.

# %%
assert pools["max"](one) == pools["max"](four) and 1 - 0.99**64 > 0.47
assert pools["mean"](one) < 0 < pools["mean"](four)

# %% [markdown]
# ## Read on, and remember
#
# Chunks are strangers to each other. A decoder reads forwards, so it can do better:
# pieces one after another, each looking back at what the last one left. Such a piece is
# a **segment**, and what is left a **memory**: of each layer the last few inputs.
#
# **Predict:** segments of 4, memory of 4. Which keys does token 5 see, without the
# memory and with it?


# %%
def segment_mask(n_tokens, size, memory):
    place = torch.arange(n_tokens)
    oldest = place // size * size - memory
    return (place <= place[:, None]) & (place >= oldest[:, None])


# %%
masks = [segment_mask(16, 4, memory) for memory in (0, 4)]
guess([mask[5].nonzero().flatten().tolist() for mask in masks])

# %%
left, right = panels(2, width=3.6, height=3.4)
plot_mask(masks[0], ax=left, title="segments alone")
plot_mask(masks[1], ax=right, title="with a memory of 4")

# %% [markdown]
# 4 and 5, or 0 to 5. The triangles stay, and a square joins each: every token of a
# segment sees the whole memory. Nothing is read twice.
#
# The rule for the memory is one line: put the new behind the old, keep the end, and
# **detach** it, so that no gradient goes back into the segment before. The library does
# it for each layer.


# %%
def remember_by_hand(memory, x, length):
    return torch.cat([memory, x], dim=1)[:, -length:].detach()


# %%
from longctx_edu.memory import SegmentMemory

show_source(SegmentMemory.extend)

# %%
# NBVAL_CHECK_OUTPUT
ours, theirs = torch.zeros(1, 0, 2), SegmentMemory(1, length=5)
for segment in torch.randn(1, 16, 2, generator=generator).split(4, dim=1):
    assert_close(torch.cat([ours, segment], dim=1), theirs.extend(0, segment))
    ours = remember_by_hand(ours, segment, 5)

# %% [markdown]
# Is a model that reads in segments the model with the mask on the right, no more and no
# less? Two layers, 32 tokens, segments of 8, memory of 8. The masked twin reads the
# whole text at once.

# %%
from longctx_edu.attention import causal_attention, dense_attention
from longctx_edu.models import LanguageModel, Transformer, TransformerConfig

VOCAB, SEGMENT = 16, 8


def model_from_seed_0(n_layers, attention=causal_attention):
    torch.manual_seed(0)
    sizes = {"n_layers": n_layers, "n_heads": 2, "d_model": 32, "d_ff": 64}
    return LanguageModel(Transformer(TransformerConfig(VOCAB, **sizes), attention))


def in_segments(model, ids, length):
    memory = SegmentMemory(len(model.transformer.blocks), length=length)
    parts = [model(part, memory=memory) for part in ids.split(SEGMENT, dim=1)]
    return torch.cat(parts, dim=1)


# %%
# NBVAL_CHECK_OUTPUT
ids = torch.randint(VOCAB, (3, 32), generator=generator)
masked = partial(dense_attention, mask=segment_mask(32, SEGMENT, 8))
whole = model_from_seed_0(2, masked)(ids)
assert_close(in_segments(model_from_seed_0(2), ids, 8), whole, atol=1e-4)

# %% [markdown]
# ### How far does it reach?
#
# One layer reaches one memory back. The memory of the second layer holds outputs of the
# first, which had seen *their* memory. **Predict:** 16 tokens, segments and memory of
# 4, two layers. What is the oldest token that token 12 hears of?

# %%
plot_reach([segment_mask(16, 4, 4)] * 2, query=12)

# %% [markdown]
# Token 4: two layers times 4. The first token of a segment reaches **layers times
# memory** back, if the memory is as long as a segment. That is a claim about masks; now
# about the model. We change one token, further and further back, and look whether the
# output of token 32 moves. **Predict** the reach of 1 to 4 layers.


# %%
@torch.no_grad()
def farthest_heard(n_layers, length):
    texts = torch.zeros(33, 40, dtype=torch.long)
    back = torch.arange(1, 33)
    texts[back, 32 - back] = 1  # text 0 stays as it is
    heard = in_segments(model_from_seed_0(n_layers), texts, length)[:, 32]
    moved = (heard[1:] != heard[0]).any(dim=1)
    return int(back[moved].max()) if moved.any() else 0


# %%
layers = [1, 2, 3, 4]
reach = {"layers x 8": (layers, [8 * n for n in layers])}
for length in (8, 0):
    measured = [farthest_heard(n, length) for n in layers]
    reach[f"measured, memory {length}"] = (layers, measured)
ax = plot_lines(reach, x="layers", y="farthest token heard (tokens back)")
_ = ax.set_xticks(layers)

# %% [markdown]
# 8, 16, 24, 32, and nothing at all without a memory, however many layers there are.

# %%
assert reach["measured, memory 8"] == reach["layers x 8"]
assert reach["measured, memory 0"][1] == [0, 0, 0, 0]

# %% [markdown]
# ### A task that needs it
#
# Reach is what a model *can* hear. Does it learn to listen? The smallest task: random
# tokens, and the answer at each place is the token that stood `delay` places earlier.
# One layer, segments of 8.
#
# At place p of a segment the answer is in view where delay is at most p + memory. Else
# the model can only guess one of 16. **Predict** the accuracy for a delay of 8, without
# memory and with 8; then for a delay of 12 with memory.


# %%
def accuracy_on_paper(delay, length):
    seen = sum(delay <= place + length for place in range(SEGMENT)) / SEGMENT
    return seen + (1 - seen) / VOCAB


# %%
guess([round(accuracy_on_paper(*case), 2) for case in ((8, 0), (8, 8), (12, 8))])


# %%
def measured_accuracy(delay, length, steps=120):
    model, generator = model_from_seed_0(1), torch.Generator().manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(steps):
        ids = torch.randint(VOCAB, (32, 32), generator=generator)
        logits = in_segments(model, ids, length)[:, delay:]
        loss = F.cross_entropy(logits.flatten(0, 1), ids[:, :-delay].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ids = torch.randint(VOCAB, (200, 48), generator=generator)
    with torch.no_grad():
        said = in_segments(model, ids, length).argmax(dim=-1)
    return (said[:, 16:] == ids[:, 16 - delay : -delay]).float().mean().item()


# %% [markdown]
# A training for each of four delays, without and with memory, and the count on paper
# for all delays to 16.

# %%
delays, every_delay = (4, 8, 12, 16), range(1, 17)
axes = {"x": "delay (tokens)", "y": "right answers (share)"}
results = {}
for ax, length in zip(panels(2, width=4.2), (0, 8), strict=True):
    results[length] = [measured_accuracy(delay, length) for delay in delays]
    paper = [accuracy_on_paper(delay, length) for delay in every_delay]
    lines = {"on paper": (every_delay, paper), "measured": (delays, results[length])}
    plot_lines(lines, **axes, ax=ax, title=f"memory {length}").set_ylim(-0.03, 1.05)

# %% [markdown]
# A segment earlier is chance without a memory, 1 in 16, and solved with one. Beyond,
# both lines fall as the count on paper says: first the early places of a segment lose
# the answer, then all.

# %%
for length, shares in results.items():
    paper = [accuracy_on_paper(delay, length) for delay in delays]
    pairs = zip(paper, shares, strict=True)
    assert all(abs(one - other) < 0.06 for one, other in pairs), results

# %% [markdown]
# ### What the gradient does not do
#
# The numbers travel through the memory, the gradient does not. **Predict:** we sum all
# that the second segment sees, its memory included. What gradient reaches the first?

# %%
first, second = torch.ones(2, 1, 3, 1).requires_grad_().unbind()
first.retain_grad(), second.retain_grad()
memory = SegmentMemory(1, length=3)
memory.extend(0, first)
memory.extend(0, second).sum().backward()
guess([first.grad, second.grad.flatten().tolist()])

# %% [markdown]
# None. A layer learns to *use* what is in its memory, not to *put* something there for
# later: that happens only if it is of use within a segment too. Going back through all
# segments would bring back the memory of a whole text.

# %%
assert first.grad is None and second.grad.sum() == 3

# %% [markdown]
# ## Distances, not places
#
# If each segment counts its tokens from 0, token 3 of this one and token 3 of the last
# carry the same place, and a query cannot tell them apart. So Transformer-XL gives
# scores to *distances*. It forms, for each query, one score a distance, and then has to
# put each under its key. **Predict:** three keys, two queries, the last two tokens.
# What are the distances of the first query?

# %%
distance = torch.tensor([[1], [2]]) - torch.arange(3)
guess(distance[0])


# %%
def shift_by_loops(by_distance, n_key):
    """Columns are the distances n_key - 1, ..., 1, 0, -1, ..."""
    n_query = len(by_distance)
    shifted = torch.zeros(n_query, n_key)
    for i, j in itertools.product(range(n_query), range(n_key)):
        distance = n_key - n_query + i - j
        shifted[i, j] = by_distance[i, n_key - 1 - distance]
    return shifted


# %% [markdown]
# 1, 0 and -1; one row below, 2, 1, 0. Each row is the one below it, moved by one
# column. The library moves all rows at once, by padding and reading the rows on: a
# trick that has been written wrong more than once, so the loop stands guard.

# %%
from longctx_edu.positions import relative_shift

show_source(relative_shift)

# %%
# NBVAL_CHECK_OUTPUT
for n_query, n_key in ((2, 3), (4, 4), (1, 7), (5, 9)):
    rows = torch.randn(n_query, n_key + n_query - 1, generator=generator)
    assert_close(shift_by_loops(rows, n_key), relative_shift(rows, n_key))

# %% [markdown]
# Our model above turns its queries and keys instead, **rotary positions**, which know
# the distance alone as well. Lesson 06 builds them, and asks how far they carry.
#
# ## Which when?
#
# | way | each token is read | a token sees | good for |
# |---|---|---|---|
# | chunks | once | its chunk | evidence near, few edges |
# | overlap | size / step times | half the overlap at least | evidence near, sure |
# | whole sentences | once, with filling | its chunk | names, short sentences |
# | memory | once | layers times memory, backwards | text read forwards |
#
# None of them lets the last page of a long text see the first. Lesson 05 does.

# %% [markdown]
# ## Exercises
#
# `exercises/04_chunking.ipynb`: eight exercises, about two hours. Cutting and its cost,
# owners, stitching, labels, names from overlapping chunks, pools, and the memory with
# the bug that a famous program carried for years.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 04` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("04")

# %% [markdown]
# ## What you can now do
#
# - cut a text with an overlap, and translate what others call stride;
# - say which chunk answers for a token, and prove that stitching undoes cutting;
# - measure the error at an edge, and compute from it what any overlap buys;
# - count a loss once, and keep names whole;
# - choose a pool by the question, and say how far a memory reaches.

# %% [markdown]
# ## Sources
#
# - Devlin et al. 2019, *BERT*: section 4.2 and its published code, chunks that overlap
#   and the maximum-context rule.
# - Liu et al. 2019, *RoBERTa*: section 4.2, whole sentences up to the window.
# - Reimers and Gurevych 2019, *Sentence-BERT*: section 3, mean and maximum as pools.
# - Clark and Gardner 2018, *Simple and effective multi-paragraph reading
#   comprehension*: section 3, one softmax over the answers of all paragraphs.
# - Dai et al. 2019, *Transformer-XL*: section 3.2, the memory; section 3.3 and
#   appendix B, distances and the shift.
