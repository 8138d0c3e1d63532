"""All platforms by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from connectors import bluesky, mastodon, wordpress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Platform

PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {module.PLATFORM.name: module.PLATFORM for module in (bluesky, mastodon, wordpress)}
)
"""Name -> platform, in alphabetical order."""
