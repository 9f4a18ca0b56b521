"""One fault in a valid SAPIENT message, at every place where the schema allows of one: each is found, and nothing else is."""

import copy
import json

import pytest

pytest.importorskip("sapient_msg")

from lapwing.sense import sapient_check, sapient_wire
from lapwing.sense.findings import is_valid


@pytest.fixture(scope="module")
def messages(shared):
    folder = shared / "data/interop/sapient"
    whole = [folder / case["file"] for case in json.loads((folder / "harness_cases.json").read_bytes()) if case["valid"]]
    made = list({path.name.split(".")[0]: path for path in whole}.values())     # one of a kind
    made += [folder / "made" / case["file"] for case in json.loads((folder / "made/cases.json").read_bytes())["cases"]
             if case["valid"] and "nan" not in case["file"]]
    return {path.name: json.loads(path.read_text("utf-8-sig")) for path in made}


def walk(value, descriptor, path=()):
    """Yield (path, field, value) of all that a message holds."""
    for name, inside in value.items():
        field = descriptor.fields_by_camelcase_name.get(name) or descriptor.fields_by_name[name]
        yield (*path, name), field, inside
        for place, item in enumerate(inside) if field.is_repeated else [(None, inside)]:
            below = (*path, name) if place is None else (*path, name, place)
            if field.message_type is not None and not field.message_type.full_name.startswith("google."):
                yield from walk(item, field.message_type, below)


def changed(message, path, change):
    found = copy.deepcopy(message)
    at = found
    for key in path[:-1]:
        at = at[key]
    change(at, path[-1])
    return found


def valid(message):
    return is_valid(sapient_check.check(json.dumps(message).encode()))


def fields(messages):
    root = sapient_wire.schema().SapientMessage.DESCRIPTOR
    options = sapient_check._options().field_options
    for name, message in messages.items():
        assert valid(message), name
        for path, field, value in walk(message, root):
            yield name, message, path, field, value, field.GetOptions().Extensions[options]


def test_what_the_schema_asks_for_is_missed_and_what_it_does_not_is_not(messages):
    asked = optional = 0
    for name, message, path, field, _, marked in fields(messages):
        without = valid(changed(message, path, lambda at, key: at.pop(key)))
        if marked.is_mandatory:
            asked += 1
            assert not without, (name, path)
        elif (not field.containing_oneof or field.containing_oneof.name.startswith("_")) and (
                f"{field.containing_type.name}.{field.name}" not in sapient_check._MORE_MANDATORY):
            optional += 1
            assert without, (name, path)
    assert asked > 200 and optional > 200


def test_an_identifier_of_another_kind_is_found_wherever_it_stands(messages):
    count = 0
    for name, message, path, _, value, marked in fields(messages):
        if marked.is_ulid or marked.is_uuid:
            other = "a8654cdf-4328-47de-81fa-c495589e30c8" if marked.is_ulid else "01H4R63D7NVN8444Z5M77WEBY2"
            for wrong in (other, "AAA", value + "0", value[:-1], "  "):
                count += 1
                assert not valid(changed(message, path, lambda at, key, wrong=wrong: at.update({key: wrong}))), (name, path, wrong)
    assert count > 100


def test_a_value_of_another_type_is_found_wherever_it_stands(messages):
    for name, message, path, field, value, _ in fields(messages):
        wrong = [{}] if not isinstance(value, dict | list) else []
        if isinstance(value, str):
            wrong += [["x"], True]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            wrong += ["many", True, False]
        elif isinstance(value, list) and field.message_type is not None:
            wrong += [value[0], [3], ["x"]]
        for one in wrong:
            assert not valid(changed(message, path, lambda at, key, one=one: at.update({key: one}))), (name, path, one)


def test_an_unknown_field_and_an_unknown_word_are_found_wherever_they_stand(messages):
    for name, message, path, field, value, _ in fields(messages):
        if isinstance(value, dict):
            assert not valid(changed(message, path, lambda at, key: at[key].update(threat=1))), (name, path)
        if field.enum_type is not None and isinstance(value, str):
            for wrong in ("HOSTILE", 9_999):
                assert not valid(changed(message, path, lambda at, key, wrong=wrong: at.update({key: wrong}))), (name, path)
