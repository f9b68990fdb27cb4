"""Copies of users' model files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UserError
from engine.modelinfo.copies import keep_copy, kept_copy


@given(content=st.binary(max_size=200))
def test_a_copy_is_found_by_its_sha256(content: bytes) -> None:
    digest = keep_copy(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert kept_copy(digest) == content


def test_what_was_never_kept_is_not_there() -> None:
    assert kept_copy(hashlib.sha256(b"never").hexdigest()) is None


def test_a_copy_that_was_changed_counts_for_nothing(tmp_path: Path) -> None:
    digest = keep_copy(b"MODEL = 1\n")
    (path,) = tmp_path.rglob(f"{digest}.py")
    path.write_bytes(b"MODEL = 2\n")
    assert kept_copy(digest) is None


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"can't be kept in .*XDG_STATE_HOME"):
        keep_copy(b"")
