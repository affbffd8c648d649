"""A history names the file of a first-time load that brought what the hub and its sender hold."""

from datetime import timedelta

import pytest
from load_office import NOW, WATERMARK, Office, installation, meter, topology, usage_point

from flows.history import Question, answers, history
from store.session import Transaction


@pytest.fixture
def office(transaction: Transaction) -> Office:
    return Office(transaction)


def test_what_a_file_of_a_load_brought_is_told_by_its_sender_and_held_by_the_hub(office: Office) -> None:
    office.start("cis", "gis")
    office.take("cis", [usage_point("U1"), meter("1"), installation("U1", "1")])
    office.take("gis", [topology("U1", "TR")])
    office.advance()

    found = history("U1", transaction=office.transaction, now=NOW, systems=("cis", "gis", "mdms"))
    asked = answers(found, Question(NOW, NOW + timedelta(days=1)))
    held = {(one.system, one.kind): one.status for one in asked if one.status == "holds"}
    sources = {(one.kind, one.source, one.how, one.said_at) for one in found.statements if one.system == "hub"}

    kinds = ("usage_point", "meter", "installation")
    assert {(system, kind) for system in ("hub", "cis") for kind in kinds} | {
        ("hub", "topology"),
        ("gis", "topology"),
    } == (set(held))
    assert ("usage_point", "cis", "file", WATERMARK) in sources
    assert ("topology", "gis", "file", WATERMARK) in sources
    assert ("installation", "cis", "file", WATERMARK) in sources
    assert all(one.message_id for one in found.statements)
