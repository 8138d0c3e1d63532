"""What can go wrong with a platform, one class per way to recover.

::

    ConnectorError
    ├── Unreachable          nothing usable came back after retries      try again on the next run
    ├── RateLimited          the budget is spent                         try again at ``retry_at``
    ├── CredentialRejected   the token is dead, wrong or missing         a person renews it
    ├── ScopeMissing         the token lives but may not do this         a person grants the scope
    ├── AccountUnavailable   renamed, suspended, deleted, made private   a person looks; ``state`` says which
    ├── CursorExpired        the place to go on is no longer known       a gap is recorded, the listing starts over
    ├── PagingLoop           a page led back to one already read         a fault of the platform; reported
    └── ContractBroken       not the documented shape (HTML, cut JSON)   evidence is kept; the code must learn it
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from connectors.exchange import Exchange


class ConnectorError(Exception):
    """A platform did not give what was asked. ``exchange`` is the answer, where one came."""

    code: ClassVar[str] = "connector_error"

    def __init__(self, message: str, *, exchange: Exchange | None = None) -> None:
        super().__init__(message)
        self.exchange = exchange


class Unreachable(ConnectorError):
    code = "unreachable"


class RateLimited(ConnectorError):
    code = "rate_limited"

    def __init__(self, message: str, *, retry_at: datetime, exchange: Exchange | None = None) -> None:
        super().__init__(message, exchange=exchange)
        self.retry_at = retry_at


class CredentialRejected(ConnectorError):
    code = "credential_rejected"


class ScopeMissing(ConnectorError):
    code = "scope_missing"


class AccountUnavailable(ConnectorError):
    code = "account_unavailable"

    def __init__(self, message: str, *, state: str, exchange: Exchange | None = None) -> None:
        super().__init__(message, exchange=exchange)
        self.state = state


class CursorExpired(ConnectorError):
    code = "cursor_expired"


class PagingLoop(ConnectorError):
    code = "paging_loop"


class ContractBroken(ConnectorError):
    code = "contract_broken"
