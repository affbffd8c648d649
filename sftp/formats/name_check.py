"""Whether a file's name and its header say the same: otherwise one of them was written for another file."""

from collections.abc import Mapping

from canonical.codes.file import NAME_HEADER_DIFFER
from canonical.errors import RejectedError
from canonical.messages import FileFacts, FileIdentity


def check_name(identity: FileIdentity, facts: FileFacts, *, where: str) -> FileFacts:
    """Return the facts of a file whose name is `identity`.

    Raises:
        RejectedError: its header names another sender or number (NAME_HEADER_DIFFER).
    """
    header: Mapping[str, str] = facts.header
    said = (identity.sender, identity.sequence)
    own = (header.get("sender", ""), _number(header.get("sequence", "")))
    if said != own:
        reason = f"the name says {said[0]} {said[1]}, the header {own[0]} {own[1]}"
        raise RejectedError(reason, code=NAME_HEADER_DIFFER, where=where)
    return facts


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
