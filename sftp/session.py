"""One SFTP session with one partner: pinned host keys, fast ciphers, and every failure as one of our errors."""

import base64
import errno
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm

from canonical.codes import transport as codes
from canonical.errors import HubError, MisconfiguredError, UnavailableError

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
"""AES-GCM first: authenticated, and 1.6 times as fast as CTR with a separate MAC; no CBC."""

# paramiko logs every failure that it also raises; one report of it is enough.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class SftpSettings:
    """Where a partner's SFTP server is, how we log in, and which host keys it may show."""

    host: str
    user: str
    host_keys: tuple[str, ...]
    """Pinned keys as `type base64`, several at once during a rotation; any other key is a hard stop."""

    port: int = 22
    private_key: str = ""
    """Path of our private key file (OpenSSH or PEM)."""

    passphrase: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    connect_timeout_s: float = 10.0
    auth_timeout_s: float = 30.0
    transfer_timeout_s: float = 60.0
    """Longest silence inside a transfer."""

    keepalive_s: int = 30


@dataclass(slots=True)
class SftpSession:
    """An open session; carries any number of files, one after another."""

    client: paramiko.SFTPClient
    place: str
    """`user@host:port`, named in every error."""

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Turn what the server or the network refuses inside the block into our errors.

        Raises:
            FileNotFoundError: the server knows no such file; each caller knows what that means.
            UnavailableError: the server is away, hung up or fell silent (`SFTP_AWAY`), or could not store
                what was written (`SFTP_STORE_FAILED`).
            MisconfiguredError: it does not permit what was asked (`SFTP_PERMISSION`).
        """
        try:
            yield
        except (HubError, FileNotFoundError):
            raise
        except PermissionError as error:
            raise MisconfiguredError(f"{what}: {error}", code=codes.SFTP_PERMISSION, where=self.place) from error
        except (EOFError, OSError, paramiko.SSHException) as error:
            code = codes.SFTP_STORE_FAILED if self._is_answer(error) else codes.SFTP_AWAY
            raise UnavailableError(f"{what}: {_said(error)}", code=code, where=self.place) from error

    def _is_answer(self, error: BaseException) -> bool:
        """Whether the server said no (protocol status 4, "Failure") rather than going away.

        Version 3 of the protocol, which nearly every server speaks, has one status for a full disk, a spent quota
        and a file in the way; the library gives it an OSError without errno.
        """
        channel = self.client.get_channel()
        open_still = channel is not None and not channel.closed and channel.get_transport().is_active()
        return isinstance(error, OSError) and error.errno in (None, errno.ENOSPC, errno.EDQUOT) and open_still


@contextmanager
def open_session(settings: SftpSettings) -> Iterator[SftpSession]:
    """Log in and yield a session; it is closed at the end of the block, whatever happens.

    Raises:
        UnavailableError: no connection, no answer in time, or the server hung up.
        MisconfiguredError: a host key that is not pinned, a refused login, settings that cannot be used, or no
            algorithm in common.
    """
    place = f"{settings.user}@{settings.host}:{settings.port}"
    pinned = _pinned(settings, place)
    sock = _connect(settings, place)
    try:
        transport = paramiko.Transport(sock)
    except paramiko.SSHException as error:
        sock.close()
        raise UnavailableError(_said(error), code=codes.SFTP_AWAY, where=place) from error
    try:
        _shake_hands(transport, settings, pinned, place)
        _log_in(transport, settings, place)
        yield SftpSession(_channel(transport, settings, place), place)
    finally:
        transport.close()
        sock.close()


def _pinned(settings: SftpSettings, place: str) -> tuple[tuple[str, bytes], ...]:
    """Return the pinned keys as (type, key bytes)."""
    pinned = []
    for line in settings.host_keys:
        try:
            kind, text = line.split()[:2]
            pinned.append((kind, base64.b64decode(text, validate=True)))
        except ValueError as error:
            reason = f"host key {line[:40]!r} is not `type base64`"
            raise MisconfiguredError(reason, code=codes.SFTP_SETTINGS, where=place) from error
    if not pinned:
        raise MisconfiguredError("no host key is pinned", code=codes.SFTP_SETTINGS, where=place)
    return tuple(pinned)


def _connect(settings: SftpSettings, place: str) -> socket.socket:
    """Open the TCP connection."""
    try:
        return socket.create_connection((settings.host, settings.port), timeout=settings.connect_timeout_s)
    except OSError as error:
        raise UnavailableError(_said(error), code=codes.SFTP_AWAY, where=place) from error


def _shake_hands(
    transport: paramiko.Transport,
    settings: SftpSettings,
    pinned: tuple[tuple[str, bytes], ...],
    place: str,
) -> None:
    """Agree on algorithms and check the server's host key before anything of ours is shown to it."""
    transport.banner_timeout = settings.connect_timeout_s
    transport.auth_timeout = settings.auth_timeout_s
    options = transport.get_security_options()
    options.ciphers = CIPHERS
    options.key_types = _key_types(tuple(options.key_types), pinned)
    try:
        transport.start_client(timeout=settings.connect_timeout_s)
        shown = transport.get_remote_server_key()
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise MisconfiguredError(_said(error), code=codes.SFTP_INCOMPATIBLE, where=place) from error
    except (EOFError, OSError, paramiko.SSHException) as error:
        raise UnavailableError(_said(error), code=codes.SFTP_AWAY, where=place) from error
    if (shown.get_name(), shown.asbytes()) not in pinned:
        reason = f"the server shows {shown.get_name()} {shown.fingerprint}, which is not pinned"
        raise MisconfiguredError(reason, code=codes.SFTP_HOST_KEY, where=place)


