"""What a chapter's run folder holds before anything is started, and what its systems drop on the first morning."""

from pathlib import Path

import pytest

from services.site_file import load_site
from simulators.demo_site import DemoRun, found_run
from simulators.local_days import at_local
from simulators.masters_script import FIRST_FILES
from simulators.masters_system import open_system, turn
from simulators.masters_wire import read
from simulators.script import BUSINESS_DAYS

SYSTEMS = ("cis", "mdms", "gis")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    return found_run(tmp_path_factory.mktemp("first") / "run", points=120, seed=7, systems=SYSTEMS)


def test_the_site_file_takes_masters_of_just_those_systems(run: DemoRun, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in run.secrets.items():
        monkeypatch.setenv(name, value)

    site = load_site(run.folder / "site.toml")

    assert site.model.masters is not None
    assert site.model.masters.inboxes == SYSTEMS
    assert site.model.masters.granularity == {"cis": "day", "mdms": "minute", "gis": "day"}
    assert site.model.roles["gis"].adapter == "gis_flatfile"


def test_each_system_drops_all_that_it_holds_once_and_not_before_the_morning(run: DemoRun) -> None:
    at = FIRST_FILES.on(BUSINESS_DAYS[0])
    dropped: dict[str, list[Path]] = {}

    for name in SYSTEMS:
        system = open_system(run.folder, name)
        turn(system, at_local(BUSINESS_DAYS[0], 1))
        assert not list(system.root.glob("outbound/*.dat"))
        turn(system, at)
        turn(system, at)
        dropped[name] = list(system.root.glob("outbound/*.dat"))

    assert [len(files) for files in dropped.values()] == [1, 1, 1]
    taken = read(dropped["mdms"][0])
    assert taken.mode == "FULL"
    assert sum(version.tag == "UPT" for _, version in taken.versions) == 120
