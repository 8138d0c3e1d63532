"""Bluesky: the AppView's public API, the accounts' own servers (PDS), and the PLC directory that says which server that is.

Nothing here needs a credential. Four kinds of host are asked: the AppView (``AccountRef.service``), the PLC directory, and the PDS or the
moderation service a DID document names. These are whatever its owner wrote there, hostile input, and go through :mod:`connectors.kit.address`.

**What is asked, and what an answer means** (``call`` is what the normalizers go by; ``subject`` is empty unless said)

========================  =======================================  =================================================================
call                      method                                   what its answer means
========================  =======================================  =================================================================
profile                   app.bsky.actor.getProfile                200: the profile. 400 ``AccountDeactivated``, ``AccountTakedown``:
                                                                   unavailable; 400 ``InvalidRequest`` "Profile not found": deleted
post_records              com.atproto.repo.listRecords             the account's own posts and replies as it wrote them: the truth
                          on the PDS                               about content. ``records[]``: ``uri``, ``cid``, ``value``
post_views                app.bsky.feed.getPosts                   the same posts as the public sees them: counts, labels,
                                                                   ``indexedAt``, handle. One that was asked for (``uris`` in the
                                                                   URL) and is not in ``posts[]`` is not shown to the public. Where
                                                                   ``cid`` differs from the record's, the record is newer: the public
                                                                   AppView ignores edits, so content comes from the record
thread                    app.bsky.feed.getPostThread              comments as the public sees them. ``subject``: the post or comment
                                                                   it begins at. 400 ``NotFound``: not shown to the public (says
                                                                   nothing of why)
reply_views               app.bsky.feed.getPosts                   comments no thread showed, found on their authors' servers. Asked
                                                                   for and absent: not shown to the public
reply_record              com.atproto.repo.getRecord               the comment ``subject`` as its author wrote it, where the AppView
                          on the author's PDS                      shows none or an older version. 200: content (the state is what
                                                                   ``reply_views`` said); 400: as ``confirm_record``
thread_gates              com.atproto.repo.listRecords             ``app.bsky.feed.threadgate``: ``hiddenReplies`` is the complete list
                                                                   of what is hidden in the thread of ``post``; ``allow`` who may reply
post_gates                com.atproto.repo.listRecords             ``app.bsky.feed.postgate``: ``detachedEmbeddingUris``
blocks                    com.atproto.repo.listRecords             ``app.bsky.graph.block``: ``subject`` is a DID
list_blocks               com.atproto.repo.listRecords             ``app.bsky.graph.listblock``: ``subject`` is the at-URI of a list
list                      app.bsky.graph.getList                   members of the blocked list ``subject``: ``items[]``: ``uri``, ``subject``
confirm_record            com.atproto.repo.getRecord               200: the record ``subject`` exists (the content is newer than any).
                          on the author's PDS                      400 ``RecordNotFound``: deleted, or removed by its server's staff.
                                                                   400 anything else, 404: the whole repository is closed,
                                                                   ``confirm_repository`` says why; no statement by itself
confirm_views             app.bsky.feed.getPosts                   asked only for posts and comments whose ``confirm_record`` was 200.
                                                                   Absent: taken down by the platform
confirm_repository        com.atproto.sync.getRepoStatus           state of the repository of the record ``subject``: 200 and
                          on the author's PDS                      ``active`` false: unavailable, ``status`` says ``deactivated``,
                                                                   ``takendown``, ``suspended``, ``deleted``. 400 ``RepoNotFound``: the
                                                                   account was deleted and the record with it
account_status            com.atproto.sync.getRepoStatus           the same for the City's own account ``subject`` (a DID), asked when
                                                                   its server no longer lists its posts
labelers                  app.bsky.feed.getPosts                   asked for no post: its header ``atproto-content-labelers`` names the
                                                                   moderation services (labelers) whose labels the AppView applies
labels                    com.atproto.label.queryLabels            what the labeler in ``sources`` says about ``uriPatterns``: the
                          on the labeler                           account and its records, or comments that are not shown. In force
                                                                   unless ``neg`` or ``exp`` has passed; what it leaves out says nothing
confirm_labels            com.atproto.label.queryLabels            whether the labels ``subject`` (ids with blanks between) are in force.
                          on the labeler                           One that is negated, expired or left out is undone, unless as many
                                                                   were answered as ``limit`` allows
========================  =======================================  =================================================================

A record made again under the same key is present, with another ``cid``. A reply hidden by a thread gate is a moderation action named
``hide/`` and the reply's at-URI; to confirm it, the gate of its thread is read (``confirm_record``): 400 means nothing is hidden there.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from connectors.bluesky.confirm import confirm
from connectors.bluesky.labels import Labelers, is_label
from connectors.bluesky.moderation import fetch_moderation
from connectors.bluesky.posts import fetch_posts
from connectors.bluesky.replies import fetch_comments
from connectors.bluesky.servers import APPVIEW, Servers
from connectors.bluesky.uri import AtUri
from connectors.contract import AccountRef, Cost, Item, Look, Page, Platform, Resource
from connectors.faults import AccountUnavailable, ConnectorError
from connectors.kit.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.contract import Connection

PROFILE = Endpoint("profile", "/xrpc/app.bsky.actor.getProfile")
RESOLVE_HANDLE = Endpoint("handle", "/xrpc/com.atproto.identity.resolveHandle")


class _Did(msgspec.Struct):
    did: str


class _Profile(msgspec.Struct, rename="camel"):
    did: str
    posts_count: object = None


def identify(connection: Connection, handle: str) -> AccountRef:
    """The account with a handle (``@city.gov``) or a DID. Raises :class:`AccountUnavailable` where there is none."""
    name = handle.strip().removeprefix("at://").removeprefix("@")
    with Servers(connection) as servers:
        did = name if name.startswith("did:") else _resolved(servers, name.lower())
        if AtUri.parse(f"at://{did}/app.bsky.feed.post/any") is None:
            msg = f"{handle!r} is no account of the AT Protocol: give its handle (city.gov) or its DID"
            raise AccountUnavailable(msg, state="not_found")
        current = servers.document_of(did).handle
    return AccountRef("bluesky", did, current or name, connection.account.service or APPVIEW)


def _resolved(servers: Servers, handle: str) -> str:
    _, answer = servers.appview.peek(*RESOLVE_HANDLE, _Did, {"handle": handle})
    return answer.did


def fetch_profile(connection: Connection, _look: Look) -> Iterator[Page]:
    """Read the profile as the public sees it; where the platform took it down, what its moderation services say, before that is raised."""
    did = connection.account.native_id
    with Servers(connection) as servers:
        try:
            exchange, profile = servers.appview.read(*PROFILE, _Profile, {"actor": did})
        except AccountUnavailable as problem:
            if problem.state in ("takendown", "suspended"):
                with suppress(ConnectorError):  # what the profile's answer says matters more
                    for page in Labelers(servers, Counter()).about_account(did):
                        yield replace(page, checkpoint=None)
            raise
        total = profile.posts_count if isinstance(profile.posts_count, int) else None
        yield Page(exchange, (Item(did, "profile"),), total=total)


PLATFORM = Platform(
    name="bluesky",
    identify=identify,
    resources=(
        Resource(
            "profile",
            fetch_profile,
            deletion="getProfile answers 400: AccountDeactivated, AccountTakedown or 'Profile not found'",
            never="Earlier texts and pictures; the directory keeps earlier handles",
        ),
        Resource(
            "posts",
            fetch_posts,
            confirm=confirm,
            deletion="getRecord answers 400 RecordNotFound; getPosts leaves out what the platform took down",
            never="Earlier versions of an edited post: each is seen only while it is current",
        ),
        Resource(
            "comments",
            fetch_comments,
            confirm=confirm,
            needs_posts=True,
            deletion="getRecord answers 400 RecordNotFound; getRepoStatus tells a deleted account from a deactivated one",
            never="Replies of people whose own replies no thread shows and whom the account neither blocked nor hid",
        ),
        Resource(
            "moderation",
            fetch_moderation,
            confirm=confirm,
            deletion="getRecord answers 400 RecordNotFound once a gate or a block was undone; queryLabels shows a label as negated",
            never="Mutes, reports, and when a reply was hidden or shown again: only successive gates tell",
            reveals=("hide", "reply_gate", "quote_gate", "detach_quote", "block", "block_list", "label", "takedown"),
            unlisted=is_label,
        ),
    ),
    cost=Cost(each=13, posts_per_page=20, per_thread=1.2),
    docs="https://docs.bsky.app/docs/category/http-reference",
)
