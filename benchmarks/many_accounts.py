"""A small server with many quiet accounts, all on one Mastodon: what a State's cities together look like on most days.

    .venv/bin/python benchmarks/many_accounts.py 1000

prints its address. Every account has twenty statuses, four of them with two answers each; nothing ever happens.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOST = "social.example.gov"
STATUSES, ANSWERED, ANSWERS = 20, 5, 2
LAST = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
_ROUTES = re.compile(r"/api/v1/(accounts|statuses)/(\d+)(/statuses|/context)?$")


def account(number: int) -> dict[str, Any]:
    """An account as Mastodon tells it."""
    return {
        "id": str(number),
        "username": f"city{number}",
        "acct": f"city{number}",
        "display_name": f"City {number}",
        "note": "<p>The City.</p>",
        "url": f"https://{HOST}/@city{number}",
        "avatar": f"https://{HOST}/avatars/{number}.png",
        "statuses_count": STATUSES,
        "fields": [],
        "created_at": "2019-01-01T00:00:00.000Z",
    }


def status(number: int, place: int, answer: int = 0) -> dict[str, Any]:
    """The account's status at a place (1: the newest), or an answer to it."""
    top = str((number * 1000 + STATUSES - place) * 10)
    at = LAST - timedelta(hours=6 * place) + timedelta(minutes=answer)
    replies = ANSWERS if place % ANSWERED == 0 and not answer else 0
    return {
        "id": str(int(top) + answer),
        "created_at": at.isoformat().replace("+00:00", ".000Z"),
        "edited_at": None,
        "in_reply_to_id": top if answer else None,
        "in_reply_to_account_id": str(number) if answer else None,
        "visibility": "public",
        "language": "en",
        "uri": f"https://{HOST}/{top}/{answer}",
        "url": f"https://{HOST}/@city{number}/{top}",
        "content": f"<p>Notice {place} of city {number}, answer {answer}: the office is open from nine to five.</p>",
        "replies_count": replies,
        "reblogs_count": 1,
        "favourites_count": 3,
        "account": account(900_000 + answer if answer else number),
        "media_attachments": [],
        "mentions": [],
        "tags": [],
        "reblog": None,
    }


class _Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece, as a real server sends them

    def do_GET(self) -> None:
        """Answer."""
        asked = urlsplit(self.path)
        found = _ROUTES.search(asked.path)
        body = json.dumps(_answer(found, parse_qs(asked.query)) if found else {"error": "Record not found"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def _answer(found: re.Match[str], query: dict[str, list[str]]) -> Any:  # noqa: ANN401 - JSON
    what, number, part = found[1], int(found[2]), found[3]
    if what == "accounts":
        if part is None:
            return account(number)
        return [] if "max_id" in query else [status(number, place) for place in range(1, STATUSES + 1)]
    owner, place = number // 10_000, STATUSES - number // 10 % 1000
    if part is None:
        return status(owner, place, number % 10)
    answers = [status(owner, place, answer) for answer in range(1, ANSWERS + 1)] if place % ANSWERED == 0 else []
    return {"ancestors": [], "descendants": answers}


def main() -> None:
    """Serve until stopped."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Front)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
