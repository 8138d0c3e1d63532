"""A Bluesky post as its author wrote it, and as the AppView shows it: shapes and columns.

The lexicon ``app.bsky.feed.post`` is written by any client, so everything but the text may be absent, and ``createdAt`` is a claim: no zone is
UTC, what is no time at all becomes null, a future time stays. Text and everything else that makes a version come from the record,
never from the AppView's rendering of it: the same record seen both ways has the same ``content_sha256``.

Facets count UTF-8 bytes. Nothing here cuts the text by them: addresses, accounts and tags stand in the facets in full.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from transforms.quarantine import NATIVE_ID, RECORD_TYPE, Broken
from transforms.rows import Attachment, Content
from transforms.text import digest, folded, known, moment

POST = "app.bsky.feed.post"
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Link(msgspec.Struct, gc=False):
    """A CID in JSON."""

    cid: str | None = msgspec.field(default=None, name="$link")


class Blob(msgspec.Struct, gc=False, rename="camel"):
    """A file; ``cid`` is the shape of 2022."""

    ref: Link | None = None
    cid: str | None = None
    mime_type: str | None = None


class Image(msgspec.Struct, gc=False):
    """One picture of an embed."""

    image: Blob | None = None
    alt: str | None = None


class Reference(msgspec.Struct, gc=False):
    """A strong reference, or the wrapper ``recordWithMedia`` puts around one."""

    uri: str | None = None
    record: Reference | None = None


class External(msgspec.Struct, gc=False):
    """A link card."""

    uri: str | None = None
    title: str | None = None
    description: str | None = None


class Embed(msgspec.Struct, gc=False):
    """All the embeds of a record in one, as kinds that are not known yet must not break the post."""

    images: list[Image] | None = None
    video: Blob | None = None
    alt: str | None = None
    external: External | None = None
    record: Reference | None = None
    media: Embed | None = None


class Feature(msgspec.Struct, gc=False):
    """What a facet marks: a link, a mention or a tag."""

    uri: str | None = None
    did: str | None = None
    tag: str | None = None


class Facet(msgspec.Struct, gc=False):
    """A marked stretch of text."""

    features: list[Feature] | None = None


class Reply(msgspec.Struct, gc=False):
    """What a post answers."""

    root: Reference | None = None
    parent: Reference | None = None


class Post(msgspec.Struct, gc=False, rename="camel"):
    """``app.bsky.feed.post``."""

    type: str | None = msgspec.field(default=None, name="$type")
    text: str | None = None
    created_at: str | None = None
    reply: Reply | None = None
    embed: Embed | None = None
    facets: list[Facet] | None = None
    langs: list[str] | None = None
    tags: list[str] | None = None


class PostRecord(msgspec.Struct, gc=False):
    """An element of ``listRecords``, or the answer of ``getRecord``."""

    uri: str
    value: Post


class Author(msgspec.Struct, gc=False, rename="camel"):
    """Who wrote a post, as the AppView shows them."""

    did: str | None = None
    handle: str | None = None
    display_name: str | None = None


class ShownImage(msgspec.Struct, gc=False):
    """Where the AppView serves a picture."""

    fullsize: str | None = None


class ShownEmbed(msgspec.Struct, gc=False):
    """Where the AppView serves an embed's files."""

    images: list[ShownImage] | None = None
    playlist: str | None = None
    media: ShownEmbed | None = None


class PostView(msgspec.Struct, gc=False, rename="camel"):
    """``app.bsky.feed.defs#postView``."""

    uri: str
    record: Post
    author: Author | None = None
    embed: ShownEmbed | None = None
    like_count: Count | None = None
    repost_count: Count | None = None
    reply_count: Count | None = None
    quote_count: Count | None = None


_URI = re.compile(r"at://(did:[a-z]+:[A-Za-z0-9._:%-]{1,2000})/([A-Za-z0-9.-]{3,317})/([A-Za-z0-9._~:-]{1,512})")


