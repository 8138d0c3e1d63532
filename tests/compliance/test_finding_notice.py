from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

from compliance import finding_notice
from compliance.findings import Finding

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def finding(number: int = 1, **more: object) -> Finding:
    values = {
        "finding_id": f"f{number}", "code": "credential_rejected", "severity": "error", "account_id": "mastodon:x/1", "subject": "library",
        "key": "k", "message": "<script>alert(1)</script> {{ 7*7 }}", "advice": "Renew it", "detail": {}, "opened_at": NOW, "last_seen_at": NOW, "closed_at": None,
    }  # fmt: skip
    return Finding(**{**values, **more})  # type: ignore[arg-type]


def test_a_mail_escapes_what_a_platform_said_and_says_what_to_do() -> None:
    page = finding_notice.page([finding()])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "<b>What to do now:</b> Renew it" in page


def test_a_subject_is_one_line_that_names_the_gravest() -> None:
    made = finding_notice.subject([finding(subject="a\r\nBcc: x"), finding(2, severity="critical")])
    assert made == "[Onrecord] critical: credential_rejected a  Bcc: x and 1 more"


def test_the_webhook_is_signed_as_standard_webhooks_says() -> None:
    key = b"0123456789abcdef0123456789abcdef"
    body = finding_notice.payload([finding()], at=NOW)
    for secret, signed_with in ((f"whsec_{base64.b64encode(key).decode()}", key), ("plain words", b"plain words")):
        made = finding_notice.headers("duty", [finding()], body, secret=secret, at=NOW)
        signed = f"{made['webhook-id']}.{made['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(signed_with, signed, hashlib.sha256).digest()).decode()
        assert made["webhook-signature"] == f"v1,{expected}"
    assert made["webhook-timestamp"] == "1772366400"
    assert "webhook-signature" not in finding_notice.headers("duty", [finding()], body, secret=None, at=NOW)


def test_the_same_findings_have_the_same_message_id_whatever_their_order_and_time() -> None:
    def made(channel: str, *findings: Finding, at: datetime = NOW) -> str:
        return finding_notice.headers(channel, findings, b"", secret=None, at=at)["webhook-id"]

    assert made("duty", finding(1), finding(2)) == made("duty", finding(2), finding(1), at=NOW.replace(year=2027))
    assert len({made("duty", finding(1)), made("duty", finding(2)), made("desk", finding(1))}) == 3


def test_the_payload_holds_what_the_documentation_names() -> None:
    body = json.loads(finding_notice.payload([finding()], at=NOW))
    assert set(body) == {"type", "timestamp", "text", "data"}
    assert body["data"]["findings"] == [
        {
            "finding_id": "f1",
            "code": "credential_rejected",
            "severity": "error",
            "account_id": "mastodon:x/1",
            "subject": "library",
            "message": "<script>alert(1)</script> {{ 7*7 }}",
            "advice": "Renew it",
            "opened_at": "2026-03-01T12:00:00+00:00",
        }
    ]
