# shellcheck shell=bash disable=SC2034  # the names are used by `up` and `down`
# What `up` and `down` share. Sourced; leaves the shell in tests/lab.
cd "$(dirname "${BASH_SOURCE[0]}")"

export LAB_CACHE=${LAB_CACHE:-$(cd ../.. && pwd)/.cache/lab}
export DOCKER_BUILDKIT=0 # the classic builder works with every Docker Engine and needs no plugin
LAB_LOG=$LAB_CACHE/up.log
LAB_REGISTRY=127.0.0.1:5077
LAB_HOSTS="edge1 app1 app2 app3 db1 cache1 load1 registry1"

# LAB_APP_HOSTS=6 adds app4, app5 and app6, LAB_LOAD_HOSTS=4 adds load2, load3 and load4, LAB_EDGE_HOSTS=2 adds edge2, each a
# profile of compose.yml; without it they are left as they are.
COMPOSE_PROFILES=
if ((${LAB_EDGE_HOSTS:-1} > 1)); then
  LAB_HOSTS+=" edge2"
  COMPOSE_PROFILES+=",edge2"
fi
for ((number = 2; number <= ${LAB_LOAD_HOSTS:-1}; number++)); do
  LAB_HOSTS+=" load$number"
  COMPOSE_PROFILES+=",load$number"
done
for ((number = 4; number <= ${LAB_APP_HOSTS:-3}; number++)); do
  LAB_HOSTS+=" app$number"
  COMPOSE_PROFILES+=",app$number"
done

# LAB_KUBERNETES=1 adds kube1 in the same way.
if [[ -n ${LAB_KUBERNETES:-} ]]; then
  LAB_HOSTS+=" kube1"
  COMPOSE_PROFILES+=",kube"
fi
export COMPOSE_PROFILES=${COMPOSE_PROFILES#,}

compose() {
  docker compose --file compose.yml "$@"
}

# Runs a command quietly and says how long it took; when it fails, shows the end of its output and stops.
step() {
  local title=$1 begin=$EPOCHREALTIME status
  shift
  echo "== $title" >>"$LAB_LOG"
  set +e
  (set -e; "$@") >>"$LAB_LOG" 2>&1
  status=$?
  set -e
  if ((status != 0)); then
    echo "lab: $title: failed; the end of $LAB_LOG:" >&2
    tail -n 20 "$LAB_LOG" >&2
    exit 1
  fi
  printf 'lab: %-32s %6.1f s\n' "$title" "$(((${EPOCHREALTIME/./} - ${begin/./}) / 1000))e-3"
}

require_docker() {
  docker info >/dev/null 2>&1 || {
    echo "lab: expected a running Docker Engine that this user may use; found none; remedy: make setup, as root" >&2
    exit 1
  }
  docker compose version >/dev/null 2>&1 || {
    echo "lab: expected Docker Compose v2 (docker compose); found none; remedy: make setup, as root" >&2
    exit 1
  }
}
