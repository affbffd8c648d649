"""Whether the hub's history of one lost change says who believed what, when, and who told it."""

import json
from collections.abc import Iterator
from pathlib import Path

from simulators import masters_script as script
from simulators.audit_master_books import Truth
from simulators.audit_master_reports import Believed, beliefs_in
from simulators.local_days import utc_text
from simulators.masters_plan import DAY
from simulators.script import Moment


def disagreements(run: Path, truth: Truth) -> Iterator[str]:
    """Yield what the history of a usage point says otherwise than the day went.

    Its transformer was changed by the GIS, the OMS was told and lost it, and was repaired.
    """
    path = run / "reports" / "history.json"
    usage_point = json.loads(path.read_text())["usage_point"]
    new = next(
        version.facts["transformer"]
        for system, version in truth.right
        if (system, version.tag, version.key) == ("oms", "TOP", usage_point)
    )
    beliefs = beliefs_in(path, kind="topology", field="transformer", at=_at(script.SNAPSHOT))
    hub, oms = beliefs.get("hub", []), beliefs.get("oms", [])
    if [(one.value == new, one.source) for one in hub[-1:]] != [(True, "gis")]:
        yield f"the hub must have {new} from the GIS; the history says {hub}"
    if _spans(hub, new) != [(_at(script.MORNING), "")]:
        yield f"the hub learned of {new} in the morning; the history says {hub}"
    if _spans(oms, new) != [(_at(script.SECOND_SNAPSHOT), "")]:
        yield f"the OMS held {new} from its last extract on; the history says {oms}"
    if not any(one.value != new and one.known_to == _at(script.SECOND_SNAPSHOT) for one in oms):
        yield f"the OMS held another transformer until its last extract; the history says {oms}"


def _spans(beliefs: list[Believed], value: str) -> list[tuple[str, str]]:
    return [(one.known_from, one.known_to) for one in beliefs if one.value == value]


def _at(moment: Moment) -> str:
    return utc_text(moment.on(DAY))
