"""An exchange as one transactional OperationSet: removal, then installation, both or neither (domain 2.3 step 3)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from canonical.master_data import MasterData, MeterExchange
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.master_data import noun_element
from iec61968.editions import Edition
from iec61968.wire import Operation, OperationSet

NOUN = "OperationSet"


def is_pair(data: MasterData, conventions: MasterDataReading) -> bool:
    """Return whether a message goes as a set: exchanges, to a partner that takes them so."""
    return (
        conventions.exchange_as == "operation_set"
        and bool(data.things)
        and all(isinstance(one, MeterExchange) and one.removed and one.installed for one in data.things)
    )


def operations_from(
    data: MasterData, *, edition: Edition, conventions: MasterDataReading, verbs: Mapping[str, str]
) -> OperationSet:
    """Return the operations of exchanges in the order in which they must be done, all or nothing.

    What is taken back is taken back in the opposite order. `verbs` gives the word of each verb, as asked or announced.

    Raises:
        RejectedError: one of them cannot be said.
    """
    halves = [half for one in data.things if isinstance(one, MeterExchange) for half in _halves(one)]
    if data.verb == "delete":
        halves.reverse()
    operations = tuple(
        Operation(number, data.noun, verbs.get(data.verb, data.verb), noun_element(
            replace(data, things=(half,), stated=()), edition=edition, conventions=conventions
        ))
        for number, half in enumerate(halves, 1)
    )  # fmt: skip
    return OperationSet(operations, in_sequence=True, all_or_nothing=True)


def _halves(one: MeterExchange) -> Iterator[MeterExchange]:
    """Yield the removal and the installation of an exchange; what the crew told beside stands with the second."""
    yield replace(one, installed=None, first_readings=(), installed_at=one.removed_at, report=None)
    yield replace(one, removed=None, final_readings=(), removed_at=one.installed_at)
