"""Values of a layout's fields to and from text: numbers, instants, dates, codes, yes and no."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from re import escape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical.codes import file as codes
from canonical.errors import RejectedError
from sftp.layout import Field

Render = Callable[[Any], str]
Read = Callable[[str], Any]

KEPT_INSTANTS = 20_000
"""Instants whose text is kept: a cycle has few different ones, and the memory stays bounded."""

_DECIMAL = r"-?[0-9]+(?:\.[0-9]+)?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INSTANT = _DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"


def pattern(field: Field, separator: str) -> str:
    """Return the expression that a field's text matches, blanks of the fixed-width form already taken off.

    A field that is not mandatory may be empty. Control characters are looked for in whole blocks of lines instead
    (`sftp.layout_lines`), which is several times as fast.
    """
    if field.constant:
        return escape(field.constant)
    body = _body(field, separator)
    if field.mandatory:
        return body
    return f"{body[:-1]}*" if body.startswith("[^") else f"(?:{body})?"


def _body(field: Field, separator: str) -> str:
    """Return the expression of a field that is not empty."""
    if field.kind == "text":
        return f"[^{escape(separator)}]+"
    if field.kind == "code":
        return "(?:" + "|".join(escape(c) for c in sorted(field.codes.values(), key=len, reverse=True)) + ")"
    if field.kind == "decimal":
        if field.implied:
            return "-?[0-9]+"
        return f"-?[0-9]+(?:\\.[0-9]{{1,{field.scale}}})?" if field.scale else "-?[0-9]+"
    if field.kind in ("date", "time") and field.format:
        return f"[^{escape(separator)}]+"
    return {
        "int": "-?[0-9]+",
        "instant": _INSTANT,
        "date": _DATE,
        "time": "[0-9]{2}:[0-9]{2}",
        "bool": "[YN]",
    }[field.kind]


def reading(field: Field) -> Read | None:
    """Return the function from text to value, or None where the text is the value.

    An empty field is None (text: empty), never zero. The function raises ValueError for 31 February and the like.
    """
    if field.kind == "text":
        return None
    if field.kind == "code":
        words = {wire: word for word, wire in field.codes.items()}
        if all(wire == word for wire, word in words.items()):
            return None
        return {"": "", **words}.__getitem__
    if field.kind == "decimal" and field.implied:
        return lambda text: Decimal(text).scaleb(-field.scale) if text else None
    if field.kind in ("date", "time") and field.format:
        return _reading_format(field)
    if field.kind == "int":
        return _Counts({"": field.empty}).__getitem__
    if field.kind == "decimal" and field.mandatory:
        return Decimal
    return _PLAIN[field.kind]


def _reading_format(field: Field) -> Read:
    """Return the function from a date or time in a pattern of its own to a date or time."""

    def read(text: str) -> Any:
        if not text:
            return None
        moment = datetime.strptime(text, field.format)  # noqa: DTZ007 (a local date or time: no zone belongs to it)
        return moment.date() if field.kind == "date" else moment.time()

    return read


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


class _Counts(dict[str, int | None]):
    """Texts of whole numbers to numbers; short ones are kept, because counts repeat."""

    def __missing__(self, text: str) -> int:
        """Return the number of a text that is not kept."""
        number = int(text)
        if len(text) <= 3:
            self[text] = number
        return number


@lru_cache(maxsize=KEPT_INSTANTS)
def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


@lru_cache(maxsize=KEPT_INSTANTS)
def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _time(text: str) -> time | None:
    """Return a local clock time; 24:00 is the midnight that ends the day, kept as 00:00."""
    if not text:
        return None
    return time(0) if text == "24:00" else time.fromisoformat(text)


_PLAIN: dict[str, Read] = {
    "decimal": _decimal,
    "instant": _instant,
    "date": _date,
    "time": _time,
    "bool": {"": None, "Y": True, "N": False}.__getitem__,
}


def rendering(field: Field, zone: ZoneInfo) -> Render:
    """Return the function from value to text; local times are written in `zone`. None and "" give an empty field."""
    if field.constant:
        return lambda _value: field.constant
    render = _rendering(field, zone)
    if not field.mandatory:
        return render

    def render_mandatory(value: Any) -> str:
        text = render(value)
        if not text:
            raise RejectedError("mandatory, but there is no value", code=codes.FIELD_MISSING, where=field.name)
        return text

    return render if field.kind in ("int", "bool") else render_mandatory


def _rendering(field: Field, zone: ZoneInfo) -> Render:
    """Return the function from a value, perhaps none, to text."""
    if field.kind == "text":
        return _text_of_text
    if field.kind == "code":
        return _rendering_code(field)
    if field.kind == "decimal":
        return _rendering_decimal(field)
    if field.kind == "bool":
        return lambda value: "" if value is None else "Y" if value else "N"
    if field.kind == "int":
        return lambda value: "" if value is None else str(value)
    return _rendering_time(field, zone)


def _text_of_text(value: Any) -> str:
    return "" if value is None else str(value)


def _rendering_code(field: Field) -> Render:
    """Return the function from a canonical word to the wire's word."""
    words = {"": "", **field.codes}

    def render(value: Any) -> str:
        try:
            return words[value or ""]
        except KeyError:
            reason = f"{value!r} has no word in this layout"
            raise RejectedError(reason, code=codes.UNWRITABLE_VALUE, where=field.name) from None

    return render


def _rendering_decimal(field: Field) -> Render:
    """Return the function from a Decimal to plain digits; never rounds, never writes an exponent."""
    least = -field.scale

    def render(value: Decimal | None) -> str:
        if value is None:
            return ""
        text = str(value)
        if "E" in text:
            text = format(value, "f")
        _, point, fraction = text.partition(".")
        if len(fraction) > field.scale or not value.is_finite():
            shortened = fraction[field.scale :].strip("0")
            if shortened or not value.is_finite():
                reason = f"{value} needs more than {field.scale} decimals"
                raise RejectedError(reason, code=codes.UNWRITABLE_VALUE, where=field.name)
            text = text[: len(text) - len(fraction) + field.scale].rstrip(".") if point else text
        return text

    if not field.implied:
        return render
    return lambda value: "" if value is None else render_implied(value, render, least)


def render_implied(value: Decimal, render: Render, exponent: int) -> str:
    """Return a number without its decimal point, in units of 10**exponent."""
    render(value)
    return str(int(value.scaleb(-exponent)))


def _rendering_time(field: Field, zone: ZoneInfo) -> Render:
    """Return the function from an instant, date or time to text."""

    @lru_cache(maxsize=KEPT_INSTANTS)
    def render(value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, datetime):
            value = value.astimezone(zone)
            if field.kind == "instant":
                return str(value.isoformat())
        if field.format:
            return str(value.strftime(field.format))
        if field.kind == "date":
            return str(value.strftime("%Y-%m-%d"))
        return str(value.strftime("%H:%M"))

    return render


@lru_cache(maxsize=1_000)
def is_zone(name: str) -> bool:
    """Whether a name is an IANA zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
