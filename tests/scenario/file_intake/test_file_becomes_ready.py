"""When a file is ready, who may work on it, and what a cut or a failed move leaves behind (domain 4.4)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from file_partner import content, name
from polling_hub import Hub

from canonical.codes import file as codes
from canonical.codes import transport
from canonical.errors import UnavailableError
from canonical.messages import OfferedFile
from store import files
from store.session import Session


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
