"""The catalogue of data sets: what it says, and pictures of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from live_app import know_the_surroundings
from pilots import settled, wait_for
from rich.cells import cell_len
from sizes import Sizes
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from engine.judge import ask
from engine.store.location import StoreLocation
from tui.app import SeqbenchApp
from tui.data.screen import DataScreen
from tui.dialogs.fetch import FetchScreen
from tui.launch.confirm import ConfirmScreen
from tui.launch.grid.grid import CellGrid

ROWS = "".join(
    f"{user}\t{(user * user + step * step) % 97}\t3\t{step // 2}\n"
    for user in range(1, 60)
    for step in range(2 + user * user // 12)
)


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One data set more, which is here."""
    know_the_surroundings(monkeypatch, tmp_path)
    monkeypatch.setenv("SEQBENCH_DATA", str(tmp_path / "data"))
    # A test that waits for judging shouldn't wait for all the other tests first.
    monkeypatch.setattr(ask, "NICENESS", 0)
    folder = tmp_path / "data" / "tiny"
    folder.mkdir(parents=True)
    (folder / "u.data").write_text(ROWS)
    entry = {
        "name": "tiny", "title": "Tiny", "size": "small", "reader": "movielens-tab",
        "users": 59, "items": 97, "interactions": 1, "folder": "tiny", "files": {"u.data": None},
        "filter": {"k_core": 3}, "license": "None at all.",
    }  # fmt: skip
    configs = tmp_path / "configs"
    (configs / "datasets").mkdir(parents=True)
    (configs / "datasets" / "tiny.yaml").write_text(yaml.safe_dump(entry))
    return configs


async def opened(pilot: Pilot[None], name: str) -> DataScreen:
    await settled(pilot)
    await pilot.press("D")
    await wait_for(pilot, lambda: isinstance(pilot.app.screen, DataScreen), "the catalogue")
    screen = pilot.app.screen
    assert isinstance(screen, DataScreen)
    options = screen.query_one(OptionList)
    options.highlighted = options.get_option_index(name)
    return screen


def text(screen: DataScreen) -> str:
    return str(screen.query_one("#text", Static).content)


async def test_a_set_that_is_here_is_read_at_once(
    configs: Path, absent_store: StoreLocation
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "tiny")
        await wait_for(pilot, lambda: "3-core, round 1" in text(screen), "its figures")
        for words in ("over 50", "3-core, round 1", "leave-one-out:", "None at all.", "Ties:"):
            assert words in text(screen)
        await pilot.press("escape")
        await wait_for(pilot, lambda: pilot.app.screen is not screen, "the grid")


async def test_a_copy_that_is_not_the_published_one_is_said(
    configs: Path, absent_store: StoreLocation, tmp_path: Path
) -> None:
    copy = tmp_path / "data" / "ml-100k" / "u.data"
    copy.parent.mkdir()
    copy.write_text(ROWS)
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "ml-100k")
        await wait_for(pilot, lambda: "published file" in " ".join(text(screen).split()), "it")


async def test_what_bounds_its_figures_is_said(
    configs: Path, absent_store: StoreLocation, tmp_path: Path
) -> None:
    rows = "".join(
        f"{user}\t{step % 4 if step < 5 else 100 + user}\t3\t{1_600_000_000 + 60 * step}\n"
        for user in range(9)
        for step in range(6)
    )
    (tmp_path / "data" / "tiny" / "u.data").write_text(rows)
    entry = configs / "datasets" / "tiny.yaml"
    entry.write_text(entry.read_text().replace("k_core: 3", "k_core: 0"))
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "tiny")
        await wait_for(pilot, lambda: "Cold items" in text(screen), "its remarks")
        said = " ".join(text(screen).split())
        assert "9 of 9 test items and 0 of 9 validation items occur in no training" in said
        assert "at most 0.0000 on test and 1.0000 on validation" in said
        assert "times 2020-09-13 12:26:40 to 2020-09-13 12:31:40 UTC" in said


async def test_a_set_that_is_elsewhere_says_what_it_costs(
    configs: Path, absent_store: StoreLocation
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "ml-20m")
        await wait_for(pilot, lambda: "199 MB from files.grouplens.org" in text(screen), "its cost")
        assert "no commercial use" in text(screen)
        await pilot.press("r")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, FetchScreen), "the offer")
        await pilot.press("escape")
        await wait_for(pilot, lambda: pilot.app.screen is screen, "the catalogue again")
        steam = screen.query_one(OptionList).get_option_index("steam")
        screen.query_one(OptionList).highlighted = steam
        await wait_for(pilot, lambda: "it isn't fetched" in text(screen), "how to get it")


