"""Whatever happens between two looks, the archive's account of it is the city's: nothing lost, nothing invented, intervals that hold."""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from small_city import fresh_buckets

from compliance import accounts
from pipeline.capture import CaptureFailed
from pipeline.steps import look_at, mart_from, normalize_all
from pipeline.workspace import Workspace
from samplecity.server import City
from samplecity.world import WorldError
from settings import load
from transforms.quarantine import ITEM_NOT_JSON, PAGE_NOT_JSON

if TYPE_CHECKING:
    from datetime import datetime

    from samplecity.world import Entry
    from warehouse.endpoint import Endpoint

YOUNG = timedelta(days=390)
"""Within the window in which the policy looks again."""
ANY = st.integers(min_value=0, max_value=10_000)
TROUBLE = {
    "rate_limited": {"fault": "rate_limited", "retry_after": 900},
    "down": {"fault": "server_error", "times": 9},
    "cut": {"fault": "cut_json", "times": 9},
    "html": {"fault": "html", "times": 9},
    "nothing": {"fault": "nothing", "times": 2},
}
GARBLING = ("cut", "html")
LABELED = """
SELECT substr(subject_id, 9) || ' ' || reason, began_after, began_before, ended_after, ended_before
FROM moderation_intervals WHERE action IN ('label', 'takedown')
"""
CHANGED = """
SELECT change, record_id, seen_before, seen_after FROM versions
WHERE kind IN ('post', 'comment') AND change <> 'first_seen' AND seen_after > $after
UNION ALL
SELECT 'new', record_id, NULL, seen_after FROM versions
WHERE kind IN ('post', 'comment') AND change = 'first_seen' AND seen_after > $after
"""


