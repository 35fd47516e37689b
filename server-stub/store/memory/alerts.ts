import type { Alert } from "../../../protocol/alert.ts";
import type { AlertChange, AlertFilter } from "../alerts.ts";
import type { MemoryState } from "./state.ts";

/** The alerts that the change makes, as they are after it; to be put where they are. */
export function changedAlerts(state: MemoryState, change: AlertChange): readonly Alert[] {
  const all = [...state.alerts.values()];
  if (change.kind === "acknowledge") {
    const { id, at, by, note } = change;
    return all
      .filter((alert) => alert.id === id && alert.acknowledgedAt === null)
      .map((alert) => ({ ...alert, acknowledgedAt: at, acknowledgedBy: by, note }));
  }
  const { alert: kind, subject, at } = change;
  const open = all.filter(
    (alert) => alert.kind === kind && alert.subject === subject && alert.resolvedAt === null,
  );
  if (change.kind === "resolve") {
    return open.map((alert) => ({ ...alert, resolvedAt: at, resolvedBy: change.because ?? null }));
  }
  if (open.length > 0) return [];
  const nobody = { acknowledgedAt: null, acknowledgedBy: null, note: null };
  const fresh = { id: Math.max(0, ...state.alerts.keys()) + 1, kind, subject, message: change.message };
  return [{ ...fresh, raisedAt: at, resolvedAt: null, resolvedBy: null, ...nobody }];
}

export const listAlerts = (
  state: MemoryState,
  { state: wanted, kind, before = Number.POSITIVE_INFINITY, limit }: AlertFilter,
): readonly Alert[] =>
  [...state.alerts.values()]
    .filter((alert) => wanted === "all" || alert.resolvedAt === null)
    .filter((alert) => (kind === undefined || alert.kind === kind) && alert.id < before)
    .sort((a, b) => b.id - a.id)
    .slice(0, limit);
