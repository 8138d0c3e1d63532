"""What the account did about others: gates, blocks, and the lists it blocks by. Its mutes show to nobody but itself.

These lists are read whole each time: an un-hide is a gate written anew, an unblock a record that is gone. Last comes what moderation
services say about the account and its records.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from connectors.bluesky.labels import Labelers
from connectors.bluesky.records import HIDE, LIST_RECORDS, RECORDS_PER_CALL, THREAD_GATES, Records, Written
from connectors.bluesky.replies import ended
from connectors.bluesky.servers import Servers
from connectors.bluesky.uri import AtUri
from connectors.contract import Checkpoint, Item, Look, Page
from connectors.faults import AccountUnavailable
from connectors.kit.clocktime import moment
from connectors.kit.endpoint import Endpoint
from connectors.kit.pager import Listing, Shown, Token, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.contract import Connection

COLLECTIONS = (
    (Endpoint("thread_gates", LIST_RECORDS), THREAD_GATES),
    (Endpoint("post_gates", LIST_RECORDS), "app.bsky.feed.postgate"),
    (Endpoint("blocks", LIST_RECORDS), "app.bsky.graph.block"),
    (Endpoint("list_blocks", LIST_RECORDS), "app.bsky.graph.listblock"),
)
LIST = Endpoint("list", "/xrpc/app.bsky.graph.getList")


class Members(msgspec.Struct):
    """An answer of ``app.bsky.graph.getList``."""

    items: list[dict[str, Any]]
    cursor: str | None = None


def fetch_moderation(connection: Connection, look: Look) -> Iterator[Page]:
    """Read the four collections, then the members of each blocked list, then the labels."""
    account, left_out = connection.account.native_id, Counter[str]()
    with Servers(connection) as servers:
        labelers = Labelers(servers, left_out)
        yield from ended(_steps(servers, labelers, account, look.resume or {}), left_out)


def _steps(servers: Servers, labelers: Labelers, account: str, resume: Checkpoint) -> Iterator[Page]:
    lists = list(resume.get("lists", ()))
    step = resume.get("step", 0)
    place: Checkpoint | None = resume.get("place")
    while step < len(COLLECTIONS) + len(lists):
        for page in _step(servers, account, step, lists, place):
            following = {"step": step, "place": page.checkpoint} if page.checkpoint else {"step": step + 1}
            yield replace(page, checkpoint={**following, "lists": list(lists)})
        step, place = step + 1, None
    for page in labelers.about_account(account, place):
        yield replace(page, checkpoint={"step": step, "place": page.checkpoint, "lists": list(lists)})


def _step(servers: Servers, account: str, step: int, lists: list[str], place: Checkpoint | None) -> Iterator[Page]:
    look = Look(resume=place)
    if step >= len(COLLECTIONS):
        yield from _members(servers, lists[step - len(COLLECTIONS)], look)
        return
    endpoint, collection = COLLECTIONS[step]

    def show(answer: Records) -> Shown:
        if endpoint.call == "list_blocks":
            blocked = (AtUri.parse(written.value.get("subject")) for written in answer.records)
            lists.extend(str(uri) for uri in blocked if uri)
        shown = _shown([(written.uri, written.value.get("createdAt")) for written in answer.records])
        hides = chain.from_iterable(map(_hides, answer.records)) if endpoint.call == "thread_gates" else ()
        return Shown((*shown.items, *hides), shown.skipped)

    params = {"repo": account, "collection": collection, "limit": RECORDS_PER_CALL}
    listing = Listing(endpoint, Records, Token("cursor", lambda answer: answer.cursor), show, params)
    yield from pages(servers.of(account), listing, look)


def _hides(gate: Written) -> Iterator[Item]:
    hidden = gate.value.get("hiddenReplies")
    for uri in map(AtUri.parse, hidden if isinstance(hidden, list) else ()):
        if uri:
            yield Item(f"{HIDE}{uri}", "moderation_action")


def _members(servers: Servers, uri: str, look: Look) -> Iterator[Page]:
    def show(answer: Members) -> Shown:
        return _shown([(member.get("uri"), None) for member in answer.items])

    params = {"list": uri, "limit": RECORDS_PER_CALL}
    listing = Listing(LIST, Members, Token("cursor", lambda answer: answer.cursor), show, params, subject=uri)
    try:
        yield from pages(servers.appview, listing, look)
    except AccountUnavailable as problem:
        if problem.state != "not_shown" or problem.exchange is None:
            raise
        yield Page(problem.exchange, skipped={"list_not_shown": 1})


def _shown(records: list[tuple[Any, Any]]) -> Shown:
    kind: Literal["moderation_action"] = "moderation_action"
    items = [Item(str(uri), kind, published_at=moment(at)) for uri, at in records if AtUri.parse(uri)]
    strange = len(records) - len(items)
    return Shown(tuple(items), {"strange_address": strange} if strange else {})
