# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the endpoint, cut it off from the database, and take it away; everything on one host."""

import contextlib
import json
import os
import subprocess
import time

testinfra_hosts = ["ansible://app1"]

URL = "http://127.0.0.1:8090/health"
UNIT = "evenkeel-health.service"


def ask(host, *options):
    """Return status, seconds and document."""
    text = host.check_output(f"curl -s -w '\\n%{{http_code}} %{{time_total}}' {' '.join(options)} {URL}")
    body, dummy, numbers = text.rpartition("\n")
    status, seconds = numbers.split()
    return int(status), float(seconds), json.loads(body)


def wait_for(host, wanted, deadline_s):
    """Ask until the status is the wanted one; return how long that took."""
    started = time.monotonic()
    while ask(host)[0] != wanted:
        assert time.monotonic() - started < deadline_s
        time.sleep(0.5)
    return time.monotonic() - started


@contextlib.contextmanager
def cut_off(host, port):
    """Let what the endpoint, and nobody else, sends to a port disappear."""
    rule = f"OUTPUT -p tcp --dport {port} -m owner --uid-owner evenkeel-health -j DROP"
    host.check_output(f"iptables -I {rule}")
    try:
        yield
    finally:
        host.check_output(f"iptables -D {rule}")


def test_a_connection_starts_the_program_and_the_first_answer_is_complete(host):
    host.check_output(f"systemctl stop {UNIT}")
    assert host.check_output("systemctl is-active evenkeel-health.socket") == "active"
    status, seconds, document = ask(host)
    assert (status, document["status"]) == (200, "pass")
    assert seconds < 5
    assert list(document["checks"]) == [
        "database:responseTime", "cache:responseTime", "engine:state", "containers:exitCode", "registry:responseTime",
    ]  # fmt: skip
    assert host.service(UNIT).is_running


def test_it_survives_a_crash(host):
    ask(host)
    host.check_output(f"systemctl kill --signal=KILL {UNIT}")
    assert ask(host)[0] == 200


def test_answers_come_from_memory(host):
    ask(host)
    ages = [ask(host)[2]["checks"]["database:responseTime"][0] for dummy in range(5)]
    assert len({seen["time"] for seen in ages}) <= 2
    assert all(seen["age_s"] <= 11 for seen in ages)


def test_a_database_that_hangs_is_no_outage_within_the_cache_time_and_one_after_it(host):
    wait_for(host, 200, 60)
    seen_at = time.time() - ask(host)[2]["checks"]["database:responseTime"][0]["age_s"]
    with cut_off(host, 5432):
        while time.time() < seen_at + 9.5:
            status, seconds, dummy = ask(host)
            assert status == 200
            assert seconds < 0.5
            time.sleep(0.5)
        assert wait_for(host, 503, 20) > 0
        status, seconds, document = ask(host)
        assert seconds < 0.5
        assert document["status"] == "fail"
        assert "no answer from db1:5432" in document["output"]
        assert document["notes"] == ["decided by database"]
    wait_for(host, 200, 90)


def test_a_cache_that_hangs_only_warns(host):
    with cut_off(host, 6379):
        deadline = time.monotonic() + 30
        while ask(host)[2]["status"] != "warn":
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert ask(host)[0] == 200


def test_the_secrets_are_its_own(host):
    config = host.file("/etc/evenkeel/health.json")
    assert (config.user, config.mode) == ("evenkeel-health", 0o600)
    password = json.loads(config.content_string)["checks"][0]["password"]
    assert password
    assert password not in json.dumps(ask(host)[2])
    host.check_output(f"systemctl stop {UNIT}")
    state = host.file("/var/lib/evenkeel-health/state.json")
    assert (state.mode, password in state.content_string) == (0o600, False)


def test_the_sandbox_is_closed(host):
    ask(host)
    pid = host.check_output(f"systemctl show --property=MainPID --value {UNIT}")
    status = dict(line.split(":\t", 1) for line in host.file(f"/proc/{pid}/status").content_string.splitlines())
    assert int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    inside = f"nsenter --target {pid} --mount"
    assert host.run(f"{inside} touch /etc/evenkeel-was-here").rc != 0
    assert host.run(f"{inside} touch /var/lib/evenkeel-health/ok").rc == 0
    text = host.check_output(f"systemd-analyze security --no-pager {UNIT} | tail -n 1")
    assert float(text.split(":")[1].split()[0]) < 2


def test_absent_leaves_nothing(host):
    absent = [
        "ansible-playbook", "--inventory=inventories/lab", "--limit=app", "--extra-vars=health_endpoint_state=absent",
        "evenkeel.fleet.health",
    ]  # fmt: skip
    for expected in ("changed=4", "changed=0"):
        done = subprocess.run(absent, cwd=os.environ["MOLECULE_PROJECT_DIRECTORY"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        assert done.stdout.count(expected) == 3, done.stdout
    left = "/etc/evenkeel /etc/systemd/system/evenkeel-health* /usr/local/lib/evenkeel/health* /var/lib/evenkeel-health"
    assert host.run(f"ls -d {left}").stdout == ""
    assert not host.user("evenkeel-health").exists
    assert not host.socket("tcp://0.0.0.0:8090").is_listening
