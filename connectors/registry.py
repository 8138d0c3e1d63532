"""All platforms by name."""

from __future__ import annotations

from types import MappingProxyType

from connectors import bluesky, mastodon, wordpress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.contract import Platform
    from collections.abc import Mapping

PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {module.PLATFORM.name: module.PLATFORM for module in (bluesky, mastodon, wordpress)}
)
"""Name -> platform, in alphabetical order."""
