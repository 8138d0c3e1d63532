"""Logging in and out, and who is asking."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from compliance import audit_log, users
from compliance.users import SESSION_TIME, User
from console.pages import Problem, page
from console.security import COOKIE, is_form_token

router = APIRouter()


class LoginNeeded(Exception):
    """A page was asked for without a session."""


def address(wanted: str) -> str:
    """The login page that leads on to a page of ours."""
    return f"/login?next={quote(wanted)}"


def current_user(request: Request) -> User:
    """Whose request this is. Raises :class:`LoginNeeded`."""
    sources = request.app.state.sources
    token = request.cookies.get(COOKIE)
    user = users.user_of(sources.engine, token, now=sources.clock()) if token else None
    if user is None:
        raise LoginNeeded
    request.state.user = user
    request.state.session = token
    return user


CurrentUser = Annotated[User, Depends(current_user)]


@router.get("/login")
def form(request: Request, next: str = "/") -> Response:  # noqa: A002 - the word in the address
    """The login form."""
    return page(request, "login.html", next=_ours(next))


@router.post("/login")
def log_in(
    request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()], next: Annotated[str, Form()] = "/"  # noqa: A002
) -> Response:
    """Begin a session, or show the form again."""
    sources = request.app.state.sources
    now = sources.clock()
    token = users.log_in(sources.engine, name, password, now=now)
    audit_log.append(
        sources.engine,
        actor=f"console:{name[:64]}",
        action="console.login" if token else "console.login_refused",
        subject="console",
        detail={},
        now=now,
    )
    if token is None:
        wrong = "Name or password is wrong, or the name is locked for a few minutes after too many tries."
        return page(request, "login.html", status=401, next=_ours(next), wrong=wrong)
    answer = RedirectResponse(_ours(next), status_code=303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_TIME.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
def log_out(request: Request, user: CurrentUser, form_token: Annotated[str, Form()]) -> Response:
    """End the session."""
    del user
    if not is_form_token(request.state.session, form_token):
        raise Problem("The form is too old.", "Go back, reload the page and try again.", status=403)
    users.log_out(request.app.state.sources.engine, request.state.session)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _ours(wanted: str) -> str:
    """The address, if it is a page of ours; else the overview."""
    return wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) else "/"
