"""A question about what a system holds is refused as a whole, may pass, or leaves single things out."""

import pytest

from canonical.errors import RejectedError, UnavailableError
from iec61968.envelope import ReplyError, WireReply
from iec61968.held_masters import judge


@pytest.mark.parametrize(
    ("reply", "raised"),
    [
        (WireReply("FAILED", (ReplyError("2.9"),)), RejectedError),
        (WireReply("FAILED"), RejectedError),
        (WireReply("FAILED", (ReplyError("5.1"),)), UnavailableError),
    ],
)
def test_a_question_that_is_refused_as_a_whole_says_whether_to_ask_again(
    reply: WireReply, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        judge(reply, "GetMeterConfig")


def test_a_thing_that_a_system_does_not_have_is_left_out_of_its_answer() -> None:
    judge(WireReply("FAILED", (ReplyError("2.4", object_id="m-1", object_type="Meter"),)), "GetMeterConfig")
