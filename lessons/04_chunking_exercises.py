# %% [markdown]
# # 04 · Chunking: exercises
#
# Eight exercises, about two hours. You cut a text, count what that costs, put results
# together again, score each token once, and carry a memory from piece to piece.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. A
# chunk is a pair `(start, stop)`, stop being the token after the last one. The lesson
# is `notebooks/04_chunking.ipynb`, answers are in `solutions/04_chunking.ipynb`.

# %%
import torch

from longctx_edu.checks.lesson_04 import (
    check_answering_chunks,
    check_chunk_places,
    check_labels_once,
    check_merge_entities,
    check_next_memory,
    check_pool_chunks,
    check_put_together,
    check_tokens_read,
)
from longctx_edu.chunking import Chunk
from longctx_edu.plotting import plot_chunks, plot_lines

# %% [markdown]
# ## Exercise 4.1 · Cut
#
# **15 minutes · ●●○○○ · needs:** the lesson's nine tokens
#
# Write `chunk_places(n_tokens, size, overlap)` and return a list of pairs. Neighbours
# share `overlap` tokens. The last chunk is moved back until it is full, so it may share
# more. A document no longer than `size` is one chunk.
#
# <details><summary>Hint 1: a nudge</summary>
# Where may a chunk start at the latest? How far apart are two starts?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Starts are size - overlap apart, and lie before n_tokens - size; that place is the
# last start. It cannot be below 0.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>last = max(0, n_tokens - size)</code>, then <code>starts = [*range(0, last,
# size - overlap), last]</code>, and a stop is <code>min(start + size, n_tokens)</code>.
# </details>


# %%
def chunk_places(n_tokens, size, overlap):
    ### BEGIN SOLUTION
    last = max(0, n_tokens - size)
    starts = [*range(0, last, size - overlap), last]
    return [(start, min(start + size, n_tokens)) for start in starts]
    ### END SOLUTION


# %% tags=["check"]
check_chunk_places(chunk_places)

# %% [markdown]
# Your chunks as rows. **Predict** before you run it: how many rows for 20 tokens in
# chunks of 8 that share 3?

# %% tags=["needs-solution"]
plot_chunks([Chunk(*pair) for pair in chunk_places(20, 8, 3)])

# %% [markdown]
# ## Exercise 4.2 · What it costs
#
# **10 minutes · ●●○○○ · needs:** 4.1
#
# Write `tokens_read(n_tokens, size, overlap)`: how many tokens the model reads in all
# chunks together. Count, do not cut: no list is needed.
#
# <details><summary>Hint 1: a nudge</summary>
# The first chunk reads `size` tokens. How many are left, and how many of them does each
# further chunk bring?
# </details>
# <details><summary>Hint 2: the idea</summary>
# After the first chunk n_tokens - size are left, and each further chunk brings
# size - overlap new ones, the last maybe fewer. It reads `size` all the same.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Rounded up: <code>more = -(-(n_tokens - size) // (size - overlap))</code>. The answer
# is <code>size * (1 + more)</code>, or n_tokens where one chunk is enough.
# </details>


