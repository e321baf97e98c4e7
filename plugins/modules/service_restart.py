#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_restart
short_description: Restarts one service of a host gracefully, and measures it
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Reloads a systemd unit or a container where that is enough. Otherwise waits until its connections are done, asks it
    to end, kills it when it does not, starts it and waits until it is healthy.
  - Connections are counted in the kernel's socket table of the service's own network namespace, on the ports on which
    its processes listen. What is still open when it is killed is counted as cut off.
  - Moves no traffic. M(evenkeel.fleet.balancer_server) takes a server out before and brings it back after; the playbook
    C(restart) does both, host by host.
  - In the URL of a check, C({port}) is the port of the host under which a container is published, or where a replica in
    a slot listens.
  - Standard library only; nothing has to be installed on the target.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
  - evenkeel.fleet.health_checks
attributes:
  check_mode:
    support: full
    details:
      - Looks at health, connections and reasons, and says which method would be used. Checks of type V(command) are
        left out unless they are declared O(checks[].read_only).
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - A restart is a change, each time. With O(only_if=needed) a service that needs none is left alone.
options:
  service:
    description: Name of the service. Its stop flag, see M(evenkeel.fleet.release), is honoured.
    type: str
    required: true
  runtime:
    description: What runs it.
    type: str
    default: systemd
    choices:
      systemd: A service unit.
      container: A container of the local Docker Engine.
      compose: The slot in use of a Compose service, as the role C(deploy_compose) makes it.
      systemd_slot: The slot in use of a service of template units, as the role C(deploy_systemd) makes it.
  name:
    description: Name of the unit, the container or the service that has slots; by default O(service).
    type: str
  home:
    description: Directory with the slots, for O(runtime=systemd_slot); by default C(/opt/evenkeel/<name>).
    type: path
  replica:
    description: Which replica of the slot, from 1.
    type: int
    default: 1
  action:
    description:
      - V(restart) reloads or restarts.
      - V(stop) ends it for good, with the sockets that would start it again, and does not heed the stop flag.
    type: str
    default: restart
    choices: [restart, stop]
  method:
    description: How to restart.
    type: str
    default: auto
    choices:
      auto: V(reload) where it is possible and enough, else V(socket) where a socket unit listens, else V(restart).
      reload: What the unit declares as C(ExecReload), or O(reload_signal). The service goes on.
      socket: Stop and start while its socket unit keeps new connections waiting.
      restart: Stop and start.
  only_if:
    description: When to restart at all.
    type: str
    default: always
    choices:
      always: Each time.
      needed: When it is not healthy, its unit has changed on disk, its program was replaced, or O(programs) or O(files)
        are newer than what it has read.
  reload_signal:
    description: Signal to the main process that makes it reload, such as V(SIGHUP), instead of C(ExecReload).
    type: str
  renews:
    description: What has to be new after a reload for it to count. Only units can have anything but V(none).
    type: str
    default: none
    choices:
      none: Nothing; the main process is the same and the service is healthy.
      workers: At least one process beside the same main process, as with HAProxy and nginx.
      main: Another main process, and the old one is gone. This is a handover, as with V(SIGUSR2).
  programs:
    description:
      - Files and directories that only a new process takes in, such as the code of an interpreted program. Replaced
        programs of the main process are noticed without this.
    type: list
    elements: path
    default: []
  files:
    description: Files and directories that a reload takes in.
    type: list
    elements: path
    default: []
  consecutive:
    description: How many times in a row all O(checks) have to pass after it.
    type: int
    default: 3
  interval_s:
    description: Seconds between these.
    type: float
    default: 0.2
  quiet_s:
    description: Longest wait in seconds for open connections, before the service is asked to end. Not with V(socket).
    type: float
    default: 0
  stop_deadline_s:
    description: Seconds until a service that was asked to end is killed.
    type: float
    default: 30
  start_deadline_s:
    description: Longest wait in seconds until it is healthy after its start or its reload.
    type: float
    default: 30
  run:
    description: Identifier of the run, for stop flags that name one.
    type: str
    default: any
  directory:
    description: Where stop flags are, in one directory per service.
    type: path
    default: /var/lib/evenkeel
seealso:
  - module: evenkeel.fleet.balancer_server
  - module: evenkeel.fleet.health_probe
"""

EXAMPLES = r"""
- name: Take a new configuration into use, if there is one
  evenkeel.fleet.service_restart:
    service: shop
    only_if: needed
    files: [/etc/shop.conf]
    programs: [/opt/shop]
    checks:
      - {name: shop, type: http, url: "http://127.0.0.1:8080/health"}

