"""Whether a log-out ends background runs, read from files as a machine has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.cli.doctor.logout import configuration_files, logout_problem

KILLS = "[Login]\nKillUserProcesses=yes\n"
SESSION = "0::/user.slice/user-1000.slice/session-3.scope\n"
MANAGER = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-r7.scope\n"
SERVICE = "0::/system.slice/slurmd.service\n"


def killed_at_logout(user: str, root: Path) -> bool:
    """What is started from a log-in over SSH."""
    return logout_problem(user, SESSION, root) is not None


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine that systemd runs, with the file that Debian ships."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    write(tmp_path, "etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=no\n")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_by_default_nothing_is_killed(root: Path) -> None:
    assert not killed_at_logout("ada", root)


@pytest.mark.parametrize(
    "name",
    [
        "etc/systemd/logind.conf",
        "etc/systemd/logind.conf.d/50-site.conf",
        "run/systemd/logind.conf.d/50-site.conf",
        "usr/local/lib/systemd/logind.conf.d/50-site.conf",
        "usr/lib/systemd/logind.conf.d/50-site.conf",
    ],
)
def test_it_is_found_wherever_it_is_set(root: Path, name: str) -> None:
    write(root, name, KILLS)
    assert killed_at_logout("ada", root)


def test_the_vendors_file_counts_where_there_is_no_other(root: Path) -> None:
    write(root, "usr/lib/systemd/logind.conf", KILLS)
    assert not killed_at_logout("ada", root)
    (root / "etc/systemd/logind.conf").unlink()
    assert killed_at_logout("ada", root)


def test_the_last_file_by_name_has_the_last_word(root: Path) -> None:
    write(root, "etc/systemd/logind.conf.d/10-a.conf", KILLS)
    write(root, "usr/lib/systemd/logind.conf.d/90-b.conf", "[Login]\nKillUserProcesses = no\n")
    assert not killed_at_logout("ada", root)


def test_a_file_hides_its_namesake_further_on(root: Path) -> None:
    write(root, "usr/lib/systemd/logind.conf.d/50-site.conf", KILLS)
    write(root, "etc/systemd/logind.conf.d/50-site.conf", "")
    assert not killed_at_logout("ada", root)
    assert [path.relative_to(root).parts[0] for path in configuration_files(root)] == ["etc"] * 2


@pytest.mark.parametrize("lingers", [False, True])
@pytest.mark.parametrize("text", ["", KILLS])
def test_lingering_keeps_the_service_manager_and_not_the_session(
    root: Path, text: str, lingers: bool
) -> None:
    write(root, "etc/systemd/logind.conf", text)
    if lingers:
        write(root, "var/lib/systemd/linger/ada", "")
    problem = logout_problem("ada", SESSION, root)
    assert (problem is not None) == bool(text)
    assert problem is None or "systemd-run --user --scope" in problem[1]
    problem = logout_problem("ada", MANAGER, root)
    assert (problem is not None) == (not lingers)
    assert problem is None or "`loginctl enable-linger`" in problem[1]
    assert logout_problem("ada", SERVICE, root) is None


@pytest.mark.parametrize(
    ("more", "killed"),
    [
        ("", {"ada", "bob"}),
        ("KillOnlyUsers=ada", {"ada"}),
        ("KillExcludeUsers=ada", {"bob", "root"}),
        ("KillExcludeUsers=", {"ada", "bob", "root"}),
    ],
)
def test_users_can_be_named(root: Path, more: str, killed: set[str]) -> None:
    write(root, "etc/systemd/logind.conf", KILLS + more)
    assert {user for user in ("ada", "bob", "root") if killed_at_logout(user, root)} == killed


@pytest.mark.parametrize("text", ["KillUserProcesses=yes\n", "[Other]\nKillUserProcesses=yes\n"])
def test_only_its_own_section_counts(root: Path, text: str) -> None:
    write(root, "etc/systemd/logind.conf", text)
    assert not killed_at_logout("ada", root)


def test_without_systemd_nothing_is_killed(root: Path) -> None:
    write(root, "etc/systemd/logind.conf", KILLS)
    (root / "run/systemd/system").rmdir()
    assert not killed_at_logout("ada", root)
