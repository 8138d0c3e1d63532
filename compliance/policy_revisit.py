"""What the City says of looking again, as typed values: how often, how far back, within which budget."""

from __future__ import annotations

from compliance.policy_values import PolicyFile, Value


class RevisitStep(Value, frozen=True, kw_only=True):
    """Records younger than this are looked at again this often."""

    younger_than_days: int
    every_hours: int


class HotThreads(Value, frozen=True, kw_only=True):
    """Threads with so many comments of late are looked at with every capture, however old their post."""

    comments: int
    within_hours: int


class Backfilling(Value, frozen=True, kw_only=True):
    """How the past of an account is read when it is captured for the first time."""

    pages_per_slice: int


class Budget(Value, frozen=True, kw_only=True):
    """What one credential (or, without one, this installation) may ask of a platform."""

    platform: str
    requests_per_hour: int


class Revisit(PolicyFile, frozen=True, kw_only=True):
    """``revisit.yaml``: how far back captures look for edits and deletions, and how often."""

    window_days: int
    """As far back does a capture look that a person asks for."""
    capture_every_minutes: int
    steps: tuple[RevisitStep, ...]
    hot_threads: HotThreads
    history: Backfilling
    budgets: tuple[Budget, ...]
