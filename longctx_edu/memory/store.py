"""Vectors of the tokens that are kept, in one piece of memory with room for more.

What is kept always lies in one stretch, sinks first. When the oldest token of a window
goes, the sinks move up into its place: four vectors are copied, not the window.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


class Store:
    """One vector a token, head and text, of the tokens that later queries can see.

    Without a window the room doubles when it is full. With one it ends at twice the
    window; there, what is kept moves back to the beginning. Either way a token is
    copied a few times in all, however long the text.

    Args:
        left: Tokens kept besides the sinks, the newest; None for all.
        sinks: First tokens, kept for good.
        reserve: Tokens that have room from the beginning.

    Example:
        >>> store = Store(left=1, sinks=1)
        >>> for i in range(4):
        ...     seen = store.extend(torch.full((1, 1, 1, 1), float(i)))
        >>> seen.flatten().tolist(), store.kept
        ([0.0, 2.0, 3.0], 2)

    Source: StreamingLLM (Xiao et al. 2024), section 3.2. Built in lesson 07.
    """

    def __init__(self, *, left: int | None, sinks: int, reserve: int = 0):
        self.left, self.sinks, self.reserve = left, sinks, reserve
        self.limit = math.inf if left is None else sinks + 2 * left + 1
        self.most = math.inf if left is None else sinks + left
        self.room: Tensor | None = None
        self.start = self.stop = 0

    @property
    def kept(self) -> int:
        """Tokens that later queries can see."""
        return min(self.stop - self.start, self.most)

    def extend(
        self, new: Float[Tensor, "batch kv_head token d"]
    ) -> Float[Tensor, "batch kv_head key d"]:
        """Return everything that is kept, and the new tokens behind it.

        Args:
            new: One vector a token.

        Returns:
            Sinks, window, new tokens; a view that holds until the next call.
        """
        new = new.detach()
        if self.room is None:
            self.room = self._empty(new, max(self.reserve, min(new.shape[2], 1)))
        self._forget()
        need = self.stop - self.start + new.shape[2]
        if need > self.limit:
            return self._pass_through(new)
        if self.stop + new.shape[2] > self.room.shape[2]:
            self._make_room(need)
        self.stop += new.shape[2]
        self.room[:, :, self.stop - new.shape[2] : self.stop] = new
        return self._live()

    def _live(self):
        return self.room[:, :, self.start : self.stop]

    def _forget(self):
        """Drop what no later query sees; the sinks move up to the window."""
        surplus = self.stop - self.start - self.kept
        if surplus:
            first = self._live()[:, :, : self.sinks].clone()
            self.start += surplus
            self._live()[:, :, : self.sinks] = first

    def _make_room(self, need):
        """Move what is kept to the beginning, of a larger room where that pays."""
        live = self._live()
        size = min(self.limit, 2 * need)
        if self.room.shape[2] < size:
            self.room = self._empty(live, size)
        else:
            live = live.clone()  # where it goes may overlap with where it lies
        self.start, self.stop = 0, live.shape[2]
        self._live()[:] = live

    def _pass_through(self, new):
        """Take up tokens that outnumber the room: their end alone is kept."""
        seen = torch.cat([self._live(), new], dim=2)
        if self.room.shape[2] < self.limit:
            self.room = self._empty(seen, self.limit)
        self.start, self.stop = 0, self.most
        first = seen[:, :, : self.sinks]
        last = seen.narrow(2, seen.shape[2] - self.left, self.left)
        self._live()[:] = torch.cat([first, last], dim=2)
        return seen

    @staticmethod
    def _empty(like, size):
        """Make room for `size` tokens, which may be written in any grad mode."""
        with torch.inference_mode(False):
            shape = (*like.shape[:2], size, like.shape[3])
            return torch.empty(shape, dtype=like.dtype, device=like.device)
