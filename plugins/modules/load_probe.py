#!/usr/bin/python
# Copyright (c) 2026, evenkeel.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: load_probe
short_description: Measures how fast a service answers under a load, and judges it
version_added: "1.0.0"
author: evenkeel.fleet contributors (@evenkeel)
description:
  - Sends HTTP requests from the host that it runs on, counts answers, errors and latencies, and compares them with
    thresholds. Nothing has to be installed there but Python.
  - Changes nothing but what O(result_name) keeps; the requests that you declare may.
  - Everything is checked before the first request is sent.
  - The probe measures itself too. A result that its own lack of CPU, ports or memory may have caused is
    V(inconclusive), never a pass.
  - Runs well under C(async) with O(stop_path). SIGTERM, SIGINT and SIGHUP end it with a partial result that says so.
  - Mark the task C(no_log) when paths, headers or bodies hold secrets.
extends_documentation_fragment:
  - evenkeel.fleet.attributes
  - evenkeel.fleet.attributes.fleet
attributes:
  check_mode:
    support: full
    details:
      - Checks the options, sends nothing and returns V(inconclusive).
  diff_mode:
    support: N/A
    details:
      - Nothing is changed.
  idempotent:
    support: full
    details:
      - Never changed. The requests themselves are as idempotent as the target makes them.
