"""A story file is checked before anything is played, and the message says file, key, value and remedy."""

import pytest
import yaml

from lapwing.model.errors import ConfigError
from lapwing.sim import load_story, story_names

STORY = {
    "id": "made-up",
    "schema": "lapwing-incident/1",
    "t0_utc": "2025-08-05T19:50:00Z",
    "run_ends_utc": "2025-08-05T20:10:00Z",
    "protected_country": "RO",
    "objects": [
        {
            "id": "D1",
            "class": "owa_uav_piston",
            "waypoints": [
                {"t": 0, "lat": 45.4, "lon": 29.0, "alt_m": 150, "note": "first"},
                {"t": 600, "lat": 45.4, "lon": 28.6, "alt_m": 150, "note": "second"},
            ],
        }
    ],
    "sensors": [
        {"id": "R1", "class": "gap_filler_radar", "lat": 45.2, "lon": 28.8, "antenna_m_amsl": 100, "max_range_km": 45}
    ],
}


def changed(**edits):
    """Return the story as YAML with dotted paths replaced (None: removed)."""
    table = yaml.safe_load(yaml.safe_dump(STORY))
    for path, value in edits.items():
        keys = [int(k) if k.isdigit() else k for k in path.split("__")]
        inner = table
        for key in keys[:-1]:
            inner = inner[key]
        if value is None:
            del inner[keys[-1]]
        else:
            inner[keys[-1]] = value
    return yaml.safe_dump(table).encode()


def refusal(content):
    with pytest.raises(ConfigError) as caught:
        load_story(content, "night.yaml")
    return str(caught.value)


def test_every_shipped_story_is_read():
    assert len(story_names()) == 6
    for name in story_names():
        story = load_story(name)
        assert story.id == name and story.objects and story.sensors and story.expected["verdict"]


def test_shipped_stories_are_those_of_the_domain_data(shared):
    for path in sorted((shared / "data/domain/incidents").glob("*.yaml")):
        assert load_story(path.read_bytes(), path.name) == load_story(path.stem)


def test_unknown_story_names_the_known_ones():
    with pytest.raises(ConfigError, match="orlivka-800m"):
        load_story("no-such-story")


def test_unknown_class_is_refused_with_the_known_ones():
    message = refusal(changed(objects__0__class="ufo"))
    assert "night.yaml objects[D1]" in message and "'ufo'" in message and "owa_uav_piston" in message


def test_time_that_runs_backwards_is_refused():
    message = refusal(changed(objects__0__waypoints__1__t=0))
    assert "objects[D1]" in message and "t 0 then 0" in message and "order" in message


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"objects__0__waypoints__1__lat": None}, ("lat: missing", "waypoints[1]")),
        ({"objects__0__waypoints__1__lat": 145.0}, ("lat = '145.0'", "[-90, 90]")),
        ({"objects__0__waypoints__1__lat": 5.0}, ("geoid", "40-72 N")),
        ({"objects__0__waypoints": []}, ("waypoints", "at least one")),
        ({"sensors__0__class": "crystal_ball"}, ("sensors[R1]", "unknown class")),
        ({"sensors__0__class": "passive_radar"}, ("does not play",)),
        ({"sensors__0__lon": None}, ("lon: missing", "sensors[R1]")),
        ({"t0_utc": "yesterday"}, ("t0_utc = 'yesterday'", "2025-08-05T19:50:00Z")),
        ({"t0_utc": "2025-08-05T19:50:00"}, ("t0_utc",)),
        ({"run_ends_utc": "2025-08-05T19:40:00Z"}, ("run_ends_utc", "after t0_utc")),
        ({"schema": "other/2"}, ("schema = 'other/2'", "lapwing-incident/1")),
        ({"objects": None}, ("objects", "at least one")),
        ({"detection_gaps": [{"object": "D1", "kind": "no detections", "from_note": "third"}]}, ("from_note", "D1")),
        ({"detection_gaps": [{"object": "D9", "kind": "no detections"}]}, ("object = 'D9'", "D1")),
        ({"detection_gaps": [{"object": "D1", "kind": "shy"}]}, ("kind = 'shy'", "intermittent")),
    ],
)
def test_mistakes_are_named(edit, words):
    message = refusal(changed(**edit))
    assert message.startswith("night.yaml")
    for word in words:
        assert word in message


@pytest.mark.parametrize("content", [b"", b"[1, 2", b"\xff\xfe\x00", b"- a\n- b\n", b"just words", b"{" * 3000])
def test_what_is_no_story_at_all_is_refused(content):
    assert refusal(content).startswith("night.yaml")


def test_detection_gaps_run_from_note_to_note():
    gaps = [{"object": "D1", "kind": "intermittent, Pd 0.3", "from_note": "first", "to_note": "second"}]
    gap = load_story(changed(detection_gaps=gaps), "x.yaml").gaps[0]
    assert (gap.start_s, gap.end_s, gap.detection_prob) == (0.0, 600.0, 0.3)
