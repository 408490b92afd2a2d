#!/bin/sh
# Copy the database into a folder, and delete copies that are older than fourteen days.
#
#   backup.sh FOLDER
#
# SQLite: the file that DATABASE_URL or DATA_DIR names, while the service runs.
# PostgreSQL: libpq's own variables (PGDATABASE, PGHOST, PGUSER, PGPASSWORD …) or a DATABASE_URL without a password.
#
# A copy shows the order in which ballots were stored, so no copy may live longer (docs/privacy.md). Keys are never in
# it: keep MASTER_KEY in another place.
set -eu
umask 077

keep_days=14
folder=${1:?usage: backup.sh FOLDER}
url=${DATABASE_URL:-}
name=survey-$(date -u +%Y%m%dT%H%M%SZ)

fail() {
    echo "$1" >&2
    exit 1
}

copy_sqlite() {
    test -f "$1" || fail "there is no database file $1"
    # The write-ahead log belongs to the file: only SQLite itself can copy both as one moment.
    python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("VACUUM INTO ?", (sys.argv[2],))' "$1" "$2"
}

copy_postgresql() {
    case $url in
    *://*:*@*) fail "the password would show in the list of processes: give PGDATABASE, PGHOST, PGUSER and PGPASSWORD" ;;
    esac
    if [ -n "${PGDATABASE:-}" ]; then
        pg_dump --format=custom --no-owner --file="$1"
    else
        pg_dump --format=custom --no-owner --file="$1" --dbname="postgresql://${url#*://}"
    fi
}

data_dir=${DATA_DIR:-${XDG_DATA_HOME:-${HOME:-}/.local/share}/survey-service}
if [ -n "${PGDATABASE:-}" ]; then
    url=''
    copy=$folder/$name.dump
    copy_postgresql "$copy.partial"
else
    case $url in
    '')
        copy=$folder/$name.sqlite3
        copy_sqlite "$data_dir/survey.sqlite3" "$copy.partial"
        ;;
    sqlite:///*)
        copy=$folder/$name.sqlite3
        copy_sqlite "${url#sqlite:///}" "$copy.partial"
        ;;
    postgres*)
        copy=$folder/$name.dump
        copy_postgresql "$copy.partial"
        ;;
    *) fail "no database of ours: ${url%%:*}" ;;
    esac
fi
mv "$copy.partial" "$copy"
find "$folder" -type f -name 'survey-*' -mtime "+$((keep_days - 1))" -delete
echo "$copy"