options:
  target:
    description:
      - C(http://) or C(https://) with a host. Its path goes before the paths of O(scenarios).
      - C(ws://) or C(wss://) with a host and the path of a WebSocket.
      - C(redis://) or C(rediss://) with a host and, as the path, the number of a database.
      - C(pg://user@host/database) for PostgreSQL.
      - A host with several addresses is asked at the first one that accepts a connection.
    type: str
    required: true
  scenarios:
    description:
      - What is asked. All scenarios run at the same time, in the proportion of their weights.
      - Without any, one scenario C(default) asks for the path of O(target).
    type: list
    elements: dict
    suboptions:
      name:
        description: Name in the results and in O(thresholds). No colons.
        type: str
        required: true
      weight:
        description: Share of the requests against the other scenarios, V(1) to V(10000).
        type: int
        default: 1
      requests:
        description:
          - The requests of this scenario, sent in random order in the proportion of their weights.
          - One of O(scenarios[].requests) and O(scenarios[].steps) has to be given.
        type: list
        elements: dict
        suboptions:
          path: &path
            description:
              - Path and query, of HTTP. Blanks and non-ASCII characters are quoted. C(${name}) stands for the value of
                a variable, see O(feeders).
              - Without it, the path of O(target) itself is asked.
            type: str
          method: &method
            description: HTTP method, V(GET) if it is not given.
            type: str
          text: &text
            description:
              - What is sent over a WebSocket. A mapping or a list is sent as JSON.
              - The next message that comes is the answer.
            type: raw
          subscribe:
            description:
              - Sent once per connection over a WebSocket. Each message that comes then counts as an answer, and its
                latency is the time since the last one.
            type: raw
          command: &command
            description: A Redis command as a list of arguments, or as one line that is split like a shell's.
            type: raw
          query: &query
            description: A statement for PostgreSQL.
            type: str
          parameters: &parameters
            description: Values for C($1), C($2) and so on in O(scenarios[].requests[].query); extended protocol.
            type: list
            elements: raw
          prepared: &prepared
            description: Whether O(scenarios[].requests[].query) is parsed only once per connection.
            type: bool
          headers: &headers
            description: Headers of this request; they win over O(headers).
            type: dict
          body: &body
            description: Content. A mapping or a list is sent as JSON.
            type: raw
          weight:
            description: Share of the scenario's requests against the other ones, V(1) to V(10000).
            type: int
            default: 1
          checks: &checks
            description: What makes an answer right.
            type: dict
            suboptions:
              status:
                description: The right statuses. Without any, everything from 200 to 399 is right.
                type: list
                elements: int
              contains:
                description: Text that has to be in the content.
                type: str
              pointers:
                description: JSON pointers (RFC 6901), such as C(/user/id), with the values that have to be there.
                type: dict
              headers:
                description: Names of header fields, with regular expressions that have to match their whole values.
                type: dict
              min_bytes:
                description: The least size of the content as it was sent, compressed or not.
                type: int
              max_bytes:
                description: The largest size of the content as it was sent.
                type: int
              max_latency_ms:
                description: The longest time until the whole answer, in milliseconds.
                type: float
          tags: &tags
            description: Labels with their values. Metrics are also given per label, such as C(endpoint=browse).
            type: dict
      steps:
        description:
          - A journey. A virtual user takes these steps one after the other, then begins anew.
          - When a step fails, by a wrong answer or by none, the rest is skipped and counted in
            RV(samples.journeys), and the user begins anew.
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - Name in RV(steps) and in O(thresholds). No colons, no slashes. V(step1) and so on without one.
            type: str
          path: *path
          method: *method
          text: *text
          command: *command
          query: *query
          parameters: *parameters
          prepared: *prepared
          headers: *headers
          body: *body
          checks: *checks
          capture:
            description:
              - Variables for the later steps, each with where its value is in the answer.
              - C(json) is a JSON pointer into the content, C(regex) finds the value there (the first group, or the
                whole match), C(header) is the name of a header field, of which a C(regex) beside it takes a part.
              - A value that is not there fails the step, unless there is a C(default).
            type: dict
          think_s:
            description: As O(scenarios[].think_s), after this step.
            type: raw
          tags: *tags
      think_s:
        description:
          - Seconds that a virtual user thinks after each request or step. A list of two numbers is a random time
            between them.
          - With an arrival rate, there is none after the last step, because the user does not come back.
        type: raw
      feeders:
        description: As O(feeders), for this scenario.
        type: list
        elements: dict
        suboptions: &feeder
          name:
            description: Name of the variable, or what comes before the dot in C(${user.email}).
            type: str
            required: true
          values:
            description: A list of values, or of rows, which are mappings with the same keys.
            type: list
            elements: raw
          csv:
            description: Rows as CSV text, the names of the columns first.
            type: str
          path:
            description: A file of such text on the host of the probe.
            type: path
          range:
            description: Whole numbers C(from), C(to) and, if not each of them, C(step). Both ends are included.
            type: dict
          weighted:
            description: Values with their weights; drawn at random.
            type: dict
          random:
            description: C(from) and C(to) of whole numbers, or the C(length) of text of letters and digits.
            type: dict
          policy:
            description:
              - V(next) gives each row in turn and begins again after the last one; several processes and hosts share
                the rows. V(random) draws one. V(per_user) gives each virtual user one that it keeps.
              - The default is V(next), for O(feeders[].weighted) and O(feeders[].random) it is V(random).
            type: str
            choices: [next, random, per_user]
      keep_cookies:
        description:
          - Whether a virtual user takes its cookies along to its next journey. Without it, each journey begins without
            cookies. Within a journey, cookies are kept and sent as in a browser.
        type: bool
        default: false
  feeders:
    description:
      - Data for templates. C(${genre}) in a path, a header, a body or what else a request is made of stands for a
        value of the feeder C(genre), C(${user.email}) for the column C(email) of the feeder C(user), C($${) for a plain
        C(${).
      - A journey, and a request on its own, has one row of each feeder that it names.
      - C(${vu}) is the number of the virtual user, C(${iteration}) that of its journey, both from 0.
    type: list
    elements: dict
    suboptions: *feeder
  seed:
    description: Decides what is drawn at random. The same seed draws the same for the same virtual user.
    type: int
    default: 0
  headers:
    description: Headers of all requests. C(Host), C(User-Agent) and C(Accept) have defaults.
    type: dict
  executor:
    description:
      - V(constant_vus) is a closed model. Each of O(vus) virtual users sends its next request when it has the answer
        to the last one.
      - V(constant_arrival_rate) is an open model. O(rate_rps) requests per second are due at even times, whatever the
        target does, and a latency counts from the time when its request was due. A stall shows with its full length.
      - V(ramping_vus) and V(ramping_arrival_rate) change the number of users or the rate as O(stages) say.
      - V(step) measures one number of users after the other, see O(levels), and names the knee.
      - V(spike) multiplies a base load for a while, see O(spike), and measures the recovery.
      - V(soak) looks for drift under a steady load. V(capacity) searches the highest rate that meets O(thresholds).
      - The base load of V(spike) and V(soak) is O(rate_rps) where it is given (open model), else O(vus).
    type: str
    choices:
      - constant_vus
      - ramping_vus
      - constant_arrival_rate
      - ramping_arrival_rate
      - step
      - spike
      - soak
      - capacity
    default: constant_vus
  vus:
    description:
      - Number of virtual users, or in the open model the largest number of connections. Each is one connection that is
        kept alive.
      - The default is 10. In the open model it is enough for answers that take 2 s at O(rate_rps), at the highest rate
        of O(stages) or in the spike; at least 10, at most 1000. With fewer connections than rate times latency,
        requests wait in the probe for a free one.
    type: int
  rate_rps:
    description:
      - Requests per second of the open model. With V(capacity) the first rate that is tried.
    type: float
  stages:
    description:
      - Of V(ramping_vus) and V(ramping_arrival_rate). The load begins at 0 and goes in each stage in a straight line to
        the level of the stage.
      - A stage of 0 seconds is a jump. O(duration_s) and O(warmup_s) are of no use here.
    type: list
    elements: dict
    suboptions:
      duration_s:
        description: How long the stage is, in seconds.
        type: float
        required: true
      vus:
        description: Number of users at the end of the stage, of V(ramping_vus).
        type: int
      rate_rps:
        description: Requests per second at the end of the stage, of V(ramping_arrival_rate).
        type: float
  levels:
    description:
      - Numbers of users of V(step), each higher than the one before. Each is measured for O(duration_s) after
        O(warmup_s).
    type: list
    elements: int
  spike:
    description: The spike of V(spike). The whole takes O(duration_s).
    type: dict
    suboptions:
      factor:
        description: By what the base load is multiplied.
        type: float
        default: 5
      start_s:
        description: Seconds before the spike. The default is a quarter of O(duration_s).
        type: float
      length_s:
        description: Seconds of the spike. The default is a quarter of O(duration_s).
        type: float
      recovery_factor:
        description: Within which factor of before a second has to be, to count as normal.
        type: float
        default: 2
  capacity:
    description: The limits of the search of V(capacity). Each trial takes O(warmup_s) and O(duration_s).
    type: dict
    suboptions:
      min_rps:
        description: The lowest rate that is tried.
        type: float
        default: 1
      max_rps:
        description: The highest rate that is tried.
        type: float
        default: 100000
      precision:
        description: The search ends when the highest rate that is borne and the lowest one that is not are so close.
        type: float
        default: 0.05
  iterations:
    description:
      - Of V(constant_vus). The probe ends when so many requests (of scenarios with steps, journeys) were made, at the
        latest after O(duration_s).
    type: int
  duration_s:
    description: Measured time in seconds. What begins in it is waited for, and counted.
    type: float
    default: 10
  warmup_s:
    description: Seconds of the same load before the measured time; not in the result.
    type: float
    default: 0
  timeout_s:
    description:
      - Seconds until a request counts as an error of the class C(timeout), with its full latency. Connecting and
        waiting for a free connection are part of it.
    type: float
    default: 10
  deadline_s:
    description:
      - Seconds after which the probe ends whatever happens. What is under way then counts as timed out.
      - The default is the longest time that the executor can take, with 2 · O(timeout_s) for the last answers.
    type: float
  processes:
    description: Number of processes that share the load. One is enough until it needs a whole core.
    type: int
    default: 1
  thresholds:
    description:
      - What the metrics have to keep, such as C(p95 < 50ms), C(error_rate < 0.1%) or C(rps > 500).
      - C(browse:p95 < 50ms) is for one scenario, C(browse/login:p95 < 50ms) for one step of it.
      - Any percentile can be named, C(p99.9) too; also C(mean), C(min), C(max), C(requests) and C(errors).
      - C(error_rate < 5% or abort after 10s) ends the probe as soon as it is broken, from 10 seconds on (from the start
        without C(after)); the verdict is then V(fail).
    type: list
    elements: str
    default: ["error_rate < 1%"]
  stop_path:
    description:
      - A file on the host of the probe. As soon as it exists, nothing more is sent, and what came of it is judged
        as usual. When it exists from the start, nothing is measured and the verdict is V(inconclusive).
    type: path
  count_header:
    description: Name of a header whose values are counted over all answers, such as C(X-Release).
    type: str
    default: ""
  share:
    description:
      - This host's place among those that send the load together, and their number, such as V(2/4). All other options
        are for all of them together; each host sends its part.
    type: str
  start_at:
    description:
      - When to send the first request, in seconds since 1970 on the B(controller)'s clock, so that several hosts start
        together. The connections are open by then. When it has passed, the probe starts at once, see
        RV(samples.start_late_ms).
      - The controller reads the host's clock before. Where the difference is too small to be seen over the connection,
        the clocks count as equal; RV(samples.clock) says how far that may be wrong.
    type: float
  allowed_targets:
    description:
      - Regular expressions, one of which has to match the whole C(host:port) of O(target). Without any, every target
        is allowed.
    type: list
    elements: str
    default: []
  reuse:
    description: Whether a connection carries more than one request. If not, each request pays for its connection.
    type: bool
    default: true
  unix_socket:
    description:
      - Path of a Unix socket on the host of the probe that is asked instead of the host of O(target).
      - O(allowed_targets) are then matched with this path.
    type: path
  username:
    description: User of Redis or PostgreSQL, instead of the one in O(target).
    type: str
  password:
    description: Password of Redis or PostgreSQL (SCRAM-SHA-256). PostgreSQL never gets it in clear text without TLS.
    type: str
  tls:
    description:
      - Whether TLS is spoken. The default is what O(target) says; set it to V(true) for PostgreSQL with TLS.
    type: bool
  server_name:
    description: Name for SNI and for the check of the certificate, instead of the host of O(target).
    type: str
  validate_certs:
    description: Whether the certificate of the target has to be valid for its name.
    type: bool
    default: true
  ca_path:
    description: PEM file of the authorities to trust. Without it, those of the host's Python.
    type: path
  client_cert_path:
    description: PEM file of the probe's own certificate, for targets that want one.
    type: path
  client_key_path:
    description: PEM file of its key, when that is not in O(client_cert_path).
    type: path
  result_name:
    description:
      - Keep the result under this name in O(result_directory), for later baselines and for
        M(evenkeel.fleet.load_probe_info), which also tells how the probe is going while it runs.
      - One probe of a name runs at a time; its last result is kept. Empty keeps nothing.
    type: str
    default: ""
  result_directory:
    description: Directory on the host of the probe. Only its owner can read what is in it.
    type: path
    default: /var/lib/evenkeel/probes
  baseline:
    description:
      - Compare the result with an earlier one, scenario by scenario. See RV(comparison).
      - Passes when the whole confidence interval of the change is within the tolerance, fails when the service is
        surely worse and the change is beyond the tolerance, else the verdict is V(inconclusive).
    type: dict
    suboptions:
      result_name:
        description: Name of a result that is kept in O(result_directory).
        type: str
      result:
        description: A whole result, in place of O(baseline.result_name).
        type: dict
      target:
        description:
          - Another O(target), in place of O(baseline.result_name). It is probed first, with the same options, so the
            task takes twice as long.
        type: str
      percentiles:
        description: Latencies that are compared.
        type: list
        elements: str
        default: [p50, p95]
      tolerance:
        description: How much longer they may be.
        type: str
        default: 10%
      error_tolerance:
        description: By how much the share of errors may be larger, in percentage points.
        type: str
        default: 1%
      confidence:
        description: How sure all comparisons together are, from V(0.5) to below V(1).
        type: float
        default: 0.95
  mergeable:
    description:
      - Whether the result has all histograms, also those of steps, tags and seconds, so that
        P(evenkeel.fleet.merge_load_results#filter) adds the results of several hosts without a loss.
    type: bool
    default: false
seealso:
  - module: evenkeel.fleet.health_probe
  - module: evenkeel.fleet.load_probe_info
"""

EXAMPLES = r"""
- name: Measure one page with 20 users for half a minute
  evenkeel.fleet.load_probe:
    target: http://edge1/api/browse
    vus: 20
    duration_s: 30
    warmup_s: 3
    thresholds: ["p95 < 50ms", "error_rate < 0.1%"]
  register: probe

- name: Stop when it is too slow
  ansible.builtin.assert:
    that: probe.verdict == 'pass'
    fail_msg: "{{ probe.verdict }}: {{ probe.reasons | join('; ') }}"

- name: Offer 200 requests per second of a mix, with limits for one part of it
  evenkeel.fleet.load_probe:
    target: https://shop.example.org
    executor: constant_arrival_rate
    rate_rps: 200
    vus: 100
    duration_s: 60
    scenarios:
      - name: browse
        weight: 3
        requests:
          - path: /api/browse
            weight: 5
            checks: {contains: '"pitches"'}
          - path: /api/browse?genre=drama
      - name: login
        requests:
          - path: /api/auth
            method: POST
            body: {email: user1@example.org}
            checks: {status: [200]}
    thresholds: ["error_rate < 0.1%", "browse:p95 < 30ms"]

- name: Let users log in, look at what they get, and think in between
  evenkeel.fleet.load_probe:
    target: https://shop.example.org
    vus: 50
    duration_s: 60
    feeders:
      - {name: user, path: /srv/users.csv, policy: per_user}
      - {name: genre, weighted: {drama: 5, comedy: 1}}
    scenarios:
      - name: visit
        think_s: [0.5, 2]
        steps:
          - name: login
            path: /api/auth
            method: POST
            body: {email: "${user.email}"}
            capture:
              token: {json: /token}
          - name: list
            path: /api/browse?genre=${genre}
            headers: {Authorization: "Bearer ${token}"}
            capture:
              first: {json: /pitches/0/id}
            checks: {max_latency_ms: 500}
          - name: detail
            path: /api/pitches/${first}
            checks: {pointers: {/status: open}}
    thresholds: ["error_rate < 0.1%", "visit/login: p95 < 100ms"]

- name: Measure every night, and compare with what was measured under the name reference
  evenkeel.fleet.load_probe:
    target: http://edge1/api/browse
    duration_s: 60
    result_name: nightly
    baseline: {result_name: reference, tolerance: 15%}

- name: Find out how many users it bears
  evenkeel.fleet.load_probe:
    target: http://edge1/api/browse
    executor: step
    levels: [10, 50, 100, 500, 1000]
    duration_s: 10
    warmup_s: 2

- name: Search the highest rate with a p95 below 50 ms
  evenkeel.fleet.load_probe:
    target: http://edge1/api/browse
    executor: capacity
    rate_rps: 100
    capacity: {max_rps: 5000}
    vus: 200
    duration_s: 10
    thresholds: ["p95 < 50ms", "error_rate < 0.1%"]

- name: Ramp up, hold, ramp down
  evenkeel.fleet.load_probe:
    target: http://edge1/api/browse
    executor: ramping_arrival_rate
    stages:
      - {duration_s: 30, rate_rps: 200}
      - {duration_s: 60, rate_rps: 200}
      - {duration_s: 30, rate_rps: 0}
    vus: 100

- name: Count failed requests during a change, in the background
  evenkeel.fleet.load_probe:
    target: http://edge1/api/browse
    executor: constant_arrival_rate
    rate_rps: 50
    duration_s: 900
    count_header: X-Release
    stop_path: /run/evenkeel-watch.stop
  async: 960
  poll: 0
  register: watch
"""

RETURN = r"""
verdict:
  description:
    - V(pass) when all thresholds are kept, V(fail) when one is not. V(inconclusive) when nothing was measured, when
      the probe was interrupted or when the load generator was the limit.
  returned: success
  type: str
  sample: fail
reasons:
  description: Sentences that tell why it is not a pass.
  returned: success
  type: list
  elements: str
  sample: ["p95 < 50ms: measured 71.2"]
thresholds:
  description: Each threshold with its C(metric), C(limit), C(measured) value and whether it is C(ok).
  returned: success
  type: list
  elements: dict
metrics:
  description:
    - C(requests) that were begun in the measured time, C(errors) among them, C(error_rate) from 0 to 1.
    - C(rps), answers per second within the measured time.
    - C(p50_ms), C(p90_ms), C(p95_ms), C(p99_ms), C(p99_9_ms) and those that thresholds name, at most 0.4 % off;
      C(mean_ms), C(min_ms), C(max_ms), exact. Latencies of all answers, right or wrong, and of time-outs.
  returned: success
  type: dict
  sample: {requests: 6120, errors: 0, error_rate: 0.0, rps: 612.0, p50_ms: 14.2, p95_ms: 71.2, p99_ms: 90.4}
scenarios:
  description: The same metrics by scenario.
  returned: success
  type: dict
steps:
  description: The same metrics by step, such as C(browse/login).
  returned: success
  type: dict
phases:
  description:
    - The measured parts in their order. Each has its C(name), the C(offered) load (C(vus) or C(rps), and
      C(highest_vus) or C(highest_rps) where it is another), C(measured_s), all metrics, and its own C(verdict) with
      C(reasons).
    - Phases of V(step) also have C(efficiency), the answers per user as a share of those at the first level. Those of
      V(capacity) have C(borne).
  returned: success, outside check mode
  type: list
  elements: dict
knee:
  description:
    - The level with the greatest C(power), the rate of right answers divided by the mean latency. With C(level),
      C(rps), C(mean_ms) and whether it was C(reached), that is whether a higher level was tried.
  returned: with V(step)
  type: dict
  sample: {level: 100, rps: 3120.4, mean_ms: 32.1, power: 97208.7, reached: true}
recovery_s:
  description:
    - Seconds from the end of the spike until p95 and error rate are normal for 3 seconds in a row. Null when they never
      are, which is a failure.
    - It is a metric as well; C(recovery_s < 10) is a threshold.
  returned: with V(spike)
  type: int
  sample: 2
drift:
  description:
    - Of C(p95_ms) and C(error_rate), per interval of C(interval_s), the C(trend) (V(rising), V(falling) or V(none))
      with its C(p_value), C(slope_per_hour), the means of the first and the last quarter (C(before), C(after)) and
      whether it C(drifts), which is a failure.
  returned: with V(soak)
  type: dict
capacity:
  description:
    - The highest rate that is borne (C(rps)) and the lowest one that is not (C(not_borne_rps)), null where there is
      none, the number of C(trials), and C(generator_limited), whether the probe's own host is why the latter is not
      borne.
    - The metric C(capacity_rps) is the former. The other metrics are those of the trial at this rate.
  returned: with V(capacity)
  type: dict
  sample: {rps: 452.5, not_borne_rps: 470.0, trials: 12, generator_limited: false}
samples:
  description: What the metrics came from.
  returned: success, outside check mode
  type: dict
  contains:
    errors:
      description:
        - Number of errors by class. V(refused), V(reset), V(timeout), V(tls), V(login) (the server refused a session),
          V(protocol) (not the protocol of the target, or more than one answer), V(unreachable), V(status) (also errors
          of Redis or PostgreSQL), V(check), and V(generator) for limits of the probe's own host.
      type: dict
    statuses:
      description: Number of answers by status.
      type: dict
    header_counts:
      description: Number of answers by value of O(count_header).
      type: dict
    error_examples:
      description: The first five errors of each class, with request, status, detail and time.
      type: list
      elements: dict
    tags:
      description: Metrics by tag, such as C(endpoint=browse).
      type: dict
    journeys:
      description:
        - By scenario with steps, how many journeys were C(begun), C(completed) and C(failed), and how often a failure
          made users skip each step (C(skipped)). What is left was under way at the end of the measured time.
      type: dict
    series:
      description:
        - One row per second with C(t_s), C(requests), C(errors), C(p50_ms), C(p95_ms) and C(p99_ms) of what ended in
          it. Rows after the measured time are what was waited for.
      type: list
      elements: dict
    histograms:
      description: Latencies in µs by scenario, in the buckets of HdrHistogram with two digits; they merge by addition.
      type: dict
    step_histograms:
      description: The same by step. Only with O(mergeable), as are C(tag_histograms) and C(histogram) in C(series).
      type: dict
    measured_from:
      description: Start of the measured time in UTC, ISO 8601; the zero of C(series).
      type: str
    generator:
      description:
        - The probe's own C(cpu_share) of a core and C(cpu_wait_share), the share of the time that it waited for one.
        - Of the open model, C(lateness_p50_ms), C(lateness_p99_ms), C(lateness_p99_9_ms) and C(lateness_max_ms), by
          which it was late itself, C(intended_rps) and C(dispatched_rps), what was due and what it got to in time, and
          C(waited_for_connection), the requests that found all connections busy.
        - C(retried_stale), idempotent requests that were sent again because the target had closed the idle connection.
      type: dict
    target:
      description: URL, address and port that were asked.
      type: dict
    share:
      description: O(share), V(1/1) for a host that sends everything.
      type: str
    start_late_ms:
      description: By how many milliseconds the start came after O(start_at); 0 when it was in time.
      type: float
    clock:
      description:
        - With O(start_at), C(offset_ms) by which the host's clock is ahead of the controller's, and C(uncertainty_ms)
          by which that may be wrong.
      type: dict
    stopped:
      description: Why the probe stopped early (V(stop_path), V(deadline) or a signal's name), else empty.
      type: str
grade:
  description:
    - From V(A) to V(F), the worse of the 95th percentile (100 ms, 300 ms, 1 s, 3 s, 10 s) and the share of errors
      (0.01 %, 0.1 %, 1 %, 3 %, 10 %). Not better than V(D) when a threshold failed, none when the verdict is
      V(inconclusive).
  returned: success
  type: str
  sample: B
comparison:
  description:
    - The comparison with O(baseline), with its own C(verdict) and C(reasons).
    - C(rows) have per C(scope) and C(metric) the values C(before) and C(after) and the change as C(estimate), C(low)
      and C(high), for latencies as a ratio, for the share of errors as a difference.
    - C(effects) have Cliff's delta of all latencies, from -1 (all faster) to 1 (all slower).
  returned: when O(baseline) is given
  type: dict
started_at:
  description: Start in UTC, ISO 8601.
  returned: success
  type: str
duration_s:
  description: Duration of the whole probe in seconds.
  returned: success
  type: float
"""

import os
import stat

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.evenkeel.fleet.plugins.module_utils._core.module import run
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.options import PROBE
from ansible_collections.evenkeel.fleet.plugins.module_utils._load.task import perform


def pipe_to_caller() -> list[int]:
    """Return standard output when it is a pipe or a socket: it closes with whoever waits for the result."""
    mode = os.fstat(1).st_mode
    return [1] if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else []


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=PROBE, supports_check_mode=True)
    options = {name: value for name, value in module.params.items() if value is not None}
    run(module, perform, check_mode=module.check_mode, watched=pipe_to_caller(), **options)


if __name__ == "__main__":
    main()
