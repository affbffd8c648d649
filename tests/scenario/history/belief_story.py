"""Stories of who was told what and when, as `given/story.toml` writes them; and what a history answers to them.

[[step]]  by, says, at, heard [, said]     a system tells the hub one thing: point, meter, link, agreement or exchange
[[step]]  answers, heard, as [, code]      a role answers all that is on its way to it
[[step]]  extract, heard, holds            a role's own whole extract
[[ask]]   at, known_at, kind               a question; `then/outcome.json` has the answers
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from belief_world import BeliefWorld, agreement, called, link, meter, point, texts

from canonical.holdings import Holding
from canonical.ids import meter_mrid
from canonical.master_data import MasterThing, MeterExchange
from flows.history import Answer
from store.session import Transaction


def told(folder: Path, transaction: Transaction) -> list[dict[str, Any]]:
    """Return the answers to the questions of a story, after all of its steps."""
    story = tomllib.loads((folder / "given" / "story.toml").read_text())
    world = BeliefWorld(transaction)
    for step in story["step"]:
        _take(world, step)
    return [
        {
            "at": ask["at"].isoformat(),
            "known_at": ask["known_at"].isoformat(),
            "rows": [
                _row(world, thing, system, one, ask.get("fields"))
                for thing, answers in world.ask(ask["at"], ask["known_at"], kind=ask["kind"]).items()
                for system, one in answers.items()
                if one.status != "unknown" or one.pending
            ],
        }
        for ask in story["ask"]
    ]


def _row(world: BeliefWorld, thing: str, system: str, one: Answer, fields: list[str] | None) -> dict[str, Any]:
    """Return one answer: what was held, who told it, what is in dispute, and what is not confirmed."""
    history = world.history()
    by = {fact.by for fact in one.facts.values()} or {belief.by for belief in one.beliefs}
    statements = [history.statement(number) for number in sorted(by)]
    return {
        "thing": thing,
        "system": system,
        "status": one.status,
        "facts": {name: text for name, text in texts(one).items() if fields is None or name in fields},
        "told": sorted({f"{each.how} {each.source} {each.message_id}".strip() for each in statements}),
        "disputed": sorted(one.disputed),
        "pending": [f"{each.act} {each.message_id} {each.state} {each.code}".strip() for each in one.pending],
    }


def _take(world: BeliefWorld, step: Mapping[str, Any]) -> None:
    """Let one step happen."""
    heard: datetime = step["heard"]
    if "answers" in step:
        assert world.answer(step["answers"], at=heard, state=step.get("as", "confirmed"), code=step.get("code", ""))
    elif "extract" in step:
        world.extract(step["extract"], [_holding(one) for one in step["holds"]], at=heard)
    else:
        world.tell(
            step["by"], step["says"], _thing(step), at=step["at"], said=step.get("said"), heard=heard,
            stated=step.get("stated", ()),
        )  # fmt: skip
        assert world.replies[-1].result == "OK", world.replies[-1]


def _thing(step: Mapping[str, Any]) -> MasterThing:
    """Return what a step tells of."""
    at = step["at"]
    if "exchange" in step:
        removed, installed = (meter(serial) for serial in step["exchange"])
        return MeterExchange("U1", removed, installed, at, step.get("installed_at", at))
    if "meter" in step:
        more = {"registers": ()} if step.get("stated") else {}
        return meter(step["meter"], valid_from=at, multiplier=Decimal(step.get("multiplier", "1")), **more)
    if "link" in step:
        return link(step["link"])
    if "agreement" in step:
        return agreement(step["agreement"], valid_from=at, tariff=step["tariff"])
    return point(step["point"], valid_from=at)


def _holding(one: Mapping[str, Any]) -> Holding:
    """Return one version of an extract; meters are named by serial."""
    made = {f"ACME-{serial}": meter_mrid("ACME", str(serial)) for serial in range(1, 10)}
    object_id = str(one["id"])
    for name, mrid in made.items():
        object_id = object_id.replace(name, mrid)
    assert called(object_id) == one["id"]
    return Holding(one["kind"], object_id, one["from"], one.get("to"), dict(one["facts"]))
