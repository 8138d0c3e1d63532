"""Build the DuckDB file that answers questions, when the tables have new rows, and once a day by itself."""

from __future__ import annotations

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, dag, task

from pipeline.assets import MART, RECORDS


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("41 3 * * *", timezone="UTC"), assets=[RECORDS]),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["onrecord"],
    default_args={"owner": "records", "retries": 3},
)
def mart() -> None:
    """Built beside the old file, then swapped."""

    @task(outlets=[MART], pool="tables")
    def build() -> dict[str, int]:
        """Rows, by table."""
        from pipeline.steps import build_mart

        return build_mart()

    build()


mart()
