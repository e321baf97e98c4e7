// What most scripts have: stages, and thresholds of all kinds.
import http from 'k6/http';
import { check, sleep } from 'k6';

/* An older version:
export const options = { vus: 1, duration: '1s' };
*/
export const options = {
  stages: [
    { duration: '30s', target: 20 },   // up
    { duration: '1m30s', target: 20 },
    { duration: 500, target: 0 },
  ],
  thresholds: {
    http_req_duration: ['p(95)<500', 'med<=80', { threshold: 'p(99.9) < 1500', abortOnFail: true, delayAbortEval: '10s' }],
    http_req_failed: [{ threshold: 'rate<0.01', abortOnFail: true }],
    http_reqs: ['count>100', 'rate>50'],
    'checks': ['rate>0.99'],
    http_req_waiting: ['avg<200'],
    'http_req_duration{kind:warm}': ["p(95)<150"],
    my_trend: ['p(95)<15'],
  },
  discardResponseBodies: true,
  insecureSkipTLSVerify: true,
  noConnectionReuse: false,
  userAgent: 'shop-probe/1.0',
  summaryTrendStats: ['avg', 'p(99)'],
  batch: 15,
};

export default function () {
  const res = http.get(`http://edge1/api/browse?page=${__ITER}`);
  check(res, { 'status was 200': (r) => r.status === 200 });
  sleep(1);
}
