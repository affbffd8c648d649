"""Every trouble of the rollout must be work with its cause, open or rightly ended: none silent, none invented."""

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from simulators.audit_masters import Check
from simulators.rollout_books import mrid_of
from simulators.rollout_boxes import FAILED, FREED, lot_of, strangers_of
from simulators.rollout_troubles import HEARD_UNINSTALLED
from simulators.rollout_truth import MAKER, Truth

Item = tuple[str, str]
"""Code, and what it is about: a usage point, a meter, a lot or a file."""

KEYS_MISSING, LOT_FAILED = "8020", "8091"
BROKEN_OFF = ("7003", "7089")
"""Of a file without its trailer, and of its sender who was asked for it again."""
LOOKED_AT = "8007"
"""What a person let pass where a meter does not measure what is fed in."""

BROKEN_FILE = "CR_CREWCO_AMIHUB_TEST_20261117_000001_r0.dat"
MISMATCH, BILLING_WINDOW_LOCK = "8001", "8011"
OPEN, ENDED, LATER = "work", "work_resolved", "billing_work"
"""Reports of the hub's commands."""


def audit_troubles(run: Path, truth: Truth) -> list[Check]:
    """Compare the work that the hub made with the script."""
    return [
        _check(run, OPEN, expected_open(truth), "every trouble is open work with its cause, and no other"),
        _check(
            run,
            ENDED,
            expected_ended(truth),
            "what was decided or told right is ended work, and no other",
            passing={(MISMATCH, point) for point in _crossed(truth)},
        ),
        _unbilled(run, truth),
    ]


def _unbilled(run: Path, truth: Truth) -> Check:
    """Look whether a person decides, days later, on what waited for a bill that did not come, and on nothing else."""
    expected = {one.point.usage_point for one in truth.visits if one.kind is not None and one.kind.ends == "HELD"}
    rows = json.loads((run / "reports" / f"{LATER}.json").read_text())
    found = {about for code, about in map(_item, rows) if code == BILLING_WINDOW_LOCK}
    problems = [f"nobody decides about {point}" for point in sorted(expected - found)]
    problems += [f"{point} waits for no bill" for point in sorted(found - expected)]
    return Check("what waits for a bill that does not come is a person's in the end", tuple(problems), len(expected))


def expected_open(truth: Truth) -> Iterator[Item]:
    """Yield the work that must be open in the end."""
    for one in truth.visits:
        if one.kind is not None and one.kind.code and not one.kind.is_over:
            yield one.kind.code, one.point.usage_point
    for meter in strangers_of(truth):
        yield HEARD_UNINSTALLED, mrid_of(meter)
    for one in truth.visits:
        if one.kind is not None and one.kind.name == "no-keys":
            yield KEYS_MISSING, f"{MAKER}/{lot_of(one)}"
    if any(case.kind.name == "lot-failed" for case in truth.cases):
        yield LOT_FAILED, f"{MAKER}/{FAILED}"


def expected_ended(truth: Truth) -> Iterator[Item]:
    """Yield the work that must be ended in the end."""
    for one in truth.visits:
        if one.kind is not None and one.kind.is_over:
            yield one.kind.code, one.point.usage_point
    if any(case.kind.name == "lot-freed" for case in truth.cases):
        yield LOT_FAILED, f"{MAKER}/{FREED}"
    for code in BROKEN_OFF:
        yield code, f"crews/{BROKEN_FILE}"
    for one in truth.visits:
        if one.kind is not None and one.kind.name == "export-unmeasured":
            yield LOOKED_AT, one.point.usage_point


def _crossed(truth: Truth) -> Iterator[str]:
    """Yield usage points whose removed meter hangs elsewhere, which alone is a mismatch until the other is told."""
    for case in truth.cases:
        if case.kind.code == "8009":
            yield from (one.point.usage_point for one in truth.members(case))


def _check(
    run: Path, report: str, wanted: Iterable[Item], name: str, *, passing: Collection[Item] = frozenset()
) -> Check:
    """Compare a report with what must be in it; what is `passing` may be in it."""
    expected = set(wanted)
    found = {_item(row): row for row in json.loads((run / "reports" / f"{report}.json").read_text())}
    problems = [f"nobody was told: {code} about {about}" for code, about in sorted(expected - found.keys())]
    problems += [
        f"nothing in the field asks for {code} about {about}: {found[code, about]['summary']}"
        for code, about in sorted(found.keys() - expected - set(passing))
    ]
    return Check(name, tuple(problems), len(expected))


def _item(row: dict[str, Any]) -> Item:
    return row["code"].split()[0], row["usage_point"] or row["meter"] or row["key"].split(":", 1)[-1]
