"""Look for what is wrong, and tell who must know: after each capture, and every fifteen minutes by itself.

What is found stays open until it is mended (``onrecord findings``); nobody is told of the same thing twice.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable, TriggerRule, dag, task

from pipeline.assets import EVIDENCE


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"), assets=[EVIDENCE]),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["onrecord"],
    default_args={"owner": "records", "retries": 2, "retry_delay": timedelta(minutes=1)},
)
def watch() -> None:
    """A sample of answers, then the findings, then who is told; a step that fails does not silence the next."""

    @task
    def shapes() -> int:
        """Pages of lately normalized evidence whose shape was looked at."""
        from pipeline.watch import sample_shapes

        return sample_shapes()

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def detect() -> dict[str, int]:
        """Findings opened, closed, still open."""
        from pipeline.watch import detect_findings

        return detect_findings()

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def tell() -> dict[str, int]:
        """Findings told, by channel; raises where one does not take them."""
        from pipeline.watch import tell_findings

        return tell_findings()

    shapes() >> detect() >> tell()


watch()
