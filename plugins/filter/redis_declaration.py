# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The declared settings of a Redis server: a profile, what is laid over it, and what contradicts itself."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.profile import declare

DOCUMENTATION = r"""
name: redis_declaration
short_description: Lay settings over a profile and derive maxmemory
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Returns the whole set of settings for M(evenkeel.fleet.redis_settings), with the source of each, and every
    contradiction at once. Runs on the controller and changes nothing.
options:
  _input:
    description: Settings by parameter; they win over the profile.
    type: dict
    required: true
  profile:
    description: C(name), C(maxmemory_share), C(policies) and C(settings) by parameter with C(value) and C(source).
    type: dict
    required: true
  memory:
    description: Memory that Redis may count on, in bytes or with a unit.
    type: str
    required: true
  share:
    description: Share of it for C(maxmemory) where no setting gives it; 0 takes the profile's.
    type: float
    default: 0
  force:
    description: Allow a C(maxmemory) beyond the safe share of the memory.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show the settings of a cache on a host with 4 GiB
  ansible.builtin.debug:
    msg: "{{ {'hz': 20} | evenkeel.fleet.redis_declaration(profile, '4gb') }}"
  vars:
    profile:
      name: cache
      maxmemory_share: 0.75
      policies: [allkeys-lfu]
      settings:
        maxmemory-policy: {value: allkeys-lfu, source: Redis documentation}
"""

RETURN = r"""
_value:
  description: C(settings), C(sources) and C(problems), the last one empty when nothing contradicts itself.
  type: dict
"""


def redis_declaration(
    settings: Mapping[str, Any], profile: Mapping[str, Any], memory: str, share: float = 0.0, force: bool = False
) -> dict[str, Any]:
    """Return settings, sources and problems; see DOCUMENTATION."""
    return vars(declare(profile, settings, memory, share, force))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"redis_declaration": redis_declaration}
