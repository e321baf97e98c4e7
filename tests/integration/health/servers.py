# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Throw-away servers that a test may stop, freeze and cut off: PostgreSQL and Redis with a replica, nginx with TLS."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.common import free_port, require, wait_for_port

PASSWORD = "correct horse"


class Server:
    """One process in a directory of its own."""

    #: Ends it at once, even where this process was started with SIGQUIT and SIGINT ignored, as by a shell's ``&``.
    end = signal.SIGTERM

    def __init__(self, command, port, user=None):
        self.command, self.port, self.user = command, port, user
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, user=self.user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_for_port(self.port)

    def tell(self, number):
        """Send a signal to the process and to those it has started."""
        pids = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        self.process.send_signal(number)
        for pid in map(int, pids):
            with contextlib.suppress(ProcessLookupError):  # a fork that has saved a snapshot is gone
                os.kill(pid, number)

    @contextlib.contextmanager
    def frozen(self):
        """Accept connections (the kernel does) and answer nothing."""
        self.tell(signal.SIGSTOP)
        try:
            yield
        finally:
            self.tell(signal.SIGCONT)

    def stop(self):
        self.process.send_signal(self.end)
        self.process.wait()


@contextlib.contextmanager
def directory(owner=None):
    """A directory in /tmp, since other users have no way into pytest's."""
    path = Path(tempfile.mkdtemp(prefix="evenkeel-test-"))
    if owner:
        shutil.chown(path, owner)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _postgres_command(name):
    return str(max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name)) / "bin" / name)


def _as_postgres(*command, **environment):
    env = {**os.environ, **environment}
    subprocess.run(command, check=True, user="postgres", capture_output=True, cwd="/", env=env)


class Postgres(Server):
    """A PostgreSQL of its own; with ``primary`` a streaming standby of that one."""

    end = signal.SIGQUIT  # it handles this: immediately, without waiting for sessions

    def __init__(self, path, primary=None):
        self.data = path / ("standby" if primary else "primary")
        if primary:
            address = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
            copy = [_postgres_command("pg_basebackup"), "-D", str(self.data), "-R", "-X", "stream", *address]
            _as_postgres(*copy, "--checkpoint=fast", PGPASSWORD=PASSWORD)
        else:
            password = path / "password"
            password.write_text(PASSWORD)
            shutil.chown(password, "postgres")
            init = [_postgres_command("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "scram-sha-256"]
            _as_postgres(*init, f"--pwfile={password}", "--no-sync")
        port = free_port()
        options = ["-F", "-c", f"unix_socket_directories={path}", "-c", "listen_addresses=127.0.0.1"]
        command = [_postgres_command("postgres"), "-D", str(self.data), "-p", str(port), *options]
        super().__init__(command, port, "postgres")
        self.check = {"type": "postgres", "host": "127.0.0.1", "port": port, "user": "postgres", "password": PASSWORD}


class Redis(Server):
    """A Redis of its own; with ``master`` a replica of that one."""

    def __init__(self, path, master=None):
        port = free_port()
        command = [require("redis-server"), "--port", str(port), "--dir", str(path), "--save", ""]
        command += ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--bind", "127.0.0.1", "--repl-timeout", "60"]
        command += ["--replicaof", f"127.0.0.1 {master.port}", "--repl-ping-replica-period", "1"] if master else []
        command += [] if master else ["--repl-ping-replica-period", "1", "--repl-diskless-sync-delay", "0"]
        super().__init__(command, port)
        self.check = {"type": "redis", "port": port, "password": PASSWORD}


class Tls(Server):
    """nginx with a certificate for ``localhost`` by an authority of its own, good for ``days`` (or expired)."""

    def __init__(self, path, days):
        self.ca = path / "ca.pem"
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        _quiet(*make, "-keyout", path / "ca.key", "-out", self.ca, "-days", "99", "-subj", "/CN=test authority")
        _quiet(
            "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=localhost", "-keyout", path / "key.pem", "-out", path / "request.pem",
        )  # fmt: skip
        (path / "names").write_text("subjectAltName=DNS:localhost\n")
        self._sign(path, days)
        port = free_port()
        (path / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {path}/pid; error_log {path}/error.log; events {{}}
            http {{ access_log off; client_body_temp_path {path}/b; proxy_temp_path {path}/p;
                    fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
                    server {{ listen 127.0.0.1:{port} ssl;
                              ssl_certificate {path}/cert.pem; ssl_certificate_key {path}/key.pem;
                              location / {{ return 200 '{{"status": "pass"}}'; }} }} }}
            """)
        super().__init__([require("nginx"), "-p", str(path), "-c", str(path / "nginx.conf")], port)
        self.check = {"type": "http", "url": f"https://localhost:{port}/", "host": "127.0.0.1", "ca_file": str(self.ca)}

    @staticmethod
    def _sign(path, days):
        """Sign with dates of our own, which ``openssl ca`` alone takes."""
        (path / "index").write_text("")
        (path / "serial").write_text("01")
        (path / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=it\n[it]\nnew_certs_dir={path}\ndatabase={path}/index\nserial={path}/serial\n"
            f"default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
        )
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days, minutes=5)
        _quiet(
            "openssl", "ca", "-batch", "-config", path / "ca.cnf", "-cert", path / "ca.pem",
            "-keyfile", path / "ca.key", "-in", path / "request.pem", "-out", path / "cert.pem",
            "-extfile", path / "names", "-startdate", "20200101000000Z", "-enddate", f"{end:%Y%m%d%H%M%SZ}",
        )  # fmt: skip


def _quiet(*command):
    subprocess.run(command, check=True, capture_output=True)


def eventually(what, deadline_s=10.0):
    """Wait until ``what()`` is true and return what it is."""
    deadline = time.monotonic() + deadline_s
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
