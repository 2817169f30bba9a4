#!/usr/bin/env bash
# Makes .venv with everything the project needs. Debian leaves ensurepip out of its python3.11 package.
set -euo pipefail
: "${PYTHON:=python3.11}" "${VENV:=.venv}"

say() { printf 'setup: %s\n' "$*" >&2; }

install_debian_packages() {
    local sudo=''
    [ "$(id -u)" = 0 ] || sudo='sudo'
    say "installing $* from Debian"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v "$PYTHON" >/dev/null || PYTHON=python3
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "Python 3.11 or newer is needed; $PYTHON is $("$PYTHON" -V 2>&1)"
    exit 2
}
if [ ! -x "$VENV/bin/python" ]; then
    "$PYTHON" -c 'import ensurepip' 2>/dev/null || install_debian_packages python3-venv
    "$PYTHON" -m venv "$VENV"
fi
say 'installing packages (about a minute the first time)'
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[dev]'
