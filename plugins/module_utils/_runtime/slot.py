# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A slot as a whole, from its replicas."""

from __future__ import annotations

from typing import Any


def slot_from(replicas: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a slot as a whole: as its first replica, or as the first that does not run; it runs only with all."""
    return {**min(replicas, key=lambda one: bool(one["running"])), "replicas": replicas}
