# %% [markdown]
# # 00 · Start here: exercises
#
# Three warm-ups, about 15 minutes, with plain Python and whole numbers. They are small
# on purpose: here you meet the machinery.
#
# Replace `raise NotImplementedError`, run the cell, then run the check below it. A
# check says which property fails first, on the smallest input that shows it. Make a
# mistake or two, and see. The lesson is `notebooks/00_start_here.ipynb`, answers are in
# `solutions/00_start_here.ipynb`.

# %%
from longctx_edu.checks.lesson_00 import (
    check_chunk_of,
    check_distance_to_evidence,
    check_reachable,
)
from longctx_edu.data.gazette import GazetteConfig, articles
from longctx_edu.plotting import plot_lines

# %% [markdown]
# ## Exercise 0.1 · Which chunk?
#
# **3 minutes · ●○○○○ · needs:** nothing
#
# Write `chunk_of(token, size)`: the number of the chunk in which a token falls. Tokens
# and chunks count from 0, and every chunk holds `size` tokens: with `size` 4, tokens 0
# to 3 lie in chunk 0. You saw it in the lesson; write it without looking.
#
# <details><summary>Hint 1: a nudge</summary>
# How many whole chunks lie before token 9, if each holds 4?
# </details>
# <details><summary>Hint 2: the idea</summary>
# A division that leaves the remainder away.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# In Python that division is written <code>//</code>: <code>9 // 4</code> is 2.
# </details>


# %%
def chunk_of(token, size):
    ### BEGIN SOLUTION
    return token // size
    ### END SOLUTION


# %% tags=["check"]
check_chunk_of(chunk_of)

# %% [markdown]
# ## Exercise 0.2 · The distance to the evidence
#
# **5 minutes · ●●○○○ · needs:** the lesson's article
#
# Write `distance_to_evidence(mention, evidence)`: how many tokens lie between the two.
# Each is a pair `(start, stop)`: its first token, and the token *after* its last one.
# The evidence may stand before or after the mention. Where they touch or overlap, the
# distance is 0.
#
# <details><summary>Hint 1: a nudge</summary>
# Evidence in front: from where to where do you count? And if it stands behind?
# </details>
# <details><summary>Hint 2: the idea</summary>
# One of the two differences is negative. The larger one counts, unless both are.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# <code>max(mention_start - evidence_stop, ..., 0)</code>, where the dots are the other
# direction; <code>mention_start, mention_stop = mention</code> takes a pair apart.
# </details>


# %%
def distance_to_evidence(mention, evidence):
    ### BEGIN SOLUTION
    mention_start, mention_stop = mention
    evidence_start, evidence_stop = evidence
    return max(mention_start - evidence_stop, evidence_start - mention_stop, 0)
    ### END SOLUTION


# %% tags=["check"]
check_distance_to_evidence(distance_to_evidence)

# %% [markdown]
# ## Exercise 0.3 · Can a chunk see both?
#
# **7 minutes · ●●○○○ · needs:** 0.1
#
# Write `reachable(mention, evidence, size)`: True where a model that reads chunks of
# `size` tokens, each on its own, sees the whole mention and the whole evidence at once;
# else False. Both are pairs as before, and an edge may cut through either.
#
# <details><summary>Hint 1: a nudge</summary>
# Two tokens can be neighbours and stand in different chunks. What must be equal?
# </details>
# <details><summary>Hint 2: the idea</summary>
# The first and the last token of both, four in all, must fall in the same chunk.
# </details>
# <details><summary>Hint 3: nearly the code</summary>
# The last token of a pair is <code>stop - 1</code>. The smallest of the four and the
# largest of the four suffice: <code>chunk_of(first, size) == ...</code>
# </details>


# %%
def reachable(mention, evidence, size):
    ### BEGIN SOLUTION
    first = min(mention[0], evidence[0])
    last = max(mention[1], evidence[1]) - 1
    return chunk_of(first, size) == chunk_of(last, size)
    ### END SOLUTION


# %% tags=["check"]
check_reachable(reachable)

# %% [markdown]
# Now your function reads the newspaper: twenty articles of 1,024 tokens. For each bare
# name it asks whether one chunk holds the name and its evidence. **Predict** the share
# for chunks of 128, and how long a chunk must be to reach them all.

# %%
papers = list(articles(GazetteConfig(n_tokens=1024), 20))
pairs = [
    ((m.start, m.stop), (e.start, e.stop))
    for paper in papers
    for m in paper.mentions
    for e in paper.evidence
    if m.name == e.name and m.ambiguous and m.distance > 0
]

# %% tags=["needs-solution"]
sizes = [64, 128, 256, 512, 1024]
counts = [sum(reachable(m, e, size) for m, e in pairs) for size in sizes]
shares = [count / len(pairs) for count in counts]
assert shares[1] < 0.1 and shares[3] < 0.5 and shares[4] > 0.99
plot_lines({"bare names": (sizes, shares)}, x="chunk (tokens)", y="share in reach")

# %% [markdown]
# ## Done
#
# A chunk of 128 reaches few, one of 512 not yet half; it takes one as long as the
# article. Of the others a model that reads chunks can only guess the type, however
# well it is trained. Your few lines say how high the lower curve of the lesson's figure
# can climb at best. Lesson 01 builds the operation that looks further.