# %%
def tokens_read(n_tokens, size, overlap):
    ### BEGIN SOLUTION
    if n_tokens <= size:
        return n_tokens
    more = -(-(n_tokens - size) // (size - overlap))
    return size * (1 + more)
    ### END SOLUTION


# %% tags=["check"]
check_tokens_read(tokens_read)

# %% [markdown]
# A document of 10,000 tokens in chunks of 512. **Predict** the two ends of the line:
# no overlap, and 448 shared tokens.

# %% tags=["needs-solution"]
overlaps = range(0, 449, 64)
cost = [tokens_read(10_000, 512, overlap) / 10_000 for overlap in overlaps]
plot_lines({"": (overlaps, cost)}, x="overlap (tokens)", y="each token is read (times)")

# %% [markdown]
# ## Exercise 4.3 · Who answers
#
# **20 minutes · ●●●○○ · needs:** the lesson's maximum-context rule
#
# Write `answering_chunks(chunks, n_tokens)`: for each token the number of the chunk
# that answers for it. A token's context in a chunk is the number of tokens on its
# *poorer* side; the largest context wins, and a tie goes to the earlier chunk. The
# document's own ends are no edges: nothing is cut off there.
#
# <details><summary>Hint 1: a nudge</summary>
# For one token in one chunk: how many tokens stand before it, how many behind it? What
# if the chunk starts where the document starts?
# </details>
# <details><summary>Hint 2: the idea</summary>
# before = token - start, after = stop - 1 - token; at an end of the document the side
# counts as long as can be, n_tokens. The context is the smaller of both.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Two loops, over tokens and over <code>enumerate(chunks)</code>; keep
# <code>best</code> and <code>most</code>, skip chunks without the token, and replace
# them only where <code>min(before, after) > most</code>.
# </details>


# %%
def answering_chunks(chunks, n_tokens):
    ### BEGIN SOLUTION
    owners = []
    for token in range(n_tokens):
        best, most = 0, -1
        for number, (start, stop) in enumerate(chunks):
            before = token - start if start > 0 else n_tokens
            after = stop - 1 - token if stop < n_tokens else n_tokens
            if start <= token < stop and min(before, after) > most:
                best, most = number, min(before, after)
        owners.append(best)
    return owners
    ### END SOLUTION


# %% tags=["check"]
check_answering_chunks(answering_chunks)

# %% tags=["needs-solution"]
chunks = [Chunk(0, 8), Chunk(5, 13), Chunk(10, 18), Chunk(12, 20)]
mine = answering_chunks([(chunk.start, chunk.stop) for chunk in chunks], 20)
plot_chunks(chunks, owners=torch.tensor(mine))

# %% [markdown]
# ## Exercise 4.4 · Put it together
#
# **10 minutes · ●●○○○ · needs:** 4.3
#
# Write `put_together(pieces, chunks, owners)`. A piece holds a chunk's results, one row
# a token; `owners` says for each token of the document which chunk answers. Return one
# tensor with one row a token. With pieces of a text itself, it must be the text again.
#
# <details><summary>Hint 1: a nudge</summary>
# Token 7 is owned by a chunk that starts at 5. Which row of its piece is it?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The row token - start of the piece owners[token]. One row after another, then stack.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>torch.stack([pieces[n][token - chunks[n][0]] for token, n in
# enumerate(owners)])</code>
# </details>


# %%
def put_together(pieces, chunks, owners):
    ### BEGIN SOLUTION
    rows = [pieces[n][token - chunks[n][0]] for token, n in enumerate(owners)]
    return torch.stack(rows)
    ### END SOLUTION


# %% tags=["check"]
check_put_together(put_together)

# %% [markdown]
# ## Exercise 4.5 · Each label once
#
# **10 minutes · ●●○○○ · needs:** 4.3
#
# Write `labels_once(labels, chunks, owners)`: for each chunk the list of its tokens'
# labels, with -100, no question, wherever another chunk answers. Each label then counts
# once in the mean loss, in the chunk where its token has most context.
#
# <details><summary>Hint 1: a nudge</summary>
# Which labels belong to the chunk (5, 13)? For which of them is it the owner?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Two loops: over the chunks with their number, over the tokens from start to stop.
# Compare owners[token] with the number.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# Inside: <code>labels[token] if owners[token] == number else -100</code>.
# </details>


# %%
def labels_once(labels, chunks, owners):
    ### BEGIN SOLUTION
    return [
        [labels[t] if owners[t] == number else -100 for t in range(start, stop)]
        for number, (start, stop) in enumerate(chunks)
    ]
    ### END SOLUTION


# %% tags=["check"]
check_labels_once(labels_once)

# %% [markdown]
# ## Exercise 4.6 · Entities from overlapping chunks
#
# **15 minutes · ●●●○○ · needs:** 4.3
#
# Some models return entities, not rows. Write `merge_entities(found, chunks, owners)`.
# `found` has a list for each chunk, of triples `(start, stop, type)` counted *within
# the chunk*. Return one list for the document, at places in the document and in its
# order. The owner of an entity's first token keeps it; other chunks let theirs go.
#
# <details><summary>Hint 1: a nudge</summary>
# Both chunks found the same entity. What are its places in the document, seen from
# each of them?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Add the chunk's start to both ends. Keep the entity if owners[its first token] is the
# number of this chunk.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>for number, entities in enumerate(found):</code>, then <code>shift =
# chunks[number][0]</code>, and a test of <code>owners[start + shift] ==
# number</code>.
# </details>


# %%
def merge_entities(found, chunks, owners):
    ### BEGIN SOLUTION
    merged = []
    for number, entities in enumerate(found):
        shift = chunks[number][0]
        for start, stop, kind in entities:
            if owners[start + shift] == number:
                merged.append((start + shift, stop + shift, kind))
    return merged
    ### END SOLUTION


# %% tags=["check"]
check_merge_entities(merge_entities)

# %% [markdown]
# ## Exercise 4.7 · One answer for the document
#
# **15 minutes · ●●●○○ · needs:** the lesson's pools
#
# Write `pool_chunks(logits, keep, how)`. `logits` has a row for each document and a
# column for each chunk; documents have different numbers of chunks, so `keep` is False
# in the filling, where anything may stand, inf as well. `how` is `"mean"`, `"max"` or
# `"logsumexp"`. Return one number a document; each has at least one chunk.
#
# <details><summary>Hint 1: a nudge</summary>
# Which number changes nothing in a sum? Which one never is the maximum, and what is its
# exp?
# </details>
# <details><summary>Hint 2: the idea</summary>
# For the mean put 0 into the filling, and divide by the number of real chunks of each
# row. For the other two put -inf there.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>logits.masked_fill(~keep, 0.0).sum(dim=1) / keep.sum(dim=1)</code>;
# <code>low = logits.masked_fill(~keep, -torch.inf)</code>, then
# <code>low.amax(dim=1)</code> and <code>low.logsumexp(dim=1)</code>.
# </details>


# %%
def pool_chunks(logits, keep, how):
    ### BEGIN SOLUTION
    if how == "mean":
        return logits.masked_fill(~keep, 0.0).sum(dim=1) / keep.sum(dim=1)
    low = logits.masked_fill(~keep, -torch.inf)
    return low.amax(dim=1) if how == "max" else low.logsumexp(dim=1)
    ### END SOLUTION


# %% tags=["check"]
check_pool_chunks(pool_chunks)

# %% [markdown]
# ## Exercise 4.8 · What one segment leaves for the next
#
# **20 minutes · ●●●●○ · needs:** the lesson's last part
#
# Write `next_memory(memory, x, length, again=0)`. `memory` and `x` have a row for each
# token, the memory's are older. Return the last `length` rows of all that was read. If
# the next segment reads the last `again` rows of `x` once more, they are left out
# first. No gradient may go back through the result.
#
# <details><summary>Hint 1: a nudge</summary>
# Write down six tokens, four of them in the memory. Which stay for length 3? And if the
# last one comes again?
# </details>
# <details><summary>Hint 2: the idea</summary>
# Join both, find where to stop, len(memory) + len(x) - again, and where to start,
# `length` before that but not below 0. Beware of [-0:], which is everything.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>stop = len(memory) + len(x) - again</code>, <code>start = max(0, stop -
# length)</code>, then <code>torch.cat([memory, x])[start:stop].detach()</code>.
# </details>


# %%
def next_memory(memory, x, length, again=0):
    ### BEGIN SOLUTION
    stop = len(memory) + len(x) - again
    start = max(0, stop - length)
    return torch.cat([memory, x])[start:stop].detach()
    ### END SOLUTION


# %% tags=["check"]
check_next_memory(next_memory)

# %% [markdown]
# Twenty tokens in segments of 4, memory of 6. Each line is what a segment finds when it
# begins. **Predict** the last line.

# %% tags=["needs-solution"]
memory, places = torch.zeros(0, 1), torch.arange(20.0)[:, None]
for segment in places.split(4):
    print(f"{segment[0].item():2.0f}: {[int(place) for place in memory]}")
    memory = next_memory(memory, segment, 6)

# %% [markdown]
# ## Done
#
# Eight functions, and none knows a model: cutting is bookkeeping, and its mistakes are
# silent. Lesson 10 uses them on real long documents, beside a model that need not cut
# at all.
