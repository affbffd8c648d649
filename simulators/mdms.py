"""The MDMS of the demo: SOAP over HTTPS, SFTP with NEM12 files, and books of what it said and heard.

    python -m simulators.mdms --run DIR --port N --sftp-port N --hub https://127.0.0.1:N/cim/ReceiveMeterReadings

Below DIR it uses `city/city.sqlite`, `clock.json`, `keys/`, and its own folder `mdms/`. `MDMS_PASSWORD` is what callers
must know, `MDMS_CALLER_PASSWORD` what the hub wants from us.
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import uvicorn

from simulators import script
from simulators.cis import TURN_S, write_status
from simulators.cis_files import read_acknowledgement
from simulators.clock import business_now
from simulators.mdms_events import HubEndpoint, tell_late_actuals
from simulators.mdms_files import offer_readings
from simulators.mdms_soap import application
from simulators.mdms_state import Mdms, late_actual_at, open_mdms
from simulators.sftp_server import start_sftp

Step = tuple[datetime, str, Callable[[datetime], bool]]
"""(business time, name, act); the act returns whether it could be done now."""


def steps_of(mdms: Mdms, hub: HubEndpoint) -> Iterator[Step]:
    """Yield every step of the script in order of business time."""
    late = timedelta(minutes=mdms.knobs.number("late_minutes"))
    for number, cycle in enumerate(mdms.cycles.values()):
        day = cycle.day
        first = partial(offer_readings, mdms, cycle, late=False, zipped=number % 2 == 1)
        second = partial(offer_readings, mdms, cycle, late=True, zipped=False)
        yield script.READINGS_FILES.on(day) + late, f"readings {day}", _always(first)
        yield script.LATE_FILE.on(day) + late, f"late readings {day}", _always(second)
        told = partial(_tell, mdms, hub, cycle_code=cycle.cycle)
        yield late_actual_at(mdms, cycle), f"late actuals {day}", told


def _always(act: Callable[[datetime], None]) -> Callable[[datetime], bool]:
    """Return the act as one that can always be done."""

    def step(now: datetime) -> bool:
        act(now)
        return True

    return step


def _tell(mdms: Mdms, hub: HubEndpoint, now: datetime, *, cycle_code: str) -> bool:
    return tell_late_actuals(mdms, mdms.cycles[cycle_code], hub, now=now)


def turn(mdms: Mdms, hub: HubEndpoint, now: datetime) -> None:
    """Take the hub's verdicts on our files, then every step that is due at business time `now`."""
    for path in sorted(mdms.root.glob("inbound/*.ack")):
        if not mdms.books.done(path.name):
            answer = read_acknowledgement(path)
            mdms.books.file(str(answer["file"]), str(answer["verdict"]), str(answer["reason"]), now)
            mdms.books.mark(path.name, now)
    for at, name, act in steps_of(mdms, hub):
        if at <= now and not mdms.books.done(name) and act(now):
            mdms.books.mark(name, now)


async def serve(run: Path, *, port: int, sftp_port: int, hub: HubEndpoint) -> None:
    """Run the MDMS until it is stopped."""
    mdms = open_mdms(run)
    keys, clock = run / "keys", partial(business_now, run / "clock.json")
    await start_sftp(
        mdms.root,
        port=sftp_port,
        host_key=keys / "mdms_host",
        client_key=keys / "hub_to_mdms",
        user="amihub",
        hang_up=lambda: mdms.knobs.spend("hang_up_sftp"),
    )
    web = application(mdms, user="amihub", password=os.environ["MDMS_PASSWORD"], clock=clock)
    server = uvicorn.Server(
        uvicorn.Config(
            web,
            host="127.0.0.1",
            port=port,
            ssl_certfile=str(keys / "mdms.pem"),
            ssl_keyfile=str(keys / "mdms.key"),
            log_level="warning",
        )
    )
    web_task = asyncio.create_task(server.serve())
    with ThreadPoolExecutor(max_workers=1) as worker:
        while not web_task.done():
            await asyncio.sleep(TURN_S + mdms.knobs.number("slow_s"))
            now = clock()
            await asyncio.get_running_loop().run_in_executor(worker, turn, mdms, hub, now)
            write_status(run / "mdms" / "status.json", now)
    await web_task


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the MDMS that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sftp-port", type=int, required=True)
    parser.add_argument("--hub", required=True)
    options = parser.parse_args(arguments)
    hub = HubEndpoint(options.hub, "mdms", os.environ["MDMS_CALLER_PASSWORD"], options.run / "keys" / "ca.pem")
    asyncio.run(serve(options.run, port=options.port, sftp_port=options.sftp_port, hub=hub))


if __name__ == "__main__":
    main()
