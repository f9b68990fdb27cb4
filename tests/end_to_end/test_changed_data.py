"""A file is changed while a run on it stands still: real processes, from import to retry."""

from __future__ import annotations

from typing import Any

import pytest
from user_lab import LONG, SMALL, Lab

from engine.journal import read_journal
from engine.runfolder import RunFolder
from engine.store import queries

USERS, STEPS, ITEMS = 24, 12, 31


def interactions(last: int) -> str:
    """RecBole's atomic file; ``last`` moves each user's last items, and none of the counts."""
    rows = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(USERS):
        history = [(user * 5 + step * 7) % ITEMS for step in range(STEPS)]
        history = history[last:] + history[:last]
        rows += [f"{user}\t{item}\t{step}" for step, item in enumerate(history)]
    return "\n".join(rows) + "\n"


def begun(folder: RunFolder, attempt: int) -> dict[str, Any]:
    """How an attempt began; empty before it has. A heartbeat may come first."""
    path = folder.journal(attempt)
    lines = read_journal(path).lines if path.exists() else []
    return next((dict(line.fields) for line in lines if line.kind == "start"), {})


def ended(lab: Lab, state: str, attempt: int) -> queries.Run:
    def is_so() -> bool:
        run = lab.only_run()
        return (run.state, run.attempt) == (state, attempt)

    lab.wait_until(is_so, f"attempt {attempt} to be {state}")
    return lab.only_run()


@pytest.mark.slow
@pytest.mark.parametrize("imported", [True, False])
def test_a_run_goes_on_with_its_own_data_alone(lab: Lab, imported: bool) -> None:
    """Imported, the entry knows what it was made of; else only the checkpoint does."""
    if imported:
        name, file = "shop", lab.folder / "shop.inter"
        before, after = interactions(0), interactions(1)
        file.write_text(before)
        lab.run("data", "import", str(file), "--name", name, "--in-place")
    else:
        name, file = "tiny", lab.folder / "data" / "tiny" / "u.data"
        before = file.read_text()
        rows = before.splitlines(keepends=True)
        after = "".join([*rows[20:], *rows[:20]])
        assert after != before
        rows = [row.rsplit("\t", 1)[0] for row in after.splitlines()]
        after = "".join(f"{row}\t{at}\n" for at, row in enumerate(rows))
    words = ("run", "--model", "sasrec", "--dataset", name, "--length", "8", *LONG, *SMALL)
    lab.run(*words)
    run = lab.only_run().id
    folder = lab.location.folder(run)
    lab.wait_until(folder.checkpoint(1).exists, "a checkpoint")
    lab.run("cancel", run)
    first = ended(lab, "cancelled", 1)
    trained = begun(folder, 1)["checksum"]

    file.write_text(after)
    lab.run("retry", run)
    refused = ended(lab, "failed", 2)
    assert refused.cause == "data"
    assert refused.message is not None
    assert str(file) in refused.message
    assert "put the old file back" in refused.message
    assert (refused.epoch, refused.best_valid_ndcg) == (first.epoch, first.best_valid_ndcg)
    assert f"checksum={trained}" in lab.run("show", run)
    said = lab.run(*words, "--again", "--dry-run", status=1 if imported else 0)
    assert imported or "queue" in said

    file.write_text(before)
    lab.run("retry", run)
    lab.wait_until(lambda: begun(folder, 3), "the third attempt")
    assert begun(folder, 3)["checksum"] == trained
    assert begun(folder, 3)["resumed_epoch"] > 0
    lab.goes_on()
    lab.run("cancel", run)
    assert not ended(lab, "cancelled", 3).marks
