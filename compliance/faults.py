"""What can go wrong in compliance, one class per way to recover.

::

    ComplianceError
    ├── PolicyBroken          files in policy/ are wrong                 correct the lines the message names
    ├── UnknownAccount        no account of that name                    use one of the names suggested
    ├── AccountExists         the name or the platform id is taken       choose another name, or use the account there is
    ├── NotApproved           the account may not be captured            a person approves it, or leaves it
    ├── CredentialMissing     no secret of that name, or not all of it   set the variables the message names
    ├── UnknownHold           no such hold                               look at the list of holds
    ├── UnknownRecord         no such post or comment in the mart        find its id with onrecord sql
    ├── HoldRefused           the hold or its scope makes no sense       say what it covers and why
    ├── LogBroken             the audit log was changed afterwards       keep the database; compare with a backup
    └── MartIncomplete        the mart lacks what the audit reads        build the mart again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ComplianceError(Exception):
    """A rule of the City, or of the records, is not met. The message says which and what to do."""


class PolicyBroken(ComplianceError):
    """Files in ``policy/`` are wrong: ``problems`` holds one line per error, up to twenty."""

    def __init__(self, problems: Sequence[str], *, left_out: int = 0) -> None:
        more = [f"... and {left_out} more"] if left_out else []
        super().__init__("\n".join([*problems, *more]))
        self.problems = tuple(problems)


class UnknownAccount(ComplianceError):
    """No account of that name is registered."""


class AccountExists(ComplianceError):
    """The name, or the id on the platform, belongs to another account."""


class NotApproved(ComplianceError):
    """The account is registered but may not be captured."""


class CredentialMissing(ComplianceError):
    """A credential is not set, or lacks fields."""


class UnknownHold(ComplianceError):
    """No hold has this id."""


class HoldRefused(ComplianceError):
    """A hold without reason or without scope, or one that is released already."""


class UnknownRecord(ComplianceError):
    """The mart holds no post or comment of that id."""


class LogBroken(ComplianceError):
    """An entry of the audit log does not match its hash or its predecessor."""


class MartIncomplete(ComplianceError):
    """A table or view that the retention audit reads is not in the mart."""
