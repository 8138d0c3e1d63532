from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from lying_proxy import bypass_locks, drop, let_strangers_in, lying_proxy

from settings import S3
from warehouse import selftest
from warehouse.bucket import prepare
from warehouse.faults import BucketLies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.bucket import Buckets
    from warehouse.endpoint import Endpoint


def test_the_embedded_server_keeps_every_promise(buckets: Buckets) -> None:
    evidence = selftest.examine(buckets.evidence.endpoint, buckets.evidence.name, locked=True)
    tables = selftest.examine(buckets.tables.endpoint, buckets.tables.name, locked=False)
    assert len(evidence.checks) == 8
    assert len(tables.checks) == 5
    assert all([*evidence.checks.values(), *tables.checks.values()])


def test_a_proxy_that_tells_no_lie_passes(buckets: Buckets) -> None:
    with lying_proxy(buckets.evidence.endpoint, drop()) as honest:
        assert not selftest.examine(honest, buckets.evidence.name, locked=True).failed


@pytest.mark.parametrize(
    ("lie", "broken"),
    [
        (
            drop("if-none-match"),
            ("a conditional write never replaces an object", "of 8 conditional writes at once exactly one wins"),
        ),
        (drop("x-amz-checksum-sha256"), ("bytes that do not fit their SHA-256 are refused",)),
        (bypass_locks, ("a locked object cannot be deleted", "a lock cannot be shortened")),
        (
            drop("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"),
            ("a locked object cannot be deleted", "a lock can be read back"),
        ),
        (let_strangers_in, ("requests without a key, or with a wrong secret, are refused",)),
    ],
    ids=["conditions", "checksums", "locks not held", "locks not kept", "strangers"],
)
def test_a_server_that_lies_is_refused_and_the_lie_is_named(
    buckets: Buckets, lie: Callable[..., dict[str, str] | None], broken: tuple[str, ...]
) -> None:
    with lying_proxy(buckets.evidence.endpoint, lie) as liar, pytest.raises(BucketLies, match="cannot hold") as refused:
        selftest.examine(liar, buckets.evidence.name, locked=True)
    assert set(broken) <= set(refused.value.failed)
    assert all(name in str(refused.value) for name in broken)


def test_a_bucket_without_versions_and_locks_is_not_taken_for_evidence(buckets: Buckets) -> None:
    with pytest.raises(BucketLies) as refused:
        selftest.examine(buckets.tables.endpoint, buckets.tables.name, locked=True)
    assert "old versions are kept" in refused.value.failed


def test_a_bucket_that_remembers_what_was_deleted_is_not_taken_for_tables(buckets: Buckets) -> None:
    with pytest.raises(BucketLies) as refused:
        selftest.examine(buckets.evidence.endpoint, buckets.evidence.name, locked=False)
    assert refused.value.failed == ("a deleted object leaves no version behind",)


def test_a_tables_bucket_is_left_empty(buckets: Buckets) -> None:
    selftest.examine(buckets.tables.endpoint, buckets.tables.name, locked=False)
    assert list(buckets.tables.list()) == []


def test_prepare_makes_both_buckets_and_examines_each_once(s3_endpoint: Endpoint, tmp_path: Path) -> None:
    names = S3(evidence_bucket="once-evidence", tables_bucket="once-tables")
    prepared = prepare(s3_endpoint, names, home=tmp_path)
    first = (tmp_path / "selftest.json").read_bytes()
    assert prepare(s3_endpoint, names, home=tmp_path) == prepared
    assert (tmp_path / "selftest.json").read_bytes() == first
    reports = json.loads(first)
    assert {report["bucket"]: report["locked"] for report in reports.values()} == {
        names.evidence_bucket: True,
        names.tables_bucket: False,
    }
    assert s3_endpoint.secret_key not in first.decode()


def test_a_refused_bucket_is_refused_again(buckets: Buckets, tmp_path: Path) -> None:
    names = S3(evidence_bucket=buckets.tables.name, tables_bucket=buckets.tables.name)
    for _ in range(2):
        with pytest.raises(BucketLies):
            prepare(buckets.tables.endpoint, names, home=tmp_path)
