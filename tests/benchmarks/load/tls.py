# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS with connections kept alive, and plain HTTP with a connection for each request."""

from __future__ import annotations

import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import figure, interleaved, nginx, progress, ratios, require
from benchmarks.load import peers
from benchmarks.load.http import SAME, measure
from benchmarks.load.steady import SERVER_CORE

CONNECTIONS = 50


def figures(rounds: int) -> list[dict[str, Any]]:
    """Return rates against wrk."""
    return tls(rounds) + one_request(rounds)


def certificate(directory: Path) -> list[Path]:
    """Make a certificate for 127.0.0.1 and its key."""
    paths = [directory / "cert.pem", directory / "key.pem"]
    subprocess.run([require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-out", str(paths[0]), "-keyout", str(paths[1])], check=True, capture_output=True)
    return paths


def tls(rounds: int) -> list[dict[str, Any]]:
    """Return rates over TLS 1.3; ours verifies the certificate once per connection, wrk never does."""
    progress(f"TLS, {CONNECTIONS} connections")
    with tempfile.TemporaryDirectory() as name:
        public, private = certificate(Path(name))
        locations = f"ssl_certificate {public}; ssl_certificate_key {private}; {SAME}"
        with nginx(locations, core=SERVER_CORE, listen="ssl") as (port, directory):
            url = f"https://127.0.0.1:{port}"
            rows = interleaved(
                rounds,
                ours=partial(measure, url, CONNECTIONS, peers.mix(url, CONNECTIONS, ca_path=str(public))),
                wrk=partial(measure, url, CONNECTIONS, peers.wrk(url, CONNECTIONS, directory)))
    return [figure(f"TLS: requests per second against wrk, {CONNECTIONS} connections", ">= 0.95",
                   ratios(rows, "wrk", "rps")),
            figure(f"TLS: CPU per request against wrk, {CONNECTIONS} connections", "", ratios(rows, "wrk", "cpu_us"))]


def one_request(rounds: int) -> list[dict[str, Any]]:
    """Return rates when each request has a connection of its own; the server closes it."""
    progress(f"a connection for each request, {CONNECTIONS} at once")
    with nginx(SAME, core=SERVER_CORE) as (port, directory):
        url = f"http://127.0.0.1:{port}"
        rows = interleaved(
            rounds,
            ours=partial(measure, url, 0, peers.mix(url, CONNECTIONS, reuse=False)),
            wrk=partial(measure, url, 0, peers.wrk(url, CONNECTIONS, directory, "Connection: close")))
    return [figure(f"a connection for each request: rate against wrk, {CONNECTIONS} at once", ">= 0.95",
                   ratios(rows, "wrk", "rps")),
            figure(f"a connection for each request: CPU per request against wrk, {CONNECTIONS} at once", "",
                   ratios(rows, "wrk", "cpu_us"))]
