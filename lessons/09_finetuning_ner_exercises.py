# %% [markdown]
# # 09 · Fine-tuning for named entities: exercises
#
# Eight exercises, about 110 minutes. You write the parts of a tagger that decide
# whether its numbers can be believed.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. A
# check says which property fails first, on the smallest input that shows it. Hints
# come in three steps. The lesson is `notebooks/09_finetuning_ner.ipynb`, answers are in
# `solutions/09_finetuning_ner.ipynb`.

# %%
import torch

from longctx_edu.checks.lesson_09 import (
    check_align_labels,
    check_is_consistent,
    check_masked_cross_entropy,
    check_micro_scores,
    check_rate_at,
    check_read_entities,
    check_stop_at,
    check_tags_of_words,
)
from longctx_edu.plotting import plot_lines

# %% [markdown]
# ## Exercise 9.1 · Labels for sub-words
#
# **10 minutes · ●○○○○ · needs:** step 1 of the lesson
#
# Write `align_labels(word_ids, labels)`. `word_ids` says for each piece which word it
# comes from, None where it comes from none; `labels` has one number a word. Return a
# list with one number a piece: the first piece of a word has the word's label, all
# else `ignore_index`.
#
# <details><summary>Hint 1: a nudge</summary>
# When is a piece the first of its word? Look at the piece before it.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Go through word_ids and remember the previous one. A piece counts if it has a word
# and that word is another than before.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# In the loop: <code>first = word is not None and word != previous</code>, append
# <code>labels[word]</code> or <code>ignore_index</code>, then
# <code>previous = word</code>.
# </details>


# %%
def align_labels(word_ids, labels, *, ignore_index=-100):
    ### BEGIN SOLUTION
    aligned, previous = [], None
    for word in word_ids:
        first = word is not None and word != previous
        aligned.append(labels[word] if first else ignore_index)
        previous = word
    return aligned
    ### END SOLUTION


# %% tags=["check"]
check_align_labels(align_labels)

# %% [markdown]
# ## Exercise 9.2 · And back to words
#
# **10 minutes · ●●○○○ · needs:** 9.1
#
# Write `tags_of_words(logits, word_ids, names)`. `logits` has one row a piece and one
# column a label; `names[label]` is the label's tag. Return one tag a word, in order:
# the label with the largest logit in the row of the word's *first* piece.
#
# <details><summary>Hint 1: a nudge</summary>
# Choose a label for every piece first; then keep only the pieces that answer.
# </details>
# <details><summary>Hint 2: the idea</summary>
# argmax over the last axis gives a label a piece. Walk over labels and word_ids
# together and keep those of first pieces, as in 9.1.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>best = logits.argmax(dim=-1).tolist()</code>, then
# <code>zip(best, word_ids)</code>, and <code>names[label]</code> for each first piece.
# </details>


# %%
def tags_of_words(logits, word_ids, names):
    ### BEGIN SOLUTION
    tags, previous = [], None
    best = logits.argmax(dim=-1).tolist()
    for label, word in zip(best, word_ids, strict=True):
        if word is not None and word != previous:
            tags.append(names[label])
        previous = word
    return tags
    ### END SOLUTION


# %% tags=["check"]
check_tags_of_words(tags_of_words)

# %% [markdown]
# ## Exercise 9.3 · The loss that leaves out
#
# **15 minutes · ●●●○○ · needs:** step 2 of the lesson
#
# Write `masked_cross_entropy(logits, labels)`, without torch's own cross-entropy. A
# piece costs minus the logarithm of the share that the softmax gives its label. Return
# the mean over the pieces whose label is not `ignore_index`, as a tensor with a
# gradient. Logits of 1000 must work: `exp(1000)` is infinite.
#
# <details><summary>Hint 1: a nudge</summary>
# First drop the rows without a label; then there is nothing left to mask.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Minus the logarithm of a softmax is logsumexp of the row minus the logit of the
# label. torch.logsumexp is safe.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>counts = labels != ignore_index</code>; index both with it; the logit of each
# label is <code>logits[torch.arange(len(labels)), labels]</code>.
# </details>


