"""Labels: what moderation services say about posts and accounts, their take-downs among it.

A *labeler* is an account whose DID document names a service ``#atproto_labeler``. The AppView applies the labels of those it names in the
header ``atproto-content-labelers`` of its answers; they are asked for everything they say about the City's account and its
records, and about comments the AppView does not show. Each keeps one label for a subject, a value and a version, and its last word on it:
in force, or negated with the time when. https://atproto.com/specs/label

A label in force is a moderation action named ``label/``, the labeler's DID, the value and what it is on. A labeler that cannot be read
never ends a look: ``labels_not_read`` counts it, and its labels stay as they were known.

The AppView answers ``queryLabels``, too, but for no patterns and without what was negated; so the labelers themselves are asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.bluesky.records import GET_POSTS, Views
from connectors.bluesky.uri import DID, AtUri
from connectors.bluesky.views import VIEWS_PER_CALL
from connectors.contract import Item, Look, Page
from connectors.faults import ConnectorError
from connectors.kit.clocktime import moment
from connectors.kit.endpoint import Endpoint
from connectors.kit.pager import Listing, Shown, Token, readings

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence

    from connectors.bluesky.servers import Servers
    from connectors.contract import Checkpoint
    from connectors.exchange import Exchange

QUERY_LABELS = "/xrpc/com.atproto.label.queryLabels"
LABELERS = Endpoint("labelers", GET_POSTS)
LABELS = Endpoint("labels", QUERY_LABELS)
CONFIRM_LABELS = Endpoint("confirm_labels", QUERY_LABELS)

LABEL = "label/"
"""A label is a moderation action whose id is this, the labeler's DID, the value and what it is on, with slashes between."""
HEADER = "atproto-content-labelers"
LABELS_PER_CALL = 250
LABELERS_ASKED = 20
"""The AppView applies no more at once."""

_VALUE = re.compile(r"[!-.0-~]{1,128}")
"""Printable, and no blank or slash, which would blur where it ends in an id."""
_METHODS = ("did:plc:", "did:web:")
"""Identities the AT Protocol knows. Behind another one nobody can be found who says anything."""


@dataclass(frozen=True, slots=True)
class Label:
    """Who says what about which record or account."""

    labeler: str
    value: str
    uri: str

    def __str__(self) -> str:
        return f"{LABEL}{self.labeler}/{self.value}/{self.uri}"

    @classmethod
    def parse(cls, native_id: str) -> Label | None:
        """The label an id names; ``None`` where it names none."""
        parts = native_id.removeprefix(LABEL).split("/", 2)
        return cls.of(*parts) if is_label(native_id) and len(parts) == len(cls.__slots__) else None

    @classmethod
    def of(cls, labeler: object, value: object, uri: object) -> Label | None:
        """The label, where all three are what they must be: a DID, a short word, an at-URI with a DID or a DID."""
        if not (isinstance(labeler, str) and isinstance(value, str) and isinstance(uri, str)):
            return None
        fits = DID.fullmatch(labeler) and _VALUE.fullmatch(value) and (DID.fullmatch(uri) or AtUri.parse(uri))
        return cls(labeler, value, uri) if fits else None


def is_label(native_id: str) -> bool:
    """Whether an id is that of a label. A labeler shows those of others' comments only to who asks for the comment."""
    return native_id.startswith(LABEL)


class Labels(msgspec.Struct):
    """An answer of ``com.atproto.label.queryLabels``."""

    labels: list[dict[str, Any]]
    cursor: str | None = None


