"""What is missing on Mastodon is told apart by whether its author's account is still there."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from compliance import accounts
from connectors.contract import AccountRef, Connection, Page, Resource
from pipeline.absence import Absence
from pipeline.look import Seen
from pipeline.steps import look_at, mart_from, normalize_all, to_capture
from warehouse import evidence, inventory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.workspace import Storage, Workspace
    from samplecity.people import Person
    from samplecity.server import City
    from samplecity.world import Entry

NAME = "public-works"
WENT = "SELECT record_id, cause, state, state_basis FROM deletions WHERE platform = 'mastodon'"


@dataclass
class Office:
    """Looks at one account now and then."""

    workspace: Workspace
    storage: Storage
    city: City

    def look(self) -> None:
        look_at(self.workspace, self.storage, accounts.get(self.workspace.engine, NAME))
        normalize_all(self.workspace, self.storage)
        self.city.advance(script=False)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        mart_from(self.workspace, self.storage)
        with duckdb.connect(str(self.workspace.settings.mart), read_only=True) as mart:
            return mart.execute(sql).fetchall()

    def comments(self, author: Person | None = None) -> list[Entry]:
        """Live comments on the account's posts, by somebody, the newest first."""
        world = self.city.desk.world
        found = [one for one in world.entries.values() if one.account == NAME and one.kind == "comment"]
        return sorted(
            (one for one in found if world.live(one.native_id) and author in (None, one.author)),
            key=lambda one: one.at,
            reverse=True,
        )

    def commenters(self) -> list[Person]:
        """Those who commented lately, each once, the City left out."""
        owner = self.city.desk.world.account(NAME).owner
        return list({one.author.native_id: one.author for one in self.comments() if one.author is not owner}.values())


@pytest.fixture
def office(workspace: Workspace, sample_city: City) -> Iterator[Office]:
    with workspace.storage() as storage:
        made = Office(workspace, storage, sample_city)
        made.look()
        yield made


def test_a_deleted_reply_is_told_from_one_whose_author_left_and_one_whose_author_was_suspended(office: Office) -> None:
    left, suspended, deleting = office.commenters()[:3]
    theirs = {one.record_id for one in office.comments() if one.author in (left, suspended)}
    assert len({one.author.native_id for one in office.comments() if one.record_id in theirs}) == 2
    office.city.act("deactivate", platform="mastodon", person=left.native_id)
    office.city.act("suspend", person=suspended.native_id)
    office.city.act("delete", id=office.comments(deleting)[0].native_id)
    owner = office.city.desk.world.account(NAME).owner
    office.city.act("delete", id=office.comments(owner)[0].native_id)
    office.look()
    truth = office.city.truth()["accounts"][NAME]
    went = office.query(WENT)
    assert {record: cause for record, cause, _, _ in went} == truth["causes"]["2"]
    assert {record for record, _, state, _ in went if state == "deleted"} == set(truth["changes"]["2"]["deleted"])
    bases = {(cause, state, basis) for _, cause, state, basis in went}
    assert bases == {
        ("author_gone", "deleted", "author: 404"),
        ("author_suspended", "unavailable", "author: suspended"),
        ("unknown", "deleted", "confirm_status: 404"),
        ("removed_by_city", "deleted", "confirm_status: 404"),
    }
    assert office.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert office.query("SELECT count(*) FROM unreconciled WHERE what IN ('look', 'version')") == [(0,)]


def test_what_a_suspended_author_wrote_is_restored_when_the_account_is(office: Office) -> None:
    (person, *_) = office.commenters()
    theirs = {one.record_id for one in office.comments(person)}
    office.city.act("suspend", person=person.native_id)
    office.look()
    office.city.act("unsuspend", person=person.native_id)
    office.look()
    changed = office.query("SELECT record_id, change FROM versions WHERE version > 1 ORDER BY record_id, version")
    expected = set(office.city.truth()["accounts"][NAME]["changes"]["2"]["unavailable"])
    assert expected
    assert expected <= theirs
    assert changed == [(one, change) for one in sorted(expected) for change in ("unavailable", "restored")]


def test_only_authors_of_what_is_gone_are_asked_about_and_never_the_city(office: Office) -> None:
    (left, deleting, *_) = office.commenters()
    owner = office.city.desk.world.account(NAME).owner
    office.city.act("deactivate", platform="mastodon", person=left.native_id)
    for person in (deleting, owner):
        office.city.act("delete", id=office.comments(person)[0].native_id)
    for expected in ({left.number: 2, deleting.number: 1, owner.number: 1}, {owner.number: 1}):
        before = len(office.city.requests)
        office.look()
        paths = [path for _, path, _ in list(office.city.requests)[before:]]
        asked = Counter(path.rpartition("/")[2] for path in paths if re.search("/accounts/[0-9]+$", path))
        assert asked == expected, "the City's own by the look at the profile"


def test_the_profile_of_a_commenter_who_is_there_is_in_no_evidence(office: Office) -> None:
    (deleting, *_) = office.commenters()
    office.city.act("delete", id=office.comments(deleting)[0].native_id)
    office.look()
    own = f"/api/v1/accounts/{office.city.desk.world.account(NAME).owner.number}"
    objects = inventory.objects(office.workspace.engine)
    urls = [page.url for one in objects for page in evidence.read(office.storage.evidence, one.key, one.sha256)]
    assert {url for url in urls if "/accounts/" in url and own not in url} == set()


def test_causes_are_the_citys_own_account_of_every_platform(workspace: Workspace, sample_city: City) -> None:
    names = ("city-hall", "transit", "news")
    with workspace.storage() as storage:
        for _ in range(2):
            for account in to_capture(workspace, names):
                look_at(workspace, storage, account)
            normalize_all(workspace, storage)
            sample_city.advance()
        mart_from(workspace, storage)
    truth = sample_city.truth()["accounts"]
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        found = dict(mart.execute("SELECT record_id, cause FROM deletions").fetchall())
    expected = {record: cause for name in names for record, cause in truth[name]["causes"]["1"].items()}
    assert found == expected


def test_the_record_itself_is_read_where_its_author_is_the_city_or_not_known(tmp_path: Path) -> None:
    asked: list[object] = []

    def authors(_connection: Connection, missing: Mapping[str, Sequence[str]]) -> Iterator[Page]:
        asked.append(list(missing.items()))
        return iter(())

    def confirm(_connection: Connection, native_ids: Sequence[str]) -> Iterator[Page]:
        asked.append(native_ids)
        return iter(())

    wrote = {"host/1": ["host/own"], "host/2": ["host/a"], "host/3": ["host/b", "host/c"]}
    resource = Resource("comments", lambda _connection, _look: iter(()), confirm=confirm, authors=authors)
    connection = Connection(
        AccountRef("mastodon", "host/1", "city", "host"), print, lambda: datetime.now(UTC), lambda _seconds: None
    )
    seen = Seen(tmp_path / "seen", {"host/a"}, 1000)
    apart = {"host/own", "host/b", "host/c", "host/unknown"}
    absence = Absence(resource, connection, seen, apart, lambda: None, lambda ids: wrote if ids else {})
    assert list(absence.confirmed()) == []
    assert asked == [
        [("host/3", ["host/b", "host/c"]), ("host/2", ["host/a"])],
        ["host/own", "host/unknown"],
    ]
