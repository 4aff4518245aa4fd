#!/usr/bin/env python
"""Entry point of every command; starts the embedded servers when no real ones are named in the environment."""

import os
import sys
from pathlib import Path

# These read no row and queue no job, so they need no server.
WITHOUT_SERVERS = {
    "help",
    "version",
    "--help",
    "--version",
    "makemessages",
    "compile_catalogues",
    "collectstatic",
    "startapp",
}
# These change the schema or replace the data: they work as the owner of the tables, everything else as the application.
AS_OWNER = {"migrate", "restore", "backup", "sqlmigrate", "showmigrations"}
# These bring the schema up to date themselves, or must see it as it is.
WITHOUT_MIGRATING = {
    "run",
    "migrate",
    "makemigrations",
    "showmigrations",
    "sqlmigrate",
    "test",
    "check",
    "flush",
    "restore",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onatc.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    embedded = "DATABASE_URL" not in os.environ
    if embedded:
        os.environ.setdefault("DEMO", "1")
    if command in AS_OWNER and os.environ.get("OWNER_DATABASE_URL"):
        os.environ["DATABASE_URL"] = os.environ["OWNER_DATABASE_URL"]
    if command not in WITHOUT_SERVERS:
        from onatc.services import ServiceError, ensure

        folder = Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parent / "var")
        try:
            ensure(folder)
        except ServiceError as error:
            sys.exit(f"onatc: {error}")
        if embedded and command not in WITHOUT_MIGRATING:
            bring_up_to_date()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def bring_up_to_date() -> None:
    """Migrate the embedded database when it is behind, so that any command works on a new machine."""
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("onatc: bringing the database up to date", file=sys.stderr)
        call_command("migrate", verbosity=0, interactive=False)


if __name__ == "__main__":
    main()
