"""Watching: find what is wrong, settle the findings, tell who must know. Each step may be repeated at any time."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.workspace import Storage, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from compliance.findings import Condition, Finding, Settled
    from compliance.policy_findings import Mail, Severity, Webhook


class NotTold(Exception):
    """Channels did not take what they were told; it is tried again. ``told`` counts what others took, by channel."""

    exit_code = 4

    def __init__(self, problems: dict[str, str], told: dict[str, int]) -> None:
        said = "; ".join(f"{channel}: {problem}" for channel, problem in problems.items())
        super().__init__(f"findings not delivered, the next run tries again: {said} (policy/notifications.yaml)")
        self.problems = problems
        self.told = told


class Channel(NamedTuple):
    """Someone who is told: from which severity on, and how."""

    name: str
    minimum: Severity
    send: Callable[[Sequence[Finding]], None]


def detect(workspace: Workspace) -> Settled:
    """Settle what registry, ledger, mart and known shapes tell now."""
    from compliance import detection, shapes
    from compliance.findings import settle
    from compliance.mart_facts import read_facts
    from compliance.standing import standings

    now, policy = workspace.clock(), workspace.policy
    terms, every = policy.findings, timedelta(minutes=policy.revisit.capture_every_minutes)
    known = list(standings(workspace.engine))
    facts = read_facts(workspace.settings.mart, terms, now)
    found: list[Condition] = [
        *detection.of_ledger(known, terms, now, every=every),
        *detection.of_age(known, facts.built_at if facts else None, terms, now),
        *detection.of_budgets(over_budget(workspace)),
        *shapes.conditions(shapes.changes(workspace.engine, terms.shapes, now)),
    ]
    looked_for = detection.OF_LEDGER | shapes.CODES | {detection.STALE, detection.OVER_BUDGET}
    if facts is not None:
        found += detection.of_mart(known, facts, terms, now)
        looked_for |= detection.OF_MART
    return settle(workspace.engine, found, now, codes=looked_for)


def over_budget(workspace: Workspace) -> dict[str, tuple[float, float]]:
    """Lane -> requests a day that its plan needs and that its credential may spend, where the first are more."""
    from pipeline.planning import plans

    every = ((one.lane, one.plan) for one in plans(workspace))
    return {lane: (plan.looks + plan.again, plan.budget) for lane, plan in every if not plan.fits}


def sample(workspace: Workspace, storage: Storage) -> int:
    """Sample what platforms answered lately. Returns pages looked at."""
    from pipeline.shapes import sample as sample_evidence

    return sample_evidence(workspace.engine, storage.evidence, workspace.policy.findings.shapes, clock=workspace.clock)


def tell(workspace: Workspace) -> dict[str, int]:
    """Tell every channel of the findings it was not told of. Returns how many, by channel. Raises :class:`NotTold`."""
    from compliance import finding_deliveries

    quiet = timedelta(hours=workspace.policy.notifications.quiet_hours)
    told: dict[str, int] = {}
    problems: dict[str, str] = {}
    for name, minimum, send in channels(workspace):
        told[name] = 0
        while some := finding_deliveries.claim(
            workspace.engine, name, minimum=minimum, quiet=quiet, now=workspace.clock()
        ):
            try:
                send(some)
            except Exception as problem:  # noqa: BLE001 - one channel must not silence the others
                problems[name] = _said(problem)
                finding_deliveries.failed(workspace.engine, name, some, problem=problems[name])
                break
            finding_deliveries.delivered(workspace.engine, name, some, at=workspace.clock())
            told[name] += len(some)
    if problems:
        raise NotTold(problems, told)
    return told


def channels(workspace: Workspace) -> Iterator[Channel]:
    """The channels that are enabled."""
    policy = workspace.policy.notifications
    for mail in policy.mail:
        if mail.enabled:
            yield Channel(mail.name, mail.minimum, partial(_mail, workspace, mail))
    for hook in policy.webhooks:
        if hook.enabled:
            yield Channel(hook.name, hook.minimum, partial(_post, workspace, hook))


def detect_findings() -> dict[str, int]:
    """Settle the findings. Returns how many were opened, closed and still stand."""
    settled = detect(Workspace())
    return {"opened": settled.opened, "closed": settled.closed, "standing": settled.standing}


def sample_shapes() -> int:
    """Sample what platforms answered lately. Returns pages looked at."""
    workspace = Workspace()
    with workspace.storage() as storage:
        return sample(workspace, storage)


def tell_findings() -> dict[str, int]:
    """Tell who must know. Returns how many findings, by channel. Raises :class:`NotTold`."""
    return tell(Workspace())


def _mail(workspace: Workspace, mail: Mail, findings: Sequence[Finding]) -> None:
    from compliance import finding_notice
    from compliance.finding_deliveries import NotTaken

    _find_airflow(workspace)
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier
    from airflow.sdk.exceptions import AirflowException

    notifier = SmtpNotifier(
        to=list(mail.to),
        from_email=mail.sender,
        subject=finding_notice.subject(findings),
        html_content=finding_notice.page(findings),
        smtp_conn_id=mail.connection,
    )
    try:
        notifier.notify({})  # called itself it would render the text as a template, and what a platform said is in it
    except AirflowException as problem:
        msg = f"the Airflow connection {mail.connection} is not set, or cannot be used ({type(problem).__name__})"
        raise NotTaken(msg) from None  # its text may quote the connection


def _post(workspace: Workspace, hook: Webhook, findings: Sequence[Finding]) -> None:
    from compliance import credentials, finding_notice

    secret = credentials.find(hook.credential, ["address"])
    assert secret is not None  # noqa: S101 - find() raised otherwise
    _find_airflow(workspace)
    from pipeline.notifiers import WebhookNotifier

    now = workspace.clock()
    body = finding_notice.payload(findings, at=now)
    headers = finding_notice.headers(hook.name, findings, body, secret=secret.values.get("secret"), at=now)
    WebhookNotifier(secret.values["address"], body, headers).notify({})


def _find_airflow(workspace: Workspace) -> None:
    """On the command line, let Airflow's library use this installation's configuration instead of making a home of its own."""
    from pipeline.stack import AIRFLOW_PORT, EXECUTION_PORT, Addresses, environment

    if "AIRFLOW_HOME" not in os.environ:
        where = Addresses(f"http://127.0.0.1:{AIRFLOW_PORT}", f"http://127.0.0.1:{EXECUTION_PORT}", "")
        env = environment(Path(workspace.settings.policy).parent, workspace.home, where)
        os.environ.update({name: value for name, value in env.items() if name.startswith("AIRFLOW")})


def _said(problem: Exception) -> str:
    """What went wrong, without what may hold a secret."""
    from compliance.faults import ComplianceError

    return str(problem) if isinstance(problem, (ComplianceError, OSError)) else type(problem).__name__
