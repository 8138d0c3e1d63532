"""Who may log in: passwords, locks and sessions, on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from compliance import users
from compliance.users import LOCKED_FOR, SESSION_TIME, WRONG_ALLOWED, LoginRefused, User, UserRefused

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
COST = dict(users._SCRYPT)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_SCRYPT", {"n": 2**4, "r": 8, "p": 1})


@pytest.fixture
def dana(engine: Engine) -> User:
    return users.add(engine, name="dana", role="records_officer", password=PASSWORD, at=NOW)


def why_refused(engine: Engine, password: str, *, name: str = "dana", now: datetime = NOW) -> str:
    with pytest.raises(LoginRefused) as refused:
        users.log_in(engine, name, password, now=now)
    return refused.value.why


def test_hashing_costs_what_is_recommended() -> None:
    assert COST["n"] * COST["r"] * COST["p"] >= 2**14 * 8 * 5


def test_a_login_opens_a_session_of_its_user(engine: Engine, dana: User) -> None:
    token = users.log_in(engine, "dana", PASSWORD, now=NOW)
    assert users.user_of(engine, token, now=NOW) == dana
    assert users.user_of(engine, token + "x", now=NOW) is None


@pytest.mark.usefixtures("dana")
def test_neither_passwords_nor_tokens_are_in_the_database(engine: Engine) -> None:
    token = users.log_in(engine, "dana", PASSWORD, now=NOW)
    with engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in ("users", "user_sessions")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert len(rows) == 2
    assert not any(token in row or PASSWORD in row for row in rows)


def test_a_password_typed_with_composed_or_separate_accents_is_the_same(engine: Engine) -> None:
    users.add(engine, name="inés".replace("é", "e"), role="auditor", password="contrase\u00f1a segura", at=NOW)
    assert users.log_in(engine, "ines", "contrasen\u0303a segura", now=NOW)


@pytest.mark.usefixtures("dana")
def test_ten_wrong_passwords_lock_the_name_for_five_minutes(engine: Engine) -> None:
    assert [why_refused(engine, f"guess {number}") for number in range(WRONG_ALLOWED)] == ["wrong"] * WRONG_ALLOWED
    assert why_refused(engine, PASSWORD) == "locked"
    assert why_refused(engine, PASSWORD, now=NOW + LOCKED_FOR - timedelta(seconds=1)) == "locked"
    assert users.log_in(engine, "dana", PASSWORD, now=NOW + LOCKED_FOR)


@pytest.mark.usefixtures("dana")
def test_a_right_password_forgets_the_wrong_ones_before(engine: Engine) -> None:
    for _ in range(2):
        for number in range(WRONG_ALLOWED - 1):
            assert why_refused(engine, f"guess {number}") == "wrong"
        assert users.log_in(engine, "dana", PASSWORD, now=NOW)


@pytest.mark.usefixtures("dana")
def test_guesses_at_once_are_all_counted(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        whys = list(pool.map(lambda number: why_refused(engine, f"guess {number}"), range(2 * WRONG_ALLOWED)))
    assert whys.count("wrong") == WRONG_ALLOWED
    assert whys.count("locked") == WRONG_ALLOWED


def test_a_session_ends_after_its_time(engine: Engine, dana: User) -> None:
    token = users.log_in(engine, "dana", PASSWORD, now=NOW)
    assert users.user_of(engine, token, now=NOW + SESSION_TIME - timedelta(seconds=1)) == dana
    assert users.user_of(engine, token, now=NOW + SESSION_TIME) is None


@pytest.mark.usefixtures("dana")
def test_old_sessions_are_swept_by_the_next_login(engine: Engine) -> None:
    users.log_in(engine, "dana", PASSWORD, now=NOW)
    users.log_in(engine, "dana", PASSWORD, now=NOW + SESSION_TIME)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM user_sessions")).scalar() == 1


def test_a_logout_ends_one_session(engine: Engine, dana: User) -> None:
    one, other = (users.log_in(engine, "dana", PASSWORD, now=NOW) for _ in range(2))
    users.log_out(engine, one)
    assert users.user_of(engine, one, now=NOW) is None
    assert users.user_of(engine, other, now=NOW) == dana


@pytest.mark.usefixtures("dana")
def test_a_new_password_ends_all_sessions_and_unlocks_the_name(engine: Engine) -> None:
    token = users.log_in(engine, "dana", PASSWORD, now=NOW)
    for number in range(WRONG_ALLOWED):
        why_refused(engine, f"guess {number}")
    users.set_password(engine, "dana", "another horse battery")
    assert users.user_of(engine, token, now=NOW) is None
    assert why_refused(engine, PASSWORD) == "wrong"
    assert users.log_in(engine, "dana", "another horse battery", now=NOW)


@pytest.mark.usefixtures("dana")
def test_a_removed_user_is_out_at_once(engine: Engine) -> None:
    token = users.log_in(engine, "dana", PASSWORD, now=NOW)
    users.remove(engine, "dana")
    assert users.user_of(engine, token, now=NOW) is None
    assert why_refused(engine, PASSWORD) == "unknown"
    assert users.listing(engine) == []


@pytest.mark.usefixtures("dana")
@pytest.mark.parametrize("name", ["erin", "", "dana'; --", "dana\x00", "x" * 100_000, "ДАНА"])
def test_a_name_nobody_has_is_refused_and_not_kept(engine: Engine, name: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        users.log_in(engine, name, PASSWORD, now=NOW)
    assert (refused.value.why, refused.value.user) == ("unknown", None)


@pytest.mark.parametrize(
    ("name", "role", "password", "word"),
    [
        ("dana", "auditor", PASSWORD, "already"),
        ("erin", "king", PASSWORD, "is not a role"),
        ("erin", "auditor", "short", "at least 12"),
        ("Erin Example", "auditor", PASSWORD, "cannot be a user's name"),
        ("console:erin", "auditor", PASSWORD, "cannot be a user's name"),
    ],
)
def test_a_user_who_cannot_be_made_is_refused_in_words(
    engine: Engine, dana: User, name: str, role: str, password: str, word: str
) -> None:
    with pytest.raises(UserRefused, match=word):
        users.add(engine, name=name, role=role, password=password, at=NOW)
    assert users.listing(engine) == [dana]


def test_changing_nobody_is_refused(engine: Engine) -> None:
    for change in (lambda: users.set_password(engine, "erin", PASSWORD), lambda: users.remove(engine, "erin")):
        with pytest.raises(UserRefused, match="there is no user erin"):
            change()


def test_the_first_user_is_made_once(engine: Engine) -> None:
    password = users.first_user(engine, at=NOW)
    assert password is not None
    assert users.first_user(engine, at=NOW) is None
    assert users.user_of(engine, users.log_in(engine, "admin", password, now=NOW), now=NOW) == User(
        "admin", "administrator"
    )
