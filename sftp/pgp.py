"""PGP by the `gpg` program: encrypted files opened only when a trusted key signed them, and made for a partner."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from canonical.codes import transport as codes
from canonical.errors import MisconfiguredError, RejectedError

_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Pgp:
    """Keys of one partner's interface; fingerprints are 40 hex digits of the primary key."""

    home: str
    """Folder of the key ring (GNUPGHOME)."""

    signers: tuple[str, ...] = ()
    """Fingerprints whose signature makes a file of this partner trusted."""

    recipient: str = ""
    """Fingerprint of the partner's key, for which files to it are encrypted."""

    own_key: str = ""
    """Fingerprint of our key, which signs files to it."""

    passphrase: str = field(default="", repr=False)


def decrypt(pgp: Pgp, source: Path, target: Path, max_bytes: int) -> None:
    """Decrypt a file and check who signed it.

    Raises:
        RejectedError: `PGP_UNREADABLE`, `PGP_SIGNER_UNKNOWN`, or `WRAPPER_TOO_LARGE` beyond `max_bytes`.
        MisconfiguredError: there is no gpg program.
    """
    with tempfile.TemporaryDirectory() as folder:
        status = Path(folder) / "status"
        arguments = ["--status-file", str(status), "--decrypt", str(source)]
        with _start(pgp, arguments) as gpg, target.open("wb") as plain:
            too_large = not _copy(gpg, plain.fileno(), max_bytes)
        lines = status.read_text(errors="replace").splitlines() if status.exists() else []
    if too_large:
        reason = f"decrypts to more than {max_bytes} bytes"
        raise RejectedError(reason, code=codes.WRAPPER_TOO_LARGE, where=source.name)
    _judge(pgp, [line.split()[1:] for line in lines if line.startswith("[GNUPG:] ")], source.name)


def _copy(gpg: subprocess.Popen[bytes], target: int, max_bytes: int) -> bool:
    """Copy what gpg decrypts; return False, with gpg stopped, when it is too much."""
    if gpg.stdout is None:
        return True
    while block := gpg.stdout.read(_BLOCK):
        max_bytes -= len(block)
        if max_bytes < 0:
            gpg.kill()
            return False
        os.write(target, block)
    return True


def _judge(pgp: Pgp, status: Sequence[Sequence[str]], where: str) -> None:
    """Check what gpg said: decrypted whole, and exactly one good signature, of a trusted key.

    "Valid" alone is worth nothing: any key in the ring could have made it. Expired and revoked keys do not say GOODSIG.
    """
    words = [line[0] for line in status if line]
    if "DECRYPTION_OKAY" not in words or "DECRYPTION_FAILED" in words:
        reason = "gpg cannot decrypt it: " + (" ".join(words) or "no OpenPGP data")
        raise RejectedError(reason[:200], code=codes.PGP_UNREADABLE, where=where)
    signers = [line[-1].upper() for line in status if line and line[0] == "VALIDSIG"]
    trusted = {signer.upper() for signer in pgp.signers}
    if words.count("GOODSIG") != 1 or len(signers) != 1 or signers[0] not in trusted:
        reason = f"signed by {', '.join(signers) or 'nobody'}"
        raise RejectedError(reason, code=codes.PGP_SIGNER_UNKNOWN, where=where)


def sign_and_encrypt(pgp: Pgp, source: Path, target: Path) -> None:
    """Encrypt a file for the partner, signed with our key. Each call gives other bytes: keep what was made once.

    Raises:
        MisconfiguredError: no keys are named, gpg refuses them, or there is no gpg program.
    """
    if not pgp.recipient or not pgp.own_key:
        raise MisconfiguredError("recipient and own_key must be set", code=codes.PGP_NOT_CONFIGURED)
    arguments = ["--yes", "--trust-model", "always", "--local-user", pgp.own_key, "--recipient", pgp.recipient]
    arguments += ["--output", str(target), "--sign", "--encrypt", str(source)]
    with _start(pgp, arguments) as gpg:
        _, said = gpg.communicate()
    if gpg.returncode != 0:
        reason = said.decode(errors="replace").strip()[-200:]
        raise MisconfiguredError(reason, code=codes.PGP_NOT_CONFIGURED, where=source.name)


def _start(pgp: Pgp, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start gpg on the interface's key ring; it never asks a person, and takes the passphrase from a pipe."""
    program = shutil.which("gpg")
    if program is None:
        raise MisconfiguredError("there is no gpg program", code=codes.PGP_NOT_CONFIGURED)
    reading, writing = os.pipe()
    try:
        os.write(writing, pgp.passphrase.encode() + b"\n")
        fixed = ["--homedir", pgp.home, "--batch", "--no-tty", "--pinentry-mode", "loopback"]
        return subprocess.Popen(  # noqa: S603  # arguments are ours; names follow an option each
            [program, *fixed, "--passphrase-fd", str(reading), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if "--encrypt" in arguments else subprocess.DEVNULL,
            pass_fds=(reading,),
        )
    finally:
        os.close(writing)
        os.close(reading)
