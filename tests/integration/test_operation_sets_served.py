"""Sets of operations over the wire: an Error for each operation, in order, all or nothing, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served_cim import ENVELOPE, SITE, YEAR, errors, hub_of, post, result, uuid
from sqlmodel import func, select

from services.hub import Hub
from store.tables import METADATA

EVENT = (
    '<EndDeviceEvents xmlns="{year}/EndDeviceEvents#"><EndDeviceEvent><mRID>e-{n}</mRID>'
    "<createdDateTime>2026-03-02T11:58:00Z</createdDateTime><Assets><mRID>m-{n}</mRID></Assets>"
    '<EndDeviceEventType ref="3.26.0.47"/></EndDeviceEvent></EndDeviceEvents>'
)
KEPT_ALWAYS = ("message", "message_body", "message_attempt", "message_claim", "work_item", "work_act")
"""What is known of a message itself, and the work that its refusal means."""


@pytest.fixture
def hub(tmp_path: Path, databases: Callable[[], str]) -> Iterator[Hub]:
    """A hub on each kind of database."""
    site = SITE.replace("[roles.mdms]", f'[store]\nurl = "{databases()}"\n[roles.mdms]')
    with hub_of(tmp_path, site) as hub:
        yield hub


def operation(number: int, verb: str = "created", noun: str = "EndDeviceEvents", body: str | None = None) -> str:
    inner = EVENT.format(year=YEAR, n=number) if body is None else body
    return f"<Operation><operationId>{number}</operationId><noun>{noun}</noun><verb>{verb}</verb>{inner}</Operation>"


BAD = operation(3, body=EVENT.format(year=YEAR, n=3).replace("3.26.0.47", ""))


def operations(*inner: str, whole: str = "", sequence: str = "", number: int = 1) -> bytes:
    flags = f"<enforceMsgSequence>{sequence}</enforceMsgSequence>" if sequence else ""
    flags += f"<enforceTransactionalIntegrity>{whole}</enforceTransactionalIntegrity>" if whole else ""
    return (
        f'<RequestMessage xmlns="{ENVELOPE}"><Header><Verb>execute</Verb><Noun>OperationSet</Noun>'
        f"<Timestamp>2026-03-02T12:00:00Z</Timestamp><MessageID>{uuid(number)}</MessageID>"
        f"<CorrelationID>{uuid(99)}</CorrelationID></Header><Payload><OperationSet>{flags}{''.join(inner)}"
        "</OperationSet></Payload></RequestMessage>"
    ).encode()


def rows(hub: Hub) -> dict[str, int]:
    """Return how many rows each table has, but for what is kept of every message."""
    with hub.transaction() as session:
        return {
            table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in METADATA.sorted_tables
            if table.name not in KEPT_ALWAYS
        }


def test_a_transactional_set_whose_third_operation_fails_leaves_nothing(hub: Hub) -> None:
    before = rows(hub)

    answer = post(hub, operations(operation(1), operation(2), BAD, operation(4), whole="true"), user="hes").content

    assert rows(hub) == before
    assert b"1145 OPERATIONS_ROLLED_BACK" in answer
    said = [(one.get("operationId"), one["code"]) for one in errors(answer)]
    assert said[0][1] == "5.9"
    assert said[1:] == [("1", "5.9"), ("2", "5.9"), ("3", "1.8"), ("4", "5.9")]


def test_without_the_flag_the_others_stand_and_the_one_that_failed_is_named(hub: Hub) -> None:
    before = rows(hub)

    answer = post(hub, operations(operation(1), operation(2), BAD, operation(4)), user="hes").content

    after = rows(hub)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "end_device_event": 3
    }
    assert result(answer) == "PARTIAL"
    assert [(one["operationId"], one["code"]) for one in errors(answer)] == [("3", "1.8")]


@pytest.mark.parametrize(("whole", "kept"), [("true", 0), ("false", 2)])
def test_an_operation_that_its_owner_refuses_counts_as_failed(hub: Hub, whole: str, kept: int) -> None:
    second = operation(2, body=EVENT.format(year=YEAR, n=1).replace("m-1", "m-9"))

    answer = post(hub, operations(operation(1), second, operation(3), whole=whole), user="hes").content

    assert rows(hub)["end_device_event"] == kept
    assert ("2", "2.15") in [(one.get("operationId"), one["code"]) for one in errors(answer)]


def test_where_the_sequence_is_enforced_operations_are_done_in_the_order_of_their_ids(hub: Hub) -> None:
    told = operation(1)
    closing = operation(2, "closed", body=EVENT.format(year=YEAR, n=1))

    answer = post(hub, operations(closing, told, sequence="true"), user="hes").content

    from flows.end_device_events import WantedEvents, list_events

    assert result(answer) == "OK"
    (kept,) = list_events(WantedEvents(), transaction=hub.transaction)
    assert (kept["told"], kept["closed_at"] is not None) == (1, True)


def test_a_set_that_comes_again_gets_the_first_answer_and_changes_nothing(hub: Hub) -> None:
    body = operations(operation(1), BAD)
    first, again = post(hub, body, user="hes").content, post(hub, body, user="hes").content

    assert first == again
    assert rows(hub)["end_device_event"] == 1


def test_a_set_in_a_typed_message_is_a_set_too_and_nothing_may_stand_beside_it(hub: Hub) -> None:
    inner = operation(1).replace("<Operation>", f'<Operation xmlns="{ENVELOPE}">')

    def typed(payload: str, number: int) -> bytes:
        return (
            f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><CreatedEndDeviceEvents '
            f'xmlns="{YEAR}/EndDeviceEventsMessage" xmlns:e="{ENVELOPE}"><Header><e:Verb>created</e:Verb>'
            f"<e:Noun>EndDeviceEvents</e:Noun><e:Timestamp>2026-03-02T12:00:00Z</e:Timestamp>"
            f"<e:MessageID>{uuid(number)}</e:MessageID><e:CorrelationID>{uuid(99)}</e:CorrelationID></Header>"
            f"<Payload>{payload}<OperationSet>{inner}</OperationSet></Payload></CreatedEndDeviceEvents></s:Body>"
            "</s:Envelope>"
        ).encode()

    empty = f'<EndDeviceEvents xmlns="{YEAR}/EndDeviceEvents#"/>'
    taken = post(hub, typed(empty, 1), "/cim/ReceiveEndDeviceEvents", "hes").content
    beside = post(hub, typed(EVENT.format(year=YEAR, n=7), 2), "/cim/ReceiveEndDeviceEvents", "hes").content

    assert result(taken) == "OK"
    assert b"1108 SCHEMA_INVALID" in beside
    assert rows(hub)["end_device_event"] == 1
