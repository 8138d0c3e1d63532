"""Read the past of accounts whose first look did not come to the beginning, a slice at a time.

Beside the running schedule, in the same pools: a slice waits for its account's capture, and never holds it up for long.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, get_current_context, task

from pipeline.assets import EVIDENCE
from pipeline.lanes import lanes
from pipeline.retry import HonorThePlatform


@dag(
    schedule="*/10 * * * *",
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["onrecord"],
    default_args={"owner": "records"},
)
def backfill() -> None:
    """Accounts whose past is not read yet, by lane, then one slice of each."""

    @task
    def behind(lane: str) -> list[str]:
        """Names of the lane's accounts, the one that waited longest first."""
        from pipeline.steps import behind_accounts

        return behind_accounts(lane)

    @task(
        outlets=[EVIDENCE],
        retries=6,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2.0,
        max_retry_delay=timedelta(minutes=30),
        retry_policy=HonorThePlatform(),
        execution_timeout=timedelta(hours=2),
        map_index_template="{{ account }}",
    )
    def read_slice(account: str) -> dict[str, int | str | None]:
        """Items read so far, and back to when."""
        from pipeline.steps import backfill_account

        get_current_context()["account"] = account  # type: ignore[typeddict-unknown-key]
        return backfill_account(account)

    for lane in lanes():
        names = behind.override(task_id=f"behind_{lane.name}")(lane.name)
        read_slice.override(task_id=f"slice_{lane.name}", pool=lane.pool).expand(account=names)


backfill()
