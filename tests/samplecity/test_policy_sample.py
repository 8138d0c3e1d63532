"""The sample policy and the sample city speak of the same accounts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from samplecity.life import POSTS
from samplecity.server import City

pytest_plugins = ["city_fixtures"]

POLICY = Path(__file__).resolve().parents[2] / "policy"
FILES = sorted(POLICY.glob("*.yaml"))


def _load(name: str) -> Any:
    return yaml.safe_load((POLICY / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_says_that_it_is_a_sample_which_version_and_since_when(file: Path) -> None:
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert "# SAMPLE" in file.read_text(encoding="utf-8").splitlines()[0]
    assert values["sample"] is True
    assert isinstance(values["version"], str)
    assert values["effective"].year >= 2020
    assert values["title"]


def test_accounts_have_the_ids_of_the_city(city: City) -> None:
    accounts = {account["name"]: account for account in _load("accounts.yaml")["accounts"]}
    world = city.desk.world
    assert accounts.keys() == world.accounts.keys() == POSTS.keys()
    for name, account in accounts.items():
        assert f"{account['platform']}:{account['id']}" == world.accounts[name].account_id
        assert account["service"] in city.services()
        assert (account["status"] == "approved") == world.accounts[name].approved
        assert ("department" in account) != ("office" in account)
        assert account.get("credential") in (None, *City.credentials())


def test_every_rule_of_retention_leads_to_a_series_and_every_pattern_compiles() -> None:
    schedule = _load("retention.yaml")
    codes = [series["code"] for series in schedule["series"]]
    assert len(codes) == len(set(codes))
    assert {rule["series"] for rule in schedule["rules"]} <= set(codes)
    assert {account["retention"] for account in _load("accounts.yaml")["accounts"] if "retention" in account} <= set(
        codes
    )
    for rule in schedule["rules"]:
        re.compile(rule["when"].get("text", ""))
        assert set(rule["when"]) <= {"account", "department", "office", "platform", "kind", "author", "text"}
    for series in schedule["series"]:
        assert series["period"] == "permanent" or set(series["period"]) < {"years", "days"}
        assert series["trigger"] in ("published", "closed", "superseded")
