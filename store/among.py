"""The condition that a column holds one of many values, as one parameter: a list of thousands costs no more to say."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
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
