"""``onrecord audit coverage`` over what the demo captured."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from commands import ok, run

if TYPE_CHECKING:
    from demo_fixtures import Demo


def test_each_account_has_its_days_and_below_them_the_estimate(demo: Demo) -> None:
    said = ok(demo.environment, "audit", "coverage")
    for words in ("city-hall", "recovered", "complete", "missing (everything)", "partial", "not_covered", "8 of 8"):
        assert words in said
    assert "cannot be estimated" in said
    assert "Traceback" not in said


def test_days_gaps_items_and_losses_come_as_csv_and_json(demo: Demo) -> None:
    days = list(csv.DictReader(io.StringIO(ok(demo.environment, "audit", "coverage", "--format", "csv"))))
    assert {day["coverage"] for day in days} == {"complete", "recovered", "partial", "missing"}
    first = json.loads(ok(demo.environment, "audit", "coverage", "--account", "library", "--format", "json"))
    assert {day["coverage"] for day in first} == {"missing"}
    gaps = json.loads(ok(demo.environment, "audit", "coverage", "--show", "gaps", "--format", "json"))
    assert {(gap["account"], gap["cause"]) for gap in gaps} >= {("library", "credential_rejected")}
    assert any(gap["unrecoverable"] for gap in gaps)
    assert json.loads(ok(demo.environment, "audit", "coverage", "--show", "items", "--format", "json")) == []
    losses = json.loads(ok(demo.environment, "audit", "coverage", "--show", "loss", "--format", "json"))
    assert losses
    assert {one["unseen"] for one in losses} == {None}


def test_only_the_days_asked_for_are_shown(demo: Demo) -> None:
    asked = ("audit", "coverage", "--account", "parks", "--from", "2025-01-01", "--to", "2025-12-31", "--format", "csv")
    days = [day["day"] for day in csv.DictReader(io.StringIO(ok(demo.environment, *asked)))]
    assert days
    assert min(days) >= "2025-01-01"
    assert max(days) <= "2025-12-31"


def test_every_capture_of_the_demo_reconciles(demo: Demo) -> None:
    assert demo.sql("SELECT capture_id FROM capture_ledger WHERE unaccounted <> 0") == []
    parts = "new + changed + unchanged + gone + absent + quarantined + skipped_items"
    assert demo.sql(f"SELECT count(*) > 50 AND bool_and(seen = {parts}) FROM capture_ledger") == ["true"]


def test_one_capture_is_counted_again_from_its_evidence(demo: Demo) -> None:
    (capture,) = demo.sql("SELECT capture_id FROM capture_ledger WHERE changed > 0 AND resource = 'posts' LIMIT 1")
    said = ok(demo.environment, "audit", "coverage", "--capture", capture)
    assert "Lacking in the tables: 0." in said
    run(demo.environment, "audit", "coverage", "--capture", "none").refused(5, "no capture none")


def test_an_account_nobody_knows_is_refused_with_advice(demo: Demo) -> None:
    run(demo.environment, "audit", "coverage", "--account", "nobody").refused(2, "nobody", "onrecord accounts list")
