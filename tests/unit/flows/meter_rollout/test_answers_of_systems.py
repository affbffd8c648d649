"""What a system answers when it is asked whether a step is so: silence confirms nothing that it refused."""

from datetime import UTC, datetime

import pytest

from canonical.codes.message import PARTNER_REFUSED
from canonical.master_data import Link, MasterThing
from canonical.metering import UsagePoint
from flows.meter_rollout.asking import Answer, Question, _compare, judge
from flows.meter_rollout.progress import Track

AT = datetime(2026, 11, 17, 15, tzinfo=UTC)
ASKED = Question("O1", "MDMS_CREATE", "mdms", "UsagePointConfig", "P1", "P1", "OLD", "NEW")
POINT = UsagePoint("P1", "NMI1", "", "ELECTRICITY", "AMI", AT)


@pytest.mark.parametrize(
    ("held", "verdict"),
    [
        ([POINT], "silent"),
        ([POINT, Link("P1", "NEW")], "so"),
        ([POINT, Link("P1", "OLD")], "differs"),
        ([], "differs"),
    ],
)
def test_a_link_is_so_only_where_the_system_says_so(held: list[MasterThing], verdict: str) -> None:
    assert _compare(ASKED, held).verdict == verdict


@pytest.mark.parametrize(("before", "after"), [("CONFIRMED", "SEEN"), ("REFUSED", "REFUSED")])
def test_silence_leaves_a_confirmation_as_it_is_and_takes_no_refusal_back(before: str, after: str) -> None:
    row = {
        "state": before, "code": str(PARTNER_REFUSED) if before == "REFUSED" else "", "reason": "", "due_at": AT,
        "ended_at": AT, "attempt": 1,
    }  # fmt: skip
    track = Track({"order_id": "O1"}, {"MDMS_CREATE": row})

    judge([track], {("O1", "MDMS_CREATE"): Answer("silent")}, now=AT)

    assert (track.rows["MDMS_CREATE"]["state"], track.rows["MDMS_CREATE"]["due_at"]) == (after, None)
