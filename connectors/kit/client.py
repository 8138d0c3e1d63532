"""The one place that asks a platform: records each exchange, retries what passes by itself, names the rest.

Order of things, for every attempt: the answer is received whole, handed to ``Connection.record``, and only then looked at.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urljoin

from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from connectors.faults import AccountUnavailable, ConnectorError, ContractBroken, RateLimited, Unreachable
from connectors.kit.address import base_url, is_trusted, origin
from connectors.kit.decoding import OtherShape, Undecodable, content_of, decode
from connectors.kit.redaction import scrub
from connectors.kit.throttle import Throttle
from connectors.kit.transport import AnswerTooLarge, Params, TransferFailed, Transport
from connectors.kit.verdict import Complaint, Fault, complaint_in, complaint_of, judge

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from requests.auth import AuthBase

    from connectors.contract import Connection
    from connectors.exchange import Exchange

T = TypeVar("T")
log = logging.getLogger(__name__)

ATTEMPTS = 4
WAIT_LIMIT_SECONDS = 20.0
"""The most one call sleeps in all; a longer wait is the scheduler's, through :class:`RateLimited`."""
UNTOLD_WAIT = timedelta(minutes=5)
"""When to try again where a platform says "too many" and not until when."""
REDIRECTS = 5

_TOO_MANY = 429
_UNAVAILABLE = 503
_PASSING = frozenset({500, 502, _UNAVAILABLE, 504})
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_backoff = wait_random_exponential(multiplier=0.5, max=5)


class _Again(Exception):
    """An attempt failed in a way that may pass: ``final`` is raised when it does not, ``wait_seconds`` is what was asked for."""

    def __init__(self, final: ConnectorError, wait_seconds: float | None = None) -> None:
        super().__init__(str(final))
        self.final = final
        self.wait_seconds = wait_seconds


