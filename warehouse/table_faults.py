"""What pyiceberg, pyarrow and SQLAlchemy raise on tables, as the faults of this room."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from warehouse.faults import (
    DiskFull,
    NotThere,
    StorageUnavailable,
    TableBusy,
    TableFault,
    WarehouseError,
    is_disk_full,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def table_faults(name: str) -> Iterator[None]:
    """Raise what goes wrong inside as :class:`WarehouseError`, naming the table and what to do."""
    from pyiceberg.exceptions import CommitFailedException, ValidationException  # noqa: PLC0415 - loaded with pyiceberg
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    try:
        yield
    except WarehouseError:
        raise
    except (CommitFailedException, ValidationException) as problem:
        msg = f"table {name}: other writers committed first, again and again ({problem}). Nothing was added; run again"
        raise TableBusy(msg) from problem
    except SQLAlchemyError as problem:
        msg = f"table {name}: the catalog in the database does not answer ({_first_line(problem)}). Run again"
        raise TableFault(msg) from None
    except FileNotFoundError as problem:
        msg = f"table {name}: a file it needs is gone from the bucket ({_first_line(problem)})"
        raise NotThere(msg) from problem
    except OSError as problem:
        if is_disk_full(problem):
            msg = f"table {name}: no space left; make room and run again"
            raise DiskFull(msg) from problem
        msg = f"table {name}: the object store failed ({_first_line(problem)}). Check that it runs, then run again"
        raise StorageUnavailable(msg) from problem


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:300]
