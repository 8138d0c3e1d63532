"""All platforms by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connectors import bluesky, mastodon, wordpress
from connectors.contract import Platform

PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {module.PLATFORM.name: module.PLATFORM for module in (bluesky, mastodon, wordpress)}
)
"""Name -> platform, in alphabetical order."""
