# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a load balancer is declared to serve: defaults filled in, contradictions found."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Sequence

from .._core.errors import FleetError, InputError
from .._core.units import parse_seconds
from .replicas import server_names, server_ports
from .server import MAINT

_FIELD = "load_balancer_services"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")
_PATH = re.compile(r"/[!-~]*")
_FAST = 4  # a server whose health changes is checked that many times as often


def declare(
    services: Sequence[Mapping[str, Any]],
    hosts: Mapping[str, str],
    defaults: Mapping[str, Any],
    running: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return ``{"services": [...], "problems": [...]}``.

    :arg services: as in ``load_balancer_services``; a service without ``servers`` gets those of :mod:`.replicas`.
    :arg hosts: address by host.
    :arg defaults: ``slots`` (port by slot), ``replicas`` (the most of a slot), ``health_path``, ``check_interval``,
        ``check_fall`` and ``check_rise``.
    :arg running: the ``backends`` of M(evenkeel.fleet.balancer_info) now; None where nothing runs.
    """
    problems = [] if services else [
        str(InputError(_FIELD, services, "at least one service", "[{name: shop, port: 80}]"))
    ]
    declared = []
    for service in services:
        try:
            declared.append(_complete(service, hosts, defaults))
        except FleetError as error:
            problems.append(str(error))
    problems += map(str, _contradictions(declared))
    return {"services": declared, "problems": [*problems, *map(str, _moved(declared, running or {}))]}


def _complete(
    service: Mapping[str, Any], hosts: Mapping[str, str], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    complete = {**defaults, **{key: value for key, value in service.items() if value is not None}}
    name = complete["name"]
    where = f"{_FIELD}[{name}]"
    _expect(_NAME.fullmatch(str(name)), f"{_FIELD}[].name", name, "lower-case letters, digits, '-' and '_'", "shop")
    _expect_port(f"{where}.port", complete["port"])
    path = complete["health_path"]
    _expect(_PATH.fullmatch(path), f"{where}.health_path", path, "a path", "/health")
    for key in ("check_fall", "check_rise", "replicas"):
        _expect(1 <= complete[key] <= 100, f"{where}.{key}", complete[key], "1 to 100", "3")
    inter_ms = round(parse_seconds(complete["check_interval"], f"{where}.check_interval") * 1000)
    _expect(inter_ms >= 10, f"{where}.check_interval", complete["check_interval"], "at least 10ms", "2s")
    servers = [dict(server) for server in complete.get("servers")
               or _slots_of(hosts, complete["slots"], complete["replicas"], where)]
    for server in servers:
        member, address = server["name"], server["address"]
        _expect(_SERVER.fullmatch(member), f"{where}.servers[].name", member, "a name", "app1-blue")
        _expect(_ADDRESS.fullmatch(address), f"{where}.servers[].address", address, "a host", "app1")
        _expect_port(f"{where}.servers[{member}].port", server["port"])
    _expect(servers, f"{where}.servers", [], "servers, or hosts in the group that load_balancer_group names",
            "[{name: app1-blue, address: app1, port: 8001}]")
    return {
        **complete,
        "servers": servers,
        "ports": [{"name": server["name"], "port": server["port"]} for server in servers],
        "inter_ms": inter_ms,
        "fastinter_ms": max(10, inter_ms // _FAST),
    }


def _slots_of(hosts: Mapping[str, str], slots: Mapping[str, int], replicas: int, where: str) -> list[dict[str, Any]]:
    for slot, port in slots.items():
        _expect_port(f"{where}.slots[{slot}]", port)
    return [
        {"name": name, "address": address, "port": port}
        for host, address in hosts.items()
        for slot in slots
        for name, port in zip(server_names(host, slot, replicas), server_ports(slots, slot, replicas))
    ]


def _contradictions(services: Sequence[Mapping[str, Any]]) -> Iterator[InputError]:
    """Find what each service alone cannot show: the same name, port or server twice."""
    names: set[str] = set()
    ports: dict[int, str] = {}
    endpoints: dict[str, str] = {}
    for service in services:
        name = service["name"]
        if name in names:
            yield InputError(f"{_FIELD}[].name", name, "each name once")
        names.add(name)
        other = ports.setdefault(service["port"], name)
        if other != name:
            yield InputError(f"{_FIELD}[{name}].port", service["port"], f"a port of its own, not that of {other}")
        servers: set[str] = set()
        shared: dict[str, str] = {}
        for server in service["servers"]:
            label = f"{name}/{server['name']}"
            if server["name"] in servers:
                yield InputError(f"{_FIELD}[{name}].servers[].name", server["name"], "each name once")
            servers.add(server["name"])
            endpoint = f"{server['address']}:{server['port']}"
            taken = endpoints.setdefault(endpoint, label)
            if taken != label:
                shared[endpoint] = taken
        if shared:
            yield InputError(
                f"{_FIELD}[{name}]", ", ".join(f"{endpoint} of {taken}" for endpoint, taken in shared.items()),
                "an address and port of its own for every server", "slots: {blue: 8011, green: 8012}",
            )


def _moved(services: Sequence[Mapping[str, Any]], running: Mapping[str, Any]) -> Iterator[FleetError]:
    """Find the servers in use that would be asked at another port than the one where they listen."""
    for service in services:
        ports = {server["name"]: server["port"] for server in service["servers"]}
        found = [server for server in running.get(f"be_{service['name']}", {}).get("servers", [])
                 if server["state"] != MAINT and ports.get(server["name"], server["port"]) != server["port"]]
        if found:
            listed = ", ".join(f"{one['name']} at {one['port']}, not {ports[one['name']]}" for one in found)
            yield FleetError(
                f"{_FIELD}[{service['name']}]: expected the ports of servers in use to stay, found {listed}.",
                "Change the port of the free slot, bring a release into it, then change that of the other one.")


def _expect(holds: Any, field: str, value: Any, expected: str, example: str) -> None:
    if not holds:
        raise InputError(field, value, expected, example)


def _expect_port(field: str, port: Any) -> None:
    _expect(isinstance(port, int) and 1 <= port <= 65535, field, port, "1 to 65535", "8001")
