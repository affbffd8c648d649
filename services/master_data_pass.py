"""One pass over master data: files taken in, a load brought on, what waits tried again. By DAG, command and thread."""

import logging
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from canonical.errors import MisconfiguredError, UnavailableError
from flows import master_data_sync, master_load
from flows.routing import Sending
from services.master_data_feed import feed_pass
from services.site_routing import encoder_of, master_data_policy, routes_of

if TYPE_CHECKING:
    from services.hub import Hub

log = logging.getLogger(__name__)

IDLE_S = 5.0
"""Seconds of machine time between two looks; what is due is a matter of business time."""


@dataclass(frozen=True, slots=True)
class MastersPass:
    """What one whole pass did."""

    files: int = 0
    items: int = 0
    load: str = ""
    """State of the load that was open at its beginning; empty where none was."""

    ended: int = 0
    """Things whose wait is over."""

    told: int = 0
    """Objects of which subscribers were told."""

    problems: tuple[str, ...] = ()
    """What a person should look at."""

    @property
    def ok(self) -> bool:
        """Return whether nothing is to be looked at."""
        return not self.problems

    def __str__(self) -> str:
        """Return it as a line for people."""
        load = f", load {self.load}" if self.load else ""
        done = f"{self.files} files, {self.items} items{load}, {self.ended} no longer wait, {self.told} told"
        return f"{done}, {len(self.problems)} problems"


def is_wanted(hub: "Hub") -> bool:
    """Return whether anything can wait or come at this site."""
    model = hub.site.model
    return bool(model.master_data is not None or model.routes or model.masters is not None or model.subscribers)


def take_in(hub: "Hub") -> MastersPass:
    """Take in the files of masters that lie in the folders of `[masters] inboxes`.

    Raises:
        MisconfiguredError: a role takes no files, or its server's key, login or permission is wrong.
    """
    from services.masters_files import take_in as take_files

    taken = take_files(hub)
    return MastersPass(files=len(taken.files), items=taken.items, problems=taken.problems)


def advance(hub: "Hub") -> MastersPass:
    """Bring a load on as far as its files are in, try everything again that is due, then tell subscribers."""
    loaded, ended = load_pass(hub), master_data_pass(hub)
    told = sum(one.objects for one in feed_pass(hub))
    return MastersPass(load=loaded, ended=ended, told=told)


def whole_pass(hub: "Hub") -> MastersPass:
    """Take in, advance, and say what both did.

    Raises:
        MisconfiguredError: as `take_in` does.
    """
    taken, advanced = take_in(hub), advance(hub)
    return MastersPass(taken.files, taken.items, advanced.load, advanced.ended, advanced.told, taken.problems)


def standing(hub: "Hub") -> dict[str, Any]:
    """Return how master data stands: the load that is open, what waits, and `failures` that make a pass red."""
    run = master_load.open_run(transaction=hub.transaction)
    waits = len(master_data_sync.waiting(transaction=hub.transaction))
    paused = run is not None and run["state"] == "paused"
    failures = [f"load {run['run_id']} is paused: `amihub load report`"] if run is not None and paused else []
    return {"load": run["state"] if run is not None else "", "waiting": waits, "failures": failures}


def load_pass(hub: "Hub", on_step: master_load.OnStep = lambda _what, _number: None) -> str:
    """Bring the first-time load that is open as far as it can go; return its state, empty where none is open."""
    from services.masters_files import ending_of

    return master_load.advance(ending_of(hub, on_step=on_step), transaction=hub.transaction)


def master_data_pass(hub: "Hub") -> int:
    """Try everything that is due again, unless a load is open; return how many things ended their wait."""
    if master_load.open_run(transaction=hub.transaction) is not None:
        return 0
    model = hub.site.model
    return master_data_sync.advance(
        policy=master_data_policy(model),
        sending=Sending(routes_of(model), encoder_of(hub.port, hub.spool), hub.now()),
        transaction=hub.transaction,
    )


def run_master_data(hub: "Hub", stop: Event) -> None:
    """Look at what waits until `stop` is set, and into the folders every `[masters] poll_seconds`."""
    own = hub.site.model.masters
    looked = None
    while not stop.is_set():
        now = hub.machine_now()
        if own is not None and own.inboxes and (looked is None or (now - looked).total_seconds() >= own.poll_seconds):
            looked = now
            _look(hub)
        advance(hub)
        stop.wait(IDLE_S)


def _look(hub: "Hub") -> None:
    """Take in files, whatever is wrong with a partner's server: what waits must not wait for it too."""
    try:
        taken = take_in(hub)
    except UnavailableError as error:
        log.warning("files of masters are taken when this is over: %s", error)
    except MisconfiguredError:
        # One partner's new host key must not stop what waits; each look says it again until it is mended.
        log.exception("files of masters cannot be taken until this is mended")
    else:
        if taken.problems:  # counted only: their reasons may quote a line
            log.warning("files of masters: %d problems; see `amihub work list`", len(taken.problems))
