"""Packed files: opened within limits, one file in each, and never by their own idea of a path."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.codes import transport as codes
from canonical.errors import ErrorCode, MisconfiguredError, RejectedError
from sftp.wrapping import Limits, gzip_file, unwrap

SMALL = Limits(max_bytes=1 << 20, max_ratio=20, always_bytes=1 << 16)


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as packed:
        for name, data in members:
            packed.writestr(name, data)
    return stream.getvalue()


def test_a_file_without_wrapper_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "A.dat").write_bytes(b"plain")

    assert unwrap(tmp_path / "A.dat") == tmp_path / "A.dat"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("A.dat.gz", gzip.compress(b"one")),
        ("A.dat.gz", gzip.compress(b"o") + gzip.compress(b"ne")),
        ("A.zip", zipped(("any name.csv", b"one"))),
        ("A.ZIP", zipped(("without_extension", b"one"))),
        ("A.zip.gz", gzip.compress(zipped(("a", b"one")))),
    ],
)
def test_a_packed_file_gives_its_content_and_leaves_nothing_else(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)

    path = unwrap(tmp_path / name, limits=SMALL)

    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("A.gz", gzip.compress(bytes(1 << 21)), codes.WRAPPER_TOO_LARGE),
        ("A.gz", gzip.compress(bytes(1 << 17)), codes.WRAPPER_TOO_LARGE),
        ("A.zip", zipped(("a", bytes(1 << 21))), codes.WRAPPER_TOO_LARGE),
        ("A.gz", gzip.compress(gzip.compress(b"one"))[:-9], codes.WRAPPER_UNREADABLE),
        ("A.gz", b"not gzip", codes.WRAPPER_UNREADABLE),
        ("A.gz", gzip.compress(b"one") + b"rest", codes.WRAPPER_UNREADABLE),
        ("A.zip", b"not zip", codes.WRAPPER_UNREADABLE),
        (
            "A.zip",
            zipped(("a", b"one"), method=zipfile.ZIP_STORED).replace(b"one", b"two", 1),
            codes.WRAPPER_UNREADABLE,
        ),
        ("A.zip", zipped(), codes.WRAPPER_MEMBERS),
        ("A.zip", zipped(("a", b"1"), ("b", b"2")), codes.WRAPPER_MEMBERS),
        ("A.zip", zipped(("../a", b"1")), codes.WRAPPER_MEMBERS),
        ("A.zip", zipped(("folder/", b"")), codes.WRAPPER_MEMBERS),
        ("A.zip", zipped(("/etc/a", b"1")), codes.WRAPPER_MEMBERS),
    ],
)
def test_what_cannot_be_opened_safely_is_refused_and_left_packed(
    tmp_path: Path, name: str, data: bytes, code: ErrorCode
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(RejectedError) as refused:
        unwrap(tmp_path / name, limits=SMALL)

    assert refused.value.code == code
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_encrypted_file_without_a_key_is_a_setting_to_mend(tmp_path: Path) -> None:
    (tmp_path / "A.dat.pgp").write_bytes(b"x")

    with pytest.raises(MisconfiguredError) as missing:
        unwrap(tmp_path / "A.dat.pgp")

    assert missing.value.code == codes.PGP_NOT_CONFIGURED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=5000))
def test_gzip_gives_the_same_bytes_each_time_and_the_content_back(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "A.dat").write_bytes(data)

    gzip_file(tmp_path / "A.dat", tmp_path / "B.dat.gz")
    gzip_file(tmp_path / "A.dat", tmp_path / "C.dat.gz")

    assert (tmp_path / "B.dat.gz").read_bytes() == (tmp_path / "C.dat.gz").read_bytes()
    assert unwrap(tmp_path / "B.dat.gz").read_bytes() == data
