from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.redaction import SECRET_PARAMETERS, clean_headers, clean_url, scrub


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://a.gov/x", "https://a.gov/x"),
        ("https://a.gov/x?cursor=1&author=2&page_token=3", "https://a.gov/x?cursor=1&author=2&page_token=3"),
        ("https://a.gov/x?access_token=t&limit=5", "https://a.gov/x?access_token=REDACTED&limit=5"),
        ("https://a.gov/x?API-KEY=t", "https://a.gov/x?API-KEY=REDACTED"),
        ("https://user:pass@a.gov/x", "https://a.gov/x"),
        ("https://user@a.gov/x?token=t#part", "https://a.gov/x?token=REDACTED"),
    ],
)
def test_an_address_is_kept_but_its_secrets(url: str, clean: str) -> None:
    assert clean_url(url) == clean


@given(name=st.sampled_from(sorted(SECRET_PARAMETERS)), secret=st.text("abcXYZ019%+ /", min_size=6).map("s3c".__add__))
def test_no_spelling_of_a_secret_parameter_survives(name: str, secret: str) -> None:
    for spelled in (name, name.upper(), name.replace("_", "-")):
        assert "s3c" not in clean_url(f"https://a.gov/?a=1&{spelled}={quote(secret)}&b=2")


def test_secret_headers_keep_their_name_only() -> None:
    cleaned = clean_headers([("Authorization", "Bearer x"), ("COOKIE", "a=b"), ("Accept", "y")])
    assert cleaned == (("Authorization", "REDACTED"), ("COOKIE", "REDACTED"), ("Accept", "y"))


def test_words_of_a_platform_are_one_printable_short_line() -> None:
    assert scrub("bad\n\x1b[31m token  abc ", ["abc"]) == "bad [31m token REDACTED"
    assert len(scrub("x" * 5000, [])) == 200
    assert scrub("plain", ["", "q"]) == "plain"
