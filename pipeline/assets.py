"""The assets that chain the DAGs. Their events are doorbells, not messages: a consumer finds its work by itself."""

from __future__ import annotations

from airflow.sdk import Asset

EVIDENCE = Asset(name="evidence", uri="x-onrecord://evidence", group="onrecord")
"""Something new lies in the evidence bucket."""

RECORDS = Asset(name="records", uri="x-onrecord://records", group="onrecord")
"""The tables have new rows."""

MART = Asset(name="mart", uri="x-onrecord://mart", group="onrecord")
"""The mart was built anew."""
