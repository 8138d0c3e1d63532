"""How pyiceberg reaches the bucket: pyarrow's S3 file system, path style, one request per small file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.io.pyarrow import PyArrowFileIO

from warehouse.endpoint import Endpoint, client
from warehouse.s3_faults import storage_faults

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem
    from pyiceberg.io import InputFile, OutputFile

CONNECT_TIMEOUT_SECONDS = 5
REQUEST_TIMEOUT_SECONDS = 60


def file_io_properties(endpoint: Endpoint) -> dict[str, str]:
    """Catalog properties for this file access. They stay in this process: no table's metadata holds them."""
    return {
        "py-io-impl": f"{__name__}.BucketFileIO",
        "s3.endpoint": endpoint.url,
        "s3.region": endpoint.region,
        "s3.access-key-id": endpoint.access_key,
        "s3.secret-access-key": endpoint.secret_key,
    }


class BucketFileIO(PyArrowFileIO):
    """As pyiceberg's own, but a file is opened on the server when its first megabytes are there.

    pyarrow begins a multipart upload for every file otherwise: three requests where one does, four files per commit.
    Files are deleted by name only: pyarrow leaves an empty object in place of each folder.
    """

    def _initialize_s3_fs(self, netloc: str | None) -> FileSystem:  # noqa: ARG002 - pyiceberg's signature
        from pyarrow.fs import S3FileSystem  # noqa: PLC0415 - as pyiceberg does

        return S3FileSystem(
            endpoint_override=self.properties["s3.endpoint"],
            region=self.properties["s3.region"],
            access_key=self.properties["s3.access-key-id"],
            secret_key=self.properties["s3.secret-access-key"],
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            request_timeout=REQUEST_TIMEOUT_SECONDS,
            force_virtual_addressing=False,
            allow_delayed_open=True,
        )

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Delete a file; one that is gone already is none."""
        address = location if isinstance(location, str) else location.location
        _, bucket, key = self.parse_location(address)
        endpoint = Endpoint(
            self.properties["s3.endpoint"],
            self.properties["s3.region"],
            self.properties["s3.access-key-id"],
            self.properties["s3.secret-access-key"],
        )
        key = key.removeprefix(f"{bucket}/")
        with storage_faults(endpoint, bucket, key):
            client(endpoint).delete_object(Bucket=bucket, Key=key)
