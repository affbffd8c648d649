"""Adapters by name: one folder each, found by import alone. Never reads the site."""

import importlib
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from canonical.codes import configuration as codes
from canonical.errors import MisconfiguredError


def load(adapter_name: str, settings: Mapping[str, object]) -> Any:
    """Return the port that the adapter `adapters.<adapter_name>` builds of a role's settings.

    Raises:
        MisconfiguredError: there is no such adapter, or its settings cannot be used.
    """
    return _found(adapter_name, ".adapter").build(settings)


def no_words_for(adapter_name: str) -> frozenset[str]:
    """Return what of a rollout an adapter cannot say: `exchanges` and what follows them, field `orders`, `stock`.

    Its package says so in `NO_WORDS_FOR`; one that says nothing can say everything. Nothing is built for it.

    Raises:
        MisconfiguredError: there is no such adapter.
    """
    said: frozenset[str] = getattr(_found(adapter_name), "NO_WORDS_FOR", frozenset())
    return said


def _found(adapter_name: str, part: str = "") -> ModuleType:
    where = f"adapters.{adapter_name}{part}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", adapter_name):
        raise MisconfiguredError(f"{adapter_name!r} is no adapter's name", code=codes.UNKNOWN_ADAPTER)
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name is None or not where.startswith(error.name):
            raise
        raise MisconfiguredError(f"no adapter {adapter_name!r}", code=codes.UNKNOWN_ADAPTER) from error
