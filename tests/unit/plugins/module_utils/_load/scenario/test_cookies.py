# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cookies: what a jar takes and sends is what RFC 6265 says, and nothing makes it fail."""

from __future__ import annotations

from http.cookies import Morsel
from http.cookies import SimpleCookie as Cookies

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.scenario.cookies import (
    MAX_COOKIES,
    Jar,
    domain_matches,
)
from hypothesis import given
from hypothesis import strategies as st

#: 2026-11-21 12:00:00 UTC.
NOW = 1795262400.0

NAMES = st.from_regex(r"[A-Za-z0-9_.!#%&'*+^`|~-]{1,8}", fullmatch=True).filter(
    lambda name: not Morsel().isReservedKey(name))
PLAIN = st.from_regex(r"[A-Za-z0-9!#$%&'()*+./:<=>?@^_`{|}~-]{0,12}", fullmatch=True)
PATHS = st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3).map(lambda names: "/" + "/".join(names))


class Clock:
    now = NOW

    def __call__(self):
        return self.now


def jar_with(*lines, path="/shop/list?page=2", host="app.example.org", secure=False, clock=None):
    jar = Jar(host, secure, clock or Clock())
    jar.take([("set-cookie", line) for line in lines], path)
    return jar


@given(st.dictionaries(NAMES, PLAIN, max_size=8))
def test_what_was_set_is_sent_back(cookies):
    jar = jar_with(*(f"{name}={value}; Path=/" for name, value in cookies.items()))
    sent = jar.header("/shop")
    assert dict(pair.split("=", 1) for pair in sent.split("; ") if pair) == cookies


@given(st.dictionaries(NAMES, st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True), min_size=1, max_size=5))
def test_a_server_of_the_standard_library_is_understood(cookies):
    theirs = Cookies()
    for name, value in cookies.items():
        theirs[name] = value
        theirs[name]["path"] = "/"
        theirs[name]["max-age"] = 60
    jar = jar_with(*(morsel.OutputString() for morsel in theirs.values()))
    read = Cookies(jar.header("/"))
    assert {name: morsel.value for name, morsel in read.items()} == cookies


PIECES = ["a=b", "path", "=", ";", "expires=", "Wed, 99", "max-age=", "-", "domain=.", " "]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_line_makes_it_fail(line):
    jar = jar_with(line)
    assert "\n" not in jar.header("/shop") or "\n" in line


@given(PATHS, PATHS)
def test_a_cookie_goes_with_its_path_and_what_is_below(path, asked):
    jar = jar_with(f"a=1; Path={path}")
    below = asked == path or asked.startswith(path if path.endswith("/") else f"{path}/")
    assert jar.header(asked) == ("a=1" if below else "")


def test_without_a_path_it_is_the_directory_of_the_request():
    jar = jar_with("a=1", path="/shop/list?page=/2/3")
    assert [jar.header(path) for path in ("/shop/cart?x=1", "/shop", "/shopping", "/")] == ["a=1", "a=1", "", ""]
    assert jar_with("a=1", path="/list").header("/") == "a=1"


def test_the_longer_path_goes_first_and_the_same_cookie_is_replaced():
    jar = jar_with("a=1; Path=/", "b=2; Path=/shop", "a=3; Path=/", "a=4; Path=/shop")
    assert jar.header("/shop/x") == "b=2; a=4; a=3"


@pytest.mark.parametrize(("attributes", "seconds", "sent"), [
    ("Max-Age=10", 9, True), ("Max-Age=10", 10, False), ("Max-Age=0", 0, False), ("Max-Age=-1", 0, False),
    ("Max-Age=x", 10**9, True),
    ("Expires=Sat, 21 Nov 2026 12:00:10 GMT", 9, True), ("Expires=Sat, 21 Nov 2026 12:00:10 GMT", 10, False),
    ("Expires=Saturday, 21-Nov-26 12:00:10 GMT", 9, True), ("Expires=Saturday, 21-Nov-26 12:00:10 GMT", 10, False),
    ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0, False), ("Expires=soon", 10**9, True),
    ("Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 9, True),
    ("Max-Age=10; Expires=Fri, 31 Dec 2100 00:00:00 GMT", 10, False),
])
def test_when_a_cookie_ends(attributes, seconds, sent):
    clock = Clock()
    jar = jar_with(f"a=1; Path=/; {attributes}", clock=clock)
    clock.now = NOW + seconds
    assert jar.header("/") == ("a=1" if sent else "")


def test_a_cookie_is_taken_back():
    jar = jar_with("a=1; Path=/", "b=2; Path=/", "a=; Path=/; Max-Age=0")
    assert jar.header("/") == "b=2"
    jar.clear()
    assert jar.header("/") == ""


@pytest.mark.parametrize(("host", "domain", "taken"), [
    ("app.example.org", "example.org", True), ("app.example.org", ".Example.org", True),
    ("app.example.org", "app.example.org", True), ("app.example.org", "other.org", False),
    ("app.example.org", "sub.app.example.org", False), ("badexample.org", "example.org", False),
    ("10.0.0.1", "0.0.1", False), ("10.0.0.1", "10.0.0.1", True), ("app.example.org", "", True),
])
def test_only_cookies_of_the_own_domain_are_taken(host, domain, taken):
    assert jar_with(f"a=1; Path=/; Domain={domain}", host=host).header("/") == ("a=1" if taken else "")
    assert not domain or domain_matches(host, domain.lstrip(".").lower()) == taken


def test_secure_cookies_need_tls():
    lines = ["a=1; Path=/; Secure", "b=2; Path=/; HttpOnly; SameSite=Lax"]
    assert jar_with(*lines).header("/") == "b=2"
    assert jar_with(*lines, secure=True).header("/") == "a=1; b=2"


def test_the_oldest_goes_when_there_are_too_many():
    jar = jar_with(*(f"c{number}=1; Path=/" for number in range(MAX_COOKIES + 2)))
    names = [pair.split("=")[0] for pair in jar.header("/").split("; ")]
    assert names == [f"c{number}" for number in range(2, MAX_COOKIES + 2)]
