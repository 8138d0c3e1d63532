"""What can go wrong with the database, and the drivers' errors turned into it. Needs no SQLAlchemy.

::

    WarehouseError
    ├── DatabaseUnreachable   no such server, folder, role or database   look at the address (ONRECORD_DATABASE_URL)
    ├── DatabaseBusy          another writer did not let go in time      run again; find out who writes so long
    ├── DatabaseUnknown       its revision is not one this program has   upgrade the program
    └── DiskFull              no space left                              make room and run again
"""

from __future__ import annotations

from warehouse.faults import DiskFull, WarehouseError

BUSY_SECONDS = 30
"""How long a writer waits for another one."""


class DatabaseUnreachable(WarehouseError):
    """Nothing answers at the address, or it refuses us."""

    code = "database_unreachable"


class DatabaseBusy(WarehouseError):
    """Another writer held the database too long."""

    code = "database_busy"


class DatabaseUnknown(WarehouseError):
    """The database was made by a later program, or is not ours."""

    code = "database_unknown"


def translated(problem: BaseException, where: str) -> WarehouseError | None:
    """A driver's error as one that says what to do, where a person can do something about it.

    ``where`` is the database's address without its password.
    """
    said = str(problem)
    if "disk is full" in said or "'C': '53100'" in said:  # PostgreSQL's disk_full
        return DiskFull(f"database {where}: no space left; make room and run again, nothing is half-done")
    if "database is locked" in said:
        return DatabaseBusy(f"database {where}: another process wrote for more than {BUSY_SECONDS} s; run again")
    if any(word in said for word in ("unable to open", "readonly database", "disk I/O error", "not a database")):
        return DatabaseUnreachable(f"database {where}: {said}. Check that the file and its folder can be written")
    return None
