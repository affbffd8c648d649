"""A small SFTP server for an outside system: its own host key, one user with one public key, one folder as its root."""

import os
from collections.abc import Callable
from pathlib import Path

import asyncssh

FOLDERS = ("outbound", "inbound", "outbound/archive", "outbound/reject")


def make_keys(folder: Path, *, name: str) -> Path:
    """Write an ed25519 key pair `name`, `name.pub` below `folder`; return the private file, its owner's alone."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    key = asyncssh.generate_private_key("ssh-ed25519", comment=name)
    key.write_private_key(str(path))
    key.write_public_key(str(path) + ".pub")
    os.chmod(path, 0o600)
    return path


def public_line(private: Path) -> str:
    """Return `type base64` of the public half of a key, as `host_keys` pins it."""
    return " ".join(Path(str(private) + ".pub").read_text().split()[:2])


async def start_sftp(
    root: Path, *, port: int, host_key: Path, client_key: Path, user: str, hang_up: Callable[[], bool]
) -> asyncssh.SSHAcceptor:
    """Serve `root` on 127.0.0.1 to `user` alone, who has the private half of `client_key` and sees nothing above.

    `hang_up` is asked at every connection; when it answers yes, the connection is cut.
    """
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)

    class OneUser(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            if hang_up():
                conn.abort()

        def begin_auth(self, username: str) -> bool:
            return True

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return username == user and key == asyncssh.read_public_key(str(client_key) + ".pub")

    def rooted(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    return await asyncssh.listen(
        "127.0.0.1",
        port,
        server_factory=OneUser,
        server_host_keys=[str(host_key)],
        sftp_factory=rooted,
        allow_scp=False,
        encoding=None,
    )
