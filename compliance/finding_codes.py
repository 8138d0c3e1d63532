"""What can be found: every code with its severity, what it means, and what to do now. ``docs/findings.md`` lists the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compliance.policy_findings import Severity

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")
"""From the mildest to the gravest."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding. ``advice`` may name facts of a finding in braces: ``{account}``, ``{credential}``, ``{handle}``."""

    code: str
    severity: Severity
    meaning: str
    advice: str


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind(
            "credential_rejected",
            "error",
            "The platform does not accept the account's credential: it is dead, wrong or was withdrawn.",
            "Renew the credential {credential} on the platform and set its value anew; then: onrecord capture {account}",
        ),
        Kind(
            "credential_missing",
            "error",
            "The account names a credential of which nothing, or not all, is set.",
            "Set the variables the message names (docs/configuration.md); then: onrecord capture {account}",
        ),
        Kind(
            "scope_missing",
            "error",
            "The credential lives but may not read something that is captured with it.",
            "Grant the credential {credential} the right to read this; then: onrecord capture {account}",
        ),
        Kind(
            "credential_expiring",
            "warning",
            "The credential's last day, as the City noted it, is near.",
            "Renew the credential {credential} and note its new credential_expires in policy/accounts.yaml; "
            "then: onrecord accounts load policy/accounts.yaml",
        ),
        Kind(
            "credential_expired",
            "error",
            "The credential's last day, as the City noted it, is over.",
            "Renew the credential {credential} and note its new credential_expires in policy/accounts.yaml; "
            "then: onrecord accounts load policy/accounts.yaml",
        ),
        Kind(
            "account_renamed",
            "warning",
            "The account's handle on its platform is not the one in the registry.",
            "If the City renamed it, note the handle {handle} of {account} in policy/accounts.yaml; "
            "then: onrecord accounts load policy/accounts.yaml. If nobody did, the account may be in other hands",
        ),
        Kind(
            "account_suspended",
            "critical",
            "The platform suspended the account, took it down or withholds it.",
            "Ask the platform for its reason and appeal; tell who answers for the account. What was captured stays",
        ),
        Kind(
            "account_vanished",
            "critical",
            "The account was deleted, deactivated, or is no longer found under its immutable id.",
            "Ask who holds the account whether it was closed on purpose. If so: onrecord accounts deactivate {account} --reason WHY",
        ),
        Kind(
            "account_unavailable",
            "error",
            "The account cannot be read, for a reason other than suspension or deletion: moved, private, its server or API closed.",
            "Open it in a browser, and look at its service in policy/accounts.yaml; then: onrecord capture {account}",
        ),
        Kind(
            "answer_broken",
            "error",
            "The platform answered with something that is not the documented shape, so a look could not end.",
            "The answer is kept as evidence. Look whether the program has a newer version; report it if not",
        ),
        Kind(
            "paging_broken",
            "error",
            "A listing of the platform led back to a page already read, so it has no end.",
            "The pages are kept as evidence and the next look starts over. Report it to the platform if it stays",
        ),
        Kind(
            "suspicious_shrink",
            "error",
            "A listing suddenly showed far fewer records than are known. No deletion was recorded from it.",
            "Open the account in a browser. If records are really gone, the next looks confirm each of them by itself",
        ),
        Kind(
            "budget_exceeded",
            "warning",
            "What the City's policy wants to look at again does not fit the platform's limit for this credential.",
            "Look less often (policy/revisit.yaml), or give some of the accounts that share this credential their own",
        ),
        Kind(
            "platform_changed",
            "error",
            "Answers of a platform have fields they never had, or lack fields, or have them in another type. "
            "Only new fields: a warning.",
            "Compare the fields named with the platform's documentation and the normalizer of this platform. Evidence is kept; "
            "after a change of the program the rows can be made again from it",
        ),
        Kind(
            "account_silent",
            "warning",
            "The account has published nothing for far longer than it uses to, though looks at it succeed.",
            "Open the account in a browser. If posts are there, report it; if not, ask who holds it",
        ),
        Kind(
            "capture_overdue",
            "error",
            "No look at the account was complete within the schedule's interval and its tolerance.",
            "Look at what runs: onrecord status. Then: onrecord capture {account}",
        ),
        Kind(
            "gap_open",
            "error",
            "Something of the account has not been covered for long. What is deleted meanwhile may be lost.",
            "Mend the cause, then: onrecord capture {account}. Only a complete look closes the gap",
        ),
        Kind(
            "quarantine_high",
            "warning",
            "Unusually many items of the account could not be read. Their bytes are safe in the evidence.",
            'See what is wrong with them: onrecord sql "SELECT * FROM quarantined". Report it if the program is the newest',
        ),
        Kind(
            "mart_stale",
            "warning",
            "The mart was not built for long: questions are answered from old data, and silence and renames go unnoticed.",
            "onrecord normalize && onrecord mart build; look at Airflow's runs of normalize and mart",
        ),
    )
}
