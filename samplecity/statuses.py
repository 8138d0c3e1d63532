"""What a Mastodon server shows: accounts, statuses and their versions as JSON."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from samplecity.markup import hashtags, mastodon_html, mentions

if TYPE_CHECKING:
    from datetime import datetime

    from samplecity.people import Person
    from samplecity.world import Entry, World

Json = dict[str, Any]


class Views:
    """The entities of one server (docs.joinmastodon.org/entities)."""

    def __init__(self, world: World, host: str) -> None:
        self.world = world
        self.host = host

    def people(self) -> list[Person]:
        """Everyone the server knows."""
        people = self.world.people.values()
        return [person for person in people if person.platform == "mastodon" and person.service == self.host]

    def version(self, entry: Entry, text: str, since: datetime) -> Json:
        """``StatusEdit``."""
        return {
            "content": mastodon_html(text, self.host),
            "spoiler_text": "",
            "sensitive": False,
            "created_at": clock(since),
            "account": self.account(entry.author),
            "media_attachments": self.media(entry),
            "emojis": [],
        }

    def account(self, person: Person) -> Json:
        """``Account``."""
        user, _, domain = person.handle.partition("@")
        home = f"https://{domain or self.host}"
        picture = f"https://{self.host}/avatars/original/missing.png"
        written = self.world.written_by(person)
        if person.suspended:
            person = replace(person, name="", note="", website="")
        fields = [{"name": "Website", "value": mastodon_html(person.website, self.host)[3:-4], "verified_at": None}]
        return {
            "id": person.number,
            "username": user,
            "acct": person.handle,
            "display_name": person.name,
            "locked": False,
            "bot": False,
            "discoverable": True,
            "indexable": True,
            "group": False,
            "created_at": f"{person.created_at:%Y-%m-%d}T00:00:00.000Z",
            "note": mastodon_html(person.note, self.host),
            "url": f"{home}/@{user}",
            "uri": f"{home}/users/{user}",
            "avatar": picture,
            "avatar_static": picture,
            "header": f"https://{self.host}/headers/original/missing.png",
            "header_static": f"https://{self.host}/headers/original/missing.png",
            "followers_count": _number(person.number, 5000),
            "following_count": _number(person.handle, 90),
            "statuses_count": len(written),
            "last_status_at": max((f"{entry.at:%Y-%m-%d}" for entry in written), default=None),
            "hide_collections": None,
            "noindex": False,
            "emojis": [],
            "roles": [],
            "fields": fields if person.website else [],
            **({"suspended": True} if person.suspended else {}),
        }

    def status(self, entry: Entry, *, signed_in: bool) -> Json:
        """``Status``."""
        home = f"https://{self.host}"
        user = entry.author.handle.partition("@")[0]
        parent = self.world.live(entry.parent)
        status: Json = {
            "id": entry.number,
            "created_at": clock(entry.at),
            "in_reply_to_id": parent.number if parent else None,
            "in_reply_to_account_id": parent.author.number if parent else None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": entry.status,
            "language": entry.lang,
            "uri": f"{home}/users/{user}/statuses/{entry.number}",
            "url": f"{home}/@{user}/{entry.number}",
            "replies_count": len(self.world.replies(entry.native_id)),
            "reblogs_count": _number(entry.native_id, 8),
            "favourites_count": _number(entry.text, 30) + self.world.moment * (_number(entry.number, 4) == 0),
            "quotes_count": 0,
            "edited_at": clock(entry.edited_at) if entry.edited_at else None,
        }
        if signed_in:
            status |= {"favourited": False, "reblogged": False, "muted": False, "bookmarked": False, "filtered": []}
        boosted = self.world.live(entry.boosts)
        return {
            **status,
            "content": mastodon_html(entry.text, self.host),
            "reblog": self.status(boosted, signed_in=signed_in) if boosted else None,
            "application": {"name": "Web", "website": None} if entry.author.key in self.world.accounts else None,
            "account": self.account(entry.author),
            "media_attachments": self.media(entry),
            "mentions": self._mentions(entry),
            "tags": [{"name": tag, "url": f"{home}/tags/{tag}"} for tag in hashtags(entry.text)],
            "emojis": [],
            "card": None,
            "poll": None,
            "quote": None,
        }

    def _mentions(self, entry: Entry) -> list[Json]:
        named = {person.handle: person for person in self.people()}
        found = [named[handle] for handle in dict.fromkeys(mentions(entry.text)) if handle in named]
        return [
            {
                "id": person.number,
                "username": person.handle.partition("@")[0],
                "url": f"https://{person.handle.partition('@')[2] or self.host}/@{person.handle.partition('@')[0]}",
                "acct": person.handle,
            }
            for person in found
        ]

    def media(self, entry: Entry) -> list[Json]:
        """``MediaAttachment``, one or none."""
        if not entry.picture:
            return []
        place = f"https://{self.host}/system/media_attachments/files"
        return [
            {
                "id": str(int(entry.number) - 65_536),
                "type": "image",
                "url": f"{place}/{entry.number}/original/photo.jpg",
                "preview_url": f"{place}/{entry.number}/small/photo.jpg",
                "remote_url": None,
                "text_url": None,
                "meta": {"original": {"width": 1600, "height": 900, "size": "1600x900", "aspect": 1.7777777777777777}},
                "description": entry.picture,
                "blurhash": "UBL_:rOpGG-;~qRjWBay%MRjM{t7xuRjWBof",
            }
        ]


def clock(at: datetime) -> str:
    """A time the way Mastodon writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _number(seed: str, below: int) -> int:
    return zlib.crc32(seed.encode()) % below
