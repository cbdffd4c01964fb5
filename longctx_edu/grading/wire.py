"""Frames between two processes: a tree of JSON, and raw bytes behind it.

Nothing that arrives is ever executed or unpickled. What is too large, too deep or no
frame at all ends the connection.
"""

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["Broken", "Ended", "Wire"]

HEAD = struct.Struct(">II")
MOST_JSON, MOST_BYTES = 2**24, 2**28

Frame = tuple[Any, list[bytearray]]
"""A tree, and the bytes that it points to."""


class Ended(Exception):
    """The other process has closed its end."""


class Broken(Exception):
    """What came is no frame."""


class Wire:
    """One end of a pair of sockets.

    Args:
        end: The socket.
        wait: Called before each read with nothing to read yet; may raise.

    Example:
        >>> one, other = map(Wire, socket.socketpair())
        >>> one.send(["x", 0], [b"four"])
        >>> other.receive()
        (['x', 0], [bytearray(b'four')])
        >>> one.end.close(), other.end.close()
        (None, None)
    """

    def __init__(
        self, end: socket.socket, wait: Callable[[socket.socket], None] | None = None
    ):
        self.end, self.wait = end, wait

    def send(self, tree: Any, blobs: list[bytes]) -> None:
        """Send a tree and its bytes."""
        text = json.dumps([tree, [len(blob) for blob in blobs]]).encode()
        size = sum(map(len, blobs))
        if len(text) > MOST_JSON or size > MOST_BYTES:
            raise Broken(f"need at most {MOST_BYTES} bytes, got {len(text) + size}")
        self.push(HEAD.pack(len(text), size) + text + b"".join(blobs))

    def push(self, data: bytes) -> None:
        """Write all of it."""
        try:
            self.end.sendall(data)
        except TimeoutError:
            raise
        except OSError as error:
            raise Ended(str(error)) from None

    def receive(self) -> Frame:
        """Take the next frame.

        Raises:
            Ended: If the other end is closed.
            Broken: If what came is no frame.
        """
        n_text, n_bytes = HEAD.unpack(self.read(HEAD.size))
        if n_text > MOST_JSON or n_bytes > MOST_BYTES:
            raise Broken(f"a frame of {n_text + n_bytes} bytes")
        text, rest = self.read(n_text), self.read(n_bytes)
        try:
            tree, sizes = json.loads(text)
            blobs, place = [], 0
            for size in sizes:
                blobs.append(rest[place : place + size])
                place += size
        except (ValueError, TypeError, RecursionError) as error:
            raise Broken(f"no frame: {error}") from None
        if place != n_bytes or any(size < 0 for size in sizes):
            raise Broken("no frame: other sizes than it says")
        return tree, blobs

    def read(self, size: int) -> bytearray:
        """Read so many bytes."""
        found = bytearray(size)
        view = memoryview(found)
        while size:
            if self.wait:
                self.wait(self.end)
            try:
                n = self.end.recv_into(view, size)
            except OSError as error:
                raise Ended(str(error)) from None
            if n == 0:
                raise Ended("closed")
            view, size = view[n:], size - n
        return found
