"""PGP by the gpg program: what we encrypt, the partner reads; what the partner sends must bear a trusted signature."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.cis_flatfile import adapter as cis_flatfile
from canonical.billing import BillingPart
from canonical.codes import transport as codes
from canonical.errors import ErrorCode, MisconfiguredError, RejectedError
from canonical.messages import Header, Message
from sftp.formats import billing_drop
from sftp.names import stem
from sftp.outgoing import spool_file
from sftp.pgp import Pgp, sign_and_encrypt
from sftp.wrapping import Limits, unwrap

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(shutil.which("gpg") is None, reason="there is no gpg program"),
]

GOLDEN = Path(__file__).resolve().parents[2] / "adapters" / "cis_flatfile" / "golden"
SETTINGS = {"host": "sftp.cis.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
PLAIN = b"HDR|1\nTRL|0\n"


def gpg(home: str, *arguments: str) -> str:
    command = ["gpg", "--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", ""]
    return subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def keys() -> Iterator[dict[str, str]]:
    """Fingerprints of hub, partner and stranger, all in one key ring, and the ring's folder as `home`."""
    # A socket's path may have 108 bytes at most, which the test's own temporary folder would exceed.
    home = tempfile.mkdtemp(prefix="gpg-")
    found = {"home": home}
    try:
        for name in ("hub", "partner", "stranger"):
            gpg(home, "--quick-generate-key", f"{name}@example.test", "ed25519", "sign", "never")
            listing = gpg(home, "--with-colons", "--list-keys", f"{name}@example.test").splitlines()
            found[name] = next(line.split(":")[9] for line in listing if line.startswith("fpr"))
            gpg(home, "--quick-add-key", found[name], "cv25519", "encr", "never")
        yield found
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False)
        shutil.rmtree(home)


@pytest.fixture
def pgp(keys: dict[str, str]) -> Pgp:
    """What the partner would set up to write to us and read from itself."""
    return Pgp(keys["home"], signers=(keys["partner"],), recipient=keys["hub"], own_key=keys["partner"])


def encrypted(tmp_path: Path, pgp: Pgp, data: bytes = PLAIN) -> Path:
    (tmp_path / "plain").write_bytes(data)
    sign_and_encrypt(pgp, tmp_path / "plain", tmp_path / "A.dat.pgp")
    return tmp_path / "A.dat.pgp"


def test_a_file_signed_by_a_trusted_key_is_opened(tmp_path: Path, pgp: Pgp) -> None:
    assert unwrap(encrypted(tmp_path, pgp), pgp=pgp).read_bytes() == PLAIN


def test_a_signature_of_another_key_in_the_ring_is_not_enough(tmp_path: Path, pgp: Pgp, keys: dict[str, str]) -> None:
    path = encrypted(tmp_path, replace(pgp, own_key=keys["stranger"]))

    refuse(path, pgp, codes.PGP_SIGNER_UNKNOWN)


def test_an_unsigned_file_is_refused(tmp_path: Path, pgp: Pgp, keys: dict[str, str]) -> None:
    (tmp_path / "plain").write_bytes(PLAIN)
    path = tmp_path / "A.dat.pgp"
    recipient = ["--trust-model", "always", "--recipient", keys["hub"]]
    gpg(keys["home"], *recipient, "--output", str(path), "--encrypt", str(tmp_path / "plain"))

    refuse(path, pgp, codes.PGP_SIGNER_UNKNOWN)


def test_a_file_that_is_not_pgp_or_was_cut_is_refused(tmp_path: Path, pgp: Pgp) -> None:
    path = encrypted(tmp_path, pgp)
    path.write_bytes(path.read_bytes()[:-20])
    refuse(path, pgp, codes.PGP_UNREADABLE)

    path.write_bytes(b"hello")
    refuse(path, pgp, codes.PGP_UNREADABLE)


def test_a_small_file_that_decrypts_to_too_much_is_refused(tmp_path: Path, pgp: Pgp) -> None:
    path = encrypted(tmp_path, pgp, bytes(4 << 20))

    refuse(path, pgp, codes.WRAPPER_TOO_LARGE, Limits(max_bytes=1 << 20))


def test_without_keys_nothing_is_encrypted(tmp_path: Path, pgp: Pgp) -> None:
    with pytest.raises(MisconfiguredError) as missing:
        encrypted(tmp_path, replace(pgp, recipient=""))
    with pytest.raises(MisconfiguredError) as unknown:
        encrypted(tmp_path, replace(pgp, recipient="0" * 40))

    assert missing.value.code == unknown.value.code == codes.PGP_NOT_CONFIGURED


def test_a_drop_for_a_partner_with_a_key_is_signed_and_encrypted_once(tmp_path: Path, keys: dict[str, str]) -> None:
    hub = {"home": keys["home"], "own_key": keys["hub"], "recipient": keys["partner"]}
    plain = cis_flatfile.build(SETTINGS).encode(drop(), spool=tmp_path / "plain")
    port = cis_flatfile.build({**SETTINGS, "pgp": hub})

    first, again = (port.encode(drop(), spool=tmp_path / "locked") for _ in range(2))

    wire = tmp_path / "locked" / first.path
    control = json.loads(wire.with_name(f"{stem(first.name)}.ctl").read_text())
    assert first == again, "gpg never gives the same bytes twice; a parcel does"
    assert (first.name, first.content_type) == (f"{plain.name}.pgp", "application/pgp-encrypted")
    assert (control["name"], control["bytes"], control["sha256"]) == (first.name, first.size, first.sha256)
    assert [path.name for path in wire.parent.iterdir() if b"DET|" in path.read_bytes()] == []
    opened = unwrap(wire, pgp=Pgp(keys["home"], signers=(keys["hub"],)))
    assert opened.read_bytes() == (tmp_path / "plain" / plain.path).read_bytes()


def test_other_content_under_the_same_name_is_encrypted_anew(tmp_path: Path, pgp: Pgp) -> None:
    path = tmp_path / "A.dat.pgp"
    first = spool_file(iter((b"one",)), path, pgp=pgp)

    second = spool_file(iter((b"two",)), path, pgp=pgp)

    assert first != second
    assert unwrap(path, pgp=pgp).read_bytes() == b"two"


def drop() -> Message[BillingPart]:
    wire = GOLDEN / "drop_with_exchange_net_and_no_read" / "wire.dat"
    return Message(Header("m1", "AMIHUB", "created", "BillingPart"), billing_drop.part_from_bytes(wire.read_bytes()))


def refuse(path: Path, pgp: Pgp, code: ErrorCode, limits: Limits | None = None) -> None:
    with pytest.raises(RejectedError) as refused:
        unwrap(path, limits=limits or Limits(), pgp=pgp)

    assert refused.value.code == code
    assert not list(path.parent.glob("*.plain"))
