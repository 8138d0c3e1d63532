"""Look at every account that is due and lock what it shows as evidence.

Every five minutes; one mapped task per account. Accounts that share a credential share a pool, so that one lane never spends
another's budget; those that need none share a lane per platform.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, get_current_context, task

from pipeline.assets import EVIDENCE
from pipeline.lanes import lanes
from pipeline.retry import HonorThePlatform


@dag(
    schedule="*/5 * * * *",
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["onrecord"],
    default_args={"owner": "records"},
)
def capture() -> None:
    """Due accounts, by lane, then one look per account."""

    @task
    def due(lane: str) -> list[str]:
        """Names of the lane's accounts whose last look is older than the City's interval."""
        from pipeline.steps import due_accounts

        return due_accounts(lane)

    @task(
        outlets=[EVIDENCE],
        retries=24,
        retry_delay=timedelta(minutes=1),
        retry_exponential_backoff=2.0,
        max_retry_delay=timedelta(minutes=30),
        retry_policy=HonorThePlatform(),
        execution_timeout=timedelta(hours=6),
        map_index_template="{{ account }}",
    )
    def look(account: str) -> dict[str, int]:
        """One look at one account; raises what went wrong, so that the run is never green by silence."""
        from pipeline.steps import capture_account

        get_current_context()["account"] = account  # type: ignore[typeddict-unknown-key]
        return capture_account(account)

    for lane in lanes():
        names = due.override(task_id=f"due_{lane.name}")(lane.name)
        look.override(task_id=f"look_{lane.name}", pool=lane.pool).expand(account=names)


capture()
