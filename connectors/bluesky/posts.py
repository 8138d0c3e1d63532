"""The account's own posts and replies: as its repository holds them, then as the public sees them.

Newest first by record key. A key says when a record was made, so posts imported with the dates of long ago are found by the next
look; one imported with old keys, too, is found by a look without ``since`` only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.bluesky.batch import item_at
from connectors.bluesky.records import (
    GET_POSTS,
    LIST_RECORDS,
    POSTS,
    RECORDS_PER_CALL,
    REFUSALS,
    REPOSITORY,
    Answer,
    PostHead,
    PostRecords,
    PostViews,
)
from connectors.bluesky.servers import Servers
from connectors.bluesky.thread import answered
from connectors.bluesky.uri import AtUri
from connectors.bluesky.views import VIEWS_PER_CALL, views
from connectors.contract import Checkpoint, Item, Look, Page
from connectors.faults import AccountUnavailable
from connectors.kit.clocktime import moment
from connectors.kit.endpoint import Endpoint
from connectors.kit.pager import Listing, Shown, Token, pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.bluesky.records import PostView, WrittenPost
    from connectors.contract import Connection

POST_RECORDS = Endpoint("post_records", LIST_RECORDS)
POST_VIEWS = Endpoint("post_views", GET_POSTS)
ACCOUNT_STATUS = Endpoint("account_status", REPOSITORY)


def fetch_posts(connection: Connection, look: Look) -> Iterator[Page]:
    """Read the repository's posts, and after each page of it the AppView's views of them."""
    place = dict(look.resume or {})
    waiting = place.pop("views", [])
    with Servers(connection) as servers:
        yield from _views(servers, waiting, place or None)
        if look.resume is None or place:
            yield from _records(servers, connection.account.native_id, replace(look, resume=place or None))


def _records(servers: Servers, account: str, look: Look) -> Iterator[Page]:
    for page in _listed(servers, account, look):
        fresh = [item.native_id for item in page.items if not _is_past(item, look)]
        yield replace(page, items=(), checkpoint=_place(page.checkpoint, fresh))
        yield from _views(servers, fresh, page.checkpoint)


def _listed(servers: Servers, account: str, look: Look) -> Iterator[Page]:
    try:
        yield from pages(servers.of(account), _listing(account), look)
    except AccountUnavailable as problem:
        if problem.state == "closed":
            _ask_why(servers, account)
        raise


def _ask_why(servers: Servers, account: str) -> None:
    """The listing says only that there is no repository. Raises :class:`AccountUnavailable` with the state."""
    params = {"did": account}
    exchange, answer = servers.of(account).read(*ACCOUNT_STATUS, Answer, params, subject=account, accept=REFUSALS)
    if answer.active is False:
        msg = f"the account {account} is {answer.status or 'not active'} on its server. What it showed before is kept; look who closed it"
        raise AccountUnavailable(msg, state=answer.status or "closed", exchange=exchange) from None


def _views(servers: Servers, uris: Sequence[str], following: Checkpoint | None) -> Iterator[Page]:
    for start in range(0, len(uris), VIEWS_PER_CALL):
        some, rest = uris[start : start + VIEWS_PER_CALL], uris[start + VIEWS_PER_CALL :]
        exchange, answer = views(servers, POST_VIEWS, PostViews, some)
        shown = {view.uri: view for view in answer.posts if isinstance(view.uri, str)}
        items = (_viewed(uri, shown.get(str(uri))) for uri in map(AtUri.parse, some) if uri)
        yield Page(exchange, tuple(items), checkpoint=_place(following, rest))


def _viewed(uri: AtUri, view: PostView | None) -> Item:
    if view is None:
        return item_at(uri, None)
    parent = answered(view.record.reply)[0] if isinstance(view.record, PostHead) else None
    return item_at(uri, parent, replies=view.reply_count if isinstance(view.reply_count, int) else 0)


def _place(following: Checkpoint | None, uris: Sequence[str]) -> Checkpoint | None:
    return {**(following or {}), **({"views": list(uris)} if uris else {})} or None


def _is_past(item: Item, look: Look) -> bool:
    return look.since is not None and item.published_at is not None and item.published_at < look.since


def _listing(account: str) -> Listing[PostRecords]:
    def show(answer: PostRecords) -> Shown:
        items = [_item(written, account) for written in answer.records]
        strange = items.count(None)
        return Shown(tuple(filter(None, items)), {"strange_address": strange} if strange else {})

    params = {"repo": account, "collection": POSTS, "limit": RECORDS_PER_CALL}
    return Listing(POST_RECORDS, PostRecords, Token("cursor", lambda answer: answer.cursor), show, params)


def _item(written: WrittenPost, account: str) -> Item | None:
    uri = AtUri.parse(written.uri)
    if uri is None or uri.did != account:
        return None
    item = item_at(uri, answered(written.value.reply)[0])
    return item if item.published_at else replace(item, published_at=moment(written.value.created_at))
