# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The target: URLs, the allowlist, files of authorities."""

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import FleetError, InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.target import Target


@pytest.mark.parametrize(("url", "parts"), [
    ("http://edge1", (False, "edge1", 80, "", "edge1")),
    ("http://edge1/", (False, "edge1", 80, "", "edge1")),
    ("https://Shop.example.org/a/b?c=d", (True, "shop.example.org", 443, "/a/b?c=d", "Shop.example.org")),
    ("http://[::1]:8000/x", (False, "::1", 8000, "/x", "[::1]:8000")),
    ("http://h?q=1", (False, "h", 80, "/?q=1", "h")),
])
def test_urls(url, parts):
    target = Target.parse(url)
    assert (target.secure, target.host, target.port, target.path, target.authority) == parts


@pytest.mark.parametrize("url", ["edge1", "ftp://edge1", "http://", "http://h:99999/", "http://h:x", "http://h/a b",
                                 "http://h/#top", "", "http://[::1"])
def test_urls_that_are_none(url):
    with pytest.raises(InputError, match="Example: http://edge1/health"):
        Target.parse(url)


def test_a_password_in_the_url_is_refused_and_not_shown():
    with pytest.raises(InputError) as caught:
        Target.parse("http://me:hunter2@edge1/")
    assert "hunter2" not in str(caught.value)


def test_the_allowlist_matches_host_and_port_as_a_whole():
    target = Target.parse("https://edge1.example.org/x")
    target.require_allowed([])
    target.require_allowed(["other:80", r"edge\d\.example\.org:443"])
    for patterns in (["edge1"], [r"edge1\.example\.org"], [".*:80"]):
        with pytest.raises(InputError, match="allowed_targets"):
            target.require_allowed(patterns)


def test_a_malformed_pattern_is_named():
    with pytest.raises(InputError, match="allowed_targets"):
        Target.parse("http://h").require_allowed(["("])


def test_a_name_without_an_address():
    with pytest.raises(FleetError, match=r"no-such-host\.invalid has no address"):
        Target.parse("http://no-such-host.invalid").resolve(1)


def test_authorities_that_cannot_be_read(tmp_path):
    assert Target.parse("http://h").tls(True, None) is None
    with pytest.raises(InputError, match="ca_path"):
        Target.parse("https://h").tls(True, str(tmp_path / "none.pem"))
