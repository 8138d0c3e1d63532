"""What must be kept, what is due, what has no series: after each new mart, and once a day by itself."""

from __future__ import annotations

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from pipeline.assets import MART


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("11 4 * * *", timezone="UTC"), assets=[MART]),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["onrecord"],
    default_args={"owner": "records", "retries": 3},
)
def audit() -> None:
    """The retention audit as of today."""

    @task
    def retention() -> dict[str, int]:
        """Records by status: keep, due, held, permanent, no_series."""
        from pipeline.steps import audit_retention

        return audit_retention()

    retention()


audit()
