"""Passes hand out the routes of a read date some days before, once, and to nobody whom the head-end reads."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from routes_by_hand import Street, day

from flows.manual_route import Extraction, hand_out, routes_due
from flows.routing import Routes, Sending
from store import reference
from store.session import Transaction

READ_DATE = date(2026, 11, 4)


@pytest.fixture
def street(transaction: Transaction) -> Street:
    own = Street(transaction)
    for name, route, source in (("U1", "R-7", "MANUAL"), ("U2", "R-8", "AMI"), ("U3", "R-9", "MANUAL")):
        own.point(name, route=route, source=source)
        own.hang(name, f"S{name[1:]}", -100)
    for name, cycle in (("U1", "C1"), ("U2", "C1"), ("U3", "C2")):
        agree(own, name, cycle)
    for cycle, on in (("C1", READ_DATE), ("C2", date(2026, 11, 20))):
        row = {
            "cycle": cycle, "business_date": on.isoformat(), "period_start": day(-30), "period_end": day(3),
        }  # fmt: skip
        with transaction() as session:
            reference.record(session, reference.BILL_CYCLE_DAY, [row], now=day(-30))
    own.policy = replace(own.policy, ahead_days=2)
    return own


def agree(street: Street, point: str, cycle: str, **more: Any) -> None:
    row = {
        "agreement": f"A-{point}", "account": f"K-{point}", "usage_point": point, "customer_class": "RESIDENTIAL",
        "tariff": "R", "cycle": cycle, "tou_calendar": "", "net_metering": False, "valid_from": day(-200),
        "valid_to": None,
    }  # fmt: skip
    with street.transaction() as session:
        reference.record(session, reference.AGREEMENT, [{**row, **more}], now=day(-100))


def handed(street: Street, at: float) -> tuple[Extraction, ...]:
    sending = Sending(Routes(), street.encode, day(at))
    return hand_out(policy=street.policy, sending=sending, transaction=street.transaction)


def test_a_route_goes_out_some_days_before_its_cycle_is_read_and_once(street: Street) -> None:
    early, due, again = handed(street, 0.5), handed(street, 1.5), handed(street, 1.6)

    assert (early, again) == ((), ())
    assert [(one.route, one.business_date, one.stops) for one in due] == [("R-7", READ_DATE, 1)]
    assert len(street.sent) == 1


def test_a_route_on_which_nobody_is_read_by_hand_or_that_day_is_not_due(street: Street) -> None:
    assert routes_due(READ_DATE, policy=street.policy, transaction=street.transaction) == ["R-7"]
    assert routes_due(date(2026, 11, 5), policy=street.policy, transaction=street.transaction) == []


def test_an_agreement_that_is_over_makes_nobody_due(street: Street) -> None:
    agree(street, "U1", "C1", valid_to=day(-1))

    assert routes_due(READ_DATE, policy=street.policy, transaction=street.transaction) == []


def test_where_a_person_hands_routes_out_no_pass_does(street: Street) -> None:
    street.policy = replace(street.policy, ahead_days=0)

    assert handed(street, 3.5) == ()
