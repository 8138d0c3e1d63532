from __future__ import annotations

import gzip
import json
import socket
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from lookout import HOST, Lookout
from scripted_server import Answer, Server, as_json, scripted_server

from connectors.contract import AccountRef, Connection
from connectors.faults import (
    AccountUnavailable,
    ConnectorError,
    ContractBroken,
    CredentialRejected,
    RateLimited,
    ScopeMissing,
    Unreachable,
)
from connectors.kit import transport
from connectors.kit.auth import Bearer
from connectors.kit.client import Client
from connectors.kit.verdict import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Row(msgspec.Struct):
    id: str


ROWS = [{"id": "1", "new": True}, {"id": "2"}]


@pytest.fixture
def server() -> Iterator[Server]:
    with scripted_server() as running:
        yield running


@pytest.fixture
def look(server: Server) -> Lookout:
    return Lookout(server.url)


def read(look: Lookout, **options: object) -> list[Row]:
    with Client(look.connection, host=HOST) as client:
        _, rows = client.read("rows", "/rows", list[Row], {"limit": 2}, **options)  # type: ignore[arg-type]
    return rows


def test_body_is_recorded_as_it_came_over_the_wire(server: Server, look: Lookout) -> None:
    packed = gzip.compress(json.dumps(ROWS).encode(), mtime=0)
    server.answers(Answer(packed, headers=(("Content-Type", "application/json"), ("Content-Encoding", "gzip"))))
    assert [row.id for row in read(look)] == ["1", "2"]
    (exchange,) = look.recorded
    assert exchange.body == packed
    assert json.loads(exchange.content) == ROWS
    assert (exchange.call, exchange.method, exchange.status) == ("rows", "GET", 200)
    assert exchange.url == f"{server.url}/rows?limit=2"


def test_transfer_encoding_is_undone_and_kept_under_another_name(server: Server, look: Lookout) -> None:
    body = json.dumps(ROWS).encode()
    server.answers(Answer(body, pieces=5))
    read(look)
    (exchange,) = look.recorded
    assert exchange.body == body
    assert exchange.header("transfer-encoding") is None
    assert exchange.header("x-archive-orig-transfer-encoding") == "chunked"


def test_repeated_response_headers_are_all_kept(server: Server, look: Lookout) -> None:
    server.answers(Answer(headers=(("Link", "<a>"), ("X-Other", "1"), ("Link", "<b>"))))
    read(look)
    assert [value for name, value in look.recorded[0].response_headers if name == "Link"] == ["<a>", "<b>"]


def test_exchange_is_recorded_before_its_answer_is_judged(server: Server, look: Lookout) -> None:
    server.answers(Answer(b'{"error":"gone"}', 410))
    with pytest.raises(AccountUnavailable) as failed:
        read(look)
    assert failed.value.exchange is look.recorded[0]


def test_pages_share_one_connection(server: Server, look: Lookout) -> None:
    server.answers(as_json(ROWS))
    with Client(look.connection, host=HOST) as client:
        for _ in range(5):
            client.read("rows", "/rows", list[Row])
    assert len({asked.peer for asked in server.asked}) == 1


