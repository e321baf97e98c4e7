# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A status as a line for people."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.controller

STATUS = {"state": "running", "phase": "load", "elapsed_s": 12.04, "requests": 9744, "errors": 3, "rps": 812.4,
          "p95_ms": 12.3456}


def line(status):
    from ansible_collections.evenkeel.fleet.plugins.plugin_utils import load_progress

    return load_progress.line(status)


def test_a_line():
    assert line(STATUS) == "load 12 s: 9,744 requests, 812 rps, 3 errors, p95 12.35 ms"
    assert line({**STATUS, "rps": None, "p95_ms": None}).endswith("– rps, 3 errors, p95 – ms")


def test_before_anything_is_measured_there_is_none():
    with pytest.raises(KeyError):
        line({"state": "running", "phase": "", "elapsed_s": 0.0})
