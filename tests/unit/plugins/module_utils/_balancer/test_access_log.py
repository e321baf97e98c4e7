# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._balancer.access_log import follow, parse_answers


def line(server="be_shop/app1-blue", times="0/0/1/20/21", status=200, retries="0"):
    return (f"10.0.0.9:46870 [22/Nov/2026:15:30:59.437] fe_shop {server} {times} {status} 448 - - ---- "
            f'1/1/0/0/{retries} 0/0 "GET /be_shop/x 0/0/9/9/9 200 HTTP/1.1"')


@pytest.mark.parametrize(("text", "answer"), [
    (line(), ("app1-blue", 21500)),
    (line(times="0/0/0/0/0"), ("app1-blue", 500)),
    (line(times="5/7/0/3/+9"), ("app1-blue", 3500)),
    (line(times="0/0/-1/4/5"), ("app1-blue", 4500)),
    (line(status=503), ("app1-blue", 21500)),
])
def test_the_time_from_asking_a_server_to_its_header(text, answer):
    assert list(parse_answers([text], "be_shop")) == [answer]


@pytest.mark.parametrize("text", [
    line(times="0/0/-1/-1/3028", status=503),
    line(server="be_shop/<NOSRV>", times="0/-1/-1/-1/0", status=503),
    line(server="be_other/app1-blue"),
    line(retries="+1"),
    line(retries="2"),
    "Server be_shop/app1-blue is DOWN, reason: Layer4 connection problem",
    "",
])
def test_what_is_no_answer_of_a_server_is_left_out(text):
    assert not list(parse_answers([text], "be_shop"))


def test_only_what_comes_from_now_on_is_asked_for():
    assert follow() == "show events evenkeel -w -n"
