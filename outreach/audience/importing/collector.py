"""The collector of cyclic garbage looks seldom while a list is read.

A batch makes some fifty thousand small objects, none of them in a cycle: they go as soon as nobody holds them. By its
own rule the collector would look through all of them a hundred times meanwhile, a quarter of an import's time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: More objects than a batch makes: a few collections a minute are left, for what the rest of the service does.
SELDOM = (100_000, 10, 10)

_usual: list[tuple[int, int, int]] = []


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let the collector look seldom for the length of the block; several imports may run at once."""
    _usual.append(gc.get_threshold())
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        before = _usual.pop()
        if not _usual:
            gc.set_threshold(*before)
