"""An independent reader of the sample city: everything its API shows, by record id, with text and state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from samplecity import people
from samplecity.server import TRANSIT_TOKEN
from samplecity.wordpress import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from samplecity.server import City

Seen = dict[str, tuple[str, str]]
"""record id -> state, text."""


def everything(city: City) -> Seen:
    """All that can be seen of the approved and reachable accounts."""
    with requests.Session() as session:
        return {**bluesky(city, session), **mastodon(city, session), **wordpress(city, session)}


def bluesky(city: City, session: requests.Session) -> Seen:
    """The City's repositories, and everybody's replies in their threads; hidden is what the gates name."""
    accounts = [people.CITY_HALL_DID, people.WARD_3_DID, people.PARKS_DID]
    everybody = [key[1] for key in city.desk.world.people if key[0] == "bluesky"]
    records = {did: list(repository(city, session, did, "app.bsky.feed.post")) for did in everybody}
    hidden = {
        uri
        for did in accounts
        for gate in repository(city, session, did, "app.bsky.feed.threadgate")
        for uri in gate["value"]["hiddenReplies"]
    }
    return {
        f"bluesky:{record['uri']}": ("hidden" if record["uri"] in hidden else "present", record["value"]["text"])
        for did, held in records.items()
        for record in held
        if _belongs(record, did, accounts)
    }


def _belongs(record: dict[str, Any], did: str, accounts: list[str]) -> bool:
    reply = record["value"].get("reply")
    return reply["root"]["uri"].split("/")[2] in accounts if reply else did in accounts


def repository(city: City, session: requests.Session, did: str, collection: str) -> Iterator[dict[str, Any]]:
    """All records of a collection, read page by page from the server that the directory names."""
    document = session.get(f"{city.services()[people.PLC]}/{did}").json()
    host = document["service"][0]["serviceEndpoint"].removeprefix("https://")
    params = {"repo": did, "collection": collection, "limit": "60"}
    while True:
        answer = session.get(f"{city.services()[host]}/xrpc/com.atproto.repo.listRecords", params=params)
        if answer.status_code != 200:
            assert answer.json()["error"] == "RepoDeactivated"
            return
        page = answer.json()
        yield from page["records"]
        if "cursor" not in page:
            return
        params["cursor"] = page["cursor"]


def statuses(city: City, session: requests.Session, number: str, **params: str) -> list[dict[str, Any]]:
    """All statuses of an account, by the Link header."""
    base = city.services()[people.SOCIAL]
    url = f"{base}/api/v1/accounts/{number}/statuses"
    found: list[dict[str, Any]] = []
    query: dict[str, str] | None = {"limit": "25", **params}
    while True:
        answer = session.get(url, params=query)
        found += answer.json()
        if "next" not in answer.links:
            return found
        url, query = answer.links["next"]["url"].replace(f"https://{people.SOCIAL}", base), None


def mastodon(city: City, session: requests.Session) -> Seen:
    """Statuses with the token where there is one, threads as anyone sees them."""
    seen: Seen = {}
    base = city.services()[people.SOCIAL]
    for number, token in ((people.TRANSIT_ID, TRANSIT_TOKEN), (people.PUBLIC_WORKS_ID, "")):
        with requests.Session() as own:
            own.headers.update({"Authorization": f"Bearer {token}"} if token else {})
            for status in statuses(city, own, number):
                seen[f"mastodon:{people.SOCIAL}/{status['id']}"] = ("present", status["content"])
        for status in statuses(city, session, number):
            thread = session.get(f"{base}/api/v1/statuses/{status['id']}/context").json()
            for below in thread["descendants"]:
                seen[f"mastodon:{people.SOCIAL}/{below['id']}"] = ("present", below["content"])
    return seen


def wordpress(city: City, session: requests.Session) -> Seen:
    """Posts and comments of every status and type, as the archive's user sees them."""
    seen: Seen = {}
    base = f"{city.services()[people.NEWS]}/wp-json/wp/v2"
    looks = [("posts", {"status": "publish"})]
    looks += [
        ("comments", {"status": status, "type": kind})
        for status in ("approve", "hold", "spam", "trash")
        for kind in ("comment", "pingback")
    ]
    for resource, params in looks:
        page, pages = 1, 1
        while page <= pages:
            query = {**params, "context": "edit", "per_page": "40", "page": str(page)}
            answer = session.get(f"{base}/{resource}", params=query, auth=(USER, PASSWORD))
            assert answer.status_code == 200
            pages, page = int(answer.headers["X-WP-TotalPages"]), page + 1
            for item in answer.json():
                public = item["status"] in ("publish", "approved")
                text = item["content"]["raw"]
                record_id = f"wordpress:{people.NEWS}/{resource[:-1]}/{item['id']}"
                seen[record_id] = ("present" if public else "hidden", text)
    return seen
