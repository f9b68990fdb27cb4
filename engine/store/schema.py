"""The names of the tables and columns of ``runs.db``, which `engine.store.migrations` makes."""

from __future__ import annotations

from engine.metrics import AGGREGATES, EPOCH_MEASURES, EPOCH_TIMES, LIST_RESULTS, RANK_RESULTS

SCHEMA_VERSION = 20
"""``PRAGMA user_version`` of a database that all migrations were applied to."""

EPOCH_INTEGERS = ("step", "targets", "batches")
TELEMETRY_MEASURES = (
    "gpu_utilization",
    "gpu_memory_mib",
    "gpu_memory_total_mib",
    "gpu_power_w",
    "gpu_temperature_c",
    "process_gpu_memory_mib",
    "cpu_percent",
    "memory_used_mib",
    "memory_total_mib",
    "process_cpu_percent",
    "process_memory_mib",
    "gpu_others",  # processes on the GPU beside the worker, at most, since the line before
    "gpu_throttle",  # why its clock was held down since the line before: NVML's bits
    "gpu",  # which of the run's GPUs, from 1 on; NULL for the first, whose row has the host too
)
SUMMARY_MEASURES = (
    *(f"{measure}_{how}" for measure in EPOCH_MEASURES for how in AGGREGATES),
    *(f"{measure}_median" for measure in EPOCH_TIMES),
)
"""Columns of ``summaries`` that are an aggregate over a run's epochs."""
RESULT_INDEXES = {"summaries_ranks": RANK_RESULTS, "summaries_lists": LIST_RESULTS}
"""Indexes on ``summaries`` that hold a finished run's results, and which."""

RUN_TABLES = (
    "specs", "epochs", "steps", "telemetry", "events", "attempts", "warnings", "evaluations",
)  # fmt: skip
"""Tables with a column ``run``, beside ``summaries`` and ``requests``."""
