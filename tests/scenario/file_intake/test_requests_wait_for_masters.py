"""Requests name what masters tell: they are not judged while another worker still has a reference file in hand."""

from datetime import timedelta

import pytest
from file_partner import content, name
from polling_hub import Hub
from sqlalchemy import text

from canonical.messages import OfferedFile
from store import files

LEASE_S = 900.0


def another_worker_takes(hub: Hub, *, kind: str) -> None:
    """Let a worker claim a file of another inbox, and die before it is done."""
    with hub.transaction() as session:
        (row,) = files.see(session, "mdms_files", [OfferedFile("other", 1, 0.0, True)], now=hub.at, machine_now=hub.at)
        assert files.claim(session, row.file_id, machine_now=hub.at, lease_s=LEASE_S, kind=kind) is not None


def test_a_request_waits_while_another_worker_is_at_masters_and_goes_on_when_its_lease_is_over(hub: Hub) -> None:
    another_worker_takes(hub, kind="reference")
    hub.partner.offer(name(1), content("a|1"))

    first = hub.poll()
    later = hub.poll(LEASE_S + 1)

    assert (first.taken, first.waiting, first.problems) == ((), (name(1),), ())
    assert ([file.verdict for file in later.taken], hub.keys()) == (["ACCEPTED"], ["a"])


def test_a_request_goes_on_at_once_when_the_masters_are_done(hub: Hub) -> None:
    another_worker_takes(hub, kind="reference")
    hub.partner.offer(name(1), content("a|1"))
    assert hub.poll().taken == ()

    with hub.transaction() as session:
        session.execute(text("UPDATE intake_file SET state = 'accepted' WHERE name = 'other'"))

    assert hub.poll(timedelta(seconds=1).total_seconds()).taken != ()


@pytest.mark.parametrize("kind", ["readings", "request", "billed", ""])
def test_nothing_waits_for_other_files(hub: Hub, kind: str) -> None:
    another_worker_takes(hub, kind=kind)
    hub.partner.offer(name(1), content("a|1"))

    assert [file.verdict for file in hub.poll().taken] == ["ACCEPTED"]


def test_a_worker_does_not_wait_for_its_own_masters(hub: Hub) -> None:
    hub.partner.offer(name(1, kind="RF"), content("m|1"))
    hub.partner.offer(name(1), content("a|1"))

    report = hub.poll()

    assert name(1) in [file.name for file in report.taken]