# %%
def masked_cross_entropy(logits, labels, ignore_index=-100):
    ### BEGIN SOLUTION
    counts = labels != ignore_index
    logits, labels = logits[counts], labels[counts]
    right = logits[torch.arange(len(labels)), labels]
    return (logits.logsumexp(dim=-1) - right).mean()
    ### END SOLUTION


# %% tags=["check"]
check_masked_cross_entropy(masked_cross_entropy)

# %% [markdown]
# ## Exercise 9.4 · Warm-up and a straight line down
#
# **10 minutes · ●●○○○ · needs:** step 3 of the lesson
#
# Write `rate_at(step, total, warmup)`: which share of the peak learning rate a step
# takes, if `step` steps are behind it. It rises in equal parts over the first `warmup`
# steps, and the last of these takes the whole peak. Then it falls in a straight line:
# 1 at `step = warmup`, 0 at `step = total` and after it.
#
# <details><summary>Hint 1: a nudge</summary>
# Two cases: before the end of the warm-up, and from there on.
# </details>
# <details><summary>Hint 2: the idea</summary>
# With a warm-up of 2, the first two steps take 1/2 and 2/2. After it, count what is
# left and divide by what was left at the start of the fall.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>(step + 1) / warmup</code> while <code>step &lt; warmup</code>; then
# <code>(total - step) / (total - warmup)</code>, and never below 0.
# </details>


# %%
def rate_at(step, total, warmup):
    ### BEGIN SOLUTION
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (total - step) / (total - warmup))
    ### END SOLUTION


# %% tags=["check"]
check_rate_at(rate_at)

# %% [markdown]
# Your schedule over 100 steps, with a warm-up of 10. Say where its corners are before
# you run the cell.

# %% tags=["needs-solution"]
steps = list(range(100))
rates = [rate_at(step, 100, 10) for step in steps]
plot_lines({"mine": (steps[::3], rates[::3])}, x="step", y="share of the peak rate")

# %% [markdown]
# ## Exercise 9.5 · When to stop
#
# **15 minutes · ●●○○○ · needs:** step 4 of the lesson
#
# Write `stop_at(scores, patience)`. `scores` holds the held-out score of each epoch;
# higher is better. Training stops after `patience` epochs in a row that do not beat the
# best score so far; an equal score does not beat it. Return two numbers, counted from
# 1: the best epoch, and the last one that is trained.
#
# <details><summary>Hint 1: a nudge</summary>
# The loop must not look ahead: after each epoch it decides with what it has seen.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Remember the best epoch. The number of epochs since then is what patience limits.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# If <code>score &gt; scores[best - 1]</code>, then <code>best = epoch</code>. If
# <code>epoch - best &gt;= patience</code>, return both.
# </details>


