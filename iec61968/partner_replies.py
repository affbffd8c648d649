"""What a partner's reply to a message that we told means for its delivery."""

from collections.abc import Mapping, Sequence

from canonical.codes import message as codes
from canonical.messages import Outcome
from canonical.refusals import OPERATION, Refusal, refusals_to_text
from iec61968.dialects.reply_codes import is_fine, is_retryable
from iec61968.envelope import ReplyError, WireReply

ALREADY: Mapping[str, tuple[str, ...]] = {"create": ("7007",), "close": ("7008",)}
"""Codes of a partner that say of a link that it is what we want it to be, by verb: it stands already, it stands no
more (Connexo; the module's letters before the number do not count)."""


def outcome_of(
    reply: WireReply | None, *, verb: str, reference: str = "", already: Mapping[str, Sequence[str]] | None = None
) -> Outcome:
    """Return what a reply means: confirmed, rejected with what failed object by object, or unavailable.

    `verb` is the imperative of what was said. An error that says that the wanted state holds already is none. A PARTIAL
    whose every error may pass is tried again: what was taken the first time is known to its receiver.
    """
    if reply is None:
        return Outcome("rejected", str(codes.PARTNER_REFUSED), "the answer has no Reply")
    holds = tuple((already or {}).get(verb, ()))
    bad = [error for error in reply.errors if not is_fine(error.code) and error.level in ("FATAL", "CATASTROPHIC")]
    real = [error for error in bad if not _says(error, holds)]
    if reply.result == "OK" or (bad and not real):
        return Outcome("confirmed", reference=reference, reason=_said(bad))
    shown = real or list(reply.errors)
    said = _said(shown) or f"{reply.result} without an Error"
    if shown and all(is_retryable(error.code) for error in shown):
        return Outcome("unavailable", str(codes.PARTNER_AWAY), said, reference)
    code = codes.PARTNER_TOOK_PART if reply.result == "PARTIAL" else codes.PARTNER_REFUSED
    return Outcome("rejected", str(code), said, reference)


def _says(error: ReplyError, wanted: Sequence[str]) -> bool:
    """Return whether an error bears one of the numbers, with or without letters before it."""
    return any(error.code == one or (error.code.endswith(one) and error.code[: -len(one)].isalpha()) for one in wanted)


def _said(errors: Sequence[ReplyError]) -> str:
    """Return every error: the operation of a set or the object that it is about, code, reason."""
    return refusals_to_text(_refusal(error) for error in errors)


def _refusal(error: ReplyError) -> Refusal:
    why = error.reason or error.details
    if error.operation_id is None:
        return Refusal(error.object_type, error.object_id, error.code, why)
    about = f"{error.object_type} {error.object_id}".strip()
    return Refusal(OPERATION, str(error.operation_id), error.code, f"{about}: {why}" if about else why)
