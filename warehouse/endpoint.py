"""Where an object store answers, and the boto3 client that talks to it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

POOL = 32
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 60
ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An S3 endpoint with its key. Its text form shows neither key nor secret."""

    url: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    @property
    def host(self) -> str:
        """``host:port``, as DuckDB and pyarrow want it."""
        return self.url.split("://", 1)[-1].rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.url.startswith("https://")


@functools.lru_cache(maxsize=16)
def client(endpoint: Endpoint, *, anonymous: bool = False, attempts: int = ATTEMPTS) -> S3Client:
    """The client of an endpoint, made once per process: loading boto3 and its models takes most of a second.

    Signature version 4, path style, checksums wherever the operation has them, ``attempts`` tries with growing waits. A client may be used from
    several threads.
    """
    import boto3  # noqa: PLC0415 - half a second that commands without storage should not pay
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session: Any = boto3.session.Session()
    s3: S3Client = session.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id=endpoint.access_key,
        aws_secret_access_key=endpoint.secret_key,
        config=Config(
            signature_version=UNSIGNED if anonymous else "s3v4",
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            max_pool_connections=POOL,
            request_checksum_calculation="when_supported",
            response_checksum_validation="when_supported",
        ),
    )
    return s3
