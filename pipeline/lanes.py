"""Lanes of capture: accounts that share a credential share one lane, so that no lane spends another's budget.

The lanes come from ``policy/accounts.yaml``, a file beside the DAGs, so that a DAG looks the same each time it is parsed.
An account that only the registry knows goes into its platform's public lane.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

import settings

PLATFORMS = ("bluesky", "mastodon", "wordpress")


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """Name of the tasks, and of the Airflow pool that bounds how many run at once."""

    name: str
    slots: int = 1

    @property
    def pool(self) -> str:
        """The Airflow pool of the lane."""
        return f"capture_{self.name}"


def lane_name(platform: str, credential: str | None) -> str:
    """The lane of an account: its credential's, or its platform's public one."""
    return re.sub(r"\W", "_", f"{platform}_{credential or 'public'}".lower())


def lanes(accounts: Path | None = None) -> list[Lane]:
    """All lanes, in a fixed order. A file that is missing or broken leaves the public lanes: loading it says what is wrong."""
    file = accounts or Path(settings.load().policy) / "accounts.yaml"
    try:
        listed = yaml.safe_load(file.read_text())["accounts"]
        owned = {lane_name(entry["platform"], entry["credential"]) for entry in listed if entry.get("credential")}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        owned = set()
    public = [Lane(lane_name(platform, None), slots=2) for platform in PLATFORMS]
    return sorted(public + [Lane(name) for name in owned])
