# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare every role's defaults with its argument specs, and both with its README."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Iterator

import yaml

README_ORDER = [
    "Purpose", "Requirements", "What it changes", "Variables", "Check mode", "Tags", "Example", "Undo", "Tested on",
]
_NONE = object()


def load(path: Path) -> Any:
    """Return the parsed YAML file, an empty mapping when it is missing or empty."""
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


def compare(role: str, defaults: dict[str, Any], options: dict[str, Any]) -> Iterator[str]:
    """Yield one sentence for each difference between defaults and the options of all entry points."""
    for name in sorted(defaults.keys() | options.keys()):
        if not name.startswith((f"{role}_", f"_{role}_")):
            yield f"{name}: variables of this role start with {role}_"
        elif name not in options:
            yield f"{name}: in defaults/main.yml, not in meta/argument_specs.yml"
        elif name not in defaults and "default" in options[name]:
            yield f"{name}: default {options[name]['default']!r} in meta/argument_specs.yml, none in defaults/main.yml"
        elif name in defaults and defaults[name] != options[name].get("default", _NONE):
            found = repr(options[name]["default"]) if "default" in options[name] else "none"
            yield f"{name}: default {defaults[name]!r} in defaults/main.yml, {found} in meta/argument_specs.yml"


def undocumented(options: dict[str, Any], path: str) -> Iterator[str]:
    """Yield one sentence for each option, at any depth, without a description or a type."""
    for name, option in options.items():
        for key in ("description", "type"):
            if not option.get(key):
                yield f"{path}{name}: has no {key} in meta/argument_specs.yml"
        yield from undocumented(option.get("options", {}), f"{path}{name}.")


def check_readme(path: Path, names: list[str]) -> Iterator[str]:
    """Yield one sentence for each section out of order and each variable that the README does not name.

    A README may point at ``meta/argument_specs.yml`` instead of naming the variables.
    """
    if not path.exists():
        yield "README.md: is missing"
        return
    readme = path.read_text()
    headings = [line[3:].strip() for line in readme.splitlines() if line.startswith("## ")]
    if headings != README_ORDER:
        yield f"README.md: expected the sections {', '.join(README_ORDER)}; found {', '.join(headings) or 'none'}"
    for name in names:
        if name not in readme and "meta/argument_specs.yml" not in readme:
            yield f"README.md: {name} is not in it"


def check(role: Path) -> list[str]:
    """Return all findings of one role."""
    defaults = load(role / "defaults/main.yml")
    specs = load(role / "meta/argument_specs.yml").get("argument_specs", {})
    options: dict[str, Any] = {}
    for entry_point in specs.values():
        options.update(entry_point.get("options", {}))
    return [
        *compare(role.name, defaults, options),
        *undocumented(options, ""),
        *check_readme(role / "README.md", sorted(options)),
    ]


def main() -> int:
    """Print all findings of all roles; return 1 when there are any."""
    roles = sorted(path for path in Path("roles").iterdir() if path.is_dir())
    findings = [f"{role}: {finding}" for role in roles for finding in check(role)]
    print("\n".join(findings) or f"{len(roles)} roles: defaults, argument specs and READMEs agree")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
