"""The consumer: bare CIM messages from the hub's inbound queues into the spine, as the web services take theirs.

Who sent a message is proven by the queue on which it came; what its headers claim is kept and never believed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event

from canonical.codes import message as codes
from canonical.errors import RejectedError, UnavailableError
from canonical.ids import mint
from canonical.messages import Message, Outcome, Reply
from flows import spine
from flows.parked_work import tell_parked
from iec61968 import soap_answers
from iec61968.editions import EDITIONS
from iec61968.safe_xml import XmlLimits
from iec61968.services_spoken import Service
from iec61968.soap_answers import HttpAnswer
from iec61968.soap_call import Call, check_call
from iec61968.soap_endpoint import Receive
from messaging.letters import Arrival, Letter
from messaging.port import Queues, open_queues
from services.hub import Hub
from services.messaging_section import MessagingSection
from services.partner_answers import is_answer, plain, take_answer
from services.site_queues import callers_of, messaging_of, section_of

log = logging.getLogger(__name__)

_ANY = Service("Receive", "MeterReadings")
"""Stands for the service until the message has said which one it means."""


def run_consumer(hub: Hub, stop: Event) -> None:
    """Take messages from every inbound queue of the site until `stop` is set; what was begun is ended first.

    Raises:
        MisconfiguredError: the site has no queues, or the broker refuses us or holds other ones.
    """
    queues = open_queues(messaging_of(hub.site))
    try:
        if section_of(hub.site).declare_queues:
            _declare(queues, stop)
        taker = taker_of(hub, queues)
        keys = [f"in.{name}" for name in section_of(hub.site).inbound]
        queues.consume(keys, taker.take, refuse=taker.refuse, stop=stop)
    finally:
        queues.close()


def _declare(queues: Queues, stop: Event) -> None:
    """Make missing queues, as soon as the broker is there."""
    while not stop.is_set():
        try:
            queues.declare()
        except UnavailableError as error:
            log.warning("the broker is away, the queues are declared when it is back: %s", error)
            stop.wait(5.0)
        else:
            return


def taker_of(hub: Hub, queues: Queues) -> "Taker":
    """Return what takes the letters of a site."""
    from services.cim_desk import answered
    from services.cim_site import operations_of, receiver_of

    wanted = hub.site.model.on_demand_read
    return Taker(
        hub=hub,
        queues=queues,
        section=section_of(hub.site),
        receive=receiver_of(hub, callers_of(hub.site)),
        supported=operations_of(hub.site),
        answered=partial(answered, hub) if wanted else lambda _call, _reply: None,
    )


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes letters durably, and answers those that ask for an answer."""

    hub: Hub
    queues: Queues
    section: MessagingSection
    receive: Receive
    supported: frozenset[str]
    answered: Callable[[Call, Reply], HttpAnswer | None]

    def take(self, arrival: Arrival) -> None:
        """Take one letter: archived, handled or parked in the hub, answered. Returning, it may leave its queue.

        Raises:
            UnavailableError: what it needs is away, or another worker is at it; it is put off.
            MisconfiguredError: the hub is set up wrong; it is put off.
        """
        letter, partner = arrival.letter, arrival.queues.partition(".")[2]
        if is_answer(letter.body, self._limits):
            roles = [role for role, one in self.hub.site.model.roles.items() if one.settings.get("queue") == partner]
            take_answer(self.hub, letter.body, partner, roles=roles, limits=self._limits)
            return
        call = self._call(partner)
        reply = self.receive(letter.body, caller=partner, check=lambda raw: self._check(raw, letter, call))
        if reply.result == "BUSY":
            raise UnavailableError("another worker is at it", code=codes.BEING_PROCESSED, where=letter.message_id)
        if letter.reply_to and self._may_answer(letter, partner):
            self._answer(letter, call, reply)

    def refuse(self, arrival: Arrival, error: RejectedError) -> None:
        """Archive and park a letter in the hub that its consumer gives up: it is seen where everything parked is."""
        self._park(arrival.letter.body, arrival.queues.partition(".")[2], error)

    @property
    def _limits(self) -> XmlLimits:
        return XmlLimits(total_bytes=self.section.limit_bytes)

    def _call(self, partner: str) -> Call:
        """Return a call as the endpoint knows it, whose caller the queue has proven."""
        own = self.section
        policy = own.inbound[partner].policy or own.policy
        call = Call(
            _ANY,
            EDITIONS[own.edition],
            partner,
            "",
            supported=self.supported,
            policy=policy,
            limits=self._limits,
        )
        call.any_service, call.binding = True, "bare"
        return call

    def _check(self, raw: bytes, letter: Letter, call: Call) -> bytes:
        """Return the message in the form that the receiver reads.

        Raises:
            RejectedError: as `check_call`; packed beyond the limit; or an answer is asked for where none may go.
        """
        unpacked = plain(raw, self._limits)
        if letter.reply_to and not self._may_answer(letter, call.caller or ""):
            raise RejectedError(
                f"{letter.reply_to!r} is no reply queue of {call.caller}",
                code=codes.REPLY_ADDRESS_REFUSED,
                where="reply_to",
            )
        return check_call(unpacked, call)

    def _may_answer(self, letter: Letter, partner: str) -> bool:
        return self._answers_in(letter, partner) is not None

    def _answers_in(self, letter: Letter, partner: str) -> str | None:
        """Return the key of the queues in which a partner asks for its answer, where it may."""
        for name in self.section.inbound[partner].reply_to:
            places = (name, f"amihub.out.{name}", *(f"amihub.out.{name}.{each}" for each in ("high", "normal")))
            if letter.reply_to in places:
                return f"out.{name}"
        return None

    def _answer(self, letter: Letter, call: Call, reply: Reply) -> None:
        """Tell the partner what became of its message; the message leaves its queue when the answer is in its own.

        Raises:
            UnavailableError: the answer is not there; the message comes again, and its answer with it.
        """
        hub = self.hub
        found = self.answered(call, reply) if reply.result == "OK" else None
        said = found or soap_answers.answer(reply, call, source=hub.site.model.site.sender, now=hub.now())
        answer = Letter(
            body=said.body,
            message_id=mint("cim-reply", call.caller or "", letter.message_id, letter.correlation_id),
            source=hub.site.model.site.sender,
            correlation_id=letter.correlation_id or letter.message_id,
            causation_id=letter.message_id,
            verb="reply",
            noun=call.service.noun,
            schema_version=self.section.edition,
            priority=letter.priority,
        )
        key = self._answers_in(letter, call.caller or "") or ""
        (outcome,) = self.queues.publish(key, [answer], timeout_s=self.section.timeout_seconds)
        if outcome.state != "confirmed":
            raise UnavailableError(outcome.reason, code=codes.PARTNER_AWAY, where=key)

    def _park(self, raw: bytes, partner: str, error: RejectedError) -> None:
        def translate(_raw: bytes) -> Message[Outcome]:
            raise error

        instant = self.hub.now()
        spine.receive(
            raw,
            source=partner,
            translate=translate,
            handle=lambda _session, _message: Reply("FAILED"),
            transaction=self.hub.transaction,
            now=instant,
            machine_now=self.hub.machine_now(),
            on_park=partial(tell_parked, source=partner, queue="integration", now=instant, known=True),
        )
