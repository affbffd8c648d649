import gzip
import hashlib
import json
from pathlib import Path

from canonical.messages import Manifest, Parcel
from sftp.outgoing import Wrapping, file_parcel

CHUNKS = (b"HDR|1\n", b"TRL|0\n")


def parcel(spool: Path, wrapping: Wrapping, name: str = "A_000001.dat") -> Parcel:
    def manifest(size: int, sha256: str) -> Manifest:
        return Manifest(
            name=name, bytes=size, sha256=sha256, records={}, totals={}, sequence=1, layout="x/1",
            produced_at="2026-01-01T00:00:00+00:00", zone="UTC",
        )  # fmt: skip

    return file_parcel(
        iter(CHUNKS), name, receiver="CIS", spool=spool, wrapping=wrapping, manifest=manifest, key="message"
    )


def test_a_file_waits_with_a_control_file_that_names_its_very_bytes(tmp_path: Path) -> None:
    made = parcel(tmp_path, Wrapping("", None))

    body = (tmp_path / made.path).read_bytes()
    control = json.loads((tmp_path / made.path).with_suffix(".ctl").read_text())
    assert body == b"".join(CHUNKS)
    assert (made.sha256, made.size) == (hashlib.sha256(body).hexdigest(), len(body))
    assert (control["sha256"], control["bytes"]) == (made.sha256, made.size)
    assert made.confirm_name == made.name == "A_000001.dat"
    assert made.content_type.startswith("text/plain")


def test_a_packed_file_travels_as_its_wrapper_and_is_the_same_when_it_is_made_again(tmp_path: Path) -> None:
    packed = Wrapping("gz", None)

    first, second = (parcel(tmp_path / folder, packed, f"A_000001.dat{packed.suffix}") for folder in ("one", "two"))

    assert first == second
    assert first.content_type == "application/gzip"
    assert gzip.decompress((tmp_path / "one" / first.path).read_bytes()) == b"".join(CHUNKS)
