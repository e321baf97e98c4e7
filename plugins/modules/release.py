#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lock a service for one run and keep the ledger of its releases."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Lock a service for one run and keep the ledger of its releases
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - The lock lets one run at a time change a service. It has a time to live and a fencing token that only grows.
  - The ledger is a file of JSON lines on the target, chained by hash and on disk before the module returns. Its records
    follow the states of a release; a step that may not follow the last one is refused.
  - The stop flag keeps a run, or any, from changing more of the service. Setting it needs no lock.
  - A guard looks after a run that began to change a host. When nobody hears of the run for the guard's time to live,
    the load balancers send the traffic back, then the hosts stop the slot that the load balancers no longer ask and
    complete their ledgers. It needs systemd.
  - Standard library only; nothing has to be installed on the target.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - The lock is looked at and not taken; records are not written.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - O(action=renew), O(action=rearm) and O(action=record) write each time; the other actions are.
options:
  service:
    description: Name of the service that is released.
    type: str
    required: true
  action:
    description:
      - V(lock) takes the lock. The run that has it gets it again, renewed. A lock is taken over when it has expired,
        when the guard on this host has sent its run back, or when it is O(abandoned).
      - V(renew) begins its time to live anew and fails when the run lost it.
      - V(unlock) gives it back; the lock of another run is left alone.
      - V(record) appends to the ledger of this host.
      - V(stop) sets the stop flag on this host. As long as it is there, V(lock), V(renew) and every V(record) that
        begins a step are refused for the run that it names; going back and the commit are not.
      - With O(pause), V(stop) only keeps a run waiting. V(lock) is refused, V(renew) returns RV(paused), and what has
        begun goes on to where it can wait.
      - V(clear) takes the stop flag of O(run) away, every one with V(any).
      - V(rearm) begins the time to live of the load balancer's guard on this host anew, if there is one. On the host
        that keeps the lock, V(renew) with O(guard_ttl_s) does so.
      - V(disarm) takes the order of the load balancer's guard on this host away. The guard itself is armed by
        M(evenkeel.fleet.balancer_server).
      - V(fire) does not wait for the time to live of the guards on this host and sends their O(run) back now. It needs
        no lock, and the run can do nothing any more at this load balancer. It returns when the load balancer's guard
        has brought the traffic back or cannot; a host's guard goes on by itself.
    type: str
    required: true
    choices: [lock, renew, unlock, record, stop, clear, rearm, disarm, fire]
  run:
    description: Identifier of the run, the same for all steps of one rollout. O(action=stop) also takes V(any).
    type: str
    required: true
  holder:
    description: Who takes the lock, sets the stop flag or sends a run back, for the message that others get.
    type: str
  controller:
    description:
      - What tells the process that drives the run from any other one, see
        P(evenkeel.fleet.rollout_controller#filter). It gets the lock of its own run again.
    type: dict
    default: {}
  abandoned:
    description:
      - Token of a lock of this O(holder) whose controller is gone; O(action=lock) takes it over before it has expired.
    type: int
    default: 0
  reason:
    description: Why the stop flag is set or a run sent back, for the message that others get.
    type: str
    default: ""
  pause:
    description: Whether the stop flag sends nobody back, and a run only waits until it is taken away or expires.
    type: bool
    default: false
  ttl_s:
    description: Time to live of the lock or of the stop flag in seconds.
    type: float
    default: 600
  release:
    description: Release that the records are about.
    type: str
  records:
    description: Records to append, in order, all or none.
    type: list
    elements: dict
    suboptions:
      state:
        description: The state that begins or is reached.
        type: str
        required: true
        choices: [PLANNED, LOCKED, BACKED_UP, EXPANDED, STAGED, VERIFIED, CANARY, SWITCHED, SOAKING, COMMITTED,
                  ABORTING, ROLLED_BACK, FROZEN]
      phase:
        description: V(intent) before something is changed, V(result) after it.
        type: str
        default: result
        choices: [intent, result]
      data:
        description: What belongs to the step, such as digests, verdicts and reasons. Never a secret.
        type: dict
        default: {}
  token:
    description:
      - Fencing token of the lock under which this is done. Lower than one seen on this host is refused.
      - V(renew) and V(unlock) without it do not ask for the token.
      - For V(lock), the highest one that the hosts have followed; the new one is higher, also on a host that never kept
        the lock before.
    type: int
  guard_ttl_s:
    description: Time to live of the load balancer's guard in seconds, for O(action=renew) and O(action=rearm).
    type: float
    default: 0
  guard:
    description:
      - With O(action=record), the guard of this host. It is armed before the first record from C(VERIFIED) on, its time
        to live begins anew with each further one, and it is disarmed after C(COMMITTED), C(ROLLED_BACK) and C(FROZEN).
      - When its time is over it looks which of the two slots is asked from outside. The old one alone means
        C(ROLLED_BACK); the new one alone, after the intent to commit, means C(COMMITTED). Otherwise it touches nothing
        and looks again.
    type: dict
    suboptions:
      ttl_s:
        description: Time to live in seconds. Longer than that of the load balancers' guards.
        type: float
        required: true
      old:
        description: The slot that served before.
        type: str
        required: true
      new:
        description: The slot of the release.
        type: str
        required: true
      ports:
        description: The ports of each slot on this host, as lists.
        type: dict
        required: true
      commit:
        description: C(data) of the record that a commit leaves.
        type: dict
        default: {}
      look_s:
        description: How long to look who is asked, in seconds. Longer than the check interval of the load balancers.
        type: float
        default: 10
      grace_s:
        description:
          - Seconds between SIGTERM and SIGKILL when an instance is stopped.
          - With O(guard.runtime=systemd) the time that C(TimeoutStopSec) of the unit gives it.
        type: int
        default: 10
      runtime:
        description: What runs the slots.
        type: str
        default: compose
        choices: [compose, systemd]
      home:
        description: Directory of the service on the host, with its slots, for O(guard.runtime=systemd).
        type: path
      docker_socket:
        description: Socket of the Docker Engine.
        type: path
        default: /var/run/docker.sock
  host:
    description: Name of this host in the records.
    type: str
  operator:
    description: Who asked for the release.
    type: str
  directory:
    description: Where locks and ledgers are, in one directory per service.
    type: path
    default: /var/lib/evenkeel
seealso:
  - module: evenkeel.fleet.release_info
  - module: evenkeel.fleet.balancer_server
"""

EXAMPLES = r"""
- name: Take the lock
  evenkeel.fleet.release:
    service: shop
    action: lock
    run: 20261121T081500Z-v2
    holder: alice@control
    ttl_s: 600
  register: lock
  delegate_to: edge1
  run_once: true

- name: Say what is about to happen
  evenkeel.fleet.release:
    service: shop
    action: record
    run: 20261121T081500Z-v2
    release: v2
    token: "{{ lock.lock.token }}"
    host: "{{ inventory_hostname }}"
    operator: alice@control
    records:
      - {state: PLANNED}
      - {state: STAGED, phase: intent, data: {image: "registry.example.org/shop@sha256:…"}}
"""

RETURN = r"""
lock:
  description: The lock after O(action=lock), O(action=renew) or O(action=unlock); C(age_s) is on that host's clock.
  type: dict
  returned: with these actions
  sample: {held: true, holder: alice@control, run: 20261121T081500Z-v2, token: 7, age_s: 0.0, expires_in_s: 600.0,
           expired: false, acquired_at: 1795249200.0, ttl_s: 600.0, took_over: null}
stop:
  description: The stop flag after O(action=stop) or O(action=clear); only C(set) when there is none that holds.
  type: dict
  returned: with these actions
  sample: {set: true, run: any, by: alice@control, reason: the shop is on television, pause: false,
           set_at: 1795249200.0, age_s: 0.0, expires_in_s: 3600.0}
paused:
  description: The stop flag that keeps this run waiting, after O(action=renew); empty without one.
  type: dict
  returned: with this action
guard:
  description: The load balancer's guard on this host after O(action=rearm) or O(action=disarm); see
    RV(evenkeel.fleet.release_info#module:guards).
  type: dict
  returned: with these actions
guards:
  description: The guards on this host after O(action=fire); see RV(evenkeel.fleet.release_info#module:guards).
  type: dict
  returned: with this action
records:
  description: What the ledger of this host has of this run afterwards; empty in check mode.
  type: list
  elements: dict
  returned: with O(action=record)
status:
  description: Where the service stands on this host afterwards; see RV(evenkeel.fleet.release_info#module:status).
  type: dict
  returned: with O(action=record), not in check mode
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import module as core
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.actions import ACTIONS
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger import states
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import DIRECTORY
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.engine import SOCKET
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.runtime import COMPOSE, RUNTIMES, SYSTEMD

ARGUMENTS = {
    "lock": ("holder", "ttl_s", "controller", "abandoned", "token"),
    "renew": ("ttl_s", "token", "guard_ttl_s"),
    "unlock": ("token",),
    "record": ("release", "records", "token", "host", "operator", "guard"),
    "stop": ("holder", "reason", "ttl_s", "pause"),
    "clear": (),
    "rearm": ("token", "guard_ttl_s"),
    "disarm": ("token",),
    "fire": ("holder", "reason"),
}


def main() -> None:
    """Run the action."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "action": {"type": "str", "required": True, "choices": list(ACTIONS)},
            "run": {"type": "str", "required": True},
            "holder": {"type": "str"},
            "controller": {"type": "dict", "default": {}},
            "abandoned": {"type": "int", "default": 0},
            "reason": {"type": "str", "default": ""},
            "pause": {"type": "bool", "default": False},
            "ttl_s": {"type": "float", "default": 600},
            "release": {"type": "str"},
            "records": {"type": "list", "elements": "dict", "options": {
                "state": {"type": "str", "required": True, "choices": list(states.STATES)},
                "phase": {"type": "str", "default": states.RESULT, "choices": list(states.PHASES)},
                "data": {"type": "dict", "default": {}},
            }},
            "token": {"type": "int", "no_log": False},
            "guard_ttl_s": {"type": "float", "default": 0},
            "guard": {"type": "dict", "options": {
                "ttl_s": {"type": "float", "required": True},
                "old": {"type": "str", "required": True},
                "new": {"type": "str", "required": True},
                "ports": {"type": "dict", "required": True},
                "commit": {"type": "dict", "default": {}},
                "look_s": {"type": "float", "default": 10},
                "grace_s": {"type": "int", "default": 10},
                "runtime": {"type": "str", "default": COMPOSE, "choices": list(RUNTIMES)},
                "home": {"type": "path"},
                "docker_socket": {"type": "path", "default": SOCKET},
            }, "required_if": [("runtime", SYSTEMD, ("home",))]},
            "host": {"type": "str"},
            "operator": {"type": "str"},
            "directory": {"type": "path", "default": DIRECTORY},
        },
        required_if=[
            ("action", "lock", ("holder",)),
            ("action", "stop", ("holder",)),
            ("action", "fire", ("holder",)),
            ("action", "record", ("release", "records", "token", "host", "operator")),
            ("action", "rearm", ("token",)),
            ("action", "disarm", ("token",)),
        ],
        supports_check_mode=True,
    )
    action = module.params["action"]
    core.run(module, ACTIONS[action], service=module.params["service"], run=module.params["run"],
             directory=module.params["directory"], check_mode=module.check_mode,
             **{name: module.params[name] for name in ARGUMENTS[action]})


if __name__ == "__main__":
    main()
