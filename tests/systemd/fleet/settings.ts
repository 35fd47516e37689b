/**
 * What the lab's fleet has set otherwise than a user's, and why: waiting is what most of a scenario would be made of.
 * Only times are shorter; what is done in them, and in which order, is what the packages ship.
 */

/** `/etc/baton/coordinator.toml`. */
export const COORDINATOR_TOML = `
public_url = "https://c1:8420"
[listen]
address = "0.0.0.0"
[tls]
cert_file = "/etc/baton/tls.crt"
key_file = "/etc/baton/tls.key"
[timings]
heartbeat_ms = 500              # 5 s
reservation_ms = 10000          # 60 s
act_within_ms = 5000            # 10 s
drain_ms = 5000                 # 20 s
health_within_ms = 8000         # 60 s
probation_ms = 8000             # 90 s
inconclusive_after_ms = 4000    # 30 s
tick_ms = 100                   # 250 ms
`;

/** `/etc/baton/agent.toml`. */
export const AGENT_TOML = `
ca_file = "/etc/baton/ca.crt"
[session]
reconnect_min_ms = 100          # 500 ms
reconnect_max_ms = 1000         # 10 s
[health]
every_ms = 250                  # 2 s
[workload]
restart_min_ms = 200            # 1 s
restart_max_ms = 1000           # 30 s
[update]
flip_ms = 5000                  # 10 s
retry_min_ms = 300              # 1 s
retry_max_ms = 2000             # 5 min
inconclusive_after_ms = 4000    # 30 s
[probation]
uptime_ms = 8000                # 90 s
`;

const MARGIN = "Environment=BATON_DEADLINE_MARGIN_MS=2000";

/** Drop-ins of the agent's units: the file's place below `/etc/systemd/system`, and what it says. */
export const DROP_INS: Readonly<Record<string, string>> = {
  // Instead of 20 s, 30 s, 5 s and 30 s.
  "baton-agent.service.d/lab.conf": `
[Service]
TimeoutStartSec=5
WatchdogSec=4
TimeoutAbortSec=1
TimeoutStopSec=8
${MARGIN}
`,
  // Instead of 30 s.
  "baton-agent-deadline.service.d/lab.conf": `
[Service]
${MARGIN}
`,
  // Instead of every 15 s.
  "baton-agent-deadline.timer.d/lab.conf": `
[Timer]
OnCalendar=
OnCalendar=*:*:00/2
AccuracySec=100ms
`,
};

/** Between two heartbeats, as `COORDINATOR_TOML` has it. */
export const HEARTBEAT_MS = 500;
