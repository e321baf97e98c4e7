# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switch on the lines that actions show while their modules run."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: notification
short_description: Shows how load probes and pulls of images are going while they run
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - While a M(evenkeel.fleet.load_probe) with a O(evenkeel.fleet.load_probe#module:result_name) runs, shows a line with
    its phase, rate, errors and 95th percentile every few seconds, for each host.
  - While a M(evenkeel.fleet.image_pull) runs, that line has the layers and bytes that are done.
  - A callback hears nothing from a task between its start and its end. So it is the controller's part of these modules
    that reads the status file on the host, over a connection of its own, and shows the line. This callback tells it to.
  - Tasks with C(async) return at once and show nothing; ask M(evenkeel.fleet.load_probe_info) for probes.
requirements:
  - enabled in the configuration, such as C(ANSIBLE_CALLBACKS_ENABLED=evenkeel.fleet.progress)
options:
  interval_s:
    description: Seconds between two lines, V(1) or more.
    type: float
    default: 5
    env:
      - name: EVENKEEL_PROGRESS_INTERVAL
    ini:
      - section: callback_progress
        key: interval_s
"""

import os
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.evenkeel.fleet.plugins.plugin_utils.progress import INTERVAL


class CallbackModule(CallbackBase):
    """Hands the interval to the workers, which inherit the environment."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "evenkeel.fleet.progress"
    CALLBACK_NEEDS_ENABLED = True

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        os.environ[INTERVAL] = str(max(1.0, self.get_option("interval_s")))
