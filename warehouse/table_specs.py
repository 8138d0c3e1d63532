"""How each table of the archive lies in the bucket: partitions, sort order, properties.

Every schema comes from :mod:`transforms.records`; this is what Iceberg is told besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from transforms.records import TABLES

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema

NAMESPACE = "archive"

BY_PLATFORM = frozenset({"moderation_actions", "profiles"})
BY_PLATFORM_AND_MONTH = frozenset({"posts", "comments"})

SORT_ORDER: dict[str, tuple[str, ...]] = {
    "posts": ("account_id", "published_at", "seen_after"),
    "comments": ("account_id", "published_at", "seen_after"),
    "moderation_actions": ("account_id", "seen_after"),
    "profiles": ("account_id", "seen_after"),
    "sightings": ("record_id", "seen_at"),
    "media": ("account_id", "record_id", "seen_after"),
    "metrics": ("record_id", "name", "seen_at"),
    "captures": ("account_id", "started_at"),
    "gaps": ("account_id", "opened_at"),
    "quarantine": ("account_id", "seen_at"),
    "evidence": ("account_id", "capture_id", "part"),
}
"""Applied before each write: Iceberg records a sort order but does not apply it."""

BOUNDED_COLUMNS = frozenset(
    {"account_id", "platform", "published_at", "seen_after", "seen_at", "started_at", "written_at"}
)
"""Columns whose least and greatest values Iceberg may keep in its manifests, to skip files by. All others would leave
pieces of texts, names and addresses in metadata that a destroyed record must not survive in."""

PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.parquet.compression-level": "1",
    "write.parquet.dict-size-bytes": "65536",
    "write.metadata.metrics.default": "none",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "10",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "commit.retry.num-retries": "20",
    "commit.retry.min-wait-ms": "50",
    "commit.retry.max-wait-ms": "2000",
    "commit.retry.total-timeout-ms": "120000",
}


def properties(name: str) -> dict[str, str]:
    """Table properties at creation."""
    bounded = BOUNDED_COLUMNS & set(TABLES[name].names)
    return {**PROPERTIES, **{f"write.metadata.metrics.column.{column}": "full" for column in sorted(bounded)}}


def partitions(name: str, schema: Schema) -> PartitionSpec:
    """Content by platform and month of publication, others by platform or not at all."""
    from pyiceberg.partitioning import PartitionField, PartitionSpec  # noqa: PLC0415 - half a second to load
    from pyiceberg.transforms import IdentityTransform, MonthTransform  # noqa: PLC0415

    fields = []
    if name in BY_PLATFORM | BY_PLATFORM_AND_MONTH:
        platform = schema.find_field("platform").field_id
        fields.append(PartitionField(platform, 1000, IdentityTransform(), "platform"))
    if name in BY_PLATFORM_AND_MONTH:
        published = schema.find_field("published_at").field_id
        fields.append(PartitionField(published, 1001, MonthTransform(), "published_month"))
    return PartitionSpec(*fields)


def sorted_rows(name: str, table: pa.Table) -> pa.Table:
    """The rows in the table's order."""
    return table.sort_by([(column, "ascending") for column in SORT_ORDER[name]])
