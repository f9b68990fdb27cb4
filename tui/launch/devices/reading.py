"""Reading what the devices of this machine do, in a thread."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence
from contextlib import closing

from engine.config import Catalogue
from engine.errors import UserError
from engine.machine import slots, telemetry
from engine.machine.busyprocesses import BusyProcesses
from engine.machine.occupancy import device_uses, slots_of
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation
from engine.store.queries import Occupant, Supervisor, occupants, supervisor_state
from engine.supervisor.start import supervisor_running
from tui.launch.costs.estimates import Machine

FIRST_SECONDS = 0.2
"""Seconds over which the first CPU shares are measured."""


class DeviceReader:
    """Keeps the previous counters, from which CPU shares are computed, between two readings."""

    def __init__(self) -> None:
        self._sampler, self._busy = telemetry.Sampler(), BusyProcesses()
        self._busy.look(())
        time.sleep(FIRST_SECONDS)  # a share of no time at all would say nothing

    def close(self) -> None:
        """Let go of the driver's library."""
        self._sampler.close()

    def look(
        self, location: StoreLocation, catalogue: Catalogue, known: Sequence[slots.Slot]
    ) -> Machine:
        """Look at the devices.

        Args:
            known: the slots known so far; a supervisor's own take their place.
        """
        ours = {os.getpid()}
        inside: Sequence[Occupant] = ()
        try:
            known = known or slots.detect_slots(catalogue.settings.slots)
            supervisor, inside = _read_store(location)
        except (UserError, OSError):
            pass  # the header says that the store can't be read
        else:
            if supervisor is not None:
                known = slots_of(supervisor) or known
                ours.add(supervisor.pid)
        sample = self._sampler.sample()
        ours.update(one.pid for one in inside if one.pid)
        on_cpu = bool(known) and known[0].device == "cpu"
        busy = self._busy.look(ours) if on_cpu else ()
        return Machine(known, device_uses(known, sample, inside, busy))


def _read_store(location: StoreLocation) -> tuple[Supervisor | None, Sequence[Occupant]]:
    """Read the supervisor, if one works on this machine, and the runs in training."""
    if not location.db.exists():
        return None, ()
    with closing(connect_reader(location)) as connection:
        supervisor, inside = supervisor_state(connection), occupants(connection)
    here = supervisor is not None and supervisor.host == socket.gethostname()
    return supervisor if here and supervisor_running(location) else None, inside
