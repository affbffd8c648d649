"""What a partner's reply means for a delivery."""

import pytest

from canonical.codes import message as codes
from iec61968.envelope import ReplyError, WireReply
from iec61968.partner_replies import ALREADY, outcome_of


def error(code: str, identity: str = "m-1") -> ReplyError:
    return ReplyError(code, "FATAL", "said so", "", identity, "Meter")


@pytest.mark.parametrize("errors", [(), (ReplyError("0.0", "INFORM"),), (ReplyError("0.3", "INFORM"),)])
def test_ok_confirms(errors: tuple[ReplyError, ...]) -> None:
    assert outcome_of(WireReply("OK", errors), verb="create", reference="r").state == "confirmed"


def test_partial_names_every_object_that_was_refused_with_code_and_reason() -> None:
    found = outcome_of(WireReply("PARTIAL", (error("2.4", "m-1"), error("2.12", "u-2"))), verb="create")

    assert (found.state, found.code) == ("rejected", str(codes.PARTNER_TOOK_PART))
    assert found.reason == "Meter m-1 2.4 said so; Meter u-2 2.12 said so"


def test_what_is_said_of_an_operation_of_a_set_is_known_by_its_number() -> None:
    errors = (
        ReplyError("2.4", "FATAL", "no", "", "m-1", "Meter", 2),
        ReplyError("5.3", "FATAL", "o", operation_id=7),
    )
    found = outcome_of(WireReply("PARTIAL", errors), verb="change")

    assert found.reason == "Operation 2 2.4 Meter m-1: no; Operation 7 5.3 o"


def test_every_refusal_of_a_hundred_objects_is_kept() -> None:
    found = outcome_of(WireReply("PARTIAL", tuple(error("2.4", f"m-{n}") for n in range(100))), verb="create")

    assert found.reason.split("; ") == [f"Meter m-{n} 2.4 said so" for n in range(100)]


@pytest.mark.parametrize(
    ("result", "numbers", "state"),
    [
        ("FAILED", ("5.1",), "unavailable"), ("FAILED", ("4.1", "7.1"), "unavailable"),
        ("FAILED", ("5.1", "2.4"), "rejected"), ("PARTIAL", ("5.1",), "unavailable"),
        ("FAILED", (), "rejected"), ("FAILED", ("1.8",), "rejected"),
    ],
)  # fmt: skip
def test_only_a_reply_whose_every_error_may_pass_is_tried_again(
    result: str, numbers: tuple[str, ...], state: str
) -> None:
    reply = WireReply(result, tuple(error(number) for number in numbers))  # type: ignore[arg-type]

    assert outcome_of(reply, verb="create").state == state


@pytest.mark.parametrize(
    ("verb", "number", "state"),
    [
        ("create", "7007", "confirmed"), ("create", "SIM7007", "confirmed"), ("close", "SIM7008", "confirmed"),
        ("create", "SIM7008", "rejected"), ("close", "7007", "rejected"), ("create", "17007", "rejected"),
    ],
)  # fmt: skip
def test_a_link_that_is_already_what_was_asked_counts_as_done(verb: str, number: str, state: str) -> None:
    assert outcome_of(WireReply("FAILED", (error(number),)), verb=verb, already=ALREADY).state == state


def test_one_link_that_stands_already_does_not_hide_that_another_failed() -> None:
    found = outcome_of(WireReply("FAILED", (error("SIM7007"), error("2.13", "m-2"))), verb="create", already=ALREADY)

    assert (found.state, found.reason) == ("rejected", "Meter m-2 2.13 said so")


def test_an_answer_without_a_reply_confirms_nothing() -> None:
    assert outcome_of(None, verb="create").state == "rejected"
