"""SQL for the energy of epochs, of GPUs and processors together.

Of a run either is in it only if it is known of every epoch, so that sums over epochs and their
median are of the same devices.
"""

from __future__ import annotations

JOULES_OF = """
CASE WHEN count(*) = count(gpu_joules) AND count(*) = count(cpu_joules) THEN 'GPU + CPU'
    WHEN count(*) = count(gpu_joules) THEN 'GPU' WHEN count(*) = count(cpu_joules) THEN 'CPU' END
"""
"""What is in the energy of a run, from all its epochs: a value of ``summaries.joules_of``."""


def joules(parts: str, epoch: str) -> str:
    """Write SQL for an epoch's energy, in joules; NULL where nothing is known of the run.

    Args:
        parts: SQL for the run's ``joules_of``.
        epoch: the name of the epoch's row.
    """
    gpu, cpu = f"{epoch}.gpu_joules", f"{epoch}.cpu_joules"
    return (
        f"CASE {parts} WHEN 'GPU' THEN {gpu} WHEN 'CPU' THEN {cpu}"
        f" WHEN 'GPU + CPU' THEN {gpu} + {cpu} END"
    )
