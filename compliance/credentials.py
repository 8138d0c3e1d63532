"""Secrets of an account, by name: from the environment, or from an Airflow connection in the environment. Never logged.

A credential ``transit`` with the field ``token`` is ``ONRECORD_CREDENTIAL_TRANSIT_TOKEN``. The same as an Airflow connection is
``AIRFLOW_CONN_TRANSIT``, as JSON (``login``, ``password``, ``extra``) or as a URI (``https://login:password@host?token=...``); the fields
of ``extra`` count by their own names. The environment's own variables win over the connection.
https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from compliance.faults import CredentialMissing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PREFIX = "ONRECORD_CREDENTIAL_"


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential's fields; its text form shows their names only."""

    name: str
    values: Mapping[str, str] = field(repr=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what it holds."""
        return tuple(sorted(self.values))


def find(name: str, fields: Collection[str] = (), *, environ: Mapping[str, str] | None = None) -> Secret | None:
    """The credential of that name; ``None`` if nothing of it is set and no field is asked for.

    ``fields`` are those it must hold. Raises :class:`CredentialMissing`, which says which variables to set.
    """
    env = os.environ if environ is None else environ
    variable = _variable(name)
    values = {**_from_connection(name, env.get(f"AIRFLOW_CONN_{variable}")), **_from_variables(variable, env)}
    missing = [one for one in fields if one not in values]
    if missing:
        wanted = " and ".join(f"{PREFIX}{variable}_{one.upper()}" for one in missing)
        msg = f"credential {name} is missing {', '.join(missing)}: set {wanted}, or the Airflow connection AIRFLOW_CONN_{variable}"
        raise CredentialMissing(msg)
    return Secret(name, values) if values else None


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _from_variables(variable: str, env: Mapping[str, str]) -> dict[str, str]:
    prefix = f"{PREFIX}{variable}_"
    return {key.removeprefix(prefix).lower(): value for key, value in env.items() if key.startswith(prefix) and value}


def _from_connection(name: str, text: str | None) -> dict[str, str]:
    if not text:
        return {}
    try:
        parts = _json_parts(text) if text.lstrip().startswith("{") else _uri_parts(text)
    except (ValueError, TypeError, AttributeError):
        # the cause would quote the secret
        msg = f"the Airflow connection AIRFLOW_CONN_{_variable(name)} is neither JSON nor a URI: set it again"
        raise CredentialMissing(msg) from None
    return {key: str(value) for key, value in parts.items() if value not in (None, "")}


def _json_parts(text: str) -> dict[str, Any]:
    content = json.loads(text)
    extra = content.get("extra") or {}
    if isinstance(extra, str):
        extra = json.loads(extra)
    return {**_named(content.get("login"), content.get("password")), **extra}


def _uri_parts(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    extra = dict(parse_qsl(parts.query))
    if "__extra__" in extra:
        extra = json.loads(extra["__extra__"])
    login = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return {**_named(login, password), **extra}


def _named(login: str | None, password: str | None) -> dict[str, Any]:
    """Login and password under Airflow's names and, as connectors ask for them, as username and token."""
    return {"login": login, "username": login, "password": password, "token": password}
