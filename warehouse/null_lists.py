"""Keeps a null list of structs null on its way through pyiceberg, which makes an empty list of it.

``attachments`` is null where the platform says nothing and empty where it says that there are none. pyiceberg 0.12 rebuilds such
columns without their null mask (``ArrowProjectionVisitor.list``), when writing as when reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.io.pyarrow import ArrowProjectionVisitor

if TYPE_CHECKING:
    from pyiceberg.types import ListType

_rebuilt = ArrowProjectionVisitor.list


def keep_null_lists() -> None:
    """Have pyiceberg keep null lists, in this process."""
    ArrowProjectionVisitor.list = _with_nulls  # type: ignore[method-assign, assignment]


def _with_nulls(visitor: ArrowProjectionVisitor, kind: ListType, lists: Any, values: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    rebuilt = _rebuilt(visitor, kind, lists, values)
    if rebuilt is None or not lists.null_count:
        return rebuilt
    return pc.if_else(lists.is_valid(), rebuilt, pa.scalar(None, rebuilt.type))
