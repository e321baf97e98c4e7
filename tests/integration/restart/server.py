# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small real HTTP service for systemd units of the tests: ``server.py PORT CONFIGURATION [ignore-term]``.

``/health`` answers 200, or what the configuration file says as ``health=503``; ``/slow?<seconds>`` takes its time;
everything else answers with the configuration as it was last read. SIGTERM lets it finish what it has, SIGHUP makes it
read its configuration, SIGUSR2 hands its socket over to a new process. With ``boot=<seconds>`` it starts slowly, with
``broken`` not at all. A socket from systemd is taken instead of one of its own.
"""

from __future__ import annotations

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

port, configuration = int(sys.argv[1]), Path(sys.argv[2])
ignore_term = "ignore-term" in sys.argv
INHERITED = int(os.environ.get("INHERITED") or ("3" if os.environ.get("LISTEN_FDS") else "0"))
settings = {}
active = 0
lock = threading.Lock()


def read_settings(*_):
    lines = configuration.read_text().splitlines()
    settings.clear()
    settings.update(line.partition("=")[::2] for line in lines)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global active
        with lock:
            active += 1
        try:
            self.answer()
        finally:
            with lock:
                active -= 1

    def answer(self):
        path, _mark, seconds = self.path.partition("?")
        if path == "/slow":
            time.sleep(float(seconds))
        body = f"{configuration.read_text() if path == '/file' else settings.get('text', '')}\n".encode()
        self.send_response(int(settings.get("health", 200)) if path == "/health" else 200)
        self.send_header("Content-Length", str(len(body)))
        if server.ending:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    ending = False

    def server_bind(self):
        if INHERITED:
            self.socket.close()
            self.socket = socket.socket(fileno=INHERITED)
        else:
            super().server_bind()

    def server_activate(self):
        if not INHERITED:
            super().server_activate()


def end(*_):
    threading.Thread(target=finish, daemon=True).start()


def finish():
    server.ending = True
    server.shutdown()
    while active:
        time.sleep(0.01)
    time.sleep(0.1)  # the last answers are on their way
    os._exit(0)


def hand_over(*_):
    """Start the new process with the same socket; systemd hears of it from that process."""
    descriptor = server.socket.fileno()
    subprocess.Popen([sys.executable, *sys.argv], pass_fds=[descriptor],
                     env={**os.environ, "INHERITED": str(descriptor), "SUCCESSOR_OF": str(os.getpid())})


def notify(text):
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.connect(f"\0{address[1:]}" if address.startswith("@") else address)
            one.sendall(text.encode())


read_settings()
if "broken" in settings:
    sys.exit("the configuration is broken")
time.sleep(float(settings.get("boot", 0)))
server = Server(("0.0.0.0", port), Handler)
signal.signal(signal.SIGTERM, signal.SIG_IGN if ignore_term else end)
signal.signal(signal.SIGHUP, read_settings)
signal.signal(signal.SIGUSR2, hand_over)
notify(f"MAINPID={os.getpid()}\nREADY=1")
if os.environ.get("SUCCESSOR_OF"):
    os.kill(int(os.environ["SUCCESSOR_OF"]), signal.SIGTERM)
server.serve_forever(0.05)
while True:
    time.sleep(60)
