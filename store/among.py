"""Many values as one parameter of a statement: a list of thousands costs no more to say than one."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, TableValuedAlias, any_, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import String
from sqlmodel import Session


def among(session: Session, column: Column[Any], values: Collection[str] | Collection[int]) -> ColumnElement[bool]:
    """Return that `column` is one of `values`, texts or numbers; of no values, that it is none.

    An IN with a parameter for each value is rendered, parsed and bound value by value, which costs more than the
    statement itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        if values and isinstance(next(iter(values)), int):
            return column == any_(cast(literal(_braced(values), String), ARRAY(BigInteger)))
        return column == any_(literal(list(values), ARRAY(column.type)))
    each = func.json_each(literal(json.dumps(list(values)))).table_valued("value")
    return column.in_(select(each.c.value))


def among_numbers(dialect: str, column: Column[Any], name: str) -> ColumnElement[bool]:
    """Return that `column` is one of the numbers given as parameter `name`, which `numbers` makes."""
    if dialect == "postgresql":
        return column == any_(cast(bindparam(name, type_=String), ARRAY(BigInteger)))
    each = func.json_each(bindparam(name)).table_valued("value")
    return column.in_(select(each.c.value))


def each_number(dialect: str, name: str) -> TableValuedAlias:
    """Return the numbers given as parameter `name`, which `numbers` makes, as rows with a column `value`."""
    if dialect == "postgresql":
        given = cast(bindparam(name, type_=String), ARRAY(BigInteger))
        return func.unnest(given).table_valued("value").render_derived()
    return func.json_each(bindparam(name)).table_valued("value")


def numbers(session: Session, values: Collection[int]) -> str:
    """Return numbers as the one parameter that `among_numbers` and `each_number` take."""
    return _braced(values) if session.get_bind().dialect.name == "postgresql" else json.dumps(list(values))


def _braced(values: Collection[Any]) -> str:
    """Return numbers as PostgreSQL reads an array: the driver would say each of them by itself."""
    return f"{{{','.join(map(str, values))}}}"
