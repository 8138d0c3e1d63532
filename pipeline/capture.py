"""Capture: one account, resource by resource, what it shows now and what it no longer shows.

Only what the registry holds as approved is captured. Each resource is a look of its own: pages go to the spool before anything
reads them, are locked part by part, and only then the ledger's checkpoint moves. Records known from earlier looks that this
look did not see are read directly, and the platform's answer is the evidence of what became of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from connectors.contract import Look, Resource
from connectors.registry import PLATFORMS
from pipeline.absence import Absence, ListingShrank
from pipeline.look import Seen, window_start
from pipeline.subjects import Subjects
from pipeline.visit import Places, Visit, untried, visiting
from warehouse import backfills, ledger, looked
from warehouse.backfills import Listing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from compliance.accounts import Account
    from connectors.contract import Checkpoint, Connection, Credential, Item, Page
    from pipeline.look import Recorder, Tally, Watch

RESUME_WITHIN = timedelta(hours=24)
"""A listing older than this is begun anew rather than resumed: too much has moved."""
STOPS_ALL = frozenset({"credential_rejected", "account_unavailable", "rate_limited", "unreachable", ListingShrank.code})
"""Outcomes of one resource after which the others are not tried."""


class CaptureFailed(Exception):
    """A look at an account did not complete. The ledger has it; ``captures`` are the looks of this run."""

    def __init__(self, message: str, *, code: str, retry_at: datetime | None, captures: list[ledger.Capture]) -> None:
        super().__init__(message)
        self.code = code
        self.retry_at = retry_at
        self.captures = captures


def capture(
    places: Places, account: Account, credential: Credential | None, *, watch: Watch | None = None
) -> list[ledger.Capture]:
    """Look at all resources of an account. Returns the looks, all complete but those at resources that are not covered.

    Raises :class:`CaptureFailed` where one did not complete, and :class:`warehouse.lease.AccountBusy`.
    """
    done: list[ledger.Capture] = []
    with visiting(places, account, credential, watch) as visit:
        subjects = Subjects(places.spool / f"{account.name}.subjects")
        for resource in PLATFORMS[account.platform].resources:
            if done and done[-1].outcome in STOPS_ALL:
                done.append(_not_tried(places, account, resource, done[-1]))
            else:
                listed = next((one for one in done if one.resource == "posts" and one.outcome == ledger.COMPLETE), None)
                done.append(_Look(visit, resource, subjects, listed).run())
    check_complete(account, done)
    return done


def check_complete(account: Account, looks: list[ledger.Capture]) -> None:
    """Raises :class:`CaptureFailed` where a look did not complete. A resource that is not covered is a gap, not a failure."""
    failed = next((one for one in looks if one.outcome not in (ledger.COMPLETE, ledger.NOT_COVERED)), None)
    if failed:
        message = f"{account.name}: {failed.message or failed.outcome}"
        raise CaptureFailed(message, code=failed.outcome, retry_at=failed.retry_at, captures=looks)


def refuse(places: Places, account: Account, *, code: str, message: str) -> CaptureFailed:
    """Note in the ledger that no resource of the account could be looked at, and why. Returns the error to raise."""
    noted = [
        untried(places, account, resource.name, outcome=code, message=message)
        for resource in PLATFORMS[account.platform].resources
    ]
    return CaptureFailed(f"{account.name}: {message}", code=code, retry_at=None, captures=noted)


def _not_tried(places: Places, account: Account, resource: Resource, why: ledger.Capture) -> ledger.Capture:
    message = f"not tried: {why.resource} ended with {why.outcome}"
    return untried(
        places,
        account,
        resource.name,
        outcome=why.outcome,
        message=message,
        retry_at=why.retry_at,
        reason=why.reason,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    visit: Visit
    resource: Resource
    subjects: Subjects
    listed: ledger.Capture | None
    """The look at the posts during this visit, if it completed."""

    def run(self) -> ledger.Capture:
        """Look, resumed where a recent one was cut off; an expired cursor starts the listing over once."""
        latest = self.visit.latest[self.resource.name]
        before = latest if latest and ledger.can_go_on(latest) else None
        too_old = before and self._places.clock() - before.progressed_at > RESUME_WITHIN
        if too_old or (self._gives_subjects and not self.subjects.kept):
            before = None
        ended = self._once(before)
        if before and ended.outcome in ledger.STARTS_OVER:
            ended = self._once(None)
        return ended

    @property
    def _places(self) -> Places:
        return self.visit.places

    @property
    def _account_id(self) -> str:
        return self.visit.account.account_id

    @property
    def _gives_subjects(self) -> bool:
        return self.resource.name == "posts"

    def _once(self, before: ledger.Capture | None) -> ledger.Capture:
        since = self._since(self._places.clock())
        begun = self.visit.begin(self.resource.name, since=since, resumed_from=before)
        return self.visit.record(begun, partial(self._read, begun, resumed=before is not None))

    def _since(self, now: datetime) -> datetime | None:
        """How far back to read. Posts: also to where the looks at their threads were last complete, as these take them from here."""
        last = self._last(self.resource)
        # a publication time in the future must not hide what is published until then
        reached = [min(last.newest_published or last.started_at, last.started_at) if last else None]
        for resource in PLATFORMS[self.visit.account.platform].resources if self._gives_subjects else ():
            if resource.needs_posts:
                read = self._last(resource)
                reached.append(read.started_at if read else None)
        known_to = [moment for moment in reached if moment is not None]
        return window_start(min(known_to) if len(known_to) == len(reached) else None, now, self._places.window)

    def _last(self, resource: Resource) -> ledger.Capture | None:
        return self.visit.last_complete[resource.name]

    def _read(self, begun: ledger.Capture, recorder: Recorder, connection: Connection, *, resumed: bool) -> None:
        missing = self._known(begun)
        listed = sum(not self.resource.unlisted(native_id) for native_id in missing)
        seen = Seen(self._seen_file(), missing, listed)
        seen.open(resumed=resumed)
        if self._gives_subjects:
            self.subjects.begin(resumed=resumed)
        if self._list(begun, recorder, seen, connection, resume=begun.checkpoint):
            return
        suspected = partial(
            looked.suspected_since, self._places.engine, self._account_id, begun.resource, ListingShrank.code
        )
        wrote = partial(self._places.known.authors, begun.resource, self._account_id)
        absence = Absence(self.resource, connection, seen, self._apart(begun), suspected, wrote)
        if absence.is_suspicious:
            self.subjects.begin(resumed=not self._gives_subjects)
            self._list(begun, recorder, seen, connection, resume=None)
        for page in absence.confirmed():
            recorder.page_done(page)
            self.visit.tell(self.resource.name, recorder)
        seen.close()

    def _list(
        self,
        begun: ledger.Capture,
        recorder: Recorder,
        seen: Seen,
        connection: Connection,
        *,
        resume: Checkpoint | None,
    ) -> bool:
        """Read the listing to its end. Returns whether it ended early: a first look whose rest is left to the backfill."""
        look = Look(since=begun.since, resume=resume, subjects=self._subjects(begun))
        for number, page in enumerate(self.resource.fetch(connection, look), 1):
            seen.add(page.items)
            if self._gives_subjects:
                self.subjects.add(page.items)
            recorder.page_done(page)  # last: the checkpoint may move past this page
            self.visit.tell(self.resource.name, recorder)
            if self._is_enough(begun, number, page) and recorder.tally.oldest:
                self._leave_rest(begun, recorder.tally)
                return True
        return False

    def _leave_rest(self, begun: ledger.Capture, tally: Tally) -> None:
        """Let the backfill read what is older; the look does not claim to have come further than it did."""
        listing = Listing(dict(tally.checkpoint or {}), tally.items, tally.total)
        backfills.begin(self._places.engine, begun, listing, now=self._places.clock(), reached=tally.oldest)
        tally.since = tally.oldest

    def _is_enough(self, begun: ledger.Capture, pages: int, page: Page) -> bool:
        limit = self._places.first_pages
        may_end = limit is not None and begun.since is None and not self.resource.needs_posts
        return may_end and pages >= (limit or 0) and page.checkpoint is not None

    def _subjects(self, begun: ledger.Capture) -> Iterator[Item]:
        """Posts whose threads to read, newest first: those just listed, then busy ones further back."""
        if not self.resource.needs_posts:
            return iter(())
        hot = self._places.hot
        if hot is None or begun.since is None:
            return iter(self.subjects)
        busy = self._places.known.hot_threads(
            self._account_id, since=begun.started_at - hot.within, comments=hot.comments
        )
        listed = {item.native_id for item in self.subjects}
        return chain(self.subjects, (item for item in busy if item.native_id not in listed))

    def _known(self, begun: ledger.Capture) -> set[str]:
        """What this look should show: everything known, in its window or in the threads it reads."""
        if begun.since is None and self._last(self.resource) is None:
            return set()
        known, name = self._places.known, self.resource.name
        if not self.resource.needs_posts:
            return known.ids(name, account_id=self._account_id, since=begun.since)
        return known.ids(name, account_id=self._account_id, roots=self._roots(begun))

    def _roots(self, begun: ledger.Capture) -> set[str]:
        """Posts whose comments this look should show: those it reads, and those that are gone, whose threads nobody reads."""
        roots = {item.native_id for item in self._subjects(begun)}
        if self.listed:
            roots |= self._places.known.ids("posts", account_id=self._account_id, since=self.listed.since)
        return roots

    def _apart(self, begun: ledger.Capture) -> set[str]:
        """Known comments in the window that stand in no thread of these: their post is gone, or is another's. No listing shows them."""
        if not self.resource.needs_posts or not self.listed or begun.since is None:
            return set()
        known, since = self._places.known, begun.started_at - self._places.window
        recent = known.ids(self.resource.name, account_id=self._account_id, since=since)
        below = known.ids(self.resource.name, account_id=self._account_id, roots=self._roots(begun))
        return recent - below - set(self.subjects.others)

    def _seen_file(self) -> Path:
        return self._places.spool / f"{self.visit.account.name}.{self.resource.name}.seen"
