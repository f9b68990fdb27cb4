"""What may be in a fetched archive, and what is taken from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from archives import QUICK, RATINGS, Site, left_over, zipped

from engine.datasets.download import fetch
from engine.errors import DataError
from engine.spec import Dataset


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (zipped({"../evil": b"x"}), r"'\.\./evil' leads outside of it"),
        (zipped({"tiny-folder/../../evil": b"x"}), "leads outside of it"),
        (zipped({"/etc/evil": b"x"}), "leads outside of it"),
        (zipped({"..\\evil": b"x"}), "leads outside of it"),
        (zipped(link="/etc/passwd"), "is a link"),
        (zipped({"tiny-folder/README.txt": b"0" * 10**7}, method=8), "far more than a data set"),
        (zipped()[:-100], "can't be unpacked"),
        (zipped().replace(RATINGS[:9], b"\0" * 9), "can't be unpacked .*CRC"),
        (b"<html>Please log in</html>", "can't be unpacked"),
    ],
    ids=["up", "aside", "absolute", "backslash", "link", "bomb", "cut", "damaged", "html"],
)
@pytest.mark.parametrize("md5", ["right", None])
def test_an_unsafe_or_broken_archive_is_refused(
    served: Callable[..., Dataset], tmp_path: Path, cache: Path, body: bytes, reason: str, md5: str
) -> None:
    with pytest.raises(DataError, match=reason):
        fetch(served(body, md5=md5), policy=QUICK)
    assert left_over(cache) == set()
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


def test_an_archive_without_the_file_names_it(
    served: Callable[..., Dataset], make_dataset: Callable[..., Dataset], site: Site
) -> None:
    dataset = served().model_copy(update={"files": {"u.data": None, "u.time": None}})
    with pytest.raises(DataError, match=r"holds no tiny-folder/u\.time"):
        fetch(dataset, policy=QUICK)


def test_titles_come_along_where_the_archive_has_them(
    served: Callable[..., Dataset], cache: Path
) -> None:
    dataset = served(zipped({"tiny-folder/u.item": b"1|One|x"}))
    fetch(dataset.model_copy(update={"titles": "u.item"}), policy=QUICK)
    assert (cache / "tiny-folder" / "u.item").read_bytes() == b"1|One|x"
