"""Memory that does not grow with the amount of work.

Allocators keep what is freed in case it is needed again, and scatter what lives long among what does not; over many batches of Arrow and
Parquet that doubles what a process holds. Here freed memory goes back to the system after every batch, and Arrow allocates from
jemalloc, which scatters least and gives back when told to (measured beside mimalloc, its default, and the C library).
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

ARROW_POOL = "ARROW_DEFAULT_MEMORY_POOL"


def choose_arrow_pool() -> None:
    """Let Arrow allocate from jemalloc, in its own code too. Only before pyarrow is loaded: it looks once. A pool chosen by the operator stays."""
    os.environ.setdefault(ARROW_POOL, "jemalloc")


def give_back() -> None:
    """Return freed memory to the system: Arrow's, and the C library's where it can (glibc)."""
    import pyarrow as pa  # only after the pool is chosen

    pa.default_memory_pool().release_unused()
    if hasattr(_library(), "malloc_trim"):
        _library().malloc_trim(0)


@cache
def _library() -> ctypes.CDLL:
    """The C library this process runs on."""
    return ctypes.CDLL(None)
