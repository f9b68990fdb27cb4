from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.datasets.titles import item_titles
from engine.spec import Dataset


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("u.item", "1|Misérables, Les (1995)|x\n3|Ö (1996)|y".encode("latin-1"),
         {1: "Misérables, Les (1995)", 2: "Ö (1996)"}),
        ("movies.dat", "1::Misérables::Drama\r\n3::It's: a::b".encode(),
         {1: "Misérables", 2: "It's: a"}),
        ("movies.csv", b"\xef\xbb\xbfmovieId,title,genres\r\n1,\"A, the\"\"x\"\"\",D\r\n7,B,D\r\n",
         {1: 'A, the"x"'}),
        ("games.json.gz",
         gzip.compress(b"{u'id': u'3', u'app_name': u'Half'}\nbad\n{\"id\": 1, \"title\": \"T\"}"),
         {2: "Half", 1: "T"}),
        ("movies.csv", b"", {}),
    ],
)  # fmt: skip
def test_titles(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_dataset: Callable[..., Dataset],
    name: str,
    content: bytes,
    expected: dict[int, str],
) -> None:
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path))
    folder = tmp_path / "tiny-folder"
    folder.mkdir()
    (folder / "u.data").write_bytes(b"")
    (folder / name).write_bytes(content)
    assert item_titles(make_dataset(titles=name), np.array([1, 3])) == expected
    (folder / name).unlink()
    assert item_titles(make_dataset(titles=name), np.array([1, 3])) == {}