async def test_enter_gives_it_a_column_that_stays(
    configs: Path, absent_store: StoreLocation
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(80, 24)) as pilot:
        grid = pilot.app.screen.query_one(CellGrid)
        await opened(pilot, "ml-20m")
        await pilot.press("enter")
        await wait_for(pilot, lambda: grid.cursor_key == ("sasrec", "ml-20m", 50), "its column")
        await settled(pilot)
        assert "ml-20m" in grid.render_line(0).text
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "confirm")
        absent = pilot.app.screen.query_one("#absent", Static)
        assert "199 MB to fetch from files.grouplens.org" in str(absent.content)
    async with SeqbenchApp(absent_store, configs).run_test(size=(200, 50)) as pilot:
        await settled(pilot)
        assert "ml-20m" in pilot.app.screen.query_one(CellGrid).render_line(0).text


async def test_a_damaged_set_is_one_sentence(
    configs: Path, absent_store: StoreLocation, tmp_path: Path
) -> None:
    (tmp_path / "data" / "tiny" / "u.data").write_text("1\t2\n")
    async with SeqbenchApp(absent_store, configs).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, "tiny")
        await wait_for(pilot, lambda: "line 1: expected user" in text(screen), "the sentence")


async def judged(pilot: Pilot[None]) -> DataScreen:
    """Judge the tiny data set."""
    screen = await opened(pilot, "tiny")
    offer = lambda: "takes a few seconds" in " ".join(text(screen).split())  # noqa: E731
    await wait_for(pilot, offer, "the offer")
    await pilot.press("j")
    await wait_for(pilot, lambda: "in short" in text(screen), "the judgement", seconds=120)
    return screen


async def test_it_is_judged_once_and_without_waiting(
    configs: Path, absent_store: StoreLocation
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "tiny")
        await wait_for(pilot, lambda: "j judges" in text(screen), "the offer")
        await pilot.press("j")
        assert "judging" in text(screen)
        options = screen.query_one(OptionList)
        options.highlighted = options.get_option_index("ml-25m")
        await settled(pilot)
        assert "judg" not in text(screen)
        options.highlighted = options.get_option_index("tiny")
        await wait_for(pilot, lambda: "in short" in text(screen), "the judgement", seconds=120)
        said = " ".join(text(screen).split())
        for words in ("users: differences in", "Only ", "floor ", "shuffle test", "smallest"):
            assert words in said
        await pilot.press("escape")
        await settled(pilot)
        screen = await opened(pilot, "tiny")
        await wait_for(pilot, lambda: "in short" in text(screen), "what is kept")


async def test_leaving_the_screen_stops_judging(configs: Path, absent_store: StoreLocation) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "tiny")
        await wait_for(pilot, lambda: "j judges" in text(screen), "the offer")
        await pilot.press("j")
        await wait_for(pilot, lambda: screen._judging is not None, "its process")
        judging = screen._judging
        assert judging is not None
        await pilot.press("escape")
        await wait_for(pilot, lambda: not Path(f"/proc/{judging.pid}").exists(), "its end")


async def test_a_set_that_is_not_here_is_not_judged(
    configs: Path, absent_store: StoreLocation
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "ml-25m")
        await wait_for(pilot, lambda: "source" in text(screen), "it")
        await pilot.press("j")
        await settled(pilot)
        said = [str(each.message) for each in pilot.app._notifications]
        assert said == ["ml-25m is judged once it is here and read."]


@pytest.mark.parametrize("name", ["tiny", "ml-25m"])
def test_pictures(
    snap_sizes: Sizes,
    configs: Path,
    absent_store: StoreLocation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQBENCH_DATA", "data")  # a path that is the same everywhere

    async def look(pilot: Pilot[None]) -> None:
        screen = await opened(pilot, name)
        await wait_for(
            pilot,
            lambda: "source" in text(screen) and (name != "tiny" or "j judges" in text(screen)),
            "it",
        )
        await settled(pilot)

    snap_sizes(SeqbenchApp(absent_store, configs), look)


def test_pictures_of_a_judgement(
    snap_sizes: Sizes,
    configs: Path,
    absent_store: StoreLocation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQBENCH_DATA", "data")

    async def look(pilot: Pilot[None]) -> None:
        screen = await judged(pilot)
        screen.query_one("#about").scroll_to(y=14, animate=False)
        await settled(pilot)

    snap_sizes(SeqbenchApp(absent_store, configs), look)


async def test_in_a_narrow_terminal_every_line_fits(
    configs: Path, absent_store: StoreLocation
) -> None:
    async with SeqbenchApp(absent_store, configs).run_test(size=(60, 18)) as pilot:
        screen = await opened(pilot, "tiny")
        await wait_for(pilot, lambda: "median" in text(screen), "its statistics")
        room = screen.query_one("#text", Static).size.width
        assert max(map(cell_len, text(screen).splitlines())) <= room
