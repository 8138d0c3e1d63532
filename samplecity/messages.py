"""What the server hands to a platform front and what it gets back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Headers = tuple[tuple[str, str], ...]
JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, already read in full. ``path`` starts after the front's prefix; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""
    target: str = ""
    """Path and query as they came, prefix included."""

    def one(self, name: str, default: str = "") -> str:
        """A query parameter's last value."""
        values = self.query.get(name)
        return values[-1] if values else default

    def many(self, name: str) -> list[str]:
        """All values of a parameter, also where they come as ``name[]`` or with commas between them."""
        values = [*self.query.get(name, ()), *self.query.get(f"{name}[]", ())]
        return [part for value in values for part in value.split(",") if part]

    @property
    def flag(self) -> Mapping[str, bool]:
        """Query parameters that say yes or no."""
        return {name: values[-1] in ("true", "1", "t") for name, values in self.query.items()}

    def json(self) -> Any:  # noqa: ANN401 - whatever the client sent
        """The body as JSON; an empty object where it is none."""
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}


@dataclass(frozen=True, slots=True)
class Response:
    """A status, headers (without length, date and connection, which the server adds) and a body."""

    status: int
    headers: Headers
    body: bytes

    def with_body(self, body: bytes) -> Response:
        """The same with another body."""
        return Response(self.status, self.headers, body)

    def header(self, name: str) -> str:
        """A header's value, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Front(Protocol):
    """A platform's address space."""

    def answer(self, request: Request) -> Response:
        """Answer as the platform would."""


def as_json(
    value: Any,  # noqa: ANN401 - any JSON value
    status: int = 200,
    headers: Iterable[tuple[str, str]] = (),
    *,
    content_type: str = JSON_TYPE,
    php: bool = False,
) -> Response:
    """A JSON answer; ``php``: escaped the way PHP does (ASCII only, slashes escaped)."""
    text = json.dumps(value, ensure_ascii=php, separators=(",", ":"))
    body = text.replace("/", "\\/").encode() if php else text.encode()
    return Response(status, (("Content-Type", content_type), *headers), body)