def parts(uri: str) -> tuple[str, str, str]:
    """Repository, collection and key of an at-URI with a DID. Raises :class:`Broken`: it is the record's id."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise Broken(NATIVE_ID, "not an at-URI with a DID")
    return found[1], found[2], found[3]


def record_id(reference: Reference | None) -> str | None:
    """``bluesky:`` and the at-URI."""
    return f"bluesky:{reference.uri}" if reference and reference.uri else None


def from_record(found: PostRecord, *, payload: str, basis: str, account: str, server: str) -> Content:
    """A post as its author wrote it. ``server`` is the base URL of the repository, from which files can be had."""
    did, _, key = parts(found.uri)
    embed = found.value.embed
    files = _attachments(embed, f"{server}/xrpc/com.atproto.sync.getBlob?did={did}&cid=") if embed else None
    return _content(found.uri, did, key, found.value, files, payload, basis, account)


def from_view(found: PostView, *, payload: str, basis: str, account: str) -> Content:
    """The same post as the AppView shows it, with handle and name."""
    did, _, key = parts(found.uri)
    embed = found.record.embed
    files = _attachments(embed, None) if embed else None
    if files and found.embed:
        files = _located(files, found.embed)
    content = _content(found.uri, did, key, found.record, files, payload, basis, account)
    author = found.author
    if author:
        content.author_handle = known(author.handle)
        content.author_name = known(author.display_name)
    return content


def _content(  # noqa: PLR0917 - called for every post there is: keywords would cost
    uri: str, did: str, key: str, post: Post, files: list[Attachment] | None, payload: str, basis: str, account: str, /
) -> Content:
    if post.type != POST and post.type is not None:
        raise Broken(RECORD_TYPE, "not a post")
    text = known(post.text)
    embed, facets, reply = post.embed, post.facets, post.reply
    links = _embedded(embed) if embed else []
    mentions: list[str] = []
    hashtags: list[str] = []
    if facets:
        links = _marked(facets, mentions, hashtags) + links
    if post.tags:
        hashtags += post.tags
    lang = post.langs[0] if post.langs else None
    parent = root = None
    if reply:
        parent, root = record_id(reply.parent), record_id(reply.root)
    marked = [(file.media_id, file.kind, file.alt) for file in files] if files else None
    links = _once(links)
    return Content(
        f"bluesky:{uri}",
        digest(text, None, marked, links or None, None, lang, parent),
        payload,
        state_basis=basis,
        published_at=moment(post.created_at),
        author_id=did,
        author_is_account=did == account,
        text=text,
        text_folded=folded(text),
        lang=lang,
        parent_id=parent,
        root_id=root,
        url=f"https://bsky.app/profile/{did}/post/{key}",
        links=links or None,
        mentions=_once(mentions) or None,
        hashtags=_once(hashtags) or None,
        attachments=files,
    )


def _marked(facets: list[Facet], mentions: list[str], hashtags: list[str]) -> list[str]:
    """The links of the facets; mentions and hashtags are added to theirs."""
    links = []
    for facet in facets:
        for feature in facet.features or ():
            if feature.uri:
                links.append(feature.uri)
            elif feature.did:
                mentions.append(feature.did)
            elif feature.tag:
                hashtags.append(feature.tag)
    return links


def _once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values)) if len(values) > 1 else values


def _embedded(embed: Embed) -> list[str]:
    """What a link card leads to, and a quoted post."""
    card = embed.external or (embed.media.external if embed.media else None)
    links = [card.uri] if card and card.uri else []
    quoted = embed.record
    if quoted:
        quoted = quoted.record or quoted
        if quoted.uri:
            links.append(quoted.uri)
    return links


def _attachments(embed: Embed, place: str | None) -> list[Attachment] | None:
    """Pictures and film; ``place`` and the CID make an address."""
    shown = embed.media or embed
    files = []
    for image in shown.images or ():
        file = _file(image.image, "image", image.alt, place)
        if file:
            files.append(file)
    if shown.video:
        file = _file(shown.video, "video", shown.alt, place)
        if file:
            files.append(file)
    return files or None


def _file(blob: Blob | None, kind: str, alt: str | None, place: str | None) -> Attachment | None:
    if blob is None:
        return None
    cid = blob.ref.cid if blob.ref else blob.cid
    if not cid:
        return None
    return Attachment(f"bluesky:{cid}", kind, place and place + cid, known(alt), blob.mime_type)


def _located(files: list[Attachment], embed: ShownEmbed) -> list[Attachment]:
    """The files with the addresses at which the AppView shows them."""
    shown = embed.media or embed
    addresses = [image.fullsize for image in shown.images or ()] or [shown.playlist]
    if len(addresses) != len(files):
        return files
    return [
        Attachment(file.media_id, file.kind, address, file.alt, file.mime)
        for file, address in zip(files, addresses, strict=True)
    ]
