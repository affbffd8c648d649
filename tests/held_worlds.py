"""Strategies for what a system may hold: holdings of every kind, consistent in time, as any system could state them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from canonical.holdings import FIELDS, Holding, Kind, registers_text, text_of
from canonical.ids import meter_mrid, mint
from canonical.metering import Register
from canonical.names import normal_serial

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
WORDS = st.text("abc XYZ-é'&<,;0", min_size=1, max_size=8)
IDS = st.text("AB019-", min_size=1, max_size=6)
MAKERS = st.sampled_from(["ACME", "Borealis", "x y"])
SERIALS = st.text("ABx0123456789", min_size=1, max_size=8)
FLAGS = st.sampled_from(["true", "false"])
COMMODITIES = st.sampled_from(["ELECTRICITY", "GAS", "WATER"])
NUMBERS = st.decimals(Decimal("0.001"), Decimal(9999), places=3).map(text_of)
REGISTERS = st.lists(
    st.builds(
        Register, st.sampled_from(["T1", "T2", "E1"]), st.just("0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"),
        st.sampled_from(["kWh", "kW"]), st.sampled_from(["DELIVERED", "RECEIVED"]), st.integers(0, 9),
        st.integers(0, 4), st.sampled_from(["", "ON"]), st.sampled_from([0, 15, 60]), st.booleans(),
    ), max_size=3,
)  # fmt: skip
SPECIAL = {
    "zone": st.sampled_from(["America/New_York", "Australia/Sydney", "UTC"]),
    "commodity": COMMODITIES,
    "read_source": st.sampled_from(["AMI", "MANUAL", "NONE"]),
    "needs_inspection": FLAGS,
    "net_metering": FLAGS,
    "multiplier": NUMBERS,
    "registers": REGISTERS.map(lambda found: registers_text(found) if found else ""),
}
ALWAYS = ("zone", "commodity", "read_source", "needs_inspection", "net_metering", "multiplier", "transformer")
"""Fields of which the hub holds something in any case: a default where nobody stated them."""


def spans() -> st.SearchStrategy[list[tuple[datetime, datetime | None]]]:
    """Return spans of one thing in order, none touching the next; the last may be open."""
    hours = st.lists(st.integers(0, 90_000), min_size=2, max_size=6, unique=True).map(sorted)
    return hours.map(_spans)


def _spans(hours: Sequence[int]) -> list[tuple[datetime, datetime | None]]:
    ends: list[datetime | None] = [EPOCH + timedelta(hours=hour) for hour in hours[1::2]]
    starts = [EPOCH + timedelta(hours=hour) for hour in hours[::2]]
    return list(zip(starts, [*ends, None][: len(starts)], strict=True))


@st.composite
def versions(draw: st.DrawFn, kind: Kind) -> list[Holding]:
    """Draw the versions of one thing of a kind."""
    names = {"manufacturer": draw(MAKERS), "serial": draw(SERIALS)}
    meter, point = meter_mrid(**names), mint("usage point", draw(IDS))
    object_id = {"meter": meter, "usage_point": point, "topology": point, "installation": f"{point}/{meter}"}.get(
        kind, draw(IDS)
    )
    found: list[Holding] = []
    cycle = draw(IDS)
    for begin, end in draw(spans()):
        if kind == "installation":
            plain = {"manufacturer": names["manufacturer"].upper(), "serial": normal_serial(names["serial"])}
            facts = {"usage_point": point, "meter": meter, **plain}
        elif kind == "bill_cycle_day":
            day = f"{cycle}/{begin:%Y-%m-%d}"
            if any(one.object_id == day for one in found):
                continue
            object_id, end = day, end or begin + timedelta(days=30)
            facts = {"period_start": text_of(begin), "period_end": text_of(end)}
        else:
            stated = {name: draw(SPECIAL.get(name, WORDS if name in ALWAYS else st.one_of(st.just(""), WORDS)))
                      for name in FIELDS[kind] if not (kind == "meter" and name in names)}  # fmt: skip
            facts = {**(names if kind == "meter" else {}), **{name: text for name, text in stated.items() if text}}
        found.append(Holding(kind, object_id, begin, end, facts))
    return found


@st.composite
def holdings(draw: st.DrawFn, kinds: Sequence[Kind] = tuple(FIELDS)) -> list[Holding]:
    """Draw holdings in order of kinds, each version of each thing once."""
    found: dict[tuple[str, str], list[Holding]] = {}
    for kind in kinds:
        for some in draw(st.lists(versions(kind), max_size=3)):
            key = some[0].object_id.rpartition("/")[0] if kind == "bill_cycle_day" else some[0].object_id
            found[kind, key] = some
    return [one for some in found.values() for one in some]
