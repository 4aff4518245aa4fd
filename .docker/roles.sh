#!/bin/sh
# The role by which the application works: it owns nothing and cannot touch the trail. Run by the container on an empty
# database; harmless to run again, as after an upgrade from a version without it or to change the password.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$WEB_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
SELECT format('CREATE ROLE %I NOLOGIN', name) FROM unnest(ARRAY['onatc_application', 'onatc_web']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
GRANT onatc_application TO onatc_web;
ALTER ROLE onatc_web LOGIN PASSWORD :'password';
SQL
