# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as Python has them."""

from __future__ import annotations

import contextlib
from typing import Any, Mapping

from ansible.errors import AnsibleError
from jinja2.exceptions import UndefinedError


def plain(value: Any) -> Any:
    """Return a value without Ansible's lazy containers: the validator copies deeply, and they drag everything along."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be templated already, plain; what refers to something that only comes later is left out."""
    found = {}
    for key in values:
        with contextlib.suppress(AnsibleError, UndefinedError):
            found[key] = plain(values[key])
    return found
