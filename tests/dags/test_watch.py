"""The DAG that watches: it finds, and Airflow's notifiers tell who must know, once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conftest import ROOT
from receivers import mail_server, webhook

from compliance import accounts, findings
from compliance.policy import load_policy
from pipeline.workspace import utc_now
from warehouse import ledger
from warehouse.database import open_database

if TYPE_CHECKING:
    from sqlalchemy import Engine

TRANSIT = "mastodon:social.harborfalls.example/109301842205417733"


def a_dead_token(engine: Engine) -> None:
    now = utc_now()
    accounts.load(engine, load_policy(ROOT / "policy").accounts, now=now)
    begun = ledger.begin_capture(
        engine,
        capture_id="one",
        account_id=TRANSIT,
        platform="mastodon",
        resource="posts",
        started_at=now,
        software="test",
    )
    ledger.end_capture(
        engine, begun.capture_id, ended_at=now, outcome="credential_rejected", message="answered with 401"
    )


def run(env: dict[str, str]) -> dict[str, str]:
    """One run of the DAG: task -> how it ended."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests/dags/watch_once.py"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_dead_token_is_told_by_mail_and_webhook_once(
    airflow_environment: dict[str, str], installation: dict[str, str], tmp_path: Path
) -> None:
    home = Path(installation["ONRECORD_HOME"])
    engine = open_database(f"sqlite:///{home / 'onrecord.db'}")
    a_dead_token(engine)
    policy = Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))
    file = policy / "notifications.yaml"
    file.write_text(file.read_text().replace("enabled: false", "enabled: true"))
    with mail_server() as box, webhook() as hook:
        env = {
            **os.environ,
            **airflow_environment,
            **installation,
            "ONRECORD_POLICY": str(policy),
            "AIRFLOW_CONN_SMTP_DEFAULT": box.connection,
            "ONRECORD_CREDENTIAL_DUTY_ADDRESS": hook.address,
        }
        for _ in range(2):
            assert run(env) == {"run": "success", "shapes": "success", "detect": "success", "tell": "success"}
    assert [mail["Subject"] for mail in box.mails] == ["[Onrecord] error: credential_rejected transit"]
    assert hook.codes == [["credential_rejected"]]
    assert [(one.code, one.subject) for one in findings.listing(engine)] == [("credential_rejected", "transit")]
    engine.dispose()
