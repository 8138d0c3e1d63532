"""Logging in: nobody sees a page without it, guessing is slow, other sites cannot use it, and the audit log knows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from dashboard_city import NOW, PASSWORD
from fastapi.routing import APIRoute
from starlette.routing import Mount

from compliance import audit_log, users
from console.security import COOKIE, HEADERS
from console.throttle import Throttle

if TYPE_CHECKING:
    from console_fixtures import Console

pytest_plugins = ["console_fixtures"]

OPEN = {"/login", "/healthz"}


def log(console: Console) -> list[tuple[str, str, object]]:
    return [(entry.actor, entry.action, dict(entry.detail)) for entry in audit_log.entries(console.engine)]


def test_every_route_but_the_login_needs_one(served: Console) -> None:
    routes = [(route, method) for route in served.app.routes if isinstance(route, APIRoute) for method in route.methods]
    assert {"/", "/accounts/{name}", "/activity/{table}.csv", "/logout"} <= {route.path for route, _ in routes}
    assert [route.path for route in served.app.routes if not isinstance(route, APIRoute)] == ["/static"]
    assert isinstance(served.app.routes[0], Mount)
    for route, method in routes:
        path = route.path.format(name="city-hall", table="weeks")
        answer = served.visitor().request(
            method,
            served.url + path,
            data={"form_token": "x"} if method == "POST" else None,
            allow_redirects=False,
            timeout=30,
        )
        if path in OPEN:
            assert answer.status_code in (200, 400)
        else:
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/login")
            assert not answer.content


def test_a_login_opens_the_page_that_was_asked_for(own: Console) -> None:
    visitor = own.visitor()
    first = own.get(visitor, "/accounts/city-hall")
    assert first.headers["Location"] == "/login?next=/accounts/city-hall"
    assert 'name="next" value="/accounts/city-hall"' in own.get(visitor, first.headers["Location"]).text
    answer = own.log_in(visitor, next="/accounts/city-hall")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/accounts/city-hall")
    assert "dana (records officer)" in own.get(visitor, "/accounts/city-hall").text
    assert own.get(visitor, "/login?next=/accounts/city-hall").headers["Location"] == "/accounts/city-hall"


def test_the_session_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites(own: Console) -> None:
    cookie = own.log_in(own.visitor()).headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=36000"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/\r\nX-Bad: 1",
        "",
    ],
)
def test_a_login_leads_to_pages_of_ours_only(own: Console, wanted: str) -> None:
    answer = own.log_in(own.visitor(), next=wanted)
    assert answer.headers["Location"] == "/"
    assert "X-Bad" not in answer.headers


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(own: Console) -> None:
    wrong = own.log_in(own.visitor(), password="not this one")
    nobody = own.log_in(own.visitor(), name="erin", password="not this one")
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.text.replace("dana", "erin") == nobody.text
    assert "Set-Cookie" not in wrong.headers


def test_the_audit_log_has_logins_refusals_and_logouts(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor, password="wrong")
    own.log_in(visitor)
    text = own.get(visitor, "/").text
    token = text.partition('name="form_token" value="')[2].partition('"')[0]
    assert own.post(visitor, "/logout", {"form_token": token}).headers["Location"] == "/login"
    assert log(own) == [
        ("console:dana", "console.login_refused", {"why": "wrong"}),
        ("console:dana", "console.login", {}),
        ("console:dana", "console.logout", {}),
    ]


def test_what_was_typed_as_an_unknown_name_is_not_kept(own: Console) -> None:
    own.log_in(own.visitor(), name=PASSWORD, password="dana")
    assert log(own) == [("console:unknown", "console.login_refused", {"why": "unknown"})]


def test_a_logout_ends_the_session_for_good(own: Console) -> None:
    visitor, thief = own.visitor(), own.visitor()
    own.log_in(visitor)
    thief.cookies.update(visitor.cookies)
    token = own.get(visitor, "/").text.partition('name="form_token" value="')[2].partition('"')[0]
    own.post(visitor, "/logout", {"form_token": token})
    assert own.get(visitor, "/").status_code == 303
    assert own.get(thief, "/").status_code == 303


def test_a_session_ends_after_its_time(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    own.clock.now = NOW + users.SESSION_TIME - timedelta(seconds=1)
    assert own.get(visitor, "/").status_code == 200
    own.clock.forward(seconds=2)
    assert own.get(visitor, "/").status_code == 303


def test_a_form_without_the_sessions_token_does_nothing(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    for token in ("", "0" * 64, "é"):
        assert own.post(visitor, "/logout", {"form_token": token}).status_code in (400, 403)
    assert own.post(visitor, "/logout", {"other": "x"}).status_code == 400
    assert own.get(visitor, "/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_from_another_site_is_refused(own: Console, headers: dict[str, str]) -> None:
    answer = own.post(own.visitor(), "/login", {"name": "dana", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert log(own) == []


def test_a_form_from_here_is_taken(own: Console) -> None:
    for headers in ({"Origin": own.url}, {"Sec-Fetch-Site": "same-origin"}):
        answer = own.post(own.visitor(), "/login", {"name": "dana", "password": PASSWORD}, headers=headers)
        assert answer.status_code == 303


def test_a_huge_form_is_refused_before_it_is_read(own: Console) -> None:
    answer = own.log_in(own.visitor(), password="x" * 20_000)
    assert answer.status_code == 413
    streamed = own.visitor().post(own.url + "/login", data=iter([b"name=dana&password=x"]), timeout=30)
    assert streamed.status_code == 413


def test_an_incomplete_form_is_told_without_repeating_it(own: Console) -> None:
    answer = own.post(own.visitor(), "/login", {"password": PASSWORD})
    assert answer.status_code == 400
    assert "Something is missing in the form." in answer.text
    assert PASSWORD not in answer.text


def test_many_refused_logins_close_the_door_to_an_address_for_a_while(own: Console) -> None:
    own.app.state.throttle = Throttle(allowed=3)
    answers = [own.log_in(own.visitor(), name=f"guess-{number}").status_code for number in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    assert own.log_in(own.visitor()).status_code == 429
    assert len(log(own)) == 3
    own.clock.forward(minutes=6)
    assert own.log_in(own.visitor()).status_code == 303


def test_a_removed_user_is_out_at_once(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    users.remove(own.engine, "dana")
    assert own.get(visitor, "/").status_code == 303


def test_every_answer_carries_the_security_headers(served: Console) -> None:
    for path in ("/", "/login", "/healthz", "/nowhere", "/static/site.css"):
        answer = served.get(served.visitor(), path)
        for name, value in HEADERS.items():
            if not (name == "Cache-Control" and path.startswith("/static/")):
                assert answer.headers[name] == value


def test_a_fault_of_the_program_shows_nothing_of_itself(own: Console) -> None:
    visitor = own.visitor()
    own.log_in(visitor)
    own.app.state.throttle = None
    answer = own.log_in(own.visitor())
    assert answer.status_code == 500
    assert "Something went wrong." in answer.text
    assert "NoneType" not in answer.text
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_static_files_stay_in_their_folder(served: Console) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"):
        assert served.get(served.visitor(), path).status_code == 404
