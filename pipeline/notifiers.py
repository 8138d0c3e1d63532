"""The Airflow notifier for webhooks. Mail goes by the SMTP provider's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from airflow.sdk import BaseNotifier

from compliance.finding_deliveries import NotTaken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

SECONDS = 15


class WebhookNotifier(BaseNotifier):
    """Posts a body to an address once. Redirects are not followed: what is told goes to the operator's address only."""

    def __init__(self, address: str, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._address, self._body, self._headers = address, body, dict(headers)

    def notify(self, context: Context) -> None:
        """Post it. Raises :class:`NotTaken`, whose text does not hold the address: it is a secret."""
        del context
        try:
            answer = requests.post(
                self._address, data=self._body, headers=self._headers, timeout=SECONDS, allow_redirects=False
            )
        except (requests.RequestException, ValueError) as problem:
            raise NotTaken(type(problem).__name__) from None  # its text quotes the address
        if not answer.ok or answer.is_redirect:
            msg = f"it answered {answer.status_code}"
            raise NotTaken(msg)
