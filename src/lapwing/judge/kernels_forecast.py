"""The forecast's inner loop: many flights over one chart of border distances a track."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lapwing.geo.jit import kernel

Floats = npt.NDArray[np.float64]

# Columns of `track`, one row a track
SPEED, TURN_RATE, FORWARD_SIGMA, RIGHT_SIGMA, HEADING_SIGMA, SPEED_SHARE_SIGMA, LINE_SIGMA = range(7)
SLOW_COURSE, FAST_COURSE, SLOW_WEAVE, FAST_WEAVE, FAST_PROB = range(7, 12)
LEG_S, TURN_MIN, TURN_MAX, WANDER_SIGMA, TURN_AWAY_PROB, RADIUS = range(12, 18)
COLUMNS = 18
# Columns of `draw`, one row a flight; all uniform in (0, 1) but the first five, which are standard normal
FORWARD, RIGHT, HEADING, SPEED_FACTOR, SHIFT, WHICH, PERIOD, AWAY, LEGS = range(9)
DRAWS = 8 + 6                # three course changes: when, which way and how far
_TURN_FADES_S = 15.0
_TURNS_RADPS = 0.005
_AWAY_M_MIN, _AWAY_M_MAX = 250.0, 6_000.0
_COURSE_SHARE, _WEAVE_SHARE = 0.6, 0.2
_PERIOD_S_MIN, _PERIOD_S_MAX = 80.0, 240.0


@kernel
def first_entry_kernel(
    track: Floats, chart_m: Floats, angle_rad: Floats, angle_bin: npt.NDArray[np.int64], step_s: Floats, draw: Floats,
    wander: Floats, entry_s: Floats, entry_place_m: Floats,
) -> None:
    """Fly each track's flights over its chart; write when and where each first lies inside, inf and NaN where never.

    A flight weaves about a course, as a sine that begins with the heading of now, and changes course up to three times.
    A share TURN_AWAY_PROB turns away, or along the line, when it comes within a distance drawn from
    0.25-6 km, even in its logarithm; of those already nearer than that when it would have, the share that has not is less.

    Parameters
    ----------
    track : (n, COLUMNS) what is known of each track; courses are told from its present track angle, clockwise. Of the
        flights a share FAST_PROB keeps the course of the last half minute, the others that of the last minutes
    chart_m : (n, radii, angles) signed distance at radius `RADIUS * (j / (radii - 1)) ** 2` and `angle_rad` from the
        present track angle, clockwise, ascending from -pi to pi
    angle_bin : (bins,) column of `angle_rad` at or one before each of so many even bins from -pi to pi
    step_s : (steps,) lengths of the time steps
    draw : (flights, DRAWS), wander : (flights, steps) standard normal
    entry_s : (n, flights) out; entry_place_m : (n, flights, 2) out, forward and right
    """
    radii = chart_m.shape[1]
    bins_per_rad = angle_bin.shape[0] / (2.0 * math.pi)
    root_s, fading = np.empty(step_s.shape[0]), np.empty(step_s.shape[0])
    for step in range(step_s.shape[0]):
        root_s[step], fading[step] = math.sqrt(step_s[step]), math.exp(-step_s[step] / _TURN_FADES_S)
    for row in range(track.shape[0]):
        one, chart, radius_max = track[row], chart_m[row], track[row, RADIUS]
        # It has not turned away until here: what would have is gone, by Bayes' rule.
        left = 0.0
        scale = 0.0
        if chart[0, 0] > _AWAY_M_MIN:
            scale = math.log(min(chart[0, 0], _AWAY_M_MAX) / _AWAY_M_MIN)
            left = scale / math.log(_AWAY_M_MAX / _AWAY_M_MIN)
        turns_away = one[TURN_AWAY_PROB] * left / max(one[TURN_AWAY_PROB] * left + 1.0 - one[TURN_AWAY_PROB], 1e-9)
        for flight in range(draw.shape[0]):
            forward = one[FORWARD_SIGMA] * draw[flight, FORWARD]
            right = one[RIGHT_SIGMA] * draw[flight, RIGHT]
            shift = one[LINE_SIGMA] * draw[flight, SHIFT]
            speed = one[SPEED] * min(max(1.0 + one[SPEED_SHARE_SIGMA] * draw[flight, SPEED_FACTOR], 0.0), 2.0)
            fast = draw[flight, WHICH] < one[FAST_PROB]
            course = one[FAST_COURSE] if fast else one[SLOW_COURSE]
            weave = one[FAST_WEAVE] if fast else one[SLOW_WEAVE]
            # A sine of that amplitude that stands where the heading stands now and moves on as it turns now.
            off = -course
            period = _PERIOD_S_MIN * (_PERIOD_S_MAX / _PERIOD_S_MIN) ** draw[flight, PERIOD]
            weave = max(weave, min(abs(off), 1.2))
            # How well a course is known: the better the longer it was flown, the worse the wider it weaved.
            course_sigma = math.hypot(_COURSE_SHARE * one[HEADING_SIGMA], _WEAVE_SHARE * weave)
            course += course_sigma * draw[flight, HEADING]
            phase = math.asin(min(max(off / weave, -1.0), 1.0)) if weave > 1e-6 else 0.0
            # Where it does not turn to speak of, the weave may go on either way.
            if one[TURN_RATE] < -_TURNS_RADPS or (one[TURN_RATE] < _TURNS_RADPS and flight % 2 == 1):
                phase = math.pi - phase
            rate, legs, next_leg_s = one[TURN_RATE] * (1.0 if weave < 0.05 else 0.0), 0, math.inf
            if one[LEG_S] < math.inf:
                next_leg_s = -one[LEG_S] * math.log(max(draw[flight, LEGS], 1e-12))
            away_m, away_share = -1.0, draw[flight, AWAY] / max(turns_away, 1e-9)
            if away_share < 1.0:
                away_m = _AWAY_M_MIN * math.exp(scale * away_share)
            time_s, safe_s = 0.0, 0.0
            entry_s[row, flight] = math.inf
            entry_place_m[row, flight, 0], entry_place_m[row, flight, 1] = math.nan, math.nan
            for step in range(step_s.shape[0] + 1):
                if time_s >= safe_s:
                    # Where the flight is now: bilinear between the chart's points.
                    away = math.sqrt(forward * forward + right * right)
                    place = math.sqrt(min(1.0, away / radius_max)) * (radii - 1)
                    ring = min(int(place), radii - 2)
                    low, high = ring / (radii - 1), (ring + 1) / (radii - 1)
                    at = (place / (radii - 1)) ** 2
                    share = (at - low * low) / (high * high - low * low)
                    angle = math.atan2(right, forward)
                    column = angle_bin[min(int((angle + math.pi) * bins_per_rad), angle_bin.shape[0] - 1)]
                    if angle_rad[column + 1] < angle:
                        column += 1
                    beside = (angle - angle_rad[column]) / (angle_rad[column + 1] - angle_rad[column])
                    near = chart[ring, column] * (1.0 - beside) + chart[ring, column + 1] * beside
                    far = chart[ring + 1, column] * (1.0 - beside) + chart[ring + 1, column + 1] * beside
                    distance = near * (1.0 - share) + far * share + shift
                    if step == 0 and distance < away_m:
                        away_m = -1.0                  # it has not turned away until here
                    if 0.0 <= distance < away_m:
                        break
                    if distance < 0.0 and away_m < 0.0:
                        entry_s[row, flight] = time_s
                        entry_place_m[row, flight, 0], entry_place_m[row, flight, 1] = forward, right
                        break
                    # As far from the line as this, it cannot be inside for so long: no need to look before.
                    safe_s = time_s + 0.7 * (distance - max(away_m, 0.0)) / max(speed, 1.0)
                if step == step_s.shape[0]:
                    break
                length = step_s[step]
                if time_s + length > next_leg_s and legs < 3:
                    size = draw[flight, LEGS + 2 * legs + 1]
                    turn = one[TURN_MIN] + abs(2.0 * size - 1.0) * (one[TURN_MAX] - one[TURN_MIN])
                    course += turn if size >= 0.5 else -turn
                    legs += 1
                    next_leg_s = math.inf if legs == 3 else next_leg_s - one[LEG_S] * math.log(
                        max(draw[flight, LEGS + 2 * legs], 1e-12))
                course += one[WANDER_SIGMA] * root_s[step] * wander[flight, step] + rate * length
                rate *= fading[step]
                toward = course
                if weave > 1e-6:
                    toward += weave * math.sin(phase + 2.0 * math.pi * (time_s + 0.5 * length) / period)
                forward += speed * length * math.cos(toward)
                right += speed * length * math.sin(toward)
                time_s += length
