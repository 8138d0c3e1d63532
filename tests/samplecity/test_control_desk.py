from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from samplecity.people import APPVIEW, LIBRARY, NEWS, PDS, PLC, SOCIAL
from samplecity.server import City
from samplecity.world import WorldError

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["city_fixtures"]


def _post(city: City, path: str, order: Any = None) -> requests.Response:
    return requests.post(f"{city.url}/control/{path}", json=order, timeout=10)


def test_every_host_of_the_policy_has_an_address_on_loopback(city: City) -> None:
    services = city.services()
    assert {APPVIEW, PDS, PLC, SOCIAL, LIBRARY, NEWS, "public.api.bsky.app"} <= services.keys()
    assert all(base.startswith(f"http://127.0.0.1:{city.port}/") for base in services.values())


def test_the_city_listens_on_loopback_only(city: City) -> None:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        with pytest.raises(OSError):  # noqa: PT011 - refused here, unreachable there
            probe.connect((_own_address(), city.port))


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])


def test_the_desk_moves_on_acts_and_begins_again_over_http(city: City) -> None:
    assert _post(city, "advance").json() == {"moment": 1}
    done = _post(city, "act", [{"act": "post", "account": "parks", "text": "Hello"}]).json()["done"]
    assert done[0]["record_id"].startswith("bluesky:at://")
    truth = requests.get(f"{city.url}/control/truth", timeout=10).json()
    assert truth["moment"] == 1
    assert _post(city, "reset").json() == {"moment": 0}
    assert requests.get(f"{city.url}/control/truth", timeout=10).json()["moments"][-1]["moment"] == 0


def test_what_was_asked_is_on_record(city: City) -> None:
    requests.get(f"{city.services()[SOCIAL]}/api/v2/instance?x=1", timeout=10)
    deadline = time.monotonic() + 5
    while not city.requests and time.monotonic() < deadline:
        time.sleep(0.01)  # it is noted once the answer is sent
    assert city.requests == [("GET", "/mastodon/api/v2/instance?x=1", 200)]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"act": "fly"}, "there is no act 'fly'"),
        ({"act": "post", "account": "parks"}, "needs 'text'"),
        ({"act": "post", "account": "moon", "text": "x"}, "no account is called 'moon'"),
        ({"act": "edit", "id": "at://nothing", "text": "x"}, "there is no at://nothing"),
        ({"act": "unblock", "account": "parks", "person": "grumpy"}, "no block of grumpy"),
    ],
)
def test_an_act_that_cannot_be_done_says_why(city: City, order: dict[str, str], message: str) -> None:
    with pytest.raises(WorldError, match=message):
        city.desk.act(order)
    answer = _post(city, "act", order)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_a_record_can_come_back_under_the_same_id(city: City) -> None:
    made = city.act("post", account="city-hall", text="First")["id"]
    city.act("delete", id=made)
    city.act("restore", id=made, text="Second")
    assert city.desk.world.entry(made).text == "Second"


def test_a_renamed_account_keeps_its_id(city: City) -> None:
    base = f"{city.services()[APPVIEW]}/xrpc/com.atproto.identity.resolveHandle"
    before = requests.get(base, params={"handle": "parks.harborfalls.example"}, timeout=10).json()
    city.act("rename", account="parks", handle="parksandrec.harborfalls.example")
    after = requests.get(base, params={"handle": "parksandrec.harborfalls.example"}, timeout=10).json()
    assert after == before


def test_the_environment_names_services_and_credentials(city: City) -> None:
    environment = city.environment()
    assert f"{SOCIAL}={city.url}/mastodon" in environment["ONRECORD_SERVICES"].split()
    assert environment["ONRECORD_CREDENTIAL_TRANSIT_TOKEN"]
    assert environment["ONRECORD_CREDENTIAL_NEWS_USERNAME"] == "archive"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_program_prints_one_line_serves_and_stops_cleanly(how: signal.Signals) -> None:
    command = [sys.executable, "-m", "samplecity", "--bulk", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        facts = json.loads(process.stdout.readline())
        assert requests.get(f"{facts['control']}/truth", timeout=10).json()["city"] == "Harbor Falls"
        assert facts["bulk"]["posts"] == 10
        process.send_signal(how)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == ""


def test_a_taken_port_is_a_clear_message(city: City) -> None:
    command = [sys.executable, "-m", "samplecity", "--port", str(city.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{city.port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_shows_how_to_use_it(tmp_path: Path) -> None:
    del tmp_path
    done = subprocess.run(
        [sys.executable, "-m", "samplecity", "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    assert "python -m samplecity --port 8400" in done.stdout
    assert "/control/advance" in done.stdout


def test_reals_time_stamps_what_happens_between_two_looks_as_now() -> None:
    with City.start() as city:
        begun = city.desk.world.now
        city.advance()
        fresh = [entry for entry in city.desk.world.entries.values() if entry.at > begun]
        assert len(fresh) > 20
