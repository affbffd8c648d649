"""The files of masters of a site: taken in by one pass over the folders of `[masters] inboxes`, each by its flow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from flows import file_again, file_intake, master_load
from flows.file_handling import FileHandler, IntakePolicy, IntakeProblem, TakenFile
from flows.file_pass import Pass
from flows.master_data_feed import AnswersHandler
from flows.master_data_sync.file_changes import ChangesHandler
from flows.master_load import Ending, LoadHandler, LoadPolicy
from flows.master_load.handler import OnChunk
from flows.masters_intake import MastersHandler, settle_resent
from flows.reconciliation.snapshot import SnapshotHandler
from flows.routing import Sending, deliver
from services.masters_section import MastersSection
from services.site_routing import encoder_of, master_data_policy, routes_of
from services.site_subscribers import grains_of
from store.session import Session, Transaction

if TYPE_CHECKING:
    from services.hub import Hub
    from services.site_model import SiteModel

OTHERS = ("acknowledgement", "reference", "readings", "billed", "message", "request")
"""Kinds of files that other passes take from the same folders."""


def quiet(_name: str, _taken: int, _items: int) -> None:
    """Tell nobody how far a file is."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What one pass over all folders brought."""

    files: tuple[TakenFile, ...]
    problems: tuple[str, ...]
    """Folders that are away, loads that are paused, files that are refused."""

    @property
    def items(self) -> int:
        """Return how many items were accepted, rejected or repeats."""
        return sum(file.accepted + file.rejected + file.duplicates for file in self.files)


def take_in(hub: "Hub", *, on_chunk: OnChunk = quiet) -> TakenIn:
    """Take in what lies in the folders now; a folder that is away is a problem of the report, not of the pass.

    Roles of which an open load awaits files come first, in its order; none of its files is touched while it is paused.

    Raises:
        MisconfiguredError: a role's adapter takes no files, or a server's key, login or permission is wrong.
    """
    files: list[TakenFile] = []
    problems: list[str] = []
    run = master_load.open_run(transaction=hub.transaction)
    awaited = tuple(run["roles"]) if run is not None else ()
    for role in _in_order(section_of(hub.site.model).inboxes, awaited):
        if run is not None and run["state"] == "paused" and role in awaited:
            problems.append(f"{role}: load {run['run_id']} is paused: {run['reason']}")
            continue
        try:
            report = _take_in_role(hub, role, is_load=role in awaited, on_chunk=on_chunk)
        except UnavailableError as error:
            problems.append(f"{role}: {error}")
            run = master_load.open_run(transaction=hub.transaction)
            continue
        files += report.taken
        problems += [f"{role}: {one.name}: {one.code} {one.reason}" for one in report.problems]
    settle_resent(transaction=hub.transaction, now=hub.now())
    return TakenIn(tuple(files), tuple(problems))


def _in_order(inboxes: Sequence[str], awaited: Sequence[str]) -> tuple[str, ...]:
    first = [role for role in awaited if role in inboxes]
    return (*first, *(role for role in inboxes if role not in first))


def take_file_again(
    hub: "Hub", entry: int, *, role: str, path: str, line: int, by: str, transaction: Transaction
) -> TakenFile:
    """Have a refused file of masters, or the rejected items of one, handled again for a person.

    Raises:
        RejectedError: there is nothing in it to handle again (NOT_REPLAYABLE).
    """
    model = hub.site.model
    told = partial(_tell, queue=_queue(model), now=hub.now())
    handlers: dict[str, FileHandler] = {"masters": handler_of(hub)}
    this = Pass(
        role, hub.port(role), handlers, transaction, hub.spool, hub.now(), hub.machine_now(),
        _intake_policy(model, role, is_load=False), told,
    )  # fmt: skip
    return file_again.take_again(this, entry, path=path, line=line, by=by)


def is_masters(hub: "Hub", role: str, name: str) -> bool:
    """Return whether a file of this name is one of masters that this site takes from a role."""
    if role not in section_of(hub.site.model).inboxes:
        return False
    try:
        return bool(hub.port(role).identify(name).kind == "masters")
    except RejectedError:
        return False


