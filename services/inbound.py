"""Who takes what came in: the handlers of every source of a site, for a person who has something handled again.

source                       handled by
role with an inbox           the billing interfaces that work it, by kind of file; files of masters and of a rollout by
                             their flows
caller of the web services   the receiver that the endpoint itself uses, small messages and large ones
partner of an inbound queue  the same receiver; what it answers is told to the partner's next repeat
role in [files.inbound]      the same receiver, likewise; a file that never became a message is judged again
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from canonical.codes.message import MESSAGE_TOO_LARGE, NOT_REPLAYABLE
from canonical.errors import RejectedError
from flows import retake
from flows.billing_exchange.retaken import take_file_again
from flows.file_handling import TakenFile
from flows.parked_work import resolve_parked
from flows.retake import Archived
from services.hub import Hub
from services.site_model import ServeSection
from store.session import Transaction


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of something that was handled again, or would."""

    result: str
    """OK, PARTIAL, FAILED or BUSY for a message; the verdict for a file."""

    code: str
    reason: str
    counts: str = ""


def take_again(hub: Hub, entry: int, *, by: str, line: int = 0, dry_run: bool = False) -> Taken:
    """Have what came in handled again by whoever takes such things, and return the outcome; a dry run leaves no trace.

    The bytes are those that were archived, the id stays, and the sender's next repeat is told the new outcome. The work
    of its refusal is resolved when it is taken, and counted again when it is not. `line` names one rejected item of a
    file.

    Raises:
        RejectedError: there is no such entry, nobody takes what it is, or it was taken whole (NOT_REPLAYABLE).
        UnavailableError, MisconfiguredError: as its handler raises; it may be handled again later.
    """
    kept = retake.look(entry, transaction=hub.transaction)
    if dry_run:
        with retake.rehearsal(hub.transaction) as transaction:
            return _take(hub, kept, transaction, by=by, line=line)
    taken = _take(hub, kept, hub.transaction, by=by, line=line)
    resolve_parked([kept.source], transaction=hub.transaction, now=hub.now())
    return taken


def _take(hub: Hub, kept: Archived, transaction: Transaction, *, by: str, line: int) -> Taken:
    """Hand an entry to the handlers of its source."""
    section = _callers(hub, kept.source)
    if kept.source in hub.site.model.roles and kept.name:
        return _file(hub, kept, transaction, by=by, line=line)
    if section is None:
        reason = f"nobody at this site takes what {kept.source!r} sends"
        raise RejectedError(reason, code=NOT_REPLAYABLE, where=f"entry {kept.entry}")
    if kept.code == str(MESSAGE_TOO_LARGE):
        reason = "only its beginning was kept, it was too large"
        raise RejectedError(reason, code=NOT_REPLAYABLE, where=f"entry {kept.entry}")
    retake.reopen(kept.entry, transaction=transaction, now=hub.now(), by=by)
    return _message(hub, section, kept, transaction)


def _callers(hub: Hub, source: str) -> ServeSection | None:
    """Return the callers to whom a source belongs: those of the web services, or those whose queue proves them."""
    model = hub.site.model
    if model.serve is not None and source in model.serve.clients:
        return model.serve
    if model.messaging is not None and source in model.messaging.inbound:
        from services.site_queues import callers_of

        return callers_of(hub.site)
    if model.files is not None and source in model.files.inbound:
        from services.message_files import callers_by_file

        return callers_by_file(hub.site)
    return None


def sources(hub: Hub) -> list[str]:
    """Return every caller of the web services, and every partner of an inbound queue."""
    model = hub.site.model
    callers = set(model.serve.clients) if model.serve else set()
    callers |= set(model.files.inbound) if model.files else set()
    return sorted(callers | (set(model.messaging.inbound) if model.messaging else set()))


