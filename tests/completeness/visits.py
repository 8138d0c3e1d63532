"""Visits to accounts by the way an installation takes: registry, capture, normalize, mart. Keeps when each began and ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from completeness.life import Look, Outage, Span, Truth

from compliance import accounts
from connectors.contract import AccountRef
from pipeline import steps
from pipeline.capture import CaptureFailed
from pipeline.workspace import Storage, Workspace
from settings import S3, Settings
from warehouse import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compliance.accounts import Account

ROOT = Path(__file__).resolve().parent.parent.parent
WHOLE = frozenset({ledger.COMPLETE, ledger.NOT_COVERED})


class NotAsPlanned(Exception):
    """A visit ended in another way than the run needs, so its comparison would be worth nothing."""


@dataclass(slots=True)
class Once:
    """Does something at a page of a resource, in the midst of a visit."""

    resource: str
    act: Callable[[], None]
    done: bool = False

    def __call__(self, resource: str, pages: int, items: int, total: int | None) -> None:
        """Told of each page."""
        del pages, items, total
        if resource == self.resource and not self.done:
            self.done = True
            self.act()


@dataclass(slots=True)
class Visits:
    """An installation and what it visited."""

    workspace: Workspace
    storage: Storage
    truth: Truth
    tell: Callable[[str], None]
    _cut: dict[str, datetime] = field(default_factory=dict)
    """When the first of the attempts began that were cut off and not made up for yet, by account."""

    def register(self, name: str, found: AccountRef, credential: str | None = None) -> Account:
        """An account the City supports."""
        engine, now = self.workspace.engine, self.workspace.clock()
        accounts.add_proposed(
            engine,
            name=name,
            platform=found.platform,
            native_id=found.native_id,
            handle=found.handle,
            service=found.service,
            by="completeness",
            at=now,
            credential=credential,
        )
        return accounts.approve(engine, name, by="completeness", at=now, reason="seeded for the comparison")

    def whole(self, *visited: Account, during: Once | None = None) -> None:
        """Look at accounts; each look must complete. Then what was seen goes to the tables."""
        for account in visited:
            begin = self.workspace.clock()
            try:
                looks = steps.look_at(self.workspace, self.storage, account, watch=during)
            except CaptureFailed as failed:
                msg = f"a look that was to complete did not: {failed}"
                raise NotAsPlanned(msg) from failed
            end = self.workspace.clock()
            self.truth.looks.append(Look(account.account_id, self._cut.pop(account.account_id, begin), end))
            self.tell(f"{account.name}: {sum(look.items for look in looks)} items in {(end - begin).seconds} s")
        if during and not during.done:
            msg = f"nothing of {during.resource} was read, in the midst of which something was to happen"
            raise NotAsPlanned(msg)
        self.normalize()

    def broken(self, account: Account, code: str, during: Once | None = None) -> None:
        """Look at an account; the look must end with this outcome."""
        begin = self.workspace.clock()
        try:
            steps.look_at(self.workspace, self.storage, account, watch=during)
        except CaptureFailed as failed:
            end = self.workspace.clock()
            missed = frozenset(one.resource for one in failed.captures if one.outcome not in WHOLE)
            if failed.code != code:
                msg = f"a look that was to end with {code} ended otherwise: {failed}"
                raise NotAsPlanned(msg) from failed
            self._cut.setdefault(account.account_id, begin)
            self.truth.outages.append(Outage(account.account_id, missed, code, Span(begin, end)))
            self.tell(f"{account.name}: {code}, as ordered; not read: {', '.join(sorted(missed))}")
            self.normalize()
            return
        msg = f"a look that was to end with {code} completed"
        raise NotAsPlanned(msg)

    def normalize(self) -> None:
        """What was captured goes to the tables."""
        steps.normalize_all(self.workspace, self.storage)

    def mart(self) -> Path:
        """Build what is asked with SQL."""
        return Path(steps.mart_from(self.workspace, self.storage).path)


@contextmanager
def installation(home: Path, services: Mapping[str, str], tell: Callable[[str], None]) -> Iterator[Visits]:
    """An installation of its own, with the embedded object store, that finds services at other addresses."""
    chosen = Settings(
        home=str(home),
        policy=str(ROOT / "policy"),
        allow_private=True,
        services=dict(services),
        s3=S3(lock_days=1),
    )
    workspace = Workspace(chosen)
    with workspace.storage() as storage:
        yield Visits(workspace, storage, Truth(), tell)
