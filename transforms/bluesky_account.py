"""What Bluesky says of whole accounts: the profile, the state of a repository, and what its refusals mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from transforms.bluesky_moderation import gone
from transforms.quarantine import OTHER_ACCOUNT, Broken
from transforms.rows import Mark, Profile
from transforms.sheets import Item, Outcome, Sheets, sha256
from transforms.text import addresses, digest, known

if TYPE_CHECKING:
    from transforms.page import ArchivedPage

OK = 200
_REFUSED = (400, 404)


class _Refusal(msgspec.Struct):
    """An XRPC error."""

    error: str | None = None
    message: str | None = None


class _Repository(msgspec.Struct):
    """``getRepoStatus``."""

    did: str
    active: bool
    status: str | None = None


class _ProfileView(msgspec.Struct, rename="camel"):
    """``app.bsky.actor.defs#profileViewDetailed``."""

    did: str
    handle: str | None = None
    display_name: str | None = None
    description: str | None = None
    avatar: str | None = None


_refusal = msgspec.json.Decoder(_Refusal).decode
_repository = msgspec.json.Decoder(_Repository).decode
_profile_view = msgspec.json.Decoder(_ProfileView).decode


def refusal(page: ArchivedPage, item: Item) -> str | None:
    """The name of the error where the server says that it does not give what was asked for."""
    return _refusal(item).error if page.status in _REFUSED else None


def status(page: ArchivedPage, sheets: Sheets) -> None:
    """``getRepoStatus``: why a whole repository is closed, for a record or for the City's own account."""

    def answer(item: Item) -> Outcome:
        state, word = _repository_state(page, item)
        if state is None:
            return word
        basis = f"record:getRepoStatus: {word}"
        payload = sha256(item)
        if page.subject.startswith("at:"):
            sheets.marks.add(gone(page.subject, state=state, basis=basis, payload=payload))
        else:
            sheets.marks.add(_profile_mark(page, state, basis, payload))
        return None

    sheets.whole(answer, page)


def _repository_state(page: ArchivedPage, item: Item) -> tuple[str | None, str]:
    """What the state of a repository says about what is in it; None and a reason where it says nothing."""
    if page.status == OK:
        repository = _repository(item)
        if repository.active:
            return None, "repository_active"
        word = repository.status or "inactive"
        return ("deleted" if word == "deleted" else "unavailable"), word
    if refusal(page, item) == "RepoNotFound":
        return "deleted", "RepoNotFound"
    return None, f"answer_{page.status}"


def _profile_mark(page: ArchivedPage, state: str, basis: str, payload: str) -> Mark:
    return Mark(record_id=page.account_id, kind="profile", state=state, state_basis=basis, payload_sha256=payload)


def profile(page: ArchivedPage, sheets: Sheets) -> None:
    """``getProfile``."""

    def answer(item: Item) -> Outcome:
        if page.status != OK:
            return _no_profile(page, sheets, item)
        found = _profile_view(item)
        if f"bluesky:{found.did}" != page.account_id:
            raise Broken(OTHER_ACCOUNT, "the handle leads to another account")
        name, description, avatar = known(found.display_name), known(found.description), known(found.avatar)
        links = addresses(description)
        sheets.profiles.add(
            Profile(
                record_id=page.account_id,
                content_sha256=digest(found.handle, name, description, links, avatar),
                payload_sha256=sha256(item),
                state_basis="view:getProfile",
                handle=known(found.handle),
                name=name,
                description=description,
                url=f"https://bsky.app/profile/{found.did}",
                links=links,
                avatar_url=avatar,
            )
        )
        return None

    sheets.whole(answer, page)


def _no_profile(page: ArchivedPage, sheets: Sheets, item: Item) -> Outcome:
    told = _refusal(item)
    if told.error in ("AccountDeactivated", "AccountTakedown"):
        state = "unavailable"
    elif told.error == "InvalidRequest" and "not found" in (told.message or ""):
        state = "deleted"
    else:
        return f"answer_{page.status}"
    basis = f"view:getProfile: {told.error}"
    sheets.marks.add(_profile_mark(page, state, basis, sha256(item)))
    return None
