"""Changing tables that are in use: all of a migration's statements in one short moment (threats.md R18).

Django works out each statement while it holds the locks of those before it, which takes seconds for a model that many
others refer to; requests of the version that still serves would wait, and fail. `AtOnce` works all of them out first, then
takes the locks of every table concerned without ever waiting long while it holds one, and then runs the statements.
"""

from __future__ import annotations

import re
import time
from typing import Any

from django.db import OperationalError, connections, transaction
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger

TRIES, PAUSE_SECONDS = 200, 0.1
WORD = re.compile(r"\w+")


class AtOnce(SeparateDatabaseAndState):
    """The operations of a migration, none of which may run Python."""

    def __init__(self, operations: list[Operation]) -> None:
        super().__init__(database_operations=operations, state_operations=operations)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [], {"operations": self.database_operations}

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        with _working_out(schema_editor) as worked_out:
            super().database_forwards(app_label, worked_out, from_state, to_state)
        _run(schema_editor, worked_out.collected_sql)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        with _working_out(schema_editor) as worked_out:
            super().database_backwards(app_label, worked_out, from_state, to_state)
        _run(schema_editor, worked_out.collected_sql)

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.database_operations)


class InOneStep(AtOnce):
    """The same for many operations that do not build on each other: each is worked out from the models before the
    migration and after it, so that Django renders all models twice and not twice for each operation (a minute for two
    hundred of them). A model that is created here is created whole: its links and constraints stand in its CreateModel."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.__dict__.pop("apps", None)  # rendered again when it is asked for, once
        super().state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        with _working_out(schema_editor) as worked_out:
            for operation in self.database_operations:
                operation.database_forwards(app_label, worked_out, from_state, to_state)
        _run(schema_editor, worked_out.collected_sql)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        with _working_out(schema_editor) as worked_out:
            for operation in reversed(self.database_operations):
                if (
                    isinstance(operation, AddTrigger)
                    and (app_label, operation.model_name.lower()) not in to_state.models
                ):
                    continue  # goes with its table
                operation.database_backwards(app_label, worked_out, from_state, to_state)
        _run(schema_editor, worked_out.collected_sql)


def _working_out(schema_editor: Any) -> Any:
    """Collects statements; the transaction that is open already holds no lock and may be idle for as long as that takes."""
    connection = connections[schema_editor.connection.alias]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    return connection.schema_editor(collect_sql=True, atomic=False)


def _run(schema_editor: Any, statements: list[str]) -> None:
    connection = schema_editor.connection
    words = {word for statement in statements for word in WORD.findall(statement)}
    tables = [connection.ops.quote_name(name) for name in connection.introspection.table_names() if name in words]
    if tables and not schema_editor.collect_sql:
        _lock(connection, tables)
    for statement in statements:
        schema_editor.execute(statement, params=None)


def _lock(connection: Any, tables: list[str]) -> None:
    """All of them or none: whoever has one and waits for another is never kept waiting long enough for a deadlock."""
    for tries in range(TRIES):
        try:
            with transaction.atomic(connection.alias), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
                cursor.execute("SET LOCAL lock_timeout = '5s'")
            return
        except OperationalError:
            if tries == TRIES - 1:
                raise
            time.sleep(PAUSE_SECONDS)