# %%
def stop_at(scores, patience):
    ### BEGIN SOLUTION
    best = 1
    for epoch, score in enumerate(scores, start=1):
        if score > scores[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return best, epoch
    return best, len(scores)
    ### END SOLUTION


# %% tags=["check"]
check_stop_at(stop_at)

# %% [markdown]
# ## Exercise 9.6 · Entities, strictly
#
# **15 minutes · ●●●○○ · needs:** step 5 of the lesson
#
# Write `read_entities(tags)`: a list of `(start, stop, type)` in order, where `stop` is
# the token after the last. `B-X` opens an entity, an `I-X` right behind it continues
# it, anything else closes it. An `I-` that continues nothing of its own type opens
# nothing.
#
# <details><summary>Hint 1: a nudge</summary>
# At each token, ask two questions in this order: does it close what is open? Does it
# open something?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Keep start and type of the open entity, None where none is open. Everything but the
# I- of that type closes it. Do not forget the end of the text.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Loop over <code>[*tags, "O"]</code>. Close if
# <code>kind and tag != f"I-{kind}"</code>; open if
# <code>tag.startswith("B-")</code>, with the type <code>tag[2:]</code>.
# </details>


# %%
def read_entities(tags):
    ### BEGIN SOLUTION
    found, start, kind = [], 0, None
    for i, tag in enumerate([*tags, "O"]):
        if kind and tag != f"I-{kind}":
            found.append((start, i, kind))
            kind = None
        if tag.startswith("B-"):
            start, kind = i, tag[2:]
    return found
    ### END SOLUTION


# %% tags=["check"]
check_read_entities(read_entities)

# %% [markdown]
# ## Exercise 9.7 · Precision, recall, F1
#
# **15 minutes · ●●○○○ · needs:** 9.6
#
# Write `micro_scores(gold, predicted)`. Each of the two is a list of texts, each text a
# list of tags. Right is an entity with the right start, stop *and* type in the right
# text. Add the counts of all texts, then divide once: return precision, recall and F1,
# each 0 where it would be 0 / 0.
#
# <details><summary>Hint 1: a nudge</summary>
# Three counts are enough: how many are there, how many are said, how many are both.
# </details>
# <details><summary>Hint 2: the idea</summary>
# Make a set of (number of the text, entity) for each side; the two have an
# intersection.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>{(n, e) for n, tags in enumerate(gold) for e in read_entities(tags)}</code>, the
# same for predicted, then <code>there &amp; said</code>. F1 is
# <code>2 * right / (len(there) + len(said))</code>.
# </details>


# %%
def micro_scores(gold, predicted):
    ### BEGIN SOLUTION
    there = {(n, e) for n, tags in enumerate(gold) for e in read_entities(tags)}
    said = {(n, e) for n, tags in enumerate(predicted) for e in read_entities(tags)}
    right = len(there & said)
    precision = right / len(said) if said else 0.0
    recall = right / len(there) if there else 0.0
    f1 = 2 * right / (len(there) + len(said)) if there or said else 0.0
    return precision, recall, f1
    ### END SOLUTION


# %% tags=["check"]
check_micro_scores(micro_scores)

# %% [markdown]
# ## Exercise 9.8 · Can this row be true?
#
# **20 minutes · ●●●○○ · needs:** the lesson's audit
#
# Write `is_consistent(precision, recall, f1, digits=3)`. The three numbers of a
# published row were rounded to `digits` places: 0.880 may stand for anything from
# 0.8795 to 0.8805. Return True if *some* precision and recall in their ranges give an
# F1 in its range, else False. Where precision and recall are both 0, F1 is 0.
#
# <details><summary>Hint 1: a nudge</summary>
# F1 grows with precision and with recall. Where is it smallest, where largest?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Both at their low ends, and both at their high ends. The range between must overlap
# the range of the printed F1.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>half = 0.5 * 10**-digits</code>; compute low and high F1; True if
# <code>low &lt;= f1 + half</code> and <code>high &gt;= f1 - half</code>. Keep the low
# ends at 0 or above, and mind 0 / 0.
# </details>


# %%
def is_consistent(precision, recall, f1, digits=3):
    ### BEGIN SOLUTION
    def f1_of(p, r):
        return 2 * p * r / (p + r) if p + r else 0.0

    half = 0.5 * 10**-digits
    low = f1_of(max(0.0, precision - half), max(0.0, recall - half))
    high = f1_of(precision + half, recall + half)
    return low <= f1 + half and high >= f1 - half
    ### END SOLUTION


# %% tags=["check"]
check_is_consistent(is_consistent)

# %% [markdown]
# Two rows of the published table. One can be true, one cannot: say which before you run
# the cell.

# %% tags=["needs-solution"]
{
    "B-LOC": is_consistent(0.927, 0.910, 0.919),
    "B-MISC": is_consistent(0.880, 0.855, 0.862),
}

# %% [markdown]
# ## Done
#
# Eight functions, and a habit. Take one question along: which table that you trust have
# you never recomputed? Lesson 10 gives your tagger documents that are longer than
# anything it can read at once.
