"""The same pages loaded by dlt, as somebody would who follows its tutorial."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUIET = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
}


def load(warm: str, folder: str, out: str) -> Callable[[], int]:
    """Read page files, hand their records to a pipeline that writes Parquet into a local folder."""
    os.environ.update(QUIET, DLT_DATA_DIR=out)
    os.chdir(out)
    import dlt  # noqa: PLC0415 - it reads the environment when imported

    def work(source: str = folder) -> int:
        @dlt.resource(name="posts", write_disposition="append")
        def posts() -> Iterator[list[dict[str, Any]]]:
            for file in sorted(Path(source).glob("*.json")):
                yield json.loads(file.read_bytes())["records"]

        pipeline = dlt.pipeline(
            pipeline_name=Path(source).name,
            pipelines_dir=out,
            destination=dlt.destinations.filesystem(bucket_url=Path(out).resolve().as_uri()),
            dataset_name=f"{Path(source).name}_pages",
        )
        pipeline.run(posts(), loader_file_format="parquet")
        trace: Any = pipeline.last_trace
        return int(trace.last_normalize_info.row_counts["posts"])

    work(warm)
    return work
