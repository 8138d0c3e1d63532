"""HTML as plain text: paragraphs and line breaks become newlines, addresses and pictures are kept beside it.

The text is what a reader sees, with what the page only hides for looks (Mastodon shortens addresses that way) written out. Scripts and styles are
no text. The walk is iterative: the nesting is the author's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

_SPACE = re.compile(r"[ \t\n\r\f]+")
_MARKUP = re.compile(r"[<&]")
_TAG = re.compile(r"<[^>]*>")
_OPEN_OR_CLOSE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_DEEPEST = 2000
_VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "dl", "pre", "table", "figure", "hr"}
)
_LINES = frozenset(
    {"address", "article", "aside", "dd", "details", "div", "dt", "fieldset", "figcaption", "footer", "form", "header"}
    | {"li", "main", "nav", "section", "summary", "tr"}
)
_CELLS = frozenset({"td", "th"})
_NO_TEXT = frozenset({"head", "iframe", "noscript", "object", "script", "style", "template", "title"})
_FILES = {"img": "image", "video": "video", "audio": "audio"}
_OWN_LINKS = frozenset({"mention", "hashtag"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A file shown in the text."""

    kind: str
    url: str
    alt: str | None
    classes: str


@dataclass(slots=True)
class Reading:
    """What is read from HTML."""

    addresses: dict[str, None] = field(default_factory=dict)
    """Addresses linked, in order."""
    pictures: list[Picture] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    _owed: int = 0
    """Newlines to write before the next text."""
    _fresh: bool = True
    """Whether a line begins here, so that leading spaces do not count."""

    @property
    def links(self) -> list[str] | None:
        """Addresses linked, each once; None where there is none."""
        return list(self.addresses) or None

    @property
    def text(self) -> str | None:
        """The text; None where there is none."""
        return "".join(self.pieces).strip() or None

    def write(self, words: str, *, verbatim: bool) -> None:
        """Text between tags."""
        words = words if verbatim else _SPACE.sub(" ", words)
        if not verbatim and (self._fresh or self._owed):
            words = words.lstrip(" ")
        if not words:
            return
        if self._owed:
            self.pieces.append("\n" * self._owed)
        self._owed = 0
        self._fresh = words[-1] in " \n"
        self.pieces.append(words)

    def newline(self) -> None:
        """``<br>``."""
        self.pieces.append("\n" * (self._owed + 1))
        self._owed = 0
        self._fresh = True

    def owe(self, newlines: int) -> None:
        """A block begins or ends: its neighbors start on a new line, paragraphs with an empty one between."""
        if self.pieces:
            self._owed = max(self._owed, newlines)


def read(html: str | None) -> Reading:
    """Read HTML, a whole page or a piece of one."""
    reading = Reading()
    if not html:
        return reading
    if not _MARKUP.search(html):
        reading.write(html, verbatim=False)
        return reading
    if _bottomless(html):
        reading.write(unescape(_TAG.sub(" ", html)), verbatim=False)
        return reading
    body = LexborHTMLParser(html).body
    if body is not None:
        _walk(body, reading)
    return reading


def _bottomless(html: str) -> bool:
    """Whether tags may nest deeper than anyone writes: parsing takes time by the square of that."""
    if html.count("<") <= _DEEPEST:
        return False
    depth = 0
    for tag in _OPEN_OR_CLOSE.finditer(html):
        depth = max(0, depth - 1) if tag[1] else depth + (tag[2].lower() not in _VOID)
        if depth > _DEEPEST:
            return True
    return False


def plain(html: str | None) -> str | None:
    """The text alone, on one line: titles and names."""
    text = read(html).text
    return _SPACE.sub(" ", text) if text else None


def _walk(body: LexborNode, reading: Reading) -> None:
    node, depth, verbatim = body.child, 0, 0
    while node is not None:
        tag = node.tag or ""
        if tag == "-text":
            reading.write(node.text_content or "", verbatim=verbatim > 0)
        else:
            _enter(node, tag, reading)
        child = None if tag in _NO_TEXT else node.child
        if child is not None:
            verbatim += tag == "pre"
            node, depth = child, depth + 1
            continue
        _leave(tag, reading)
        while node is not None and node.next is None and depth:
            node, depth = node.parent, depth - 1
            tag = node.tag or "" if node is not None else ""
            verbatim -= tag == "pre"
            _leave(tag, reading)
        node = node.next if node is not None else None


def _enter(node: LexborNode, tag: str, reading: Reading) -> None:
    if tag == "br":
        reading.newline()
    elif tag == "a":
        _link(node, reading)
    elif tag in _FILES:
        _picture(node, tag, reading)
    elif tag in _CELLS and node.prev is not None:
        reading.write(" ", verbatim=False)
    _leave(tag, reading)


def _leave(tag: str, reading: Reading) -> None:
    if tag in _PARAGRAPHS:
        reading.owe(2)
    elif tag in _LINES:
        reading.owe(1)


def _link(node: LexborNode, reading: Reading) -> None:
    attributes = node.attributes
    address = attributes.get("href")
    own = _OWN_LINKS.intersection((attributes.get("class") or "").split())
    if address and not own and not address.startswith("#"):
        reading.addresses[address] = None


def _picture(node: LexborNode, tag: str, reading: Reading) -> None:
    attributes = node.attributes
    address = attributes.get("src")
    if address and not address.startswith("data:"):
        reading.pictures.append(
            Picture(_FILES[tag], address, attributes.get("alt") or None, attributes.get("class") or "")
        )
