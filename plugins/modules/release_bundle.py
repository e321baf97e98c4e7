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
  - With O(target), the bundle is also copied to where it is used. Without O(config) and O(secrets) a bundle that was
    written earlier is taken, for a rollback with the configuration of that time.
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
  digest:
    description:
      - Digest that the bundle has to have, as RV(digest) of an earlier time. Otherwise nothing is changed.
    type: str
    default: ""
  target:
    description: Directory that gets a copy of the bundle's files, mode 0700.
    type: path
    default: ""
  target_config:
    description: Further files of O(target) by file name, which are not part of the bundle. A diff shows them.
    type: dict
    default: {}
seealso:
  - module: evenkeel.fleet.release
"""

EXAMPLES = r"""
- name: Lay configuration and secrets of the release ready
  evenkeel.fleet.release_bundle:
    path: /opt/evenkeel/shop/bundles/v2
    config:
      compose.yaml: "{{ lookup('ansible.builtin.template', 'compose.yaml.j2') }}"
    secrets:
      environment: "{{ lookup('ansible.builtin.template', 'environment.j2') }}"
    target: /opt/evenkeel/shop/green

- name: Take what an earlier release had, if it is still what it was
  evenkeel.fleet.release_bundle:
    path: /opt/evenkeel/shop/bundles/v1
    digest: sha256:0f343b0931126a20f133d67c2b018a3b5d2c5c1a2a3d8f4e6b7c8d9e0f1a2b3c
    target: /opt/evenkeel/shop/blue
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
from ansible_collections.evenkeel.fleet.plugins.module_utils._release.declared import bundle


def main() -> None:
    """Write the bundle."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "config": {"type": "dict", "default": {}},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "digest": {"type": "str", "default": ""},
            "target": {"type": "path", "default": ""},
            "target_config": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    expected = options.pop("digest")
    core.run(module, bundle.write, **options, expected=expected, check_mode=module.check_mode)


if __name__ == "__main__":
    main()
