"""An explained billing item as plain text that can be recomputed on paper, and as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from canonical.billing import BillDeterminant, Demand, RegisterUse
from flows.billing_exchange.explain import Explained, Version
from flows.billing_exchange.stored import plain


def explained_lines(found: Sequence[Explained]) -> Iterator[str]:
    """Yield the text of every item."""
    for one in found:
        yield from _request(one)
        yield from _reference(one)
        yield from _readings(one)
        for version in one.versions:
            yield from _version(version)
        yield from _road_out(one)
        yield from _history(one)
        yield ""


def explained_to_json(found: Sequence[Explained]) -> str:
    """Return every item as JSON: decimals as text, instants in ISO 8601."""
    rows = []
    for one in found:
        row = asdict(one)
        row["readings"] = [{k: v for k, v in each.items() if k != "packed"} for each in one.readings]
        rows.append(row)
    return json.dumps(rows, indent=2, default=_text)


UNTOLD = ("row", "known_at", "replaced_at", "version", "registers")


def _request(one: Explained) -> Iterator[str]:
    """Yield what was asked, where."""
    item, run = one.item, one.run
    yield f"REQUEST {item['request_id']}  {item['reason']}  account {item['account']}  {item['commodity']}"
    file = run["file_name"] if run else "?"
    yield f"  asked in {file}, line {item['line']}, as {item['asked_as']}; interface {item['interface']}"
    yield f"  usage point {item['usage_point']}, agreement {item['agreement']}, cycle {item['cycle']}"
    yield f"  period {_at(item['period_start'])} .. {_at(item['period_end'])} (UTC, end excluded)"
    if item["replaces"]:
        yield f"  replaces request {item['replaces']}, supersedes determinant {item['supersedes_id']}"
    yield f"  stands: {item['state']} {item['status']} {item['code']}".rstrip()


def _reference(one: Explained) -> Iterator[str]:
    """Yield what the masters said."""
    for kind, rows in one.reference.items():
        for row in rows:
            facts = {
                k: v for k, v in row.items() if k not in ("row", "known_at", "replaced_at", "version", "registers")
            }
            until = f" until {_at(row['replaced_at'])}" if row["replaced_at"] else ""
            told = ", ".join(f"{k} {_text(v)}" for k, v in facts.items() if v not in ("", None))
            yield f"  {kind} v{row['version']} (known from {_at(row['known_at'])}{until}): {told}"


def _readings(one: Explained) -> Iterator[str]:
    """Yield every value with quality, source and what brought it."""
    for row in one.readings:
        if "packed" in row:
            count, span = len(row["packed"]) // 8, f"{_at(row['starts_at'])} .. {_at(row['ends_at'])}"
            what = f"{count} intervals of {row['interval_minutes']} min, {span}"
        else:
            quality = f"{row['quality']} {row['source_quality']}".rstrip()
            what = f"{_at(row['taken_at'])} = {row['value']} ({quality})"
        meter = row["meter"] or "-"
        yield f"  read {row['reading_type']} meter {meter}: {what}, v{row['version']}, from {row['origin']}"


def _version(version: Version) -> Iterator[str]:
    """Yield one version: registers with their arithmetic, quantities, demands, remarks, trail."""
    one: BillDeterminant = version.determinant
    lock = f", locked {_at(version.locked_at)}" if version.locked_at else ""
    made = f"calculated {_at(version.calculated_at)}{lock}"
    yield f"  DETERMINANT {one.determinant_id} v{one.version} {one.status}, {made}"
    multipliers = {meter.meter: meter for meter in one.meters}
    for use in one.registers:
        meter = multipliers.get(use.meter)
        factor = meter.multiplier if meter else Decimal(1)
        yield f"    {_arithmetic(use, factor)}"
    for quantity in one.quantities:
        figure = f"{plain(quantity.quantity)} {quantity.unit}"
        season = f" in {quantity.season}" if quantity.season else ""
        yield f"    {quantity.code}{season} = {figure} ({quantity.source}, {quantity.quality})"
    for demand in one.demands:
        yield f"    {demand.code} = {plain(demand.value)} kW at {_at(demand.at)} ({demand.quality}){_resets(demand)}"
    for remark in one.remarks:
        yield f"    {remark.severity} {remark.code}: {remark.text}"
    for line in version.trail:
        yield f"    . {line}"


def _resets(demand: Demand) -> str:
    """Return how often the demand began anew, where it did."""
    return f", reset {demand.resets} times, last {_at(demand.reset_at)}" if demand.reset_at is not None else ""


def _arithmetic(use: RegisterUse, multiplier: Decimal) -> str:
    """Return the sum of one register as it is done on paper."""
    if use.start_read is None or use.stop_read is None or use.raw_difference is None:
        return f"register {use.register} {use.tou_bucket}: sum of intervals = {plain(use.quantity)} {use.unit}"
    rolled = f" + {use.rollovers} rollover" if use.rollovers else ""
    return (
        f"register {use.register} {use.tou_bucket}: {plain(use.stop_read)} - {plain(use.start_read)}{rolled}"
        f" = {plain(use.raw_difference)}; x {plain(multiplier)} = {plain(use.quantity)} {use.unit}"
    )


def _road_out(one: Explained) -> Iterator[str]:
    """Yield where each version went, what was said of it, and what was billed."""
    for line in one.lines:
        said = f"part {line['state']} {line['ack_verdict']}".rstrip()
        yield f"  SENT v{line['version']} in {line['name']}, line {line['line']}: {said}"
        if line["verdict"]:
            yield f"    item {line['verdict']} {line['reason']}".rstrip()
        delivery = one.deliveries.get(line["delivery_id"])
        if delivery is not None:
            when = f"sent {_at(delivery['sent_at'])}, confirmed {_at(delivery['confirmed_at'])}"
            yield f"    delivery {line['delivery_id']}: {delivery['state']}, {delivery['attempts']} attempts, {when}"
            yield f"    sha256 {delivery['sha256']}"
    for row in one.billed:
        assumed = " (assumed)" if row["assumed"] else ""
        agrees = "agrees" if row["matches"] else "DIFFERS"
        quantity = plain(Decimal(row["quantity_micro"]).scaleb(-6))
        bill = f"bill {row['bill_id']} v{row['version']}"
        yield f"  {row['event']}{assumed} {bill}: {quantity}, {agrees}; {row['source']}"


def _history(one: Explained) -> Iterator[str]:
    """Yield states and work."""
    for row in one.history:
        yield f"  {_at(row['at'])} {row['from_state']} -> {row['to_state']} by {row['by']}: {row['why']}"
    for row in one.work:
        yield f"  WORK {row['work_id'][:8]} {row['state']} {row['queue']} {row['code']}: {row['summary']}"


def _at(instant: Any) -> str:
    """Return an instant for people, in UTC."""
    return f"{instant:%Y-%m-%d %H:%M:%SZ}" if instant else "-"


def _text(value: object) -> str:
    """Return decimals without exponent, instants in ISO 8601, anything else as it prints."""
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
