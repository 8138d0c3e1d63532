"""What each platform's resources can tell, as a table of the mart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.registry import PLATFORMS
from warehouse.coverage_tables import PLATFORM_RESOURCES

if TYPE_CHECKING:
    import pyarrow as pa


def platform_resources() -> pa.Table:
    """Platform, resource, how a deletion shows, and what is never told."""
    import pyarrow as pa

    rows = [
        {"platform": platform.name, "resource": one.name, "deletion": one.deletion, "never": one.never}
        for platform in PLATFORMS.values()
        for one in platform.resources
    ]
    return pa.Table.from_pylist(rows, schema=PLATFORM_RESOURCES)
