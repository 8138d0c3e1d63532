"""The sample city's accounts as connectors see them: one to look at per platform, with the credential that shows all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors.contract import AccountRef, Connection, Credential, Item, Look, Page, Resource
from connectors.registry import PLATFORMS
from samplecity.people import APPVIEW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.exchange import Exchange
    from samplecity.server import City


@dataclass(frozen=True)
class Sample:
    """An account of the city to look at."""

    name: str
    platform: str
    posts: str
    """Where its posts are listed: a pattern for the path, as the city's faults take it."""
    confirm: str
    """Where one post is read directly."""
    address: str
    """How a person writes it."""


SAMPLES = {
    sample.platform: sample
    for sample in (
        Sample("parks", "bluesky", r"listRecords.*feed\.post", r"getRecord", "parks.harborfalls.example"),
        Sample(
            "transit", "mastodon", r"/accounts/\d+/statuses", r"/statuses/\d+$", "transit@social.harborfalls.example"
        ),
        Sample(
            "news",
            "wordpress",
            r"/wp/v2/posts\?",
            r"/wp/v2/posts/\d+",
            "https://news.harborfalls.example/",
        ),
    )
}


@dataclass
class Eye:
    """Looks at one account of a running city."""

    city: City
    sample: Sample
    with_credential: bool = True
    skew: timedelta = timedelta(0)
    values: Mapping[str, str] | None = None
    recorded: list[Exchange] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    _subjects: list[Item] | None = None

    @property
    def truth(self) -> dict[str, Any]:
        return self.city.truth()["accounts"][self.sample.name]

    @property
    def account(self) -> AccountRef:
        platform, _, native_id = self.truth["account_id"].partition(":")
        service = APPVIEW if platform == "bluesky" else native_id.partition("/")[0]
        return AccountRef(platform, native_id, self.truth["handle"], service)

    @property
    def connection(self) -> Connection:
        values = self.values or (self.city.credentials().get(self.sample.name) if self.with_credential else None)
        return Connection(
            self.account,
            self.recorded.append,
            lambda: datetime.now(UTC) + self.skew,
            self.slept.append,
            credential=Credential(self.sample.name, values) if values else None,
            services=self.city.services(),
        )

    def resource(self, name: str) -> Resource:
        return next(one for one in PLATFORMS[self.sample.platform].resources if one.name == name)

    def pages(self, name: str, resume: Any = None, since: datetime | None = None) -> list[Page]:
        """What a look at one resource gives."""
        resource = self.resource(name)
        subjects = self.subjects() if resource.needs_posts else ()
        return list(resource.fetch(self.connection, Look(since=since, resume=resume, subjects=subjects)))

    def subjects(self) -> list[Item]:
        """Everything the account wrote when first asked, newest first."""
        if self._subjects is None:
            self._subjects = self._written()
        return self._subjects

    def _written(self) -> list[Item]:
        found = {item.native_id: item for page in self.pages("posts") for item in page.items}
        undated = datetime.min.replace(tzinfo=UTC)
        return sorted(found.values(), key=lambda item: item.published_at or undated, reverse=True)

    def ids(self, name: str) -> set[str]:
        """Ids that a look at one resource shows."""
        return {item.native_id for page in self.pages(name) for item in page.items}

    def expected(self, name: str) -> set[str]:
        """Ids of posts or comments that are there, by the city's own account."""
        moment = str(self.city.truth()["moment"])
        states = self.truth["states"][moment][name]
        return {record.partition(":")[2] for record, state in states.items() if state in ("present", "hidden")}
