# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the executors share."""

from __future__ import annotations

#: The longest wait, so that ticks come, in seconds.
LONGEST_WAIT_S = 0.05


def nothing() -> int:
    """Return the kind of no request."""
    return 0
