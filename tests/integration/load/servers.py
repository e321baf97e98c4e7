# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers of every protocol, each for the time of a ``with`` block, with certificates of an authority of ours."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.common import free_port, require
from websockets.sync.server import serve

POSTGRES = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "correct-horse"


class Authority:
    """An authority in a directory: ``ca``, and certificates by name."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = str(directory / "ca.pem")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                      "-days", "30", "-subj", "/CN=test authority")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.directory, check=True, capture_output=True)

    def issue(self, name, alternatives):
        """Return the paths of a certificate and its key."""
        (self.directory / f"{name}.cnf").write_text(f"subjectAltName = {alternatives}\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                      "-subj", f"/CN={name}")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "30", "-out", f"{name}.pem", "-extfile", f"{name}.cnf")
        return str(self.directory / f"{name}.pem"), str(self.directory / f"{name}.key")


@contextlib.contextmanager
def running(command, ready, **options):
    """Run a server in the foreground; ``ready`` raises OSError or CalledProcessError until it is."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                ready()
                break
            except (OSError, subprocess.CalledProcessError):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def nginx(directory, servers):
    """Run nginx with these ``server`` blocks."""
    configuration = directory / "nginx.conf"
    configuration.write_text(f"""
        daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
        worker_rlimit_nofile 4096; events {{ worker_connections 2000; }}
        http {{ access_log {directory}/access.log combined; default_type text/plain; keepalive_requests 1000000;
                client_body_temp_path {directory}/a; proxy_temp_path {directory}/b; fastcgi_temp_path {directory}/c;
                uwsgi_temp_path {directory}/d; scgi_temp_path {directory}/e; {servers} }}
        """)
    program = require("nginx")
    with running([program, "-p", str(directory), "-c", str(configuration)],
                 lambda: (directory / "pid").stat()):
        yield


@contextlib.contextmanager
def redis(directory):
    """Run Redis with a password and an ACL user ``app``: yield its port and its Unix socket."""
    port, path = free_port(), directory / "redis.sock"
    command = [require("redis-server"), "--port", str(port), "--bind", "127.0.0.1 ::1",
               "--unixsocket", str(path), "--save", "", "--requirepass", PASSWORD,
               "--user", "app", "on", f">{PASSWORD}", "~*", "+@all"]
    with running(command, path.stat, cwd=directory):
        yield port, str(path)


@contextlib.contextmanager
def postgres(authority):
    """Run PostgreSQL 15 with SCRAM and TLS: yield its port and its Unix socket."""
    owner = pwd.getpwnam("postgres")
    directory = Path(tempfile.mkdtemp(prefix="evenkeel-pg-"))
    try:
        for path in authority.issue("postgres", "IP:127.0.0.1, DNS:localhost"):
            shutil.copy(path, directory)
        (directory / "secret").write_text(PASSWORD)
        for path in [directory, *directory.iterdir()]:
            os.chown(path, owner.pw_uid, owner.pw_gid)
            path.chmod(0o700 if path.is_dir() else 0o600)
        as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": directory}
        subprocess.run([POSTGRES / "initdb", "-D", directory / "data", "-U", "app", "-A", "scram-sha-256",
                        "--pwfile", directory / "secret", "--no-sync"], check=True, capture_output=True, **as_owner)
        port = free_port()
        path = directory / f".s.PGSQL.{port}"
        command = [POSTGRES / "postgres", "-D", directory / "data", "-p", str(port), "-k", directory, "-c", "ssl=on",
                   "-c", f"ssl_cert_file={directory}/postgres.pem", "-c", f"ssl_key_file={directory}/postgres.key",
                   "-c", "max_connections=30", "-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
        # A port that is open is not enough: the start-up answers there too, with an error.
        ready = [POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        with running(command, lambda: subprocess.run(ready, check=True), **as_owner):
            yield port, str(path)
    finally:
        shutil.rmtree(directory)


class WebSocketServer:
    """``/echo`` echoes; ``/feed`` pushes a message every 5 ms after the first one; ``/ping`` pings before each echo;
    ``/leave`` closes with 1001 instead of the third echo; all others are refused."""

    def __init__(self, context=None):
        self.sessions = 0
        self.pongs = 0
        self.subscribers = []
        self._server = serve(self._session, "127.0.0.1", 0, ssl=context, process_request=self._admit,
                             max_size=None, compression=None)
        self.port = self._server.socket.getsockname()[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def _admit(connection, request):
        if request.path not in ("/echo", "/feed", "/ping", "/leave"):
            return connection.respond(403, "no\n")
        return None

    def _session(self, connection):
        self.sessions += 1
        path = connection.request.path
        for number, message in enumerate(connection, 1):
            if path == "/feed":
                self.subscribers.append(message)
                while True:
                    time.sleep(0.005)
                    connection.send('{"price": 7}')
            if path == "/ping":
                self.pongs += connection.ping(b"are you there?").wait(2)
            if path == "/leave" and number == 3:
                connection.close(1001, "going away")
            connection.send(message)

    def close(self):
        self._server.shutdown()


def server_context(certificate, key):
    """Return a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
