"""Rendering: templates with what all pages share, and problems in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from console.security import form_token

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.responses import Response

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES = Jinja2Templates(env=_ENVIRONMENT)


class Problem(Exception):
    """Something a person should read: what happened and what to do."""

    def __init__(self, what: str, advice: str, *, status: int = 400) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.status = status


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - template values
    """Render a page."""
    session = getattr(request.state, "session", None)
    shared = {
        "user": getattr(request.state, "user", None),
        "form_token": form_token(session) if session else "",
        "city": request.app.state.sources.city,
        "path": request.url.path,
    }
    return TEMPLATES.TemplateResponse(request, template, shared | values, status_code=status)


def problem_page(request: Request, problem: Problem) -> Response:
    """A page for a problem."""
    return page(request, "problem.html", status=problem.status, what=problem.what, advice=problem.advice)
