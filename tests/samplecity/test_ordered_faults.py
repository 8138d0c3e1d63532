from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from samplecity.faults import FAULTS, FaultError
from samplecity.people import CITY_HALL_DID, NEWS, PDS, SOCIAL, TRANSIT_ID
from samplecity.world import POST_COLLECTION

if TYPE_CHECKING:
    from samplecity.server import City

pytest_plugins = ["city_fixtures"]


def _statuses(city: City, **params: Any) -> requests.Response:
    address = f"{city.services()[SOCIAL]}/api/v1/accounts/{TRANSIT_ID}/statuses"
    return requests.get(address, params=params, timeout=10)


def _records(city: City, **params: Any) -> requests.Response:
    asked = {"repo": CITY_HALL_DID, "collection": POST_COLLECTION, "limit": 30, **params}
    address = f"{city.services()[PDS]}/xrpc/com.atproto.repo.listRecords"
    return requests.get(address, params=asked, timeout=10)


def _comments(city: City, **params: Any) -> requests.Response:
    return requests.get(f"{city.services()[NEWS]}/wp-json/wp/v2/comments", params=params, timeout=10)


def test_a_rule_lets_some_requests_pass_fires_so_often_and_is_used_up(city: City) -> None:
    city.faults({"fault": "rate_limited", "path": "/statuses", "skip": 1, "times": 2, "retry_after": 3})
    answers = [_statuses(city) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "3"
    assert answers[1].json() == {"error": "Too many requests"}


def test_rules_are_tried_in_order_and_one_fires_per_request(city: City) -> None:
    city.faults({"fault": "server_error", "path": "."}, {"fault": "rate_limited", "path": "/statuses", "times": 0})
    assert [_statuses(city).status_code for _ in range(3)] == [500, 429, 429]
    assert _comments(city).status_code == 200


def test_a_rate_limit_may_come_without_a_header_or_with_a_date(city: City) -> None:
    city.faults({"fault": "rate_limited"}, {"fault": "rate_limited", "retry_after": 5, "as_date": True})
    assert "Retry-After" not in _records(city).headers
    late = _records(city)
    assert late.headers["Retry-After"].endswith("GMT")
    assert late.json()["error"] == "RateLimitExceeded"


def test_a_truncated_body_breaks_the_connection_and_a_cut_one_the_json(city: City) -> None:
    city.faults({"fault": "truncated"}, {"fault": "cut_json"})
    with pytest.raises(requests.exceptions.RequestException):
        _records(city)
    cut = _records(city)
    assert cut.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.text)


def test_html_comes_with_status_200(city: City) -> None:
    city.faults({"fault": "html"})
    answer = _comments(city)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_hanging_or_reset_connection_gives_no_answer(city: City) -> None:
    city.faults({"fault": "hang", "seconds": 20}, {"fault": "reset"})
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{city.services()[SOCIAL]}/api/v2/instance", timeout=0.2)
    with pytest.raises(requests.exceptions.ConnectionError):
        _records(city)
    assert _records(city).status_code == 200


def test_an_empty_page_leads_on_to_everything_it_left_out(city: City) -> None:
    first = _records(city).json()
    second = _records(city, cursor=first["cursor"]).json()
    city.faults({"fault": "empty_page", "path": "listRecords"})
    empty = _records(city, cursor=first["cursor"]).json()
    assert empty["records"] == []
    assert empty["cursor"] not in (first["cursor"], second["cursor"])
    assert _records(city, cursor=empty["cursor"]).json() == second


def test_an_empty_page_of_statuses_leads_on_to_everything_it_left_out(city: City) -> None:
    first = _statuses(city, limit=10)
    last = first.json()[-1]["id"]
    second = _statuses(city, limit=10, max_id=last).json()
    city.faults({"fault": "empty_page"})
    empty = _statuses(city, limit=10, max_id=last)
    assert empty.json() == []
    target = empty.links["next"]["url"].partition("max_id=")[2].partition("&")[0]
    assert target != last
    assert _statuses(city, limit=10, max_id=target).json() == second


def test_a_repeated_token_leads_back_to_the_same_page(city: City) -> None:
    cursor = _records(city).json()["cursor"]
    city.faults({"fault": "repeated_token", "times": 0})
    assert _records(city, cursor=cursor).json()["cursor"] == cursor
    last = _statuses(city, limit=10).json()[-1]["id"]
    assert f"max_id={last}>" in _statuses(city, limit=10, max_id=last).headers["Link"]
    assert _comments(city, offset=20).json() == _comments(city).json()


def test_an_expired_cursor_is_refused_and_a_first_page_is_not(city: City) -> None:
    city.faults({"fault": "expired_cursor", "times": 0})
    cursor = _records(city).json()["cursor"]
    answer = _records(city, cursor=cursor)
    assert (answer.status_code, answer.json()["message"]) == (400, "Malformed cursor")
    assert _comments(city, offset=0).status_code == 200
    assert _comments(city, offset=100).json()["code"] == "rest_post_invalid_page_number"


@pytest.mark.parametrize(
    ("fault", "mastodon", "wordpress", "bluesky"),
    [("dead_credential", 401, 401, 400), ("missing_scope", 403, 403, 403)],
)
def test_a_credential_dies_in_each_platforms_own_words(
    city: City, fault: str, mastodon: int, wordpress: int, bluesky: int
) -> None:
    city.faults({"fault": fault, "times": 0})
    answers = [_statuses(city), _comments(city), _records(city)]
    assert [answer.status_code for answer in answers] == [mastodon, wordpress, bluesky]
    assert {"error", "code"} >= {next(iter(answer.json())) for answer in answers}


def test_unknown_fields_come_beside_the_known_ones(city: City) -> None:
    plain = _statuses(city, limit=2).json()
    city.faults({"fault": "unknown_fields"})
    strange = _statuses(city, limit=2).json()
    assert strange[0].pop("x_new") == {"since": "2027"}
    assert strange[0]["account"].pop("x_new")
    assert strange[0]["content"] == plain[0]["content"]


def test_an_act_can_happen_in_the_middle_of_a_run(city: City) -> None:
    first = _statuses(city, limit=1).json()[0]["id"]
    delete = {"act": "delete", "id": f"{SOCIAL}/{first}"}
    city.faults({"fault": "act", "path": "max_id", "act": delete})
    assert _statuses(city, limit=1).json()[0]["id"] == first
    _statuses(city, limit=1, max_id=first)
    assert _statuses(city, limit=1).json()[0]["id"] != first


def test_the_control_desk_itself_is_never_faulty(city: City) -> None:
    city.faults({"fault": "server_error", "times": 0})
    assert requests.get(f"{city.url}/control/truth", timeout=10).status_code == 200


def test_an_order_that_cannot_be_understood_says_why(city: City) -> None:
    with pytest.raises(FaultError, match="there is no fault 'earthquake'"):
        city.faults({"fault": "earthquake"})
    answer = requests.post(f"{city.url}/control/faults", json={"rules": [{"fault": "html", "path": "("}]}, timeout=10)
    assert answer.status_code == 400
    assert "html" in answer.json()["error"]


def test_stopping_does_not_wait_for_a_hanging_answer() -> None:
    from samplecity.server import City

    city = City.start()
    city.faults({"fault": "hang", "seconds": 60})
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(f"{city.services()[SOCIAL]}/api/v2/instance", timeout=0.1)
    begun = time.monotonic()
    city.stop()
    assert time.monotonic() - begun < 10


def test_every_fault_is_described() -> None:
    assert all(FAULTS.values())
