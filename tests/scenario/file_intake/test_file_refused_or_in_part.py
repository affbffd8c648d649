"""Damaged, foreign and partly bad files: refused whole, or one item alone, with code and answer (domain 4.5)."""

from typing import Any

import pytest
from file_partner import Counting, content, effects, name
from polling_hub import Hub, problems

from canonical.codes import file as codes
from canonical.codes import transport
from canonical.errors import ErrorCode, RejectedError
from flows.file_intake import FileContext
from store.session import Session


@pytest.mark.parametrize(
    ("data", "wrong", "code"),
    [
        (content("a|1", trailer=""), {}, codes.TRAILER_MISSING),
        (b"", {}, codes.TRAILER_MISSING),
        (content("a|1", trailer="TRL|2"), {}, codes.TRAILER_MISMATCH),
        (content("a|1"), {"records": {"ITM": 2}}, codes.TRAILER_MISMATCH),
        (content("a|1"), {"records": {"ITM": 1, "CAN": 1}}, codes.TRAILER_MISMATCH),
        (content("a|1"), {"sequence": 9}, transport.MANIFEST_MISMATCH),
        (content("a|1"), {"sha256": "0" * 64}, transport.MANIFEST_MISMATCH),
    ],
    ids=["cut", "no bytes", "wrong count", "control count", "control kind", "control sequence", "control hash"],
)
def test_a_damaged_file_is_refused_whole_kept_aside_and_asked_for_again(
    hub: Hub, data: bytes, wrong: dict[str, Any], code: ErrorCode
) -> None:
    hub.partner.offer(name(1), data, **wrong)

    report = hub.poll()

    assert [(t.verdict, t.code) for t in report.taken] == [("REJECTED", str(code))]
    assert (hub.keys(), hub.parked()) == ([], [str(code)])
    assert "again under a new name" in hub.answers()[0]["reason"]
    assert problems(report) == [code, transport.RESEND_REQUESTED]
    assert hub.told == list(report.problems)
    assert hub.partner.left("reject") == [name(1)]


def test_a_damaged_file_does_not_stop_the_one_that_replaces_it(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(2), content("b|1", trailer=""))
    hub.poll()
    hub.partner.offer(name(3), content("b|1"))

    report = hub.poll()

    assert [t.verdict for t in report.taken] == ["ACCEPTED"]
    assert hub.keys() == ["a", "b"]


def test_a_revision_may_repeat_the_number_of_a_refused_file(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(2), content("b|1", trailer=""))
    hub.poll()
    hub.partner.offer(name(2, revision=1), content("b|1"))

    assert [t.verdict for t in hub.poll().taken] == ["ACCEPTED"]


def test_one_bad_item_in_a_hundred_is_rejected_alone_and_named(hub: Hub) -> None:
    lines = [f"k{n:03}|{n}" for n in range(99)]
    hub.partner.offer(name(1), content(*lines, "bad|x"))

    report = hub.poll()

    assert [(t.verdict, t.accepted, t.rejected) for t in report.taken] == [("ACCEPTED_WITH_ERRORS", 99, 1)]
    assert len(hub.keys()) == 99
    assert ["bad", "REJECTED", str(codes.BAD_FIELD)] in hub.answers()[0]["items"]


def test_bad_items_above_the_threshold_refuse_the_file_whole(hub: Hub) -> None:
    lines = [f"k{n:03}|{n}" for n in range(98)]
    hub.partner.offer(name(1), content(*lines, "bad|x"))

    report = hub.poll()

    assert [(t.verdict, t.code) for t in report.taken] == [("REJECTED", str(transport.TOO_MANY_ERRORS))]
    assert hub.keys() == []


def test_an_empty_cycle_is_a_valid_file(hub: Hub) -> None:
    hub.partner.offer(name(1), content())

    report = hub.poll()

    assert [(t.verdict, t.accepted) for t in report.taken] == [("ACCEPTED", 0)]
    with hub.transaction() as session:
        assert [what for _, what in effects(session)] == ["begin", "finish"]


def test_a_name_of_no_pattern_and_a_kind_that_nobody_handles_are_refused_and_answered(hub: Hub) -> None:
    hub.partner.offer("notes.dat", b"hello")
    hub.partner.offer(name(1, kind="RF"), content("a|1"))

    report = hub.poll()

    assert sorted(t.code for t in report.taken) == [str(codes.UNKNOWN_NAME), str(transport.KIND_NOT_HANDLED)]
    assert len(hub.answers()) == 2
    assert hub.keys() == []


@pytest.mark.parametrize("wrong", [{"receiver": "OTHER"}, {"env": "PROD"}], ids=str)
def test_a_file_for_somebody_else_is_refused(hub: Hub, wrong: dict[str, str]) -> None:
    hub.partner.offer(name(1), content("a|1"))

    assert problems(hub.poll(**wrong)) == [transport.WRONG_RECEIVER]
    assert hub.keys() == []


def test_what_the_handler_refuses_at_the_start_is_refused_whole(hub: Hub) -> None:
    class Refusing(Counting):
        def begin(self, session: Session, file: FileContext) -> None:
            raise RejectedError("unknown interface", code=transport.KIND_NOT_HANDLED, where=file.name)

    hub.handler = Refusing()
    hub.partner.offer(name(1), content("a|1"))

    report = hub.poll()

    assert [(t.verdict, t.code) for t in report.taken] == [("REJECTED", str(transport.KIND_NOT_HANDLED))]
    assert problems(report) == [transport.KIND_NOT_HANDLED]
    assert (hub.keys(), hub.partner.left("reject")) == ([], [name(1)])
