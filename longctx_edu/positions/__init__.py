"""Where a token stands: positions as tensors, one way of telling them a file.

Vectors that are added (`learned`, `sinusoidal`), turns of queries and keys (`rotary`,
and how its frequencies are slowed down for longer texts), biases on the scores
(`alibi`, `relative`, `buckets`). None of them changes the attention.
"""

from longctx_edu.positions.alibi import alibi_bias, alibi_slopes
from longctx_edu.positions.buckets import bucketed_bias, distance_buckets
from longctx_edu.positions.distances import distances
from longctx_edu.positions.frequencies import Frequencies, rotary_frequencies
from longctx_edu.positions.interpolation import interpolate, interpolate_by_parts
from longctx_edu.positions.learned import extend_table, learned_positions
from longctx_edu.positions.llama3 import llama3
from longctx_edu.positions.ntk import dynamic_ntk, ntk_aware
from longctx_edu.positions.pairing import to_halves, to_interleaved
from longctx_edu.positions.relative import (
    distance_columns,
    relative_bias,
    relative_shift,
)
from longctx_edu.positions.rotary import Rotation, rotate, rotation
from longctx_edu.positions.sinusoidal import sinusoidal
from longctx_edu.positions.yarn import yarn, yarn_attention_factor

__all__ = [
    "Frequencies",
    "Rotation",
    "alibi_bias",
    "alibi_slopes",
    "bucketed_bias",
    "distance_buckets",
    "distance_columns",
    "distances",
    "dynamic_ntk",
    "extend_table",
    "interpolate",
    "interpolate_by_parts",
    "learned_positions",
    "llama3",
    "ntk_aware",
    "relative_bias",
    "relative_shift",
    "rotary_frequencies",
    "rotate",
    "rotation",
    "sinusoidal",
    "to_halves",
    "to_interleaved",
    "yarn",
    "yarn_attention_factor",
]
