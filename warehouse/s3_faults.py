"""What boto3 raises, as the faults of this room."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from warehouse.faults import Damaged, DiskFull, NotThere, StorageRefused, StorageUnavailable, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError

    from warehouse.endpoint import Endpoint

_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404", "NotFound"})
_DAMAGED = frozenset({"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "InvalidDigest"})
_SERVER_ERROR = 500


@contextlib.contextmanager
def storage_faults(endpoint: Endpoint, bucket: str, key: str = "") -> Iterator[None]:
    """Raise what boto3 raises inside as :class:`WarehouseError`, naming the object and what to do."""
    from botocore.exceptions import (  # noqa: PLC0415 - loaded with the client
        BotoCoreError,
        ClientError,
        FlexibleChecksumError,
    )

    what = f"{bucket}/{key}" if key else f"bucket {bucket}"
    try:
        yield
    except ClientError as problem:
        raise _refusal(problem, endpoint, what) from None
    except FlexibleChecksumError:
        msg = f"{what} at {endpoint.url} came back with other bytes than were written: restore it from a copy"
        raise Damaged(msg) from None
    except BotoCoreError as problem:
        msg = (
            f"the object store at {endpoint.url} does not answer ({type(problem).__name__}) for {what}. "
            "Check that it runs (onrecord status), then run again; what was captured is kept"
        )
        raise StorageUnavailable(msg) from None


def _refusal(problem: ClientError, endpoint: Endpoint, what: str) -> WarehouseError:
    error = problem.response.get("Error", {})
    code, said = error.get("Code", "?"), error.get("Message", "")
    status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    where = f"{what} at {endpoint.url}"
    if code in _MISSING:
        return NotThere(f"{where} does not exist")
    if code == "InvalidRange":
        return Damaged(f"{where} ends before the bytes asked for: restore it from a copy")
    if code in _DAMAGED:
        return Damaged(f"{where}: the bytes changed on their way ({code}); nothing was written. Run again")
    if status == 507 or "no space left" in said.lower() or code == "InsufficientStorage":  # noqa: PLR2004 - RFC 4918
        return DiskFull(f"{where}: the object store is full; make room and run again")
    if status >= _SERVER_ERROR or code in ("SlowDown", "RequestTimeout"):
        return StorageUnavailable(f"{where}: the object store failed ({code}: {said}). See its log, then run again")
    return StorageRefused(
        f"{where}: refused ({code}: {said}). Check access key, secret key, rights and clock; a locked object cannot be changed"
    )
