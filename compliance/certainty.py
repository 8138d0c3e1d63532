"""How certain the archive is of what the public could see at a moment, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from compliance.dossier import Dossier, Row


def sentence(dossier: Dossier, looks: Sequence[Row] | None) -> str:
    """What the claim about ``dossier.moment`` rests on. ``looks`` are all looks at the record; None where they cannot be read."""
    moment, held, following = dossier.moment, dossier.held, dossier.following
    assert moment is not None  # noqa: S101 - there is nothing to say of now
    if held is None:
        return _not_there(dossier.versions[0])
    if held["certainty"] == "inside_interval" and following is not None:
        return _between(held, following)
    if held["certainty"] == "edited_since":
        return (
            f"It was published {told(held['published_at'])}, says the platform, and edited {told(held['platform_edited_at'])}; the archive first saw "
            f"it {told(held['seen_after'])}. What it said at that moment is not known; what was first seen is shown."
        )
    if held["certainty"] == "inferred":
        return (
            f"It was published {told(held['published_at'])}, says the platform; the archive first saw it {told(held['seen_after'])}. Presumably it was "
            "then what was first seen."
        )
    return _seen(held, moment, looks)


def told(moment: Any) -> str:  # noqa: ANN401 - a time or none
    """``2026-03-01 12:00:05 UTC``."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "at an unknown time"


def _not_there(first: Row) -> str:
    published = (
        f"published {told(first['published_at'])}, says the platform"
        if first["published_at"]
        else "no time of publication is known"
    )
    return f"The archive knows of nothing to see at that moment: {published}; first seen {told(first['seen_after'])}."


def _between(held: Row, following: Row) -> str:
    change = following["change"].replace("_", " ")
    end = f"first seen {change} {told(held['superseded_at'])}"
    if held["seen_until"] is None:
        return f"It was {end}; when that happened after {told(held['seen_after'])} is not known. At that moment it was either."
    return f"Last seen so {told(held['seen_until'])}, {end}: in between it changed. At that moment it was either."


def _seen(held: Row, moment: datetime, looks: Sequence[Row] | None) -> str:
    if held["superseded_at"] is not None:
        return f"Seen so from {told(held['seen_after'])} to {told(held['seen_until'])}."
    if looks is None:
        return f"Seen so since {told(held['seen_after'])}; no later version is known."
    last = max((look["seen_at"] for look in looks), default=held["seen_after"])
    if last >= moment:
        return f"Seen so from {told(held['seen_after'])} to {told(last)}."
    return f"Last looked at {told(last)}, when it was so. The archive has not looked since: nothing says otherwise, nothing confirms it."


def summary(looks: Sequence[Row]) -> dict[str, Any]:
    """``times``, ``first`` and ``last``, and the ``captures`` in the order in which they first saw it."""
    times = [look["seen_at"] for look in looks]
    return {
        "times": len(looks),
        "first": min(times, default=None),
        "last": max(times, default=None),
        "captures": list(dict.fromkeys(look["capture_id"] for look in looks)),
    }


def of_version(looks: Sequence[Row], version: Row) -> list[Row]:
    """The looks in the time of one version."""
    end = version["superseded_at"]
    return [
        look for look in looks if version["seen_after"] <= look["seen_at"] and (end is None or look["seen_at"] < end)
    ]
