"""What all values read from policy files have in common."""

from __future__ import annotations

from datetime import date

import msgspec


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a policy file."""


class PolicyFile(Value, frozen=True, kw_only=True):
    """What every policy file says of itself."""

    sample: bool
    """Whether these are invented values, not a City's own."""
    title: str
    version: str
    effective: date
    """First day on which it is in force."""
    authority: str
