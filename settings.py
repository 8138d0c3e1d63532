"""Where things lie and how they are reached: read once, from the environment and ``onrecord.toml``.

The environment wins over the file, the file over the defaults. A setting ``[s3] endpoint`` is ``ONRECORD_S3_ENDPOINT`` in the
environment. Secrets are read from the environment or from files under ``var/secrets`` only, never from ``onrecord.toml``.
``docs/configuration.md`` lists every setting.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET_NAMES = frozenset({"secret_key", "password", "token"})


class SettingsError(Exception):
    """A setting is unknown, of the wrong type, or a secret lies in the file. The message says which and what to do."""


class S3(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The object store. ``endpoint`` empty: the embedded server, started on loopback when needed."""

    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""
    evidence_bucket: str = "onrecord-evidence"
    tables_bucket: str = "onrecord-tables"
    lock_mode: str = "GOVERNANCE"
    lock_days: int = 1095


class Console(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the console listens."""

    host: str = "127.0.0.1"
    port: int = 18480
    city: str = "the City"
    """Name of the City, for the page's head."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. Paths are absolute once loaded."""

    home: str = "var"
    """State: spool, mart, secrets, logs, embedded server."""
    policy: str = "policy"
    """The City's rules as YAML files."""
    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in ``home``. PostgreSQL: ``postgresql+pg8000://user:password@host/name``."""
    allow_private: bool = False
    """Whether connectors may ask loopback and private addresses (tests, the sample city, a City's own servers)."""
    s3: S3 = S3()
    console: Console = Console()
    services: dict[str, str] = {}
    """Host name -> base URL, where a service is not at ``https://{host}``."""

    @property
    def var(self) -> Path:
        """The home as a path."""
        return Path(self.home)

    @property
    def database(self) -> str:
        """Address of the database."""
        return self.database_url or f"sqlite:///{self.var / 'onrecord.db'}"

    @property
    def mart(self) -> Path:
        """The DuckDB file that answers questions."""
        return self.var / "mart.duckdb"


def load(environ: Mapping[str, str] | None = None, *, root: Path | None = None) -> Settings:
    """Read the settings. Raises :class:`SettingsError`.

    ``root`` is where relative paths start (default: ``ONRECORD_ROOT``, else the checkout this file lies in, else the
    working directory).
    """
    env = os.environ if environ is None else environ
    base = (root or Path(env.get("ONRECORD_ROOT") or _checkout())).resolve()
    file = Path(env.get("ONRECORD_CONFIG", base / "onrecord.toml"))
    values = _merge(_from_file(file), _from_environment(env))
    for name, default in (("home", "var"), ("policy", "policy")):
        values[name] = str((base / values.get(name, default)).resolve())
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as problem:
        msg = f"settings: {problem}. docs/configuration.md lists them (file {file}, variables ONRECORD_*)"
        raise SettingsError(msg) from None


def _checkout() -> Path:
    here = Path(__file__).parent
    return here if (here / "airflow.cfg").exists() else Path.cwd()


def _from_file(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as problem:
        msg = f"{file}: {problem}"
        raise SettingsError(msg) from None
    for section, content in values.items():
        for name in content if isinstance(content, dict) else (section,):
            if name in SECRET_NAMES:
                msg = f"{file}: {section}.{name} is a secret; set it in the environment instead, and change it"
                raise SettingsError(msg)
    return values


_SECTIONS = {"s3", "console"}
_OUTSIDE = {"ONRECORD_ROOT", "ONRECORD_CONFIG", "ONRECORD_SERVICES", "ONRECORD_SHARED"}
_SECRET_PREFIXES = ("ONRECORD_CREDENTIAL_",)


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in env.items():
        if not name.startswith("ONRECORD_") or name in _OUTSIDE or name.startswith(_SECRET_PREFIXES):
            continue
        key = name.removeprefix("ONRECORD_").lower()
        section, _, rest = key.partition("_")
        if section in _SECTIONS and rest:
            values.setdefault(section, {})[rest] = value
        else:
            values[key] = value
    services = env.get("ONRECORD_SERVICES")
    if services:
        pairs = (entry.partition("=") for entry in services.split())
        values["services"] = {host: address for host, _, address in pairs}
    return values


def _merge(low: dict[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for name, value in high.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = {**merged[name], **value} if both else value
    return merged
