"""The CIS of the demo: an SFTP server with outbound and inbound folders, and books of what it asked, loaded and billed.

    python -m simulators.cis --run DIR --port N

Below DIR it uses `city/city.sqlite`, `clock.json`, `keys/`, and its own folder `cis/`: root, books.sqlite,
knobs.json, status.json.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from simulators import sabotage
from simulators.cis_billing import cancel_bill
from simulators.cis_books import CisBooks
from simulators.cis_day import Cis, ask_again, send_extract, steps_of
from simulators.cis_drop import Answered, BadPartError, Part, read_part
from simulators.cis_files import acknowledge, read_acknowledgement
from simulators.cis_loading import load
from simulators.city_book import CityBook
from simulators.clock import business_now
from simulators.knobs import Knobs
from simulators.local_days import local_text
from simulators.script import LATE_ANSWER
from simulators.sftp_server import start_sftp

TURN_S = 0.1


def open_cis(run: Path) -> Cis:
    """Return the CIS of a run folder, its books open."""
    home = run / "cis"
    for name in ("inbound", "outbound"):
        (home / "root" / name).mkdir(parents=True, exist_ok=True)
    city = CityBook(run / "city" / "city.sqlite")
    return Cis(
        home / "root",
        CisBooks(home / "books.sqlite"),
        Knobs(home / "knobs.json"),
        city,
        city.points(),
        city.meters(),
        city.cycles(),
    )


def turn(cis: Cis, now: datetime) -> None:
    """Do everything that is to be done at business time `now`: read what came, then take the steps that are due."""
    _read_acknowledgements(cis, now)
    _read_parts(cis, now)
    for at, name, act in steps_of(cis):
        if at <= now and not cis.books.done(name) and act(cis, now):
            cis.books.mark(name, now)


def _read_acknowledgements(cis: Cis, now: datetime) -> None:
    """Take the hub's verdicts on our files into the books."""
    for path in sorted(cis.root.glob("inbound/*.ack")):
        if cis.books.done(path.name):
            continue
        answer = read_acknowledgement(path)
        name, verdict, reason = str(answer["file"]), str(answer["verdict"]), str(answer["reason"])
        cis.books.file(name, "sent", str(answer["sha256"]), verdict, reason, now)
        items = answer["items"]
        if isinstance(items, list) and name.startswith("BR_"):
            cis.books.told((str(i["verdict"]), str(i["code"]), str(i["reason"]), str(i["key"])) for i in items)
        cis.books.mark(path.name, now)


def _read_parts(cis: Cis, now: datetime) -> None:
    """Load every part whose control file has come."""
    for control in sorted(cis.root.glob("inbound/BD_*.ctl")):
        name = str(json.loads(control.read_text())["name"])
        if cis.books.done(name):
            continue
        path = control.with_name(name)
        if sabotage.steal_part(cis, path, now):
            continue
        original = sabotage.edit_part(cis, path, control)
        try:
            part = read_part(path, control)
        except (BadPartError, ValueError, KeyError, OSError) as error:
            _answer(cis, name, original, "REJECTED", now, code="C010", reason=str(error))
            continue
        _take_part(cis, part, original, now)


def _take_part(cis: Cis, part: Part, sha256: str, now: datetime) -> None:
    """Load one whole part, refuse it, or keep silent, as the knobs say."""
    wish = {"interface": part.interface, "date": part.business_date, "part": part.number}
    if part.run_type == "ON" and wish in cis.knobs.listed("nack_part") and not cis.books.done(f"nack {wish}"):
        cis.books.mark(f"nack {wish}", now)
        _answer(cis, part.name, sha256, "REJECTED", now, code="C020", reason="loading failed: table space full")
        return
    if part.run_type == "ON" and wish in cis.knobs.listed("silent_part") and now < LATE_ANSWER.on(cis.cycles[-1].day):
        return
    answers = sabotage.damage_loading(cis, part)
    verdicts, notices = load(cis.books, Part(part.name, part.sha256, part.header, answers, part.closing), now=now)
    refused = any(verdict["verdict"] == "REJECTED" for verdict in verdicts)
    _answer(cis, part.name, sha256, "ACCEPTED_WITH_ERRORS" if refused else "ACCEPTED", now, items=verdicts)
    if notices:
        _correct(cis, notices, part, now)


def _answer(
    cis: Cis,
    name: str,
    sha256: str,
    verdict: str,
    now: datetime,
    *,
    items: Sequence[dict[str, object]] = (),
    code: str = "",
    reason: str = "",
) -> None:
    """Acknowledge a part and write it into the books."""
    cis.books.file(name, "received", sha256, verdict, reason, now)
    acknowledge(cis.root / "outbound", name, sha256, verdict, at=local_text(now), items=items, code=code, reason=reason)
    cis.books.mark(name, now)


def _correct(cis: Cis, notices: Sequence[Answered], part: Part, now: datetime) -> None:
    """Cancel the bills that the hub corrected, tell so in an extract, and ask for the period again."""
    cancelled = [request for notice in notices if (request := cancel_bill(cis.books, _billed_id(cis, notice), now=now))]
    if not cancelled:
        return
    cis.books.note(f"{len(cancelled)} bills cancelled after a correction notice", now)
    send_extract(cis, part.interface, datetime.fromisoformat(part.business_date).date(), now)
    ask_again(cis, cancelled, now)


def _billed_id(cis: Cis, notice: Answered) -> str:
    """Return the determinant that was billed for the request that a notice names."""
    row = cis.books.db.execute("SELECT determinant_id FROM bill WHERE request_id = ?", (notice.request_id,)).fetchone()
    return str(row[0]) if row else notice.determinant_id


async def serve(run: Path, port: int) -> None:
    """Run the CIS until it is stopped."""
    cis = open_cis(run)
    keys = run / "keys"
    await start_sftp(
        cis.root,
        port=port,
        host_key=keys / "cis_host",
        client_key=keys / "hub_to_cis",
        user="amihub",
        hang_up=lambda: cis.knobs.spend("hang_up"),
    )
    with ThreadPoolExecutor(max_workers=1) as worker:
        while True:
            await asyncio.sleep(TURN_S + cis.knobs.number("slow_s"))
            now = business_now(run / "clock.json")
            await asyncio.get_running_loop().run_in_executor(worker, turn, cis, now)
            write_status(run / "cis" / "status.json", now)


def write_status(path: Path, now: datetime) -> None:
    """Say that everything due up to the business instant `now` is done."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"done_until": now.isoformat()}))
    os.replace(fresh, path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the CIS that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.run, options.port))


if __name__ == "__main__":
    main()