def test_request_names_the_archive_and_asks_for_gzip(server: Server, look: Lookout) -> None:
    read(look)
    headers = server.asked[0].headers
    assert headers["user-agent"].startswith("Onrecord/")
    assert headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(b"[]", 500),
        Answer(b"<html>oh no</html>", 502, (("Content-Type", "text/html"),)),
        Answer(b"", 503),
        Answer(b"", 504),
        Answer(breaks="reset"),
        Answer(json.dumps(ROWS).encode(), breaks="cut"),
        Answer(json.dumps(ROWS).encode(), breaks="silent_cut"),
        Answer(b"<!DOCTYPE html><p>Maintenance", 200, (("Content-Type", "text/html"),)),
        Answer(b"<p>not found", 404, (("Content-Type", "text/html"),)),
        Answer(b"\x1f\x8b\x08damaged", headers=(("Content-Encoding", "gzip"),)),
        Answer(gzip.compress(json.dumps(ROWS).encode())[:-6], headers=(("Content-Encoding", "gzip"),)),
        Answer(b"", 429),
        Answer(b"", 429, (("Retry-After", "3"),)),
        Answer(b"", 503, (("Retry-After", "3"),)),
    ],
    ids=lambda answer: f"{answer.status}-{answer.breaks or bytes(answer.body[:9])!r}-{len(answer.headers)}",
)
def test_what_passes_by_itself_is_tried_again(server: Server, look: Lookout, trouble: Answer) -> None:
    server.answers(trouble, as_json(ROWS))
    assert [row.id for row in read(look)] == ["1", "2"]
    assert len(server.asked) == 2
    assert sum(look.slept) <= 20


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Answer(b"[]", 500), Unreachable),
        (Answer(breaks="reset"), Unreachable),
        (Answer(b'[{"id": "1"}]', breaks="cut"), Unreachable),
        (Answer(b'[{"id": "1"}]', breaks="silent_cut"), ContractBroken),
        (Answer(b"<html>", 200), ContractBroken),
        (Answer(b"<html>", 404), ContractBroken),
        (Answer(b"", 429), RateLimited),
    ],
)
def test_what_does_not_pass_ends_as_a_named_error(
    server: Server, look: Lookout, trouble: Answer, error: type[ConnectorError]
) -> None:
    server.answers(trouble)
    with pytest.raises(error):
        read(look)
    assert len(server.asked) == 4
    assert sum(look.slept) <= 20


def test_refused_connection_is_unreachable() -> None:
    gone = Lookout("http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="connection was refused"):
        read(gone)
    assert gone.recorded == []


def test_long_wait_is_left_to_the_scheduler(server: Server, look: Lookout) -> None:
    server.answers(Answer(b"", 429, (("Retry-After", "300"),)))
    before = datetime.now(UTC)
    with pytest.raises(RateLimited) as limited:
        read(look)
    assert timedelta(seconds=299) < limited.value.retry_at - before < timedelta(seconds=310)
    assert look.slept == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "header",
    [
        ("Retry-After", format_datetime(datetime(2031, 5, 1, 12, 10, tzinfo=UTC), usegmt=True)),
        ("RateLimit-Reset", str(int(datetime(2031, 5, 1, 12, 10, tzinfo=UTC).timestamp()))),
        ("X-RateLimit-Reset", "2031-05-01T12:10:00.000000Z"),
        ("RateLimit-Reset", "600"),
    ],
)
def test_times_of_the_platform_are_measured_by_its_own_clock(
    server: Server, look: Lookout, header: tuple[str, str]
) -> None:
    # the platform believes it is 2031; ten minutes are ten minutes
    now = format_datetime(datetime(2031, 5, 1, 12, 0, tzinfo=UTC), usegmt=True)
    server.answers(Answer(b"", 429, (("Date", now), header)))
    with pytest.raises(RateLimited) as limited:
        read(look)
    ahead = limited.value.retry_at - datetime.now(UTC)
    assert timedelta(minutes=9) < ahead < timedelta(minutes=11)


def test_spent_budget_is_waited_for_before_the_next_call(server: Server, look: Lookout) -> None:
    server.answers(as_json(ROWS, X_RateLimit_Remaining="0", X_RateLimit_Reset="7"), as_json(ROWS))
    with Client(look.connection, host=HOST) as client:
        client.read("rows", "/rows", list[Row])
        client.read("rows", "/rows", list[Row])
    assert look.slept == [7.0]


def test_spent_budget_that_takes_long_is_left_to_the_scheduler(server: Server, look: Lookout) -> None:
    server.answers(as_json(ROWS, X_RateLimit_Remaining="0", X_RateLimit_Reset="900"))
    with Client(look.connection, host=HOST) as client:
        client.read("rows", "/rows", list[Row])
        with pytest.raises(RateLimited):
            client.read("rows", "/rows", list[Row])
    assert len(server.asked) == 1


