from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT

from compliance.faults import PolicyBroken
from compliance.policy import Period, load_accounts, load_policy, load_retention


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample policy, to break."""
    return Path(shutil.copytree(ROOT / "policy", tmp_path / "policy"))


def replace(file: Path, old: str, new: str, *, count: int = 1) -> int:
    """Replace text in a file; gives the number of the line where it begins."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, count))
    return text[: text.index(old)].count("\n") + 1


def broken(folder: Path) -> tuple[str, ...]:
    with pytest.raises(PolicyBroken) as caught:
        load_policy(folder)
    return tuple(one.removeprefix(f"{folder}/") for one in caught.value.problems)


def test_the_sample_policy_is_right_and_says_that_it_is_a_sample() -> None:
    policy = load_policy(ROOT / "policy")
    assert all(getattr(policy, name).sample for name in policy.__struct_fields__)
    assert all(isinstance(getattr(policy, name).effective, date) for name in policy.__struct_fields__)


def test_values_are_typed(folder: Path) -> None:
    policy = load_policy(folder)
    ward = next(one for one in policy.accounts.accounts if one.name == "ward-3")
    assert [(one.start, one.until) for one in ward.holders] == [
        (date(2018, 1, 2), date(2022, 1, 2)),
        (date(2022, 1, 3), None),
    ]
    periods = {one.code: one.period for one in policy.retention.series}
    assert (periods["HF-100"], periods["HF-110"], periods["HF-140"]) == (Period(days=90), Period(years=1), "permanent")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("accounts", "platform: mastodon", "platform: blusky", "accounts[3].platform: 'blusky' is not one of bluesky, mastodon, wordpress"),
        ("accounts", "status: approved", "status: aproved", "accounts[0].status: 'aproved' is not one of proposed, approved, deactivated"),
        ("accounts", "from: 2017-10-02", "from: last fall", "accounts[0].holders[0].from: must be a date such as 2026-01-31, not 'last fall'"),
        ("accounts", "until: 2022-05-31", "until: 2012-05-31", "accounts[0].holders[0].until: 2012-05-31 is before 'from' 2017-10-02"),
        ("accounts", "retention: HF-130", "retention: HF-999", "accounts[0].retention: 'HF-999' is not one of HF-100, HF-110,"),
        ("accounts", "office: Ward 3", "department: Parks\n    office: Ward 3", "accounts[1]: an account belongs to a department or to an office"),
        ("accounts", "name: ward-3", "name: city-hall", "accounts[1].name: 'city-hall' is taken by accounts[0]"),
        ("accounts", "name: parks", "name: pa rks", "accounts[2].name: 'pa rks' may hold only letters"),
        ("accounts", "    credential: transit", "    credental: transit", "accounts[3].credental: unknown field; known are name, title,"),
        ("accounts", "    credential: transit", "    credential:", "accounts[3].credential: must be a text"),
        ("accounts", "sample: true", "sample: perhaps", "sample: must be true or false, not 'perhaps'"),
        ("accounts", 'version: "2026.2"', "version: 2026.2", "version: must be a text (in quotes if it looks like a number or date), not '2026.2'"),
        ("accounts", "effective: 2026-07-01", 'effective: ""', "effective: must be a date such as 2026-01-31, not nothing"),
        ("retention", "series: HF-410", "series: HF-411", "rules[0].series: 'HF-411' is not one of HF-100,"),
        ("retention", "account: [city-hall, news]", "account: [city-hall, newz]", "rules[2].when.account[1]: 'newz' is not one of city-hall, ward-3,"),
        ("retention", "'\\bmayor\\b'", "'(mayor'", "rules[2].when.text: is not an RE2 pattern: missing ): (mayor"),
        ("retention", "kind: [profile]", "kind: [page]", "rules[1].when.kind[0]: 'page' is not one of post, comment, moderation_action, profile"),
        ("retention", "kind: [profile]", "kind: profile", "rules[1].when.kind: must be a list, not 'profile'"),
        ("retention", "period: {days: 90}", "period: {days: 0}", "series[0].period: must be 'permanent' or a time such as {years: 3}"),
        ("retention", "period: {days: 90}", "period: forever", "series[0].period: 'forever' is not one of permanent"),
        ("retention", "period: {days: 90}", "period: {weeks: 9}", "series[0].period.weeks: unknown field; known are years, months, days"),
        ("retention", "code: HF-110", "code: HF-100", "series[1].code: 'HF-100' is taken by series[0]"),
        ("appeals", "file_within_days: 30", "file_within_days: 30.5", "appeals.file_within_days: must be a whole number, not '30.5'"),
        ("accounts", "    credential: transit", "    credential_expires: 2027-01-31", "accounts[3].credential_expires: the account names no credential that could expire"),
        ("accounts", "    credential: transit", "    credential: transit\n    credential_expires: next year", "accounts[3].credential_expires: must be a date such as 2026-01-31, not 'next year'"),
        ("findings", "gap_hours: 24", "gap_hours: 0", "gap_hours: must be 1 or more, not 0"),
        ("findings", "times: 2", "times: two", "silence.times: must be a whole number, not 'two'"),
        ("findings", "share_percent: 20", "share_percent: 120", "shapes.share_percent: must be 100 at most, not 120"),
        ("revisit", "capture_every_minutes: 15", "capture_every_minutes: 0", "capture_every_minutes: must be 1 or more, not 0"),
        ("revisit", "every_hours: 12}", "every_hours: 0}", "steps[1].every_hours: must be 1 or more, not 0"),
        ("revisit", "younger_than_days: 36500", "younger_than_days: 99999999", "steps[4].younger_than_days: must be 500000 at most, not 99999999"),
        ("revisit", "younger_than_days: 14,", "younger_than_days: 2,", "steps[1].younger_than_days: '2' is taken by steps[0]"),
        ("revisit", "platform: wordpress,", "platform: mastodon,", "budgets[2].platform: 'mastodon' is taken by budgets[1]"),
        ("notifications", "minimum: warning", "minimum: loud", "mail[0].minimum: 'loud' is not one of info, warning, error, critical"),
        ("notifications", "[records@harborfalls.example]", "[records]", "mail[0].to[0]: 'records' is not a mail address"),
        ("notifications", "[records@harborfalls.example]", "[]", "mail[0].to: names nobody"),
        ("notifications", "from: onrecord@harborfalls.example", 'from: "a@b.example\\r\\nBcc: c@d.example"', "mail[0].from: "),
        ("notifications", "connection: smtp_default", "password: hush", "mail[0].password: unknown field; known are name, enabled,"),
        ("notifications", "name: duty", "name: records-desk", "webhooks[0].name: 'records-desk' is taken by mail[0]"),
        ("notifications", "quiet_hours: 24", "quiet_hours: -1", "quiet_hours: must be 0 or more, not -1"),
        ("platforms", "status: in use", "status: [in use]", "platforms[0].status: must be one of in use, ended, not a list"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_field(folder: Path, name: str, old: str, new: str, told: str) -> None:
    line = replace(folder / f"{name}.yaml", old, new)
    line += new.count("\n") if "accounts[1]: an" not in told else -6
    found = next((one for one in broken(folder) if told in one), None)
    assert found is not None, broken(folder)
    assert found.startswith(f"{name}.yaml:{line}: {told}")


def test_a_field_given_twice_is_an_error(folder: Path) -> None:
    line = replace(folder / "accounts.yaml", "    handle: cityhall", "    name: other\n    handle: cityhall")
    assert f"accounts.yaml:{line}: accounts[0].name: is given twice, first in line {line - 4}" in broken(folder)


def test_a_missing_field_is_told_where_the_value_begins(folder: Path) -> None:
    line = replace(
        folder / "accounts.yaml", "  - name: parks\n    title: Harbor Falls Parks and Recreation\n", "  - name: parks\n"
    )
    assert f"accounts.yaml:{line}: accounts[2].title: is missing" in broken(folder)


def test_an_alias_is_refused(folder: Path) -> None:
    replace(folder / "retention.yaml", "period: {years: 1}", "period: &one {years: 1}")
    line = replace(folder / "retention.yaml", "period: {years: 2}", "period: *one")
    assert any(
        one.startswith("retention.yaml:") and "is an alias of another value; write it out" in one
        for one in broken(folder)
    )
    assert line > 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, ":1: the file is missing"),
        ("", ":1: the file is empty"),
        ("# nothing yet\n", ":1: the file is empty"),
        ("sample: true\ntitle: [a\n", ":3: not YAML: "),
        ("- a\n", ":1: must be a mapping, not a list"),
        ("sample: !!python/object/apply:os.system [id]\n", ":1: sample: must be true or false, not a list"),
        (b"\xff\xfe", ":1: the file cannot be read: "),
    ],
)
def test_a_file_that_cannot_be_read_is_told(folder: Path, content: str | bytes | None, told: str) -> None:
    file = folder / "holidays.yaml"
    file.unlink()
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert any(one.startswith(f"holidays.yaml{told}") for one in broken(folder))


