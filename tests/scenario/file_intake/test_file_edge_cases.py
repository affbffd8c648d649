"""Every row of the file edge-case table (domain 4.5) that is decided before or while a file is taken in."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from file_partner import START, Counting, FolderPartner, content, create_effects, effects, name
from sqlalchemy import Engine, text

from canonical.codes import file as codes
from canonical.codes import transport
from canonical.errors import ErrorCode, RejectedError, UnavailableError
from canonical.messages import OfferedFile
from flows.file_intake import FileContext, IntakePolicy, IntakeProblem, IntakeReport, take_in
from flows.file_ledger import release
from store import files
from store.session import Session, Transaction, transactions

DAY = timedelta(days=1)


class Hub:
    """A hub that polls one partner; the clock moves by hand."""

    def __init__(self, transaction: Transaction, folder: Path) -> None:
        self.transaction, self.folder = transaction, folder
        self.partner = FolderPartner(folder / "partner")
        self.policy = IntakePolicy(max_error_percent=Decimal(1))
        self.at = START
        self.told: list[IntakeProblem] = []
        self.handler = Counting()
        (folder / "partner" / "outbox").mkdir(parents=True)
        with transaction() as session:
            create_effects(session)

    def poll(self, after_s: float = 0, **policy: Any) -> IntakeReport:
        self.at += timedelta(seconds=after_s)
        handler = self.handler
        return take_in(
            "cis",
            self.partner,
            handlers={"request": handler, "acknowledgement": handler},
            transaction=self.transaction,
            spool=self.folder / "spool",
            now=self.at,
            machine_now=self.at,
            policy=IntakePolicy(**policy) if policy else self.policy,
            on_problem=lambda _session, problem: self.told.append(problem),
        )

    def keys(self) -> list[str]:
        with self.transaction() as session:
            return [what for _, what in effects(session) if what not in ("begin", "finish")]

    def answers(self) -> list[dict[str, Any]]:
        query = text("SELECT body FROM delivery_payload p JOIN delivery d USING (delivery_id) ORDER BY d.sequence")
        with self.transaction() as session:
            return [json.loads(bytes(row[0])) for row in session.execute(query)]

    def parked(self) -> list[str]:
        with self.transaction() as session:
            return [row[0] for row in session.execute(text("SELECT code FROM message WHERE state = 'parked'"))]


@pytest.fixture
def hub(engine: Engine, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(transactions(engine), tmp_path)
    yield hub
    with hub.transaction() as session:
        session.execute(text("DROP TABLE effect"))


def problems(report: IntakeReport) -> list[ErrorCode]:
    return [problem.code for problem in report.problems]


def test_a_whole_file_is_applied_answered_and_archived(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1", "b|2"), records={"ITM": 2})

    report = hub.poll()

    assert [(t.name, t.kind, t.verdict, t.accepted) for t in report.taken] == [(name(1), "request", "ACCEPTED", 2)]
    assert hub.keys() == ["a", "b"]
    assert hub.answers()[0]["items"] == [["a", "ACCEPTED", ""], ["b", "ACCEPTED", ""]]
    assert hub.partner.left("archive") == [name(1)]
    assert (report.problems, report.waiting) == ((), ())


def test_the_same_file_again_is_answered_duplicate_and_has_no_effect(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.poll()
    hub.partner.offer(name(1), content("a|1"))

    report = hub.poll()

    assert [(t.verdict, t.code) for t in report.taken] == [("DUPLICATE", str(transport.DUPLICATE_FILE))]
    assert hub.keys() == ["a"]
    assert [answer["verdict"] for answer in hub.answers()] == ["ACCEPTED", "DUPLICATE"]
    assert (hub.partner.left(), hub.partner.left("reject")) == ([], [name(1)])
    assert report.problems == ()


def test_the_same_content_under_a_new_name_is_an_exception_without_effect(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.poll()
    hub.partner.offer(name(2), content("a|1"))

    report = hub.poll()

    assert [t.verdict for t in report.taken] == ["DUPLICATE"]
    assert problems(report) == [transport.DUPLICATE_CONTENT]
    assert hub.keys() == ["a"]


def test_two_copies_of_a_file_in_one_poll_have_one_effect(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(2), content("a|1"))

    hub.poll()

    assert hub.keys() == ["a"]


def test_a_used_name_with_other_content_is_neither_ignored_nor_applied(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.poll()
    hub.partner.offer(name(1), content("b|2"))

    report = hub.poll()

    assert [(t.verdict, t.code) for t in report.taken] == [("REJECTED", str(transport.NAME_REUSED))]
    assert problems(report) == [transport.NAME_REUSED]
    assert (hub.keys(), hub.parked()) == (["a"], [str(transport.NAME_REUSED)])
    assert len(list((hub.folder / "spool" / "quarantine").glob("*/*"))) == 1


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


def test_a_file_dated_tomorrow_is_held_until_its_day_has_come(hub: Hub) -> None:
    hub.partner.offer(name(1, day="20260303"), content("a|1"))

    first, second = hub.poll(), hub.poll(60)

    assert [(p.code, p.state) for p in first.problems] == [(transport.BUSINESS_DATE_WRONG, "held")]
    assert (second.problems, second.waiting, hub.answers()) == ((), (name(1, day="20260303"),), [])
    assert [t.verdict for t in hub.poll(DAY.total_seconds()).taken] == ["ACCEPTED"]
    assert (hub.keys(), hub.partner.fetched) == (["a"], [name(1, day="20260303")])


def test_a_business_date_is_read_in_the_zone_of_the_interface(hub: Hub) -> None:
    hub.at = datetime.fromisoformat("2026-03-03T01:00:00+00:00")
    hub.partner.offer(name(1, day="20260303"), content("a|1"))

    report = hub.poll(zone="America/Toronto")

    assert problems(report) == [transport.BUSINESS_DATE_WRONG]


def test_a_file_from_long_ago_waits_for_a_person_who_releases_it(hub: Hub) -> None:
    hub.partner.offer(name(1, day="20251201"), content("a|1"))
    report = hub.poll()
    assert problems(report) == [transport.BUSINESS_DATE_WRONG]

    release(report.problems[0].file_id, person="kim", transaction=hub.transaction)

    assert [t.verdict for t in hub.poll().taken] == ["ACCEPTED"]


def test_files_behind_a_gap_wait_and_follow_in_order_when_it_closes(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(3), content("c|1"))
    first = hub.poll()
    hub.partner.offer(name(2), content("b|1"))

    second = hub.poll()

    assert [(p.code, p.state, p.name) for p in first.problems] == [(transport.SEQUENCE_GAP, "held", name(3))]
    assert [t.name for t in second.taken] == [name(2), name(3)]
    assert hub.keys() == ["a", "b", "c"]


def test_a_gap_that_lasts_is_told_again_and_the_file_stays_held_where_order_is_strict(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(3), content("c|1"))
    hub.poll()

    before, at, later = hub.poll(4 * 3600 - 1), hub.poll(1), hub.poll(3600)

    assert problems(before) == []
    assert [(p.code, p.state) for p in at.problems] == [(transport.SEQUENCE_GAP, "alert")]
    assert (problems(later), hub.keys(), later.waiting) == ([], ["a"], (name(3),))


def test_a_gap_that_lasts_is_passed_over_where_any_order_will_do_and_the_missing_file_is_taken_late(hub: Hub) -> None:
    hub.policy = IntakePolicy(order="any")
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(3), content("c|1"))
    hub.poll()

    report = hub.poll(4 * 3600)
    hub.partner.offer(name(2), content("b|1"))
    late = hub.poll()

    assert [(p.code, p.state) for p in report.problems] == [(transport.SEQUENCE_GAP, "alert")]
    assert [t.verdict for t in report.taken] == [t.verdict for t in late.taken] == ["ACCEPTED"]
    assert hub.keys() == ["a", "b", "c"]


@pytest.mark.parametrize(("sequence", "revision"), [(5, 1), (4, 0)], ids=["equal", "lower"])
def test_a_sequence_number_that_does_not_rise_is_refused(hub: Hub, sequence: int, revision: int) -> None:
    hub.partner.offer(name(5), content("a|1"))
    hub.poll()
    hub.partner.offer(name(sequence, revision=revision), content("b|1"))

    report = hub.poll()

    assert problems(report) == [transport.SEQUENCE_REGRESSION]
    assert hub.keys() == ["a"]


def test_a_wild_number_in_a_damaged_file_does_not_make_later_files_look_old(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(999999), content("b|1", trailer=""))
    hub.poll()
    hub.partner.offer(name(2), content("c|1"))

    assert [t.verdict for t in hub.poll().taken] == ["ACCEPTED"]


def test_without_control_file_a_file_is_taken_only_when_it_stood_still_over_two_polls(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"), control=False)

    assert hub.poll().waiting == (name(1),)
    assert hub.poll(59).waiting == (name(1),)
    assert [t.verdict for t in hub.poll(1).taken] == ["ACCEPTED"]


def test_without_control_file_a_growing_file_is_left_alone(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1", trailer=""), control=False)
    hub.poll()
    hub.partner.offer(name(1), content("a|1", "b|2", trailer=""), control=False)

    report = hub.poll(120)

    assert (report.taken, report.problems, hub.partner.fetched) == ((), (), [])


def test_without_control_file_a_still_file_without_trailer_waits_and_is_refused_in_the_end(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1", trailer=""), control=False)
    hub.poll()

    waiting, given_up = hub.poll(60), hub.poll(540)

    assert (waiting.taken, waiting.waiting) == ((), (name(1),))
    assert [(t.verdict, t.code) for t in given_up.taken] == [("REJECTED", str(codes.TRAILER_MISSING))]


def test_a_control_file_that_comes_late_makes_the_file_ready(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"), control=False)
    hub.poll()
    hub.partner.offer(name(1), content("a|1"))

    assert [t.verdict for t in hub.poll().taken] == ["ACCEPTED"]


def test_a_name_of_no_pattern_and_a_kind_that_nobody_handles_are_refused_and_answered(hub: Hub) -> None:
    hub.partner.offer("notes.dat", b"hello")
    hub.partner.offer(name(1, kind="RF"), content("a|1"))

    report = hub.poll()

    assert sorted(t.code for t in report.taken) == [str(codes.UNKNOWN_NAME), str(transport.KIND_NOT_HANDLED)]
    assert len(hub.answers()) == 2
    assert hub.keys() == []


def test_an_acknowledgement_is_handled_at_once_and_never_acknowledged(hub: Hub) -> None:
    hub.partner.offer("BD_1.ack", b"yes\n", control=False)

    first = hub.poll()
    hub.partner.offer("BD_1.ack", b"no\n", control=False)
    second = hub.poll()

    assert [t.verdict for t in first.taken + second.taken] == ["ACCEPTED", "ACCEPTED"]
    assert (hub.keys(), hub.answers()) == (["no", "yes"], [])


def test_a_cut_fetch_takes_in_what_came_and_the_next_poll_the_rest(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(2), content("b|1"))
    hub.partner.cut_after = 1

    with pytest.raises(UnavailableError):
        hub.poll()
    first = hub.keys()
    hub.partner.cut_after = 99
    hub.poll()

    assert (first, hub.keys()) == (["a"], ["a", "b"])
    assert len(hub.answers()) == 2


def test_a_file_that_another_worker_holds_is_left_to_it_until_its_lease_ends(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    with hub.transaction() as session:
        (row,) = files.see(session, "cis", hub.partner.offered(), now=hub.at, machine_now=hub.at)
        files.claim(session, row.file_id, machine_now=hub.at, lease_s=900)

    assert (hub.poll(899).waiting, hub.keys()) == ((name(1),), [])
    hub.poll(1)
    assert hub.keys() == ["a"]


def test_a_file_taken_back_before_it_was_ready_is_forgotten(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"), control=False)
    hub.poll()
    (hub.folder / "partner" / "outbox" / name(1)).unlink()

    assert hub.poll(60).waiting == ()


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


def test_no_port_is_called_while_a_transaction_is_open(hub: Hub) -> None:
    opened, inner, partner = [], hub.transaction, hub.partner

    @contextmanager
    def transaction() -> Iterator[Session]:
        with inner() as session:
            opened.append(session)
            yield session
            opened.pop()

    class Watched:
        def __getattr__(self, method: str) -> Any:
            # What a file means is asked inside too: reading names and lines touches no partner.
            assert not opened or method in ("identify", "items"), method
            return getattr(partner, method)

    hub.transaction, hub.partner = transaction, Watched()  # type: ignore[assignment]
    partner.offer(name(1), content("a|1"))
    partner.offer(name(2), content("b|1", trailer=""))
    partner.offer(name(4), content("c|1"))

    report = hub.poll()

    assert (len(report.taken), report.waiting) == (2, (name(4),))


def test_a_move_that_fails_is_made_up_for_by_the_next_poll(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    retire, hub.partner.retire = hub.partner.retire, away  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        hub.poll()
    hub.partner.retire = retire  # type: ignore[method-assign]

    report = hub.poll()

    assert (report.taken, hub.partner.left(), hub.partner.left("archive")) == ((), [], [name(1)])
    assert (hub.keys(), len(hub.answers()), hub.partner.fetched) == (["a"], 1, [name(1)])


def away(files: Sequence[OfferedFile], *, accepted: bool) -> None:
    raise UnavailableError("away", code=transport.SFTP_AWAY)
