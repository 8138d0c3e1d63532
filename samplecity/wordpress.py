"""The news site of the sample city: WordPress's REST API (wp/v2) as version 6.8 answers.

As the real one: pages by number with ``X-WP-Total``; a page past the end of the posts is an error, of the comments an empty list;
dates in the site's own zone beside ``*_gmt``; held, spam and trashed comments and raw texts only with a password.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from samplecity.articles import ZONE, Articles, Json
from samplecity.messages import Request, Response, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from samplecity.world import Entry, World

CONTENT_TYPE = "application/json; charset=UTF-8"
LARGEST_PAGE = 100
DEFAULT_PAGE = 10
USER = "archive"
PASSWORD = "quay sail 7Tug Buoy 3Oar Mast"  # noqa: S105 - invented; spaces as WordPress shows them
ARCHIVIST = 9
CAPABILITIES = ("read", "edit_posts", "edit_others_posts", "edit_published_posts", "moderate_comments")
BEGINNING = datetime(2017, 1, 9, 15, tzinfo=UTC)


class RestError(Exception):
    """An error answer: code, message, status and details."""

    def __init__(self, *, code: str, message: str, status: int, **data: object) -> None:
        super().__init__(message)
        self.code = code
        self.data = {"status": status, **data}
        self.status = status


class Site:
    """One WordPress site."""

    def __init__(self, world: World, host: str) -> None:
        self.world = world
        self.host = host
        self.articles = Articles(world, host)
        self.password_valid = True
        self.home = f"https://{host}"
        self.routes: list[tuple[re.Pattern[str], Callable[..., Any]]] = [
            (re.compile(r""), self.index),
            (re.compile(r"/wp/v2/posts"), self.posts),
            (re.compile(r"/wp/v2/posts/(\d+)"), self.post),
            (re.compile(r"/wp/v2/pages"), self.pages),
            (re.compile(r"/wp/v2/comments"), self.comments),
            (re.compile(r"/wp/v2/comments/(\d+)"), self.comment),
            (re.compile(r"/wp/v2/users/me"), self.myself),
        ]

    def answer(self, request: Request) -> Response:
        """Answer as the site would."""
        try:
            with self.world.lock:
                return self._dispatch(request)
        except RestError as problem:
            value = {"code": problem.code, "message": str(problem), "data": problem.data}
            return as_json(value, problem.status, self._headers(), content_type=CONTENT_TYPE, php=True)

    def index(self, request: Request, *, staff: bool) -> Json:
        """``GET /wp-json/``."""
        del request, staff
        return {
            "name": "Harbor Falls City News",
            "description": "News of the City of Harbor Falls",
            "url": self.home,
            "home": self.home,
            "gmt_offset": -6,
            "timezone_string": str(ZONE),
            "page_for_posts": 0,
            "namespaces": ["oembed/1.0", "wp/v2", "wp-site-health/v1"],
            "authentication": {
                "application-passwords": {
                    "endpoints": {"authorization": f"{self.home}/wp-admin/authorize-application.php"}
                }
            },
            "routes": {},
        }

    def posts(self, request: Request, *, staff: bool) -> Response:
        """``GET /wp/v2/posts``."""
        self._may_edit(request, "posts in this post type", staff=staff)
        statuses = request.many("status") or ["publish"]
        if statuses != ["publish"] and not staff:
            message = "Status is forbidden."
            details = {"status": {"code": "rest_forbidden_status", "message": message, "data": {"status": 401}}}
            raise RestError(
                code="rest_invalid_param",
                message="Invalid parameter(s): status",
                status=400,
                params={"status": message},
                details=details,
            )
        found = [
            entry
            for entry in self._all("post")
            if ("any" in statuses or entry.status in statuses) and _within(entry, request)
        ]
        _order(found, request)
        return self._list(
            request, found, lambda entry: self.articles.post(entry, edit=_edit(request)), past_the_end=True
        )

    def post(self, request: Request, number: str, *, staff: bool) -> Json:
        """``GET /wp/v2/posts/{id}``."""
        entry = self.world.live(f"{self.host}/post/{number}")
        if entry is None:
            raise RestError(code="rest_post_invalid_id", message="Invalid post ID.", status=404)
        self._may_edit(request, "this post", staff=staff)
        if entry.status != "publish" and not staff:
            raise RestError(code="rest_forbidden", message="Sorry, you are not allowed to do that.", status=401)
        return self.articles.post(entry, edit=_edit(request))

    def pages(self, request: Request, *, staff: bool) -> Response:
        """``GET /wp/v2/pages``: the site has none."""
        self._may_edit(request, "posts in this post type", staff=staff)
        return self._list(request, [], lambda entry: self.articles.post(entry, edit=_edit(request)), past_the_end=True)

    def comments(self, request: Request, *, staff: bool) -> Response:
        """``GET /wp/v2/comments``: approved comments unless asked otherwise by someone who may."""
        self._may_edit(request, "comments", staff=staff)
        status, kind = request.one("status", "approve"), request.one("type", "comment")
        for name, usual in (("status", "approve"), ("type", "comment"), ("author_email", "")):
            if not staff and request.one(name, usual) != usual:
                raise RestError(
                    code="rest_forbidden_param", message=f"Query parameter not permitted: {name}", status=401
                )
        wanted = {"approve": ("approved",), "approved": ("approved",), "all": ("approved", "hold")}.get(
            status, (status,)
        )
        found = [
            entry
            for entry in self._all("comment")
            if entry.status in wanted
            and entry.type == kind
            and _within(entry, request)
            and self._asked_for(entry, request)
        ]
        _order(found, request)
        return self._list(request, found, lambda entry: self.articles.comment(entry, edit=_edit(request)))

    def comment(self, request: Request, number: str, *, staff: bool) -> Json:
        """``GET /wp/v2/comments/{id}``."""
        entry = self.world.live(f"{self.host}/comment/{number}")
        if entry is None:
            raise RestError(code="rest_comment_invalid_id", message="Invalid comment ID.", status=404)
        self._may_edit(request, "comments", staff=staff)
        if entry.status != "approved" and not staff:
            raise RestError(
                code="rest_cannot_read", message="Sorry, you are not allowed to read this comment.", status=401
            )
        return self.articles.comment(entry, edit=_edit(request))

    def myself(self, request: Request, *, staff: bool) -> Json:
        """``GET /wp/v2/users/me``."""
        if not staff:
            raise RestError(code="rest_not_logged_in", message="You are not currently logged in.", status=401)
        me: Json = {"id": ARCHIVIST, "name": "City archive", "url": "", "description": "", "slug": USER, "meta": []}
        if _edit(request):
            me |= {
                "username": USER,
                "roles": ["editor"],
                "capabilities": dict.fromkeys(CAPABILITIES, True),
            }
        return me

    def _dispatch(self, request: Request) -> Response:
        staff = self._signed_in(request)
        path = request.path.rstrip("/")
        if path.startswith("/wp-json"):
            for pattern, call in self.routes:
                match = pattern.fullmatch(path.removeprefix("/wp-json"))
                if match:
                    value = call(request, *match.groups(), staff=staff)
                    if isinstance(value, Response):
                        return value
                    shown = _only(value, request)
                    return as_json(shown, headers=self._headers(), content_type=CONTENT_TYPE, php=True)
        raise RestError(
            code="rest_no_route", message="No route was found matching the URL and request method.", status=404
        )

    def _signed_in(self, request: Request) -> bool:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = base64.b64decode(secret.strip()).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        if user != USER:
            raise RestError(code="invalid_username", message="The username is not registered on this site.", status=401)
        if password.replace(" ", "") != PASSWORD.replace(" ", "") or not self.password_valid:
            raise RestError(
                code="incorrect_password",
                message="The provided password is an invalid application password.",
                status=401,
            )
        return True

    def _may_edit(self, request: Request, what: str, *, staff: bool) -> None:
        if _edit(request) and not staff:
            raise RestError(
                code="rest_forbidden_context", message=f"Sorry, you are not allowed to edit {what}.", status=401
            )

    def _all(self, kind: str) -> list[Entry]:
        entries = self.world.entries.values()
        return [
            entry
            for entry in entries
            if entry.kind == kind and entry.author.service == self.host and self.world.live(entry.native_id)
        ]

    def _asked_for(self, entry: Entry, request: Request) -> bool:
        posts, parents, include = request.many("post"), request.many("parent"), request.many("include")
        return (
            (not posts or (entry.root or "").rsplit("/", 1)[-1] in posts)
            and (not parents or str(self.articles.parent(entry)) in parents)
            and (not include or entry.number in include)
        )

    def _list(
        self, request: Request, found: Sequence[Entry], show: Callable[[Entry], Json], *, past_the_end: bool = False
    ) -> Response:
        size, page = _bounded(request, "per_page", DEFAULT_PAGE, LARGEST_PAGE), _bounded(request, "page", 1, None)
        offset = int(request.one("offset")) if request.one("offset").isdigit() else (page - 1) * size
        pages = -(-len(found) // size)
        if past_the_end and page > max(pages, 1):
            message = "The page number requested is larger than the number of pages available."
            raise RestError(code="rest_post_invalid_page_number", message=message, status=400)
        headers = [
            ("X-WP-Total", str(len(found))),
            ("X-WP-TotalPages", str(pages)),
            *self._headers(request, page, pages),
        ]
        shown = [_only(show(entry), request) for entry in found[offset : offset + size]]
        return as_json(shown, headers=headers, content_type=CONTENT_TYPE, php=True)

    def _headers(self, request: Request | None = None, page: int = 1, pages: int = 1) -> list[tuple[str, str]]:
        headers = [
            ("X-Robots-Tag", "noindex"),
            ("Link", f'<{self.home}/wp-json/>; rel="https://api.w.org/"'),
            ("X-Content-Type-Options", "nosniff"),
            ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
            ("Allow", "GET"),
        ]
        if request:
            kept = "&".join(
                f"{name}={value}" for name, values in request.query.items() for value in values if name != "page"
            )
            base = f"{self.home}{request.path}?{kept}{'&' if kept else ''}page="
            links = [f'<{base}{page - 1}>; rel="prev"'] if page > 1 else []
            links += [f'<{base}{page + 1}>; rel="next"'] if page < pages else []
            headers += [("Link", ", ".join(links))] if links else []
        return headers


def _edit(request: Request) -> bool:
    return request.one("context") == "edit"


def _only(value: Json, request: Request) -> Json:
    """The fields asked for by ``_fields`` (whole ones: a path into a field gives the field)."""
    fields = {field.partition(".")[0] for field in request.many("_fields")}
    return {key: held for key, held in value.items() if not fields or key in fields}


def _bounded(request: Request, name: str, default: int, most: int | None) -> int:
    text = request.one(name, str(default))
    if re.fullmatch(r"\d{1,9}", text) and int(text) >= 1 and (most is None or int(text) <= most):
        return int(text)
    message = (
        f"{name} must be between 1 (inclusive) and {most} (inclusive)"
        if most
        else f"{name} must be greater than or equal to 1"
    )
    details = {name: {"code": "rest_out_of_bounds", "message": message, "data": None}}
    raise RestError(
        code="rest_invalid_param",
        message=f"Invalid parameter(s): {name}",
        status=400,
        params={name: message},
        details=details,
    )


def _moment(request: Request, name: str) -> datetime | None:
    text = request.one(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        message = "Invalid date."
        raise RestError(
            code="rest_invalid_param", message=f"Invalid parameter(s): {name}", status=400, params={name: message}
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=ZONE)


def _within(entry: Entry, request: Request) -> bool:
    at, modified = entry.at.replace(microsecond=0), (entry.edited_at or entry.at).replace(microsecond=0)
    bounds = {name: _moment(request, name) for name in ("after", "before", "modified_after", "modified_before")}
    return (
        (bounds["after"] is None or at > bounds["after"])
        and (bounds["before"] is None or at < bounds["before"])
        and (bounds["modified_after"] is None or modified > bounds["modified_after"])
        and (bounds["modified_before"] is None or modified < bounds["modified_before"])
    )


def _order(found: list[Entry], request: Request) -> None:
    by: dict[str, Callable[[Entry], tuple[datetime, int]]] = {
        "date": lambda entry: (entry.at.replace(microsecond=0), int(entry.number)),
        "id": lambda entry: (BEGINNING, int(entry.number)),
        "modified": lambda entry: ((entry.edited_at or entry.at).replace(microsecond=0), int(entry.number)),
    }
    found.sort(key=by.get(request.one("orderby", "date"), by["date"]), reverse=request.one("order", "desc") == "desc")
