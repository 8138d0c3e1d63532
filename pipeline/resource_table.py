"""What each platform's resources can tell, as a table of the mart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.registry import PLATFORMS
from warehouse.coverage_tables import PLATFORM_RESOURCES

if TYPE_CHECKING:
    import pyarrow as pa


def platform_resources() -> pa.Table:
    """Platform, resource, whether it can be read again, how a deletion shows, what moderation it reveals, and what is never told."""
    import pyarrow as pa

    rows = [
        {
            "platform": platform.name,
            "resource": one.name,
            "again": one.again,
            "deletion": one.deletion,
            "reveals": list(one.reveals),
            "never": one.never,
        }
        for platform in PLATFORMS.values()
        for one in platform.resources
    ]
    return pa.Table.from_pylist(rows, schema=PLATFORM_RESOURCES)
