"""A short run of the fuzzer; `make torture` is the long one."""

from tests.torture.fuzz_codec import MIN_ENCODED, run


def test_broken_headers_are_ignored_or_understood() -> None:
    tally = run(0, range(6_000), timed=False)
    assert tally.findings == {}
    assert tally.encoded > MIN_ENCODED
    assert {"whole", "trimmed", "unsendable"} <= tally.outcomes.keys()
    reasons = {"session_base64", "session_gzip", "session_json", "session_schema"}
    reasons |= {"session_too_long", "session_too_large", "session_id_mismatch"}
    assert reasons <= tally.outcomes.keys()
