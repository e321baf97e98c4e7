#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_settings
short_description: Brings all settings of a Redis server to their declared values in one step
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Takes the whole set of settings, compares it with the running server on one connection, and changes what differs
    in one step. All of it is applied and read back, or nothing is changed.
  - With O(config_file), the same settings are what the server reads at its next start. The file is written whole and
    included in the last line of the server's own configuration file, out of reach of C(CONFIG REWRITE), which this
    module never calls. The server's own parser reads the file before it is put in place.
  - Settings that only a restart changes are written to O(config_file) and returned as RV(restart_debt). The server is
    never restarted.
  - Needs Redis 5 or later. From Redis 7 on, all settings are one atomic C(CONFIG SET); before that, they are set one
    by one and taken back when one is refused.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - The proposal is the same, with the same evidence. Values that only the server itself can judge, such as the
        name of an eviction policy, are judged when they are set; with O(config_file) they are judged in check mode too.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  settings:
    description:
      - Values by parameter, as in C(redis.conf) and C(CONFIG SET). Unknown parameters fail before any change.
      - Values are normalised before they are compared. Sizes may have units (V(64mb)), durations too where the
        parameter is one (V(10ms)), switches may be booleans; C(save), C(bind) and the like may be lists;
        C(client-output-buffer-limit) may be a dictionary of some of its classes, the others stay as they are.
      - Settings that are not listed are left alone. A setting that is taken off the list leaves O(config_file) and
        keeps its running value until the next restart.
    type: dict
    required: true
  secret_settings:
    description:
      - Further settings whose values are never shown, such as C(requirepass) and C(masterauth). Those are refused in
        O(settings).
    type: dict
    default: {}
  sources:
    description:
      - Where a setting comes from, in one sentence by parameter. Written above it into O(config_file) and returned.
    type: dict
    default: {}
  config_file:
    description:
      - Path of the managed file, in a directory that exists. It gets the owner, the group and the mode of the
        configuration file that the server was started with, which is where its C(include) goes.
      - Without it, only the running server is changed, and the next start forgets the settings.
    type: path
  force:
    description:
      - Allow a new C(maxmemory) below the memory that is in use, at which Redis evicts keys, or refuses writes, at
        once.
    type: bool
    default: false
  login_host:
    description: Where the server listens.
    type: str
    default: 127.0.0.1
  login_port:
    description: The port it listens on.
    type: int
    default: 6379
  login_unix_socket:
    description: Path of the server's Unix socket, instead of O(login_host) and O(login_port).
    type: path
  login_user:
    description:
      - ACL user. Needs C(+config|get +config|set +info).
    type: str
  login_password:
    description: Password of O(login_user), or of the default user.
    type: str
  tls:
    description: Speak TLS; the certificate is verified.
    type: bool
    default: false
  ca_path:
    description: File with the certificate authorities to trust, instead of the system's.
    type: path
  timeout_s:
    description: Limit in seconds for connecting and for each exchange with the server.
    type: float
    default: 10.0
seealso:
  - name: Redis configuration
    description: The parameters, version by version.
    link: https://redis.io/docs/latest/operate/oss_and_stack/management/config/
"""

EXAMPLES = r"""
- name: Settings of a cache, running and for the next start
  evenkeel.fleet.redis_settings:
    login_password: "{{ redis_password }}"
    config_file: /etc/redis/evenkeel.conf
    settings:
      maxmemory: 2gb
      maxmemory-policy: allkeys-lfu
      lazyfree-lazy-eviction: true
      slowlog-log-slower-than: 10ms
      save: []
      client-output-buffer-limit:
        pubsub: 64mb 16mb 60
  register: redis

- name: Show what waits for a restart
  ansible.builtin.debug:
    var: redis.restart_debt