def _file(hub: Hub, kept: Archived, transaction: Transaction, *, by: str, line: int) -> Taken:
    """Hand a file to whoever works its inbox: message files, masters, the rollout, or billing interfaces."""
    if hub.site.model.files is not None and kept.source in hub.site.model.files.inbound:
        from services.message_files import take_file_again as take_message_again

        taken = take_message_again(hub, kept.entry, kept.source, kept.path, transaction, by=by)
        return Taken(taken.verdict, taken.code, taken.reason)
    again = _of_a_flow(hub, kept)
    if again is not None:
        taken = again(hub, kept.entry, role=kept.source, path=kept.path, line=line, by=by, transaction=transaction)
        return Taken(taken.verdict, taken.code, taken.reason)
    names: Sequence[str] = [name for name, section in hub.site.model.billing.items() if kept.source in section.inboxes]
    if not names:
        reason = f"no billing interface works the inbox of {kept.source!r}"
        raise RejectedError(reason, code=NOT_REPLAYABLE, where=f"entry {kept.entry}")
    others = [name for name in hub.site.billing_interfaces if name != names[0]]
    done = take_file_again(
        [hub.billing(name) for name in (names[0], *others)],
        kept.entry,
        role=kept.source,
        port=hub.port(kept.source),
        path=kept.path,
        line=line,
        by=by,
        transaction=transaction,
        spool=hub.spool,
        now=hub.now(),
        machine_now=hub.machine_now(),
    )
    counts = f"{done.accepted} accepted, {done.rejected} rejected, {done.duplicates} repeated"
    return Taken(done.verdict, done.code, done.reason, counts)


def _of_a_flow(hub: Hub, kept: Archived) -> Callable[..., TakenFile] | None:
    """Return who takes a file of masters or of a rollout again; None for files of billing."""
    from services import masters_files, rollout_files

    name = kept.name.partition("#")[0]
    if masters_files.is_masters(hub, kept.source, name):
        return masters_files.take_file_again
    return rollout_files.take_file_again if rollout_files.is_rollout(hub, kept.source, name) else None


def _message(hub: Hub, section: ServeSection, kept: Archived, transaction: Transaction) -> Taken:
    """Hand a message of the web services to the endpoint's own receiver; its sender has proven who it is before."""
    from iec61968.bulk_call import Spooled, edition_of_head, shell_of
    from iec61968.editions import EDITIONS
    from iec61968.services_spoken import Service
    from iec61968.soap_call import Call, check_call
    from services.cim_site import bulk_of, operations_of, receiver_of

    edition = EDITIONS[section.edition]
    call = Call(
        Service("Receive", "MeterReadings"), edition, kept.source, "", supported=operations_of(hub.site),
        policy=section.clients[kept.source].policy or section.policy,
    )  # fmt: skip
    call.any_service = True  # under which address it came is not kept: the message itself says what it is
    if kept.body is not None:
        receive = receiver_of(hub, section, transaction)
        reply = receive(kept.body, caller=kept.source, check=lambda data: check_call(_plain(data), call))
    else:
        again = _linked(hub.spool / kept.path)
        try:
            with again.open("rb") as stream:
                head = stream.read(HEAD_BYTES)
            shell = shell_of(head) or head
            reply = bulk_of(hub, section, transaction).receive(
                Spooled(again, kept.sha256, kept.size),
                call=call,
                check=lambda: check_call(shell, call),
                edition=edition_of_head(head, edition),
            )
        finally:
            again.unlink(missing_ok=True)
    counts = ", ".join(f"{name} {count}" for name, count in reply.details.items())
    return Taken(reply.result, reply.code, reply.reason, counts)


def _plain(raw: bytes) -> bytes:
    """Return a body unpacked: partners may pack what they put into a queue."""
    from iec61968.compression import CompressionLimits, expand_bytes

    return expand_bytes(raw, limits=CompressionLimits(), where="body") if raw.startswith(GZIP) else raw


GZIP = b"\x1f\x8b"
HEAD_BYTES = 2 * 1024 * 1024
"""Beginning of a large message that is read to see what stands around its readings."""


def _linked(place: Path) -> Path:
    """Return a second name of an archived body: whoever takes a body in moves or drops the name that it was given."""
    again = place.with_name(f".{place.name}.again")
    again.unlink(missing_ok=True)
    os.link(place, again)
    return again
