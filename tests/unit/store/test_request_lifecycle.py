"""The life of a request: whatever happens in whatever order, only allowed steps are ever written."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel, select

import store.tables  # noqa: F401
from canonical.codes.exchange import ILLEGAL_TRANSITION
from canonical.errors import RejectedError
from canonical.messages import Header
from canonical.metering import ReadingQuestion
from canonical.periods import Period
from canonical.questions import ReadingsAsked
from store import request_turns, requests, withdrawals
from store.request_states import FINAL, NEXT, State, walk
from store.request_turns import ChildEnd
from store.requests import SERVICE_REQUEST, ServiceRequest
from store.session import open_engine

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = Period(NOW - timedelta(days=1), NOW)
POINTS = ("a", "b", "c")
STATES = sorted(NEXT)


@contextmanager
def fresh() -> Iterator[Session]:
    """Open a database in memory with one request for three objects."""
    engine = open_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SERVICE_REQUEST, SQLModel.metadata.tables["request_answer"]])
    with Session(engine, expire_on_commit=False) as session:
        questions = tuple(ReadingQuestion(point, DAY, "inquiry") for point in POINTS)
        header = Header("m-1", "cis", "get", "MeterReadings", "c-1")
        asked = ReadingsAsked(questions, "reply:cis")
        requests.open_request(session, header, asked, deadline=NOW + timedelta(hours=1), now=NOW)
        yield session
    engine.dispose()


def states(session: Session) -> dict[str, State]:
    rows = session.execute(select(SERVICE_REQUEST.c.request_id, SERVICE_REQUEST.c.state))
    return {name: state for name, state in rows}


def reachable(old: State, new: State) -> bool:
    """Return whether allowed steps lead from one state to another."""
    seen, todo = {old}, [old]
    while todo:
        for state in NEXT[todo.pop()]:
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return new in seen


ENDS = st.dictionaries(
    st.sampled_from(POINTS), st.sampled_from(["FAILED", "PARTIAL_SUCCESS", "PAUSED", "SUCCESSFUL"]), max_size=3
)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.booleans()),
        st.tuples(st.just("settle"), ENDS),
        st.tuples(st.just("overdue"), st.just(None)),
        st.tuples(st.just("cancel"), st.just(None)),
        st.tuples(st.just("change"), st.just(None)),
        st.tuples(st.just("retry"), st.just(None)),
    ),
    max_size=12,
)


class Story:
    """One request and what happens to it."""

    def __init__(self, session: Session) -> None:
        self.session, self.now = session, NOW
        query = select(SERVICE_REQUEST.c.request_id).where(SERVICE_REQUEST.c.level == "parent")
        self.name = session.execute(query).scalar_one()

    def happen(self, what: str, how: object) -> None:
        self.now += timedelta(minutes=1)
        session = self.session
        if what == "take":
            request_turns.take(session, now=self.now, machine_now=self.now, lease_s=1e6 if how else 1)
        elif what == "settle" and isinstance(how, dict) and states(session)[self.name] == "ONGOING":
            self._settle(how)
        elif what == "overdue":
            for taken in request_turns.overdue(session, now=NOW + timedelta(days=1)):
                ends = {(p.sub_id, q.usage_point): ChildEnd("FAILED", "x") for p in taken.parts for q in p.questions}
                request_turns.settle(session, taken.request_id, ends, now=self.now)
        elif what in ("cancel", "change"):
            new = ReadingsAsked((ReadingQuestion("d", DAY, "inquiry"),)) if what == "change" else None
            named = {"source": "cis", "correlation_id": "c-1", "message_id": ""}
            withdrawals.withdraw(session, **named, now=self.now, instead=new)
        elif what == "retry":
            request_turns.retry(session, self.name, deadline=self.now + timedelta(hours=1))

    def _settle(self, how: dict[str, State]) -> None:
        rows = self.session.execute(
            select(SERVICE_REQUEST.c.parent, SERVICE_REQUEST.c.object_id).where(
                SERVICE_REQUEST.c.level == "child", SERVICE_REQUEST.c.state == "ONGOING"
            )
        )
        ends = {(sub, point): ChildEnd(how[point], "x") for sub, point in rows if point in how}
        request_turns.settle(self.session, self.name, ends, now=self.now, retry_at=self.now)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_whatever_happens_in_whatever_order_only_allowed_steps_are_written(events: list[tuple[str, object]]) -> None:
    with fresh() as session:
        story = Story(session)
        for what, how in events:
            before = states(session)
            story.happen(what, how)
            after = states(session)

            assert all(
                before[name] == state or reachable(before[name], state)
                for name, state in after.items()
                if name in before
            )
            parent = after[story.name]
            below = [state for name, state in after.items() if name != story.name]
            if parent in FINAL:
                assert all(state in FINAL for state in below)
            if parent == "SUCCESSFUL":
                assert set(below) == {"SUCCESSFUL"}
            if parent == "PAUSED":
                assert "PAUSED" in below


@given(st.sampled_from(STATES), st.sampled_from(STATES))
def test_a_step_is_allowed_or_is_refused_by_code(old: State, new: State) -> None:
    if new in NEXT[old]:
        assert walk(old, new) == new
    else:
        with pytest.raises(RejectedError) as refused:
            walk(old, new)
        assert refused.value.code is ILLEGAL_TRANSITION


def test_an_illegal_state_cannot_be_written_in_any_way() -> None:
    with fresh() as session:
        row = session.exec(select(ServiceRequest).where(ServiceRequest.level == "parent")).one()
        with pytest.raises(RejectedError, match="SCHEDULED to SUCCESSFUL"):
            row.state = "SUCCESSFUL"
        with pytest.raises(RejectedError, match="SCHEDULED to ONGOING"):
            requests.move(session, SERVICE_REQUEST.c.level == "parent", "SCHEDULED", "ONGOING")
        session.expire_all()

        assert set(states(session).values()) == {"SCHEDULED"}
