"""What a model keeps of the text that it has read: keys and values, or layer inputs.

Tensors only: which attention looks at them, and which layer they belong to, is the
model's.
"""

from longctx_edu.memory.attend import attend_seen
from longctx_edu.memory.kv_cache import KVCache
from longctx_edu.memory.seen import Seen, sink_places
from longctx_edu.memory.segments import SegmentMemory

__all__ = ["KVCache", "Seen", "SegmentMemory", "attend_seen", "sink_places"]
