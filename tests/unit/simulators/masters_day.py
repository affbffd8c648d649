"""A masters' day as a hub without fault would leave it: every book right, every report true."""

import json
from pathlib import Path

from standin_hub import one_day

from simulators import city
from simulators import masters_script as script
from simulators.audit_master_books import Truth, counts_in_city, open_truth
from simulators.audit_master_register import expected_in
from simulators.audit_master_reports import Found
from simulators.local_days import at_local, utc_text
from simulators.masters_city import SORTS
from simulators.masters_city import Truth as CityTruth
from simulators.masters_plan import city_of, write_plans
from simulators.masters_seeds import plan_day
from simulators.masters_system import open_system, turn
from simulators.script import BUSINESS_DAYS


def play_day(run: Path) -> None:
    """Let every system live through its day, be told what it must hold, and write the reports of a faultless hub."""
    city.found(run / "city", seed=7, points=200, days=1)
    write_plans(run, plan_day(CityTruth(city_of(run))))
    one_day(run)
    truth = open_truth(run)
    for name in SORTS:
        system = open_system(run, name)
        turn(system, at_local(BUSINESS_DAYS[0], 12))
        for receiver, version in truth.right:
            if receiver == name:
                system.book.put(version)
    _write_reports(run, truth)


def _write_reports(run: Path, truth: Truth) -> None:
    reports = run / "reports"
    reports.mkdir()
    left = [found for found in truth.differences if found.thing not in truth.settled]
    for name, differences in (("differences", truth.differences), ("differences_after", left)):
        (reports / f"{name}.json").write_text(json.dumps({"differences": [entry_of(found) for found in differences]}))
    for system in ("mdms", "wams", "hes", "oms"):
        refused = [one for one in truth.differences if one.system == system and one.is_refused]
        things = [{"kind": one.kind, "object_id": one.object_id} for one in refused]
        (reports / f"refused_{system}.json").write_text(json.dumps(things))
    (reports / "load.json").write_text(json.dumps({"things": counts_in_city(run)}))
    lines = ["agreement,usage_point,reason,measured,unit"]
    lines += [f",{name},NO_SA,0,kWh" for name in sorted(truth.unbilled["NO_SA"])]
    for one in expected_in(run).values():
        reason = "NO_METER" if one.agreement in truth.unbilled["NO_METER"] else "IN_CYCLE"
        lines.append(f"{one.agreement},,{reason},{one.quantity},{one.unit}")
    (reports / "history.json").write_text(json.dumps(_history(truth)))
    (reports / "unbilled.csv").write_text("\n".join(lines) + "\n")


def _history(truth: Truth) -> dict[str, object]:
    """Return the history of the first usage point whose new transformer the OMS lost."""
    lost = next(found for found in truth.differences if (found.kind, found.cause) == ("topology", "lost"))
    new = next(
        version
        for system, version in truth.right
        if (system, version.tag, version.key) == ("oms", "TOP", lost.object_id)
    )
    morning, first, last = (
        utc_text(moment.on(BUSINESS_DAYS[0]))
        for moment in (script.MORNING, script.FIRST_SNAPSHOT, script.SECOND_SNAPSHOT)
    )
    old = {"transformer": {"value": "OLD"}}
    now = {"transformer": {"value": new.facts["transformer"]}}
    common = {"kind": "topology", "there": True, "valid_from": new.start, "valid_to": None}
    beliefs = [
        {**common, "system": "hub", "facts": now, "known_from": morning, "known_to": None, "source": "gis"},
        {**common, "system": "oms", "facts": old, "known_from": first, "known_to": last, "source": "oms"},
        {**common, "system": "oms", "facts": now, "known_from": last, "known_to": None, "source": "oms"},
    ]
    return {"usage_point": lost.object_id, "beliefs": beliefs}


def entry_of(found: Found) -> dict[str, str]:
    """Return a difference as the hub's report states it."""
    return {
        "system": found.system, "kind": found.kind, "object_id": found.object_id, "class": found.sort,
        "cause": found.cause, "field": found.field,
    }  # fmt: skip
