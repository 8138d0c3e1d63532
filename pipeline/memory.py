"""Memory that does not grow with the amount of work.

Allocators keep what is freed in case it is needed again, each thread for itself; over many batches of Arrow and Parquet that doubles
what a process holds. Here freed memory goes back to the system after every batch.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from typing import Any

import pyarrow as pa


def use_lean_pool() -> None:
    """Let Arrow allocate from the system, so that :func:`give_back` reaches its memory."""
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc)."""
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:  # noqa: ANN401 - a function of the C library
    name = ctypes.util.find_library("c")
    return getattr(ctypes.CDLL(name), "malloc_trim", None) if name else None
