"""Settings of one flat-file CIS, as the site file gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from canonical.codes import configuration as codes
from canonical.errors import MisconfiguredError
from canonical.serials import SerialPolicy
from sftp.data_files import serial_policy
from sftp.formats.file_names import PATTERNS, Kind, expression
from sftp.layout import STANDARD, Form, Layout, read_layout
from sftp.mailbox import MailboxSettings, mailbox_settings
from sftp.outgoing import Wrapping

LAYOUTS = Path(__file__).parent / "layouts"
"""Layout files of this adapter; one more CIS is one more file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a CIS's files lie, and how they are written."""

    mailbox: MailboxSettings
    layout: Layout
    """Layout of the billing drop."""

    form: Form
    """`delimited` or `fixed`, for what we write; what we read shows its own."""

    wrap: Literal["", "gz"]
    names: Mapping[Kind, str]
    serials: SerialPolicy

    @property
    def wrapping(self) -> Wrapping:
        """In what drops travel."""
        return Wrapping(self.wrap, self.mailbox.pgp)


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible; the reason names it.
    """
    values: dict[str, Any] = dict(given)
    layout = _layout(values.pop("layout", "billing_drop"), values.pop("layout_file", ""))
    form = values.pop("format", layout.form)
    wrap = values.pop("wrap", "")
    if form not in ("delimited", "fixed"):
        raise _bad(f"format {form!r} is neither delimited nor fixed")
    if wrap not in ("", "gz"):
        raise _bad(f"wrap {wrap!r} is neither empty nor gz")
    return Settings(
        layout=layout,
        form=form,
        wrap=wrap,
        names=_names(values.pop("names", {})),
        serials=serial_policy(values.pop("serial_digits", {}), "cis_flatfile"),
        mailbox=mailbox_settings(values, where="cis_flatfile"),
    )


def _bad(reason: str) -> MisconfiguredError:
    """Return the error of a setting that cannot be used."""
    return MisconfiguredError(reason, code=codes.BAD_ADAPTER_SETTINGS, where="cis_flatfile")


def _layout(name: object, file: object) -> Layout:
    """Return the layout that is named: the site's own file, one of this adapter, or one of the hub's own."""
    if file:
        return read_layout(Path(str(file)))
    for folder in (LAYOUTS, STANDARD):
        if (folder / f"{name}.toml").is_file():
            return read_layout(folder / f"{name}.toml")
    raise _bad(f"no layout {name!r}; there are {', '.join(sorted(p.stem for p in LAYOUTS.glob('*.toml')))}")


def _names(given: object) -> Mapping[Kind, str]:
    """Return the patterns of file names, the site's over the standard ones."""
    if not isinstance(given, Mapping):
        raise _bad("names is not a table")
    unknown = given.keys() - PATTERNS.keys()
    if unknown:
        raise _bad(f"names has {', '.join(sorted(unknown))}; it may have {', '.join(PATTERNS)}")
    names: dict[Kind, str] = {**PATTERNS, **given}
    for kind, pattern in names.items():
        try:
            expression(pattern)
        except KeyError as error:
            raise _bad(f"names.{kind}: no place {error}") from error
    return names
