"""The console: a process of its own on loopback, with its own login. Every page but the login needs a session."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from console import activity, login
from console.pages import Problem, problem_page
from console.security import HEADERS, READING, Guard
from console.throttle import Throttle

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

HERE = Path(__file__).parent
LATE_AFTER = timedelta(hours=1)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sources:
    """What the console reads. ``late_after`` is how old an account's last complete look may be."""

    engine: Engine
    mart: Path
    city: str = "City"
    late_after: timedelta = LATE_AFTER
    clock: Callable[[], datetime] = _utc_now


def create_app(sources: Sources) -> FastAPI:
    """The application, ready to be served."""
    mimetypes.add_type("font/woff2", ".woff2")
    app = FastAPI(title="Onrecord console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.sources = sources
    app.state.throttle = Throttle()
    app.add_middleware(Guard)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.include_router(login.router)
    app.include_router(activity.router)
    app.add_api_route("/healthz", _healthz, methods=READING)
    app.add_exception_handler(login.LoginNeeded, _to_login)
    app.add_exception_handler(Problem, _told)
    app.add_exception_handler(RequestValidationError, _incomplete)
    app.add_exception_handler(404, _lost)
    app.add_exception_handler(405, _lost)
    app.add_exception_handler(Exception, _failed)
    return app


def _healthz() -> dict[str, str]:
    """Whether the process answers; tells nothing else."""
    return {"status": "ok"}


def _to_login(request: Request, _problem: Exception) -> Response:
    wanted = request.url.path if request.method in READING else "/"
    return RedirectResponse(login.address(wanted), status_code=303)


def _told(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101 - registered for it
    return problem_page(request, problem)


def _lost(request: Request, _problem: Exception) -> Response:
    return _page(request, "There is no such page.", "The overview leads to all there are.", 404)


def _incomplete(request: Request, _problem: Exception) -> Response:
    return _page(request, "Something is missing in the form.", "Go back, fill it in and send it again.", 400)


def _failed(request: Request, _problem: Exception) -> Response:
    """Answer for a fault of the program, whose traceback is in the log; the guard is not around this answer."""
    answer = _page(request, "Something went wrong.", "Try again; if it lasts, look into the console's log.", 500)
    answer.headers.update(HEADERS)
    return answer


def _page(request: Request, what: str, advice: str, status: int) -> Response:
    try:
        login.recognize(request)
    except Exception:  # noqa: BLE001 - the page about a broken database must not need the database
        request.state.user = None
    return problem_page(request, Problem(what, advice, status=status))
