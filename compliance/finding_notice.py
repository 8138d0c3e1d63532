"""What people and systems are told of findings: a mail, and the JSON of a webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from html import escape
from typing import TYPE_CHECKING

from compliance.finding_codes import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from compliance.findings import Finding

EVENT = "onrecord.findings.opened"
_PREFIX = "whsec_"


def subject(findings: Sequence[Finding]) -> str:
    """One line: how many, how grave, and the first."""
    worst = max((one.severity for one in findings), key=SEVERITIES.index)
    first = f"{findings[0].code} {findings[0].subject}".replace("\n", " ").replace("\r", " ")
    more = f" and {len(findings) - 1} more" if len(findings) > 1 else ""
    return f"[Onrecord] {worst}: {first[:120]}{more}"


def page(findings: Sequence[Finding]) -> str:
    """The mail's HTML. Everything a platform may have said is escaped."""
    parts = [
        f"<h3>{escape(one.severity)}: {escape(one.code)} ({escape(one.subject)})</h3>"
        f"<p>{escape(one.message)}</p><p><b>What to do now:</b> {escape(one.advice)}</p>"
        f"<p><small>Open since {one.opened_at:%Y-%m-%d %H:%M} UTC</small></p>"
        for one in findings
    ]
    begin, end = "<p>Onrecord found what needs a person:</p>", "<p>All that is open: <code>onrecord findings</code></p>"
    return "\n".join([begin, *parts, end])


def payload(findings: Sequence[Finding], *, at: datetime) -> bytes:
    """The webhook's JSON, as ``docs/findings.md`` describes it."""
    body = {
        "type": EVENT,
        "timestamp": at.isoformat(),
        "text": "\n".join(f"{one.severity}: {one.message}. {one.advice}" for one in findings),
        "data": {
            "findings": [
                {
                    "finding_id": one.finding_id,
                    "code": one.code,
                    "severity": one.severity,
                    "account_id": one.account_id,
                    "subject": one.subject,
                    "message": one.message,
                    "advice": one.advice,
                    "opened_at": one.opened_at.isoformat(),
                }
                for one in findings
            ]
        },
    }
    return json.dumps(body, ensure_ascii=False).encode()


def headers(
    channel: str, findings: Sequence[Finding], body: bytes, *, secret: str | None, at: datetime
) -> dict[str, str]:
    """The webhook's headers. The id is the same when the same findings are told again, so that a receiver can drop doubles.

    With a secret the body is signed as Standard Webhooks says (https://www.standardwebhooks.com): HMAC-SHA256 over id, timestamp and body.
    """
    about = "\n".join([channel, *sorted(one.finding_id for one in findings)])
    message_id = f"msg_{hashlib.sha256(about.encode()).hexdigest()[:32]}"
    seconds = str(int(at.timestamp()))
    made = {"Content-Type": "application/json", "webhook-id": message_id, "webhook-timestamp": seconds}
    if secret:
        signed = hmac.new(_key(secret), f"{message_id}.{seconds}.".encode() + body, hashlib.sha256).digest()
        made["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
    return made


def _key(secret: str) -> bytes:
    """The key in a secret: base64 after ``whsec_``, else the text itself."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return secret.encode()
