// The shapes of what the server sends (web/picture.py and web/site.py), for `tsc --checkJs`. No code.

/**
 * @typedef {object} Track
 * @property {string} id
 * @property {string} number
 * @property {number} lat
 * @property {number} lon
 * @property {number|null} height_m above the ellipsoid
 * @property {number|null} altitude_m above mean sea level
 * @property {number|null} vx east, m/s
 * @property {number|null} vy north, m/s
 * @property {number|null} speed_mps
 * @property {number|null} track_deg
 * @property {boolean} confirmed
 * @property {boolean} coasting
 * @property {string} class
 * @property {number} class_prob
 * @property {string} affiliation
 * @property {string} callsign
 * @property {number|null} border_m positive outside
 * @property {number|null} border_m_sigma
 * @property {number|null} nearest_lat of the border
 * @property {number|null} nearest_lon
 * @property {number|null} time_to_go_s
 * @property {number|null} entry_10_prob
 * @property {number|null} inside_prob
 * @property {boolean} judged
 * @property {string} reason
 * @property {boolean} threat
 * @property {string} region that answers for it, where that is another one than this site's
 * @property {Neighbour[]} neighbours that it is or was near, with the verdict on their airspace
 * @property {number} age_s
 * @property {string[]} sensors
 * @property {(number|null)[]} ellipse 95 %: semi-major, semi-minor in metres, azimuth in degrees
 */

/**
 * @typedef {object} Neighbour
 * @property {string} country
 * @property {number|null} border_m to its line, negative inside
 * @property {number|null} border_m_sigma
 * @property {number|null} closing_mps
 * @property {number|null} time_to_go_s
 * @property {number|null} inside_prob
 * @property {string} verdict so far; empty: none yet
 * @property {number} entered_prob
 * @property {boolean} seen_inside it was there when first seen
 */

/** @typedef {{code: string, name: string, population: number, county: string}} ZoneRef */
/** @typedef {{language: string, headline: string, description: string}} AlertText */

/**
 * @typedef {object} Alert
 * @property {string} identifier
 * @property {string} sent
 * @property {string} status
 * @property {string} msg_type
 * @property {string} level
 * @property {ZoneRef[]} zones
 * @property {number} people
 * @property {string} expires
 * @property {string[]} caused_by
 * @property {string[]} approved_by
 * @property {boolean} in_force
 * @property {AlertText[]} texts
 */

/**
 * @typedef {object} Proposal
 * @property {string} id
 * @property {string} proposed
 * @property {string} expires
 * @property {string} msg_type
 * @property {string} level
 * @property {ZoneRef[]} zones
 * @property {number} people
 * @property {string[]} caused_by
 * @property {string} reason
 * @property {number} approvals_needed
 * @property {string[]} approved_by
 * @property {string} role
 * @property {number} envelope_zones
 * @property {number} envelope_people
 * @property {{language: string, headline: string, description: string}[]} texts
 */

/** @typedef {{time: string, kind: string, text: string, severity: string}} EventLine */
/**
 * @typedef {{id: string, kind: string, age_s: number|null, state: string, words: string, delay_s: number|null, rotation_s: number|null,
 *   reach_m: number|null, reach_m_expected: number|null, coverage_share: number|null}} SensorState
 */
/** @typedef {{reporting: number, expected: number, text: string, missing: string[]}} Coverage */
/** @typedef {{time: string, kind: string, place: string, text: string, by: string, lat: number|null, lon: number|null}} Sighting */
/** @typedef {{time: string, patrol: string, event: string, place: string, text: string, by: string}} PatrolLine */
/** @typedef {{id: string, partner: string, release: string, time: string, state: string, text: Record<string, string>}} Notice */

/**
 * @typedef {object} Picture
 * @property {string} time
 * @property {string} mode
 * @property {boolean} exercise
 * @property {boolean} ended
 * @property {string} note
 * @property {number|null} lag_s
 * @property {Track[]} tracks
 * @property {Record<string, string>} zones
 * @property {Alert[]} alerts
 * @property {number} alert_count ever sent in this run; `alerts` holds those in force and the newest others
 * @property {Proposal[]} proposals
 * @property {EventLine[]} events
 * @property {SensorState[]} sensors
 * @property {Coverage} coverage
 * @property {Notice[]} notices
 * @property {PatrolLine[]} patrol
 * @property {Sighting[]} sightings
 */

/** @typedef {{id: string, kind: string, lat: number|null, lon: number|null, low_reach_m: number|null, low_height_m: number}} Site_Sensor */
/** @typedef {{word: string, colour: string, names: Record<string, string>}} Level */

/**
 * @typedef {object} Site
 * @property {string} mode
 * @property {string} title
 * @property {[number, number, number, number]} view west, south, east, north
 * @property {{code: string, name: string}|null} country
 * @property {string} time_zone
 * @property {string[]} languages
 * @property {string} attribution
 * @property {{name: string, version: string, geometry: object}|null} border
 * @property {{km: number, side: string, geometry: object}[]} strips
 * @property {{code: string, name: string, geometry: object}[]} neighbours
 * @property {{type: string, features: any[]}} zones
 * @property {[string, number, number, number][]} places
 * @property {Record<string, Level>} levels
 * @property {Site_Sensor[]} sensors
 * @property {Record<string, object>} display
 */

/** @typedef {[number, number, number, number|null, number|null]} Point time_ms, lat, lon, border_m, border_m_sigma */

export {};