def _key_types(known: tuple[str, ...], pinned: tuple[tuple[str, bytes], ...]) -> tuple[str, ...]:
    """Return the host key types in our order of preference: pinned ones first, so that the server shows one of them."""
    wanted = {kind for kind, _ in pinned}
    if "ssh-rsa" in wanted:
        wanted |= {"rsa-sha2-512", "rsa-sha2-256"}
    return tuple(k for k in known if k in wanted) + tuple(k for k in known if k not in wanted)


def _log_in(transport: paramiko.Transport, settings: SftpSettings, place: str) -> None:
    """Log in with the key, the password, or both where the server wants both."""
    key = _private_key(settings, place)
    try:
        if key is not None:
            transport.auth_publickey(settings.user, key)
        if settings.password and not transport.is_authenticated():
            transport.auth_password(settings.user, settings.password)
    except paramiko.AuthenticationException as error:
        raise MisconfiguredError(_said(error), code=codes.SFTP_LOGIN_REFUSED, where=place) from error
    except (EOFError, OSError, paramiko.SSHException) as error:
        raise UnavailableError(_said(error), code=codes.SFTP_AWAY, where=place) from error
    if not transport.is_authenticated():
        reason = "the server asks for more than the key or password that we have"
        raise MisconfiguredError(reason, code=codes.SFTP_LOGIN_REFUSED, where=place)


def _private_key(settings: SftpSettings, place: str) -> paramiko.PKey | None:
    """Return our key, or None when we log in by password alone."""
    if not settings.private_key:
        if not settings.password:
            reason = "neither private_key nor password is set"
            raise MisconfiguredError(reason, code=codes.SFTP_SETTINGS, where=place)
        return None
    passphrase = settings.passphrase or None
    try:
        return paramiko.PKey.from_path(Path(settings.private_key), passphrase)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, paramiko.SSHException) as error:
        reason = f"private key {settings.private_key}: {_said(error)}"
        raise MisconfiguredError(reason, code=codes.SFTP_SETTINGS, where=place) from error


def _channel(transport: paramiko.Transport, settings: SftpSettings, place: str) -> paramiko.SFTPClient:
    """Start the SFTP subsystem; a jail that the server cannot enter shows here, as a hang-up."""
    transport.set_keepalive(settings.keepalive_s)
    try:
        client = paramiko.SFTPClient.from_transport(transport)
    except (EOFError, OSError, paramiko.SSHException) as error:
        reason = f"no SFTP after login: {_said(error)}"
        raise UnavailableError(reason, code=codes.SFTP_AWAY, where=place) from error
    if client is None:
        raise UnavailableError("no SFTP after login", code=codes.SFTP_AWAY, where=place)
    channel = client.get_channel()
    if channel is not None:
        channel.settimeout(settings.transfer_timeout_s)
    return client


def _said(error: BaseException) -> str:
    """Return what an error says, or its kind when it is silent."""
    return str(error) or type(error).__name__
