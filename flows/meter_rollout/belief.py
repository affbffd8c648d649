"""How usage points are read, as the hub itself believes from a certification on; what it is told later still counts."""

from collections.abc import Mapping
from datetime import datetime

from canonical.ids import mint
from canonical.metering import UsagePoint
from flows.master_data_sync import timeline
from flows.master_data_sync.masters import MASTERS
from flows.master_data_sync.stored import stamp_of, versions_of
from store import reference
from store.master_changes import Provenance
from store.rows import Row
from store.session import Session

MASTER = MASTERS[UsagePoint]


def reads_by(session: Session, reads: Mapping[str, tuple[str, datetime]], *, now: datetime) -> None:
    """Believe of usage points how they are read (`AMI`, `MANUAL`) from an instant on; one that is unknown is left out.

    One read and one write for all; the change log has it as said by the hub.
    """
    if not reads:
        return
    reference.lock(session)
    held: dict[str, list[Row]] = {}
    for row in reference.current(session, MASTER.table, MASTER.key, set(reads)):
        held.setdefault(row[MASTER.key], []).append(row)
    before, after = list[Row](), list[Row]()
    for point, rows in sorted(held.items()):
        by, at = reads[point]
        stamp = stamp_of(now) + mint("rollout-read-source", point, at)
        versions, _ = timeline.state(
            versions_of(rows), at, {"read_source": by}, stamp=stamp, begins=False, ends=None, defaults=MASTER.defaults
        )
        before += rows
        after += [
            {**one.fields, MASTER.key: point, "valid_from": one.valid_from, "valid_to": one.valid_to,
             "said": dict(one.said)}
            for one in versions
        ]  # fmt: skip
    reference.replace(session, MASTER.table, before, after, now=now, by=Provenance("hub", "", now))
