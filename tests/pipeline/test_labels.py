"""What the platform's moderation services say is in the record: who said what about what, from when, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from compliance import accounts
from connectors.registry import PLATFORMS
from pipeline.steps import look_at, mart_from, normalize_all
from samplecity.people import LABELER_DID

if TYPE_CHECKING:
    from pipeline.workspace import Workspace
    from samplecity.server import City
    from samplecity.world import Entry
    from warehouse.ledger import Capture

NAME = "city-hall"
LABELS = "queryLabels"


def looked(workspace: Workspace) -> list[Capture]:
    """Look at the account once; every look must complete."""
    with workspace.storage() as storage:
        try:
            return look_at(workspace, storage, accounts.get(workspace.engine, NAME))
        finally:
            normalize_all(workspace, storage)


def asked(workspace: Workspace, query: str) -> list[tuple[Any, ...]]:
    with workspace.storage() as storage:
        mart_from(workspace, storage)
    with duckdb.connect(str(workspace.settings.mart), read_only=True) as mart:
        return mart.execute(query).fetchall()


def told(workspace: Workspace) -> list[tuple[Any, ...]]:
    """What is known of labels: action, value, what became of it."""
    return asked(
        workspace,
        "SELECT action, reason, change FROM moderation_actions WHERE action IN ('label', 'takedown')"
        " ORDER BY record_id, version",
    )


def young(city: City, kind: str, number: int = 0) -> Entry:
    """A post of the City or somebody else's comment without answers."""
    world = city.desk.world
    owner = world.account(NAME).owner
    fitting = [
        one
        for one in world.entries.values()
        if one.account == NAME and one.kind == kind and world.shown(one.native_id) and not world.is_hidden(one)
        if kind == "post" or (one.author is not owner and not world.children.get(one.native_id))
    ]
    return sorted(fitting, key=lambda one: one.at, reverse=True)[number]


def test_a_label_says_who_what_and_from_when_until_when(workspace: Workspace, sample_city: City) -> None:
    post, comment = young(sample_city, "post"), young(sample_city, "comment")
    looked(workspace)
    given = workspace.clock()
    for entry in (post, comment):
        sample_city.act("label", id=entry.native_id, value="rude")
    looked(workspace)
    taken_back = workspace.clock()
    for entry in (post, comment):
        sample_city.act("unlabel", id=entry.native_id, value="rude")
    looked(workspace)
    columns = "subject_id, reason, actor_id, acted_at, began_after, began_before, ended_after, ended_before"
    rows = asked(workspace, f"SELECT {columns} FROM moderation_intervals WHERE action = 'label'")
    assert {row[:3] for row in rows} == {(entry.record_id, "rude", LABELER_DID) for entry in (post, comment)}
    for _, _, _, acted_at, began_after, began_before, ended_after, ended_before in rows:
        assert abs(acted_at - given).total_seconds() < 5
        assert began_after is None or began_after <= given
        assert given <= began_before <= ended_after <= taken_back <= ended_before
    bases = {row[0] for row in asked(workspace, "SELECT state_basis FROM moderation_actions WHERE change = 'deleted'")}
    assert all(basis.startswith("labeler:queryLabels: negated 20") for basis in bases)
    assert bases


def test_a_comment_taken_down_names_who_did_it_until_it_is_put_back(workspace: Workspace, sample_city: City) -> None:
    post, comment = young(sample_city, "post", 3), young(sample_city, "comment", 3)
    looked(workspace)
    for entry in (post, comment):
        sample_city.act("label", id=entry.native_id, value="!takedown")
    looked(workspace)
    for entry in (post, comment):
        sample_city.act("unlabel", id=entry.native_id, value="!takedown")
    looked(workspace)
    assert told(workspace) == [("takedown", "!takedown", "first_seen"), ("takedown", "!takedown", "deleted")] * 2
    lives = asked(workspace, f"SELECT change FROM versions WHERE record_id = '{comment.record_id}' ORDER BY version")
    assert lives == [("first_seen",), ("unavailable",), ("restored",)]
    causes = asked(workspace, "SELECT DISTINCT cause FROM deletions WHERE kind IN ('post', 'comment')")
    assert causes == [("removed_by_platform",)]


def test_many_labels_make_no_look_suspicious(workspace: Workspace, sample_city: City) -> None:
    labeled = [
        (young(sample_city, kind, number), value)
        for kind in ("post", "comment")
        for number in range(15)
        for value in ("rude", "spam")
    ]
    for entry, value in labeled:
        sample_city.act("label", id=entry.native_id, value=value)
    looked(workspace)
    looked(workspace)
    assert len(told(workspace)) == len(labeled)
    for entry, value in labeled:
        sample_city.act("unlabel", id=entry.native_id, value=value)
    assert {look.outcome for look in looked(workspace)} == {"complete"}
    assert sorted(change for _, _, change in told(workspace)) == sorted(["first_seen", "deleted"] * len(labeled))


def test_a_labeler_out_of_reach_leaves_its_labels_as_they_were_known(workspace: Workspace, sample_city: City) -> None:
    labeled = [young(sample_city, kind, number) for kind in ("post", "comment") for number in range(12)]
    for entry in labeled:
        sample_city.act("label", id=entry.native_id, value="rude")
    looked(workspace)
    before = told(workspace)
    for fault in ("server_error", "html", "cut_json"):
        sample_city.faults({"fault": fault, "path": LABELS, "times": 0})
        looks = {look.resource: look for look in looked(workspace)}
        assert looks["moderation"].outcome == "complete"
        assert looks["moderation"].skipped["labels_not_read"] > 0
    sample_city.faults()
    assert told(workspace) == before
    assert len(before) == len(labeled)


def test_a_look_with_labels_costs_what_the_plan_reckons_with(workspace: Workspace, sample_city: City) -> None:
    looked(workspace)
    sample_city.desk.requests.clear()
    looks = looked(workspace)
    threads = sum(1 for _, path, _ in sample_city.requests if "getPostThread" in path)
    labels = [path for _, path, _ in sample_city.requests if LABELS in path]
    assert threads
    assert len(labels) <= 2
    moderation = next(look for look in looks if look.resource == "moderation")
    assert moderation.pages <= PLATFORMS["bluesky"].cost.each
