"""Studies whose trials are trained by jobs of a real Slurm, one after another in each."""

from __future__ import annotations

import os
import signal
from contextlib import closing

import pytest
from cluster import Cluster
from lab import Lab, small_spec

from engine.spec import Prune, Range, Study, TunedModel
from engine.store.connect import connect_reader
from engine.store.studies import StoredTrial, runs_under, trials_of
from engine.tuning.progress import first_trials


def begin(
    lab: Lab, launcher: str, profile: str, trials: int, epochs: int, prune: Prune = "none"
) -> None:
    """Begin a study of one model and one seed for what it chooses."""
    spec = small_spec(1, epochs=epochs)
    model = TunedModel(
        model=spec.model,
        profile=profile,
        architecture=spec.architecture,
        training=spec.training,
        space={"lr": Range(low=0.001, high=0.1, log=True), "dropout": (0.1, 0.3, 0.5)},
    )
    study = Study(name="one", models=(model,), trials=trials, prune=prune, seed=1, final_seeds=1)
    lab.add(*first_trials(study, spec), launcher=launcher)


def trials(lab: Lab) -> list[StoredTrial]:
    with closing(connect_reader(lab.location)) as con:
        return trials_of(con, "one")


def finals(lab: Lab) -> list[str]:
    with closing(connect_reader(lab.location)) as con:
        return [run for run, _ in runs_under(con, "study-one")]


def is_over(lab: Lab) -> bool:
    states = [lab.run(run).state for run in finals(lab)]
    return bool(states) and not {"queued", "running"} & set(states)


def trained_once(lab: Lab, run: str) -> bool:
    """Whether each attempt at a run went on where a checkpoint of those before had left it, and
    what came of them are epochs without a gap."""
    saved = 0
    for number in range(1, len(lab.attempts(run)) + 1):
        starts = lab.lines(run, number, "start")
        if not starts:
            continue  # the pilot that it was handed to had ended
        if starts[0].fields["resumed_epoch"] != saved:
            return False
        saved = max(line.fields["epoch"] for line in lab.lines(run, number, "checkpoint"))
    return [row["epoch"] for row in lab.epochs(run)] == list(range(1, saved + 1))


def test_a_study_goes_to_its_launcher(lab: Lab, cluster: Cluster) -> None:
    lab.rehearse("piloted", runs_per_job="auto", jobs=2)
    begin(lab, "piloted", "quick", trials=4, epochs=3)
    lab.wait(lambda: is_over(lab), "the study to be over")
    found = trials(lab)
    assert [(each.number, each.state) for each in found] == [(n, "done") for n in range(4)]
    for run in (*(each.run for each in found), *finals(lab)):
        (attempt,) = lab.attempts(run)
        assert attempt["node"] in ("n1", "n2")
        assert lab.run(run).launcher == "piloted"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_pilot_and_a_killed_supervisor_cost_a_study_no_trial(
    lab: Lab, cluster: Cluster
) -> None:
    lab.profile("piloted", runs_per_job="auto", jobs=2)
    # Rungs are after 5 and 15 epochs.
    begin(lab, "piloted", "reference", trials=4, epochs=45, prune="asha")

    def last_ones() -> list[StoredTrial]:
        """Trials that go on from the last rung, and wrote a checkpoint since."""
        found = []
        for each in trials(lab):
            number = lab.run(each.run).attempt or 1
            starts = lab.lines(each.run, number, "start")
            saved = lab.lines(each.run, number, "checkpoint")
            last = bool(starts) and starts[0].fields["resumed_epoch"] == 15
            if last and saved and each.state == "running":
                found.append(each)
        return found

    lab.wait(last_ones, "a promoted trial to train")
    victim = last_ones()[0]
    number = lab.run(victim.run).attempt
    os.kill(lab.lines(victim.run, number, "start")[0].fields["pid"], signal.SIGKILL)
    lab.wait(lambda: lab.run(victim.run).attempt > number, "it to be tried again")
    lab.kill_supervisor()
    lab.supervise()
    lab.wait(lambda: is_over(lab), "the study to be over", 400)

    found = trials(lab)
    assert [(each.number, each.state) for each in found] == [(n, "done") for n in range(4)]
    assert lab.run(victim.run).losses == 1
    for each in found:
        assert trained_once(lab, each.run), lab.report()
    assert max(each.epoch or 0 for each in found) == 45
    assert min(each.epoch or 0 for each in found) == 5
    (chosen,) = finals(lab)
    assert lab.run(chosen).state == "done"
    assert lab.folder(chosen).test_ranks.exists()
    # The victim's job ended with its process; another one went on.
    jobs = {attempt["job"] for each in found for attempt in lab.attempts(each.run)}
    assert len(jobs) > 1
