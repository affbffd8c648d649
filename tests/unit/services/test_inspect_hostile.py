"""`amihub inspect` on what somebody made to do harm: a coded refusal, an exit code, and never a traceback."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.cli_inspect import inspect_command

app = typer.Typer()
app.command("inspect")(inspect_command)

LAUGHS = b'<!DOCTYPE a [<!ENTITY b0 "ha">%s]><a>&b20;</a>' % b"".join(
    b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 21)
)
EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
READINGS = b'<MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">%s</MeterReadings>'


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip with these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def lying_zip() -> bytes:
    """A zip whose directory says that its member is small, and whose member is not."""
    data, size = zipped(("a", bytes(64 << 20))), (64 << 20).to_bytes(4, "little")
    return data.replace(size, (1000).to_bytes(4, "little"))


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "zip bomb": ("a.zip", zipped(("a", bytes(64 << 20))), "7061 WRAPPER_TOO_LARGE"),
    "zip that lies about its size": ("a.zip", lying_zip(), "70"),
    "zip in a zip": ("a.zip", zipped(("b.zip", zipped(("a", bytes(8 << 20))))), "70"),
    "zip that leaves its folder": ("a.zip", zipped(("../../etc/cron.d/x", b"garbage")), "70"),
    "zip with two members": ("a.zip", zipped(("a", b"1"), ("b", b"2")), "7062 WRAPPER_MEMBERS"),
    "zip with no member": ("a.zip", zipped(), "7062 WRAPPER_MEMBERS"),
    "gzip bomb": ("a.gz", gzip.compress(bytes(64 << 20)), "7061 WRAPPER_TOO_LARGE"),
    "gzip cut short": ("a.gz", gzip.compress(b"100,NEM12" * 999)[:-9], "7060 WRAPPER_UNREADABLE"),
    "billion laughs": ("a.xml", LAUGHS, "1102 DTD_REFUSED"),
    "external entity": ("a.xml", EXTERNAL, "1102 DTD_REFUSED"),
    "deep xml": ("a.xml", READINGS % (b"<a>" * 10_000), "11"),
    "many attributes": ("a.xml", READINGS % (b"<a " + b" ".join(b'b%d=""' % n for n in range(100_000)) + b"/>"), "11"),
    "cut xml": ("a.xml", READINGS[:40], "1101 NOT_XML"),
    "garbage": ("a.bin", bytes(range(256)) * 40, "7053 FORMAT_UNKNOWN"),
    "garbage named as csv": ("a.csv", bytes(range(256)) * 40, "70"),
    "one endless line": ("a.csv", b"100," + b"9" * (16 << 20), "70"),
    "zeros": ("a.csv", bytes(1 << 20), "70"),
    "empty": ("a.csv", b"", "70"),
    "empty without a name to guess by": ("a", b"", "7053 FORMAT_UNKNOWN"),
    "utf-16": ("a.csv", "100,NEM12,202601020000,MDP,HUB\n900\n".encode("utf-16"), "70"),
}
"""Name and content, and the beginning of the code."""


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_by_code_with_exit_code_1(case: str, tmp_path: Path) -> None:
    name, content, code = HOSTILE[case]
    (tmp_path / name).write_bytes(content)

    result = CliRunner().invoke(app, [str(tmp_path / name), "--json"])

    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["accepted"], found["channels"]) == (False, [])
    assert found["errors"][0]["code"].startswith(code), found["errors"][0]
    assert all(" " in fault["code"] and fault["reason"] for fault in found["errors"])
    assert len(result.stdout) < 100_000


@pytest.mark.parametrize("format", ["nem", "billing-drop", "cim"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", LAUGHS, b"HDR|\n" * 3, b"300,1\n" * 3], ids=range(5))
def test_no_format_reads_what_is_not_its_own(format: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)

    result = CliRunner().invoke(app, [str(tmp_path / "a"), "--format", format])

    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert "refused" in result.stdout


@pytest.mark.parametrize("name", ["", "missing.csv"], ids=["a directory", "no such file"])
def test_what_cannot_be_opened_ends_with_exit_code_2_and_one_line(name: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / name)])

    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert "cannot be opened" in result.output
