"""Judging a file before anything of it is applied: every row of the file edge-case table (domain 4.5)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from canonical.codes import file as codes
from canonical.codes import transport
from canonical.errors import ErrorCode, RejectedError
from canonical.messages import FileFacts, FileIdentity, Manifest
from canonical.periods import local_date
from flows.file_handling import IntakePolicy
from store import files
from store.files import IntakeFile
from store.session import Session

_ENVELOPE = ("HDR", "TRL")
"""Records that a format may leave out of its facts; a control file counts them."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done with a file."""

    act: Literal["apply", "refuse", "duplicate", "hold"]
    code: ErrorCode | None = None
    """None only for a file that is applied without remark."""

    reason: str = ""
    alert: bool = False
    """Whether a waiting time ran out: a person is told once more."""

    resend: bool = False
    """Whether the file is damaged, so that the sender is asked for it again."""

    @property
    def says(self) -> str:
        """Return the code as text, empty where there is none."""
        return str(self.code) if self.code else ""


APPLY = Judgement("apply")


def judge_arrival(session: Session, file: IntakeFile, sha256: str, *, is_answer: bool) -> Judgement:
    """Say whether the very same thing came before, under this name or another.

    An acknowledgement may be said again with other words: its handler decides what the later one changes.
    """
    first = files.namesake(session, file)
    if first is not None and first.sha256 == sha256:
        told = f"{first.verdict} {first.code}".strip()
        return Judgement(
            "duplicate", transport.DUPLICATE_FILE, f"came on {first.first_seen_at:%Y-%m-%d %H:%MZ}: {told}"
        )
    if is_answer:
        return APPLY
    if first is not None:
        reason = f"came on {first.first_seen_at:%Y-%m-%d %H:%MZ} with sha256 {first.sha256}"
        return Judgement("refuse", transport.NAME_REUSED, reason)
    if (twin := files.twin(session, file, sha256)) is not None:
        return Judgement("duplicate", transport.DUPLICATE_CONTENT, f"the same content came as {twin.name}")
    return APPLY


def judge_identity(identity: FileIdentity, *, kinds: Collection[str], policy: IntakePolicy) -> None:
    """Check that the file is for us and of a kind that somebody handles.

    Raises:
        RejectedError: `KIND_NOT_HANDLED`, `WRONG_RECEIVER`.
    """
    if identity.kind not in kinds:
        raise RejectedError(f"kind {identity.kind!r}", code=transport.KIND_NOT_HANDLED)
    for said, ours in ((identity.receiver, policy.receiver), (identity.env, policy.env)):
        if said and ours and said != ours:
            raise RejectedError(f"it is for {said}, this is {ours}", code=transport.WRONG_RECEIVER)


def judge_facts(identity: FileIdentity, manifest: Manifest | None, facts: FileFacts, *, policy: IntakePolicy) -> None:
    """Compare what was read with what the control file says, and count the bad items.

    Raises:
        RejectedError: `MANIFEST_MISMATCH`, `TRAILER_MISMATCH` or `TOO_MANY_ERRORS`: the file is refused whole.
    """
    if manifest is not None:
        _compare(identity, manifest, facts)
    if facts.bad_items and Decimal(100) * facts.bad_items > policy.max_error_percent * facts.items:
        reason = f"{facts.bad_items} of {facts.items} items are bad; {policy.max_error_percent} % are allowed"
        raise RejectedError(reason, code=transport.TOO_MANY_ERRORS)


def _compare(identity: FileIdentity, manifest: Manifest, facts: FileFacts) -> None:
    """Compare sequence, counts and totals."""
    if identity.sequence is not None and manifest.sequence != identity.sequence:
        reason = f"sequence {manifest.sequence} in the control file, {identity.sequence} in the name"
        raise RejectedError(reason, code=transport.MANIFEST_MISMATCH)
    for kind in sorted({*manifest.records, *facts.records}) if manifest.records else ():
        if kind in _ENVELOPE and kind not in (manifest.records.keys() & facts.records.keys()):
            continue
        said, read = manifest.records.get(kind, 0), facts.records.get(kind, 0)
        if said != read:
            reason = f"{said} {kind} records in the control file, {read} in the file"
            raise RejectedError(reason, code=codes.TRAILER_MISMATCH)
    for name in sorted(manifest.totals.keys() & facts.totals.keys()):
        if manifest.totals[name] != facts.totals[name]:
            reason = f"total {name}: {manifest.totals[name]} in the control file, {facts.totals[name]} in the file"
            raise RejectedError(reason, code=codes.TRAILER_MISMATCH)


def judge_turn(session: Session, file: IntakeFile, *, policy: IntakePolicy, now: datetime) -> Judgement:
    """Say whether it is the file's turn: its business date has come, and the files before it in its stream.

    A late file is taken: what lateness means is its handler's to say. A number that was skipped, found missing, and
    comes after all is taken too.
    """
    if file.released_by:
        return APPLY
    today = local_date(now, ZoneInfo(policy.zone))
    if file.business_date is not None and not (
        today - timedelta(days=policy.oldest_days) <= file.business_date <= today
    ):
        reason = f"business date {file.business_date}, today is {today}"
        return Judgement("hold", transport.BUSINESS_DATE_WRONG, reason)
    return APPLY if file.sequence is None else _judge_sequence(session, file, file.sequence, policy, now)


def _judge_sequence(
    session: Session, file: IntakeFile, sequence: int, policy: IntakePolicy, now: datetime
) -> Judgement:
    """Place a file in its stream: next, again, too early, or from before our time."""
    place = files.place_in_stream(session, file)
    if place.last is None or place.lowest is None:
        return APPLY
    if place.taken_by or sequence < place.lowest:
        reason = f"sequence {sequence} after {place.last}" + (f", taken by {place.taken_by}" if place.taken_by else "")
        return Judgement("refuse", transport.SEQUENCE_REGRESSION, reason)
    if sequence <= place.last + 1:
        return APPLY
    missing = f"sequence {sequence} after {place.last}: {sequence - place.last - 1} missing"
    if now < (file.held_since or now) + timedelta(hours=float(policy.gap_hours)):
        return Judgement("hold", transport.SEQUENCE_GAP, missing)
    return Judgement("apply" if policy.order == "any" else "hold", transport.SEQUENCE_GAP, missing, alert=True)
