# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by all tests: one place that says how hypothesis searches."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("evenkeel", deadline=None, derandomize=True, database=None)
settings.load_profile("evenkeel")
