"""The keys and values of what was read, so that each token is projected once."""

import torch
from jaxtyping import Float
from torch import Tensor

from longctx_edu.masks.sinks import check_sinks
from longctx_edu.memory.inputs import check_count, check_pair, check_same
from longctx_edu.memory.seen import Seen
from longctx_edu.memory.steps import Steps
from longctx_edu.memory.store import Store


class KVCache:
    """Keeps the keys and values that later queries can see, layer by layer.

    A query at place i sees the sinks, `t < sinks`, and of the others `i - left` to i.
    So of n tokens the cache keeps `min(n, left + sinks)`: the first, and the last.
    Keys come already turned for their true place in the text.

    What it returns carries no gradient: it serves reading, not training.

    Args:
        n_layers: Number of layers.
        left: Keys visible before a query, itself not counted; None for all.
        sinks: First tokens of the text that every later query sees.
        max_tokens: Room for so many tokens from the beginning, and no more; by default
            the room grows.

    Attributes:
        beside: What else a model keeps of the text, by name; `clear` empties it.

    Raises:
        ValueError: If a number has no meaning, or `max_tokens` comes with a window.

    Example:
        >>> cache = KVCache(1, left=2, sinks=1)
        >>> text = torch.arange(6.0).reshape(1, 1, 6, 1)
        >>> seen = cache.extend(0, text[:, :, :5], text[:, :, :5])
        >>> cache.extend(0, text[:, :, 5:], text[:, :, 5:]).places.tolist()
        [0, 3, 4, 5]
        >>> cache.n_tokens, cache.nbytes  # 3 tokens are kept, of two 4-byte numbers
        (6, 24)

    Source: the window and the sinks: StreamingLLM (Xiao et al. 2024), section 3.2; the
    bytes: `attention.kv_cache_bytes`. Built in lesson 07.
    """

    def __init__(
        self,
        n_layers: int,
        *,
        left: int | None = None,
        sinks: int = 0,
        max_tokens: int | None = None,
    ):
        check_count("n_layers", n_layers)
        check_sinks(left, sinks)
        if max_tokens is not None:
            check_count("max_tokens", max_tokens)
            if left is not None:
                raise ValueError(
                    "need max_tokens without a window, which bounds the cache itself, "
                    f"got max_tokens={max_tokens} and left={left}"
                )
        self.n_layers, self.left, self.sinks = n_layers, left, sinks
        self.max_tokens = max_tokens
        self.clear()

    def clear(self) -> None:
        """Forget everything, also what kind of keys there were."""
        self.beside: dict = {}
        self._steps = Steps(self.n_layers)
        self._kind: dict | None = None
        self._stores = [
            [
                Store(left=self.left, sinks=self.sinks, reserve=self.max_tokens or 0)
                for _ in ("k", "v")
            ]
            for _ in range(self.n_layers)
        ]

    @property
    def n_tokens(self) -> int:
        """Tokens that all layers have read, kept or not."""
        return self._steps.n_tokens

    @property
    def nbytes(self) -> int:
        """Bytes of the keys and values that later queries can see."""
        return sum(
            store.kept * store.room[:, :, :1].nbytes
            for store in self._filled()
            if store.kept
        )

    @property
    def reserved_bytes(self) -> int:
        """Bytes of the room that is held for them."""
        return sum(store.room.nbytes for store in self._filled())

    def _filled(self):
        stores = (store for pair in self._stores for store in pair)
        return [store for store in stores if store.room is not None]

    def extend(
        self,
        layer: int,
        k: Float[Tensor, "batch kv_head token d_head"],
        v: Float[Tensor, "batch kv_head token d_value"],
    ) -> Seen:
        """Take up new tokens, and return what their own queries look at.

        That is everything kept before and all new keys; `attend_seen` shows each query
        its part. Every layer is extended once for the same tokens, in any order.

        Args:
            layer: The layer, from 0.
            k: What each new token offers, turned for its true place.
            v: What each new token gives.

        Returns:
            Views into the cache, which hold until this layer is extended again.

        Raises:
            ValueError: If the layer is out of step, the tensors do not fit each other
                or what is kept, or there is no room.
        """
        check_pair(k, v)
        n_new = k.shape[2]
        self._steps.check(layer, n_new)
        kind = check_same("cache", self._kind, _kind(k, v))
        read = self._steps.counts[layer]
        if self.max_tokens is not None and read + n_new > self.max_tokens:
            raise ValueError(
                f"need at most max_tokens={self.max_tokens} tokens in the cache, got "
                f"{read} and {n_new} more"
            )
        self._kind = kind
        keys, values = self._stores[layer]
        seen = Seen(
            keys.extend(k), values.extend(v), self._places(read, n_new, k.device),
            min(self.sinks, read + n_new),
        )  # fmt: skip
        self._steps.advance(layer, n_new)
        return seen

    def _places(self, read, n_new, device):
        """Say where the kept tokens stand in the text, and the new ones."""
        if self.left is None or read <= self.sinks + self.left:
            return torch.arange(read + n_new, device=device)
        first = torch.arange(self.sinks, device=device)
        last = torch.arange(read - self.left, read + n_new, device=device)
        return torch.cat([first, last])


def _kind(k, v):
    """Say what all keys and values of a cache have in common."""
    return {
        "batch": k.shape[0],
        "number of heads": k.shape[1],
        "width of keys": k.shape[3],
        "width of values": v.shape[3],
        "number format": k.dtype,
        "device": k.device,
    }
