"""Posts as the public sees them, and when it is believed that it sees none of them.

``getPosts`` leaves out what it does not show. An AppView in trouble leaves out everything: so where an answer shows nothing, it is asked once more,
together with a post that was shown before in the same look. An answer that shows none of more than :data:`FEW` says nothing about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.bluesky.records import PostViews, Views
    from connectors.bluesky.servers import Servers
    from connectors.exchange import Exchange
    from connectors.kit.endpoint import Endpoint

    _Answer = TypeVar("_Answer", Views, PostViews)

VIEWS_PER_CALL = 24
"""The API takes 25: one place is for the post shown before."""
FEW = 2
"""So many that are not shown are believed alone; the normalizer goes by the same number."""


def views(servers: Servers, endpoint: Endpoint, kind: type[_Answer], uris: Sequence[str]) -> tuple[Exchange, _Answer]:
    """The AppView's views of posts, at most :data:`VIEWS_PER_CALL`."""
    exchange, answer = servers.appview.read(*endpoint, kind, {"uris": list(uris)})
    if not answer.posts and len(uris) > FEW:
        again = [*uris, servers.shown] if servers.shown else list(uris)
        exchange, answer = servers.appview.read(*endpoint, kind, {"uris": again})
    if answer.posts:
        first = answer.posts[0]
        uri = first.get("uri") if isinstance(first, dict) else first.uri
        servers.shown = uri if isinstance(uri, str) else servers.shown
    return exchange, answer
