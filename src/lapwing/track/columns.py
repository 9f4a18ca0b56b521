"""Where the numbers of a track, a seed and a plot stand in the rows that kernels work on.

A track is two rows, one of floats and one of integers, side by side with its detection history: the filter touches
everything of a few tracks at random, so a row is a few cache lines, a copy of all tracks is four moves of memory, and a
kernel takes four arrays instead of thirty. `state.Slots` gives the same columns by name to whoever works on whole columns.
"""

from __future__ import annotations

MODES = 4

# Slots.floats: vectors (east m, north m, v_east, v_north) on the plane
X = 0                       # MODES x 4, mixed for the next prediction
COV = X + 4 * MODES         # MODES x 4 x 4
LIFT = COV + 16 * MODES     # MODES x LIFT_FLOATS: what an unknown height does to a range, see kernels_lift
LIFT_FLOATS = 6             # mean, variance, covariance with the four of X
MODE = LIFT + LIFT_FLOATS * MODES     # probability of each mode
MEAN = MODE + MODES         # 4
MEAN_COV = MEAN + 4         # 4 x 4
LOG_ODDS = MEAN_COV + 16    # of existence
BIRTH = LOG_ODDS + 1        # log odds when it began
HEIGHT = BIRTH + 1          # m above the ellipsoid; NaN unknown
HEIGHT_VAR = HEIGHT + 1
GATE_M = HEIGHT_VAR + 1     # no mode's position doubt (root of the trace) is wider: far plots are passed over cheaply
GATE_MPS = GATE_M + 1       # nor its velocity doubt
OFF_M = GATE_MPS + 1        # no mode lies farther from the mean
OFF_MPS = OFF_M + 1         # nor flies otherwise by more
STATISTICS = OFF_MPS + 1    # STATISTICS_COUNT, see classify
STATISTICS_COUNT = 14
CLASS = STATISTICS + STATISTICS_COUNT
CLASS_COUNT = 10            # of model.tracks.CLASSES
OWN_FINE = CLASS + CLASS_COUNT  # what its own plots have added to the clutter map, in the fine cell where it is
OWN_COARSE = OWN_FINE + 1       # and in the coarse one
OWN_CREDIT = OWN_COARSE + 1     # log odds that its plots are worth more where its own are not counted as clutter
SLOT_FLOATS = OWN_CREDIT + 1

# Slots.ints
STATUS = 0                  # FREE, SEED, TENTATIVE, CONFIRMED
UID = 1                     # never reused
NUMBER = 2                  # order of becoming a track; -1 for seeds
TIME = 3                    # of the state, ns
BORN = 4
LAST_PLOT = 5               # newest measured time used
SURE = 6                    # newest measured time of a plot that was surely this object's
HITS = 7
LAST_SENSOR = 8
MASK = 9                    # bit i: sensor i contributed (those beyond 63 share bit 63)
HEIGHT_TIME = 10
MODE3A = 11
ICAO = 12
CALLSIGN = 13               # the eight octets as one integer
IDENTIFIED = 14             # plots that carried its identity
AFFILIATION = 15            # set by a person; -1 not
OWN_CELL = 16               # which fine cell, of which sensor; -1 none
OWN_WIDE_CELL = 17
SLOT_INTS = 18

FREE, SEED, TENTATIVE, CONFIRMED = 0, 1, 2, 3
NEVER_NS = -(1 << 62)

# Slots.detect (n, S, 2): Beta parameters found, missed. Slots.looks (n, S, 2), ns:
LOOK = 0                    # last look counted
HIT = 1                     # last plot

# Seeds.floats: a plot that may be the first of an object
SEED_EAST, SEED_NORTH, SEED_EE, SEED_EN, SEED_NN, SEED_VE, SEED_VN = 0, 1, 2, 3, 4, 5, 6
SEED_LOG_ODDS, SEED_BIRTH, SEED_HEIGHT, SEED_HEIGHT_VAR = 7, 8, 9, 10
SEED_OWN = 11               # as OWN_FINE; OWN_COARSE is 1
SEED_FLOATS = 12
# Seeds.ints; USED: 1 in use, 0 free, -1 used up in this step
SEED_USED, SEED_UID, SEED_TIME, SEED_SENSOR, SEED_MODE3A, SEED_ICAO, SEED_CALLSIGN, SEED_SEQUENCE = 0, 1, 2, 3, 4, 5, 6, 7
SEED_CELL, SEED_WIDE_CELL = 8, 9
SEED_LIFTS = 10                         # as PLOT_LIFTS
SEED_INTS = 11

