"""An archive that was damaged, or made to do harm, is refused in one sentence and changes
nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fuzzing import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measured_runs import MeasuredStore

from engine.errors import UserError
from engine.interchange import unpack as unpacking
from engine.interchange.manifest import ArchiveError
from engine.interchange.pack import pack
from engine.interchange.unpack import unpack
from engine.store.connect import connect_reader
from engine.store.location import StoreLocation

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Member = tuple[tarfile.TarInfo, bytes]


@pytest.fixture(scope="module")
def archive(lab: MeasuredStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run, with its ranks."""
    output = tmp_path_factory.mktemp("archive") / "one.tar.gz"
    with closing(connect_reader(lab.location)) as con:
        pack(con, lab.location, output, filter="seed:9")
    return output


def members(archive: Path) -> list[Member]:
    with tarfile.open(archive) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]


def write(path: Path, content: list[Member]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, data in content:
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data))
    return path


def remade(
    archive: Path, path: Path, change: Callable[[dict[str, Any]], None], **files: bytes
) -> Path:
    """The archive with another manifest, and other files whose checksums are right."""
    (head, text), *rest = members(archive)
    manifest = json.loads(text)
    entries = entries_of(manifest)
    found = {member.name.rpartition("/")[2]: data for member, data in rest}
    found |= {name.replace("__", "."): data for name, data in files.items()}
    for name, data in found.items():
        entries[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    change(manifest)
    made = [(head, json.dumps(manifest).encode())]
    made += [
        (tarfile.TarInfo(f"runs/{run}/{name}"), found[name])
        for run, entries in manifest["runs"].items()
        for name in entries
        if name in found
    ]
    return write(path, made)


def refused(path: Path, location: StoreLocation) -> str:
    """The sentence; the store is as it was."""
    before = state(location)
    with pytest.raises(ArchiveError) as caught:
        unpack(path, location)
    sentence = str(caught.value)
    assert state(location) == before
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 500
    return sentence


def state(location: StoreLocation) -> list[str]:
    root = location.db.parent.parent
    names = (str(path.relative_to(root)) for path in root.rglob("*"))
    locks = ("import.lock", "elsewhere", "elsewhere/runs")
    return sorted(name for name in names if not name.endswith(locks))


def test_what_is_no_archive(elsewhere: StoreLocation, tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    assert "No such file" in refused(path, elsewhere)
    for content in (b"", b"PK\x03\x04 a zip", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"):
        path.write_bytes(content)
        refused(path, elsewhere)
    path.write_bytes(gzip.compress(b"no tar at all" * 1000))
    assert "damaged or truncated" in refused(path, elsewhere)
    write(path, [(tarfile.TarInfo("README"), b"hello")])
    assert "`seqbench export` didn't write it" in refused(path, elsewhere)
    path.unlink()
    os.mkfifo(path)
    assert "not a file" in refused(path, elsewhere)
    assert not elsewhere.runs.exists()


def test_cut_short_anywhere(archive: Path, elsewhere: StoreLocation, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    raw = gzip.decompress(whole)
    for share in (0.1, 0.5, 0.9):
        path = tmp_path / "cut.tar.gz"
        path.write_bytes(whole[: int(len(whole) * share)])
        assert "fetch it again" in refused(path, elsewhere)
        path.write_bytes(zstd.compress(raw)[: int(len(whole) * share)])
        assert "fetch it again" in refused(path, elsewhere)
    path.write_bytes(gzip.compress(raw[: len(raw) // 2 // 512 * 512]))
    refused(path, elsewhere)


def test_a_file_that_is_not_what_was_exported(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    content = members(archive)
    place = next(i for i, (m, _) in enumerate(content) if m.name.endswith("journal-1.jsonl"))
    member, data = content[place]
    content[place] = member, data.replace(b"0.001", b"0.002")
    assert "isn't what was exported" in refused(write(tmp_path / "x.tgz", content), elsewhere)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.update(format=2), "it was written by a newer seqbench (format 2)"),
        (lambda m: m.update(format="1"), "manifest is damaged"),
        (lambda m: m.update(kind="something"), "'something', not a seqbench archive"),
        (lambda m: m["runs"].update(x={"spec.json": []}), "manifest is damaged"),
        (lambda m: m["runs"].update({"../../etc": {}}), "'../../etc' isn't a run's id"),
        (lambda m: m["runs"].update({"a/b": {}}), "'a/b' isn't a run's id"),
        (lambda m: m["runs"].update({"a..b": {}}), "'a..b' isn't a run's id"),
        (lambda m: m["runs"].update({"lonely": {}}), "lonely has no spec.json in it"),
    ],
    ids=["newer", "no number", "other kind", "list", "upward", "deeper", "dots", "empty"],
)
def test_a_manifest_that_lies(
    archive: Path,
    elsewhere: StoreLocation,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    said: str,
) -> None:
    assert said in refused(remade(archive, tmp_path / "x.tar.gz", change), elsewhere)


def entries_of(manifest: dict[str, Any]) -> dict[str, Any]:
    (entries,) = manifest["runs"].values()
    found: dict[str, Any] = entries
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: e.update({"../x": e["spec.json"]}), "'../x' isn't one of a run's files"),
        (
            lambda e: e.update({"attempt.lock": e["spec.json"]}),
            "'attempt.lock' isn't one of a run's files",
        ),
        (lambda e: e["spec.json"].update(bytes=10**9), "1,000,000,000 bytes long"),
        (lambda e: e["journal-1.jsonl"].update(bytes=10**18), "MiB are free"),
        (lambda e: e["journal-1.jsonl"].update(bytes=-1), "manifest is damaged"),
        (lambda e: e["journal-1.jsonl"].update(bytes=True), "manifest is damaged"),
        (lambda e: e["journal-1.jsonl"].update(bytes=7), "is in the place of"),
        (lambda e: e["journal-1.jsonl"].update(sha256="0" * 64), "isn't what was exported"),
        (lambda e: e["journal-1.jsonl"].update(sha256="x"), "manifest is damaged"),
        (lambda e: e.pop("meta.json"), "has no meta.json in it"),
        (lambda e: e.update({"log.txt": e["spec.json"]}), "it ends before"),
    ],
)
def test_entries_that_lie(
    archive: Path,
    elsewhere: StoreLocation,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], Any],
    said: str,
) -> None:
    path = remade(archive, tmp_path / "x.tar.gz", lambda m: change(entries_of(m)))
    assert said in refused(path, elsewhere)


