"""Looking at a fetched file: what its name says, whether it is whole, whether it may be applied now."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from canonical.codes.transport import TOO_MANY_ERRORS
from canonical.errors import RejectedError
from canonical.messages import FetchedFile, FileFacts, FileIdentity, Manifest
from flows.file_handling import FileContext
from flows.file_judgement import APPLY, Judgement, judge_arrival, judge_facts, judge_identity, judge_turn
from flows.file_pass import Pass
from store.files import IntakeFile

_KINDS = (
    *("acknowledgement", "reference", "masters", "shipment", "completions", "readings", "manual_reads"),
    *("billed", "message", "request"),
)
"""Order in which kinds of one pass are taken: what others need first, requests last."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A file in our spool with what is to be done with it."""

    file: IntakeFile
    path: Path
    sha256: str
    judgement: Judgement
    identity: FileIdentity | None = None
    """None when the name follows no pattern."""

    facts: FileFacts | None = None
    """None when the file was not read to its end."""

    is_open: bool = True
    """False for a file whose wrapper could not be opened: nobody can read what is in it."""

    is_whole: bool = True
    """False for a file without control file that does not read as a whole one: it may still grow."""

    @property
    def is_answer(self) -> bool:
        """Whether it is an acknowledgement, which nobody acknowledges."""
        return self.identity is not None and self.identity.kind == "acknowledgement"

    @property
    def context(self) -> FileContext:
        """Return the file as its handler sees it.

        Raises:
            ValueError: it was not read to its end.
        """
        if self.identity is None or self.facts is None:
            raise ValueError(f"{self.file.name} was not examined")
        file = self.file
        return FileContext(
            file.file_id, file.role, file.name, self.identity, self.facts, self.sha256, file.first_seen_at
        )


def identity_of(this: Pass, name: str) -> FileIdentity | None:
    """Return what a name says, None when it follows no pattern."""
    try:
        return this.port.identify(name)
    except RejectedError:
        return None


def kind_of(this: Pass, name: str) -> str:
    """Return the kind that a name says, empty when it follows no pattern."""
    identity = identity_of(this, name)
    return identity.kind if identity is not None else ""


def is_answer(this: Pass, name: str) -> bool:
    """Whether a name is that of an acknowledgement."""
    return kind_of(this, name) == "acknowledgement"


def rank(this: Pass, file: IntakeFile) -> tuple[int, str, int, int, str]:
    """Return the place of a file among those of one pass: kind, stream, sequence, revision, name."""
    identity = identity_of(this, file.name)
    if identity is None:
        return (len(_KINDS), "", 0, 0, file.name)
    return (_KINDS.index(identity.kind), _stream(identity), identity.sequence or 0, identity.revision, file.name)


def describe(row: IntakeFile, identity: FileIdentity | None) -> None:
    """Write into a ledger row what its name says."""
    if identity is not None:
        row.kind, row.sender, row.stream = identity.kind, identity.sender, _stream(identity)
        row.sequence, row.revision, row.business_date = identity.sequence, identity.revision, identity.business_date


def _stream(identity: FileIdentity) -> str:
    """Return the name of the stream in which sequence numbers rise."""
    return identity.stream or f"{identity.sender}/{identity.kind}"


def examine(this: Pass, file: IntakeFile, fetched: FetchedFile | None) -> Examined:
    """Judge a file by every rule of the edge-case table; `fetched` is None for one that lies in our spool already."""
    path = this.spool / file.path if fetched is None else fetched.path
    sha256 = file.sha256 if fetched is None else fetched.sha256
    identity = identity_of(this, file.name)
    if fetched is not None:
        with this.transaction() as session:
            arrival = judge_arrival(session, file, sha256, is_answer=is_answer(this, file.name))
        if arrival is not APPLY:
            return Examined(file, path, sha256, arrival, identity, is_open=fetched.refusal is None)
    try:
        if fetched is not None and fetched.refusal is not None:
            raise fetched.refusal
        identity = this.port.identify(file.name)
        judge_identity(identity, kinds=this.kinds, policy=this.policy)
    except RejectedError as error:
        damaged = fetched is not None and error is fetched.refusal
        return Examined(file, path, sha256, _refusal(error, resend=damaged), identity)
    return _read(this, file, path, sha256, identity, fetched.manifest if fetched else None)


def _read(
    this: Pass, file: IntakeFile, path: Path, sha256: str, identity: FileIdentity, manifest: Manifest | None
) -> Examined:
    """Read the whole file once, then see whether it is its turn."""
    try:
        with path.open("rb") as stream:
            facts = this.port.examine(stream, identity=identity, where=file.name)
    except RejectedError as error:
        whole = file.has_manifest or _gave_up(this, file)
        if whole and identity.kind == "message":  # refused by its receiver, as it would be on any other carrier
            return Examined(file, path, sha256, APPLY, identity)
        return Examined(file, path, sha256, _refusal(error, resend=True), identity, is_whole=whole)
    try:
        judge_facts(identity, manifest, facts, policy=this.policy)
    except RejectedError as error:
        return Examined(file, path, sha256, _refusal(error, resend=error.code != TOO_MANY_ERRORS), identity)
    describe(file, identity)
    with this.transaction() as session:
        turn = APPLY if file.state == "working" else judge_turn(session, file, policy=this.policy, now=this.now)
    return Examined(file, path, sha256, turn, identity, facts)


def _refusal(error: RejectedError, *, resend: bool) -> Judgement:
    """Return the judgement on a file that is refused whole."""
    reason = f"{error.where}: {error.reason}" if error.where else error.reason
    return Judgement("refuse", error.code, reason, resend=resend)


def _gave_up(this: Pass, file: IntakeFile) -> bool:
    """Whether a file without control file has stood still for so long that nothing more will come."""
    return this.machine_now - file.stable_since >= timedelta(seconds=this.policy.give_up_s)
