"""What lies in a folder of a server, whatever bytes its names are made of.

The library decodes names as UTF-8 while it lists and gives up at the first that is not: one hostile name would hide
every file beside it. So the answers of the server are taken apart here, with the library's own pieces.
"""

import stat

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR
from paramiko.sftp_attr import SFTPAttributes

from sftp.session import SftpSession


def entries(session: SftpSession, folder: str) -> list[SFTPAttributes]:
    """Return the entries of a folder in no order; a byte that is not UTF-8 is a lone surrogate in the name.

    Raises:
        FileNotFoundError: there is no such folder.
        UnavailableError: the server is away.
        MisconfiguredError: it does not permit listing.
    """
    client, found = session.client, []
    with session.asking(f"list {folder!r}"):
        handle = _asked(client, CMD_HANDLE, CMD_OPENDIR, folder or ".").get_binary()
        while True:
            try:
                answer = _asked(client, CMD_NAME, CMD_READDIR, handle)
            except EOFError:
                break
            found += [_entry(answer) for _ in range(answer.get_int())]
        client._request(CMD_CLOSE, handle)  # type: ignore[attr-defined]  # see above
    return [entry for entry in found if entry.filename not in (".", "..")]


def is_regular(entry: SFTPAttributes) -> bool:
    """Whether an entry is a file: links, folders and devices are never followed; some servers tell no mode."""
    return entry.st_mode is None or stat.S_ISREG(entry.st_mode)


def _asked(client: paramiko.SFTPClient, wanted: int, command: int, argument: str | bytes) -> paramiko.Message:
    """Return the server's answer to one command.

    Raises:
        SSHException: the answer is of another kind.
    """
    kind, answer = client._request(command, argument)  # type: ignore[attr-defined]  # see above
    if kind != wanted:
        raise paramiko.SSHException(f"answer {kind} instead of {wanted}")
    return answer  # type: ignore[no-any-return]


def _entry(answer: paramiko.Message) -> SFTPAttributes:
    """Return the next entry of an answer."""
    name = answer.get_string().decode("utf-8", "surrogateescape")
    answer.get_string()  # the line that `ls -l` would print: for people, and different on every server
    return SFTPAttributes._from_msg(answer, name, "")  # type: ignore[attr-defined,no-any-return]
