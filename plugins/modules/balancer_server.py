#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: balancer_server
short_description: Moves servers of a load balancer in and out of traffic
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Sets state, weight and port of servers in one backend of HAProxy, through its runtime API and without a reload.
  - A batch adds before it removes. Servers that get traffic come first, then those that drain, then those that leave.
  - With O(healthy=true) a server gets traffic only after HAProxy's own check has passed C(rise) times in a row since
    the server left C(maint). HAProxy alone holds a server that leaves C(maint) for up before any check has passed.
  - When a server does not get healthy in time, every server of the call is put back to what it was.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - Where HAProxy or the backend is not there yet, every server counts as a change, and a warning says so.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  backend:
    description: The backend of HAProxy's configuration.
    type: str
    required: true
  servers:
    description:
      - The servers and what they should be. What is left out stays as it is.
      - An empty list changes nothing and saves the states, as is wise before a reload.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The server's name in the backend.
        type: str
        required: true
      state:
        description:
          - V(ready) takes traffic.
          - V(drain) is checked and finishes what it has, but gets nothing new.
          - V(maint) is not checked and gets nothing.
        type: str
        choices: [ready, drain, maint]
      weight:
        description: Share of the traffic against the other servers, V(0) to V(256).
        type: int
      port:
        description:
          - The port that HAProxy connects to. A state file brings back the port that it was saved with, whatever the
            configuration says; this puts it right.
        type: int
  healthy:
    description:
      - Wait until HAProxy's own check is at full health before a server gets traffic.
      - It counts for servers on their way to V(ready), and for those on their way from V(maint) to V(drain), which is
        how a server is staged. It does not count for servers that leave.
    type: bool
    default: false
  deadline_s:
    description: Longest wait for that health, in seconds, for all servers of the call together.
    type: float
    default: 30
  degraded:
    description:
      - Whether half of these servers will do, at least one, when O(deadline_s) is over. It is meant for the way back -
        one server that is sick must not keep the traffic on a release that is worse.
      - The others are set as asked for, and get traffic when the check finds them healthy.
    type: bool
    default: false
  drain_deadline_s:
    description:
      - Longest wait, in seconds, until servers on their way to V(drain) or V(maint) have no session left. V(0) does
        not wait.
      - Sessions that are left then go on; RV(remained) counts them.
    type: float
    default: 0
  tunnel_drain_deadline_s:
    description:
      - The same for tunnels, instead of O(drain_deadline_s). Tunnels are WebSockets, and whatever else HAProxy only
        passes on since the server answered an upgrade with 101; of clients that speak HTTP/1.1 or HTTP/2.
      - Both deadlines count from the beginning of the drain, and what is past its own is waited for no longer. So the
        drain ends when no tunnel is left or this deadline is over, and no other session is left or
        O(drain_deadline_s) is over.
      - Left out, tunnels are sessions like any other. So they always are in backends of C(mode tcp).
    type: float
  socket:
    description: The C(stats socket) of HAProxy's configuration, level C(admin).
    type: path
    default: /run/haproxy/admin.sock
  state_file:
    description:
      - Where the states of all servers are saved after a change, so that they survive a restart. HAProxy reads the
        file where its configuration has C(server-state-file) and C(load-server-state-from-file global).
      - An empty string does not save.
    type: str
    default: /var/lib/haproxy/server-state
  guard:
    description:
      - Arms the guard of this load balancer before anything is changed. When nobody hears of the run for its time to
        live, all hosts for which the run has armed it go back in one pass - the old servers in, the new ones out. New
        servers that work keep their traffic until the old ones of their host have full health by HAProxy's own check.
        After O(deadline_s) half of these will do, or as many as there are new ones that work.
      - It is disarmed by M(evenkeel.fleet.release) with C(action=disarm). It needs systemd.
    type: dict
    suboptions:
      service:
        description: Name of the service that is released.
        type: str
        required: true
      run:
        description: Identifier of the run.
        type: str
        required: true
      token:
        description: Fencing token of the lock under which this is done. Lower than one seen on this host is refused.
        type: int
        required: true
      ttl_s:
        description:
          - Time to live in seconds; it begins anew with each call.
          - V(0) arms nothing, and only looks at the token.
        type: float
        default: 0
      host:
        description: The host whose servers are changed. Required with O(guard.ttl_s) above 0.
        type: str
      old:
        description: Its servers that had the traffic before the run; empty when it had none.
        type: list
        elements: str
        default: []
      new:
        description: Its servers of the release. Required with O(guard.ttl_s) above 0.
        type: list
        elements: str
        default: []
      weight:
        description: Weight that the new servers get back when they are out.
        type: int
        default: 100
      directory:
        description: Where the guards are, in one directory per service.
        type: path
        default: /var/lib/evenkeel
