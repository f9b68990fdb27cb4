"""The launcher of attempts in pilots (`engine.supervisor.slurm.pilots`), as many of which are
submitted as there are attempts that wait for one.

An attempt belongs to no job before a pilot is ready to begin it, so that whichever starts takes the
next one. Once it was handed to a pilot, it stays that one's: what a pilot leaves undone is queued
again as another attempt, whose number ends the one before wherever that may still live
(`engine.worker.fence`). For the rest Slurm's list is the hint that it is to
`engine.supervisor.slurm.launcher`, which has the attempts with a job of their own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import ceil
from pathlib import Path

from engine.config import SlurmProfile
from engine.errors import UserError
from engine.machine.slots import Slot
from engine.process import ProcessIdentity
from engine.runfolder import RunFolder
from engine.store.jobs import JobFacts
from engine.store.transitions import LiveAttempt
from engine.supervisor.launcher import SCARCE, Ending, HowToStop, Joins
from engine.supervisor.logs import copy_end
from engine.supervisor.sharing import BEFORE_STATE
from engine.supervisor.slurm import client
from engine.supervisor.slurm.jobfile import read_job, read_placement
from engine.supervisor.slurm.launcher import (
    LOST_SECONDS,
    SOON_SECONDS,
    Key,
    SlurmLauncher,
)
from engine.supervisor.slurm.piloted import (
    FOR_A_JOB,
    Piloted,
    ending_in,
    facts_of,
    is_held,
    needs_whole_time,
    not_started,
)
from engine.supervisor.slurm.pilots import Pilot, load_pilot, make_pilot, pilots_of, terms_of
from engine.supervisor.slurm.preparation import Preparations
from engine.supervisor.slurm.rounds import Rounds
from engine.supervisor.slurm.script import most_at_once
from engine.supervisor.slurm.submitted import Listing, cancel_due, match
from engine.supervisor.slurm.words import ending_of

BLAMED = frozenset(("CANCELLED", "DEADLINE", "FAILED", "OUT_OF_MEMORY", "REVOKED"))
"""States of a job that began no run, which would be those of the next one too: so a run ends for
it, as if the job had been its own."""

log = logging.getLogger("seqbench")


class PilotLauncher:
    """Runs attempts in pilots, or each as a job of its own where the profile says so."""

    def __init__(self, profile: SlurmProfile, lost_seconds: float = LOST_SECONDS) -> None:
        self.profile = profile
        self.lost_seconds = lost_seconds
        self._own = SlurmLauncher(profile, lost_seconds)
        self._owned: set[Key] = set()
        """Attempts that have a job of their own."""
        self._tracked: dict[Key, Piloted] = {}
        """In the order of the queue."""
        self._pilots: dict[str, Pilot] = {}
        """By name."""
        self._runs: Path | None = None
        """The folder of the run folders, once it is known."""
        self._lock = threading.RLock()
        """Guards all of the above; never held while a command runs."""
        self._listing = Listing()
        self._preparations = Preparations()
        self._rounds = Rounds(f"slurm {profile.name}", self._round)

    def follow(self, profile: SlurmProfile) -> None:
        """Take another profile for what is submitted from now on."""
        self.profile = self._own.profile = profile

    def worker(self, slot: Slot) -> str | None:  # noqa: ARG002
        return None

    def start(self, folder: RunFolder, attempt: int, slot: Slot) -> ProcessIdentity | None:
        key = folder.run_id, attempt
        if self.profile.runs_per_job == 1:
            self._owned.add(key)
            return self._own.start(folder, attempt, slot)
        with self._lock:
            self._tracked[key] = Piloted(folder, attempt)
        self._look_after(folder.path.parent)
        return None

    def alive(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        tracked = self._track(folder, attempt)
        if tracked is None:
            return self._is_owned(folder, attempt) and self._own.alive(folder, attempt)
        with self._lock:
            if tracked.ending is not None:
                return False
            if tracked.pilot is not None:
                stale = self._listing.stale is not None
                return is_held(tracked, tracked.pilot, attempt, self.lost_seconds, stale=stale)
            return True

    def stop(self, folder: RunFolder, attempt: LiveAttempt, how: HowToStop) -> bool:
        tracked = self._track(folder, attempt)
        if tracked is None:
            return self._is_owned(folder, attempt) and self._own.stop(folder, attempt, how)
        with self._lock:
            if tracked.pilot is None:
                tracked.ending = Ending("cancelled", "cancelled", "Cancelled before it ran.")
            elif how != "ask" and attempt.ended is None:
                tracked.pilot.end()
                self._rounds.wake()
            # To ask, the file `cancel` does, at which the pilot looks.
        return True

    def may_be_silent(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        tracked = self._track(folder, attempt)
        if tracked is None:
            return self._is_owned(folder, attempt) and self._own.may_be_silent(folder, attempt)
        with self._lock:
            if tracked.pilot is None or self._listing.stale is not None:
                return True
            seen = tracked.pilot.job.seen
            return seen is None or seen.state != "RUNNING"

    def ending(self, folder: RunFolder, attempt: LiveAttempt) -> Ending:
        tracked = self._track(folder, attempt)
        if tracked is None:
            owned = self._is_owned(folder, attempt)
            self._owned.discard((attempt.run, attempt.attempt))
            if owned:
                return self._own.ending(folder, attempt)
            return ending_of(None, folder, attempt.attempt)
        with self._lock:
            del self._tracked[attempt.run, attempt.attempt]
            if tracked.pilot is None:
                return tracked.ending or ending_of(None, folder, attempt.attempt)
            tracked.pilot.folder.take_back(attempt.run, attempt.attempt)
            others = any(each.pilot is tracked.pilot for each in self._tracked.values())
            tracked.pilot.shared |= others and tracked.pilot.job.gone is not None
            self._rounds.wake()
            return ending_in(tracked, tracked.pilot)

    def place(self, joins: Joins) -> None:
        """Hand the attempts that wait to the pilots that are ready for them, in their order: one
        that must wait isn't overtaken."""
        self._prepare()
        with self._lock:
            waiting = self._waiting()
            if not waiting:
                return
            inside: defaultdict[Pilot | None, list[str]] = defaultdict(list)
            for each in self._tracked.values():
                inside[each.pilot].append(each.folder.run_id)
            terms, most = terms_of(self.profile), most_at_once(self.profile)
            ready = [
                each
                for each in self._pilots.values()
                if each.terms == terms and len(inside[each]) < most and each.is_open
            ]
            # Those in use first: the others are for runs that need their whole time.
            ready.sort(key=lambda each: not each.used)
            for each in waiting:
                while pilot := self._ready_for(each, ready, inside, joins):
                    if self._hand_over(each, pilot):
                        inside[pilot].append(each.folder.run_id)
                        break
                    ready.remove(pilot)
                if pilot is None:
                    return

    def _ready_for(
        self,
        attempt: Piloted,
        ready: Sequence[Pilot],
        inside: Mapping[Pilot | None, Sequence[str]],
        joins: Joins,
    ) -> Pilot | None:
        """Return the first pilot that an attempt may begin in now."""
        run, fresh = attempt.folder.run_id, needs_whole_time(attempt)
        limit, most = self.profile.runs_per_job, most_at_once(self.profile)
        for each in ready:
            beside = inside[each]
            spent = limit != "auto" and each.handed >= limit
            if spent or len(beside) >= most or (fresh and each.used):
                continue
            if not beside or joins(run, beside, self._slot, each.folder.read_state()):
                return each
        return None

    @property
    def _slot(self) -> Slot:
        profile = self.profile
        return Slot(profile.name, profile.device, profile.title or "Slurm", profile.cpus)

    def job(self, folder: RunFolder, attempt: LiveAttempt) -> JobFacts | None:
        tracked = self._track(folder, attempt)
        if tracked is None:
            return self._own.job(folder, attempt) if self._is_owned(folder, attempt) else None
        with self._lock:
            return facts_of(tracked, self._listing.stale, self.profile.partition)

    def forget(self) -> None:
        """Stop tracking attempts; their jobs continue."""
        self._own.forget()
        with self._lock:
            self._tracked.clear()
            self._pilots.clear()
            self._runs = None

    def _track(self, folder: RunFolder, attempt: LiveAttempt) -> Piloted | None:
        """Return what is known of an attempt; ``None`` if it has a job of its own, or an earlier
        supervisor began it and handed it to no pilot."""
        key = attempt.run, attempt.attempt
        with self._lock:
            known = self._tracked.get(key)
            if known is not None or key in self._owned:
                return known
            placement = read_placement(folder, attempt.attempt)
            if placement is None:
                return None
            self._look_after(folder.path.parent)
            pilot = self._pilots.get(placement.pilot)
            if pilot is None:
                pilot = load_pilot(folder.path.parent, placement.pilot)
                pilot.job.number = pilot.job.number or read_job(folder, attempt.attempt)
                self._pilots[pilot.name] = pilot
            pilot.handed = max(1, pilot.handed)
            found = Piloted(folder, attempt.attempt, pilot, placement.first, prepared=True)
            found.unsure = not found.is_inside and not found.has_begun
            self._tracked[key] = found
            return found

    def _is_owned(self, folder: RunFolder, attempt: LiveAttempt) -> bool:
        """Whether an attempt that isn't tracked has a job of its own, or may have one."""
        key = attempt.run, attempt.attempt
        if key in self._owned:
            return True
        if folder.job(attempt.attempt).exists() or folder.job_script(attempt.attempt).exists():
            self._owned.add(key)
            return True
        return False

    def _look_after(self, runs: Path) -> None:
        """Begin the rounds, at first with the pilots that an earlier supervisor left."""
        with self._lock:
            if self._runs is None:
                self._runs = runs
                for pilot in pilots_of(runs, self.profile):
                    self._pilots.setdefault(pilot.name, pilot)
        self._rounds.wake()

    def _round(self) -> float | None:
        """List Slurm's jobs, then submit and cancel."""
        with self._lock:
            if not self._tracked and not self._pilots:
                return None
            pilots = list(self._pilots.values())
        asked, poll = time.monotonic(), self.profile.poll_seconds
        listed = self._listing.look()
        if listed is None:
            return poll
        with self._lock:
            match([each.job for each in pilots], listed, asked)
            for each in pilots:
                if each.job.gone is not None:
                    self._take_leave(each)
            self._settle_unsure()
            new = self._adjust()
        for each in new:
            self._submit(each)
        cancel_due([each.job for each in pilots], listed)
        with self._lock:
            changing = any(
                each.job.seen is None or each.job.cancel or each.is_leaving
                for each in self._pilots.values()
            ) or any(
                each.unsure or (each.pilot is not None and not each.is_inside)
                for each in self._tracked.values()
            )
        return min(SOON_SECONDS, poll) if changing else poll

    def _prepare(self) -> None:
        """Let the data of the attempts be prepared that wait for it."""
        with self._lock:
            waiting = [each for each in self._tracked.values() if not each.prepared]
        for each in waiting:
            try:
                each.prepared = self._preparations.ready(each.folder)
                each.waits = FOR_A_JOB if each.prepared else "waits for its data to be prepared"
                if each.prepared:
                    self._rounds.wake()
            except OSError as error:
                each.waits = f"couldn't be started yet: {error.strerror}"
                if error.errno not in SCARCE:
                    each.ending = not_started(error)
            except UserError as error:
                each.ending = Ending("failed", "data", str(error))

    def _waiting(self) -> list[Piloted]:
        """List the attempts that could begin if there were a pilot for them."""
        return [
            each
            for each in self._tracked.values()
            if each.pilot is None and each.ending is None and each.prepared
        ]

    def _hand_over(self, attempt: Piloted, pilot: Pilot) -> bool:
        """Hand an attempt to a pilot; return whether the attempt waits no longer."""
        try:
            placement = pilot.hand_over(attempt.folder, attempt.number, self.profile)
        except OSError as error:
            attempt.waits = f"couldn't be started yet: {error.strerror}"
            if error.errno in SCARCE:
                return False
            attempt.ending = not_started(error)
            return True
        if placement is None:
            return False
        attempt.pilot, attempt.first = pilot, placement.first
        run, number = attempt.folder.run_id, attempt.number
        log.info("%s: attempt %d is in job %s", run, number, pilot.job.number)
        return True

    def _settle_unsure(self) -> None:
        """Put attempts into the inbox of their pilot that may not have come there."""
        for each in self._tracked.values():
            if not each.unsure or each.pilot is None:
                continue
            gone = each.pilot.job.gone is not None
            if gone or each.has_begun or each.is_inside:
                each.unsure = False
            elif each.pilot.is_open and each.pilot.terms == terms_of(self.profile):
                with suppress(OSError):
                    each.unsure = not each.pilot.offer(each.folder, each.number, self.profile)

    def _take_leave(self, pilot: Pilot) -> None:
        """Forget a pilot whose job is gone, once no attempt is in it; let an attempt end for one
        that served none."""
        if any(each.pilot is pilot for each in self._tracked.values()):
            return
        seen, served = pilot.job.seen, pilot.folder.worker() is not None
        if seen is not None and not pilot.used and not pilot.was_ended:
            silent = seen.state == "COMPLETED" and not served
            victim = next((each for each in self._tracked.values() if each.pilot is None), None)
            if victim is not None and (seen.state in BLAMED or silent):
                copy_end(pilot.folder.log, victim.folder.log)
                victim.ending = ending_of(seen, victim.folder, victim.number)
        self._pilots.pop(pilot.name, None)
        pilot.remove()

    def _adjust(self) -> list[Pilot]:
        """Let as many pilots come as attempts wait for; return those that must be submitted."""
        if self._runs is None:
            return []
        waiting, terms = self._waiting(), terms_of(self.profile)
        each_takes = min(BEFORE_STATE, most_at_once(self.profile))
        wanted = ceil(len(waiting) / each_takes)
        coming: list[Pilot] = []
        for each in list(self._pilots.values()):
            if each.is_coming and each.terms == terms and len(coming) < wanted:
                coming.append(each)
            elif each.job.number is None:
                # Submitted or not: a job without its folder ends at once.
                del self._pilots[each.name]
                each.remove()
            elif each.is_coming and (each.job.seen is None or each.job.seen.waits):
                each.end()
        room = self.profile.jobs - sum(each.job.gone is None for each in self._pilots.values())
        for _ in range(min(wanted - len(coming), room)):
            try:
                pilot = make_pilot(self._runs, self.profile)
            except OSError as error:
                log.warning("no job can be submitted: %s", error.strerror)
                break
            self._pilots[pilot.name] = pilot
            coming.append(pilot)
        for place, attempt in enumerate(waiting):
            attempt.awaited = coming[min(place // each_takes, len(coming) - 1)] if coming else None
        return [each for each in coming if each.job.number is None]

    def _submit(self, pilot: Pilot) -> None:
        """Submit a pilot; if Slurm refuses it, the attempt that it was for ends for it."""
        waits = FOR_A_JOB
        try:
            pilot.submit()
        except client.UnreachableError as error:
            waits = f"couldn't be submitted yet: {error}"
        except client.SlurmError as error:
            with self._lock:
                victim = next(iter(self._waiting()), None)
                if victim is not None:
                    victim.ending = Ending("failed", "launch", str(error))
                self._pilots.pop(pilot.name, None)
            pilot.remove()
        with self._lock:
            for each in self._waiting():
                if each.awaited is pilot:
                    each.waits = waits
