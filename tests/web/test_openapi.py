"""Whatever is asked of the pages, by whom of it ever may be, no answer is a fault of ours: made-up requests from the OpenAPI."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_access import Site

from lapwing.web.forms import LOG_KINDS

NAMES = ("action", "alert_id", "by", "event", "patrol", "text", "kind", "track_id", "lat_deg", "lon_deg", "time", "place", "reason",
         "zones", "level", "name", "password")
# Bodies are read as octets and checked by hand, so the OpenAPI is silent about them: objects with names that are known.
ANY_VALUE = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"},
                       {"type": "array", "items": {"type": "string"}}, {"type": "object"}]}
BODY = {"content": {"application/json": {"schema": {"anyOf": [
    {"type": "object", "properties": {**dict.fromkeys(NAMES, ANY_VALUE), "action": {
        "enum": ["approve", "refuse", "cancel", "all-clear", "raise", "acknowledge", "?"]}}}]}}}}
# 503 is the stated answer of a run that has not begun ("no picture yet") or of a loop that stands.
MAY_BE_503 = {"/api/site", "/api/picture", "/readyz", "/livez"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("openapi"))


def operations(app):
    import schemathesis

    document = app.openapi()
    for methods in document["paths"].values():
        if "post" in methods:
            methods["post"]["requestBody"] = BODY
            for parameter in methods["post"].get("parameters", ()):
                parameter["schema"] = {"enum": [*LOG_KINDS, "nothing"]}
    schema = schemathesis.openapi.from_dict(document)
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.slow
def test_no_made_up_request_is_answered_with_a_fault_of_ours(site):
    asked: dict[str, set[int]] = {}
    for operation in operations(site.app):
        @settings(max_examples=30, deadline=None, database=None, derandomize=True,
                  suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large])
        @given(case=operation.as_strategy(), who=st.sampled_from(["nobody", "viewer", "admin", "admin", "admin"]))
        def check(case, who):
            kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1:8650")
            # A session of its own each time: one of the requests is to sign out.
            client = site.client() if who == "nobody" else site.signed_in(who, origin="http://127.0.0.1:8650")
            answer = client.request(kwargs["method"], kwargs["url"], headers=kwargs["headers"], params=kwargs.get("params"),
                                    content=kwargs.get("data"), json=kwargs.get("json"))
            asked.setdefault(f"{case.method} {case.path}", set()).add(answer.status_code)
            assert answer.status_code < 500 or (answer.status_code == 503 and case.path in MAY_BE_503), answer.text
        check()
    assert len(asked) >= 15
    assert 422 in asked["POST /api/command"]      # it is not all refused at the door


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(octets=st.one_of(st.binary(max_size=200), st.text().map(lambda text: json.dumps(text).encode()),
                        st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
                            st.sampled_from(NAMES), inner)).map(lambda value: json.dumps(value).encode())),
       path=st.sampled_from(["/api/command", "/api/log/patrol", "/api/log/sighting", "/api/log/impact", "/api/login"]))
def test_no_body_is_answered_with_a_fault_of_ours(site, octets, path):
    admin = site.signed_in("admin", origin="http://127.0.0.1:8650")
    assert admin.post(path, content=octets, headers={"content-type": "application/json"}).status_code < 500
