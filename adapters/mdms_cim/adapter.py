"""The port of an MDMS over IEC 61968-9 web services: asked for readings, told what was billed and changed. No state."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from adapters.mdms_cim.settings import Settings, settings_from
from adapters.mdms_cim.translate import columns_from_notice, question_id, wire_of_notice
from canonical.billing import BilledNotice
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.master_data import MasterData
from canonical.messages import Header, Message, Outcome, Parcel
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.ports import HeldNoun
from canonical.questions import AnswerFollowsError
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.canonical_nouns.readings import readings_from_columns
from iec61968.held_masters import held_in_batches, judge
from iec61968.nouns import get_meter_readings, meter_readings
from iec61968.nouns.get_meter_readings import GetMeterReadings
from iec61968.nouns.meter_readings import BadMeterReading, Each
from iec61968.partner import parcel_around, parcel_of, tell
from iec61968.soap_client import Partner, SoapClient
from iec61968.wire import WireMessage

log = logging.getLogger(__name__)


def build(settings: Mapping[str, object]) -> "CimMeterData":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing or wrong.
    """
    return CimMeterData(settings_from(settings))


class CimMeterData:
    """An MDMS that answers GetMeterReadings and hears CreatedMeterReadings (canonical.ports.MeterDataSystem)."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before it is used."""
        self._settings = settings

    @property
    def operations_per_message(self) -> int:
        """Return how many messages it takes in one (`canonical.messages.Several`)."""
        return self._settings.partner.speech.conventions.operations_per_message

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        """Yield what the MDMS holds for the questions; a usage point that it cannot answer is left out, and logged.

        So is a single MeterReading whose values cannot be read, with code and place; the others are kept.

        One call for each span, purpose and batch of usage points. Until the last reading of a call has been
        yielded, a mistake later in its answer may still raise: what was yielded before it is true all the same.

        Raises:
            UnavailableError: no answer in time, a server fault, or the connection was cut.
            AnswerFollowsError: everything that came at once was yielded; the rest comes under its correlation id.
            RejectedError: it refused the question, or its answer is not valid.
            MisconfiguredError: its certificate is not the pinned one, or it refuses our credentials.
        """
        client = self._client(self._settings.url, "GetMeterReadings")
        awaited: dict[str, Sequence[str]] = {}
        begun: set[str] = set()
        try:
            for batch in batches(questions, self._settings.batch):
                yield from self._ask(client, batch, timeout_s, awaited, begun)
        finally:
            client.close()
        if awaited:
            raise AnswerFollowsError(awaited, begun=begun)

    def _ask(
        self,
        client: SoapClient,
        batch: Sequence[ReadingQuestion],
        timeout_s: float,
        awaited: dict[str, Sequence[str]],
        begun: set[str],
    ) -> Iterator[MeterReadings]:
        """Ask one question about many usage points; note what is said to follow (reply codes 0.1, and 0.3 alone)."""
        first = batch[0]
        points = tuple(question.usage_point for question in batch)
        types = first.reading_types
        payload = GetMeterReadings(points, first.period, first.reason, "METER" if first.fresh else "", types)
        identity = question_id((*points, *types), first.period, first.reason, fresh=first.fresh)
        header = Header(
            message_id=identity,
            source=self._settings.partner.speech.sender,
            verb="get",
            noun=meter_readings.NOUN,
            correlation_id=mint("cim-conversation", identity),
            # The same question is the same bytes in every run, so its time is the end of the span asked for.
            created_at=first.period.end,
            reply_address=self._settings.reply_address,
        )
        request = {"GetMeterReadings": get_meter_readings.as_values(payload)}
        with client.call("GetMeterReadings", header, timeout_s, Request=request) as answer:
            judge(answer.reply, identity)
            said = {error.code for error in answer.reply.errors}
            told: set[str] = set()
            for one in readings_of_answer(answer.each, source=self._settings.source, where=f"answer to {identity}"):
                told.add(one.usage_point)
                yield one
        if "0.1" in said or ("0.3" in said and not told):
            awaited[header.correlation_id] = [point for point in points if point not in told]
            if told:
                begun.add(header.correlation_id)

    def held(self, noun: HeldNoun, ids: Sequence[str], *, as_of: datetime, timeout_s: float) -> Iterator[MasterData]:
        """Yield what the MDMS holds of meters or usage points (mRIDs), one message for each batch of them.

        What it does not have is left out, and logged. Objects that cannot be understood are refused by themselves.

        Raises:
            UnavailableError: no answer in time, or the connection was cut.
            RejectedError: it refused the question, or its answer cannot be read.
            MisconfiguredError: its certificate is not the pinned one, or it refuses our credentials.
        """
        own = self._settings
        yield from held_in_batches(
            noun, ids, own.partner, batch=own.batch, source=own.source, as_of=as_of, timeout_s=timeout_s
        )

    def understand(self, wire: WireMessage, *, source: str) -> Message[MasterData]:
        """Return what a message of this MDMS says of master data; `source` is who proved to be the sender.

        Raises:
            RejectedError: not master data, or nothing can be made of the message as a whole.
        """
        partner = self._settings.partner
        strict = partner.peer.policy == "strict"
        return master_data_from_wire(wire, source=source, conventions=partner.speech.conventions, strict=strict)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return what the MDMS is told: what was billed, master data, readings of an exchange, a document of any noun.

        Raises:
            RejectedError: it cannot be said, or what would be said breaks its schema.
        """
        payload = message.payload
        notices: Sequence[Any] = payload if isinstance(payload, tuple) else (payload,)
        if notices and all(isinstance(notice, BilledNotice) for notice in notices):
            speech = self._settings.partner.speech
            columns = [columns_from_notice(notice) for notice in notices]
            element = meter_readings.to_xml(columns, edition=speech.edition)
            notice = wire_of_notice(message.header, element, sender=speech.sender)
            return parcel_around(notice, self._settings.partner, key=message.header.message_id)
        return parcel_of(message, self._settings.partner)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Bring parcels over, in order; Result OK confirms, PARTIAL names what was refused. Failures are outcomes."""
        return tell(parcels, self._settings.partner, timeout_s=timeout_s)

    def ping(self) -> Iterator[str]:
        """Yield one line for each address of the MDMS that answers at all, with our certificate and credentials.

        Raises:
            UnavailableError: it does not answer.
            MisconfiguredError: its certificate is not the pinned one.
        """
        for url, service in (
            (self._settings.url, "GetMeterReadings"),
            (self._settings.events_url, "ReceiveMeterReadings"),
        ):
            client = self._client(url, service)
            try:
                yield f"{url} answers HTTP {client.reach(timeout_s=10.0)}"
            finally:
                client.close()

    def _client(self, url: str, service: str) -> SoapClient:
        peer = self._settings.partner.peer
        asked = Partner(
            url, peer.user, peer.password, peer.ca_file, peer.edition, peer.policy,
            client_certificate=peer.client_certificate,
        )  # fmt: skip
        return SoapClient(asked, service)


def batches(questions: Sequence[ReadingQuestion], size: int) -> Iterator[Sequence[ReadingQuestion]]:
    """Yield questions that one call can ask: same span, purpose, freshness and types; each usage point once."""

    def kind(question: ReadingQuestion) -> tuple[Any, ...]:
        return (question.period, question.reason, question.fresh, question.reading_types)

    for _, group in groupby(sorted(questions, key=lambda q: (*kind(q), q.usage_point)), key=kind):
        alike = list({question.usage_point: question for question in group}.values())
        for start in range(0, len(alike), size):
            yield alike[start : start + size]


def readings_of_answer(each: Iterable[Each], *, source: str, where: str) -> Iterator[MeterReadings]:
    """Yield the MeterReadings of an answer that can be read; log code and place of one that cannot."""
    for number, one in enumerate(each, 1):
        place = f"{where} MeterReading[{number}]"
        try:
            if isinstance(one, BadMeterReading):
                raise one.error
            yield readings_from_columns(one, source=source, where=place)
        except RejectedError as error:
            log.warning("%s left out: %s at %s", place, error.code, error.where)
