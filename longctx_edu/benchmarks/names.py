"""Who takes part: the contenders by name, in the order of every report."""

from collections.abc import Sequence

from longctx_edu.benchmarks.bigbird import BIGBIRD
from longctx_edu.benchmarks.contender import Contender
from longctx_edu.benchmarks.flex import FLEX
from longctx_edu.benchmarks.implementations import BLOCK_SPARSE, ONLINE, WINDOW
from longctx_edu.benchmarks.longformer import LONGFORMER
from longctx_edu.benchmarks.peers import LOCAL_ATTENTION, SDPA, SDPA_MASK
from longctx_edu.errors import UserError, unknown_name

OURS = (WINDOW, ONLINE, BLOCK_SPARSE)
"""Our variants, in the order of the reports."""

PEERS = (SDPA, SDPA_MASK, LONGFORMER, BIGBIRD, LOCAL_ATTENTION, FLEX)
"""The peers, in the order of the reports."""


def chosen(words: str, known: Sequence[Contender], kind: str) -> tuple[Contender, ...]:
    """Read which contenders are asked for.

    Args:
        words: "all", "none", or names with commas between them.
        known: Those that there are; the result keeps their order.
        kind: What they are, for the message.

    Raises:
        UserError: If a name is unknown.

    Example:
        >>> [each.name for each in chosen("flex,sdpa", PEERS, "peer")]
        ['sdpa', 'flex']
    """
    if words in ("all", "none"):
        return tuple(known) if words == "all" else ()
    asked = [word.strip() for word in words.split(",")]
    if asked == [""]:
        raise UserError(f"need a {kind}, all or none, got {words!r}")
    names = [each.name for each in known]
    for name in asked:
        if name not in names:
            raise unknown_name(kind, name, [*names, "all", "none"])
    return tuple(each for each in known if each.name in asked)
