# Sourced by the scripts of the set-up: strict mode, the repository as the working directory, and how to speak.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
mkdir -p .cache

# pip and uv trust what the system trusts.
CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
if [ -e "$CA_BUNDLE" ]; then
  export SSL_CERT_FILE=${SSL_CERT_FILE:-$CA_BUNDLE} PIP_CERT=${PIP_CERT:-$CA_BUNDLE}
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
export PATH=$ROOT/.venv/bin:$PATH
UV=$ROOT/.cache/uv/bin/uv

say() { printf '    %s\n' "$*"; }

fail() {
  printf 'evenkeel: %s\n' "$*" >&2
  exit 1
}

# one_at_a_time: start this script of the set-up again under the lock of the set-up, which daemons that it starts do not inherit.
one_at_a_time() {
  [ -n "${SETUP_LOCKED:-}" ] || SETUP_LOCKED=1 exec flock --close .cache/setup.lock "$ROOT/scripts/setup/${0##*/}"
}

# step TITLE COMMAND...: say what is done, do it, say how long it took.
step() {
  local title=$1 start=$EPOCHREALTIME code=0
  shift
  printf '==> %s\n' "$title"
  "$@" || code=$?
  awk -v a="$start" -v b="$EPOCHREALTIME" -v t="$title" -v c="$code" \
    'BEGIN { printf "    %s: %s after %.1f s\n", t, c ? "FAILED" : "done", b - a }'
  return "$code"
}