def test_all_errors_are_told_at_once(folder: Path) -> None:
    replace(folder / "accounts.yaml", "platform: mastodon", "platform: blusky")
    replace(folder / "accounts.yaml", "retention: HF-110", "retention: HF-999")
    replace(folder / "retention.yaml", "trigger: closed", "trigger: opened")
    replace(folder / "holidays.yaml", "date: 2026-05-25", "date: 2026-05-32")
    files = [one.partition(":")[0] for one in broken(folder)]
    assert sorted(files) == ["accounts.yaml", "holidays.yaml", "retention.yaml"]


def test_a_broken_series_does_not_make_its_rules_wrong(folder: Path) -> None:
    replace(folder / "retention.yaml", "trigger: superseded", "trigger: sometimes")
    assert len(broken(folder)) == 1


def test_no_more_than_twenty_errors_are_shown(folder: Path) -> None:
    text = (folder / "holidays.yaml").read_text()
    (folder / "holidays.yaml").write_text(text.replace("name:", "nome:"))
    with pytest.raises(PolicyBroken, match=r"\.\.\. and 28 more") as caught:
        load_policy(folder)
    assert len(caught.value.problems) == 20


def test_a_file_can_be_read_alone_and_is_checked_against_those_beside_it(folder: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(folder / "accounts.yaml", tmp_path / "accounts.yaml"))
    replace(alone, "retention: HF-130", "retention: HF-999")
    assert load_accounts(alone).accounts[0].retention == "HF-999"
    shutil.copy(folder / "retention.yaml", tmp_path)
    with pytest.raises(PolicyBroken, match="'HF-999' is not one of"):
        load_accounts(alone)
    assert load_retention(folder / "retention.yaml").rules[0].series == "HF-410"
