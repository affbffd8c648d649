"""A `[billing.<interface>]` table becomes a `Policy`: types by the policy's own fields, mistakes with their line."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, get_args, get_origin, get_type_hints

from canonical.codes.configuration import SITE_FILE_INVALID
from canonical.errors import MisconfiguredError
from flows.billing_exchange.policy import LadderStep, Policy

_SPAN = re.compile(r"(-?\d+)\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def policy_of(interface: str, values: Mapping[str, Any], *, where: str) -> Policy:
    """Return the policy that the table's values state; what it leaves out has the policy's default.

    Raises:
        MisconfiguredError: an unknown key, or a value that is not of its field's kind; `where` is the table's place.
    """
    hints = get_type_hints(Policy)
    made: dict[str, Any] = {"interface": interface}
    for key, value in values.items():
        if key not in hints:
            near = difflib.get_close_matches(key, list(hints), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise _mistake(interface, key, f"unknown key{hint}", where)
        try:
            made[key] = _value(hints[key], value)
        except (ValueError, TypeError, InvalidOperation, KeyError) as error:
            raise _mistake(interface, key, f"{value!r} does not fit ({error})", where) from error
    return Policy(**made)


def _mistake(interface: str, key: str, said: str, where: str) -> MisconfiguredError:
    """Return the error for one key of an interface's table."""
    return MisconfiguredError(f"billing.{interface}.{key}: {said}", code=SITE_FILE_INVALID, where=where)


def _value(kind: Any, value: Any) -> Any:
    """Return a TOML value as the kind that a policy field has; "" means "not given" where a field may be None.

    Raises:
        ValueError: the value is not of that kind.
    """
    options = [option for option in get_args(kind) if option is not type(None)]
    if type(None) in get_args(kind):
        return None if value == "" else _value(options[0], value)
    origin = get_origin(kind)
    if origin is tuple and options and options[0] is LadderStep:
        return tuple(_step(step) for step in value)
    if origin in (tuple, frozenset):
        return origin(value)
    if origin is not None and origin.__name__ == "Mapping":
        return dict(value)
    if origin is not None:  # Literal
        if value not in options:
            raise ValueError(f"one of {', '.join(map(str, options))}")
        return value
    makers: dict[Any, Callable[[Any], Any]] = {
        Decimal: lambda v: Decimal(str(v)),
        time: time.fromisoformat,
        timedelta: _span,
        int: int,
        str: str,
    }
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return value
    return makers[kind](value)


def _span(text: str) -> timedelta:
    """Return a span written as a number and s, m, h or d, such as `24h` or `-30m`.

    Raises:
        ValueError: it is not written so.
    """
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise ValueError("a number and s, m, h or d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _step(step: Mapping[str, Any]) -> LadderStep:
    """Return one rung of the ladder from its table."""
    unknown = set(step) - {field.name for field in fields(LadderStep)}
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))} in a ladder step")
    return LadderStep(**{**step, "offset": _span(str(step["offset"]))})
