"""Who may log in to the console: local users with salted scrypt hashes, and sessions kept by the server.

::

    ComplianceError
    ├── UserRefused     a user cannot be made or changed as asked     the message says what to do
    └── LoginRefused    name and password do not open a session       try again, later if the name is locked

Ten wrong passwords in a row lock a name for five minutes. A session is known by a random token of which only the hash is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, LargeBinary, Text, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from compliance.faults import ComplianceError
from warehouse.database import Base, UtcDateTime, writing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row

ROLES = ("administrator", "records_officer", "communications", "auditor")
SESSION_TIME = timedelta(hours=10)
WRONG_ALLOWED = 10
LOCKED_FOR = timedelta(minutes=5)
SHORTEST_PASSWORD = 12
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_SCRYPT = {"n": 2**14, "r": 8, "p": 5}
"""OWASP Password Storage Cheat Sheet, scrypt, in 16 MiB of memory."""
_NOBODY = b"salt of no user."


class UserRefused(ComplianceError):
    """A user cannot be made or changed as asked."""


class LoginRefused(ComplianceError):
    """Name and password do not open a session.

    ``user`` is ``None`` where there is no such user: what was typed may be a password, and is kept nowhere.
    """

    def __init__(self, why: str, *, user: str | None) -> None:
        super().__init__(why)
        self.why = why
        self.user = user


class UserRow(Base):
    """Table ``users``."""

    __tablename__ = "users"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    password_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    wrong_attempts: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionRow(Base):
    """Table ``user_sessions``: logins that are in force."""

    __tablename__ = "user_sessions"
    token_sha256: Mapped[str] = mapped_column(Text, primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in."""

    name: str
    role: str


def add(engine: Engine, *, name: str, role: str, password: str, at: datetime) -> User:
    """Make a user. Raises :class:`UserRefused` for a bad or taken name, an unknown role or a short password."""
    if not _NAME.fullmatch(name):
        msg = f"{name!r} cannot be a user's name: use up to 64 of a-z, 0-9, '.', '_', '-', '@', beginning with a letter or digit"
        raise UserRefused(msg)
    if role not in ROLES:
        msg = f"{role!r} is not a role: use one of {', '.join(ROLES)}"
        raise UserRefused(msg)
    salt, hashed = _hashed(password)
    with writing(engine) as connection:
        if _user(connection, name):
            msg = f"there is a user {name} already: `onrecord console password {name}` sets a new password"
            raise UserRefused(msg)
        values = {"name": name, "role": role, "salt": salt, "password_hash": hashed, "created_at": at}
        connection.execute(insert(UserRow).values(**values, wrong_attempts=0, locked_until=None))
    return User(name, role)


def first_user(engine: Engine, *, at: datetime) -> str | None:
    """Make the user ``admin`` with a random password where there is no user yet. Returns the password, once."""
    with engine.connect() as connection:
        if connection.execute(select(func.count()).select_from(UserRow)).scalar():
            return None
    password = secrets.token_urlsafe(15)
    add(engine, name="admin", role="administrator", password=password, at=at)
    return password


def set_password(engine: Engine, name: str, password: str) -> None:
    """Change a password, unlock the name and end its sessions. Raises :class:`UserRefused`."""
    salt, hashed = _hashed(password)
    values = {"salt": salt, "password_hash": hashed, "wrong_attempts": 0, "locked_until": None}
    with writing(engine) as connection:
        _require(connection, name)
        connection.execute(update(UserRow).where(UserRow.name == name).values(**values))
        connection.execute(delete(SessionRow).where(SessionRow.user == name))


def remove(engine: Engine, name: str) -> None:
    """Take a user's access away, sessions included. Raises :class:`UserRefused`."""
    with writing(engine) as connection:
        _require(connection, name)
        connection.execute(delete(SessionRow).where(SessionRow.user == name))
        connection.execute(delete(UserRow).where(UserRow.name == name))


def listing(engine: Engine) -> list[User]:
    """All users, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(UserRow.name, UserRow.role).order_by(UserRow.name))
        return [User(name, role) for name, role in rows]


def log_in(engine: Engine, name: str, password: str, *, now: datetime) -> str:
    """Open a session and return its token. Raises :class:`LoginRefused`.

    The password is hashed outside of any transaction, and for an unknown name too, so that guessing neither holds up the
    database's writers nor tells names apart from wrong passwords.
    """
    with engine.connect() as connection:
        seen = _user(connection, name) if _NAME.fullmatch(name) else None
    hashed = _scrypt(password, seen.salt if seen else _NOBODY)
    why, token = "unknown", ""
    if seen:
        with writing(engine) as connection:
            why = _refusal(connection, name, hashed, seen.salt, now)
            token = "" if why else _session(connection, name, now)
    if why:
        raise LoginRefused(why, user=name if seen else None)
    return token


def user_of(engine: Engine, token: str, *, now: datetime) -> User | None:
    """Whose session this is, if it is in force."""
    query = (
        select(UserRow.name, UserRow.role)
        .join(SessionRow, SessionRow.user == UserRow.name)
        .where(SessionRow.token_sha256 == _digest(token), SessionRow.expires_at > now)
    )
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return User(*row) if row else None


def log_out(engine: Engine, token: str) -> None:
    """End a session."""
    with writing(engine) as connection:
        connection.execute(delete(SessionRow).where(SessionRow.token_sha256 == _digest(token)))


def _refusal(connection: Connection, name: str, hashed: bytes, salt: bytes, now: datetime) -> str:
    """Why there is no session ("" for no reason), looking again: meanwhile the name may be locked, or its password another."""
    row = _user(connection, name, locking=True)
    mine = UserRow.name == name
    if row is None or row.salt != salt:
        return "changed"
    if row.locked_until and row.locked_until > now:
        return "locked"
    if hmac.compare_digest(hashed, row.password_hash):
        connection.execute(update(UserRow).where(mine).values(wrong_attempts=0, locked_until=None))
        return ""
    wrong = row.wrong_attempts + 1
    until = now + LOCKED_FOR if wrong % WRONG_ALLOWED == 0 else None
    connection.execute(update(UserRow).where(mine).values(wrong_attempts=wrong, locked_until=until))
    return "wrong"


def _session(connection: Connection, name: str, now: datetime) -> str:
    connection.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    token = secrets.token_urlsafe(32)
    values = {"token_sha256": _digest(token), "user": name, "created_at": now, "expires_at": now + SESSION_TIME}
    connection.execute(insert(SessionRow).values(**values))
    return token


def _user(
    connection: Connection, name: str, *, locking: bool = False
) -> Row[str, bytes, bytes, int, datetime | None] | None:
    columns = (UserRow.name, UserRow.salt, UserRow.password_hash, UserRow.wrong_attempts, UserRow.locked_until)
    query = select(*columns).where(UserRow.name == name)
    return connection.execute(query.with_for_update() if locking else query).first()


def _require(connection: Connection, name: str) -> None:
    if _user(connection, name) is None:
        msg = f"there is no user {name}: `onrecord console users` lists them"
        raise UserRefused(msg)


def _hashed(password: str) -> tuple[bytes, bytes]:
    if len(password) < SHORTEST_PASSWORD:
        msg = f"the password is too short: use at least {SHORTEST_PASSWORD} characters"
        raise UserRefused(msg)
    salt = secrets.token_bytes(16)
    return salt, _scrypt(password, salt)


def _scrypt(password: str, salt: bytes) -> bytes:
    """Hash the password, however the keyboard composed its accents."""
    return hashlib.scrypt(unicodedata.normalize("NFKC", password).encode(errors="surrogatepass"), salt=salt, **_SCRYPT)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
