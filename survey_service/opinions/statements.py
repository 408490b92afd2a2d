"""Inserts that the unique keys decide, in the words of both engines."""

from collections.abc import Mapping

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey_service.core.db import Base, is_sqlite


def insert_once(session: Session, model: type[Base], values: Mapping[str, object]) -> bool:
    """Insert a row and return True, or False where one of its unique keys stands already.

    The database says nothing on conflict, so that no error line can name a digest.
    """
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    key = inspect(model).primary_key[0]
    statement = insert(model).values(values).on_conflict_do_nothing().returning(key)
    return session.execute(statement).first() is not None
