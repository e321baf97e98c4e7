# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's Kubernetes node, and workloads to put on it."""

from __future__ import annotations

import json
import secrets
import subprocess

NODE = "evenkeel-kube1"
ON_NODE = ("docker", "exec", "--interactive", NODE)
SERVER = "https://kube1:6443"
AUTHORITY = "/etc/kubernetes/pki/ca.crt"
PAUSE = "registry1:5000/pause:1"


def on_node(*command, stdin=None):
    """Run a command on the node and return what it prints."""
    return subprocess.check_output([*ON_NODE, *command], input=stdin, text=True)


class Namespace:
    """A namespace of its own, with accounts of more and less rights."""

    def __init__(self):
        self.name = f"probe-{secrets.token_hex(4)}"
        on_node("kubectl", "create", "namespace", self.name)
        for account in ("reader", "stranger"):
            self.kubectl("create", "serviceaccount", account)
        self.kubectl("create", "role", "reader", "--verb=get", "--resource=deployments,statefulsets,daemonsets")
        self.kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={self.name}:reader")
        self.token_file = f"/run/{self.name}.token"
        on_node("tee", self.token_file, stdin=self.token("reader") + "\n")

    def kubectl(self, *arguments, stdin=None):
        return on_node("kubectl", f"--namespace={self.name}", *arguments, stdin=stdin)

    def apply(self, *workloads):
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": workloads}))

    def token(self, account):
        return self.kubectl("create", "token", account).strip()

    def check(self, workload, name=None, **options):
        """Return a check of a workload, as the account that may read it."""
        account = {} if {"token", "token_file", "client_cert"} & set(options) else {"token_file": self.token_file}
        return {
            "name": name or workload, "type": "kubernetes", "url": SERVER, "ca_file": AUTHORITY,
            "workload": workload, "namespace": self.name, "critical": False, **account, **options,
        }  # fmt: skip

    def rolled_out(self, workload):
        """Return what kubectl says."""
        command = [*ON_NODE, "kubectl", "-n", self.name, "rollout", "status", workload, "--watch=false"]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        words = ("successfully rolled out", "roll out complete", "rolling update complete")
        return said.returncode == 0 and any(word in said.stdout for word in words)

    def remove(self):
        on_node("kubectl", "delete", "namespace", self.name, "--wait=false")
        on_node("rm", "-f", self.token_file)


def workload(kind, name, replicas=1, image=PAUSE, pod=None, **spec):
    """Return a workload of one container."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            **({} if kind == "DaemonSet" else {"replicas": replicas}),
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": "it", "image": image}],
                    **(pod or {}),
                },
            },
            **spec,
        },
    }
