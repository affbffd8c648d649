"""The same file, name or content twice: one effect, and each arrival answered (domain 4.5)."""

from file_partner import content, name
from polling_hub import Hub, problems

from canonical.codes import transport


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


def test_an_acknowledgement_is_handled_at_once_and_never_acknowledged(hub: Hub) -> None:
    hub.partner.offer("BD_1.ack", b"yes\n", control=False)

    first = hub.poll()
    hub.partner.offer("BD_1.ack", b"no\n", control=False)
    second = hub.poll()

    assert [t.verdict for t in first.taken + second.taken] == ["ACCEPTED", "ACCEPTED"]
    assert (hub.keys(), hub.answers()) == (["no", "yes"], [])
