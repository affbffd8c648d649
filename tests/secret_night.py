"""A billing night in which every secret and every personal value bears a mark, and nearly everything goes wrong."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub_by_hand import SITE, HubByHand, reference_file, reference_name, req, request_file, request_name, upt
from sqlalchemy import MetaData, select

from store.session import open_engine

ARCHIVED = {("message_body", "body"), ("delivery_payload", "body")}
"""Columns that hold what came and went, byte for byte: the archive, which has its own retention."""

NIGHT = (
    SITE.replace('host_keys = ["{host_key}"]', 'host_keys = ["{host_key}"]\npassword = "env:CIS_PASSWORD"')
    + """meter_data = "mdms"

[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "applied"
[roles.mdms.settings]
url = "https://127.0.0.1:{mdms_port}/cim/GetMeterReadings"
events_url = "https://127.0.0.1:{mdms_port}/cim/ReceiveMeterReadings"
user = "hub"
password = "env:MDMS_PASSWORD"
ca_file = "{ca_file}"

[store]
url = "env:HUB_DATABASE"
"""
)


def mark(kind: str) -> str:
    """Return a word that stands nowhere else."""
    return f"Zq{kind}{secrets.token_hex(8)}"


@dataclass
class SecretNight:
    """A hub whose secrets are known to the test."""

    hub: HubByHand
    secrets: dict[str, str]
    """Mark by what it is."""

    quoted: str
    """A value that stands where it cannot: its refusal quotes it, to its sender and to whoever looks the refusal up."""

    database: str

    def stumble(self) -> None:
        """Offer files that go right and wrong, some for a value that is quoted, some beside a personal one."""
        person, wrong = self.secrets["personal value"], self.quoted
        lines = [req(f"R{n}") for n in range(1, 100)]
        files = {
            reference_name(1): reference_file(1, upt("up-1")),
            request_name(1): request_file(1, *lines, req("R100", serial=person, start=wrong)),
            request_name(2): request_file(2, req("R101", serial=person), trailer=""),
            request_name(3): request_file(3, req("R102", serial=person), layout=f"{wrong}|1"),
            request_name(4): request_file(4, req("R103", serial=person), trailer=f"TRL|{wrong}|0|{wrong}"),
        }
        for name, data in files.items():
            self.hub.offer(name, data)

    def told_in_store(self) -> Iterator[tuple[str, str]]:
        """Yield place and text of every value in the hub's database outside of the archive."""
        engine = open_engine(self.database)
        known = MetaData()
        known.reflect(engine)
        with engine.connect() as connection:
            for table in known.tables.values():
                columns = [one for one in table.columns if (table.name, one.name) not in ARCHIVED]
                for row in connection.execute(select(*columns)):
                    yield from (
                        (f"{table.name}.{one.name}", str(value)) for one, value in zip(columns, row, strict=True)
                    )
        engine.dispose()


def found_in(marks: dict[str, str], places: Iterator[tuple[str, str]]) -> list[str]:
    """Return what of the marks is told where, each once."""
    return sorted({f"{kind} in {place}" for place, text in places for kind, mark in marks.items() if mark in text})


def files_below(folder: Path, *, besides: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield name and content of every file below a folder, but those in folders of these names."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not set(parts) & set(besides):
            yield str(path.relative_to(folder)), path.read_bytes().decode("latin-1")
