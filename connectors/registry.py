"""All platforms by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from connectors.bluesky import platform as bluesky
from connectors.mastodon import platform as mastodon
from connectors.wordpress import platform as wordpress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Platform

PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {module.PLATFORM.name: module.PLATFORM for module in (bluesky, mastodon, wordpress)}
)
"""Name -> platform, in alphabetical order."""
