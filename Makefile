# make run | test | check | bench | faults | drill | lock; each does all of its set-up by itself.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.SILENT:

PORT ?= 8000
PYTHON ?= python3
VENV := .venv/bin
# These commands are for machines of demonstration and development, whatever servers they use; docker-compose.yml is for
# production.
export DEMO ?= 1

.PHONY: run test check bench faults drill lock clean

run: .venv/local.stamp
	.ci/system pdf
	exec $(VENV)/python manage.py run --port "$(PORT)"

test: .venv/dev.stamp
	.ci/system pdf browser gettext
	$(VENV)/python manage.py compile_catalogues
	exec $(VENV)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: .venv/dev.stamp
	.ci/system gettext
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/lint-imports --no-cache
	$(VENV)/mypy
	$(VENV)/python manage.py makemigrations --check --dry-run
	$(VENV)/djlint templates --lint --quiet
	$(VENV)/bandit -q -c pyproject.toml -r onatc stakeholders strategy nrm monitoring manage.py
	$(VENV)/python -m tests.check_translations

bench: .venv/dev.stamp
	.ci/system pdf
	$(VENV)/python manage.py compile_catalogues
	exec $(VENV)/python -m tests.bench

# Kills worker, Valkey, PostgreSQL and web, twenty times each, under jobs and mails; takes minutes.
faults: .venv/dev.stamp
	$(VENV)/python manage.py compile_catalogues
	exec $(VENV)/python -m tests.faults

# Backs up and restores to an empty folder with servers of its own, and checks what came back (docs/operation.md).
drill: .venv/dev.stamp
	folder=$$(mktemp -d /var/tmp/onatc-drill-XXXXXX); chmod 755 "$$folder"
	trap 'rm -rf "$$folder"' EXIT
	$(VENV)/python manage.py backup "$$folder/drill.backup"
	unset DATABASE_URL REDIS_URL OWNER_DATABASE_URL
	export VAR_DIR="$$folder/var"
	$(VENV)/python manage.py restore "$$folder/drill.backup"
	$(VENV)/python manage.py verify_audit
	$(VENV)/python manage.py check_invariants

# Renew the locked dependencies; the files hold hashes and no registry's address.
lock: .venv/dev.stamp
	cd .requirements
	for set in production local dev; do
	    ../$(VENV)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	        --no-header --no-annotate $$set.in -o $$set.txt
	done

.venv/local.stamp: .requirements/local.txt
	.ci/install local

.venv/dev.stamp: .requirements/dev.txt
	.ci/install dev

clean:
	rm -rf .venv var
