"""The only reader of $AMIHUB_SITE: one utility's site as checked values; every mistake is named with its line."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from canonical.codes.configuration import (
    SECRET_MISSING,
    SITE_FILE_INVALID,
    SITE_FILE_MISSING,
    SITE_FILE_SYNTAX,
)
from canonical.errors import MisconfiguredError
from services.site_checks import mistakes
from services.site_lines import key_lines, line_of
from services.site_model import SiteModel, known_keys

SITE_VARIABLE = "AMIHUB_SITE"
"""Environment variable that holds the path of the site file; `site.toml` in the working folder without it."""


class Site:
    """A checked site file and the folder that its relative paths start from."""

    def __init__(self, path: Path, model: SiteModel, lines: dict[tuple[str, ...], int]) -> None:
        """Keep the values; `load_site` is the way to make one."""
        self.path = path
        self.model = model
        self._lines = lines

    @property
    def folder(self) -> Path:
        """Folder of the site file."""
        return self.path.parent

    @property
    def data(self) -> Path:
        """Folder of spool and embedded database."""
        return (self.folder / self.model.site.data).resolve()

    @property
    def billing_interfaces(self) -> tuple[str, ...]:
        """Names of the billing interfaces, in the file's order."""
        return tuple(self.model.billing)

    @property
    def store_url(self) -> str:
        """Database address; a relative SQLite path starts at `data`."""
        url = str(self.secret(self.model.store.url, ("store", "url")))
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            self.data.mkdir(parents=True, exist_ok=True)
            return f"{prefix}{self.data / url.removeprefix(prefix)}"
        return url

    def where(self, path: tuple[str, ...]) -> str:
        """Return file and line of a key, for messages."""
        return f"{self.path.name}:{line_of(path, self._lines)}"

    def secret(self, value: object, path: tuple[str, ...]) -> Any:
        """Return the value with every `env:NAME` in it replaced from the environment.

        Raises:
            MisconfiguredError: a variable is not set; the message names it and the line that asks for it.
        """
        if isinstance(value, str) and value.startswith("env:"):
            name = value.removeprefix("env:")
            if name not in os.environ:
                raise MisconfiguredError(
                    f"{'.'.join(path)} needs the environment variable {name}",
                    code=SECRET_MISSING,
                    where=self.where(path),
                )
            return os.environ[name]
        if isinstance(value, Mapping):
            return {key: self.secret(part, (*path, str(key))) for key, part in value.items()}
        if isinstance(value, list):
            return [self.secret(part, path) for part in value]
        return value


def load_site(path: Path | None = None) -> Site:
    """Return the site that the file states.

    Raises:
        MisconfiguredError: it cannot be read, is not TOML, or says something that cannot be (all mistakes, with lines).
    """
    file = path or Path(os.environ.get(SITE_VARIABLE, "site.toml"))
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise MisconfiguredError(
            f"cannot read the site file {file}: {error.strerror}", code=SITE_FILE_MISSING, where=str(file)
        ) from error
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8, which TOML must be"
        raise MisconfiguredError(reason, code=SITE_FILE_SYNTAX, where=file.name) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MisconfiguredError(str(error), code=SITE_FILE_SYNTAX, where=file.name) from error
    lines = key_lines(text)
    try:
        model = SiteModel.model_validate(values)
    except ValidationError as error:
        wrong = [_mistake(dict(one), file.name, lines) for one in error.errors()]
        raise MisconfiguredError("\n".join(wrong), code=SITE_FILE_INVALID, where=file.name) from error
    site = Site(file.resolve(), model, lines)
    found = [f"{site.where(path)}: {'.'.join(path)}: {said}" for path, said in mistakes(model)]
    if found:
        raise MisconfiguredError("\n".join(found), code=SITE_FILE_INVALID, where=file.name)
    return site


def _mistake(error: dict[str, Any], name: str, lines: dict[tuple[str, ...], int]) -> str:
    """Return one mistake as `file:line: key: what is wrong, and the nearest right word`."""
    path = tuple(str(part) for part in error["loc"])
    said = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path[-1], known_keys(path[:-1]), n=1)
        said = "unknown key" + (f"; did you mean {near[0]!r}?" if near else "")
    if error["type"] == "missing":
        said = "is missing"
    return f"{name}:{line_of(path, lines)}: {'.'.join(path) or 'site'}: {said}"
