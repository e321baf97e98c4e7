#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pull an image and tell how that is going."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_pull
short_description: Pull an image and tell how that is going
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Pulls an image through the API of the Docker Engine on the host. An image that is here is not pulled, and its
    registry is not asked. A tag may have moved meanwhile, a digest never does.
  - With the callback P(evenkeel.fleet.progress#callback) it shows the layers and bytes that are done every few seconds,
    for each host.
  - A pull that fails leaves no image, and Docker Engine 20.10 removes the layers that it had fetched; the next one
    begins anew.
  - Credentials are those that C(docker login) stored in C(config.json) of the user that the task becomes. Credential
    helpers are not asked.
  - Standard library only; nothing has to be installed on the target.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - The registry is asked whether it has an image that is not here, and nothing is pulled.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  image:
    description: Image with a tag or a digest.
    type: str
    required: true
  stall_s:
    description:
      - Longest time in seconds in which the engine tells nothing. Then the pull is given up.
      - There is no deadline for a pull that goes on. The engine tries a lost layer again for a minute or so.
    type: float
    default: 60
  status_path:
    description:
      - File on the host with C(layers_done), C(layers_all), C(bytes_done), C(bytes_all) and C(elapsed_s) as JSON,
        written whole once a second and removed at the end. C(bytes_all) is of the layers that the engine has begun to
        fetch.
      - Empty writes none, unless the callback needs one; that is in C(/tmp) and has a random name.
    type: path
    default: ""
  docker_socket:
    description: Socket of the Docker Engine.
    type: path
    default: /var/run/docker.sock
seealso:
  - module: evenkeel.fleet.release_info
  - plugin: evenkeel.fleet.progress
    plugin_type: callback
"""

EXAMPLES = r"""
- name: Pull the release
  evenkeel.fleet.image_pull:
    image: registry.example.org/shop:v42
  register: image

- name: Show what a tag was at that time
  ansible.builtin.debug:
    msg: "{{ image.pinned }}"

- name: Pull by digest, and do not wait long for a registry that says nothing
  evenkeel.fleet.image_pull:
    image: registry.example.org/shop@sha256:0f343b0931126a20f133d67c2b018a3b5d2c5c1a2a3d8f4e6b7c8d9e0f1a2b3c
    stall_s: 20
"""

RETURN = r"""
image:
  description: The O(image) that was asked for.
  type: str
  returned: success
pinned:
  description: The image by its digest, also in check mode. Empty when it was built here and has none.
  type: str
  returned: success
  sample: registry.example.org/shop@sha256:0f343b0931126a20f133d67c2b018a3b5d2c5c1a2a3d8f4e6b7c8d9e0f1a2b3c
digest:
  description: The digest.
  type: str
  returned: success
layers:
  description: Layers of the image; null when it is not here, in check mode.
  type: int
  returned: success
layers_pulled:
  description: Layers that were not here before.
  type: int
  returned: success
bytes_pulled:
  description: Bytes of these, packed as they come from the registry, as far as the engine told them.
  type: int
  returned: success
duration_s:
  description: How long it took, in seconds.
  type: float
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core import module as core
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.engine import SOCKET
from ansible_collections.evenkeel.fleet.plugins.module_utils._runtime.pull import pull


def main() -> None:
    """Pull."""
    module = AnsibleModule(
        argument_spec={
            "image": {"type": "str", "required": True},
            "stall_s": {"type": "float", "default": 60},
            "status_path": {"type": "path", "default": ""},
            "docker_socket": {"type": "path", "default": SOCKET},
        },
        supports_check_mode=True,
    )
    core.run(module, pull, **module.params, check_mode=module.check_mode)


if __name__ == "__main__":
    main()
