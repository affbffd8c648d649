"""A history of belief as JSON, schema `amihub.history/1` (docs/flows/history.md): fields are added, never changed."""

import json
from datetime import UTC, datetime
from typing import Any

from flows.history import Answer, Belief, History, Question, Statement, answers

SCHEMA = "amihub.history/1"


def history_json(history: History, question: Question | None, *, personal: bool) -> str:
    """Return a history, with the answers to a question where there is one; instants in ISO 8601 with `Z`."""
    told = None if question is None else [_answer(one) for one in answers(history, question)]
    asked = None if question is None else {"at": question.at, "known_at": question.known_at}
    whole = {
        "schema": SCHEMA,
        "usage_point": history.usage_point,
        "name": history.name,
        "personal": personal,
        "asked": asked,
        "systems": history.systems,
        "things": [{"kind": kind, "object_id": object_id} for kind, object_id in history.things],
        "answers": told,
        "beliefs": [_belief(history, one) for one in history.beliefs],
        "statements": [_statement(one) for one in history.statements],
        "coverage": [
            {"system": one.system, "kinds": sorted(one.kinds), "known_at": one.known_at} for one in history.coverage
        ],
    }
    return json.dumps(whole, indent=2, default=_plain, ensure_ascii=False)


def _answer(one: Answer) -> dict[str, Any]:
    return {
        "system": one.system,
        "kind": one.kind,
        "object_id": one.object_id,
        "status": one.status,
        "facts": {name: {"value": fact.text, "statement": fact.by} for name, fact in one.facts.items()},
        "disputed": sorted(one.disputed),
        "statements": sorted({belief.by for belief in one.beliefs} | {fact.by for fact in one.facts.values()}),
        "pending": [each.number for each in one.pending],
    }


def _belief(history: History, one: Belief) -> dict[str, Any]:
    by = history.statement(one.by)
    facts = None
    if one.facts is not None:
        facts = {name: {"value": fact.text, "statement": fact.by} for name, fact in one.facts.items()}
    return {
        "system": one.system,
        "kind": one.kind,
        "object_id": one.object_id,
        "there": facts is not None,
        "facts": facts,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "known_from": one.known_from,
        "known_to": one.known_to,
        "statement": one.by,
        "how": by.how,
        "source": by.source,
        "message_id": by.message_id,
        "delivery_id": by.delivery_id,
        "state": by.state,
    }


def _statement(one: Statement) -> dict[str, Any]:
    return {
        "number": one.number,
        "system": one.system,
        "kind": one.kind,
        "object_id": one.object_id,
        "act": one.act,
        "known_at": one.known_at,
        "noted_at": one.noted_at,
        "said_at": one.said_at,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "facts": dict(one.facts),
        "extract": [
            {"valid_from": each.valid_from, "valid_to": each.valid_to, "facts": dict(each.facts)}
            for each in one.extract
        ],
        "how": one.how,
        "source": one.source,
        "message_id": one.message_id,
        "delivery_id": one.delivery_id,
        "state": one.state,
        "code": one.code,
        "reason": one.reason,
    }


def _plain(value: object) -> str:
    """Return an instant as ISO 8601 in UTC.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"no JSON for {type(value).__name__}")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
