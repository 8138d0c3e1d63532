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
    labels: msgspec.Raw = msgspec.Raw(b"")
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


def from_record(found: PostRecord, payload: str, basis: str, account: str, server: str, /) -> Content:
    """A post as its author wrote it. ``server`` is the base URL of the repository, from which files can be had."""
    did, _, key = parts(found.uri)
    embed = found.value.embed
    files = _attachments(embed, server, did) if embed else None
    return _content(found.uri, did, key, found.value, files, payload, basis, account)


def from_view(found: PostView, payload: str, basis: str, account: str, /) -> Content:
    """The same post as the AppView shows it, with handle and name."""
    did, _, key = parts(found.uri)
    embed = found.record.embed
    files = _attachments(embed, None, did) if embed else None
    if files and found.embed:
        files = _located(files, found.embed)
    content = _content(found.uri, did, key, found.record, files, payload, basis, account)
    author = found.author
    if author:
        content.author_handle = known(author.handle)
        content.author_name = known(author.display_name)
    return content


def _content(
    uri: str, did: str, key: str, post: Post, files: list[Attachment] | None, payload: str, basis: str, account: str, /
) -> Content:
    if post.type != POST and post.type is not None:
        raise Broken(RECORD_TYPE, "not a post")
    text, embed, reply = known(post.text), post.embed, post.reply
    links = mentions = hashtags = None
    if post.facets or post.tags:
        links, mentions, hashtags = _marked(post)
    if embed:
        links = _once((links or []) + _embedded(embed))
    parent = root = None
    if reply:
        parent, root = record_id(reply.parent), record_id(reply.root)
    lang = post.langs[0] if post.langs else None
    marked = [(file.media_id, file.kind, file.alt) for file in files] if files else None
    return Content(  # in the order of its fields: keywords would take four times as long
        f"bluesky:{uri}",
        digest(text, None, marked, links, None, lang, parent),
        payload,
        "present",
        basis,
        moment(post.created_at),
        None,
        did,
        None,
        None,
        did == account,
        None,
        text,
        folded(text),
        lang,
        parent,
        root,
        f"https://bsky.app/profile/{did}/post/{key}",
        links,
        mentions,
        hashtags,
        files,
    )


def _marked(post: Post) -> tuple[list[str] | None, list[str] | None, list[str] | None]:
    """Links, mentions and hashtags, each once and in order."""
    links: list[str] = []
    mentions: list[str] = []
    hashtags: list[str] = []
    for facet in post.facets or ():
        for feature in facet.features or ():
            if feature.uri:
                links.append(feature.uri)
            elif feature.did:
                mentions.append(feature.did)
            elif feature.tag:
                hashtags.append(feature.tag)
    if post.tags:
        hashtags += post.tags
    return _once(links), _once(mentions), _once(hashtags)


def _once(values: list[str]) -> list[str] | None:
    return list(dict.fromkeys(values)) if len(values) > 1 else values or None


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


def _attachments(embed: Embed, server: str | None, did: str) -> list[Attachment] | None:
    """Pictures and film, with the address at which their owner's server gives them out."""
    shown = embed.media or embed
    if not shown.images and not shown.video:
        return None
    place = f"{server}/xrpc/com.atproto.sync.getBlob?did={did}&cid=" if server else None
    files = [_file(image.image, "image", image.alt, place) for image in shown.images or ()]
    if shown.video:
        files.append(_file(shown.video, "video", shown.alt, place))
    return [file for file in files if file] or None


def _file(blob: Blob | None, kind: str, alt: str | None, place: str | None) -> Attachment | None:
    cid = (blob.ref.cid if blob.ref else blob.cid) if blob else None
    if blob is None or not cid:
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
