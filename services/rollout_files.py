"""Files of a meter rollout, from the folders of `[rollout] inboxes`: shipments, completions and manual reads."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS, ROLE_ABSENT
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from flows import file_again, file_intake
from flows.file_handling import FileHandler, IntakePolicy, IntakeProblem, TakenFile
from flows.file_pass import Pass
from flows.manual_route import ManualReadsHandler, RoutePolicy, hand_out
from flows.master_data_feed import AnswersHandler
from flows.masters_intake import settle_resent
from flows.meter_rollout.completions import CompletionsHandler
from flows.meter_rollout.policy import System
from flows.routing import Sending, deliver
from flows.shipments import ShipmentHandler, ShipmentPolicy, ended, follow
from services.feeds import raw_sources
from services.rollout_section import RolloutSection
from services.site_rollout import rollout_policy
from services.site_routing import encoder_of, master_data_policy, routes_of
from store.session import Session, Transaction

if TYPE_CHECKING:
    from services.hub import Hub
    from services.site_model import SiteModel

KINDS = ("shipment", "completions", "manual_reads")
OTHERS = ("reference", "masters", "readings", "billed", "message", "request")
"""Kinds of files that other passes take from the same folders."""

HOLD_STOCK: tuple[System, ...] = ("wams", "mdms", "hes")
"""Systems that hold a meter before it is hung: asset, configuration, keys (domain 2.2)."""


@dataclass(frozen=True, slots=True)
class RolloutFiles:
    """What one pass over all folders brought."""

    files: tuple[TakenFile, ...] = ()
    problems: tuple[str, ...] = ()
    """Folders that are away, files that are refused."""

    answered: int = 0
    """Messages about shipped meters that were answered since the last pass."""

    disposed: int = 0
    """Old meters that a system disposed of since then; the others were told."""

    @property
    def items(self) -> int:
        """Return how many items were accepted, rejected or repeats."""
        return sum(file.accepted + file.rejected + file.duplicates for file in self.files)


def take_in(hub: "Hub") -> RolloutFiles:
    """Take in what lies in the folders now, and note what systems answered of shipped meters.

    A folder that is away is a problem of the report, not of the pass.

    Raises:
        MisconfiguredError: a role's adapter takes no files, or a server's key, login or permission is wrong.
    """
    files: list[TakenFile] = []
    problems: list[str] = []
    for role in section_of(hub.site.model).inboxes:
        try:
            report = _take_in_role(hub, role)
        except UnavailableError as error:
            problems.append(f"{role}: {error}")
            continue
        files += report.taken
        problems += [f"{role}: {one.name}: {one.code} {one.reason}" for one in report.problems]
    settle_resent(transaction=hub.transaction, now=hub.now())
    policy = shipment_policy(hub.site.model)
    answers = follow(queue=policy.queue, transaction=hub.transaction, now=hub.now())
    gone = ended(policy=policy, sending=sending_of(hub), transaction=hub.transaction)
    return RolloutFiles(tuple(files), tuple(problems), answers.messages, gone)


def take_file_again(
    hub: "Hub", entry: int, *, role: str, path: str, line: int, by: str, transaction: Transaction
) -> TakenFile:
    """Have a refused file of a rollout, or the rejected items of one, handled again for a person.

    Raises:
        RejectedError: there is nothing in it to handle again (NOT_REPLAYABLE).
    """
    told = partial(_tell, queue=shipment_policy(hub.site.model).queue, now=hub.now())
    this = Pass(
        role, hub.port(role), handlers_of(hub), transaction, hub.spool, hub.now(), hub.machine_now(),
        _intake_policy(hub.site.model, role), told,
    )  # fmt: skip
    return file_again.take_again(this, entry, path=path, line=line, by=by)


def hand_out_routes(hub: "Hub") -> int:
    """Hand out the manual routes that are read within `[rollout] routes_ahead_days`, and return how many went.

    Raises:
        MisconfiguredError: the route reader's adapter is set up wrong.
    """
    if not section_of(hub.site.model).routes_ahead_days:
        return 0
    policy = route_policy(hub.site.model)
    return sum(one.is_new for one in hand_out(policy=policy, sending=sending_of(hub), transaction=hub.transaction))


def is_rollout(hub: "Hub", role: str, name: str) -> bool:
    """Return whether a file of this name is one of the rollout that this site takes from a role."""
    if hub.site.model.rollout is None or role not in section_of(hub.site.model).inboxes:
        return False
    try:
        return hub.port(role).identify(name).kind in KINDS
    except RejectedError:
        return False


def handlers_of(hub: "Hub") -> dict[str, FileHandler]:
    """Return what takes each kind of file."""
    model = hub.site.model
    rollout = rollout_policy(model)
    shipments = ShipmentHandler(
        shipment_policy(model), master_data_policy(model), routes_of(model), encoder_of(hub.port, hub.spool)
    )
    return {
        "shipment": shipments,
        "completions": CompletionsHandler(rollout),
        "manual_reads": ManualReadsHandler(rollout.queue),
    }


def shipment_policy(model: "SiteModel") -> ShipmentPolicy:
    """Return how this site takes shipments; who works by files of orders alone keeps no stock."""
    rollout = rollout_policy(model)
    told = {rollout.roles[one]: rollout.sources.get(one, ()) for one in HOLD_STOCK if one in rollout.roles}
    return ShipmentPolicy(tuple(told), tuple(one for one in HOLD_STOCK if one in rollout.manual), told, rollout.queue)


def route_policy(model: "SiteModel") -> RoutePolicy:
    """Return how this site has meters read by people.

    Raises:
        MisconfiguredError: `[rollout]` names no route reader (ROLE_ABSENT).
    """
    rollout, role = rollout_policy(model), section_of(model).role("route_reader")
    if not role or model.lacks.get(role) == "absent":
        reason = "[rollout] names no role as route_reader: nobody can be handed a route"
        raise MisconfiguredError(reason, code=ROLE_ABSENT)
    ahead = section_of(model).routes_ahead_days
    return RoutePolicy(role, rollout.zone, rollout.max_daily_kwh, raw_sources(model), ahead, rollout.queue)


def sending_of(hub: "Hub") -> Sending:
    """Return what sending needs at this site, now."""
    return Sending(routes_of(hub.site.model), encoder_of(hub.port, hub.spool), hub.now())


def section_of(model: "SiteModel") -> RolloutSection:
    """Return `[rollout]`; its defaults where the site says nothing."""
    return model.rollout or RolloutSection()


def _take_in_role(hub: "Hub", role: str) -> file_intake.IntakeReport:
    """Take in the files of one role."""
    port, model = hub.port(role), hub.site.model
    if not hasattr(port, "offered"):
        reason = f"the adapter of {role!r} offers no files"
        raise MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where=hub.site.where(("rollout", "inboxes")))
    # Answers to orders and routes confirm their deliveries; no subscriber is told by these roles.
    handlers = {**handlers_of(hub), "acknowledgement": AnswersHandler({})}
    return file_intake.take_in(
        role,
        port,
        handlers=handlers,
        transaction=hub.transaction,
        spool=hub.spool,
        now=hub.now(),
        machine_now=hub.machine_now(),
        policy=_intake_policy(model, role),
        on_problem=partial(_tell, queue=shipment_policy(model).queue, now=hub.now()),
        later=OTHERS,
    )


def _intake_policy(model: "SiteModel", role: str) -> IntakePolicy:
    """Return how a folder is worked: bad lines are rejected alone, however many; gaps do not hold good work up."""
    return IntakePolicy(
        stable_s=model.roles[role].stable_seconds,
        max_error_percent=Decimal(100),
        order="any",
        gap_hours=Decimal(0),
        zone=model.site.zone,
        receiver=model.site.sender,
        env=model.site.env,
    )


def _tell(session: Session, problem: IntakeProblem, *, queue: str, now: datetime) -> None:
    """Open work for a problem of a file; the same file again is nobody's."""
    if problem.state == "duplicate":
        return
    words = f"{problem.role}: {problem.name}: {problem.reason}"
    deliver.tell(session, problem.code, f"{problem.role}/{problem.name}", words, queue=queue, now=now)
