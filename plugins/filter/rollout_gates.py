# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gates of a rollout as filters; what they compute is in module_utils/_release."""

from __future__ import annotations

from typing import Any

from ansible_collections.evenkeel.fleet.plugins.plugin_utils.lazy_filter import lazy_filter


def _gate_problems(request: Any) -> list[str]:
    from ansible_collections.evenkeel.fleet.plugins.plugin_utils.gate_options import gate_problems

    return gate_problems(request)


def _gate_sentences(request: Any) -> list[str]:
    from ansible_collections.evenkeel.fleet.plugins.plugin_utils.plain import known

    there = {**known(request), "declared": [known(gate) for gate in request["declared"]]}
    return lazy_filter("_release.judge.gates", "sentences")(there)


class FilterModule:
    """The filters of this file, each documented in a file of its name."""

    def filters(self) -> dict[str, Any]:
        return {
            "rollout_gates": lazy_filter("_release.judge.gates", "arrange"),
            "rollout_gate_problems": _gate_problems,
            "rollout_gate_sentences": _gate_sentences,
            "rollout_gate_evidence": lazy_filter("_release.judge.gates", "evidence"),
            "rollout_gate_refusals": lazy_filter("_release.judge.gates", "refused"),
        }
