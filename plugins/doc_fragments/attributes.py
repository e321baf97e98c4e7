# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module says about itself: a module adds its own C(support) and C(details)."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes that all modules of the collection declare."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the result that it predicts, without changing the target.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode with the same arguments, the second run indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
"""

    FLEET = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/evenkeel.fleet.fleet) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - evenkeel.fleet.fleet
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""
