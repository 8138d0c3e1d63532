"""A Mastodon server of the sample city (API of version 4.4).

As the real one: pages by ``max_id`` with a ``Link`` header; a thread asked for without a token shows sixty answers at most; with
a token, the answers of those whom its owner blocks or mutes are left out; an answer below a deleted status loses its parent. An
account that was deleted is not found, one that the server suspended is shown emptied, and the statuses of both are not found.
A server that is *closed* answers nobody without a token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from samplecity.messages import Request, Response, as_json
from samplecity.statuses import Json, Views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from samplecity.people import Person
    from samplecity.world import Bar, Entry, World

LARGEST_PAGE = 40
DEFAULT_PAGE = 20
MOST_ANSWERS = 60
MOST_PARENTS = 40
DEEPEST = 20
SIGNED_IN_ANSWERS = 4096
WINDOW_MINUTES = 5
BUDGET = 300
PUBLIC = ("public", "unlisted")
ALL_SCOPES = frozenset({"read:accounts", "read:statuses", "read:blocks", "read:mutes", "read:filters"})


@dataclass(frozen=True, slots=True)
class Token:
    """What an access token allows. ``revoked``: it once did."""

    owner: str
    """Name of the City's account."""
    scopes: frozenset[str] = ALL_SCOPES
    revoked: bool = False


