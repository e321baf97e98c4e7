# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The target: URLs, the allowlist, files of authorities."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.engine.target import Target


@pytest.mark.parametrize(("url", "parts"), [
    ("http://edge1", ("http", False, "edge1", 80, "", "edge1", None)),
    ("http://edge1/", ("http", False, "edge1", 80, "", "edge1", None)),
    ("https://Shop.example.org/a/b?c=d", ("http", True, "shop.example.org", 443, "/a/b?c=d", "Shop.example.org", None)),
    ("http://[::1]:8000/x", ("http", False, "::1", 8000, "/x", "[::1]:8000", None)),
    ("http://h?q=1", ("http", False, "h", 80, "/?q=1", "h", None)),
    ("ws://h/feed", ("websocket", False, "h", 80, "/feed", "h", None)),
    ("wss://h", ("websocket", True, "h", 443, "", "h", None)),
    ("redis://cache1/3", ("redis", False, "cache1", 6379, "/3", "cache1", None)),
    ("rediss://app@cache1", ("redis", True, "cache1", 6379, "", "cache1", "app")),
    ("pg://app%40x@db1/shop", ("postgres", False, "db1", 5432, "/shop", "db1", "app@x")),
    ("postgresql://app@[::1]:5433", ("postgres", False, "::1", 5433, "", "[::1]:5433", "app")),
])
def test_urls(url, parts):
    target = Target.parse(url)
    assert (target.protocol, target.secure, target.host, target.port, target.path, target.authority,
            target.user) == parts


@pytest.mark.parametrize("url", ["edge1", "ftp://edge1", "http://", "http://h:99999/", "http://h:x", "http://h/a b",
                                 "http://h/#top", "", "http://[::1", "http://me@h", "ws://me@h/"])
def test_urls_that_are_none(url):
    with pytest.raises(InputError, match="Example: http://edge1/health"):
        Target.parse(url)


@pytest.mark.parametrize("scheme", ["http", "redis", "pg", "shop", ""])
@pytest.mark.parametrize("password", ["hunter2", "hunter2/x", "x/hunter2", "x hunter2"])
def test_a_password_in_the_url_is_refused_and_not_shown(scheme, password):
    with pytest.raises(InputError) as caught:
        Target.parse(f"{scheme}://me:{password}@edge1/")
    assert "hunter2" not in str(caught.value)


def test_the_allowlist_matches_host_and_port_as_a_whole():
    target = Target.parse("https://edge1.example.org/x")
    target.require_allowed([])
    target.require_allowed(["other:80", r"edge\d\.example\.org:443"])
    for patterns in (["edge1"], [r"edge1\.example\.org"], [".*:80"]):
        with pytest.raises(InputError, match="allowed_targets"):
            target.require_allowed(patterns)


def test_the_allowlist_matches_the_unix_socket_that_is_asked_instead():
    target = Target.parse("http://edge1")
    target.require_allowed(["/run/app/.*"], "/run/app/web.sock")
    with pytest.raises(InputError, match="unix_socket"):
        target.require_allowed(["edge1:80"], "/run/app/web.sock")


def test_a_malformed_pattern_is_named():
    with pytest.raises(InputError, match="allowed_targets"):
        Target.parse("http://h").require_allowed(["("])


def test_a_name_without_an_address():
    with pytest.raises(FleetError, match=r"no-such-host\.invalid has no address"):
        Target.parse("http://no-such-host.invalid").resolve(1)
