"""Who may log in to the console: local users with salted scrypt hashes, and server-side sessions.

Ten wrong passwords in a row lock a name for five minutes. A session is known by a random token of which only the hash is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, ForeignKey, LargeBinary, Text, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from compliance.faults import ComplianceError
from warehouse.database import Base, UtcDateTime, writing

ROLES = ("administrator", "records_officer", "communications", "auditor")
SESSION_TIME = timedelta(hours=10)
WRONG_ALLOWED = 10
LOCKED_FOR = timedelta(minutes=5)
SHORTEST_PASSWORD = 12
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


class UserFault(ComplianceError):
    """A user cannot be made or changed as asked."""


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
    """Make a user. Raises :class:`UserFault` for a name that is taken, an unknown role or a short password."""
    if role not in ROLES:
        msg = f"{role!r} is not a role: use one of {', '.join(ROLES)}"
        raise UserFault(msg)
    salt, hashed = _hashed(password)
    with writing(engine) as connection:
        if connection.execute(select(UserRow.name).where(UserRow.name == name)).first():
            msg = f"there is a user {name} already"
            raise UserFault(msg)
        connection.execute(
            insert(UserRow).values(
                name=name, role=role, salt=salt, password_hash=hashed, created_at=at, wrong_attempts=0, locked_until=None
            )
        )
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
    """Change a password, unlock the name and end its sessions. Raises :class:`UserFault`."""
    salt, hashed = _hashed(password)
    with writing(engine) as connection:
        done = connection.execute(
            update(UserRow)
            .where(UserRow.name == name)
            .values(salt=salt, password_hash=hashed, wrong_attempts=0, locked_until=None)
        )
        if done.rowcount == 0:
            msg = f"there is no user {name}: `onrecord console users` lists them"
            raise UserFault(msg)
        connection.execute(delete(SessionRow).where(SessionRow.user == name))


def listing(engine: Engine) -> list[User]:
    """All users, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(UserRow.name, UserRow.role).order_by(UserRow.name))
        return [User(name, role) for name, role in rows]


def log_in(engine: Engine, name: str, password: str, *, now: datetime) -> str | None:
    """A session token if the password is right and the name not locked, else ``None``.

    An unknown name costs as much time as a wrong password, so that names cannot be found out.
    """
    with writing(engine) as connection:
        row = connection.execute(select(UserRow.__table__).where(UserRow.name == name)).first()
        hashed = _scrypt(password, row.salt if row else b"no such user...")
        if row is None or (row.locked_until and row.locked_until > now):
            return None
        mine = UserRow.name == name
        if not hmac.compare_digest(hashed, row.password_hash):
            wrong = row.wrong_attempts + 1
            until = now + LOCKED_FOR if wrong % WRONG_ALLOWED == 0 else None
            connection.execute(update(UserRow).where(mine).values(wrong_attempts=wrong, locked_until=until))
            return None
        connection.execute(update(UserRow).where(mine).values(wrong_attempts=0, locked_until=None))
        connection.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
        token = secrets.token_urlsafe(32)
        connection.execute(
            insert(SessionRow).values(
                token_sha256=_digest(token), user=name, created_at=now, expires_at=now + SESSION_TIME
            )
        )
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


def _hashed(password: str) -> tuple[bytes, bytes]:
    if len(password) < SHORTEST_PASSWORD:
        msg = f"the password is too short: use at least {SHORTEST_PASSWORD} characters"
        raise UserFault(msg)
    salt = secrets.token_bytes(16)
    return salt, _scrypt(password, salt)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
