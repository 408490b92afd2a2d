#!/bin/sh
# Put a copy that backup.sh made into an empty place. Stop web processes and workers first.
#
#   restore.sh FILE
#
# The place is named as for backup.sh: DATABASE_URL, DATA_DIR, or libpq's variables. Nothing is ever overwritten.
set -eu
umask 077

file=${1:?usage: restore.sh FILE}
url=${DATABASE_URL:-}
data_dir=${DATA_DIR:-${XDG_DATA_HOME:-${HOME:-}/.local/share}/survey-service}

fail() {
    echo "$1" >&2
    exit 1
}

restore_sqlite() {
    test ! -e "$1" || fail "$1 exists: move it away first, with its -wal and -shm files"
    python3 -c 'import sqlite3, sys
found = sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0]
sys.exit(None if found == "ok" else found)' "$file"
    mkdir -p "$(dirname "$1")"
    cp "$file" "$1.partial"
    mv "$1.partial" "$1"
}

restore_postgresql() {
    case $url in
    *://*:*@*) fail "the password would show in the list of processes: give PGDATABASE, PGHOST, PGUSER and PGPASSWORD" ;;
    esac
    # One transaction: where a table exists already, nothing at all is changed.
    pg_restore --exit-on-error --single-transaction --no-owner --dbname="${PGDATABASE:-postgresql://${url#*://}}" "$file"
}

test -f "$file" || fail "there is no file $file"
case $file in
*.dump) test -z "${PGDATABASE:-}" || url='' ; restore_postgresql ;;
*.sqlite3)
    case $url in
    '') restore_sqlite "$data_dir/survey.sqlite3" ;;
    sqlite:///*) restore_sqlite "${url#sqlite:///}" ;;
    *) fail "a copy of SQLite does not go into ${url%%:*}" ;;
    esac
    ;;
*) fail "$file is neither a .dump nor a .sqlite3" ;;
esac
echo "restored; now: survey-service migrate && survey-service rebuild --check"