class ApiError(Exception):
    """An error answer."""

    def __init__(self, *, message: str, status: int, header: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.header = header


class Server:
    """One Mastodon server."""

    def __init__(self, world: World, host: str, tokens: Mapping[str, Token], *, closed: bool = False) -> None:
        self.world = world
        self.host = host
        self.tokens = dict(tokens)
        self.closed = closed
        self.views = Views(world, host)
        self._asked = 0
        self.routes: list[tuple[re.Pattern[str], Callable[..., Response | Any]]] = [
            (re.compile(r"/api/v1/accounts/lookup"), self.lookup),
            (re.compile(r"/api/v1/accounts/verify_credentials"), self.myself),
            (re.compile(r"/api/v1/accounts/relationships"), self.relationships),
            (re.compile(r"/api/v1/accounts/(\d+)"), self.account),
            (re.compile(r"/api/v1/accounts/(\d+)/statuses"), self.statuses),
            (re.compile(r"/api/v1/statuses/(\d+)"), self.status),
            (re.compile(r"/api/v1/statuses/(\d+)/context"), self.context),
            (re.compile(r"/api/v1/statuses/(\d+)/history"), self.history),
            (re.compile(r"/api/v1/blocks"), self.blocks),
            (re.compile(r"/api/v1/mutes"), self.mutes),
            (re.compile(r"/api/v1/domain_blocks"), self.domain_blocks),
            (re.compile(r"/api/v[12]/filters"), self.filters),
            (re.compile(r"/api/v2/filters/(\d+)"), self.one_filter),
            (re.compile(r"/api/v2/instance"), self.instance),
        ]

    def answer(self, request: Request) -> Response:
        """Answer as the server would."""
        try:
            with self.world.lock:
                return self._dispatch(request)
        except ApiError as problem:
            extra = [problem.header] if problem.header else []
            return as_json({"error": str(problem)}, problem.status, [*extra, *self._headers()])

    def lookup(self, request: Request, viewer: Token | None) -> Json:
        """``GET /api/v1/accounts/lookup``."""
        self._open_to(viewer)
        acct = request.one("acct").removeprefix("@").removesuffix(f"@{self.host}")
        for person in self.views.people():
            if person.active and person.handle.lower() == acct.lower():
                return self.views.account(person)
        raise ApiError(message="Record not found", status=404)

    def myself(self, request: Request, viewer: Token | None) -> Json:
        """``GET /api/v1/accounts/verify_credentials``."""
        owner = self._owner(self._needs(viewer, "read:accounts"))
        del request
        return {**self.views.account(owner), "source": {"privacy": "public", "sensitive": False, "language": "en"}}

    def account(self, request: Request, viewer: Token | None, number: str) -> Json:
        """``GET /api/v1/accounts/:id``."""
        del request
        self._open_to(viewer)
        return self.views.account(self._person(number))

    def statuses(self, request: Request, viewer: Token | None, number: str) -> Response:
        """``GET /api/v1/accounts/:id/statuses``: newest first."""
        self._open_to(viewer)
        person = self._person(number)
        own = viewer is not None and self._owner(viewer) is person
        written = [entry for entry in self.world.written_by(person) if own or entry.status in PUBLIC]
        flag = request.flag
        if flag.get("pinned"):
            written = []
        if flag.get("exclude_reblogs"):
            written = [entry for entry in written if not entry.boosts]
        if flag.get("exclude_replies"):
            written = [entry for entry in written if not entry.parent or self._own(entry.parent, person)]
        if flag.get("only_media"):
            written = [entry for entry in written if entry.picture]
        numbered = {int(entry.number): entry for entry in written}
        page, limit = _page(sorted(numbered, reverse=True), request, LARGEST_PAGE, DEFAULT_PAGE)
        shown = [self.views.status(numbered[number], signed_in=viewer is not None) for number in page]
        return as_json(shown, headers=[*self._links(request, page, limit), *self._headers()])

    def status(self, request: Request, viewer: Token | None, number: str) -> Json:
        """``GET /api/v1/statuses/:id``."""
        del request
        self._open_to(viewer)
        return self.views.status(self._readable(number, viewer), signed_in=viewer is not None)

    def context(self, request: Request, viewer: Token | None, number: str) -> Json:
        """``GET /api/v1/statuses/:id/context``."""
        del request
        self._open_to(viewer)
        entry = self._readable(number, viewer)
        parents: list[Entry] = []
        above = self.world.live(entry.parent)
        while above and len(parents) < MOST_PARENTS:
            parents.insert(0, above)
            above = self.world.live(above.parent)
        found: list[Entry] = []
        self._descend(entry, found, DEEPEST if viewer is None else SIGNED_IN_ANSWERS)
        most = MOST_ANSWERS if viewer is None else SIGNED_IN_ANSWERS
        shown = [below for below in found[:most] if self._may_read(below, viewer) and not self._shunned(below, viewer)]
        return {
            "ancestors": [self.views.status(parent, signed_in=viewer is not None) for parent in parents],
            "descendants": [self.views.status(below, signed_in=viewer is not None) for below in shown],
        }

    def history(self, request: Request, viewer: Token | None, number: str) -> list[Json]:
        """``GET /api/v1/statuses/:id/history``: every version, the first one first."""
        del request
        self._open_to(viewer)
        entry = self._readable(number, viewer)
        return [self.views.version(entry, text, since) for text, since in entry.versions]

    def blocks(self, request: Request, viewer: Token | None) -> Response:
        """``GET /api/v1/blocks``."""
        token = self._needs(viewer, "read:blocks")
        return self._barred(request, self.world.barred(token.owner, "block"))

    def mutes(self, request: Request, viewer: Token | None) -> Response:
        """``GET /api/v1/mutes``."""
        token = self._needs(viewer, "read:mutes")
        return self._barred(request, self.world.barred(token.owner, "mute"))

    def domain_blocks(self, request: Request, viewer: Token | None) -> list[str]:
        """``GET /api/v1/domain_blocks``: none."""
        self._needs(viewer, "read:blocks")
        del request
        return []

    def relationships(self, request: Request, viewer: Token | None) -> list[Json]:
        """``GET /api/v1/accounts/relationships``."""
        token = self._needs(viewer, "read:accounts")
        barred = {(bar.action, bar.subject.number) for bar in self.world.bars if bar.account == token.owner}
        known = {person.number for person in self.views.people()}
        return [
            {
                "id": number,
                "following": False,
                "followed_by": False,
                "blocking": ("block", number) in barred,
                "blocked_by": False,
                "muting": ("mute", number) in barred,
                "domain_blocking": False,
                "note": "",
            }
            for number in request.many("id")
            if number in known
        ]

    def filters(self, request: Request, viewer: Token | None) -> list[Json]:
        """``GET /api/v2/filters``."""
        self._needs(viewer, "read:filters")
        del request
        words = [
            {"id": "11", "keyword": "casino", "whole_word": True},
            {"id": "12", "keyword": "idiots", "whole_word": False},
        ]
        facts: Json = {
            "id": "5",
            "title": "Words we do not show",
            "context": ["notifications", "thread"],
            "expires_at": None,
        }
        return [{**facts, "filter_action": "hide", "keywords": words, "statuses": []}]

    def one_filter(self, request: Request, viewer: Token | None, number: str) -> Json:
        """``GET /api/v2/filters/:id``."""
        for one in self.filters(request, viewer):
            if one["id"] == number:
                return one
        raise ApiError(message="Record not found", status=404)

    def instance(self, request: Request, viewer: Token | None) -> Json:
        """``GET /api/v2/instance``."""
        del request, viewer
        return {
            "domain": self.host,
            "title": "Harbor Falls Social",
            "version": "4.4.8",
            "source_url": "https://github.com/mastodon/mastodon",
            "description": "The social server of the City of Harbor Falls",
            "usage": {"users": {"active_month": len(list(self.views.people()))}},
            "languages": ["en"],
            "configuration": {
                "urls": {"streaming": f"wss://{self.host}", "about": f"https://{self.host}/about"},
                "statuses": {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
                "limited_federation": self.closed,
            },
            "registrations": {"enabled": False, "approval_required": True, "message": None, "url": None},
            "api_versions": {"mastodon": 6},
            "contact": {"email": "social@harborfalls.example", "account": None},
            "rules": [{"id": "1", "text": "Be kind", "hint": ""}],
        }

    def _dispatch(self, request: Request) -> Response:
        viewer = self._viewer(request)
        for pattern, call in self.routes:
            match = pattern.fullmatch(request.path.rstrip("/"))
            if match:
                value = call(request, viewer, *match.groups())
                return value if isinstance(value, Response) else as_json(value, headers=self._headers())
        raise ApiError(message="Not Found", status=404)

    def _viewer(self, request: Request) -> Token | None:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = self.tokens.get(secret.strip())
        if token is None or token.revoked:
            said = "The access token was revoked" if token else "The access token is invalid"
            raise ApiError(message=said, status=401, header=_challenge(said))
        return token

    def _open_to(self, viewer: Token | None) -> None:
        if self.closed and viewer is None:
            raise ApiError(message="This API requires an authenticated user", status=401)

    def _needs(self, viewer: Token | None, scope: str) -> Token:
        if viewer is None:
            raise ApiError(
                message="The access token is invalid", status=401, header=_challenge("The access token is invalid")
            )
        if scope not in viewer.scopes:
            raise ApiError(message="This action is outside the authorized scopes", status=403)
        return viewer

    def _person(self, number: str) -> Person:
        person = self.world.people.get(("mastodon", f"{self.host}/{number}"))
        if person is None or not person.active:
            raise ApiError(message="Record not found", status=404)
        return person

    def _owner(self, token: Token) -> Person:
        return self.world.account(token.owner).owner

    def _own(self, native_id: str, person: Person) -> bool:
        entry = self.world.live(native_id)
        return bool(entry and entry.author is person)

    def _may_read(self, entry: Entry, viewer: Token | None) -> bool:
        """What is not public can be read by the account in whose thread it stands: all answers mention it."""
        return entry.status in PUBLIC or (viewer is not None and viewer.owner == entry.account)

    def _shunned(self, entry: Entry, viewer: Token | None) -> bool:
        bars = self.world.bars if viewer else []
        return any(viewer and bar.account == viewer.owner and bar.subject is entry.author for bar in bars)

    def _readable(self, number: str, viewer: Token | None) -> Entry:
        entry = self.world.live(f"{self.host}/{number}")
        if entry is None or not self._may_read(entry, viewer):
            raise ApiError(message="Record not found", status=404)
        return entry

    def _descend(self, entry: Entry, found: list[Entry], depth: int) -> None:
        for below in self.world.replies(entry.native_id) if depth else ():
            found.append(below)
            self._descend(below, found, depth - 1)

    def _barred(self, request: Request, bars: Sequence[Bar]) -> Response:
        numbered = {len(bars) - place: bar for place, bar in enumerate(bars)}
        page, limit = _page(sorted(numbered, reverse=True), request, 80, 40)
        shown = [self.views.account(numbered[number].subject) for number in page]
        return as_json(shown, headers=[*self._links(request, page, limit), *self._headers()])

    def _links(self, request: Request, page: Sequence[int], limit: int) -> list[tuple[str, str]]:
        if not page:
            return []
        kept = "&".join(f"{name}={values[-1]}" for name, values in request.query.items() if not name.endswith("_id"))
        base = f"https://{self.host}{request.path}?{kept}{'&' if kept else ''}"
        links = [f'<{base}max_id={page[-1]}>; rel="next"'] if len(page) == limit else []
        return [("Link", ", ".join([*links, f'<{base}min_id={page[0]}>; rel="prev"']))]

    def _headers(self) -> list[tuple[str, str]]:
        self._asked += 1
        now = datetime.now(UTC)
        window = timedelta(minutes=WINDOW_MINUTES)
        reset = now - (now - datetime.min.replace(tzinfo=UTC)) % window + window
        return [
            ("Cache-Control", "private, no-store"),
            ("Vary", "Authorization, Origin"),
            ("X-RateLimit-Limit", str(BUDGET)),
            ("X-RateLimit-Remaining", str(BUDGET - 1 - self._asked % (BUDGET - 1))),
            ("X-RateLimit-Reset", reset.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
        ]


def _page(numbers: Sequence[int], request: Request, most: int, default: int) -> tuple[list[int], int]:
    asked = request.one("limit", str(default))
    limit = min(int(asked), most) if asked.isdigit() and int(asked) else default
    below = [number for number in numbers if number < _bound(request, "max_id", 1 << 63)]
    above = [number for number in below if number > _bound(request, "since_id", 0)]
    if request.one("min_id"):
        return [number for number in above if number > _bound(request, "min_id", 0)][-limit:], limit
    return above[:limit], limit


def _bound(request: Request, name: str, default: int) -> int:
    text = request.one(name)
    return int(text) if text.isdigit() else default


def _challenge(said: str) -> tuple[str, str]:
    text = f'Bearer realm="Doorkeeper", error="invalid_token", error_description="{said}"'
    return ("WWW-Authenticate", text)