# Plots of a step, in the order of their groups: floats
PLOT_EAST, PLOT_NORTH = 0, 1            # registration taken off
PLOT_EE, PLOT_EN, PLOT_NN = 2, 3, 4
PLOT_VE, PLOT_VN = 5, 6                 # NaN not given
PLOT_HEIGHT, PLOT_HEIGHT_VAR = 7, 8     # NaN not given; the variance is always usable
PLOT_RANGE, PLOT_AZIMUTH = 9, 10        # NaN: not polar
PLOT_AMPLITUDE = 11
PLOT_SCALE = 12                         # of the plane, mean of plot and sensor
PLOT_DENSITY = 13                       # work: false plots, per m2 and scan
PLOT_RATIO = 14                         # work: how its amplitude speaks for an object
PLOT_TAKEN = 15                         # work: probability that some track caused it
PLOT_WEIGHT = 16                        # work: probability that the track chosen for it caused it
PLOT_FLOWN = 17                         # work: probability that it came from what surely flies
PLOT_RAW_EAST, PLOT_RAW_NORTH = 18, 19  # as measured
PLOT_FLOATS = 20
# ints
PLOT_TIME, PLOT_SEQUENCE, PLOT_ICAO, PLOT_MODE3A, PLOT_CALLSIGN, PLOT_ECHO, PLOT_OWNER = 0, 1, 2, 3, 4, 5, 6
PLOT_CELL, PLOT_WIDE_CELL = 7, 8        # of its sensor's clutter map; -1: not counted there
PLOT_LIFTS = 9                          # an air radar's range, laid down at a height that nobody knows: LIFTS, or 0
LIFTS, LIFTS_IF_HIGH = 1, 2             # LIFTS_IF_HIGH: so near that only a track which has shown itself high is lifted
PLOT_INTS = 10

# Groups of a step: ints
GROUP_START, GROUP_END, GROUP_SENSOR, GROUP_TURN, GROUP_RADAR, GROUP_POLAR, GROUP_TURN_KNOWN, GROUP_SLICE = 0, 1, 2, 3, 4, 5, 6, 7
GROUP_INTS = 8

# Pairs of a track or seed with a plot: floats and ints
PAIR_LIKELIHOOD, PAIR_DISTANCE2, PAIR_EAST, PAIR_NORTH, PAIR_EE, PAIR_EN, PAIR_NN = 0, 1, 2, 3, 4, 5, 6
PAIR_WEIGHT, PAIR_RATIO, PAIR_SHARE, PAIR_MESSAGE, PAIR_MARGINAL = 7, 8, 9, 10, 11
PAIR_LIFT_EAST, PAIR_LIFT_NORTH = 12, 13       # how far the plot moves per unit of lift
PAIR_CLEAN = 14         # as PAIR_RATIO, the candidate's own plots taken off the clutter map; -1: other plots lie around
PAIR_FLOATS = 15
PAIR_TRACK, PAIR_PLOT, PAIR_ORDER, PAIR_STATE = 0, 1, 2, 3     # STATE: 0 not chosen, 1 chosen, 2 shared
PAIR_INTS = 4

# Settings as kernels take them: rules (RULES,)
RULE_NEWCOMERS, RULE_CLUTTER_MIN, RULE_FALSE_REPLY, RULE_LOG_ODDS_MAX, RULE_PROVEN_MAX, RULE_SPEED_SIGMA = 0, 1, 2, 3, 4, 5
RULE_OWN_FOUND, RULE_OWN_MISSED, RULE_OTHER_FOUND, RULE_OTHER_MISSED, RULE_TURN_MAX, RULE_NOISE_MAX = 6, 7, 8, 9, 10, 11
RULES = 12
# and model (4, MODES)
MODEL_TURN, MODEL_NOISE, MODEL_DWELL, MODEL_REST = 0, 1, 2, 3

# Rows of the filter's log, see history: floats before x4 P10, after x4 P10, plot east, north, weight; the lift (kernels_lift)
# before and after, LIFT_FLOATS each
LOG_AFTER, LOG_EAST, LOG_NORTH, LOG_WEIGHT, LOG_LIFT = 14, 28, 29, 30, 31
LOG_LIFT_AFTER = LOG_LIFT + LIFT_FLOATS
LOG_FLOATS = LOG_LIFT_AFTER + LIFT_FLOATS
LOG_UID, LOG_TIME, LOG_PLOT_TIME, LOG_SENSOR, LOG_SEQUENCE = 0, 1, 2, 3, 4
LOG_INTS = 5

# Counters that a step's kernel hands back
COUNT_LOG, COUNT_UID, COUNT_SHED, COUNT_REGISTERED = 0, 1, 2, 3
COUNTS = 4