def links() -> Iterator[tarfile.TarInfo]:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
        member = tarfile.TarInfo("runs/x/spec.json")
        member.type, member.linkname = kind, "/etc/passwd"
        yield member


@pytest.mark.parametrize("member", links(), ids=lambda m: m.type.decode())
@pytest.mark.parametrize("place", [0, 1, -1], ids=["first", "second", "last"])
def test_links_and_devices(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path, member: tarfile.TarInfo, place: int
) -> None:
    content = members(archive)
    content.insert(place if place >= 0 else len(content), (member, b""))
    sentence = refused(write(tmp_path / "x.tar.gz", content), elsewhere)
    assert "is not a file" in sentence or "didn't write it" in sentence


def test_a_header_that_would_fill_the_memory(elsewhere: StoreLocation, tmp_path: Path) -> None:
    """A comment of a tar (PAX) is read at once, however long it says it is."""
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, 1 << 40
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + b"0" * 10_000))
    assert "is not a file" in refused(path, elsewhere)


def test_a_manifest_that_would_fill_the_memory(
    elsewhere: StoreLocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 1000)
    path = write(tmp_path / "x.tar.gz", [(tarfile.TarInfo("manifest.json"), b" " * 1001)])
    assert "manifest is 1,001 bytes long" in refused(path, elsewhere)


def test_a_few_bytes_that_become_very_many_are_not_held(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    head = io.BytesIO()
    with tarfile.open(fileobj=head, mode="w") as tar:
        for member, data in [*members(archive), (tarfile.TarInfo("x"), b"")]:
            tar.addfile(member, io.BytesIO(data))
    path = tmp_path / "x.tar.zst"
    path.write_bytes(zstd.compress(head.getvalue() + bytes(1 << 28)))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        assert "doesn't mention" in refused(path, elsewhere)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_more_than_the_manifest_tells(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    content = [*members(archive), (tarfile.TarInfo("runs/x/spec.json"), b"{}")]
    assert "doesn't mention" in refused(write(tmp_path / "x.tar.gz", content), elsewhere)
    twice = members(archive)
    assert "doesn't mention" in refused(write(tmp_path / "x.tar.gz", [*twice, twice[1]]), elsewhere)


@pytest.mark.parametrize("state_", ["running", "queued", "paused", "nonsense"])
def test_a_run_that_would_begin_to_train(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path, state_: str
) -> None:
    meta = next(data for member, data in members(archive) if member.name.endswith("meta.json"))
    content = json.loads(meta) | {"state": state_}
    path = remade(
        archive, tmp_path / "x.tgz", lambda _: None, meta__json=json.dumps(content).encode()
    )
    assert "has not ended" in refused(path, elsewhere)


def test_an_attempt_of_which_the_run_knows_nothing(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    path = remade(archive, tmp_path / "x.tgz", lambda _: None, **{"journal-2__jsonl": b""})
    assert "has not ended" in refused(path, elsewhere)


def test_configuration_that_is_none(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    for text in (b"", b"[]", b"{}", b"[" * 10_000, b'{"format": 99}'):
        path = remade(archive, tmp_path / "x.tgz", lambda _: None, spec__json=text)
        assert ".import-" not in refused(path, elsewhere)


def test_a_second_run_that_is_bad_keeps_the_first_out(
    archive: Path, elsewhere: StoreLocation, tmp_path: Path
) -> None:
    def add(manifest: dict[str, Any]) -> None:
        manifest["runs"]["zzz"] = dict(entries_of(manifest))
        manifest["runs"]["zzz"]["log.txt"] = {"bytes": 3, "sha256": "0" * 64}

    assert "it ends before" in refused(remade(archive, tmp_path / "x.tgz", add), elsewhere)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255), whole=st.booleans())
def test_any_byte_changed_is_found_or_harmless(
    archive: Path, tmp_path: Path, at: float, bits: int, whole: bool
) -> None:
    """Either one sentence, or just what was exported."""
    data = bytearray(archive.read_bytes() if whole else gzip.decompress(archive.read_bytes()))
    data[int(at * len(data))] ^= bits
    path = tmp_path / "x.tar.gz"
    path.write_bytes(bytes(data) if whole else gzip.compress(bytes(data), 1))
    location = StoreLocation(tmp_path / "a" / "elsewhere" / "runs.db")
    extracted: list[bytes] = []
    try:
        with unpacking._members_of(path) as found:
            manifest = found.manifest()
            aside = tmp_path / "aside"
            for old in sorted(aside.rglob("*"), reverse=True):
                old.unlink() if old.is_file() else old.rmdir()
            aside.mkdir(exist_ok=True)
            unpacking._extract(found, manifest, aside)
            extracted = [file.read_bytes() for file in sorted(aside.rglob("*")) if file.is_file()]
    except UserError:
        return
    assert not location.runs.exists()
    wanted = [data for member, data in members(archive) if "/" in member.name]
    assert sorted(extracted) == sorted(wanted)
