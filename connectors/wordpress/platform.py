"""WordPress sites through the REST API of core (``/wp-json/wp/v2``, version 5.7 or newer).

An account is a site: its native id is its host (``news.city.gov``), with the path where it lies in one (``city.gov/news``); what it
holds is ``{site}/post/{id}`` and ``{site}/comment/{id}``. What the public sees needs no credential. With an application password of
an Editor or Administrator, everything is read as it is edited: drafts, private and trashed posts, and comments that are held,
marked as spam, or in the trash.

**What is asked, and what an answer means** (``call`` is what the normalizers go by; ``subject`` is empty unless said)

===============  =========================  ==============================================================================
call             path                       what its answer means
===============  =========================  ==============================================================================
site             /wp-json/                  200: name, description, address of the site
posts            /wp-json/wp/v2/posts       posts. With a credential (``context=edit``) in every status: ``publish``, ``future``,
                                            ``draft``, ``pending``, ``private``, ``trash``; the public sees ``publish`` only
comments         /wp-json/wp/v2/comments    comments, pingbacks, trackbacks of the whole site, on posts and pages. ``status``
                                            ``approved`` is what the public sees; with a credential also ``hold``, ``spam``,
                                            ``trash``, and ``post-trashed`` (its post is in the trash)
confirm_post     /wp-json/wp/v2/posts/:id   the post ``subject``. 200: as it is, see ``status``. 404 ``rest_post_invalid_id``: deleted for
                                            good. 401, 403 (``rest_forbidden``…): there, but not for the public
confirm_comment  …/wp/v2/comments/:id       the comment ``subject``. 404 ``rest_comment_invalid_id``: deleted for good; 401, 403
                                            ``rest_cannot_read``…: held, spam, trash, or its post is not public
===============  =========================  ==============================================================================

A comment has no date of change: an edit or a new status shows only by reading it again. When a comment is deleted for good,
its answers move to its parent.

Listings are ordered by id and read through a *seam* (:mod:`connectors.kit.seam`), so that what is deleted or hidden while one
reads loses nothing. "Since" is asked of the server (``after``, ``modified_after``), always with ``Z``: without it WordPress reads local time.

Reference: https://developer.wordpress.org/rest-api/reference/posts/, …/comments/
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.contract import AccountRef, Checkpoint, Connection, Cost, Item, Kind, Look, Page, Platform, Resource
from connectors.faults import AccountUnavailable
from connectors.kit.address import service_name
from connectors.kit.client import Client
from connectors.kit.clocktime import moment, zulu
from connectors.kit.pager import Listing, Shown, readings
from connectors.kit.seam import Seam
from connectors.kit.stages import in_turn
from connectors.wordpress.api import (
    COMMENTS,
    CONFIRM_COMMENT,
    CONFIRM_POST,
    FAULTS,
    POSTS,
    SITE,
    Direct,
    Site,
    Thing,
    is_there,
    open_client,
    total_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.kit.endpoint import Endpoint

PROFILE_FIELDS = (
    "name,description,url,home,gmt_offset,timezone_string,namespaces,site_logo,site_icon,site_icon_url,authentication"
)
PER_PAGE = 100
POST_STATUSES = "publish,future,draft,pending,private,trash"
COMMENT_STATUSES = ("approve", "hold", "spam", "trash", "post-trashed")
COMMENT_TYPES = ("comment", "pingback", "trackback")
EDITOR, MODERATOR = "edit_others_posts", "moderate_comments"


def identify(connection: Connection, text: str) -> AccountRef:
    """Look a site up by its address. Raises :class:`AccountUnavailable` where there is no WordPress that answers."""
    service = service_name(text)
    try:
        return _site_at(connection, service)
    except AccountUnavailable as moved:
        there = moved.exchange.header("location") if moved.exchange and moved.state == "moved" else None
        host = urlsplit(there or "").hostname
        if not host:
            raise
    # often only "www." in front: the name it answers under is the one to keep
    return _site_at(connection, service_name(host + service.removeprefix(service.partition("/")[0])))


def profile(connection: Connection, _look: Look) -> Iterator[Page]:
    """The site as it describes itself."""
    with _public_client(connection, connection.account.service) as client:
        exchange, _ = client.read(*SITE, Site, {"_fields": PROFILE_FIELDS})
    yield Page(exchange, (Item(connection.account.native_id, "profile"),))


def posts(connection: Connection, look: Look) -> Iterator[Page]:
    """Posts published since, then posts changed since; all where there is no since."""
    with open_client(connection, EDITOR) as client:
        params: dict[str, Any] = {"context": "edit", "status": POST_STATUSES} if connection.credential else {}
        read = partial(_listing_pages, client, connection.account.native_id, (POSTS, "post"))
        stages = [("published", partial(read, {**params, **_since("after", look.since)}))]
        if look.since is not None:
            stages.append(("modified", partial(read, {**params, **_since("modified_after", look.since)})))
        yield from in_turn(look, stages)


def comments(connection: Connection, look: Look) -> Iterator[Page]:
    """Comments of the whole site written since. With a credential each type and status is a listing of its own."""
    since = _since("after", look.since)
    with open_client(connection, MODERATOR) as client:
        read = partial(_listing_pages, client, connection.account.native_id, (COMMENTS, "comment"))
        if connection.credential is None:
            # to the public the API gives the type comment only
            yield from in_turn(look, [("approve comment", partial(read, since))])
            return
        wanted = [(status, kind) for status in COMMENT_STATUSES for kind in COMMENT_TYPES]
        yield from in_turn(
            look,
            [
                (f"{status} {kind}", partial(read, {"context": "edit", "status": status, "type": kind, **since}))
                for status, kind in wanted
            ],
        )


def confirm_posts(connection: Connection, native_ids: Sequence[str]) -> Iterator[Page]:
    """Read posts one by one."""
    return _confirm(connection, CONFIRM_POST, "post", EDITOR, native_ids)


def confirm_comments(connection: Connection, native_ids: Sequence[str]) -> Iterator[Page]:
    """Read comments one by one."""
    return _confirm(connection, CONFIRM_COMMENT, "comment", MODERATOR, native_ids)


def _confirm(
    connection: Connection, endpoint: Endpoint, kind: Kind, need: str, native_ids: Sequence[str]
) -> Iterator[Page]:
    params = {"context": "edit"} if connection.credential else None
    with open_client(connection, need) as client:
        for native_id in native_ids:
            call = endpoint.of(id=native_id.rpartition("/")[2])
            exchange, direct = client.read(*call, Direct, params, subject=native_id, accept=(401, 403, 404))
            items = (Item(native_id, kind, published_at=moment(direct.date_gmt)),)
            yield Page(exchange, items if is_there(client, exchange, direct, native_id) else ())


def _listing_pages(
    client: Client, site: str, call: tuple[Endpoint, Kind], params: dict[str, Any], look: Look
) -> Iterator[Page]:
    endpoint, kind = call

    def show(things: list[Thing]) -> Shown:
        return Shown(tuple(Item(f"{site}/{kind}/{one.id}", kind, moment(one.date_gmt)) for one in things if one.id))

    pager: Seam[list[Thing]] = Seam(lambda things: [str(one.id) for one in things], total_of, PER_PAGE)
    order = {"orderby": "id", "order": "desc", **params}
    listing = Listing(endpoint, list[Thing], pager, show, order, total=total_of)
    place: Checkpoint = look.resume or {}
    # the server leaves out what is older: the order is by id, not by date
    for page, things in readings(client, listing, Look(resume=look.resume)):
        left_out = pager.left_out(page.exchange, things, place)
        yield replace(page, skipped={"left_out": left_out}) if left_out else page
        place = page.checkpoint or {}


def _since(parameter: str, since: datetime | None) -> dict[str, str]:
    """``after`` excludes the second it names."""
    return {} if since is None else {parameter: zulu(since - timedelta(seconds=1))}


def _site_at(connection: Connection, service: str) -> AccountRef:
    with _public_client(connection, service) as client:
        exchange, site = client.peek(*SITE, Site, {"_fields": PROFILE_FIELDS})
    if "wp/v2" not in site.namespaces:
        msg = f"{service} answers, but its API has no posts (wp/v2): is it WordPress, and is the API open?"
        raise AccountUnavailable(msg, state="api_closed", exchange=exchange)
    return AccountRef("wordpress", service, service, service)


def _public_client(connection: Connection, service: str) -> Client:
    return Client(connection, host=service, faults=FAULTS)


PLATFORM = Platform(
    name="wordpress",
    identify=identify,
    resources=(
        Resource("profile", profile, never="Who changed the name or the description of the site, and when"),
        Resource(
            "posts",
            posts,
            confirm=confirm_posts,
            deletion="404 rest_post_invalid_id; in the trash: status trash with a credential, 401 rest_forbidden without",
            never="The original text of an edited post (revisions do not keep it); pages and other post types; who "
            "deleted a post, and when",
            reveals=("comments_closed",),
        ),
        Resource(
            "comments",
            comments,
            confirm=confirm_comments,
            deletion="404 rest_comment_invalid_id; held, spam and trash are statuses with a credential, 401 "
            "rest_cannot_read without",
            never="When a comment was edited or moderated, and by whom: a comment has no date of change. Without a "
            "credential: held comments, spam, trash, pingbacks and trackbacks",
            reveals=("hold", "spam", "trash"),
        ),
        Resource(
            "moderation",
            lambda _connection, _look: iter(()),
            never="Core has no list of its own: what was held, marked as spam or put in the trash is the status of each "
            "comment. It knows no blocks and no reports",
        ),
    ),
    cost=Cost(each=18, posts_per_page=100, per_thread=0),
    credential_fields=("username", "password"),
    docs="https://developer.wordpress.org/rest-api/reference/",
)
