import pytest

from simulators.chapters import CHAPTERS, chosen_chapters
from simulators.demo_processes import DemoError


@pytest.fixture(autouse=True)
def _nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHAPTER", "SABOTAGE"):
        monkeypatch.delenv(name, raising=False)


def test_all_chapters_are_played_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPTER", "all")

    assert list(chosen_chapters()) == list(CHAPTERS)


def test_without_a_word_meters_are_rolled_out() -> None:
    assert list(chosen_chapters()) == ["rollout"]


@pytest.mark.parametrize("name", CHAPTERS)
def test_each_chapter_is_played_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("CHAPTER", name)

    assert list(chosen_chapters()) == [name]


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, one in CHAPTERS.items() for kind in one.sabotages])
def test_a_sabotage_is_done_in_the_chapter_that_knows_it(monkeypatch: pytest.MonkeyPatch, name: str, kind: str) -> None:
    monkeypatch.setenv("SABOTAGE", kind)

    assert name in chosen_chapters()


def test_an_unknown_chapter_is_refused_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPTER", "bills")

    with pytest.raises(DemoError, match="masters, rollout, billing"):
        chosen_chapters()


def test_a_sabotage_of_another_chapter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAPTER", "billing")
    monkeypatch.setenv("SABOTAGE", "edit-book")

    with pytest.raises(DemoError, match="edit-book"):
        chosen_chapters()
