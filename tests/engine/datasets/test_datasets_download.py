from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from archives import QUICK, RATINGS, Site, left_over

from engine.datasets.download import FetchCancelledError, Progress, RetryPolicy, fetch, offer
from engine.datasets.load import load_interactions
from engine.datasets.locate import RECORD, locate
from engine.errors import DataError
from engine.spec import Dataset

MakeDataset = Callable[..., Dataset]


def test_fetches_checks_and_unpacks_what_is_wanted(
    served: Callable[..., Dataset], site: Site, cache: Path
) -> None:
    dataset = served()
    seen: list[Progress] = []
    folder = fetch(dataset, seen.append, policy=QUICK)

    assert folder == cache / "tiny-folder"
    unpacked = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != RECORD}
    assert unpacked == {"u.data": RATINGS, "README": b"Cite us."}
    assert left_over(cache) == {"tiny-folder"}
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert len(done) > 2
    assert seen[-1].done == seen[-1].total == len(site.body)
    assert load_interactions(dataset).num_users == 50

    assert fetch(dataset, policy=QUICK) == folder
    assert site.asked == [None], "what is there and sound is not fetched again"

    (folder / "u.data").write_bytes(RATINGS.replace(b"\t3\t", b"\t4\t", 1))
    assert fetch(dataset, policy=QUICK) == folder
    assert (folder / "u.data").read_bytes() == RATINGS, "it wasn't what had been unpacked"


def test_a_damaged_copy_in_the_cache_is_replaced(
    served: Callable[..., Dataset], cache: Path
) -> None:
    published = hashlib.md5(RATINGS).hexdigest()
    dataset = served().model_copy(update={"files": {"u.data": published}})
    folder = cache / "tiny-folder"
    folder.mkdir(parents=True)
    (folder / "u.data").write_bytes(RATINGS[:-9])
    # What a fetch that was killed while unpacking leaves.
    (cache / ".tiny-folder.ab12_xyz.new").mkdir()
    fetch(dataset, policy=QUICK)
    assert (folder / "u.data").read_bytes() == RATINGS
    assert left_over(cache) == {"tiny-folder"}


def test_a_damaged_copy_of_the_users_is_left_to_the_user(
    served: Callable[..., Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = served().model_copy(update={"files": {"u.data": "0" * 32}})
    own = tmp_path / "data" / "tiny-folder"
    own.mkdir(parents=True)
    (own / "u.data").write_bytes(b"mine")
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match="repair or remove that copy"):
        fetch(dataset, policy=QUICK)
    assert (own / "u.data").read_bytes() == b"mine"


def test_goes_on_where_an_earlier_fetch_stopped(
    served: Callable[..., Dataset], site: Site, cache: Path
) -> None:
    dataset = served()
    cache.mkdir()
    (cache / ".tiny-folder.part").write_bytes(site.body[:100_000])
    seen: list[Progress] = []
    folder = fetch(dataset, seen.append, policy=QUICK)
    assert site.asked == ["bytes=100000-"]
    assert seen[0].done > 100_000
    assert (folder / "u.data").read_bytes() == RATINGS


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_breaks_is_taken_up_again(
    served: Callable[..., Dataset], site: Site, ranges: bool
) -> None:
    dataset = served()
    site.ranges = ranges
    site.stop_after = len(site.body) // 2 + 1 if ranges else len(site.body)
    site.failures = 1
    folder = fetch(dataset, policy=QUICK)
    assert (folder / "u.data").read_bytes() == RATINGS
    assert len(site.asked) == (3 if ranges else 2)


def test_a_server_without_ranges_is_read_from_the_start(
    served: Callable[..., Dataset], site: Site, cache: Path
) -> None:
    dataset = served()
    cache.mkdir()
    (cache / ".tiny-folder.part").write_bytes(site.body[:100_000])
    site.ranges = False
    assert (fetch(dataset, policy=QUICK) / "u.data").read_bytes() == RATINGS


@pytest.mark.parametrize("left", ["other bytes", "too long"])
def test_what_is_left_of_something_else_is_dropped(
    served: Callable[..., Dataset], site: Site, cache: Path, left: str
) -> None:
    dataset = served()
    cache.mkdir()
    size = 100_000 if left == "other bytes" else len(site.body) + 1
    (cache / ".tiny-folder.part").write_bytes(b"x" * size)
    assert (fetch(dataset, policy=QUICK) / "u.data").read_bytes() == RATINGS


def test_a_truncated_download_is_kept_and_explained(
    served: Callable[..., Dataset], site: Site, cache: Path
) -> None:
    dataset = served()
    site.stop_after = 50_000
    with pytest.raises(DataError, match=r"could not be fetched from .*try again, which continues"):
        fetch(dataset, policy=QUICK)
    assert len(site.asked) == 1 + QUICK.retries
    assert (cache / ".tiny-folder.part").read_bytes() == site.body[: 3 * 50_000]
    assert locate(dataset) is None


def test_a_server_that_falls_silent(served: Callable[..., Dataset], site: Site) -> None:
    dataset = served()
    site.stall_after = 10_000
    with pytest.raises(DataError, match=r"could not be fetched .*timed out"):
        fetch(dataset, policy=RetryPolicy(read=0.2, retries=0))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"md5": "0" * 32}, "its md5 is"),
        ({"bytes": 1_000}, "more than 1,000 bytes"),
        ({"bytes": 10_000_000}, "not 10,000,000 bytes"),
    ],
)
def test_other_bytes_than_published_are_refused(
    served: Callable[..., Dataset], cache: Path, change: dict[str, object], reason: str
) -> None:
    with pytest.raises(DataError, match=f"not the published archive .*{reason}"):
        fetch(served(**change), policy=QUICK)
    assert left_over(cache) == set()


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_address_that_is_gone(served: Callable[..., Dataset], site: Site, status: int) -> None:
    dataset = served()
    site.status = status
    with pytest.raises(DataError, match=rf"answered {status} .*: correct the address"):
        fetch(dataset, policy=QUICK)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/tiny.zip", "redirects"),
        ("file:///etc/passwd", "protocol"),
        ("http://127.0.0.1:1/elsewhere.zip", "check the network or the proxy"),
        ("http://[::1", "Invalid URL"),
        ("", "redirects"),
    ],
)
def test_a_server_that_sends_elsewhere(
    served: Callable[..., Dataset], site: Site, cache: Path, location: str, reason: str
) -> None:
    dataset = served()
    site.location = location
    with pytest.raises(DataError, match=rf"(?s)(can't|could not) be fetched .*{reason}"):
        fetch(dataset, policy=QUICK)
    assert locate(dataset) is None
    assert left_over(cache) == set()


