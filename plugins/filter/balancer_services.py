# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fill in and check what a load balancer is declared to serve."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.declaration import declare

DOCUMENTATION = r"""
name: balancer_services
short_description: Fill in and check the services of a load balancer
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Gives each service its servers and the defaults of its check, and finds what contradicts itself.
options:
  _input:
    description: The services, as in C(load_balancer_services).
    type: list
    elements: dict
    required: true
  hosts:
    description: The hosts that serve, for services without a list of servers.
    type: list
    elements: str
    required: true
  hostvars:
    description: The magic variable C(hostvars). A host's C(load_balancer_address) is its address; its name otherwise.
    type: dict
    required: true
  defaults:
    description:
      - C(slots) (port by slot), C(replicas) (the most of a slot), C(health_path), C(check_interval), C(check_fall) and
        C(check_rise).
    type: dict
    required: true
  running:
    description: The C(backends) of M(evenkeel.fleet.balancer_info). A server in use there keeps its port.
    type: dict
"""

EXAMPLES = r"""
- name: Show the servers behind a load balancer
  ansible.builtin.debug:
    msg: >-
      {{ [{'name': 'shop', 'port': 80}] | evenkeel.fleet.balancer_services(
           hosts=['app1'], hostvars=hostvars,
           defaults={'slots': {'blue': 8001, 'green': 8002}, 'health_path': '/health',
                     'replicas': 1, 'check_interval': '2s', 'check_fall': 3, 'check_rise': 2}) }}
"""

RETURN = r"""
_value:
  description:
    - C(services) is the list with nothing left out. C(problems) is a list of sentences, empty when all is right.
  type: dict
"""


def balancer_services(
    services: Sequence[Mapping[str, Any]],
    hosts: Sequence[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    defaults: Mapping[str, Any],
    running: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the services with nothing left out, and what is wrong with them."""
    addresses = {host: str(hostvars[host].get("load_balancer_address", host)) for host in hosts}
    return declare(services, addresses, defaults, running)


class FilterModule:
    """The filter under its name."""

    def filters(self) -> dict[str, Any]:
        return {"balancer_services": balancer_services}
