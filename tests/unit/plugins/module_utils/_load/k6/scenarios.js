import http from 'k6/http';

export let options = {
  scenarios: {
    browse: {
      executor: 'ramping-arrival-rate', exec: 'browse', startRate: 300, timeUnit: '1m', preAllocatedVUs: 50, maxVUs: 100,
      stages: [{ target: 1200, duration: '30s' }, { target: 1200, duration: '1h' }],
      startTime: '5s', gracefulStop: '10s', env: { SHOP: 'x' }, tags: { kind: 'read' },
    },
    steady: { executor: 'constant-arrival-rate', rate: 200, duration: '45s', preAllocatedVUs: 20 },
    some: { executor: 'shared-iterations', vus: 10, iterations: 200, maxDuration: '30s' },
    each: { executor: 'per-vu-iterations', vus: 10, iterations: 20 },
    users: { executor: 'constant-vus', vus: 50, duration: '45m' },
    ramp: { executor: 'ramping-vus', startVUs: 0, stages: [{ duration: '2m', target: 50 }], gracefulRampDown: '5s' },
    by_hand: { executor: 'externally-controlled', vus: 10, duration: '45m', maxVUs: 10 },
  },
  thresholds: { 'http_req_failed{scenario:browse}': ['rate<0.01'], 'http_req_duration{scenario:by_hand}': ['avg<9'] },
};

export function browse() { http.get('http://edge1/api/browse'); }
export default function () { http.get('http://edge1/health'); }