class Lives(RuleBasedStateMachine):
    """One account's life, with a look now and then; some looks fail and are made up for."""

    name: str
    endpoint: Endpoint

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="onrecord-lives-"))
        self.city = City.start()
        buckets = fresh_buckets(self.endpoint, "lives")
        self.workspace = Workspace(
            load(
                {
                    **self.city.environment(),
                    "ONRECORD_HOME": str(self.folder),
                    "ONRECORD_S3_ENDPOINT": self.endpoint.url,
                    "ONRECORD_S3_ACCESS_KEY": self.endpoint.access_key,
                    "ONRECORD_S3_SECRET_KEY": self.endpoint.secret_key,
                    "ONRECORD_S3_EVIDENCE_BUCKET": buckets.evidence.name,
                    "ONRECORD_S3_TABLES_BUCKET": buckets.tables.name,
                    "ONRECORD_S3_LOCK_DAYS": "1",
                }
            )
        )
        accounts.load(self.workspace.engine, self.workspace.policy.accounts, now=self.workspace.clock())
        self.account = accounts.get(self.workspace.engine, self.name)
        self.numbers = count(1)
        self.acted: dict[str, list[datetime]] = defaultdict(list)
        self.ends: list[datetime] = []
        self.idle = False
        self.garbled = False
        self.moderated: set[str] = set()
        """Records whose version may change by the platform's word for their state alone, such as from held to spam."""
        self.look()

    # --- what happens ---

    @rule(text=st.text(min_size=1, max_size=40))
    def post(self, text: str) -> None:
        self.act("post", account=self.name, text=self.unlike(text))

    @rule(which=ANY, text=st.text(max_size=40))
    def comment(self, which: int, text: str) -> None:
        parent = self.one(which)
        if not self.cuts_off_what_is_below(parent) or all(map(self.city.desk.world.live, self.line_of(parent))):
            self.act("comment", parent=parent.native_id, text=self.unlike(text))

    @rule(which=ANY, text=st.text(max_size=40))
    def edit(self, which: int, text: str) -> None:
        self.act("edit", id=self.one(which).native_id, text=self.unlike(text))

    @rule(which=ANY)
    def delete(self, which: int) -> None:
        entry = self.one(which)
        if not self.hides_what_no_look_has_seen(entry):
            self.act("delete", id=entry.native_id)

    @rule(which=ANY)
    def restore(self, which: int) -> None:
        self.act("restore", id=self.one(which, gone=True).native_id)

    @rule(which=ANY, status=st.sampled_from(["hold", "spam", "trash"]))
    def hide(self, which: int, status: str) -> None:
        self.act("hide", id=self.one(which, kind="comment").native_id, status=status)

    @rule(which=ANY)
    def unhide(self, which: int) -> None:
        self.act("unhide", id=self.one(which, kind="comment").native_id)

    @rule(which=ANY, act=st.sampled_from(["deactivate", "reactivate"]))
    def come_and_go(self, which: int, act: str) -> None:
        author = self.one(which, kind="comment").author
        theirs = [one for one in self.entries() if one.author is author]
        has_account = author.platform != "wordpress"  # there, whoever comments has none to leave
        is_city = author is self.city.desk.world.account(self.name).owner
        if (
            has_account
            and not is_city
            and all(map(self.is_young, theirs))
            and not any(map(self.hides_what_no_look_has_seen, theirs))
        ):
            self.act(act, platform=author.platform, person=author.native_id)

    # --- and is looked at ---

    @precondition(lambda self: not self.idle)
    @rule(trouble=st.sampled_from([None, None, *TROUBLE]), where=st.integers(0, 6))
    def look(self, trouble: str | None = None, where: int = 0) -> None:
        if trouble:
            self.garbled |= trouble in GARBLING
            self.city.faults({**TROUBLE[trouble], "skip": where})
            with suppress(CaptureFailed):
                self.capture()
            self.city.faults()
        self.capture()
        self.city.advance(script=False)
        self.ends.append(self.workspace.clock())
        self.idle = True

    def capture(self) -> None:
        with self.workspace.storage() as storage:
            try:
                look_at(self.workspace, storage, self.account)
            finally:
                normalize_all(self.workspace, storage)

    def teardown(self) -> None:
        try:
            if not self.idle:
                self.look()
            with self.workspace.storage() as storage:
                mart_from(self.workspace, storage)
            self.compare()
        finally:
            self.city.stop()
            shutil.rmtree(self.folder)

    # --- what must hold ---

    def compare(self) -> None:
        truth = self.city.truth()["accounts"][self.name]
        with duckdb.connect(str(self.workspace.settings.mart), read_only=True) as mart:
            stands = dict(
                mart.execute("SELECT record_id, state FROM records WHERE kind IN ('post', 'comment')").fetchall()
            )
            last = str(len(self.ends))
            expected = {**truth["states"][last]["posts"], **truth["states"][last]["comments"]}
            for record in self.not_public():  # the City's own, which the archive holds as hidden from the public
                if expected.get(record) == "present":
                    expected[record] = "hidden"
            assert {record: state for record, state in stands.items() if record in expected} == expected
            strangers = {record: state for record, state in stands.items() if record not in expected}
            assert set(strangers.values()) <= {"deleted", "unavailable"}, strangers
            for moment in range(2, len(self.ends) + 1):
                self.compare_changes(mart, moment, truth["changes"][str(moment)])
            reasons = {reason for (reason,) in mart.execute("SELECT DISTINCT reason FROM quarantine").fetchall()}
            assert reasons <= ({ITEM_NOT_JSON, PAGE_NOT_JSON} if self.garbled else set())

    def compare_changes(self, mart: Any, moment: int, truth: dict[str, list[str]]) -> None:
        found: dict[str, set[str]] = defaultdict(set)
        after, until = self.ends[moment - 2], self.ends[moment - 1]
        for change, record, seen_before, seen_after in mart.execute(CHANGED, {"after": after}).fetchall():
            if seen_after > until:
                continue
            found[change].add(record)
            if change != "new":
                inside = [at for at in self.acted[record] if seen_before is None or seen_before <= at <= seen_after]
                assert inside, (change, record, seen_before, seen_after, self.acted[record])
        for change in ("new", "deleted", "unavailable", "restored", "hidden", "shown"):
            assert found[change] == set(truth[change]), (moment, change)
        also = found["hidden"] | found["shown"] | found["restored"]
        assert found["edited"] | also >= set(truth["edited"]), (moment, "edits lost")
        assert found["edited"] <= set(truth["edited"]) | also | self.moderated, (moment, "edits invented")

    # --- inside ---

    def act(self, act: str, **order: Any) -> None:
        before = self.workspace.clock()
        with suppress(WorldError):
            done = self.city.act(act, **order)
            self.idle = False
            if act in ("hide", "unhide"):
                self.moderated.add(done["record_id"])
            for record in [done["record_id"]] if "record_id" in done else [one.record_id for one in self.entries()]:
                self.acted[record].append(before)
            self.note_others(order, before)

    def note_others(self, order: dict[str, Any], at: datetime) -> None:
        """What happens to a post touches all that hangs below it."""
        for entry in self.entries():
            if order.get("id") in (entry.root, entry.parent):
                self.acted[entry.record_id].append(at)

    def cuts_off_what_is_below(self, entry: Entry) -> bool:
        """Whether answers stand in no thread any more when what they answer is gone: those no look has seen by then are seen by none."""
        return entry.author.platform == "mastodon"

    def hides_what_no_look_has_seen(self, entry: Entry) -> bool:
        young = [one for one in self.entries() if one.at > self.ends[-1] and one is not entry]
        return self.cuts_off_what_is_below(entry) and any(entry.native_id in self.line_of(one) for one in young)

    def line_of(self, entry: Entry) -> list[str]:
        """It, what it answers, what that answers, and so on."""
        line, above = [entry.native_id], entry.parent
        while above:
            line.append(above)
            above = self.city.desk.world.entries[above].parent
        return line

    def entries(self) -> list[Entry]:
        return [entry for entry in self.city.desk.world.entries.values() if entry.account == self.name]

    def one(self, which: int, *, kind: str | None = None, gone: bool = False) -> Entry:
        young = [one for one in self.entries() if self.is_young(one)]
        fitting = [one for one in young if kind in (None, one.kind) and (one.deleted_at is not None) is gone] or young
        return fitting[-1 - which % len(fitting)]

    def is_young(self, entry: Entry) -> bool:
        return self.workspace.clock() - entry.at < YOUNG

    def not_public(self) -> list[str]:
        return [one.record_id for one in self.entries() if one.status in ("private", "direct")]

    def unlike(self, text: str) -> str:
        """A text nobody wrote before: saying the same again is no edit."""
        printable = "".join(letter for letter in text if letter.isprintable() and letter not in "<>&[]")
        return f"{printable.strip()} No. {next(self.numbers)}".strip()


