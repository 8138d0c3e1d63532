"""What goes wrong becomes a finding, and who must know is told of it once."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from conftest import ROOT
from receivers import Hook, Mailbox, mail_server, webhook

from compliance import accounts, findings
from compliance.findings import condition, settle
from compliance.policy import load_accounts
from pipeline import watch
from pipeline.capture import CaptureFailed
from pipeline.planning import plans
from pipeline.steps import look_at, mart_from, normalize_all, to_capture
from pipeline.watch import NotTold
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.workspace import Storage
    from samplecity.server import City

DEAD = condition("credential_rejected", "library: dead {{ 1/0 }}\r\nBcc: x@evil.example", subject="library")
STALE = condition("mart_stale", "The mart is old", subject="mart")
HOUR = timedelta(hours=1)


def capture(workspace: Workspace, storage: Storage, *names: str) -> None:
    for account in to_capture(workspace, names):
        try:
            look_at(workspace, storage, account)
        except CaptureFailed:
            continue


def open_findings(workspace: Workspace) -> dict[tuple[str, str], str]:
    watch.detect(workspace)
    return {(one.code, one.subject): one.message for one in findings.listing(workspace.engine)}


def later(workspace: Workspace, by: timedelta) -> Workspace:
    moment = workspace.clock() + by
    return Workspace(workspace.settings, clock=lambda: moment)


def test_a_dead_token_is_a_finding_after_the_first_look_and_closes_with_the_first_that_succeeds(
    workspace: Workspace, sample_city: City
) -> None:
    with workspace.storage() as storage:
        sample_city.faults({"fault": "dead_credential", "path": "^/mastodon/", "times": 0})
        capture(workspace, storage, "transit")
        found = open_findings(workspace)
        assert "was answered with 401" in found["credential_rejected", "transit"]
        assert not [code for code, subject in found if (code, subject) == ("capture_overdue", "transit")]
        sample_city.faults()
        capture(workspace, storage, "transit")
        assert ("credential_rejected", "transit") not in open_findings(workspace)


def test_a_credential_that_is_not_set_is_a_finding(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONRECORD_CREDENTIAL_NEWS_PASSWORD")
    with workspace.storage() as storage:
        capture(workspace, storage, "news")
    found = open_findings(workspace)
    assert "set ONRECORD_CREDENTIAL_NEWS_PASSWORD" in found["credential_missing", "news"]


def test_a_plan_beyond_its_budget_is_a_finding_until_it_fits(workspace: Workspace) -> None:
    policy, revisit = workspace.policy, workspace.policy.revisit
    tight = tuple(msgspec.structs.replace(one, requests_per_hour=1) for one in revisit.budgets)
    workspace.policy = msgspec.structs.replace(policy, revisit=msgspec.structs.replace(revisit, budgets=tight))
    found = [subject for code, subject in open_findings(workspace) if code == "budget_exceeded"]
    assert found == sorted(plan.lane for plan in plans(workspace))
    workspace.policy = policy
    assert "budget_exceeded" not in [code for code, _ in open_findings(workspace)]


def test_a_renamed_account_is_a_finding_until_the_registry_has_its_handle(
    workspace: Workspace, sample_city: City, tmp_path: Path
) -> None:
    with workspace.storage() as storage:
        capture(workspace, storage, "parks")
        sample_city.act("rename", account="parks", handle="recreation.harborfalls.example")
        capture(workspace, storage, "parks")
        normalize_all(workspace, storage)
        mart_from(workspace, storage)
    said = open_findings(workspace)["account_renamed", "parks"]
    assert said == "parks: its platform calls it recreation.harborfalls.example, the registry parks.harborfalls.example"
    file = Path(shutil.copytree(ROOT / "policy", tmp_path / "policy")) / "accounts.yaml"
    file.write_text(file.read_text().replace("parks.harborfalls.example", "recreation.harborfalls.example"))
    accounts.load(workspace.engine, load_accounts(file), now=workspace.clock())
    assert ("account_renamed", "parks") not in open_findings(workspace)


def test_an_account_that_was_deactivated_is_a_grave_finding(workspace: Workspace, sample_city: City) -> None:
    with workspace.storage() as storage:
        capture(workspace, storage, "parks")
        sample_city.act("deactivate", platform="bluesky", person="parks")
        capture(workspace, storage, "parks")
        watch.detect(workspace)
    grave = [(one.code, one.severity) for one in findings.listing(workspace.engine) if one.subject == "parks"]
    assert grave == [("account_vanished", "critical")]


def test_captures_that_stop_are_a_finding_within_one_interval_and_its_tolerance(workspace: Workspace) -> None:
    with workspace.storage() as storage:
        capture(workspace, storage)
    policy = workspace.policy
    allowed = timedelta(minutes=policy.revisit.capture_every_minutes + policy.findings.overdue_minutes)

    def overdue(at: Workspace) -> set[str]:
        return {subject for code, subject in open_findings(at) if code == "capture_overdue"}

    assert overdue(workspace) == set()
    approved = {one.name for one in accounts.listing(workspace.engine, capturable_only=True)}
    assert overdue(later(workspace, allowed)) == approved - {"library"}, "the library's dead token is told by itself"


def test_answers_that_changed_are_found_from_evidence_lately_normalized(
    workspace: Workspace, sample_city: City, tmp_path: Path
) -> None:
    policy = Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))
    terms = (policy / "findings.yaml").read_text()
    (policy / "findings.yaml").write_text(
        terms.replace("learn_pages: 50", "learn_pages: 3").replace("confirm_pages: 3", "confirm_pages: 1")
    )
    learner = Workspace(msgspec.structs.replace(workspace.settings, policy=str(policy)))
    with learner.storage() as storage:
        for _ in range(4):
            capture(learner, storage, "public-works")
        normalize_all(learner, storage)
        assert watch.sample(learner, storage) > 0
        assert watch.sample(learner, storage) == 0, "nothing was normalized since"
        assert not [code for code, _ in open_findings(learner) if code == "platform_changed"]
        sample_city.faults({"fault": "unknown_fields", "path": "^/mastodon/", "times": 0})
        capture(learner, storage, "public-works")
        normalize_all(learner, storage)
        watch.sample(learner, storage)
    changed = {subject: said for (code, subject), said in open_findings(learner).items() if code == "platform_changed"}
    assert any(subject.startswith("mastodon ") for subject in changed)
    assert all("new: " in said for said in changed.values())


@pytest.fixture
def told(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Workspace, Mailbox, Hook]]:
    """The installation with a mail and a webhook channel, both enabled, and two findings open."""
    policy = Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))
    file = policy / "notifications.yaml"
    file.write_text(file.read_text().replace("enabled: false", "enabled: true"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    settle(workspace.engine, [DEAD, STALE], workspace.clock())
    with mail_server() as box, webhook() as hook:
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", box.connection)
        monkeypatch.setenv("ONRECORD_CREDENTIAL_DUTY_ADDRESS", hook.address)
        yield Workspace(msgspec.structs.replace(workspace.settings, policy=str(policy))), box, hook


def test_each_channel_is_told_once_what_is_grave_enough_for_it(told: tuple[Workspace, Mailbox, Hook]) -> None:
    workspace, box, hook = told
    assert watch.tell(workspace) == {"records-desk": 2, "duty": 1}
    assert watch.tell(workspace) == {"records-desk": 0, "duty": 0}
    (mail,) = box.mails
    assert box.to == [["records@harborfalls.example"]]
    assert mail["From"] == "onrecord@harborfalls.example"
    assert mail["Subject"] == "[Onrecord] error: credential_rejected library and 1 more"
    (part,) = (
        mail.walk()
        if not mail.is_multipart()
        else [one for one in mail.walk() if one.get_content_type() == "text/html"]
    )
    text = part.get_content()
    assert "library: dead {{ 1/0 }} Bcc: x@evil.example" in text, "what a platform said is text, not a template"
    assert "Renew the credential" in text
    assert hook.codes == [["credential_rejected"]]
    assert "webhook-signature" not in hook.posts[0][0]


def test_a_channel_that_fails_silences_no_other_and_is_tried_again(told: tuple[Workspace, Mailbox, Hook]) -> None:
    workspace, box, hook = told
    box.refuses = True
    with pytest.raises(NotTold, match=r"records-desk: .*Come again later") as caught:
        watch.tell(workspace)
    assert caught.value.told == {"records-desk": 0, "duty": 1}
    box.refuses, hook.status = False, 500
    assert watch.tell(workspace) == {"records-desk": 2, "duty": 0}
    assert (len(box.mails), len(hook.posts)) == (1, 1)


@pytest.mark.parametrize(("status", "leads_to"), [(500, ""), (302, "http://127.0.0.1:1/elsewhere")])
def test_a_webhook_that_does_not_take_it_is_named_without_its_address(
    told: tuple[Workspace, Mailbox, Hook], status: int, leads_to: str
) -> None:
    workspace, box, hook = told
    hook.status, hook.leads_to = status, leads_to
    with pytest.raises(NotTold, match=f"duty: it answered {status}") as caught:
        watch.tell(workspace)
    assert "hush" not in str(caught.value)
    assert len(box.mails) == 1
    assert len(hook.posts) == 1, "a redirect is not followed"


def test_a_webhook_nobody_answers_at_is_named_without_its_address(
    told: tuple[Workspace, Mailbox, Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _, _ = told
    for address in ("http://127.0.0.1:1/hush-hush", "nonsense hush"):
        monkeypatch.setenv("ONRECORD_CREDENTIAL_DUTY_ADDRESS", address)
        with pytest.raises(NotTold, match="duty: ") as caught:
            watch.tell(workspace)
        assert "hush" not in str(caught.value) + repr(caught.value.__cause__)


def test_what_a_channel_needs_and_has_not_is_named(
    told: tuple[Workspace, Mailbox, Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _, _ = told
    monkeypatch.delenv("ONRECORD_CREDENTIAL_DUTY_ADDRESS")
    monkeypatch.delenv("AIRFLOW_CONN_SMTP_DEFAULT")
    with pytest.raises(NotTold, match="ONRECORD_CREDENTIAL_DUTY_ADDRESS") as caught:
        watch.tell(workspace)
    assert "smtp_default" in caught.value.problems["records-desk"]


def test_a_webhook_with_a_secret_is_signed(
    told: tuple[Workspace, Mailbox, Hook], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _, hook = told
    monkeypatch.setenv("ONRECORD_CREDENTIAL_DUTY_SECRET", "hush-hush-secret")
    watch.tell(workspace)
    ((headers, body),) = hook.posts
    assert headers["webhook-signature"].startswith("v1,")
    assert b"hush" not in body
    assert datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=workspace.clock().tzinfo) <= workspace.clock()
