# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.errors import InputError
from ansible_collections.evenkeel.fleet.plugins.module_utils._redis.values import aligned, canonical, lines
from hypothesis import given
from hypothesis import strategies as st

RUNNING = {
    "maxmemory": "0",
    "maxmemory-clients": "0",
    "maxmemory-policy": "noeviction",
    "appendfsync": "everysec",
    "activedefrag": "no",
    "save": "3600 1 300 100 60 10000",
    "client-output-buffer-limit": "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
    "notify-keyspace-events": "",
    "slowlog-log-slower-than": "10000",
    "timeout": "0",
    "repl-timeout": "60",
    "lfu-decay-time": "1",
    "latency-tracking-info-percentiles": "50 99 99.9",
    "unixsocketperm": "0",
    "bind": "127.0.0.1 -::1",
    "oom-score-adj-values": "0 200 800",
    "list-max-listpack-size": "-2",
    "requirepass": "12345",
    "logfile": "",
    "bgsave_cpulist": "0",
    "proc-title-template": "{title}",
}


@pytest.mark.parametrize(("name", "wanted", "expected"), [
    ("maxmemory", "64mb", "67108864"),
    ("maxmemory", "64MB", "67108864"),
    ("maxmemory", "1g", "1000000000"),
    ("maxmemory", 67108864, "67108864"),
    ("maxmemory", "1.5gb", "1610612736"),
    ("maxmemory", "18446744073709551615", "18446744073709551615"),
    ("maxmemory-clients", "5%", "5%"),
    ("maxmemory-clients", "05%", "5%"),
    ("list-max-listpack-size", -2, "-2"),
    ("maxmemory-policy", "AllKeys-LRU", "allkeys-lru"),
    ("appendfsync", False, "no"),
    ("activedefrag", True, "yes"),
    ("activedefrag", "YES", "yes"),
    ("save", "", ""),
    ("save", [], ""),
    ("save", False, ""),
    ("save", "900 1 300 10", "900 1 300 10"),
    ("save", ["900 1", "300 10"], "900 1 300 10"),
    ("save", [[900, 1], [300, 10]], "900 1 300 10"),
    ("client-output-buffer-limit", "pubsub 32mb 8mb 60", "pubsub 33554432 8388608 60"),
    ("client-output-buffer-limit", {"pubsub": "32mb 8mb 60", "normal": [0, 0, 0]},
     "normal 0 0 0 pubsub 33554432 8388608 60"),
    ("client-output-buffer-limit", ["Slave 256mb 64mb 60"], "replica 268435456 67108864 60"),
    ("notify-keyspace-events", "xEKg", "KEgx"),
    ("notify-keyspace-events", "g$lshzxetdKE", "AKE"),
    ("notify-keyspace-events", "AKE", "AKE"),
    ("notify-keyspace-events", False, ""),
    ("slowlog-log-slower-than", "10ms", "10000"),
    ("slowlog-log-slower-than", -1, "-1"),
    ("timeout", "5m", "300"),
    ("repl-timeout", "1.5m", "90"),
    ("lfu-decay-time", "1h", "60"),
    ("latency-tracking-info-percentiles", [50, 99.0, "99.90"], "50 99 99.9"),
    ("unixsocketperm", "0770", "770"),
    ("bind", ["127.0.0.1", "-::1"], "127.0.0.1 -::1"),
    ("oom-score-adj-values", "0  200 800", "0 200 800"),
    ("requirepass", "No Unit 5mb", "No Unit 5mb"),
    ("logfile", "/Var/Log", "/Var/Log"),
    ("bgsave_cpulist", "0-3", "0-3"),
    ("proc-title-template", "{title} Ü", "{title} Ü"),
])
def test_one_spelling(name, wanted, expected):
    assert canonical(name, wanted, RUNNING[name]) == expected


