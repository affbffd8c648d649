"""Messages that come as files: one bare CIM message in each, taken as the web services and the queues take theirs.

Who sent a message is proven by the server and folder in which it lay; what its header claims is kept, never believed.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Event

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Reply
from flows import file_again, file_intake
from flows.file_handling import IntakePolicy, IntakeProblem, IntakeReport, MessageTaken, TakenFile
from flows.file_pass import Pass
from flows.parked_work import tell_parked
from iec61968 import soap_answers
from iec61968.editions import EDITIONS
from iec61968.safe_xml import XmlLimits
from iec61968.services_spoken import Service
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_call import Call, check_call
from iec61968.soap_endpoint import Receive
from services.files_section import FilesSection
from services.hub import Hub
from services.partner_answers import is_answer, plain, take_answer
from services.site_file import Site
from services.site_model import ClientSection, ServeSection
from store.session import Session, Transaction

log = logging.getLogger(__name__)

_ANY = Service("Receive", "MeterReadings")
"""Stands for the service until the message has said which one it means."""


def run_message_files(hub: Hub, stop: Event) -> None:
    """Look into the folders of every such role until `stop` is set; a role that is away is looked at again."""
    own = _section(hub.site)
    while not stop.is_set():
        for role in own.inbound:
            try:
                take_messages(hub, role)
            except UnavailableError as error:
                log.warning("%s: its files are taken when it is back: %s", role, error)
            except MisconfiguredError:
                # One partner's new host key must not stop the others; each look says it again until it is mended.
                log.exception("%s: its files cannot be taken until this is mended", role)
        stop.wait(own.poll_seconds)


def take_messages(hub: Hub, role: str) -> IntakeReport:
    """Take in the messages that lie in the folder of a role now, and return what became of each.

    Raises:
        UnavailableError: the partner's server, or what a message needs, is away; the next call does the rest.
        MisconfiguredError: the server refuses us, or the role's adapter offers no files.
    """
    this = _pass(hub, role, hub.transaction)
    return file_intake.take_in(
        role,
        this.port,
        handlers={},
        transaction=this.transaction,
        spool=this.spool,
        now=this.now,
        machine_now=this.machine_now,
        policy=this.policy,
        on_problem=this.on_problem,
        message=this.message,
    )


def take_file_again(hub: Hub, entry: int, role: str, path: str, transaction: Transaction, *, by: str) -> TakenFile:
    """Have a refused file of a role handled again for a person.

    Raises:
        RejectedError: there is nothing in it to handle again (NOT_REPLAYABLE).
    """
    return file_again.take_again(_pass(hub, role, transaction), entry, path=path, by=by)


def takers_of(hub: Hub, roles: Iterable[str]) -> dict[str, "FileTaker"]:
    """Return what takes the messages of those of these roles whose files are messages."""
    own = hub.site.model.files
    return {role: _taker(hub, role, hub.transaction) for role in roles if own is not None and role in own.inbound}


def callers_by_file(site: Site) -> ServeSection:
    """Return the roles whose files are messages as callers, as the endpoint's receiver knows them.

    Their folder has proven who they are, so none has a secret. Addresses for asynchronous answers are the endpoint's.
    """
    own, serve = _section(site), site.model.serve
    clients = {
        name: ClientSection(policy=one.policy, event_dialect=one.event_dialect, event_codes=one.event_codes)
        for name, one in own.inbound.items()
    }
    return ServeSection(
        certificate="",
        private_key="",
        edition=own.edition,
        policy=own.policy,
        clients=clients,
        replies=serve.replies if serve else {},
    )


def _section(site: Site) -> FilesSection:
    return site.model.files or FilesSection()


def _pass(hub: Hub, role: str, transaction: Transaction) -> Pass:
    """Return what one look into the folder of a role works with."""
    port, site, now = hub.port(role), hub.site.model, hub.now()
    if not hasattr(port, "offered"):
        reason = f"the adapter of {role!r} offers no files"
        raise MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where=hub.site.where(("files", "inbound", role)))
    policy = IntakePolicy(
        stable_s=site.roles[role].stable_seconds, zone=site.site.zone, receiver=site.site.sender, env=site.site.env
    )
    told = partial(_tell, queue=site.work.owners.get("integration", "integration"), now=now)
    taker = _taker(hub, role, transaction)
    return Pass(role, port, {}, transaction, hub.spool, now, hub.machine_now(), policy, on_problem=told, message=taker)


def _tell(session: Session, problem: IntakeProblem, *, queue: str, now: datetime) -> None:
    """Open work for a file that never became a message, as for a message that is parked."""
    if problem.state == "rejected":
        error = RejectedError(problem.reason, code=problem.code, where=problem.name)
        tell_parked(session, error, source=problem.role, queue=queue, now=now, known=True)


def _taker(hub: Hub, role: str, transaction: Transaction) -> "FileTaker":
    """Return what takes the messages of one role."""
    from services.cim_desk import answered
    from services.cim_site import operations_of, receiver_of

    # A rehearsal asks nobody: what it would be answered with is not looked at.
    wanted = hub.site.model.on_demand_read is not None and transaction is hub.transaction
    return FileTaker(
        hub=hub,
        partner=role,
        section=_section(hub.site),
        receive=receiver_of(hub, callers_by_file(hub.site), transaction),
        supported=operations_of(hub.site),
        answered=partial(answered, hub) if wanted else lambda _call, _reply: None,
        transaction=transaction,
    )


@dataclass(frozen=True, slots=True)
class FileTaker:
    """Takes the messages of one role durably, and says what each is answered with (`flows.file_handling`)."""

    hub: Hub
    partner: str
    section: FilesSection
    receive: Receive
    supported: frozenset[str]
    answered: Callable[[Call, Reply], HttpAnswer | None]
    transaction: Transaction

    def take(self, path: Path) -> MessageTaken:
        """Take the message in a file; a partner's ResponseMessage settles the delivery that it answers."""
        limits = XmlLimits(total_bytes=self.section.limit_bytes)
        with path.open("rb") as stream:
            raw = stream.read(limits.total_bytes + 1)
        digest = sha256(raw).hexdigest()
        if is_answer(raw, limits):
            reply = take_answer(
                self.hub, raw, self.partner, roles=[self.partner], limits=limits, transaction=self.transaction
            )
            return MessageTaken(reply, digest, b"")
        call = self._call(limits)
        call.too_large = len(raw) > limits.total_bytes
        reply = self.receive(raw, caller=self.partner, check=lambda data: check_call(plain(data, limits), call))
        return MessageTaken(reply, digest, b"" if reply.result == "BUSY" else self._answer(call, reply))

    def _call(self, limits: XmlLimits) -> Call:
        """Return a call as the endpoint knows it, whose caller the folder has proven."""
        own = self.section
        policy = own.inbound[self.partner].policy or own.policy
        edition = EDITIONS[own.edition]
        call = Call(_ANY, edition, self.partner, "", supported=self.supported, policy=policy, limits=limits)
        call.any_service, call.binding = True, "bare"
        return call

    def _answer(self, call: Call, reply: Reply) -> bytes:
        """Return the ResponseMessage, or the FaultMessage, that tells what became of a message."""
        hub = self.hub
        found = self.answered(call, reply) if reply.result == "OK" else None
        said = found or soap_answers.answer(reply, call, source=hub.site.model.site.sender, now=hub.now())
        return said.body
