"""A system that keeps masters: its book, an SFTP server of its own, and the working day that its plan describes.

    python -m simulators.masters_system --run DIR --system wams --port N

Below DIR it uses `city/city.sqlite`, `clock.json`, `keys/`, and its own folder `masters/{system}/`: root, books.sqlite,
plan.json (`simulators.masters_plan`), knobs.json, status.json.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulators.cis import TURN_S, write_status
from simulators.cis_files import acknowledge, manifest_of, put, read_acknowledgement, stem_of
from simulators.city_book import CityBook
from simulators.clock import business_now
from simulators.knobs import Knobs
from simulators.local_days import ZONE, local_text, utc_text
from simulators.masters_books import MastersBook
from simulators.masters_city import SORTS, Sort, Truth
from simulators.masters_taking import take_file
from simulators.masters_wire import Head, Version, name_of, sha256_of, write
from simulators.sftp_server import start_sftp


@dataclass(slots=True)
class MastersSystem:
    """One system with its book, folders and plan."""

    sort: Sort
    root: Path
    book: MastersBook
    knobs: Knobs
    plan: list[dict[str, object]]
    """Steps in order of business time: {"name", "at", "do", ...}; see `simulators.masters_plan`."""


def home_of(run: Path, system: str) -> Path:
    """Return the folder of a system below a run folder."""
    return run / "masters" / system


def open_system(run: Path, system: str) -> MastersSystem:
    """Return a system of a run folder, its book open and begun."""
    home, sort = home_of(run, system), SORTS[system]
    for name in ("inbound", "outbound"):
        (home / "root" / name).mkdir(parents=True, exist_ok=True)
    book = MastersBook(home / "books.sqlite", sort)
    city = CityBook(run / "city" / "city.sqlite")
    book.begin(Truth(city).versions())
    city.close()
    plan = json.loads((home / "plan.json").read_text()) if (home / "plan.json").exists() else []
    return MastersSystem(sort, home / "root", book, Knobs(home / "knobs.json"), plan)


def turn(system: MastersSystem, now: datetime) -> None:
    """Do everything that is to be done at business time `now`: read what came, then take the steps that are due."""
    for path in sorted(system.root.glob("inbound/*.ack")):
        if not system.book.done(path.name):
            _read_answer(system, path, now)
    for step in system.plan:
        name = str(step["name"])
        if datetime.fromisoformat(str(step["at"])) <= now and not system.book.done(name):
            _STEPS[str(step["do"])](system, step, now)
            system.book.mark(name, now)
    for control in sorted(system.root.glob("inbound/*.ctl")):
        name = str(json.loads(control.read_text())["name"])
        if not system.book.done(name):
            _take(system, control.with_name(name), now)


def _read_answer(system: MastersSystem, path: Path, now: datetime) -> None:
    """Take the hub's verdict on a file of ours into the book."""
    answer = read_acknowledgement(path)
    name, items = str(answer["file"]), answer["items"]
    system.book.file(name, "sent", str(answer["verdict"]), str(answer["reason"]), now)
    system.book.items(name, items if isinstance(items, list) else [])
    system.book.mark(path.name, now)


def _take(system: MastersSystem, path: Path, now: datetime) -> None:
    """Take a file of the hub into the book and answer it item by item, unless we are slow with it."""
    taken = take_file(system.book, system.knobs, path, now)
    if taken is None:
        return
    verdict, items, reason = taken
    system.book.file(path.name, "received", verdict, reason, now)
    system.book.items(path.name, items)
    acknowledge(
        system.root / "outbound",
        path.name,
        sha256_of(path.read_bytes()),
        verdict,
        at=local_text(now),
        items=items,
        code="C010" if verdict == "REJECTED" else "",
        reason=reason,
    )
    system.book.mark(path.name, now)


def _offer_all(system: MastersSystem, step: Mapping[str, object], now: datetime) -> None:
    """Offer a file of everything that is held."""
    _offer(system, "FULL", list(system.book.held()), (), now)


