"""Control file and acknowledgement: the two small JSON documents beside a data file (cis_flatfile, "Rules")."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from canonical.billing import FileAcknowledgement, ItemVerdict, Verdict
from canonical.codes import transport as codes
from canonical.errors import ErrorCode, RejectedError
from canonical.messages import Manifest

MANIFEST_LIMIT = 1 << 20
"""Largest control file that is read, in bytes."""

ACKNOWLEDGEMENT_LIMIT = 256 << 20
"""Largest acknowledgement that is read, in bytes: about a million item verdicts."""

_ITEM_VERDICTS = frozenset(("ACCEPTED", "REJECTED", "DUPLICATE"))


def manifest_from_json(raw: bytes, *, where: str) -> Manifest:
    """Return what a control file says.

    Raises:
        RejectedError: `MANIFEST_UNREADABLE`, naming the field.
    """
    read = _Fields(raw, MANIFEST_LIMIT, codes.MANIFEST_UNREADABLE, where)
    return Manifest(
        name=read.text("name"),
        bytes=read.count("bytes"),
        sha256=read.text("sha256").lower(),
        records={kind: read.count(kind, of=value) for kind, value in read.mapping("records").items()},
        totals={name: read.decimal(name, value) for name, value in read.mapping("totals").items()},
        sequence=read.count("sequence"),
        previous_sequence=None if read.get("previous_sequence") is None else read.count("previous_sequence"),
        layout=read.text("layout", default=""),
        produced_at=read.text("produced_at", default=""),
        zone=read.text("zone", default=""),
    )


def manifest_to_json(manifest: Manifest) -> bytes:
    """Return the bytes of a control file; the same manifest gives the same bytes."""
    return _to_json(
        {
            "name": manifest.name,
            "bytes": manifest.bytes,
            "sha256": manifest.sha256,
            "records": dict(sorted(manifest.records.items())),
            "totals": {name: format(total, "f") for name, total in sorted(manifest.totals.items())},
            "sequence": manifest.sequence,
            "previous_sequence": manifest.previous_sequence,
            "layout": manifest.layout,
            "produced_at": manifest.produced_at,
            "zone": manifest.zone,
        }
    )


def acknowledgement_from_json(raw: bytes, *, where: str) -> FileAcknowledgement:
    """Return what a partner says of a file of ours.

    Raises:
        RejectedError: `ACKNOWLEDGEMENT_UNREADABLE`, naming the field.
    """
    read = _Fields(raw, ACKNOWLEDGEMENT_LIMIT, codes.ACKNOWLEDGEMENT_UNREADABLE, where)
    verdict = read.text("verdict")
    if verdict not in get_args(Verdict):
        raise read.refusal(f"verdict {verdict[:40]!r} is none of {', '.join(get_args(Verdict))}")
    return FileAcknowledgement(
        file_name=read.text("file"),
        sha256=read.text("sha256", default="").lower(),
        verdict=verdict,  # type: ignore[arg-type]  # checked above against the literal's own values
        code=read.text("code", default=""),
        reason=read.text("reason", default=""),
        items=tuple(_item(read, item) for item in read.listing("items")),
        at=read.instant("at"),
    )


def _item(read: "_Fields", fields: object) -> ItemVerdict:
    """Return the verdict on one item."""
    if not isinstance(fields, dict):
        raise read.refusal("an entry of `items` is not an object")
    verdict = fields.get("verdict")
    if verdict not in _ITEM_VERDICTS:
        raise read.refusal(f"item verdict {str(verdict)[:40]!r} is none of {', '.join(sorted(_ITEM_VERDICTS))}")
    return ItemVerdict(
        key=read.text("key", of=fields),
        verdict=verdict,
        code=read.text("code", default="", of=fields),
        reason=read.text("reason", default="", of=fields),
        line=read.count("line", of=fields.get("line") or 0),
    )


def acknowledgement_to_json(acknowledgement: FileAcknowledgement) -> bytes:
    """Return the bytes of an `.ack` file; the same acknowledgement gives the same bytes."""
    return _to_json(
        {
            "file": acknowledgement.file_name,
            "sha256": acknowledgement.sha256,
            "verdict": acknowledgement.verdict,
            "code": acknowledgement.code,
            "reason": acknowledgement.reason,
            "at": acknowledgement.at.isoformat(),
            "items": [
                {
                    "key": item.key,
                    "verdict": item.verdict,
                    "code": item.code,
                    "reason": item.reason,
                    "line": item.line,
                }
                for item in acknowledgement.items
            ],
        }
    )


def _to_json(document: Mapping[str, object]) -> bytes:
    """Return one line of UTF-8 JSON in the order given, ended by LF."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class _Fields:
    """The fields of one JSON object, each read as what it must be."""

    def __init__(self, raw: bytes, limit: int, code: ErrorCode, where: str) -> None:
        self._code, self._where = code, where
        if len(raw) > limit:
            raise self.refusal(f"{len(raw)} bytes; the limit is {limit}")
        try:
            # A number that is not an integer stays text: no float ever stands for a total.
            found = json.loads(raw.decode(), parse_float=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            raise self.refusal(f"not UTF-8 JSON: {error}") from error
        if not isinstance(found, dict):
            raise self.refusal("not a JSON object")
        self._found: dict[str, Any] = found

    def refusal(self, reason: str) -> RejectedError:
        """Return the error that refuses the document."""
        return RejectedError(reason, code=self._code, where=self._where)

    def get(self, name: str) -> object:
        """Return a field as it is, None where it is absent."""
        return self._found.get(name)

    def text(self, name: str, *, default: str | None = None, of: dict[str, Any] | None = None) -> str:
        """Return a text field; `default` stands for an absent or null one."""
        value = (self._found if of is None else of).get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or "\x00" in value:
            raise self.refusal(f"{name} is not a text")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise self.refusal(f"{name} holds half of a character") from error
        return value

    def count(self, name: str, *, of: object = ...) -> int:
        """Return a whole number from 0 to 2**63 - 1."""
        value = self._found.get(name) if of is ... else of
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
            raise self.refusal(f"{name} is not a whole number from 0")
        return value

    def decimal(self, name: str, value: object) -> Decimal:
        """Return an exact number, written as text."""
        try:
            number = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
        except InvalidOperation as error:
            raise self.refusal(f"total {name} is not a number") from error
        if number is None or not number.is_finite() or abs(number.adjusted()) > 40:
            raise self.refusal(f"total {name} is not a number")
        return number

    def mapping(self, name: str) -> dict[str, Any]:
        """Return an object field, empty where absent."""
        value = self._found.get(name) or {}
        if not isinstance(value, dict):
            raise self.refusal(f"{name} is not an object")
        return value

    def listing(self, name: str) -> list[Any]:
        """Return a list field, empty where absent."""
        value = self._found.get(name) or []
        if not isinstance(value, list):
            raise self.refusal(f"{name} is not a list")
        return value

    def instant(self, name: str) -> datetime:
        """Return an instant with offset."""
        text = self.text(name)
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise self.refusal(f"{name} {text[:40]!r} is not an ISO 8601 instant") from error
        if instant.tzinfo is None:
            raise self.refusal(f"{name} {text[:40]!r} has no offset")
        return instant
