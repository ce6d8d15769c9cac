/** Covariates of the calendar, as the recipe `forecasting` makes them from time stamps. */

const DAY = 86_400_000; // milliseconds

/** The step of a series, from the names of its covariates. */
export function step({ future_columns: names }) {
  if (names.includes("hour_sin")) return "hour";
  if (names.includes("weekday_sin")) return "day";
  return names.includes("day_sin") ? "week" : "month";
}

/**
 * The covariates of `count` steps, by default those after a date.
 *
 * @param {string[]} names Their names; those that are not of the calendar are 0.
 * @param {string} last The date of the last step, such as `2024-01-31`.
 * @param {number} count
 * @param {number} [first] The first step, 0 that of the date, 1 the one after it.
 */
export function covariates(names, last, count, first = 1) {
  const unit = step({ future_columns: names });
  const start = new Date(`${last || new Date().toISOString().slice(0, 10)}T00:00:00Z`);
  return Array.from({ length: count }, (_, place) => {
    const phases = phasesOf(after(start, unit, place + first));
    return names.map((name) => {
      const [, phase, wave] = name.match(/^(hour|weekday|day|month)_(sin|cos)$/) ?? [];
      return phase ? Math[wave](2 * Math.PI * phases[phase]) : 0;
    });
  });
}

function after(date, unit, count) {
  const days = { hour: 1 / 24, day: 1, week: 7 }[unit];
  if (days) return new Date(date.getTime() + count * days * DAY);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, 1));
}

/** The parts of the calendar, each from 0 up to 1. */
function phasesOf(date) {
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const length = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return {
    hour: date.getUTCHours() / 24,
    weekday: ((date.getUTCDay() + 6) % 7) / 7, // from Monday on
    day: (date.getUTCDate() - 1) / length,
    month: month / 12,
  };
}
