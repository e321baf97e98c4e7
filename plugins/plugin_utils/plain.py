# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as Python has them."""

from __future__ import annotations

from typing import Any, Mapping


def plain(value: Any) -> Any:
    """Return a value without Ansible's lazy containers: the validator copies deeply, and they drag everything along."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value