seealso:
  - module: evenkeel.fleet.balancer_info
  - module: evenkeel.fleet.release
"""

EXAMPLES = r"""
- name: Stage the new server, which is then checked but gets no traffic
  evenkeel.fleet.balancer_server:
    backend: be_pitch
    servers:
      - {name: app1-green, state: drain}
    healthy: true
    deadline_s: 30

- name: Switch from blue to green
  evenkeel.fleet.balancer_server:
    backend: be_pitch
    servers:
      - {name: app1-green, state: ready, weight: 100}
      - {name: app1-blue, state: maint}
    healthy: true
    drain_deadline_s: 30

- name: Switch, and give WebSockets ten minutes to end by themselves
  evenkeel.fleet.balancer_server:
    backend: be_pitch
    servers:
      - {name: app1-green, state: ready}
      - {name: app1-blue, state: maint}
    healthy: true
    drain_deadline_s: 30
    tunnel_drain_deadline_s: 600

- name: Switch, and back again by itself when nobody renews or disarms the guard within two minutes
  evenkeel.fleet.balancer_server:
    backend: be_pitch
    servers:
      - {name: app1-green, state: ready}
      - {name: app1-blue, state: maint}
    healthy: true
    guard:
      service: pitch
      run: 20261121T081500Z-v2
      token: 7
      ttl_s: 120
      host: app1
      old: [app1-blue]
      new: [app1-green]

- name: Save the states before a reload
  evenkeel.fleet.balancer_server:
    backend: be_pitch
    servers: []

- name: Give a canary a tenth of the traffic
  evenkeel.fleet.balancer_server:
    backend: be_pitch
    servers:
      - {name: app1-green, weight: 10}
      - {name: app1-blue, weight: 90}
"""

RETURN = r"""
servers:
  description: The servers of the call as they are after it; in check mode as they would be.
  returned: success
  type: list
  elements: dict
  sample:
    - name: app1-green
      state: ready
      operational: running
      weight: 100
      sessions: 0
      address: 172.30.77.11
      port: 8002
      checked: true
      healthy: true
      check_status: L7OK
      check_code: 200
      check_text: ""
      check_health: 4
      check_rise: 2
      check_fall: 3
remained:
  description:
    - Sessions that were left on a server when O(drain_deadline_s) and O(tunnel_drain_deadline_s) had passed, by
      server - how many C(tunnels) and how many C(others).
  returned: success
  type: dict
  sample: {app1-blue: {tunnels: 2, others: 0}}
duration_s:
  description: Seconds that the call took.
  returned: success
  type: float
  sample: 1.204
unhealthy:
  description: The servers that did not get healthy in time, as they were before they were put back.
  returned: when a server did not get healthy in time
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.tasks import change_servers
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "backend": {"type": "str", "required": True},
            "servers": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "state": {"type": "str", "choices": ["ready", "drain", "maint"]},
                    "weight": {"type": "int"},
                    "port": {"type": "int"},
                },
            },
            "healthy": {"type": "bool", "default": False},
            "deadline_s": {"type": "float", "default": 30},
            "degraded": {"type": "bool", "default": False},
            "drain_deadline_s": {"type": "float", "default": 0},
            "tunnel_drain_deadline_s": {"type": "float"},
            "socket": {"type": "path", "default": "/run/haproxy/admin.sock"},
            "state_file": {"type": "str", "default": "/var/lib/haproxy/server-state"},
            "guard": {
                "type": "dict",
                "options": {
                    "service": {"type": "str", "required": True},
                    "run": {"type": "str", "required": True},
                    "token": {"type": "int", "required": True, "no_log": False},
                    "ttl_s": {"type": "float", "default": 0},
                    "host": {"type": "str"},
                    "old": {"type": "list", "elements": "str", "default": []},
                    "new": {"type": "list", "elements": "str", "default": []},
                    "weight": {"type": "int", "default": 100},
                    "directory": {"type": "path", "default": "/var/lib/evenkeel"},
                },
            },
        },
        supports_check_mode=True,
    )
    arguments = {**module.params, "check_mode": module.check_mode, "warn": module.warn}
    guard = arguments.pop("guard")
    if guard is None or module.check_mode:
        run(module, change_servers, **arguments)
    # Compiled anew at each call, and not always needed.
    from ansible_collections.evenkeel.fleet.plugins.module_utils._release.guard.balancer import change_guarded

    run(module, change_guarded, guard=guard, **arguments)


if __name__ == "__main__":
    main()
