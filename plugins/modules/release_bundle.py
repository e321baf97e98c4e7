#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the files that belong to one release as one bundle."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_bundle
short_description: Write the files that belong to one release as one bundle
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Configuration and secrets of a release go into one directory that only its owner may read, in one task.
  - Each file is written whole or not at all, and is on disk before the module returns. Other files are left alone.
  - Standard library only; nothing has to be installed on the target.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Of secrets the diff only says that they change.
  idempotent:
    support: full
options:
  path:
    description: Directory of the bundle, mode 0700. It is made when it is missing.
    type: path
    required: true
  config:
    description: Contents by file name, mode 0600. A diff shows them.
    type: dict
    default: {}
  secrets:
    description: Contents by file name, mode 0600. Neither a diff nor a log shows them.
    type: dict
    default: {}
seealso:
  - module: evenkeel.fleet.release
"""

EXAMPLES = r"""
- name: Lay configuration and secrets of the release ready
  evenkeel.fleet.release_bundle:
    path: /opt/evenkeel/shop/green
    config:
      compose.yaml: "{{ lookup('ansible.builtin.template', 'compose.yaml.j2') }}"
    secrets:
      environment: "{{ lookup('ansible.builtin.template', 'environment.j2') }}"
"""

RETURN = r"""
files:
  description: Names of the files of the bundle.
  type: list
  elements: str
  returned: success
digest:
  description: SHA-256 over the names and contents of all files of the bundle.
  type: str
  returned: success
  sample: sha256:0f343b0931126a20f133d67c2b018a3b5d2c5c1a2a3d8f4e6b7c8d9e0f1a2b3c
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import module as core
from ansible_collections.evenkeel.fleet.plugins.module_utils._release import bundle


def main() -> None:
    """Write the bundle."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "config": {"type": "dict", "default": {}},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    core.run(module, bundle.write, **module.params, check_mode=module.check_mode)


if __name__ == "__main__":
    main()
