"""Data files as the CIS interface defines them (docs/adapters/cis_flatfile.md): written and answered by hand.

A file is written under a temporary name, renamed, and its control file comes last, by the same steps.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Written:
    """A data file that was put on offer."""

    name: str
    sha256: str
    body: bytes


def hash_of(keys: Iterable[str]) -> str:
    """Return the trailer's hash: sha256 of all keys in order, each followed by LF."""
    return hashlib.sha256("".join(f"{key}\n" for key in keys).encode()).hexdigest()


def body_of(lines: Sequence[str]) -> bytes:
    """Return lines as the bytes of a data file."""
    return ("\n".join(lines) + "\n").encode()


def manifest_of(
    name: str,
    body: bytes,
    *,
    sequence: int,
    layout: str,
    produced_at: str,
    zone: str,
    totals: dict[str, str] | None = None,
) -> bytes:
    """Return the control file of a data file."""
    records = Counter(line.split("|", 1)[0] for line in body.decode().splitlines())
    return json.dumps(
        {
            "name": name,
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "records": dict(sorted(records.items())),
            "totals": totals or {},
            "sequence": sequence,
            "previous_sequence": sequence - 1 if sequence > 1 else None,
            "layout": layout,
            "produced_at": produced_at,
            "zone": zone,
        },
        indent=1,
    ).encode()


def stem_of(name: str) -> str:
    """Return a file name without its last extensions (`.dat`, `.dat.gz`, `.csv`, `.zip`)."""
    for ending in (".dat.gz", ".dat", ".csv", ".zip"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def put(folder: Path, name: str, body: bytes) -> None:
    """Put one file on offer: whole, never seen half-written.

    Raises:
        FileExistsError: the name was used before.
    """
    target = folder / name
    if target.exists():
        raise FileExistsError(target)
    partial = folder / f".{name}.part"
    with partial.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())
    os.rename(partial, target)


def acknowledge(
    folder: Path,
    name: str,
    sha256: str,
    verdict: str,
    *,
    at: str,
    items: Sequence[dict[str, object]] = (),
    code: str = "",
    reason: str = "",
) -> None:
    """Write the acknowledgement of a data file; a second one of the same name replaces nothing."""
    answer = {
        "file": name, "sha256": sha256, "verdict": verdict, "code": code, "reason": reason, "at": at,
        "items": list(items),
    }  # fmt: skip
    put(folder, stem_of(name) + ".ack", json.dumps(answer, indent=1).encode())


def read_acknowledgement(path: Path) -> dict[str, object]:
    """Return what an acknowledgement says."""
    answer: dict[str, object] = json.loads(path.read_text())
    return answer