class Client:
    """A service and the right to ask it. Use it in a ``with`` block."""

    def __init__(
        self,
        connection: Connection,
        *,
        host: str,
        auth: AuthBase | None = None,
        faults: tuple[Fault, ...] = (),
        throttle: Throttle | None = None,
    ) -> None:
        """``host``: name of the service, as in ``AccountRef.service``. Raises :class:`AccountUnavailable` if it may not be asked."""
        self.host = host
        self._connection = connection
        self._faults = faults
        self._throttle = throttle or Throttle()
        self._secrets = tuple(connection.credential.values.values()) if connection.credential else ()
        base = base_url(connection, host)
        self._transport = Transport(base, trusted=is_trusted(connection, host), auth=auth, clock=connection.clock)
        self._pause_seconds = 0.0
        self._retrying = Retrying(
            retry=retry_if_exception_type(_Again),
            wait=_wait,
            stop=_stop,
            sleep=connection.sleep,
            before_sleep=self._tell,
            reraise=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def get(
        self, call: str, path: str, params: Params | None = None, *, subject: str = "", accept: Collection[int] = ()
    ) -> Exchange:
        """Ask and return the exchange, recorded. The body is not looked at.

        ``accept``: statuses beside 2xx that are answers, too. Raises :class:`ConnectorError`.
        """
        exchange, _ = self._ask(call, path, None, params, subject=subject, accept=accept, record=True)
        return exchange

    def read(
        self,
        call: str,
        path: str,
        shape: type[T],
        params: Params | None = None,
        *,
        subject: str = "",
        accept: Collection[int] = (),
    ) -> tuple[Exchange, T]:
        """Ask and return the exchange with its JSON as ``shape`` (decoded once).

        A shape names a required field, so that an error inside a success is told apart. The body of an accepted status must fit,
        too. Raises :class:`ConnectorError`.
        """
        exchange, value = self._ask(call, path, shape, params, subject=subject, accept=accept, record=True)
        assert value is not None  # noqa: S101 - a shape was given
        return exchange, value

    def peek(
        self, call: str, path: str, shape: type[T], params: Params | None = None, *, subject: str = ""
    ) -> tuple[Exchange, T]:
        """Like :meth:`read`, but nothing is recorded: for looking up what is not (yet) to be kept."""
        exchange, value = self._ask(call, path, shape, params, subject=subject, accept=(), record=False)
        assert value is not None  # noqa: S101 - a shape was given
        return exchange, value

    def _ask(
        self,
        call: str,
        path: str,
        shape: type[T] | None,
        params: Params | None,
        *,
        subject: str,
        accept: Collection[int],
        record: bool,
    ) -> tuple[Exchange, T | None]:
        def attempt() -> tuple[Exchange, T | None]:
            exchange = self._follow(call, path, params, subject, record=record)
            return exchange, self._judge(exchange, shape, accept)

        self._keep_pace(call)
        try:
            return self._retrying(attempt)
        except _Again as failed:
            raise failed.final from None

    def _follow(self, call: str, path: str, params: Params | None, subject: str, *, record: bool) -> Exchange:
        url = self._transport.base + path
        for _ in range(REDIRECTS + 1):
            exchange = self._send(call, url, params, subject)
            if record:
                self._connection.record(exchange)
            target = exchange.header("location") if exchange.status in _REDIRECTING else None
            if target is None:
                return exchange
            url, params = self._same_origin(exchange, url, target), None
        msg = f"{self.host} sends {call} from one address to the next more than {REDIRECTS} times"
        raise ContractBroken(msg, exchange=exchange)

    def _send(self, call: str, url: str, params: Params | None, subject: str) -> Exchange:
        try:
            exchange = self._transport.send(call, url, params, subject)
        except TransferFailed as failed:
            msg = f"{self.host} gave no whole answer to {call}: {failed}. The next run tries again"
            raise _Again(Unreachable(msg)) from None
        except AnswerTooLarge as large:
            msg = f"{self.host} answered {call} with {large} bytes, more than any documented answer; it was not read"
            raise ContractBroken(msg) from None
        self._pause_seconds = self._throttle.pause(exchange)
        return exchange

    def _same_origin(self, exchange: Exchange, url: str, target: str) -> str:
        there = urljoin(url, target)
        try:
            if origin(there) == origin(self._transport.base):
                return there
        except ValueError:
            pass
        where = scrub(there.partition("?")[0], self._secrets)
        msg = f"{self.host} sends {exchange.call} on to {where!r}. It is not followed: register the account where it is now"
        raise AccountUnavailable(msg, state="moved", exchange=exchange)

    def _judge(self, exchange: Exchange, shape: type[T] | None, accept: Collection[int]) -> T | None:
        status = exchange.status
        if 200 <= status < 300 or status in accept:  # noqa: PLR2004 - RFC 9110 §15.3
            if shape is None:
                if status in accept:
                    self._refuse(exchange, content_or_nothing(exchange), accept)
                return None
            return self._decoded(exchange, shape, accept)
        if status == _TOO_MANY or (status == _UNAVAILABLE and exchange.header("retry-after")):
            raise self._rate_limited(exchange)
        if status in _PASSING:
            msg = f"{self.host} failed at {exchange.call} with {status} {ATTEMPTS} times. The next run tries again"
            raise _Again(Unreachable(msg, exchange=exchange))
        self._refuse(exchange, content_or_nothing(exchange), accept)
        return None

    def _decoded(self, exchange: Exchange, shape: type[T], accept: Collection[int]) -> T:
        try:
            content = content_of(exchange)
            if exchange.status in accept:
                self._refuse(exchange, content, accept)
            return decode(content, shape)
        except OtherShape as other:
            complaint = complaint_in(other.value)
            if complaint is None:
                msg = f"{self.host} answered {exchange.call} in a shape the connector does not know: {other}"
                raise ContractBroken(msg, exchange=exchange) from None
            error = judge(self._faults, exchange, complaint, self._words(complaint))
            assert error is not None  # noqa: S101 - nothing was accepted
            raise error from None
        except Undecodable as problem:
            msg = f"{self.host} answered {exchange.call} with {exchange.status}, but {problem}"
            raise _Again(ContractBroken(msg, exchange=exchange)) from None

    def _refuse(self, exchange: Exchange, content: bytes, accept: Collection[int]) -> None:
        complaint = complaint_of(content)
        if complaint is None and content.lstrip()[:1] == b"<":
            msg = f"{self.host} answered {exchange.call} with {exchange.status} and a web page where JSON was asked for"
            raise _Again(ContractBroken(msg, exchange=exchange))
        complaint = complaint or Complaint(message=exchange.reason)
        error = judge(self._faults, exchange, complaint, self._words(complaint), accept=accept)
        if error is not None:
            raise error

    def _words(self, complaint: Complaint) -> str:
        return scrub(complaint.message, self._secrets)

    def _rate_limited(self, exchange: Exchange) -> _Again | RateLimited:
        asked = self._throttle.wait(exchange)
        wait = UNTOLD_WAIT if asked is None else timedelta(seconds=min(asked, 366 * 86_400))
        retry_at = exchange.fetched_at + wait
        msg = f"{self.host} answers no more {exchange.call} until {retry_at:%Y-%m-%d %H:%M:%S} UTC ({exchange.status})"
        final = RateLimited(msg, retry_at=retry_at, exchange=exchange)
        return final if asked is not None and asked > WAIT_LIMIT_SECONDS else _Again(final, asked)

    def _keep_pace(self, call: str) -> None:
        """Wait until a spent budget starts anew, or say until when to wait."""
        pause, self._pause_seconds = self._pause_seconds, 0.0
        if pause > WAIT_LIMIT_SECONDS:
            retry_at = self._connection.clock() + timedelta(seconds=min(pause, 366 * 86_400))
            msg = f"{self.host}: the budget is spent before {call}, until {retry_at:%Y-%m-%d %H:%M:%S} UTC"
            raise RateLimited(msg, retry_at=retry_at)
        if pause:
            self._connection.sleep(pause)

    def _tell(self, state: RetryCallState) -> None:
        problem = state.outcome.exception() if state.outcome else None
        log.info("again in %.1f s: %s", state.upcoming_sleep, problem)


def content_or_nothing(exchange: Exchange) -> bytes:
    """The body of an error answer, empty where it cannot be read."""
    try:
        return content_of(exchange)
    except Undecodable:
        return b""


def _wait(state: RetryCallState) -> float:
    problem = state.outcome.exception() if state.outcome else None
    asked = problem.wait_seconds if isinstance(problem, _Again) else None
    return _backoff(state) if asked is None else asked


def _stop(state: RetryCallState) -> bool:
    return state.attempt_number >= ATTEMPTS or state.idle_for + state.upcoming_sleep > WAIT_LIMIT_SECONDS