def _take_in_role(hub: "Hub", role: str, *, is_load: bool, on_chunk: OnChunk) -> file_intake.IntakeReport:
    """Take in the files of one role."""
    port, model = hub.port(role), hub.site.model
    if not hasattr(port, "offered"):
        reason = f"the adapter of {role!r} offers no files"
        raise MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where=hub.site.where(("masters", "inboxes")))
    answers = _answers_of(model, role)
    return file_intake.take_in(
        role,
        port,
        handlers={"masters": handler_of(hub, on_chunk=on_chunk), **answers},
        transaction=hub.transaction,
        spool=hub.spool,
        now=hub.now(),
        machine_now=hub.machine_now(),
        policy=_intake_policy(model, role, is_load=is_load),
        on_problem=partial(_tell, queue=_queue(model), now=hub.now()),
        later=[kind for kind in OTHERS if kind not in answers],
    )


def _intake_policy(model: "SiteModel", role: str, *, is_load: bool) -> IntakePolicy:
    """Return how a folder is worked; too many bad lines refuse a file whole, in a load they pause it instead."""
    return IntakePolicy(
        stable_s=model.roles[role].stable_seconds,
        max_error_percent=Decimal(100 if is_load else 1),
        zone=model.site.zone,
        receiver=model.site.sender,
        env=model.site.env,
        batch_size=section_of(model).chunk_size,
    )


def handler_of(hub: "Hub", *, on_chunk: OnChunk = quiet) -> MastersHandler:
    """Return what hands files of masters to their flows."""
    model = hub.site.model
    policy = master_data_policy(model)
    changes = ChangesHandler(policy, routes_of(model), encoder_of(hub.port, hub.spool))
    load = LoadHandler(load_policy(model), hub.machine_now, grains_of(model), policy.records, on_chunk)
    return MastersHandler(load, changes, SnapshotHandler())


def _answers_of(model: "SiteModel", role: str) -> dict[str, AnswersHandler]:
    """Return what takes the acknowledgements of a role, unless a billing interface does that already."""
    if any(role in one.inboxes for one in model.billing.values()):
        return {}
    names = [name for name, one in model.subscribers.items() if one.role == role]
    return {"acknowledgement": AnswersHandler({role: names})} if names else {}


def ending_of(hub: "Hub", *, on_step: master_load.OnStep) -> Ending:
    """Return what the end of a first-time load needs at this site."""
    model = hub.site.model
    clients = model.serve.clients if model.serve else {}
    return Ending(
        load_policy(model),
        master_data_policy(model),
        Sending(routes_of(model), encoder_of(hub.port, hub.spool), hub.now()),
        {name: client.role for name, client in clients.items() if client.role},
        grains_of(model),
        section_of(model).chunk_size,
        on_step,
    )


def section_of(model: "SiteModel") -> MastersSection:
    """Return `[masters]`; its defaults where the site says nothing."""
    return model.masters or MastersSection()


def load_policy(model: "SiteModel") -> LoadPolicy:
    """Return how first-time loads are worked: never less history than a bill of any interface may reach back."""
    own = section_of(model)
    return LoadPolicy(
        error_percent=own.error_percent,
        history=own.history,
        history_months=own.history_months,
        history_days=max((_reach(one.policy_values) for one in model.billing.values()), default=0),
        zone=model.site.zone,
        queue=_queue(model),
    )


def _reach(values: dict[str, object]) -> int:
    """Return the days that a bill of an interface may reach back, of the class that may most."""
    from flows.billing_exchange.policy import DEFAULT_BACK_BILLING

    said = values.get("back_billing_days")
    return max((int(days) for days in (said if isinstance(said, dict) else DEFAULT_BACK_BILLING).values()), default=0)


def _queue(model: "SiteModel") -> str:
    owners = model.work.owners
    return owners.get("masters", owners.get("integration", "integration"))


def _tell(session: Session, problem: IntakeProblem, *, queue: str, now: datetime) -> None:
    """Open work for a problem of a file; the same file again is nobody's."""
    if problem.state == "duplicate":
        return
    words = f"{problem.role}: {problem.name}: {problem.reason}"
    deliver.tell(session, problem.code, f"{problem.role}/{problem.name}", words, queue=queue, now=now)
