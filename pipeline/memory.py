"""Memory that does not grow with the amount of work.

Allocators keep what is freed in case it is needed again: each library its own pages, each thread its own share. Over many batches of
Arrow and Parquet that doubles what a process holds. Here everything comes from the C library, in one share, and goes back after every batch.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

_ARROW_POOL = "ARROW_DEFAULT_MEMORY_POOL"
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
"""Numbers of glibc's ``mallopt`` (malloc.h)."""
LARGE_BYTES = 1024 * 1024
"""An allocation of this size is mapped by itself, so it is the system's again the moment it is freed."""


def choose_arrow_pool() -> None:
    """Let Arrow allocate from the C library, inside too. Only before pyarrow is loaded: it looks once. A pool chosen by the operator stays."""
    os.environ.setdefault(_ARROW_POOL, "system")


def share_one_arena() -> None:
    """All threads allocate from one place, which :func:`give_back` can reach. Costs nothing where one thread does the work."""
    if hasattr(_library(), "mallopt"):
        _library().mallopt(_ARENA_MAX, 1)
        _library().mallopt(_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc)."""
    if hasattr(_library(), "malloc_trim"):
        _library().malloc_trim(0)


@cache
def _library() -> ctypes.CDLL:
    """The C library this process runs on."""
    return ctypes.CDLL(None)
