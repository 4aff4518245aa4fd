#!/bin/sh
# Once, on an empty database: the role by which the application works. It owns nothing and cannot touch the trail.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$WEB_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE onatc_application NOLOGIN;
CREATE ROLE onatc_web LOGIN IN ROLE onatc_application PASSWORD :'password';
SQL