def test_error_inside_a_success_is_an_error(server: Server, look: Lookout) -> None:
    server.answers(as_json({"error": "This method requires an authenticated user"}))
    with pytest.raises(ContractBroken, match="authenticated user"):
        read(look)
    server.answers(as_json({"code": "rest_forbidden", "message": "No.", "data": {"status": 401}}))
    with pytest.raises(CredentialRejected, match=r"No\."):
        read(look)


@pytest.mark.parametrize("body", [b"{}", b"null", b'"text"', b'[{"id": 5}]', b"[[[[]]]]"])
def test_other_shape_is_a_broken_contract_and_not_asked_again(server: Server, look: Lookout, body: bytes) -> None:
    server.answers(Answer(body))
    with pytest.raises(ContractBroken, match="rows"):
        read(look)
    assert len(server.asked) == 1


def test_json_too_deep_to_read_is_a_broken_contract(server: Server, look: Lookout) -> None:
    server.answers(Answer(b"[" * 200_000))
    with pytest.raises(ContractBroken):
        read(look)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, CredentialRejected), (403, ScopeMissing), (404, AccountUnavailable), (418, ContractBroken)],
)
def test_refusals_have_their_error(server: Server, look: Lookout, status: int, error: type[ConnectorError]) -> None:
    server.answers(as_json({"error": "no"}, status))
    with pytest.raises(error, match="no"):
        read(look)
    assert len(server.asked) == 1


def test_accepted_status_is_an_answer(server: Server, look: Lookout) -> None:
    server.answers(as_json({"id": "", "error": "Record not found"}, 404))
    with Client(look.connection, host=HOST) as client:
        exchange, _ = client.read("row", "/rows/1", Row, accept=(404,), subject="a/1")
        assert client.get("row", "/rows/1", accept=(404,)).status == 404
    assert (exchange.status, exchange.subject) == (404, "a/1")


def test_specific_fault_holds_where_the_status_is_accepted(server: Server, look: Lookout) -> None:
    server.answers(as_json({"code": "dead", "message": "expired"}, 401))
    faults = (Fault(401, CredentialRejected, codes=("dead",)),)
    with Client(look.connection, host=HOST, faults=faults) as client, pytest.raises(CredentialRejected):
        client.get("row", "/rows/1", accept=(401,))


def test_redirect_on_the_same_host_is_followed_and_recorded(server: Server, look: Lookout) -> None:
    server.answers(Answer(b"", 301, (("Location", "/moved?x=1"),)), as_json(ROWS))
    assert len(read(look)) == 2
    assert [exchange.status for exchange in look.recorded] == [301, 200]
    assert server.asked[1].path == "/moved"


def test_redirect_to_another_host_is_not_followed(server: Server, look: Lookout) -> None:
    with scripted_server() as other:
        server.answers(Answer(b"", 302, (("Location", f"{other.url}/steal"),)))
        look.values = {"token": "tell-nobody"}
        with (
            Client(look.connection, host=HOST, auth=Bearer("tell-nobody")) as client,
            pytest.raises(AccountUnavailable, match="not followed") as moved,
        ):
            client.read("rows", "/rows", list[Row])
        assert other.asked == []
    assert moved.value.state == "moved"
    assert [exchange.status for exchange in look.recorded] == [302]


def test_redirects_in_a_circle_end(server: Server, look: Lookout) -> None:
    server.answers(Answer(b"", 302, (("Location", "/rows"),)))
    with pytest.raises(ContractBroken, match="from one address to the next"):
        read(look)


def test_answer_beyond_any_documented_size_is_not_read(
    server: Server, look: Lookout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "BODY_LIMIT_BYTES", 1000)
    for answer in (Answer(b"[" + b" " * 2000 + b"]"), Answer(b"[" + b" " * 2000 + b"]", pieces=4)):
        server.answers(answer)
        with pytest.raises(ContractBroken, match="bytes"):
            read(look)
    assert look.recorded == []