- name: Change the password of a server that listens on a Unix socket only
  evenkeel.fleet.redis_settings:
    login_unix_socket: /run/redis/redis-server.sock
    login_password: "{{ redis_password }}"
    settings: {}
    secret_settings:
      requirepass: "{{ redis_password_new }}"
"""

RETURN = r"""
settings:
  description:
    - Every setting in alphabetical order, with canonical values before and after, its source, and the action, which is
      V(none), V(set) (live) or V(restart). Secrets are masked.
  returned: success
  type: list
  elements: dict
  sample:
    - {setting: maxmemory, before: "0", after: "2147483648", action: set, source: ""}
counts:
  description: Number of settings by action.
  returned: success
  type: dict
  sample: {none: 19, set: 1, restart: 0}
restart_debt:
  description: Settings whose running value only a restart brings to the wanted one.
  returned: success
  type: list
  elements: dict
  sample:
    - {setting: io-threads, running: "1", wanted: "3"}
files:
  description: Files that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [/etc/redis/evenkeel.conf, /etc/redis/redis.conf]
overruled:
  description:
    - Managed settings that the server's configuration file had again after the include, as C(CONFIG REWRITE) leaves
      them. The include is made the last line again, which ends it.
  returned: success
  type: list
  elements: str
  sample: []
evidence:
  description:
    - What the server reported before the change, from C(INFO). Sizes in bytes, C(uptime_s) in seconds, C(hit_rate) as a
      share between 0 and 1, or null before the first lookup.
  returned: success
  type: dict
  sample:
    version: 7.0.15
    uptime_s: 86400
    connected_clients: 12
    used_memory_bytes: 1048576
    used_memory_peak_bytes: 2097152
    maxmemory_bytes: 0
    maxmemory_policy: noeviction
    evicted_keys: 0
    expired_keys: 20
    keyspace_hits: 900
    keyspace_misses: 100
    hit_rate: 0.9
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.dial import TlsOptions
from ansible_collections.evenkeel.fleet.plugins.module_utils._client.redis import RedisClient, RedisError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.settings import Request, ensure


def ensure_settings(module: AnsibleModule) -> dict[str, Any]:
    """Connect, apply the parameters of the module and return its result."""
    options = module.params
    request = Request(
        options["settings"], options["secret_settings"], options["sources"], options["config_file"], options["force"]
    )
    client = RedisClient(
        host=options["login_host"],
        port=options["login_port"],
        unix_socket=options["login_unix_socket"],
        username=options["login_user"],
        password=options["login_password"],
        tls=TlsOptions(ca_file=options["ca_path"]) if options["tls"] else None,
        timeout_s=options["timeout_s"],
    )
    try:
        with client:
            result = ensure(client, request, module.check_mode)
    except RedisError as error:
        if error.code not in ("WRONGPASS", "NOAUTH", "NOPERM"):
            raise
        raise FleetError(f"login_user, login_password: {error.msg}", error.remedy) from error
    if result["overruled"]:
        module.warn(
            f"{', '.join(result['overruled'])}: found again after the include of {options['config_file']}, as CONFIG "
            "REWRITE leaves them; the include is the last line again. Do not run CONFIG REWRITE on this server."
        )
    if not module._diff:
        del result["diff"]
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "required": True},
            "secret_settings": {"type": "dict", "default": {}, "no_log": True},
            "sources": {"type": "dict", "default": {}},
            "config_file": {"type": "path"},
            "force": {"type": "bool", "default": False},
            "login_host": {"type": "str", "default": "127.0.0.1"},
            "login_port": {"type": "int", "default": 6379},
            "login_unix_socket": {"type": "path"},
            "login_user": {"type": "str"},
            "login_password": {"type": "str", "no_log": True},
            "tls": {"type": "bool", "default": False},
            "ca_path": {"type": "path"},
            "timeout_s": {"type": "float", "default": 10.0},
        },
        supports_check_mode=True,
    )
    run(module, lambda: ensure_settings(module))


if __name__ == "__main__":
    main()
