"""On schedule, young records are looked at often, old ones seldom, busy threads each time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from compliance import accounts
from connectors.mastodon import platform as mastodon
from pipeline import planning
from pipeline.steps import look_at, normalize_all
from pipeline.workspace import Workspace
from samplecity.server import City

if TYPE_CHECKING:
    from pipeline.workspace import Storage
    from samplecity.world import Entry

NAME = "public-works"


class Office:
    """The Social Media Officer's day, at any hour of it."""

    def __init__(self, workspace: Workspace, storage: Storage, city: City) -> None:
        self.workspace, self.storage, self.city = workspace, storage, city

    def look(self, *, hours: float, due_only: bool = True) -> int:
        """Look as the schedule does (or at all), so many hours from now; returns how many requests it took."""
        asked = len(self.city.requests)
        later = Workspace(self.workspace.settings, clock=lambda: self.workspace.clock() + timedelta(hours=hours))
        look_at(later, self.storage, accounts.get(later.engine, NAME), due_only=due_only)
        normalize_all(later, self.storage)
        return len(self.city.requests) - asked

    def versions(self, entry: Entry) -> list[str]:
        """What the archive holds of its changes."""
        kind = "posts" if entry.kind == "post" else "comments"
        rows = self.storage.archive.scan(kind, ["version", "change"], f"record_id = '{entry.record_id}'")
        return [str(row["change"]) for row in sorted(rows.to_pylist(), key=lambda row: int(row["version"]))]

    def post(self, *, older_than_days: int) -> Entry:
        """The youngest of the account's posts older than this."""
        born: datetime = self.workspace.clock() - timedelta(days=older_than_days)
        mine = [one for one in self.city.desk.world.entries.values() if one.account == NAME and one.kind == "post"]
        return max((one for one in mine if one.at < born and not one.boosts), key=lambda one: one.at)


@pytest.fixture
def office(workspace: Workspace, sample_city: City, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(mastodon, "PER_PAGE", 3)  # what a page brings along besides the new is little
    with workspace.storage() as storage:
        made = Office(workspace, storage, sample_city)
        made.look(hours=0)
        yield made


def test_an_old_post_is_looked_at_when_its_step_is_due_and_not_before(office: Office) -> None:
    post = office.post(older_than_days=20)
    assert office.workspace.clock() - post.at < timedelta(days=120)
    office.city.act("edit", id=post.native_id, text="Corrected.")
    soon = office.look(hours=0.3)
    assert office.versions(post) == ["first_seen"]
    late = office.look(hours=72.5)
    assert office.versions(post) == ["first_seen", "edited"]
    assert late > soon


def test_what_is_new_is_found_by_every_look(office: Office) -> None:
    made = office.city.act("post", account=NAME, text="Road closed at noon.")
    office.look(hours=0.3)
    assert office.versions(office.city.desk.world.entry(made["id"])) == ["first_seen"]


def test_a_busy_thread_is_looked_at_however_old_its_post(office: Office) -> None:
    post, quiet = office.post(older_than_days=20), office.post(older_than_days=60)
    assert post != quiet
    busy = [office.city.act("comment", parent=post.native_id, text=f"Still broken, day {day}") for day in range(6)]
    office.look(hours=0.2, due_only=False)
    assert office.versions(office.city.desk.world.entry(busy[0]["id"])) == ["first_seen"]
    last = [office.city.act("comment", parent=one.native_id, text="And today?") for one in (post, quiet)]
    office.look(hours=0.4)
    found = [office.versions(office.city.desk.world.entry(one["id"])) for one in last]
    assert found == [["first_seen"], []]


def test_the_plan_counts_what_there_is_to_look_at_and_fits_the_sample_budget(office: Office) -> None:
    plans = {one.lane: one for one in planning.plans(office.workspace)}
    mine = plans["mastodon_public"]
    assert mine.posts > 0
    assert mine.plan.fits
    assert planning.stretch_of(office.workspace, mine.lane) == 1
