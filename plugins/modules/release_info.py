#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the ledger, the lock and what runs of a service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Read the ledger, the lock and what runs of a service
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Reads and verifies the ledger that M(evenkeel.fleet.release) keeps on a host, and says what it means for now.
  - With O(runtime=compose) or O(runtime=systemd) it also reads the slots of the service and where an image is, in the
    same task.
  - Standard library only; nothing has to be installed on the target.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.info
  - evenkeel.fleet.attributes.fleet
options:
  service:
    description: Name of the service.
    type: str
    required: true
  run:
    description: Return the records of this run only.
    type: str
    default: ""
  runtime:
    description:
      - V(compose) also reads containers with the label C(evenkeel.service).
      - V(systemd) also reads the slots in O(home), of which each replica is an instance of a template unit, such as
        C(shop-blue@1.service), and the unpacked images there.
      - V(none) reads no runtime.
    type: str
    default: none
    choices: [none, compose, systemd]
  image:
    description:
      - Image reference to resolve to its digest, without pulling it.
      - With O(runtime=systemd) the address of an archive with its digest, such as
        C(https://builds.example.org/shop-v42.tar.gz@sha256:...).
    type: str
    default: ""
  home:
    description: Directory of the service on the host, with its slots and unpacked images, for O(runtime=systemd).
    type: path
  bundles:
    description: Directory of the bundles that M(evenkeel.fleet.release_bundle) wrote, to read their digests.
    type: path
    default: ""
  docker_socket:
    description: Socket of the Docker Engine.
    type: path
    default: /var/run/docker.sock
  directory:
    description: Where locks and ledgers are, in one directory per service.
    type: path
    default: /var/lib/evenkeel
seealso:
  - module: evenkeel.fleet.release
"""

EXAMPLES = r"""
- name: Read the ledger
  evenkeel.fleet.release_info:
    service: shop
  register: shop

- name: Show the release that was committed last
  ansible.builtin.debug:
    msg: "{{ shop.status.current.release }} before it {{ shop.status.previous.release | default('nothing') }}"

- name: Also read what runs, and find an image
  evenkeel.fleet.release_info:
    service: shop
    runtime: compose
    image: registry.example.org/shop:v2
"""

RETURN = r"""
status:
  description:
    - What the ledger means for now. C(state), C(phase), C(run) and C(release) are of the last record, C(kind) is
      that of its run, V(rollout) or V(rollback).
    - C(current) is the release that was committed last and C(previous) the one before it that nobody rolled back from.
      C(releases) leads from the oldest to the current one, C(history) has every commit. C(replicas) of these says how
      many replicas the release had on this host, 1 where that is missing.
    - C(interrupted) is whether a run was left in the middle, C(frozen) whether a person has to decide.
  type: dict
  returned: always
records:
  description: Records, oldest first.
  type: list
  elements: dict
  returned: always
torn_bytes:
  description: Length of a last line that a crash cut off, in bytes. It was never confirmed and does not count.
  type: int
  returned: always
token:
  description: Highest fencing token in the ledger.
  type: int
  returned: always
lock:
  description: The lock on this host; only C(held) and C(token) when there is none.
  type: dict
  returned: always
stop:
  description: The stop flag on this host, with C(run), C(by) and C(reason); only C(set) when there is none that holds.
  type: dict
  returned: always
guards:
  description:
    - The guards on this host, C(balancer) where a load balancer is and C(runtime) where the service runs.
    - C(state) is C(none), C(armed), C(fired) or C(disarmed); C(run), C(ttl_s) and C(remaining_s) are of its order,
      C(outcome) and C(fired_at) say what it did.
  type: dict
  returned: always
instances:
  description:
    - What each slot runs, with release, image, digest, state and start time. C(replicas) has this of each of its
      containers or units. The slot is as its first one, or as the first that does not run.
  type: dict
  returned: always
image:
  description: The resolved image, with C(reference), C(pinned), C(digest) and C(present).
  type: dict
  returned: always
stored:
  description: Images of the same repository or in O(home) that are on this host, pinned by digest.
  type: list
  elements: str
  returned: always
neighbours:
  description:
    - Which of RV(stored) other services of this host committed, by service, the newest first. V(null) for a service
      whose ledger was changed.
  type: dict
  returned: always
  sample: {worker: ["registry.example.org/shop@sha256:..."]}
bundles:
  description: Digest by name of every bundle in O(bundles), of what its files contain now.
  type: dict
  returned: always
problems:
  description: What could not be read, as sentences.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import module as core
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.info import read
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.ledger.records import DIRECTORY
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.engine import SOCKET
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.runtime import RUNTIMES, SYSTEMD


def main() -> None:
    """Read."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "run": {"type": "str", "default": ""},
            "runtime": {"type": "str", "default": "none", "choices": ["none", *RUNTIMES]},
            "image": {"type": "str", "default": ""},
            "home": {"type": "path"},
            "bundles": {"type": "path", "default": ""},
            "docker_socket": {"type": "path", "default": SOCKET},
            "directory": {"type": "path", "default": DIRECTORY},
        },
        required_if=[("runtime", SYSTEMD, ("home",))],
        supports_check_mode=True,
    )
    core.run(module, read, **module.params)


if __name__ == "__main__":
    main()
