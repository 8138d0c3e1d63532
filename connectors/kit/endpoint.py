"""One call of a platform's API: its name in evidence and its path."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote


class Endpoint(NamedTuple):
    """A row of a connector's endpoint table. Unpacks into the first two arguments of :meth:`connectors.kit.client.Client.get`."""

    call: str
    """Name under which exchanges are archived; normalizers go by it."""
    path: str
    """Path, with ``{placeholders}`` where ids go."""

    def of(self, **ids: str) -> Endpoint:
        """The same call with its placeholders filled in, percent-encoded."""
        return Endpoint(self.call, self.path.format_map({name: quote(value, safe="") for name, value in ids.items()}))