class LabeledLives(Lives):
    """The same where the platform's moderation labels what is written, and takes it down."""

    def __init__(self) -> None:
        self.said: dict[str, list[datetime]] = defaultdict(list)
        """Subject and value of a label -> when it was given or taken back."""
        super().__init__()

    @rule(which=ANY, act=st.sampled_from(["label", "label", "unlabel"]), value=st.sampled_from(["rude", "!takedown"]))
    def label(self, which: int, act: str, value: str) -> None:
        said = list(self.city.desk.world.labels.values())
        uri = said[which % len(said)].uri if act == "unlabel" and said else self.one(which).native_id
        self.said[f"{uri} {value}"].append(self.workspace.clock())
        self.act(act, id=uri, value=value)

    def compare(self) -> None:
        super().compare()
        world = self.city.desk.world
        in_force = {
            f"{label.uri} {label.value}"
            for label in world.labels.values()
            if label.in_force and world.entries[label.uri].account == self.name
        }
        with duckdb.connect(str(self.workspace.settings.mart), read_only=True) as mart:
            rows = mart.execute(LABELED).fetchall()
        held = set()
        for name, after, before, ended_after, ended_before in rows:
            assert [at for at in self.said[name] if (after is None or after <= at) and at <= before], name
            if ended_before is None:
                held.add(name)
            else:
                assert [at for at in self.said[name] if ended_after <= at <= ended_before], name
        assert held <= in_force
        assert {name for name in in_force if world.live(name.partition(" ")[0])} <= held


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["city-hall", "transit", "news"])
def test_random_lives_are_told_as_they_were(name: str, s3_endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for credential, fields in City.credentials().items():
        for field, value in fields.items():
            monkeypatch.setenv(f"ONRECORD_CREDENTIAL_{credential}_{field}".upper().replace("-", "_"), value)
    life = LabeledLives if name == "city-hall" else Lives
    machine = type(f"Lives of {name}", (life,), {"name": name, "endpoint": s3_endpoint})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=2,
            stateful_step_count=10,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],  # a life takes seconds: shorter ones are not worth looking for
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
