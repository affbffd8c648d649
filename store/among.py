"""Many values as one parameter of a statement: a list of thousands costs no more to say than one."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, TableValuedAlias, any_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import String
from sqlmodel import Session


def among(session: Session, column: Column[Any], values: Collection[str] | Collection[int]) -> ColumnElement[bool]:
    """Return that `column` is one of `values`, texts or numbers; of no values, that it is none.

    An IN with a parameter for each value is rendered, parsed and bound value by value, which costs more than the
    statement itself.
    """
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(literal(list(values), ARRAY(column.type)))
    each = func.json_each(literal(json.dumps(list(values)))).table_valued("value")
    return column.in_(select(each.c.value))


def among_named(dialect: str, column: Column[Any], name: str) -> ColumnElement[bool]:
    """Return that `column` is one of the values given as parameter `name`, which `bound` makes."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    each = func.json_each(bindparam(name)).table_valued("value")
    return column.in_(select(each.c.value))


def each_of(dialect: str, name: str) -> TableValuedAlias:
    """Return texts given as parameter `name`, which `bound` makes, as rows with a column `value`."""
    if dialect == "postgresql":
        return func.unnest(bindparam(name, type_=ARRAY(String))).table_valued("value").render_derived()
    return func.json_each(bindparam(name)).table_valued("value")


def bound(session: Session, values: Collection[str] | Collection[int]) -> Any:
    """Return values as the one parameter that `among_named` and `each_of` take."""
    return list(values) if session.get_bind().dialect.name == "postgresql" else json.dumps(list(values))
