"""Names of data files that travel between partners and the hub: patterns of an interface, both ways (domain 4.4)."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Literal

from canonical.codes import file as codes
from canonical.errors import RejectedError
from canonical.messages import FileIdentity

Kind = Literal[
    "request", "reference", "billed", "masters", "topology", "drop",
    "shipment", "completions", "field_orders", "route", "manual_reads",
]  # fmt: skip

PATTERNS: dict[Kind, str] = {
    "request": "BR_{sender}_{receiver}_{env}_{type}_{cycle}_{businessdate}_{seq6}_r{rev}.dat",
    "reference": "RF_{sender}_{receiver}_{env}_{kind}_{businessdate}_{seq6}_r{rev}.dat",
    "billed": "BX_{sender}_{receiver}_{env}_BILLED_{businessdate}_{seq6}_r{rev}.dat",
    "masters": "MX_{sender}_{receiver}_{env}_{mode}_{businessdate}_{seq6}_r{rev}.dat",
    "drop": "BD_{sender}_{receiver}_{env}_{type}_{cycle}_{businessdate}_{seq6}_p{part2}{last}_r{rev}.dat",
}
"""Names of docs/adapters/cis_flatfile.md; `{last}` is F in the last part of a run and empty before."""

TOPOLOGY: dict[Kind, str] = {"topology": "TP_{sender}_{receiver}_{env}_{mode}_{businessdate}_{seq6}_r{rev}.dat"}
"""Names of docs/adapters/gis_flatfile.md."""

SHIPMENT: dict[Kind, str] = {"shipment": "SH_{sender}_{receiver}_{env}_{businessdate}_{seq6}_r{rev}.dat"}
"""Names of docs/adapters/shipment_file.md."""

CONTRACTOR: dict[Kind, str] = {
    "completions": "CR_{sender}_{receiver}_{env}_{businessdate}_{seq6}_r{rev}.dat",
    "field_orders": "FO_{sender}_{receiver}_{env}_{businessdate}_{number}.dat",
}
"""Names of docs/adapters/contractor_file.md."""

ROUTE: dict[Kind, str] = {
    "manual_reads": "MR_{sender}_{receiver}_{env}_{businessdate}_{seq6}_r{rev}.dat",
    "route": "RX_{sender}_{receiver}_{env}_{businessdate}_{seq6}.dat",
}
"""Names of docs/adapters/route_file.md."""

_PLACES = {
    "sender": "[A-Za-z0-9-]{1,20}",
    "receiver": "[A-Za-z0-9-]{1,20}",
    "env": "[A-Za-z0-9]{1,10}",
    "type": "(?:ON|OFF|COR|CAN)",
    "kind": "[A-Z]{1,12}",
    "mode": "(?:FULL|CHANGES)",
    "cycle": "[A-Za-z0-9-]{1,10}",
    "businessdate": "[0-9]{8}",
    "seq6": "[0-9]{6}",
    "part2": "[0-9]{2,3}",
    "last": "F?",
    "rev": "[0-9]{1,3}",
    "number": "[0-9a-f]{12}",
}

_WRAPPER = re.compile(r"(\.gz|\.zip|\.pgp|\.gpg)*\Z", re.IGNORECASE)
_ANSWER = (".ack", ".nak", ".exc")
_SENT: tuple[Kind, ...] = ("masters", "topology", "drop", "field_orders", "route")
"""Kinds that the hub sends, and is answered for."""


@cache
def expression(pattern: str) -> re.Pattern[str]:
    """Return the expression of a pattern's names, a group for each place; KeyError for an unknown place."""
    pieces = re.split(r"\{(\w+)\}", pattern)
    return re.compile("".join(re.escape(p) if n % 2 == 0 else f"(?P<{p}>{_PLACES[p]})" for n, p in enumerate(pieces)))


def identify(name: str, patterns: Mapping[Kind, str] = PATTERNS) -> FileIdentity:
    """Return what a name says; wrappers such as `.gz` are no part of it, an answer bears its data file's stem.

    Raises:
        RejectedError: `UNKNOWN_NAME`: the name follows no pattern of this partner, or its date is none.
    """
    plain = _WRAPPER.sub("", name)
    if plain.lower().endswith(_ANSWER):
        return _answer(name, plain, patterns)
    for kind, pattern in patterns.items():
        match = expression(pattern).fullmatch(plain)
        if match is not None and kind in _MEANT:
            return _identity(kind, match.groupdict(), name)
    raise RejectedError(f"{name!r} follows no pattern of this partner", code=codes.UNKNOWN_NAME, where=name)


def _identity(kind: Kind, places: Mapping[str, str], name: str) -> FileIdentity:
    """Return the identity that the places of a name make."""
    run_type = places.get("type", places.get("kind", places.get("mode", "")))
    return FileIdentity(
        _MEANT[kind],
        sender=places.get("sender", ""),
        receiver=places.get("receiver", ""),
        env=places.get("env", ""),
        run_type=run_type,
        cycle=places.get("cycle", ""),
        business_date=_date(places["businessdate"], name) if "businessdate" in places else None,
        sequence=int(places["seq6"]) if "seq6" in places else None,
        revision=int(places.get("rev", 0)),
        # Whole files and changes are numbered apart.
        stream=f"{places.get('sender', '')}/{kind}/{run_type}" if "mode" in places else "",
    )


_MEANT: Mapping[
    Kind, Literal["request", "reference", "billed", "masters", "shipment", "completions", "manual_reads"]
] = {
    "request": "request",
    "reference": "reference",
    "billed": "billed",
    "masters": "masters",
    "topology": "masters",
    "shipment": "shipment",
    "completions": "completions",
    "manual_reads": "manual_reads",
}
"""What a file of a name is to whoever takes it in; the other kinds are only sent."""


def _answer(name: str, plain: str, patterns: Mapping[Kind, str]) -> FileIdentity:
    """Return the identity of an answer: its sender is the receiver of our file."""
    places: Mapping[str, str] = {}
    for sent in _SENT:
        stem, _, ending = patterns.get(sent, "").rpartition(".")
        match = expression(stem).fullmatch(plain[:-4].removesuffix(f".{ending}"))
        places = places if match is None else match.groupdict()
    return FileIdentity(
        "acknowledgement",
        sender=places.get("receiver", ""),
        receiver=places.get("sender", ""),
        env=places.get("env", ""),
    )


def _date(text: str, name: str) -> date:
    """Return a `yyyymmdd` date of a name."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise RejectedError(f"{text} in {name!r} is no date", code=codes.UNKNOWN_NAME, where=name) from error


def named(pattern: str, places: Mapping[str, str]) -> str:
    """Return the name that a pattern makes of its places."""
    return pattern.format_map(places)
