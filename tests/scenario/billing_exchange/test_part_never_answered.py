"""A part that its receiver never acknowledges: a person says that it is loaded, or gives it up; then the run closes."""

from pathlib import Path
from typing import Any

import pytest
from billing_story import Story

from canonical.codes.message import NOT_REPLAYABLE
from canonical.errors import RejectedError
from flows.billing_exchange.status import status
from flows.delivery import sweep_confirmations
from flows.settling import Decision, confirm, waive
from store import billing_items, billing_parts, tracing
from store.session import Transaction


class Silence(Story):
    """The plain cycle, without an answer to its part for three hours."""

    def __init__(self, transaction: Transaction, room: Path) -> None:
        super().__init__(Path(__file__).parent / "plain_cycle", transaction, room)
        self.first, _, self.billed = self.told["step"]
        self.told["step"] = [self.first, {"at": "2026-07-01T09:00"}]
        self.play()
        sweep_confirmations(transaction=transaction, now=self.at("2026-07-01T09:00"))

    @property
    def part(self) -> dict[str, Any]:
        with self.transaction() as session:
            (part,) = billing_parts.parts(session, "mass", {"UNCONFIRMED", "ACKED", "WAIVED"})
            return dict(part)

    @property
    def decision(self) -> Decision:
        return Decision("Ada", "asked by phone", self.at("2026-07-01T09:30"), {"mass": self.night.interface})

    def next_pass(self, **step: Any) -> dict[str, Any]:
        self._step({"at": "2026-07-02T06:00", **step})
        return self.outcome[-1]

    def run(self) -> Any:
        (run,) = status(self.night.interface, transaction=self.transaction, closed=True)
        return run

    def acts(self) -> list[tuple[str, str, str]]:
        with self.transaction() as session:
            shown = tracing.show(session, self.part["delivery_id"])
            return [(act["act"], act["by"], act["reason"]) for act in shown.acts]


@pytest.fixture
def silence(transaction: Transaction, tmp_path: Path) -> Silence:
    return Silence(transaction, tmp_path)


def test_until_a_person_settles_it_the_part_is_work_and_the_run_stays_open(silence: Silence) -> None:
    assert silence.part["state"] == "UNCONFIRMED"
    assert [line.split()[0] for line in silence.outcome[-1]["work"]] == ["6048"]
    assert (silence.run().run["state"], silence.run().balance.pending) == ("ANSWERED", 2)


def test_confirmed_by_a_person_its_lines_are_loaded_and_the_run_closes_when_they_are_billed(silence: Silence) -> None:
    told = confirm(silence.part["delivery_id"], silence.decision, transaction=silence.transaction)
    after = silence.next_pass(billed=silence.billed["billed"])

    assert "all 2 items of BD_AMIHUB_CISMASS_TEST_ON_07_20260701_000001_p01F_r0.dat count as loaded" in told
    assert silence.part["ack_reason"] == "on the word of Ada: asked by phone"
    assert silence.acts() == [("confirmed", "Ada", "asked by phone")]
    assert after["work"] == []
    assert {name.split()[0] for name in after["items"].values()} == {"BILLED"}
    assert silence.run().run["state"] == "CLOSED"


def test_waived_by_a_person_its_lines_count_as_not_loaded_and_the_run_closes_with_the_name(silence: Silence) -> None:
    waive(silence.part["delivery_id"], silence.decision, transaction=silence.transaction)
    after = silence.next_pass()

    balance, run = silence.run().balance, silence.run().run
    assert (balance.sent, balance.acked, balance.nacked, balance.pending, balance.breaks) == (2, 0, 2, 0, ())
    assert (run["state"], "waived by Ada: asked by phone" in run["note"]) == ("CLOSED", True)
    assert after["work"] == []
    with silence.transaction() as session:
        (row,) = billing_items.of_request(session, "R1")
        history = billing_items.history(session, row["item_id"])
    assert ("Ada", True) in {(one["by"], "waived" in one["why"]) for one in history}


def test_a_late_acknowledgement_of_a_waived_part_is_still_believed(silence: Silence) -> None:
    waive(silence.part["delivery_id"], silence.decision, transaction=silence.transaction)
    silence.next_pass(ack="ACCEPTED")

    assert silence.part["state"] == "ACKED"
    assert silence.run().balance.acked == 2


def test_what_is_settled_is_not_settled_twice(silence: Silence) -> None:
    name = silence.part["delivery_id"]
    confirm(name, silence.decision, transaction=silence.transaction)

    for decide in (confirm, waive):
        with pytest.raises(RejectedError) as refused:
            decide(name, silence.decision, transaction=silence.transaction)
        assert refused.value.code is NOT_REPLAYABLE
