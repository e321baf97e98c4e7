# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of one check, shared by all modules that take checks."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that take checks."""

    DOCUMENTATION = r"""
options:
  checks:
    description: The components to look at, all at once.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the component, used once.
        type: str
        required: true
      type:
        description: What to look at.
        type: str
        required: true
        choices:
          http: Ask for O(checks[].url) and judge status, body, latency and certificate.
          tcp: Connect to O(checks[].host) and O(checks[].port), or to O(checks[].unix_socket).
          postgres: Log in to PostgreSQL and run O(checks[].query) in a read-only transaction.
          redis: Log in to Redis and ping it.
          systemd: Ask systemd for the state of O(checks[].unit).
          container: Ask Docker whether O(checks[].container) runs and, if it has a health check, is healthy.
          command: Run O(checks[].argv) without a shell.
          kubernetes: Ask a Kubernetes API server for O(checks[].workload) and judge its rollout.
      critical:
        description: Whether the component decides the verdict; otherwise what fails counts as V(warn).
        type: bool
        default: true
      timeout_s:
        description: Limit of one look in seconds.
        type: float
        default: 5
      remedy:
        description: What to do when the component is not good; replaces the probe's own advice.
        type: str
      host:
        description:
          - Host to connect to, by default this one.
          - With a URL it replaces the URL's host for the connection only.
        type: str
      port:
        description: Port to connect to, by default 5432 for PostgreSQL, 6379 for Redis and the URL's for HTTP.
        type: int
      unix_socket:
        description: Path of a Unix socket, instead of host and port.
        type: path
      tls:
        description: Speak TLS to O(checks[].type=tcp), O(checks[].type=postgres) or O(checks[].type=redis).
        type: bool
        default: false
      validate_certs:
        description: Verify the certificate and its name.
        type: bool
        default: true
      ca_file:
        description: Authorities to trust instead of the system's, a PEM file on the target.
        type: path
      client_cert:
        description: Certificate of the client, a PEM file on the target.
        type: path
      client_key:
        description: Key of the client, a PEM file on the target; may be part of O(checks[].client_cert).
        type: path
      user:
        description: User of PostgreSQL (required there) or ACL user of Redis.
        type: str
      password:
        description: Password of the user.
        type: str
      min_version:
        description:
          - Oldest version that is good, for PostgreSQL, Redis or the output of a command.
          - Of a command's output the first version counts.
        type: str
      contains:
        description: Text that the body of an answer or the output of a command has to contain.
        type: str
      url:
        description:
          - URL with http or https, without a password.
          - With O(checks[].type=kubernetes) that of the API server, the C(server) of a kubeconfig. A pod needs none,
            and neither O(checks[].ca_file) nor O(checks[].token_file); what its service account has is used.
        type: str
      method:
        description: HTTP method.
        type: str
        default: GET
      headers:
        description: HTTP headers, such as C(Authorization).
        type: dict
      body:
        description: Body of the HTTP request.
        type: str
      status:
        description: HTTP status codes that are good.
        type: list
        elements: int
        default: [200]
      pointers:
        description: Values that the JSON body has to hold, by JSON pointer (RFC 6901), such as C(/status).
        type: dict
      max_latency_ms:
        description: Longest HTTP answer in ms that is good, from the start of the connection to the end of the body.
        type: float
      certificate_days:
        description: Warn when the verified certificate of the HTTP server or API server expires in fewer days.
        type: float
      database:
        description: Database of PostgreSQL.
        type: str
        default: postgres
      query:
        description: Query for PostgreSQL.
        type: str
        default: SELECT 1
      expect:
        description: First value that the query has to return, as text.
        type: str
      role:
        description: Role that PostgreSQL or Redis has to have; a PostgreSQL primary is a V(master).
        type: str
        choices: [master, replica]
      max_lag_s:
        description:
          - A replica of PostgreSQL or Redis needs a link to its master and has to be at most that many seconds behind.
          - Of a PostgreSQL standby the lag is the age of the last replayed transaction, and 0 when it has replayed all
            that it received; of a Redis replica it is the time since it last heard from its master.
        type: float
      unit:
        description: Name of the systemd unit, such as V(haproxy.service).
        type: str
      state:
        description: Active state that the systemd unit has to have.
        type: str
        default: active
      container:
        description: Name or id of the container.
        type: str
      max_restarts:
        description:
          - How often Docker may have restarted the container, or systemd the unit, since it was started. One that
            crashes again and again is then not waited for, and one that runs at the moment does not pass.
          - It is looked at until the other components are good often enough.
          - Without a value restarts are not counted.
        type: int
      own_health:
        description: Whether the container's own health check, where it has one, has to pass as well.
        type: bool
        default: true
      workload:
        description:
          - Kind and name of the workload, such as V(deployment/shop); the kind is V(deployment), V(statefulset) or
            V(daemonset).
          - Good is what C(kubectl rollout status) calls rolled out. Before that it is a warning as long as one pod is
            available and no more are missing than the workload's C(maxUnavailable) allows, else a failure.
          - A workload that is scaled to 0 is a warning.
        type: str
      namespace:
        description: Namespace of the workload; by default that of the pod, or V(default).
        type: str
      token:
        description: Bearer token for the API server.
        type: str
      token_file:
        description: File on the target with the bearer token, read anew at each look.
        type: path
      rolled_out:
        description: A rollout of the workload that is not finished is a failure that is waited for, not a warning.
        type: bool
        default: false
      argv:
        description: Command and arguments.
        type: list
        elements: str
      rc:
        description: Exit codes of the command that are good.
        type: list
        elements: int
        default: [0]
      missing:
        description: What it means that there is no such command.
        type: str
        choices: [fail, warn]
        default: fail
      read_only:
        description: The command changes nothing and may run in check mode as well.
        type: bool
        default: false
"""
