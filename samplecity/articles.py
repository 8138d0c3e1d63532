"""What a WordPress site shows: posts and comments as JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from samplecity.markup import texturize, wordpress_html, wordpress_title

if TYPE_CHECKING:
    from samplecity.world import Entry, World

Json = dict[str, Any]
ZONE = ZoneInfo("America/Chicago")
STAFF = 2


class Articles:
    """The posts and comments of one site (developer.wordpress.org/rest-api/reference)."""

    def __init__(self, world: World, host: str) -> None:
        self.world = world
        self.home = f"https://{host}"

    def parent(self, entry: Entry) -> int:
        """The number of the comment it answers, 0 for none."""
        parent = self.world.live(entry.parent)
        return int(parent.number) if parent and parent.kind == "comment" else 0

    def post(self, entry: Entry, *, edit: bool) -> Json:
        """A post; ``edit``: with raw texts."""
        modified = entry.edited_at or entry.at
        slug = re.sub(r"[^a-z0-9]+", "-", entry.title.lower()).strip("-")[:60]
        link = f"{self.home}/{entry.at:%Y/%m}/{slug}/"
        content = wordpress_html(entry.text)
        if entry.picture:
            file = f"{self.home}/wp-content/uploads/{entry.at:%Y/%m}/photo-{entry.number}.jpg"
            content += f'<figure class="wp-block-image size-large"><img src="{file}" alt="{entry.picture}"/></figure>\n'
        post: Json = {
            "id": int(entry.number),
            **_dates(entry.at),
            "guid": {"rendered": f"{self.home}/?p={entry.number}"},
            "modified": local(modified),
            "modified_gmt": gmt(modified),
            "slug": slug,
            "status": entry.status,
            "type": "post",
            "link": link,
            "title": {"rendered": wordpress_title(entry.title)},
            "content": {"rendered": content, "protected": False},
            "excerpt": {"rendered": wordpress_html(entry.text.split("\n\n")[0]), "protected": False},
            "author": STAFF,
            "featured_media": 0,
            "comment_status": "open",
            "ping_status": "open",
            "sticky": False,
            "template": "",
            "format": "standard",
            "meta": {"footnotes": ""},
            "categories": [1],
            "tags": [],
            "class_list": [f"post-{entry.number}", "post", "type-post", f"status-{entry.status}"],
            "_links": {"self": [{"href": f"{self.home}/wp-json/wp/v2/posts/{entry.number}"}]},
        }
        if edit:
            post["title"]["raw"], post["content"]["raw"], post["excerpt"]["raw"] = entry.title, entry.text, ""
            post["content"]["block_version"] = 0
            post |= {
                "password": "",
                "permalink_template": f"{self.home}/{entry.at:%Y/%m}/%postname%/",
                "generated_slug": slug,
            }
        return post

    def comment(self, entry: Entry, *, edit: bool) -> Json:
        """A comment; ``edit``: with raw texts, address and e-mail of its author."""
        root = self.world.entries[entry.root or ""]
        page = f"{self.home}/?p={root.number}#comment-{entry.number}"
        owner = entry.author.key in self.world.accounts
        rendered = entry.text if entry.type == "pingback" else wordpress_html(entry.text)
        avatars = {
            str(size): f"https://secure.gravatar.com/avatar/{entry.number}?s={size}&d=mm&r=g" for size in (24, 48, 96)
        }
        comment: Json = {
            "id": int(entry.number),
            "post": int(root.number),
            "parent": self.parent(entry),
            "author": int(entry.author.number),
            "author_name": entry.author.name,
            "author_url": "" if owner else entry.author.website,
            **_dates(entry.at),
            "content": {"rendered": texturize(rendered) if entry.type == "pingback" else rendered},
            "link": page,
            "status": entry.status,
            "type": entry.type,
            "author_avatar_urls": avatars,
            "meta": [],
            "_links": {"self": [{"href": f"{self.home}/wp-json/wp/v2/comments/{entry.number}"}]},
        }
        if edit:
            comment["content"]["raw"] = entry.text
            comment |= {
                "author_email": f"{entry.author.key}@mail.example",
                "author_ip": f"198.51.100.{int(entry.number) % 250}",
                "author_user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
            }
        return comment


def _dates(at: datetime) -> Json:
    return {"date": local(at), "date_gmt": gmt(at)}


def local(at: datetime) -> str:
    """In the site's own zone, without saying so."""
    return f"{at.astimezone(ZONE):%Y-%m-%dT%H:%M:%S}"


def gmt(at: datetime) -> str:
    """In UTC, without saying so."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
