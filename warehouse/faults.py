"""What can go wrong with storage, one class per way to recover.

::

    WarehouseError
    ├── StorageUnavailable   the object store does not answer, or fails        try again; start it; look at its log
    │   └── ServerFailed     the embedded server did not start or stay up      the message quotes its log
    ├── StorageRefused       key, secret, right or bucket is wrong             a person corrects the settings or the rights
    ├── BucketLies           the bucket does not do what evidence needs        use another object store
    ├── AlreadyThere         other bytes lie under that key                    nothing was written; find out who wrote them
    ├── NotThere             no such object                                    it was never written, or was destroyed
    ├── Damaged              bytes are not the ones that were written          restore from a copy; the object is kept as it is
    ├── DiskFull             no space left                                     make room and run again; nothing is lost
    └── TableFault           a table cannot be read or written as asked        the message says what to do
        └── TableBusy        other writers won every retry                     run again
"""

from __future__ import annotations

import errno
from typing import ClassVar


class WarehouseError(Exception):
    """Storage did not do what was asked."""

    code: ClassVar[str] = "warehouse_error"


class StorageUnavailable(WarehouseError):
    """The object store does not answer, or fails."""

    code = "storage_unavailable"


class ServerFailed(StorageUnavailable):
    """The embedded server did not start or stay up."""

    code = "server_failed"


class StorageRefused(WarehouseError):
    """The object store refused a key, a secret, a right or a bucket."""

    code = "storage_refused"


class BucketLies(WarehouseError):
    """The bucket does not do what evidence needs. ``failed`` names the checks."""

    code = "bucket_lies"

    def __init__(self, message: str, *, failed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.failed = failed


class AlreadyThere(WarehouseError):
    """Other bytes lie under that key; nothing was written."""

    code = "already_there"


class NotThere(WarehouseError):
    """No such object."""

    code = "not_there"


class Damaged(WarehouseError):
    """Bytes are not the ones that were written."""

    code = "damaged"


class DiskFull(WarehouseError):
    """No space left on a disk of this machine."""

    code = "disk_full"


class TableFault(WarehouseError):
    """A table cannot be read or written as asked."""

    code = "table_fault"


class TableBusy(TableFault):
    """Other writers won every retry."""

    code = "table_busy"


def is_disk_full(problem: OSError) -> bool:
    """Whether an operating system error means that no space, or no quota, is left."""
    return problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