def _change(system: MastersSystem, step: Mapping[str, object], now: datetime) -> None:
    """Change the book; `silent` changes are never told to anybody."""
    said: list[tuple[str, str]] = []
    for entry in _listed(step, "put"):
        version = version_of(entry)
        system.book.put(version)
        said.append((version.tag, version.key))
    for entry in _listed(step, "move"):
        system.book.move(str(entry["tag"]), str(entry["key"]), str(entry["start"]))
        said.append((str(entry["tag"]), str(entry["key"])))
    for entry in _listed(step, "drop"):
        system.book.drop(str(entry["tag"]), str(entry["key"]))
    if not step.get("silent"):
        for tag, key in dict.fromkeys(said):
            system.book.to_say(tag, key)
        for entry in _listed(step, "drop"):
            system.book.to_say(str(entry["tag"]), str(entry["key"]), withdrawn=utc_text(now))
        _tell(system, now)


def version_of(entry: Mapping[str, object]) -> Version:
    """Return a version as a plan states it."""
    facts = entry.get("facts", {})
    texts = {str(name): str(text) for name, text in facts.items()} if isinstance(facts, dict) else {}
    return Version(str(entry["tag"]), str(entry["key"]), str(entry["start"]), str(entry["end"]), texts)


def _listed(step: Mapping[str, object], name: str) -> list[dict[str, object]]:
    found = step.get(name, [])
    return found if isinstance(found, list) else []


def _tell(system: MastersSystem, now: datetime) -> None:
    """Offer a file of the changes that nobody was told of yet: each thing with every version that it has."""
    unsaid = system.book.unsaid()
    versions = [v for tag, key, withdrawn in unsaid if not withdrawn for v in system.book.held(tag, key)]
    gone = [(tag, key, withdrawn) for tag, key, withdrawn in unsaid if withdrawn]
    if versions or gone:
        _offer(system, "CHANGES", versions, gone, now)


def _offer(
    system: MastersSystem,
    mode: str,
    versions: Sequence[Version],
    withdrawn: Sequence[tuple[str, str, str]],
    now: datetime,
) -> None:
    """Put a file and its control file on offer."""
    sort = system.sort
    with system.book.db:
        sequence = system.book.next_number(mode)
    day = now.astimezone(ZONE).date()
    head = Head(sort.sender, mode, sequence, created=now, watermark=now, day=day, zone=sort.zone, layout=sort.layout)
    name, body = name_of(head), write(head, versions, withdrawn=withdrawn)
    control = manifest_of(
        name, body, sequence=sequence, layout=f"{sort.layout}/1", produced_at=local_text(now), zone=sort.zone
    )
    put(system.root / "outbound", name, body)
    put(system.root / "outbound", stem_of(name) + ".ctl", control)
    system.book.file(name, "sent", "", "", now)


_STEPS: Mapping[str, Callable[[MastersSystem, Mapping[str, object], datetime], None]] = {
    "full": _offer_all,
    "change": _change,
}


async def serve(run: Path, name: str, port: int) -> None:
    """Run a system until it is stopped."""
    system, keys = open_system(run, name), run / "keys"
    await start_sftp(
        system.root,
        port=port,
        host_key=keys / f"masters_{name}_host",
        client_key=keys / "hub_to_masters",
        user="amihub",
        hang_up=lambda: system.knobs.spend("hang_up"),
    )
    with ThreadPoolExecutor(max_workers=1) as worker:
        while True:
            await asyncio.sleep(TURN_S + system.knobs.number("slow_s"))
            now = business_now(run / "clock.json")
            await asyncio.get_running_loop().run_in_executor(worker, turn, system, now)
            write_status(home_of(run, name) / "status.json", now)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the system that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--system", choices=tuple(SORTS), required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.run, options.system, options.port))


if __name__ == "__main__":
    main()