def test_nothing_half_made_is_used_whoever_is_killed(
    served: Callable[..., Dataset], site: Site, cache: Path
) -> None:
    dataset = served()
    fetching = (
        "import sys; from engine.datasets.download import *; from engine.spec import Dataset;"
        "fetch(Dataset.model_validate_json(sys.argv[1]))"
    )
    site.stall_after = 50_000
    command = [sys.executable, "-c", fetching, dataset.model_dump_json()]
    with subprocess.Popen(command) as killed:
        part = cache / ".tiny-folder.part"
        while not (part.exists() and part.stat().st_size == 50_000):
            assert killed.poll() is None
            time.sleep(0.01)
        killed.kill()
    assert locate(dataset) is None
    site.stall_after = None
    assert (fetch(dataset, policy=QUICK) / "u.data").read_bytes() == RATINGS
    assert left_over(cache) == {"tiny-folder"}


def test_nobody_answers(make_dataset: MakeDataset) -> None:
    # Port 1 is never listened on.
    archive = {"url": "http://127.0.0.1:1/tiny.zip", "bytes": 10}
    with pytest.raises(DataError, match="check the network or the proxy"):
        fetch(make_dataset(archive=archive), policy=QUICK)


def test_cancelled_midway_and_taken_up_again(
    served: Callable[..., Dataset], site: Site, cache: Path
) -> None:
    dataset = served()
    seen: list[Progress] = []
    with pytest.raises(FetchCancelledError, match="continues where it stopped"):
        fetch(dataset, seen.append, lambda: len(seen) >= 2, QUICK)
    kept = (cache / ".tiny-folder.part").stat().st_size
    assert 0 < kept == seen[-1].done < len(site.body)

    assert (fetch(dataset, policy=QUICK) / "u.data").read_bytes() == RATINGS
    assert site.asked == [None, f"bytes={kept}-"]


def test_two_at_once_fetch_once(served: Callable[..., Dataset], site: Site, cache: Path) -> None:
    dataset = served()
    with ThreadPoolExecutor(4) as pool:
        folders = {future.result() for future in [pool.submit(fetch, dataset) for _ in range(4)]}
    assert folders == {cache / "tiny-folder"}
    assert site.asked == [None]
    assert left_over(cache) == {"tiny-folder"}


def test_a_cache_that_cannot_be_written(served: Callable[..., Dataset], cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="set SEQBENCH_CACHE to another folder"):
        fetch(served(), policy=QUICK)


def test_what_fetching_costs_is_said_beforehand(
    served: Callable[..., Dataset], make_dataset: MakeDataset, make_synthetic: MakeDataset
) -> None:
    assert re.search(
        r"0\.\d MB from 127\.0\.0\.1, checked against its published md5", offer(served())
    )
    assert "not verified" in offer(served(md5=None))
    assert "can't be fetched" in offer(make_dataset())
    with pytest.raises(DataError, match="has no known address"):
        fetch(make_dataset())
    with pytest.raises(DataError, match="is generated"):
        fetch(make_synthetic(10, 5, 500))


def test_mirrors_are_tried_in_turn(served: Callable[..., Dataset], site: Site, cache: Path) -> None:
    nobody = "http://127.0.0.1:9/tiny.zip"
    dataset = served(url=nobody, mirrors=[nobody, site.url])
    assert fetch(dataset, policy=RetryPolicy(connect=5, read=5, retries=0, backoff=0)).is_dir()
    assert len(site.asked) == 1
    assert left_over(cache) == {"tiny-folder"}


def test_a_mirror_with_other_bytes_is_none(
    served: Callable[..., Dataset], site: Site, cache: Path
) -> None:
    dataset = served(md5="0" * 32, mirrors=[site.url])
    with pytest.raises(DataError, match="is not the published archive"):
        fetch(dataset, policy=QUICK)
    assert left_over(cache) == set()
