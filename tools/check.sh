#!/usr/bin/env bash
# Format, lint, types, imports, oldest Python, licences, advisories: each tool once, all of them even when one fails.
set -uo pipefail
failed=()
run() {
    local name=$1
    shift
    if output=$("$@" 2>&1); then
        printf 'check: %-14s ok\n' "$name"
    elif [ $? = 75 ]; then # somebody who was to be asked could not be reached: no reason to fail, and none to be silent
        printf 'check: %-14s NOT REACHED\n%s\n' "$name" "$output"
    else
        printf 'check: %-14s FAILED\n%s\n' "$name" "$output"
        failed+=("$name")
    fi
}
run format ruff format --check .
run lint ruff check .
run types mypy
run imports lint-imports
# the cloud runs 3.9 or 3.10; msgspec's annotations are evaluated, so they count too
run oldest-python vermin --quiet --violations --eval-annotations -t=3.9- functions
run licences python tools/supply.py licences
run advisories python tools/supply.py advisories
if [ ${#failed[@]} -gt 0 ]; then
    printf 'check: failed: %s\n' "${failed[*]}"
    exit 1
fi
