"""Plain texts as the platforms mark them up: Bluesky's facets, Mastodon's and WordPress's HTML."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LINK = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
TAG = re.compile(r"(?<!\w)#(\w+)")
MENTION = re.compile(r"(?<!\w)@([A-Za-z0-9_]+(?:[.@][A-Za-z0-9.-]+)?)")
_TOKEN = re.compile(f"(?P<link>{LINK.pattern})|(?P<tag>{TAG.pattern})|(?P<mention>{MENTION.pattern})")


def links(text: str) -> list[str]:
    """Addresses in a text."""
    return LINK.findall(text)


def hashtags(text: str) -> list[str]:
    """Hashtags in a text, without the sign."""
    return [tag for tag in TAG.findall(LINK.sub("", text)) if not tag.isdigit()]


def mentions(text: str) -> list[str]:
    """Handles mentioned in a text, without the sign."""
    return MENTION.findall(text)


def facets(text: str, did_of: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rich text facets with their places as byte offsets into UTF-8 (docs.bsky.app/docs/advanced-guides/post-richtext)."""
    found = []
    for match in _TOKEN.finditer(text):
        feature = _feature(match, did_of)
        if feature:
            start = len(text[: match.start()].encode())
            index = {"byteStart": start, "byteEnd": start + len(match.group().encode())}
            found.append({"$type": "app.bsky.richtext.facet", "index": index, "features": [feature]})
    return found


def _feature(match: re.Match[str], did_of: Mapping[str, str]) -> dict[str, str] | None:
    kind = "app.bsky.richtext.facet"
    if match["link"]:
        return {"$type": f"{kind}#link", "uri": match["link"]}
    if match["tag"]:
        return None if match["tag"][1:].isdigit() else {"$type": f"{kind}#tag", "tag": match["tag"][1:]}
    did = did_of.get(match["mention"][1:])
    return {"$type": f"{kind}#mention", "did": did} if did else None


def mastodon_html(text: str, host: str) -> str:
    """A status's content as Mastodon renders it."""

    def token(match: re.Match[str]) -> str:
        if match["link"]:
            scheme, _, rest = match["link"].partition("://")
            shown = (
                f'<span class="ellipsis">{rest[:30]}</span><span class="invisible">{rest[30:]}</span>'
                if len(rest) > 30  # noqa: PLR2004 - Mastodon shows 30 characters of an address
                else f'<span class="">{rest}</span><span class="invisible"></span>'
            )
            return (
                f'<a href="{match["link"]}" target="_blank" rel="nofollow noopener" translate="no">'
                f'<span class="invisible">{scheme}://</span>{shown}</a>'
            )
        if match["tag"]:
            tag = match["tag"][1:]
            if tag.isdigit():
                return match["tag"]
            return f'<a href="https://{host}/tags/{tag}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
        user, _, domain = match["mention"][1:].partition("@")
        return (
            f'<span class="h-card" translate="no"><a href="https://{domain or host}/@{user}" class="u-url mention">'
            f"@<span>{user}</span></a></span>"
        )

    return _paragraphs(text, lambda part: _mark(part, token), separator="")


def wordpress_html(text: str) -> str:
    """A post's or comment's content as WordPress renders it (wpautop, wptexturize)."""

    def token(match: re.Match[str]) -> str:
        if match["link"]:
            return f'<a href="{match["link"]}">{match["link"]}</a>'
        return match.group()

    return _paragraphs(text, lambda part: texturize(_mark(part, token)), separator="\n") + "\n"


def texturize(markup: str) -> str:
    """Typographic entities, as ``wptexturize`` makes them, outside of tags and shortcodes."""
    parts = re.split(r"(<[^>]+>|\[\w+ [^\]]*\])", markup)
    return "".join(part if number % 2 else _curl(part) for number, part in enumerate(parts))


def wordpress_title(text: str) -> str:
    """A title as ``title.rendered`` shows it."""
    return texturize(escape(text, quote=False).replace("&amp;", "&#038;"))


def _curl(text: str) -> str:
    text = text.replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&#038;")
    text = re.sub(r'(^|[\s(\[])"', r"\1&#8220;", text).replace('"', "&#8221;")
    text = re.sub(r"(^|[\s(\[])'", r"\1&#8216;", text).replace("'", "&#8217;")
    return text.replace("...", "&#8230;").replace("--", "&#8212;").replace("“", "&#8220;").replace("”", "&#8221;")


def _mark(text: str, token: Callable[[re.Match[str]], str]) -> str:
    marked, end = [], 0
    for match in _TOKEN.finditer(text):
        marked += [escape(text[end : match.start()], quote=False), token(match)]
        end = match.end()
    return "".join([*marked, escape(text[end:], quote=False)])


def _paragraphs(text: str, render: Callable[[str], str], *, separator: str) -> str:
    parts = [part.strip("\n") for part in re.split(r"\n{2,}", text) if part.strip()]
    return separator.join(f"<p>{render(part)}</p>".replace("\n", "<br />") for part in parts)