class Labelers:
    """The labelers asked during one look. ``left_out`` counts those that could not be read."""

    def __init__(self, servers: Servers, left_out: Counter[str]) -> None:
        self._servers = servers
        self._left_out = left_out
        self._failed: set[str] = set()

    def about_account(self, did: str, place: Checkpoint | None = None) -> Iterator[Page]:
        """Which labelers the AppView applies, and all they say about an account and its records.

        A page's checkpoint is the ``place`` to go on at.
        """
        if place is None:
            named = yield from self._named(did)
            place = {"labelers": named}
        labelers, cursor, patterns = list(place["labelers"]), place.get("cursor"), [did, f"at://{did}/*"]
        while labelers:
            for page in self._carefully(labelers[0], partial(self._listing, labelers[0], patterns, cursor)):
                following = {"cursor": page.checkpoint} if page.checkpoint else {}
                yield replace(page, checkpoint={"labelers": labelers if following else labelers[1:], **following})
            labelers, cursor = labelers[1:], None

    def _named(self, did: str) -> Generator[Page, None, list[str]]:
        # no post: the answer is empty, its header counts
        params = {"uris": [f"at://{did}/app.bsky.actor.profile/self"]}
        exchange, _ = self._servers.appview.read(*LABELERS, Views, params)
        if exchange.header(HEADER) is None:
            self._left_out["labelers_not_named"] += 1
        named = named_in(exchange)
        yield Page(exchange, checkpoint={"labelers": named})
        return named

    def about_hidden(self, shown: Exchange, uris: Sequence[str]) -> Iterator[Page]:
        """What the labelers say about posts that an answer of the AppView does not show."""
        for start in range(0, len(uris), VIEWS_PER_CALL):
            for did in named_in(shown):
                read = partial(self._listing, did, uris[start : start + VIEWS_PER_CALL])
                yield from (replace(page, checkpoint=None) for page in self._carefully(did, read))

    def confirmed(self, native_ids: Collection[str]) -> Iterator[Page]:
        """Ask each labeler whether these labels are still in force."""
        asked: dict[str, dict[str, list[Label]]] = {}
        for label in map(Label.parse, native_ids):
            if label:
                asked.setdefault(label.labeler, {}).setdefault(label.uri, []).append(label)
            else:
                self._left_out["strange_address"] += 1
        for did, subjects in asked.items():
            yield from self._carefully(did, partial(self._reads, did, subjects))

    def _carefully(self, did: str, read: Callable[[], Iterator[Page]]) -> Iterator[Page]:
        try:
            if did not in self._failed:
                yield from read()
        except ConnectorError:
            self._failed.add(did)
        if did in self._failed:
            self._left_out["labels_not_read"] += 1

    def _listing(self, did: str, patterns: Sequence[str], cursor: Checkpoint | None = None) -> Iterator[Page]:
        params = {"uriPatterns": list(patterns), "sources": [did], "limit": LABELS_PER_CALL}
        # labelers repeat a cursor behind the last label: a page without labels is the end
        token: Token[Labels] = Token("cursor", lambda answer: answer.cursor if answer.labels else None)
        listing = Listing(LABELS, Labels, token, lambda _: Shown(), params)
        for page, answer in readings(self._servers.labeler(did), listing, Look(resume=cursor)):
            yield replace(page, items=_in_force(answer, did, page.exchange))

    def _reads(self, did: str, subjects: Mapping[str, list[Label]]) -> Iterator[Page]:
        uris = list(subjects)
        waiting = [uris[start : start + VIEWS_PER_CALL] for start in range(0, len(uris), VIEWS_PER_CALL)]
        while waiting:
            some = waiting.pop()
            wanted = {str(label) for uri in some for label in subjects[uri]}
            params = {"uriPatterns": some, "sources": [did], "limit": LABELS_PER_CALL}
            client = self._servers.labeler(did)
            exchange, answer = client.read(*CONFIRM_LABELS, Labels, params, subject=" ".join(sorted(wanted)))
            items = _in_force(answer, did, exchange)
            yield Page(exchange, tuple(item for item in items if item.native_id in wanted))
            if len(answer.labels) >= LABELS_PER_CALL:  # something may be cut off: nothing can be said to be missing
                half = len(some) // 2
                waiting += [part for part in (some[:half], some[half:]) if half]
                self._left_out["not_confirmed"] += 0 if half else len(wanted)


def named_in(exchange: Exchange) -> list[str]:
    """DIDs of the labelers that an answer of the AppView applied: ``did:plc:a;redact, did:plc:b``."""
    named = (entry.partition(";")[0].strip() for entry in (exchange.header(HEADER) or "").split(","))
    dids = dict.fromkeys(did for did in named if did.startswith(_METHODS) and DID.fullmatch(did))
    return list(dids)[:LABELERS_ASKED]


def _in_force(answer: Labels, did: str, exchange: Exchange) -> tuple[Item, ...]:
    found = {}
    for shown in answer.labels:
        label = Label.of(shown.get("src"), shown.get("val"), shown.get("uri"))
        ends = moment(shown.get("exp"))
        is_over = shown.get("neg") is True or (ends is not None and ends <= exchange.fetched_at)
        if label and label.labeler == did and not is_over:
            found[str(label)] = Item(str(label), "moderation_action")
    return tuple(found.values())
