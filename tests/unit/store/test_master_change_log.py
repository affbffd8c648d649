"""The change log of masters: one line for each version that begins, changes or falls away, readable by cursor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from canonical.customers import CustomerAgreement
from canonical.metering import UsagePoint
from flows.reference import record
from store import master_changes, reference
from store.master_changes import Provenance
from store.session import Transaction

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 7, 1, tzinfo=UTC)
POINT = UsagePoint("U1", "NMI1", "America/Toronto", "ELECTRICITY", "AMI", SINCE, route="R1")
AGREEMENT = CustomerAgreement("G1", "A1", "U1", "RESIDENTIAL", "R1", "07", "TOU", True, SINCE, None)
CIS = Provenance("cis", "m-1", NOW)


def test_a_version_that_begins_changes_or_falls_away_is_a_line_that_says_who_said_so(transaction: Transaction) -> None:
    with transaction() as session:
        record(session, [POINT, AGREEMENT], now=NOW, by=CIS)
        record(session, [replace(POINT, route="R2", district="N")], now=NOW + timedelta(days=1), by=CIS)
        rows = reference.current(session, reference.AGREEMENT, "agreement", {"G1"})
        reference.replace(session, reference.AGREEMENT, rows, [], now=NOW, by=Provenance("mdms", "m-2"))
        lines = master_changes.after(session, 0, limit=10)

    assert [(line["kind"], line["object_id"], line["effect"]) for line in lines] == [
        ("usage_point", "U1", "begun"),
        ("agreement", "G1", "begun"),
        ("usage_point", "U1", "changed"),
        ("agreement", "G1", "ended"),
    ]
    assert lines[2]["fields"] == "district,route"
    assert [(line["source"], line["message_id"], line["said_at"]) for line in lines[2:]] == [
        ("cis", "m-1", NOW),
        ("mdms", "m-2", None),
    ]
    assert {line["usage_point"] for line in lines} == {"U1"}


def test_what_is_said_again_unchanged_is_no_line(transaction: Transaction) -> None:
    with transaction() as session:
        record(session, [POINT], now=NOW)
        record(session, [POINT], now=NOW + timedelta(days=1))

        assert master_changes.last(session) == 1


def test_rows_of_a_load_are_no_lines_and_the_run_is_one(transaction: Transaction) -> None:
    load = Provenance("cis", "", NOW, is_load=True)
    with transaction() as session:
        record(session, [POINT, AGREEMENT], now=NOW, by=load)
        master_changes.note_load(session, "run-1", by=load, now=NOW)
        lines = master_changes.after(session, 0, limit=10)

    assert [(line["kind"], line["object_id"]) for line in lines] == [("load", "run-1")]


def test_a_cursor_reads_on_behind_its_position_and_finds_every_line_once(transaction: Transaction) -> None:
    with transaction() as session:
        record(session, [replace(POINT, usage_point=f"U{n}") for n in range(7)], now=NOW)
        seen, position = [], 0
        while lines := master_changes.after(session, position, limit=3):
            seen += [line["object_id"] for line in lines]
            position = lines[-1]["sequence"]

    assert seen == [f"U{n}" for n in range(7)]


def test_pruning_stops_behind_the_slowest_reader_and_keeps_the_newest_line(transaction: Transaction) -> None:
    with transaction() as session:
        record(session, [replace(POINT, usage_point=f"U{n}") for n in range(5)], now=NOW)
        later = NOW + timedelta(days=400)

        assert master_changes.prune(session, before=NOW, behind=5, limit=100) == 0
        assert master_changes.prune(session, before=later, behind=2, limit=100) == 2
        assert master_changes.prune(session, before=later, behind=99, limit=100) == 2
        assert [line["object_id"] for line in master_changes.after(session, 0, limit=9)] == ["U4"]
