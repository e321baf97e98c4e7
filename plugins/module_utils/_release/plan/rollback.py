# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: which release a rollback means, and whether its image and its bundle are still there."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ..._core.errors import FleetError
from ..declared.bundle import name_of
from ..declared.migration import refusal
from ..ledger.states import COMMITTED

PREVIOUS = "previous"


def target(ledgers: Mapping[str, Mapping[str, Any]], wanted: str) -> dict[str, Any]:
    """Return ``{release, image, configs}`` to go back to; ``configs`` is the digest of the bundle by host.

    :arg ledgers: per host what M(evenkeel.fleet.release_info) returned there.
    :arg wanted: ``previous``, a release that was committed on every host, or the name of a bundle of one.
    :raises FleetError: when a host's ledger does not know it, or the hosts' ledgers disagree.
    """
    if wanted == PREVIOUS:
        _refuse_within_a_commit(ledgers)
    found: dict[tuple[str, str], list[str]] = {}
    configs = {}
    for host, ledger in ledgers.items():
        status = ledger["status"]
        entry = status["previous"] if wanted == PREVIOUS else next(
            (one for one in reversed(status["history"]) if wanted in (one["release"], one.get("bundle"))), None)
        if not entry:
            known = ", ".join(dict.fromkeys(one["release"] for one in status["history"])) or "none"
            expected = "a release before the current one" if wanted == PREVIOUS else wanted
            raise FleetError(
                f"rollback_to: expected {expected} in the ledger of {host}, found: {known}.",
                "Name a release that was committed there, or bring one with the playbook rollout.")
        found.setdefault((entry["release"], entry["image"]), []).append(host)
        configs[host] = entry.get("config", "")
    if len(found) > 1:
        listed = "; ".join(f"{release} ({image}) on {', '.join(hosts)}" for (release, image), hosts in found.items())
        raise FleetError(f"rollback_to: expected {wanted} to mean one release for all hosts, found {listed}.",
                         "Name the release, or bring it with the playbook rollout.")
    release, image = next(iter(found))
    return {"release": release, "image": image, "configs": configs}


def _refuse_within_a_commit(ledgers: Mapping[str, Mapping[str, Any]]) -> None:
    """Which release is the one before is about to change where a run commits."""
    hosts = [host for host, ledger in ledgers.items()
             if ledger["status"].get("interrupted") and ledger["status"]["state"] == COMMITTED]
    if hosts:
        status = ledgers[hosts[0]]["status"]
        raise FleetError(
            f"rollback_to: expected {PREVIOUS} to mean one release, found that run {status['run']} commits "
            f"{status['release']} on {', '.join(hosts)}. Nothing was changed.",
            "Run this again when it has ended: by itself in a moment, and by its guards when its controller is gone. "
            "Or name the release.")


def irreversible(observations: Mapping[str, Mapping[str, Any]], release: str, configs: Mapping[str, str],
                 hosts: Iterable[str]) -> Iterable[str]:
    """Yield the migrations behind which there is no way back to this release."""
    found: dict[str, list[str]] = {}
    for host in hosts:
        text = refusal(observations[host]["releases"], release, configs.get(host, ""))
        if text:
            found.setdefault(text, []).append(host)
    for text, on in found.items():
        yield (f"rollback_to: {text} ({', '.join(on)}). Bring a release that repairs it (playbook rollout), or restore "
               "the database and then set rollout_accept_irreversible=true.")


def problems(observations: Mapping[str, Mapping[str, Any]], release: str, configs: Mapping[str, str],
             hosts: Iterable[str]) -> Iterable[str]:
    """Yield what speaks against going back: a bundle or an image that is no longer there, and what is there instead.

    :arg configs: digest of the bundle by host.
    :arg hosts: those that have to go back.
    """
    lacking = False
    for host in hosts:
        stored, config = observations[host]["bundles"], configs.get(host, "")
        name = name_of(release, config)
        if stored.get(name) != config or not config:
            lacking = True
            found = "one that somebody changed" if name in stored else ", ".join(sorted(stored)) or "none"
            yield f"{host}: bundle {name if config else f'of {release}'}: expected it on the host, found {found}."
    if lacking or not all(observations[host]["image"] for host in hosts):
        whole = [{entry["bundle"] for entry in one["history"] if entry["image"] in one["stored"]
                  and one["bundles"].get(entry.get("bundle")) == entry.get("config")} for one in observations.values()]
        kept = sorted(set.intersection(*whole))
        yield (f"rollback_to: {release} was pruned (release_keep_releases). Image and bundle are on every host "
               f"of: {', '.join(kept) or 'no release'}. Name one of these, or bring {release} with its configuration "
               "of today (playbook rollout).")
