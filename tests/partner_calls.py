"""What tests of our client share: a partner that runs, and how it is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from cim_partner import Answer, Asked, CimPartner, Said, ok

from iec61968.bindings import BindingName, StringOperation
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = "zq-secret-word"
OPERATION = StringOperation("doCommand", "xml", "http://mdm.example/")


@contextmanager
def partner(tls: tuple[str, str], answer: Answer = ok, **wanted: str) -> Iterator[CimPartner]:
    with CimPartner(*tls, answer=answer, user="hub", password=SECRET, **wanted) as running:
        yield running


def peer(running: CimPartner, tls: tuple[str, str], binding: BindingName = "typed", edition: str = "2011") -> Peer:
    return Peer(f"{running.base}/cim", EDITIONS[edition], binding, "hub", SECRET, tls[1], operation=OPERATION)


def seen(binding: BindingName, edition: str) -> str:
    """Return the edition that a message shows: only typed messages of 2017 have a namespace of their own."""
    return edition if binding == "typed" or edition != "2017" else "2011"


def uuid(number: int) -> str:
    return f"11111111-2222-3333-4444-{number:012}"


def cut(asked: Asked) -> Said:
    return replace(ok(asked), cut=20)
