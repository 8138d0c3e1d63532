"""When Airflow tries a capture again: not before the platform said, and never with a dead credential.

``RetryPolicy`` runs in the worker (Airflow 3.3, task SDK ``definitions/retry_policy``). It cannot exceed the task's ``retries``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

A_PERSON_MUST_ACT = frozenset(
    {"credential_rejected", "scope_missing", "account_unavailable", "credential_missing", "not_approved"}
)
"""Outcome codes that no waiting mends."""

SLACK = timedelta(seconds=1)


@dataclass(frozen=True)
class HonorThePlatform(RetryPolicy):
    """Wait until ``retry_at`` where the error carries one; fail at once where only a person can help."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide by the error's ``retry_at`` and ``code``."""
        del try_number, max_tries, context
        retry_at = getattr(exception, "retry_at", None)
        if isinstance(retry_at, datetime):
            wait = max(retry_at - datetime.now(UTC), timedelta()) + SLACK
            return RetryDecision.retry(wait, f"the platform asked to wait until {retry_at:%H:%M:%S} UTC")
        code = getattr(exception, "code", None)
        if code in A_PERSON_MUST_ACT:
            return RetryDecision.fail(f"{code}: a person must act")
        return RetryDecision.default()
