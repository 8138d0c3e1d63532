"""Bluesky's records and views of the sample city: what is in the repositories, and how the AppView shows it."""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from samplecity.identifiers import blob_cid, cid
from samplecity.markup import facets, links
from samplecity.people import LABELER_DID
from samplecity.world import POST_COLLECTION, Bar, Entry, Gate, Label, World

if TYPE_CHECKING:
    from samplecity.people import Person

GATE_COLLECTION = "app.bsky.feed.threadgate"
BLOCK_COLLECTION = "app.bsky.graph.block"
PROFILE_COLLECTION = "app.bsky.actor.profile"
Json = dict[str, Any]
INDEXING = timedelta(milliseconds=640)
"""How long the AppView takes to see a post."""


def clock(at: datetime) -> str:
    """A time the way the servers write it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def post_record(world: World, entry: Entry, version: int = -1) -> Json:
    """The record of a post or reply, as its repository holds it."""
    text = entry.versions[version][0]
    record: Json = {
        "$type": POST_COLLECTION,
        "createdAt": entry.created_text or clock(entry.at),
        "langs": [entry.lang],
        "text": text,
    }
    marks = facets(text, world.dids)
    if marks:
        record["facets"] = marks
    if entry.picture:
        record["embed"] = {"$type": "app.bsky.embed.images", "images": [_image(entry)]}
    elif entry.kind == "post" and links(text):
        record["embed"] = {"$type": "app.bsky.embed.external", "external": _card(text)}
    if entry.parent and entry.root:
        refs = {"root": world.entries[entry.root], "parent": world.entries[entry.parent]}
        record["reply"] = {part: {"cid": record_cid(held, 0), "uri": held.native_id} for part, held in refs.items()}
    return record


def record_cid(entry: Entry, version: int = -1) -> str:
    """The CID of one version of a post's record."""
    text, since = entry.versions[version]
    return cid(f"{entry.native_id}\n{since.isoformat()}\n{text}".encode())


def value_cid(value: Json) -> str:
    """The CID of any other record."""
    return cid(json.dumps(value, sort_keys=True).encode())


def gate_record(gate: Gate) -> Json:
    """A thread gate: who may answer (here: everyone), and which replies are hidden."""
    return {
        "$type": GATE_COLLECTION,
        "post": gate.root,
        "createdAt": clock(gate.at),
        "hiddenReplies": list(gate.hidden),
    }


def gate_uri(gate: Gate) -> str:
    """A gate has the key of its post."""
    return gate.root.replace(POST_COLLECTION, GATE_COLLECTION)


def block_record(bar: Bar) -> Json:
    """A block."""
    return {"$type": BLOCK_COLLECTION, "subject": bar.subject.number, "createdAt": clock(bar.at)}


def profile_record(person: Person) -> Json:
    """The profile."""
    return {
        "$type": PROFILE_COLLECTION,
        "createdAt": clock(person.created_at),
        "description": person.note,
        "displayName": person.name,
    }


def label_view(label: Label) -> Json:
    """``com.atproto.label.defs#label``."""
    view: Json = {"ver": 1, "src": LABELER_DID, "uri": label.uri, "val": label.value, "cts": clock(label.at)}
    return view if label.in_force else {**view, "neg": True}


def author_view(person: Person) -> Json:
    """``app.bsky.actor.defs#profileViewBasic``."""
    return {
        "did": person.number,
        "handle": person.handle,
        "displayName": person.name,
        "avatar": f"https://cdn.bsky.app/img/avatar/plain/{person.number}/{blob_cid(person.key.encode())}@jpeg",
        "associated": {
            "chat": {"allowIncoming": "following"},
            "activitySubscription": {"allowSubscriptions": "followers"},
        },
        "labels": [],
        "createdAt": clock(person.created_at),
    }


def profile_view(world: World, person: Person) -> Json:
    """``app.bsky.actor.defs#profileViewDetailed``."""
    return {
        **author_view(person),
        "associated": {"lists": 0, "feedgens": 0, "starterPacks": 0, "labeler": False},
        "description": person.note,
        "indexedAt": clock(person.created_at + INDEXING),
        "banner": f"https://cdn.bsky.app/img/banner/plain/{person.number}/{blob_cid(person.name.encode())}@jpeg",
        "followersCount": _number(person.number, 9000),
        "followsCount": _number(person.handle, 200),
        "postsCount": len(world.written_by(person)),
    }


def post_view(world: World, entry: Entry) -> Json:
    """``app.bsky.feed.defs#postView``."""
    record = post_record(world, entry)
    view: Json = {
        "uri": entry.native_id,
        "cid": record_cid(entry),
        "author": author_view(entry.author),
        "record": record,
        "bookmarkCount": 0,
        "replyCount": len(world.replies(entry.native_id)),
        "repostCount": _number(entry.native_id, 6),
        "likeCount": _number(entry.text, 40) + world.moment * (_number(entry.native_id, 4) == 0),
        "quoteCount": 0,
        "indexedAt": clock(max(entry.at, entry.versions[-1][1]) + INDEXING),
        "labels": [label_view(label) for label in world.labels_on(entry.native_id)],
    }
    if "embed" in record:
        view["embed"] = _embed_view(entry, record["embed"])
    gate = world.gates.get(entry.native_id)
    if gate:
        held = gate_record(gate)
        view["threadgate"] = {"uri": gate_uri(gate), "cid": value_cid(held), "record": held, "lists": []}
    return view


def _image(entry: Entry) -> Json:
    blob = {"$link": blob_cid(entry.native_id.encode())}
    return {
        "alt": entry.picture,
        "aspectRatio": {"width": 1600, "height": 900},
        "image": {
            "$type": "blob",
            "ref": blob,
            "mimeType": "image/jpeg",
            "size": 100_000 + _number(entry.native_id, 700_000),
        },
    }


def _card(text: str) -> Json:
    return {"uri": links(text)[0], "title": "City of Harbor Falls", "description": "From the City's website"}


def _embed_view(entry: Entry, embed: Json) -> Json:
    if "external" in embed:
        return {"$type": f"{embed['$type']}#view", "external": embed["external"]}
    base = f"https://cdn.bsky.app/img/{{}}/plain/{entry.author.number}/{blob_cid(entry.native_id.encode())}@jpeg"
    images = [
        {
            "thumb": base.format("feed_thumbnail"),
            "fullsize": base.format("feed_fullsize"),
            "alt": image["alt"],
            "aspectRatio": image["aspectRatio"],
        }
        for image in embed["images"]
    ]
    return {"$type": f"{embed['$type']}#view", "images": images}


def _number(seed: str, below: int) -> int:
    return zlib.crc32(seed.encode()) % below
