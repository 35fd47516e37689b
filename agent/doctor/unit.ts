import type { Finding } from "../../protocol/finding.ts";
import { findingsOf } from "./finding.ts";

export type UnitFacts =
  /** systemd does not run this machine, as in a container. */
  | { readonly kind: "no-systemd" }
  | { readonly kind: "not-asked"; readonly why: string }
  | {
      readonly kind: "known";
      /** As `systemctl show` names them. */
      readonly load: string;
      readonly active: string;
      readonly sub: string;
      readonly unitFile: string;
      readonly result: string;
      readonly restarts: number;
      readonly needsReload: boolean;
      /** ActiveState of baton-agent-deadline.timer. */
      readonly timer: string;
    };

const UNIT = "baton-agent.service";

const { ok, warning, problem } = findingsOf("service");

/** What systemd says of the service. */
export function judgeUnit(facts: UnitFacts): Finding[] {
  if (facts.kind === "no-systemd")
    return [
      ok("no-systemd", "systemd does not run here: what starts the agent again is somebody else's affair."),
    ];
  if (facts.kind === "not-asked") return [ok("unit-not-asked", `systemd was not asked: ${facts.why}`)];
  if (facts.load !== "loaded") {
    return [
      problem(
        "unit-missing",
        `${UNIT} is ${facts.load}: nothing starts the agent.`,
        "Reinstall the package baton-agent; a masked unit: systemctl unmask baton-agent",
      ),
    ];
  }
  const found = [judgeActive(facts), ...judgeRest(facts)];
  return found;
}

type Known = Extract<UnitFacts, { kind: "known" }>;

function judgeActive({ active, sub, result, restarts }: Known): Finding {
  const state = `${UNIT} is ${active} (${sub}), started again ${restarts} times by itself`;
  if (active === "active") return ok("unit-active", `${state}; an update is such a start, too.`);
  if (active === "failed" || result !== "success") {
    return problem(
      "unit-failed",
      `${state}; its last end: ${result}.`,
      "Its last words: journalctl -u baton-agent -n 50. Then: systemctl restart baton-agent",
    );
  }
  return problem("unit-inactive", `${state}.`, "Start it: systemctl start baton-agent");
}

function judgeRest({ unitFile, needsReload, timer, active }: Known): Finding[] {
  return [
    ...(unitFile === "enabled"
      ? []
      : [
          warning(
            "unit-disabled",
            `${UNIT} is ${unitFile === "" ? "not enabled" : unitFile}: it may not start with the machine.`,
            "systemctl enable baton-agent",
          ),
        ]),
    ...(needsReload
      ? [
          warning(
            "unit-stale",
            `The file of ${UNIT} has changed since systemd read it.`,
            "systemctl daemon-reload",
          ),
        ]
      : []),
    ...(timer === "active" || active !== "active"
      ? []
      : [
          warning(
            "timer-inactive",
            `baton-agent-deadline.timer is ${timer}: a new build that hangs would not be ended by it.`,
            "systemctl start baton-agent-deadline.timer",
          ),
        ]),
  ];
}
