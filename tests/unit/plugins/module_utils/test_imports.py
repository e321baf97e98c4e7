# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The direction of imports among the rooms of ``plugins/module_utils``: only from those before."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).parents[4]
MODULE_UTILS = ROOT / "plugins/module_utils"
ORDER = [
    "_core", "_wire", "_client", "_load", "_health", "_postgres", "_redis", "_runtime", "_balancer", "_release",
    "_restart", "_report",
]
#: Rooms within a room, which import only from those before; files beside them may import from all.
INNER = {"_release": ["ledger", "guard", "control", "judge", "declared", "plan"]}
FILES = sorted(MODULE_UTILS.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the level and the first name of everything that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((node.level, name.split(".")[0]) for name in names)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(MODULE_UTILS)) for path in FILES])
def test_a_room_imports_only_from_rooms_before_it_and_never_from_ansible(path):
    room, *inner = path.relative_to(MODULE_UTILS).parts
    outside = len(inner) + 1  # dots that lead out of the room; a room may have rooms of its own
    allowed = ORDER[: ORDER.index(room)]
    found = list(imports(path))
    other_rooms = {name for level, name in found if level == outside}
    assert other_rooms <= set(allowed), f"{room} comes before {other_rooms - set(allowed)}"
    assert not [name for level, name in found if level == 0 and name.startswith("ansible")]
    assert max((level for level, _name in found), default=0) <= outside


def rooms(path: Path) -> set[str]:
    """Return the names of the rooms in a directory."""
    return {one.name for one in path.iterdir() if one.is_dir() and one.name != "__pycache__"}


@pytest.mark.parametrize(("outer", "room"), [(outer, room) for outer, order in INNER.items() for room in order])
def test_a_room_within_a_room_imports_only_from_those_before_it(outer, room):
    allowed = set(INNER[outer][: INNER[outer].index(room)])
    for path in (MODULE_UTILS / outer / room).glob("*.py"):
        found = {name for level, name in imports(path) if level == 2}
        assert found <= allowed, f"{outer}/{room}/{path.name} imports {found - allowed}"


def test_every_room_is_in_the_order():
    assert rooms(MODULE_UTILS) == set(ORDER)
    for outer, order in INNER.items():
        assert rooms(MODULE_UTILS / outer) == set(order)
