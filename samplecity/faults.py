"""Faults on order: rules are tried from first to last, and the first that matches and is not used up decides the answer.

A rule is a JSON object::

    {"fault": "rate_limited", "path": "/statuses", "skip": 2, "times": 1, "retry_after": 3}

``path``: a regular expression searched in path and query (prefix included). ``skip``: so many matching requests pass
first. ``times``: how often it fires; 0: for ever. What else a fault takes is said beside its name in ``FAULTS``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from samplecity.messages import Request, Response, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAULTS = {
    "rate_limited": "429; retry_after: seconds (default: no header); as_date: true gives the header as an HTTP date",
    "server_error": "500, or status",
    "truncated": "the length is announced, half of the body comes, the connection closes",
    "cut_json": "half of the body, with a length that agrees",
    "html": "a web page with status 200, or status",
    "hang": "no answer for seconds (default 30), then the connection closes",
    "slow": "the answer, after seconds (default 1)",
    "reset": "the connection closes without an answer",
    "empty_page": "a page without items whose token leads on to what was left out (WordPress: it is left out)",
    "nothing": "an empty listing that says it is complete",
    "lost_items": "every item of the page is left out, the token stays",
    "not_there": "what is asked for directly is said not to exist",
    "repeated_token": "the page's token leads to the page itself again",
    "expired_cursor": "a token is refused; requests without one do not match",
    "dead_credential": "the credential is refused",
    "missing_scope": "the credential lives but may not do this",
    "unknown_fields": "every object has a field nobody knows",
    "act": "do the act in ``act`` (see control.py) first, then answer",
}
PLATFORMS = ("bluesky", "mastodon", "library", "wordpress")


class FaultError(ValueError):
    """A rule that cannot be understood; the message says why."""


@dataclass(slots=True)
class Rule:
    """One order. ``fired`` counts."""

    fault: str
    path: re.Pattern[str]
    skip: int = 0
    times: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    fired: int = 0

    def matches(self, request: Request) -> bool:
        """Whether it applies now; counts the requests that it lets pass."""
        if not self.path.search(request.target) or (self.times and self.fired >= self.times):
            return False
        if self.fault == "expired_cursor" and not token_of(request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.fired += 1
        return True


def rule(order: Mapping[str, Any]) -> Rule:
    """A rule from its JSON object. Raises :class:`FaultError`."""
    options = dict(order)
    fault = str(options.pop("fault", ""))
    if fault not in FAULTS:
        msg = f"there is no fault {fault!r}; there are {', '.join(FAULTS)}"
        raise FaultError(msg)
    try:
        pattern = re.compile(str(options.pop("path", "")))
        skip, times = int(options.pop("skip", 0)), int(options.pop("times", 1))
    except (re.error, ValueError, TypeError) as problem:
        msg = f"fault {fault}: {problem}"
        raise FaultError(msg) from None
    return Rule(fault, pattern, skip, times, options)


def token_of(request: Request) -> str:
    """The paging token of a request, empty on a first page."""
    by_number = (request.one(name) for name in ("offset", "page"))
    return (
        request.one("cursor")
        or request.one("max_id")
        or next((text for text in by_number if text not in ("", "0", "1")), "")
    )


def platform_of(request: Request) -> str:
    """Which platform is asked."""
    return next((name for name in PLATFORMS if request.target.startswith(f"/{name}")), "")


def asked_again(rule: Rule, request: Request) -> Request:
    """WordPress numbers its pages, so a repeated token is a first page again, whatever was asked."""
    if rule.fault != "repeated_token" or platform_of(request) != "wordpress":
        return request
    return replace(
        request, query={name: held for name, held in request.query.items() if name not in ("page", "offset")}
    )


def replaced(rule: Rule, request: Request) -> Response | None:
    """The answer of a fault that does not look at the real one; ``None`` for the others."""
    platform = platform_of(request)
    if rule.fault == "rate_limited":
        return _rate_limited(rule, platform)
    if rule.fault == "server_error":
        return _server_error(platform, int(rule.options.get("status", 500)))
    if rule.fault == "html":
        page = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body><h1>Back soon</h1></body></html>\n"
        return Response(int(rule.options.get("status", 200)), (("Content-Type", "text/html; charset=utf-8"),), page)
    bodies = {"expired_cursor": _EXPIRED, "dead_credential": _DEAD, "missing_scope": _NARROW, "not_there": _ABSENT}.get(
        rule.fault
    )
    if bodies is None:
        return None
    status, value = bodies.get(platform) or bodies["bluesky"]
    return as_json(value, status)


def altered(rule: Rule, request: Request, real: Response) -> Response:
    """The real answer with its fault. Answers that are no JSON stay as they are."""
    change = _ALTERATIONS.get(rule.fault)
    if change is None or not real.header("content-type").startswith("application/json"):
        return real
    return change(rule, request, real)


def _rate_limited(rule: Rule, platform: str) -> Response:
    seconds = rule.options.get("retry_after")
    headers = []
    if seconds is not None:
        at = format_datetime(datetime.now(UTC) + timedelta(seconds=float(seconds)), usegmt=True)
        headers = [("Retry-After", at if rule.options.get("as_date") else str(seconds))]
    bodies: dict[str, Any] = {
        "bluesky": {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"},
        "wordpress": {"code": "too_many_requests", "message": "Too many requests.", "data": {"status": 429}},
    }
    return as_json(bodies.get(platform, {"error": "Too many requests"}), 429, headers)


def _server_error(platform: str, status: int) -> Response:
    if platform == "wordpress":
        message = "<p>There has been a critical error on this website.</p>"
        value = {"code": "internal_server_error", "message": message, "data": {"status": status}}
        return as_json(value, status)
    if platform == "bluesky":
        return as_json({"error": "InternalServerError", "message": "Internal Server Error"}, status)
    return Response(
        status, (("Content-Type", "text/html; charset=utf-8"),), b"<html><body><h1>We're sorry</h1></body></html>"
    )


def _cut(rule: Rule, request: Request, real: Response) -> Response:
    del rule, request
    return real.with_body(real.body[: len(real.body) // 2])


def _empty_page(rule: Rule, request: Request, real: Response) -> Response:
    value = json.loads(real.body)
    token = token_of(request)
    if isinstance(value, dict):
        cleared = {key: [] if isinstance(held, list) else held for key, held in value.items()}
        cleared["cursor"] = f"{token.partition('~')[0]}~{rule.fired}" if token else "~1"
        return as_json(cleared, real.status, real.headers[1:])
    headers = real.headers
    if platform_of(request) in ("mastodon", "library") and value:
        headers = _relinked(headers, "max_id", str(int(value[0]["id"]) + 1))
    return Response(real.status, headers, b"[]")


def _nothing(rule: Rule, request: Request, real: Response) -> Response:
    del rule, request
    value = json.loads(real.body)
    if not isinstance(value, dict):
        return Response(real.status, tuple(one for one in real.headers if one[0] != "Link"), b"[]")
    cleared = {key: [] if isinstance(held, list) else held for key, held in value.items() if key != "cursor"}
    return as_json(cleared, real.status, real.headers[1:])


def _lost_items(rule: Rule, request: Request, real: Response) -> Response:
    del rule, request
    value = json.loads(real.body)
    if not isinstance(value, dict):
        return Response(real.status, real.headers, b"[]")
    cleared = {key: [] if isinstance(held, list) else held for key, held in value.items()}
    return as_json(cleared, real.status, real.headers[1:])


def _repeated_token(rule: Rule, request: Request, real: Response) -> Response:
    del rule
    token = token_of(request)
    value = json.loads(real.body)
    if isinstance(value, dict) and token:
        return as_json({**value, "cursor": token}, real.status, real.headers[1:])
    return Response(real.status, _relinked(real.headers, "max_id", token), real.body) if token else real


def _relinked(headers: tuple[tuple[str, str], ...], name: str, token: str) -> tuple[tuple[str, str], ...]:
    pattern = re.compile(rf'([?&]{name}=)[^&>]+(>; rel="next")')
    return tuple((key, pattern.sub(rf"\g<1>{token}\g<2>", held) if key == "Link" else held) for key, held in headers)


def _unknown_fields(rule: Rule, request: Request, real: Response) -> Response:
    del rule, request

    def widen(value: Any) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(value, dict):
            return {**{key: widen(held) for key, held in value.items()}, "x_new": {"since": "2027"}}
        return [widen(held) for held in value] if isinstance(value, list) else value

    return as_json(widen(json.loads(real.body)), real.status, real.headers[1:])


_ALTERATIONS: dict[str, Callable[[Rule, Request, Response], Response]] = {
    "cut_json": _cut,
    "empty_page": _empty_page,
    "nothing": _nothing,
    "lost_items": _lost_items,
    "repeated_token": _repeated_token,
    "unknown_fields": _unknown_fields,
}
_LATE_PAGE = "The page number requested is larger than the number of pages available."
_EXPIRED: dict[str, tuple[int, Any]] = {
    "bluesky": (400, {"error": "InvalidRequest", "message": "Malformed cursor"}),
    "mastodon": (404, {"error": "Record not found"}),
    "wordpress": (400, {"code": "rest_post_invalid_page_number", "message": _LATE_PAGE, "data": {"status": 400}}),
}
_ABSENT: dict[str, tuple[int, Any]] = {
    "bluesky": (400, {"error": "RecordNotFound", "message": "Could not locate record"}),
    "mastodon": (404, {"error": "Record not found"}),
    "library": (404, {"error": "Record not found"}),
    "wordpress": (404, {"code": "rest_post_invalid_id", "message": "Invalid post ID.", "data": {"status": 404}}),
}
_WRONG_PASSWORD = "The provided password is an invalid application password."  # noqa: S105 - a message
_DEAD: dict[str, tuple[int, Any]] = {
    "bluesky": (400, {"error": "ExpiredToken", "message": "Token has expired"}),
    "mastodon": (401, {"error": "The access token is invalid"}),
    "library": (401, {"error": "The access token is invalid"}),
    "wordpress": (401, {"code": "incorrect_password", "message": _WRONG_PASSWORD, "data": {"status": 401}}),
}
_FORBIDDEN = "Sorry, you are not allowed to do that."
_NARROW: dict[str, tuple[int, Any]] = {
    "bluesky": (403, {"error": "Forbidden", "message": "Bad token scope"}),
    "mastodon": (403, {"error": "This action is outside the authorized scopes"}),
    "library": (403, {"error": "This action is outside the authorized scopes"}),
    "wordpress": (403, {"code": "rest_forbidden", "message": _FORBIDDEN, "data": {"status": 403}}),
}
