"""Headless Chromium for tests. Use it with ``pytest_plugins = ["browser_fixture"]`` in the test module.

``browser`` lasts for a module, not for the session: while it lives, Playwright's event loop runs in the main thread, where other
modules' tests may want one of their own.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from conftest import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a page did beside showing itself: messages in its console, errors of scripts, requests."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def outside(self, base: str) -> list[str]:
        """Requests that left the host."""
        return [url for url in self.requests if urlsplit(url).netloc != urlsplit(base).netloc]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    chromium = shutil.which("chromium")
    require(chromium, "Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        yield opened
        opened.close()


@pytest.fixture
def watch() -> Callable[[Page], Watch]:
    """Watch a page from now on: ``seen = watch(page)``."""
    return _watched


def _watched(page: Page) -> Watch:
    seen = Watch()
    page.on("console", lambda message: seen.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.messages.append(f"error: {error}"))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("requestfailed", lambda request: seen.failed.append(request.url))
    page.on("response", lambda answer: seen.failed.append(answer.url) if answer.status >= 400 else None)
    return seen
