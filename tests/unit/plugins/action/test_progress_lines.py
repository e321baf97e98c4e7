# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A status as a line for people."""

from __future__ import annotations

from importlib import import_module

import pytest

pytestmark = pytest.mark.controller

PROBE = {"state": "running", "phase": "load", "elapsed_s": 12.04, "requests": 9744, "errors": 3, "rps": 812.4,
         "p95_ms": 12.3456}
PULL = {"state": "running", "elapsed_s": 12.04, "layers_done": 3, "layers_all": 9, "bytes_done": 45_210_000,
        "bytes_all": 1_131_000_000}


def line(action, status):
    return import_module(f"ansible_collections.evenkeel.fleet.plugins.action.{action}").line(status)


def test_a_probe():
    assert line("load_probe", PROBE) == "load 12 s: 9,744 requests, 812 rps, 3 errors, p95 12.35 ms"
    assert line("load_probe", {**PROBE, "rps": None, "p95_ms": None}).endswith("– rps, 3 errors, p95 – ms")


def test_before_a_probe_has_measured_anything_there_is_none():
    with pytest.raises(KeyError):
        line("load_probe", {"state": "running", "phase": "", "elapsed_s": 0.0})


def test_a_pull():
    assert line("image_pull", PULL) == "pull 12 s: 3 of 9 layers, 45.2 of 1,131.0 MB"
    assert line("image_pull", {**PULL, "layers_all": 0}) == "pull 12 s: waiting for the registry"
