"""What can go wrong with a platform, one class per way to recover.

::

    ConnectorError
    ├── Unreachable          nothing usable came back after retries      try again on the next run
    ├── RateLimited          the budget is spent                         try again at ``retry_at``
    ├── CredentialRejected   the token is dead, wrong or missing         a person renews it
    ├── ScopeMissing         the token lives but may not do this         a person grants the scope
    ├── NotCovered           cannot be read the way it is connected      nothing is wrong; ``reason`` says what it would take
    ├── AccountUnavailable   renamed, suspended, deleted, made private   a person looks; ``state`` says which
    ├── CursorExpired        the place to go on is no longer known       a gap is recorded, the listing starts over
    ├── PagingLoop           a page led back to one already read         a fault of the platform; reported
    └── ContractBroken       not the documented shape (HTML, cut JSON)   evidence is kept; the code must learn it
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.exchange import Exchange


class ConnectorError(Exception):
    """A platform did not give what was asked. ``exchange`` is the answer, where one came.

    ``reason`` tells it more closely than the class, in a word that does not change.
    """

    code: ClassVar[str] = "connector_error"

    def __init__(self, message: str, *, exchange: Exchange | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.exchange = exchange
        self.reason = reason


class Unreachable(ConnectorError):
    """Nothing usable came back after retries."""

    code = "unreachable"


class RateLimited(ConnectorError):
    """The budget is spent until ``retry_at``."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_at: datetime, exchange: Exchange | None = None) -> None:
        super().__init__(message, exchange=exchange)
        self.retry_at = retry_at


class CredentialRejected(ConnectorError):
    """The token is dead, wrong or missing."""

    code = "credential_rejected"


class ScopeMissing(ConnectorError):
    """The token lives but may not do this."""

    code = "scope_missing"


class NotCovered(ConnectorError):
    """The resource cannot be read the way the account is connected, and nothing is wrong: ``reason`` says what it would take.

    Raised before anything is read, so that the look is not taken for an empty one. The ledger ends it as ``not_covered``.
    """

    code = "not_covered"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message, reason=reason)


class AccountUnavailable(ConnectorError):
    """The account is renamed, suspended, deleted or private: ``state`` says which (also as ``reason``)."""

    code = "account_unavailable"

    def __init__(self, message: str, *, state: str, exchange: Exchange | None = None) -> None:
        super().__init__(message, exchange=exchange, reason=state)
        self.state = state


class CursorExpired(ConnectorError):
    """The place to go on is no longer known to the platform."""

    code = "cursor_expired"


class PagingLoop(ConnectorError):
    """A page led back to one already read."""

    code = "paging_loop"


class ContractBroken(ConnectorError):
    """The answer does not have the documented shape."""

    code = "contract_broken"
