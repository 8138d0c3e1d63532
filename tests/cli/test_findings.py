"""``onrecord findings``, as a person or a watchdog runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import ROOT, ok, run
from receivers import webhook

from compliance import accounts, findings
from compliance.policy import load_policy
from pipeline.workspace import utc_now
from warehouse import ledger
from warehouse.database import open_database

if TYPE_CHECKING:
    from sqlalchemy import Engine

REJECTED = "statuses was answered with 401 'The access token is invalid [bold]'. Renew the credential"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def person(home: Path) -> dict[str, str]:
    """The environment of a person with an archive of their own, and an account whose token is dead."""
    engine = open_database(f"sqlite:///{home / 'onrecord.db'}")
    accounts.load(engine, load_policy(ROOT / "policy").accounts, now=utc_now())
    look(engine, "credential_rejected", REJECTED)
    engine.dispose()
    return {"ONRECORD_HOME": str(home), "ONRECORD_ROOT": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "140"}


def look(engine: Engine, outcome: str, message: str | None = None) -> None:
    now = utc_now()
    begun = ledger.begin_capture(
        engine,
        capture_id=f"{now:%Y%m%dT%H%M%S%f}",
        account_id="mastodon:social.harborfalls.example/109301842205417733",
        platform="mastodon",
        resource="posts",
        started_at=now,
        software="test",
    )
    ledger.end_capture(engine, begun.capture_id, ended_at=now, outcome=outcome, message=message)


def on_duty(folder: Path) -> dict[str, str]:
    """The settings of a City whose webhook is enabled."""
    policy = Path(shutil.copytree(ROOT / "policy", folder / "policy"))
    told = policy / "notifications.yaml"
    told.write_text(told.read_text().replace("name: duty, enabled: false", "name: duty, enabled: true"))
    return {"HOME": str(folder), "ONRECORD_POLICY": str(policy)}


def test_what_is_wrong_is_listed_with_what_to_do_until_it_is_mended(person: dict[str, str], home: Path) -> None:
    shown = " ".join(ok(person, "findings").replace("│", " ").split())
    assert "transit, posts: statuses was answered with 401 'The access token is invalid [bold]'" in shown
    assert "Renew the credential transit on the platform" in shown
    assert "Findings open when last looked for: 1, 1 of severity error or worse" in ok(person, "status")
    run(person, "findings", "--check").refused(7)
    engine = open_database(f"sqlite:///{home / 'onrecord.db'}")
    look(engine, "complete")
    engine.dispose()
    assert ok(person, "findings", "--check") == "No finding is open.\n"
    assert json.loads(ok(person, "findings", "--format", "json")) == []
    (closed,) = json.loads(ok(person, "findings", "--all", "--format", "json"))
    assert (closed["code"], closed["subject"], closed["notified_at"]) == ("credential_rejected", "transit", None)
    assert closed["closed_at"] > closed["opened_at"]


def test_channels_are_told_from_the_command_line(person: dict[str, str], tmp_path: Path) -> None:
    with webhook() as hook:
        env = {**person, **on_duty(tmp_path), "ONRECORD_CREDENTIAL_DUTY_ADDRESS": hook.address}
        assert "Told: duty 1" in run(env, "findings", "--notify").err
        assert "Told: duty 0" in run(env, "findings", "--notify").err
        assert hook.codes == [["credential_rejected"]]
        (one,) = json.loads(ok(env, "findings", "--format", "json"))
        assert one["notified_at"] is not None
    assert not (tmp_path / "airflow").exists(), "Airflow's library made no home of its own"


def test_a_channel_that_does_not_answer_ends_with_a_sentence(person: dict[str, str], tmp_path: Path) -> None:
    env = {**person, **on_duty(tmp_path)}
    run(env, "findings", "--notify").refused(
        4, "duty: credential duty is missing address", "ONRECORD_CREDENTIAL_DUTY_ADDRESS"
    )


def test_without_a_channel_nobody_is_told(person: dict[str, str]) -> None:
    assert "Told: nobody, no channel is enabled" in run(person, "findings", "--notify").err


def test_the_listing_of_open_findings_does_not_depend_on_who_asks(person: dict[str, str], home: Path) -> None:
    ok(person, "findings")
    ok(person, "findings")
    engine = open_database(f"sqlite:///{home / 'onrecord.db'}")
    assert len(findings.listing(engine, open_only=False)) == 1
    engine.dispose()