- name: Hand over to a new main process
  evenkeel.fleet.service_restart:
    service: gateway
    method: reload
    reload_signal: SIGUSR2
    renews: main

- name: Restart a container that is out of traffic
  evenkeel.fleet.service_restart:
    service: search
    runtime: container
    quiet_s: 10
    stop_deadline_s: 20
    checks:
      - {name: search, type: http, url: "http://127.0.0.1:9200/up"}

- name: Restart the first replica of a release that runs as systemd units
  evenkeel.fleet.service_restart:
    service: shop
    runtime: systemd_slot
    checks:
      - {name: shop, type: http, url: "http://127.0.0.1:{port}/health"}
"""

RETURN = r"""
method:
  description: V(reload), V(socket), V(restart) or V(stop); in check mode what would be used.
  returned: always
  type: str
why:
  description: Why this method.
  returned: always
  type: str
  sample: its unit declares ExecReload
needs:
  description: What asks for a restart, one sentence each.
  returned: always
  type: list
  elements: str
  sample: [/opt/shop is newer than the process]
wanted:
  description: Whether a restart was asked for or needed. In check mode this is what would be changed.
  returned: always
  type: bool
instance:
  description: The unit or the container.
  returned: always
  type: str
  sample: shop.service
slot:
  description: The slot; empty for what has none.
  returned: always
  type: str
  sample: blue
replicas:
  description: How many replicas the slot has; 1 for what has no slots.
  returned: always
  type: int
  sample: 1
alive:
  description: Whether any process of it was there at the first look.
  returned: always
  type: bool
healthy:
  description:
    - Whether it is healthy, apart from what was RV(left_out); in check mode and after a failure, whether it was before.
  returned: always
  type: bool
left_out:
  description: Names of the O(checks) that were not asked, because they are commands that check mode does not run.
  returned: always
  type: list
  elements: str
open:
  description: Connections that were open at the first look.
  returned: always
  type: int
startup_ms:
  description: Milliseconds from the start to the first look at which it was healthy.
  returned: after a start
  type: float
  sample: 312.4
stop_ms:
  description: Milliseconds from the request to end to the end.
  returned: after a stop
  type: float
reload_ms:
  description: Milliseconds from the reload until it was healthy often enough.
  returned: after a reload
  type: float
killed:
  description: Whether it had to be killed.
  returned: after a stop
  type: bool
connections:
  description:
    - C(ports) on which it listened; C(open) connections to them before, C(at_stop) after C(waited_ms), and those that
      were C(cut_off) because it was killed.
  returned: after a stop
  type: dict
  sample: {ports: [8080], open: 3, waited_ms: 120.4, at_stop: 0, cut_off: 0}
status:
  description: What the runtime says of it now.
  returned: success
  type: str
  sample: active (running)
pid:
  description: Its main process now, 0 without one.
  returned: success
  type: int
duration_ms:
  description: Milliseconds that all of it took.
  returned: success
  type: float
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._health.options import CHECKS
from ansible_collections.evenkeel.fleet.plugins.module_utils._restart import need, tasks


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "runtime": {"type": "str", "default": tasks.SYSTEMD, "choices": list(tasks.RUNTIMES)},
            "name": {"type": "str"},
            "home": {"type": "path"},
            "replica": {"type": "int", "default": 1},
            "action": {"type": "str", "default": "restart", "choices": ["restart", "stop"]},
            "method": {"type": "str", "default": need.AUTO, "choices": list(need.METHODS)},
            "only_if": {"type": "str", "default": "always", "choices": ["always", "needed"]},
            "reload_signal": {"type": "str"},
            "renews": {"type": "str", "default": need.NONE, "choices": list(need.RENEWS)},
            "programs": {"type": "list", "elements": "path", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "checks": CHECKS,
            "consecutive": {"type": "int", "default": 3},
            "interval_s": {"type": "float", "default": 0.2},
            "quiet_s": {"type": "float", "default": 0},
            "stop_deadline_s": {"type": "float", "default": 30},
            "start_deadline_s": {"type": "float", "default": 30},
            "run": {"type": "str", "default": "any"},
            "directory": {"type": "path", "default": "/var/lib/evenkeel"},
        },
        supports_check_mode=True,
    )
    run(module, tasks.restart, check_mode=module.check_mode, **module.params)


if __name__ == "__main__":
    main()
