"""The console: a process of its own on loopback, with its own login. Every route but the login needs a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from console import activity, login
from console.pages import Problem, problem_page
from console.security import SecurityHeaders

if TYPE_CHECKING:
    from sqlalchemy import Engine

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sources:
    """What the console reads."""

    engine: Engine
    mart: Path
    city: str = "the City"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


def create_app(sources: Sources) -> FastAPI:
    """The application, ready to be served."""
    app = FastAPI(title="Onrecord console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.sources = sources
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.include_router(login.router)
    app.include_router(activity.router)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the process answers; tells nothing else."""
        return {"status": "ok"}

    @app.exception_handler(login.LoginNeeded)
    def to_login(request: Request, _problem: Exception) -> Response:
        return RedirectResponse(login.address(request.url.path), status_code=303)

    @app.exception_handler(Problem)
    def told(request: Request, problem: Problem) -> Response:
        return problem_page(request, problem)

    @app.exception_handler(404)
    def lost(request: Request, _problem: Exception) -> Response:
        return problem_page(request, Problem("There is no such page.", "Go back to the overview.", status=404))

    return app
