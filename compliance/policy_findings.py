"""``findings.yaml`` and ``notifications.yaml`` as typed values: when something is worth telling, and who is told."""

from __future__ import annotations

from typing import Literal

from compliance.policy_values import PolicyFile
from compliance.policy_values import Value as _Value


class SilenceTerms(_Value, frozen=True, kw_only=True):
    """When an account is silent longer than its habit: longer than ``times`` its usual longest gap, and ``at_least_days``."""

    habit_days: int
    """How far back its own posts tell its habit."""
    habit_posts: int
    """With fewer posts it has no habit yet."""
    usual_percentile: int
    """The gap that so many of a hundred gaps do not exceed is its usual longest."""
    times: int
    at_least_days: int


class QuarantineTerms(_Value, frozen=True, kw_only=True):
    """How many items of an account may be unreadable within a time."""

    window_hours: int
    at_least: int
    percent: int
    """Of the items its captures showed in that time."""


class ShapeTerms(_Value, frozen=True, kw_only=True):
    """How answers of a platform are sampled, and how much of their shape may change before it is a finding."""

    objects: int
    """Evidence objects read each time, the newest."""
    pages: int
    """Pages of each call read in one object."""
    learn_pages: int
    """What is first seen within so many pages is learned silently."""
    confirm_pages: int
    """A change counts once so many pages showed it."""
    share_percent: int
    """A new field counts if at least this share of the pages since then has it."""
    new_fields: int
    vanished_fields: int
    retyped_fields: int
    settled_days: int
    """After so many days a change is how the platform is."""


class FindingTerms(PolicyFile, frozen=True, kw_only=True):
    """``findings.yaml``: when something is worth telling."""

    credential_warn_days: int
    overdue_minutes: int
    """Beyond ``capture_every_minutes`` of ``revisit.yaml``."""
    gap_hours: int
    mart_hours: int
    silence: SilenceTerms
    quarantine: QuarantineTerms
    shapes: ShapeTerms


Severity = Literal["info", "warning", "error", "critical"]


class Mail(_Value, frozen=True, rename={"sender": "from"}, kw_only=True):
    """People told by mail. The server and its password are an Airflow connection."""

    name: str
    enabled: bool
    minimum: Severity
    to: tuple[str, ...]
    sender: str
    connection: str = "smtp_default"


class Webhook(_Value, frozen=True, kw_only=True):
    """A system told by HTTP POST. ``credential`` names its ``address`` and ``secret``, which lie in the environment."""

    name: str
    enabled: bool
    minimum: Severity
    credential: str


class Notifications(PolicyFile, frozen=True, kw_only=True):
    """``notifications.yaml``: who is told of findings."""

    quiet_hours: int
    """A finding that opens again so soon after it closed is not told again before that time is over."""
    mail: tuple[Mail, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
