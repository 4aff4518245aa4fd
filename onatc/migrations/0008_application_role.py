"""The role by which the application works: it may add to the trail and read it, and nothing else (threats.md T28).

Whoever runs the migrations owns the tables; the application signs in as a member of `onatc_application`. Where the owner
may not make roles, the database's administrator makes it first (docs/operation.md).
"""

from django.db import migrations

GRANTS = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onatc_application') THEN
        CREATE ROLE onatc_application NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this cluster was faster
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'The role onatc_application is missing; as the administrator of PostgreSQL run: CREATE ROLE onatc_application NOLOGIN';
END $$;
GRANT USAGE ON SCHEMA public TO onatc_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO onatc_application;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO onatc_application;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO onatc_application;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO onatc_application;
REVOKE UPDATE, DELETE ON onatc_trailentry FROM onatc_application;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM onatc_application;

CREATE FUNCTION onatc_trail_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the trail are never changed or removed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER onatc_trail_is_kept BEFORE UPDATE OR DELETE ON onatc_trailentry
    FOR EACH ROW EXECUTE FUNCTION onatc_trail_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("onatc", "0007_trail_and_outbox")]

    operations = [
        migrations.RunSQL(
            GRANTS,
            "DROP TRIGGER onatc_trail_is_kept ON onatc_trailentry; DROP FUNCTION onatc_trail_is_kept(); "
            "GRANT UPDATE, DELETE ON onatc_trailentry TO onatc_application",
        )
    ]
