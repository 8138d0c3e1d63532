from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange import Exchange
from connectors.kit.throttle import Throttle

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def exchange(status: int = 429, **headers: str) -> Exchange:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange("call", "", "GET", "https://a.gov", (), status, "", named, b"", NOW, 0.1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "1.5"}, 1.5),
        ({"Retry_After": "Wed, 04 Mar 2026 12:00:30 GMT"}, 30),
        ({"Retry_After": "Wed, 04 Mar 2026 12:00:30 GMT", "Date": "Wed, 04 Mar 2026 12:00:10 GMT"}, 20),
        ({"Retry_After": "Tue, 03 Mar 2026 12:00:00 GMT"}, 0),
        ({"X_RateLimit_Reset": "2026-03-04T12:05:00.123456Z"}, 300.123456),
        ({"RateLimit_Reset": "1772626800"}, 1200),
        ({"RateLimit_Reset": "42"}, 42),
        ({"Retry_After": "5", "RateLimit_Reset": "42"}, 5),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-1"}, None),
        ({"Retry_After": "nan"}, None),
        ({"Retry_After": "1e300"}, None),
    ],
)
def test_how_long_a_refusal_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert Throttle().wait(exchange(**headers)) == seconds


def test_a_reset_time_beside_another_failure_is_no_wait() -> None:
    assert Throttle().wait(exchange(503, X_RateLimit_Reset="300")) is None
    assert Throttle().wait(exchange(503, Retry_After="300")) == 300


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X_RateLimit_Remaining": "1", "X_RateLimit_Reset": "60"}, 0),
        ({"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "60"}, 60),
        ({"X_RateLimit_Remaining": "0"}, 0),
        ({}, 0),
    ],
)
def test_a_pause_is_due_when_nothing_is_left(headers: dict[str, str], seconds: float) -> None:
    assert Throttle().pause(exchange(200, **headers)) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_makes_it_fail(value: str, date: str) -> None:
    told: Any = Throttle().wait(exchange(Retry_After=value, Date=date))
    assert told is None or told >= 0
