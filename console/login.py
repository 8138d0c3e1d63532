"""Logging in and out, and who is asking."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from compliance import audit_log, users
from compliance.users import SESSION_TIME, LoginRefused, User
from console.pages import Problem, page
from console.security import COOKIE, READING, is_form_token

router = APIRouter()
_OURS = re.compile(r"/(?![/\\])[\x21-\x7e]*")
WRONG = "Name or password is wrong, or the name is locked: after ten wrong passwords it is for five minutes."


class LoginNeeded(Exception):
    """A page was asked for without a session."""


def address(wanted: str) -> str:
    """The login page that leads on to a page of ours."""
    return f"/login?next={quote(wanted)}" if wanted != "/" else "/login"


def recognize(request: Request) -> User | None:
    """Whose session the request belongs to, noted on the request for the page's head and forms."""
    sources = request.app.state.sources
    token = request.cookies.get(COOKIE)
    user = users.user_of(sources.engine, token, now=sources.clock()) if token else None
    if user:
        request.state.user = user
        request.state.session = token
    return user


def current_user(request: Request) -> User:
    """Whose request this is. Raises :class:`LoginNeeded`."""
    user = recognize(request)
    if user is None:
        raise LoginNeeded
    return user


CurrentUser = Annotated[User, Depends(current_user)]


@router.api_route("/login", methods=READING)
def form(request: Request, next: str = "/") -> Response:  # noqa: A002 - the word in the address
    """The login form; whoever is logged in already goes on."""
    if recognize(request):
        return RedirectResponse(_ours(next), status_code=303)
    return _form(request, next)


@router.post("/login")
def log_in(
    request: Request,
    name: Annotated[str, Form()],
    password: Annotated[str, Form()],
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the word in the form
) -> Response:
    """Begin a session, or show the form again."""
    sources, throttle = request.app.state.sources, request.app.state.throttle
    client, now = request.client.host if request.client else "", sources.clock()
    if throttle.is_closed(client, now):
        return _form(request, next, status=429, wrong="Too many tries. Wait five minutes, then try again.")
    try:
        token = users.log_in(sources.engine, name.strip(), password, now=now)
    except LoginRefused as refused:
        throttle.refused(client, now)
        _note(request, refused.user or "unknown", "console.login_refused", why=refused.why)
        return _form(request, next, status=401, wrong=WRONG, name=name[:64])
    _note(request, name.strip(), "console.login")
    answer = RedirectResponse(_ours(next), status_code=303)
    secure = request.url.scheme == "https"
    age = int(SESSION_TIME.total_seconds())
    answer.set_cookie(COOKIE, token, max_age=age, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout")
def log_out(request: Request, user: CurrentUser, form_token: Annotated[str, Form()]) -> Response:
    """End the session."""
    if not is_form_token(request.state.session, form_token):
        what = "The form is too old."
        raise Problem(what, "Go back, reload the page and try again.", status=403)
    users.log_out(request.app.state.sources.engine, request.state.session)
    _note(request, user.name, "console.logout")
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _form(request: Request, wanted: str, *, status: int = 200, wrong: str = "", name: str = "") -> Response:
    return page(request, "login.html", status=status, next=_ours(wanted), wrong=wrong, name=name)


def _note(request: Request, user: str, action: str, **detail: str) -> None:
    sources = request.app.state.sources
    audit_log.append(sources.engine, f"console:{user}", action, "console", detail, now=sources.clock())


def _ours(wanted: str) -> str:
    """The address, if it is a page of ours; else the overview."""
    return wanted if _OURS.fullmatch(wanted) else "/"