@pytest.mark.parametrize(("name", "wanted", "expected"), [
    ("maxmemory", "64 elephants", "a size in b, k"),
    ("maxmemory", "lots", "a number with an optional unit"),
    ("maxmemory", True, "a number with an optional unit"),
    ("maxmemory", [1], "one value"),
    ("maxmemory", None, "a value"),
    ("save", "900", "pairs of seconds and changes"),
    ("save", ["900 one"], "pairs of seconds and changes"),
    ("client-output-buffer-limit", "pubsub 1 2", "<class> <hard> <soft> <seconds>"),
    ("client-output-buffer-limit", "monitor 1 2 3", "one of normal, replica, pubsub"),
    ("client-output-buffer-limit", {"pubsub": "a b c"}, "a number with an optional unit"),
    ("notify-keyspace-events", "Q", "flags out of AKE"),
    ("timeout", "500ms", "a multiple of its unit, 1 s"),
    ("timeout", "5 parsecs", "a duration"),
    ("latency-tracking-info-percentiles", "fifty", "percentiles"),
    ("unixsocketperm", 504, "octal permissions in quotes"),
    ("unixsocketperm", "888", "octal permissions in quotes"),
])
def test_impossible_values_name_the_setting(name, wanted, expected):
    with pytest.raises(InputError) as failure:
        canonical(name, wanted, RUNNING[name])
    assert failure.value.msg.startswith(f"settings.{name}: expected ")
    assert expected in failure.value.msg


def test_an_impossible_secret_is_not_shown():
    with pytest.raises(InputError) as failure:
        canonical("requirepass", ["hunter2"], "")
    assert "hunter2" not in str(failure.value)
    assert "secret_settings.requirepass" in str(failure.value)


wanted_values = st.one_of(
    st.tuples(st.sampled_from(["maxmemory", "list-max-listpack-size"]), st.integers(-(2**63), 2**64)),
    st.tuples(st.just("maxmemory"), st.builds("{}{}".format, st.integers(0, 10**6), st.sampled_from(
        ["", "b", "k", "kb", "KB", "m", "mb", "Mb", "g", "gb"]))),
    st.tuples(st.sampled_from(["timeout", "repl-timeout"]), st.builds("{}{}".format, st.integers(0, 10**6),
              st.sampled_from(["s", "m", "h", "d", ""]))),
    st.tuples(st.just("save"), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=5)),
    st.tuples(st.just("client-output-buffer-limit"), st.dictionaries(
        st.sampled_from(["normal", "replica", "slave", "pubsub"]),
        st.lists(st.integers(0, 2**40), min_size=3, max_size=3), min_size=1)),
    st.tuples(st.just("notify-keyspace-events"), st.text("AKEnmg$lshzxetd")),
    st.tuples(st.just("latency-tracking-info-percentiles"), st.lists(st.floats(0, 100))),
    st.tuples(st.just("unixsocketperm"), st.text("01234567", min_size=1, max_size=4)),
    st.tuples(st.sampled_from(["activedefrag", "appendfsync"]), st.booleans()),
    st.tuples(st.sampled_from(["requirepass", "logfile"]), st.text()),
)


@given(wanted_values)
def test_canonical_once_is_canonical_for_ever(pair):
    name, wanted = pair
    once = canonical(name, wanted, RUNNING[name])
    assert canonical(name, once, RUNNING[name]) == once
    assert canonical(name, once, once or RUNNING[name]) == once


@given(wanted_values)
def test_what_runs_as_wanted_does_not_differ(pair):
    name, wanted = pair
    value = canonical(name, wanted, RUNNING[name])
    assert aligned(name, value, value) == value


@given(wanted_values)
def test_lines_of_the_file_give_the_same_value(pair):
    """What redis.conf says, line after line, is the canonical value again (one word per line needs no quotes here)."""
    name, wanted = pair
    value = canonical(name, wanted, RUNNING[name])
    written = lines(name, value)
    assert all(line.startswith(f"{name} ") and "\n" not in line for line in written)
    if name == "save":
        assert written[0] == 'save ""'
        assert " ".join(line[5:] for line in written[1:]) == value
    elif name == "client-output-buffer-limit":
        assert " ".join(line[len(name) + 1:] for line in written) == value


def test_buffer_limits_are_compared_for_the_wanted_classes_only():
    running = RUNNING["client-output-buffer-limit"]
    assert aligned("client-output-buffer-limit", running, "pubsub 1 2 3") == "pubsub 33554432 8388608 60"
    assert aligned("client-output-buffer-limit", running, "replica 1 2 3") == "replica 268435456 67108864 60"


@pytest.mark.parametrize(("value", "line"), [
    ("", 'logfile ""'),
    ("/var/log/redis.log", "logfile /var/log/redis.log"),
    ("a b", 'logfile "a b"'),
    ('say "hi" \\', 'logfile "say \\"hi\\" \\\\"'),
    ("two\nlines", 'logfile "two\\x0alines"'),
    ("#1", 'logfile "#1"'),
    ("é", 'logfile "\\xc3\\xa9"'),
])
def test_text_is_quoted(value, line):
    assert lines("logfile", value) == [line]