def test_answer_that_drips_too_long_is_given_up(server: Server, look: Lookout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_SECONDS", -1.0)
    server.answers(as_json(ROWS))
    with pytest.raises(Unreachable, match="still coming"):
        read(look)


def test_unpacked_body_has_a_limit(server: Server, look: Lookout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.kit.decoding.CONTENT_LIMIT_BYTES", 1000)
    server.answers(Answer(gzip.compress(b"[" + b" " * 5000 + b"]"), headers=(("Content-Encoding", "gzip"),)))
    with pytest.raises(ContractBroken, match="unfolds to more"):
        read(look)


def test_gzip_in_several_members_is_one_body(server: Server, look: Lookout) -> None:
    packed = gzip.compress(b'[{"id":"1"},') + gzip.compress(b'{"id":"2"}]')
    server.answers(Answer(packed, headers=(("Content-Encoding", "gzip"),)))
    assert [row.id for row in read(look)] == ["1", "2"]


def test_encoding_that_was_not_asked_for_is_a_broken_contract(server: Server, look: Lookout) -> None:
    server.answers(Answer(b"xxxx", headers=(("Content-Encoding", "br"),)))
    with pytest.raises(ContractBroken, match="br"):
        read(look)


def test_peek_leaves_no_trace(server: Server, look: Lookout) -> None:
    server.answers(as_json(ROWS))
    with Client(look.connection, host=HOST) as client:
        _, rows = client.peek("rows", "/rows", list[Row])
    assert len(rows) == 2
    assert look.recorded == []


def test_secrets_reach_the_platform_and_nothing_else(
    server: Server, look: Lookout, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "s3cret-token-of-the-city"
    look.values = {"token": secret}
    server.answers(as_json({"error": f"invalid token {secret}\n\x1b[31m"}, 401))
    caplog.set_level("DEBUG")
    with Client(look.connection, host=HOST, auth=Bearer(secret)) as client, pytest.raises(CredentialRejected) as failed:
        client.read("rows", "/rows", list[Row], {"access_token": secret, "cursor": "keep"})
    assert server.asked[0].headers["authorization"] == f"Bearer {secret}"
    assert server.asked[0].query["access_token"] == secret
    (exchange,) = look.recorded
    assert "cursor=keep" in exchange.url
    shown = [exchange.url, str(exchange.request_headers), str(failed.value), caplog.text, repr(look.connection)]
    shown += traceback.format_exception(failed.value)
    assert not [text for text in shown if secret in text]
    assert "\x1b" not in str(failed.value)


def test_secret_in_an_address_does_not_reach_the_message_of_a_failed_transfer(look: Lookout) -> None:
    gone, secret = Lookout("http://127.0.0.1:9"), f"{look.url.rsplit(':', 1)[1]}-secret"
    with Client(gone.connection, host=HOST) as client, pytest.raises(Unreachable) as failed:
        client.read("rows", "/rows", list[Row], {"access_token": secret})
    assert secret not in "".join(traceback.format_exception(failed.value))


def test_cookies_are_not_kept(server: Server, look: Lookout) -> None:
    server.answers(as_json(ROWS, Set_Cookie="session=1; Path=/"))
    with Client(look.connection, host=HOST) as client:
        client.read("rows", "/rows", list[Row])
        client.read("rows", "/rows", list[Row])
    assert "cookie" not in server.asked[1].headers


def test_private_address_behind_a_public_name_is_refused_on_the_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    monkeypatch.setattr("connectors.kit.address.HTTPSConnection.connect", _plain_connect)
    monkeypatch.setattr("urllib3.util.connection.create_connection", _to(("127.0.0.1", port)))
    account = AccountRef("test", "1", "city", "rebound.example")
    connection = Connection(account, lambda _: None, lambda: datetime.now(UTC), lambda _: None)
    with (
        Client(connection, host="rebound.example") as client,
        pytest.raises(AccountUnavailable, match="private network"),
    ):
        client.get("rows", "/rows")
    assert server.asked == []


def _plain_connect(self: Any) -> None:
    # the name resolves to loopback, and no certificate stands in the way
    self.sock = self._new_conn()
    self.is_verified = True


def _to(address: tuple[str, int]) -> Callable[..., socket.socket]:
    return lambda *_args, **_options: socket.create_connection(address)
