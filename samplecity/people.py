"""Who lives in Harbor Falls: the City's accounts, with the ids that ``policy/accounts.yaml`` names, and the citizens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from samplecity.identifiers import did, snowflake

Platform = Literal["bluesky", "mastodon", "wordpress"]

APPVIEW = "appview.harborfalls.example"
PDS = "pds.harborfalls.example"
LAKESIDE_PDS = "pds.lakeside.example"
"""A second server for personal data: half of the citizens live there."""
PLC = "plc.directory"
LABELER = "moderation.lakeside.example"
"""The service that moderates for everybody on Bluesky."""
SOCIAL = "social.harborfalls.example"
LIBRARY = "library.harborfalls.example"
NEWS = "news.harborfalls.example"

CITY_HALL_DID = "did:plc:67bbwkmrct22stahy57fjapr"
WARD_3_DID = "did:plc:gejifi2x6yoribemce7tmihz"
PARKS_DID = "did:plc:t6nr7otc3kivjkulqnjq5p36"
BRANDT_DID = "did:plc:2bmiodv7ogihh6qvwrrrgt7v"
LABELER_DID = did("moderation")
TRANSIT_ID = "109301842205417733"
PUBLIC_WORKS_ID = "109301855914236108"
LIBRARY_ID = "110022764418850219"


@dataclass(slots=True)
class Person:
    """Someone with an account on a platform: a citizen, or one of the City's own accounts."""

    key: str
    platform: Platform
    service: str
    """Bluesky: the person's PDS; Mastodon: the server that numbers the account; WordPress: the site."""
    number: str
    """The id as the platform's answers give it: a DID, a snowflake, a user number (``0`` for a visitor)."""
    handle: str
    name: str
    created_at: datetime
    note: str = ""
    website: str = ""
    active: bool = True
    """False once the person deactivated the account (Mastodon: deleted it)."""
    suspended: bool = False
    """Mastodon: whether the server closed the account."""

    @property
    def is_shown(self) -> bool:
        """Whether the platform shows what the person wrote."""
        return self.active and not self.suspended

    @property
    def native_id(self) -> str:
        """The immutable id as the archive writes it."""
        return f"{self.service}/{self.number}" if self.platform == "mastodon" else self.number


@dataclass(slots=True)
class Account:
    """An account of the City."""

    name: str
    owner: Person
    approved: bool = True
    reachable: bool = True
    """False where the credential is dead and the server answers nobody else."""
    archived_since_days: int = 3300
    people: list[Person] = field(default_factory=list)
    """Who comments there."""

    @property
    def native_id(self) -> str:
        """The immutable id as the archive writes it: a WordPress account is its site."""
        return self.owner.service if self.owner.platform == "wordpress" else self.owner.native_id

    @property
    def account_id(self) -> str:
        """``platform:native-id``."""
        return f"{self.owner.platform}:{self.native_id}"


def city_accounts(now: datetime) -> dict[str, Account]:
    """The eight accounts, oldest content ``archived_since_days`` before ``now``."""

    def account(key: str, days: int, *, approved: bool = True, reachable: bool = True, **about: str) -> Account:
        created = now - timedelta(days=days)
        owner = Person(key=key, created_at=created, **about)  # type: ignore[arg-type]
        return Account(key, owner, approved=approved, reachable=reachable, archived_since_days=days)

    notice = "Posts and comments here are public records of the City of Harbor Falls and are archived."
    accounts = [
        account(
            "city-hall",
            3290,
            platform="bluesky",
            service=PDS,
            number=CITY_HALL_DID,
            handle="cityhall.harborfalls.example",
            name="City of Harbor Falls",
            note=f"Official account of the City of Harbor Falls. {notice}",
            website="https://harborfalls.example",
        ),
        account(
            "ward-3",
            2600,
            platform="bluesky",
            service=PDS,
            number=WARD_3_DID,
            handle="ward3.harborfalls.example",
            name="Ward 3 Council Office",
            note=f"Office of Council Ward 3, Harbor Falls. {notice}",
            website="https://harborfalls.example/ward3",
        ),
        account(
            "parks",
            1900,
            platform="bluesky",
            service=PDS,
            number=PARKS_DID,
            handle="parks.harborfalls.example",
            name="Harbor Falls Parks & Recreation 🌲",
            note=f"Parks, pools and programs. {notice}",
            website="https://harborfalls.example/parks",
        ),
        account(
            "brandt-personal",
            900,
            platform="bluesky",
            service=LAKESIDE_PDS,
            number=BRANDT_DID,
            handle="imanibrandt.example",
            name="Imani Brandt",
            note="Runner, mom, Harbor Falls. Views my own.",
            approved=False,
        ),
        account(
            "transit",
            1450,
            platform="mastodon",
            service=SOCIAL,
            number=TRANSIT_ID,
            handle="transit",
            name="Harbor Falls Transit 🚌",
            note=f"Service alerts and rider information. {notice}",
            website="https://harborfalls.example/transit",
        ),
        account(
            "public-works",
            1450,
            platform="mastodon",
            service=SOCIAL,
            number=PUBLIC_WORKS_ID,
            handle="publicworks",
            name="Harbor Falls Public Works",
            note=f"Streets, water, snow. {notice}",
            website="https://harborfalls.example/publicworks",
        ),
        account(
            "library",
            1300,
            platform="mastodon",
            service=LIBRARY,
            number=LIBRARY_ID,
            handle="branches",
            name="Harbor Falls Public Library",
            note=f"Six branches, one card. {notice}",
            website="https://harborfalls.example/library",
            reachable=False,
        ),
        account(
            "news",
            3290,
            platform="wordpress",
            service=NEWS,
            number="2",
            handle="tlindgren",
            name="Tomas Lindgren",
            website="https://news.harborfalls.example",
        ),
    ]
    return {account.name: account for account in accounts}


def citizens(names: list[list[str]], now: datetime) -> dict[tuple[str, str], list[Person]]:
    """The people of each platform and server, made from ``[key, display name]`` pairs."""
    made: dict[tuple[str, str], list[Person]] = {}
    for number, (key, name) in enumerate(names):
        joined = now - timedelta(days=1400 - 17 * number, hours=number)
        pds = PDS if number % 2 else LAKESIDE_PDS
        handle = f"{key}.lakeside.example" if number % 2 == 0 else f"{key}.harborfalls.example"
        made.setdefault(("bluesky", APPVIEW), []).append(Person(key, "bluesky", pds, did(key), handle, name, joined))
        for server in (SOCIAL, LIBRARY):
            acct = key if number % 3 else f"{key}@lakes.example"
            local = str(snowflake(joined, number))
            made.setdefault(("mastodon", server), []).append(
                Person(key, "mastodon", server, local, acct, name, joined, note=f"{name}, Harbor Falls")
            )
        site = f"https://{key}.example" if number % 5 == 0 else ""
        user = str(100 + number) if number % 6 == 0 else "0"
        made.setdefault(("wordpress", NEWS), []).append(
            Person(key, "wordpress", NEWS, user, key, name, joined, website=site)
        )
    return made
