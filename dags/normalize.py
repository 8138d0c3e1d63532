"""From locked evidence to the tables.

Rung by *evidence*, and each hour by itself: a doorbell can be lost. Works through whatever is not in the tables yet.
"""

from __future__ import annotations

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from pipeline.assets import EVIDENCE, RECORDS


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("23 * * * *", timezone="UTC"), assets=[EVIDENCE]),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["onrecord"],
    default_args={"owner": "records", "retries": 3},
)
def normalize() -> None:
    """One step, one run at a time, one commit per table."""

    @task(outlets=[RECORDS], pool="tables")
    def rows() -> dict[str, int]:
        """Rows added, by table."""
        from pipeline.steps import normalize_pending

        return normalize_pending()

    rows()


normalize()
