"""What a person answers in Airflow is done under that name, and what was decided meanwhile is left as it is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from approvals_site import SITE, write_site

from services import airflow_approvals, hub
from services.airflow_approvals import APPROVE, NOT_NOW, asks_people, carried_out, questions
from services.rollout_waves import waves_standing
from services.site_file import load_site

FORM = {"steps": "ask", "note": ""}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return write_site(tmp_path, lambda path: monkeypatch.setenv("AMIHUB_SITE", path))


def answer(option: str) -> dict[str, object]:
    at = datetime(2026, 11, 30, 16, tzinfo=UTC)
    return {
        "chosen_options": [option],
        "params_input": {},
        "responded_at": at,
        "responded_by_user": {"id": "7", "name": "bea"},
    }


def state() -> str:
    with hub.open_hub() as open_one:
        (wave,) = waves_standing(open_one)
    return str(wave.wave["state"])


def test_what_is_approved_is_done_and_kept_under_the_name_of_whoever_approved(site: Path) -> None:
    frozen = questions(FORM)
    done = carried_out(frozen, [answer(APPROVE)])
    released = questions(FORM)
    done += carried_out(released, [answer(APPROVE), answer(NOT_NOW)])

    assert [one["subject"] for one in frozen] == ["freeze north-1"]
    assert "3 exchanges" in frozen[0]["body"]
    assert [one["subject"] for one in released] == ["release 2026-12-01 of north-1", "release 2026-12-02 of north-1"]
    assert done == ["freeze north-1: 3 orders, by bea", "release 2026-12-01 of north-1: 2 orders, by bea"]
    assert state() == "RELEASED"
    assert airflow_approvals.verdict()["waiting"] == ["release 2026-12-02 of north-1"]


def test_what_nobody_approves_waits_on_and_what_was_decided_meanwhile_is_left_alone(site: Path) -> None:
    asked = questions(FORM)

    assert carried_out(asked, [{**answer(NOT_NOW), "responded_by_user": None}]) == []
    assert state() == "PLANNED"
    carried_out(asked, [answer(APPROVE)])
    assert carried_out(asked, [answer(APPROVE)]) == ["freeze north-1: decided already"]


def test_a_look_asks_nobody(site: Path) -> None:
    assert questions({"steps": "look only", "note": "curious"}) == []


def test_a_site_that_leaves_nothing_to_people_has_no_dag_of_approvals(site: Path) -> None:
    asks = asks_people(load_site(site).model)
    site.write_text(SITE.replace('approvals = ["plan", "release"]\n', ""))

    assert asks
    assert not asks_people(load_site(site).model)
