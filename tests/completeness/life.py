"""What truly happened: the life of every record, phase by phase, each begun at a moment that lies between two known ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

GONE = frozenset({"deleted", "unavailable"})


@dataclass(frozen=True, slots=True)
class Span:
    """A moment that is known to lie between two others."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Phase:
    """How a record was from one moment on."""

    state: str
    content: str
    began: Span
    cause: str | None = None
    """Who made it go, where it went."""

    def looks_like(self, state: str, content: str) -> bool:
        """Whether it would be archived so. What is gone keeps the content last seen, whatever it last was."""
        return self.state == state and (state in GONE or self.content == content)


@dataclass(slots=True)
class Life:
    """One record. ``kind`` is post, comment, or the name of a moderation action."""

    record_id: str
    kind: str
    account_id: str
    phases: list[Phase]

    def became(
        self, began: Span, *, state: str | None = None, content: str | None = None, cause: str | None = None
    ) -> None:
        """Something about it changed; what is not named stays."""
        last = self.phases[-1]
        after = Phase(state or last.state, last.content if content is None else content, began, cause)
        if not last.looks_like(after.state, after.content):
            self.phases.append(after)

    def ends(self, number: int) -> datetime | None:
        """The earliest moment at which a phase may have ended; ``None`` for the last one."""
        return self.phases[number + 1].began.begin if number + 1 < len(self.phases) else None

    def ended(self, number: int) -> datetime | None:
        """The latest moment at which a phase had ended; ``None`` for the last one."""
        return self.phases[number + 1].began.end if number + 1 < len(self.phases) else None


@dataclass(frozen=True, slots=True)
class Look:
    """A complete visit to an account, the attempts that were cut off before it included."""

    account_id: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """Resources of an account that could not be read at some time, and under which outcome that is to be noted."""

    account_id: str
    resources: frozenset[str]
    code: str
    span: Span


@dataclass(frozen=True, slots=True)
class Beyond:
    """What happened and is not counted, and why."""

    what: str
    why: str


@dataclass(slots=True)
class Truth:
    """All of it."""

    lives: dict[str, Life] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    beyond: list[Beyond] = field(default_factory=list)

    def begin(
        self, record_id: str, kind: str, account_id: str, began: Span, *, content: str, state: str = "present"
    ) -> None:
        """A record came into being."""
        assert record_id not in self.lives, record_id
        self.lives[record_id] = Life(record_id, kind, account_id, [Phase(state, content, began)])


def between(begin: datetime, end: datetime, *, slack_seconds: float = 0.0) -> Span:
    """A moment between two, where the clock that wrote one of them is coarse."""
    slack = timedelta(seconds=slack_seconds)
    return Span(begin - slack, end + slack)
