from __future__ import annotations

import json

import pytest

from compliance import credentials
from compliance.faults import CredentialMissing


def test_a_credential_is_read_from_the_environment_by_name_and_field() -> None:
    env = {
        "ONRECORD_CREDENTIAL_CITY_HALL_TOKEN": "s3cret",
        "ONRECORD_CREDENTIAL_CITY_HALL_CLIENT_ID": "7",
        "OTHER": "x",
    }
    found = credentials.find("city-hall", ["token"], environ=env)
    assert found is not None
    assert found.values == {"token": "s3cret", "client_id": "7"}


@pytest.mark.parametrize(
    "connection",
    [
        json.dumps({"conn_type": "http", "login": "clerk", "password": "s3cret", "extra": {"client_id": "7"}}),
        json.dumps({"login": "clerk", "password": "s3cret", "extra": json.dumps({"client_id": 7})}),
        "http://clerk:s3cret@social.example?client_id=7",
        "http://clerk:s3cret@social.example?__extra__=%7B%22client_id%22%3A+%227%22%7D",
    ],
)
def test_a_credential_is_read_from_an_airflow_connection(connection: str) -> None:
    found = credentials.find(
        "transit", ["login", "password", "token", "client_id"], environ={"AIRFLOW_CONN_TRANSIT": connection}
    )
    assert found is not None
    assert (found.values["login"], found.values["token"], found.values["client_id"]) == ("clerk", "s3cret", "7")


def test_special_characters_of_a_connection_are_decoded() -> None:
    found = credentials.find("a", environ={"AIRFLOW_CONN_A": "http://cl%40rk:p%2Fw%3A@host"})
    assert found is not None
    assert (found.values["login"], found.values["password"]) == ("cl@rk", "p/w:")


def test_a_variable_of_its_own_wins_over_the_connection() -> None:
    env = {"AIRFLOW_CONN_A": "http://u:old@host", "ONRECORD_CREDENTIAL_A_TOKEN": "new"}
    found = credentials.find("a", environ=env)
    assert found is not None
    assert found.values["token"] == "new"


def test_a_credential_of_another_name_is_not_found() -> None:
    assert (
        credentials.find(
            "news", environ={"ONRECORD_CREDENTIAL_NEWSROOM_TOKEN": "x", "ONRECORD_CREDENTIAL_NEWS_TOKEN": ""}
        )
        is None
    )


def test_what_is_missing_is_told_as_variables_to_set() -> None:
    with pytest.raises(CredentialMissing, match="credential city-hall is missing username, password: set ") as caught:
        credentials.find(
            "city-hall", ["token", "username", "password"], environ={"ONRECORD_CREDENTIAL_CITY_HALL_TOKEN": "s3cret"}
        )
    assert "ONRECORD_CREDENTIAL_CITY_HALL_USERNAME and ONRECORD_CREDENTIAL_CITY_HALL_PASSWORD" in str(caught.value)
    assert "AIRFLOW_CONN_CITY_HALL" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "connection",
    ['{"password": "s3cret"', '{"password": "s3cret", "extra": "{s3cret"}', '{"extra": 3}', "http://[s3cret"],
)
def test_a_broken_connection_is_told_without_its_content(connection: str) -> None:
    with pytest.raises(CredentialMissing, match="AIRFLOW_CONN_A ") as caught:
        credentials.find("a", ["token"], environ={"AIRFLOW_CONN_A": connection})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_never_shows_in_text() -> None:
    found = credentials.find("a", environ={"ONRECORD_CREDENTIAL_A_TOKEN": "s3cret"})
    assert found is not None
    assert "s3cret" not in f"{found} {found!r} {found.fields}"
