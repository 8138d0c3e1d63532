"""What an answer that is no success means: a table per platform, read from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.faults import AccountUnavailable, ConnectorError, ContractBroken, CredentialRejected, ScopeMissing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from connectors.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Fault:
    """A row: which answer it is about and which error it is.

    A row that names ``codes`` or ``says`` is about that very complaint and holds even where the caller accepts the status.
    """

    status: int
    error: type[ConnectorError]
    codes: tuple[str, ...] = ()
    """The platform's own error codes; empty: any."""
    says: str = ""
    """Words its message contains, whatever their case; empty: any."""
    state: str = ""
    """For :class:`AccountUnavailable`: which state."""
    advice: str = ""
    """What to do now."""

    def fits(self, status: int, complaint: Complaint) -> bool:
        """Whether the row is about this answer."""
        return (
            status == self.status
            and (not self.codes or complaint.code in self.codes)
            and self.says.lower() in complaint.message.lower()
        )

    @property
    def is_specific(self) -> bool:
        """Whether it names a code or words."""
        return bool(self.codes or self.says)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says. ``status`` is the one it names itself (WordPress does), ``code`` empty where it has none."""

    code: str = ""
    message: str = ""
    status: int | None = None


USUAL = (
    Fault(401, CredentialRejected, advice="Renew the credential"),
    Fault(403, ScopeMissing, advice="Grant the credential the right to read this"),
    Fault(404, AccountUnavailable, state="not_found", advice="Look whether the account still exists"),
    Fault(410, AccountUnavailable, state="gone", advice="The account was removed"),
    Fault(451, AccountUnavailable, state="withheld", advice="The platform withholds it for legal reasons"),
)
"""What the statuses mean where a platform's own table says nothing else (RFC 9110, RFC 7725)."""


def complaint_in(value: Any) -> Complaint | None:  # noqa: ANN401 - any JSON value
    """What a decoded body complains about; ``None`` where it is no error body.

    Read are ``{"error": code-or-text, "message": text}`` (Mastodon, AT Protocol), ``{"code": code, "message": text}``
    (WordPress), ``{"error": {"code": …, "message": …}}`` (Google, Meta).
    """
    if not isinstance(value, dict):
        return None
    inner = value.get("error")
    body = inner if isinstance(inner, dict) else value
    code, message = body.get("code") or body.get("error"), body.get("message") or body.get("error_description")
    if code is None or (message is None and "error" not in value):
        return None
    data = value.get("data")
    status = data.get("status") if isinstance(data, dict) else None
    return Complaint(str(code), str(message or code), status if isinstance(status, int) else None)


def complaint_of(content: bytes) -> Complaint | None:
    """The same for bytes; ``None`` where they are not JSON."""
    try:
        return complaint_in(msgspec.json.decode(content))
    except (msgspec.DecodeError, RecursionError):
        return None


def judge(
    faults: Iterable[Fault], exchange: Exchange, complaint: Complaint, said: str, *, accept: Collection[int] = ()
) -> ConnectorError | None:
    """The error an answer means; ``None`` where the caller accepts it.

    ``said`` is the complaint as it may appear in a message. What no row is about is :class:`ContractBroken`.
    """
    status = complaint.status if complaint.status and exchange.status < 400 else exchange.status  # noqa: PLR2004
    for fault in (*faults, *USUAL):
        if (fault.is_specific or status not in accept) and fault.fits(status, complaint):
            return _error(fault, exchange, said)
    if exchange.status in accept:
        return None
    return _error(Fault(status, ContractBroken, advice="The connector does not know this answer"), exchange, said)


def _error(fault: Fault, exchange: Exchange, said: str) -> ConnectorError:
    about = f" about {exchange.subject}" if exchange.subject else ""
    msg = f"{exchange.call}{about} was answered with {exchange.status} {said!r}. {fault.advice}"
    if issubclass(fault.error, AccountUnavailable):
        return fault.error(msg, state=fault.state or "unavailable", exchange=exchange)
    return fault.error(msg, exchange=exchange)
