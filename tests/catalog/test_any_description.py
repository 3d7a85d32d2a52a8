"""Whatever a description is, it leads to tools that can be published and called, or is refused."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.catalog import Catalog
from tests.support.documents import METHODS, catalog, shuffled
from tests.support.survival import survive


def words(text: str) -> list[str]:
    return text.split()


# Any JSON at all, biased towards the words that a description is made of.
_WORDS = words(
    """
    openapi paths info title components schemas parameters requestBody responses content
    schema $ref get post put name in query path header required type properties items
    allOf oneOf nullable enum additionalProperties pattern minLength maximum readOnly
    default example examples 200 explode application/json style format const discriminator
    propertyName mapping operationId servers url tags security deprecated summary
    description not anyOf prefixItems patternProperties if
    """
)
_TEXTS = words(
    """
    3.1.0 3.0.3 #/components/schemas/A #/components/schemas/B #/paths/~1a /a /{a} a string
    object ( array integer #/components/parameters/A true path query header body cookie
    form deepObject
    """
)
_keys = st.sampled_from([*_WORDS, "A", "B", "/a", "/{a}"]) | st.text(max_size=3)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(_TEXTS)
    | st.text(max_size=5)
)
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=25,
)
_ref = st.sampled_from(["A", "B", "C"]).map(lambda name: {"$ref": f"#/components/schemas/{name}"})
_schema_keys = st.sampled_from(
    words(
        """
        type properties items allOf anyOf nullable enum required pattern minLength
        minimum exclusiveMinimum additionalProperties readOnly const discriminator $ref
        not default
        """
    )
)
_schemas = st.recursive(
    _ref | _json,
    lambda inner: st.dictionaries(
        _schema_keys,
        inner | st.dictionaries(_keys, inner, max_size=2) | st.lists(inner, max_size=2),
        max_size=4,
    ),
    max_leaves=12,
)
_parameters = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=3), "in": st.sampled_from(["path", "query", "cookie"])},
    optional={"schema": _schemas, "required": _json, "style": _json, "example": _json},
)
_bodies = st.fixed_dictionaries(
    {
        "content": st.fixed_dictionaries(
            {"application/json": st.fixed_dictionaries({"schema": _schemas})}
        )
    },
    optional={"required": st.booleans()},
)
_operations = st.fixed_dictionaries(
    {},
    optional={
        "operationId": _json,
        "parameters": st.lists(_parameters, max_size=3),
        "requestBody": _bodies,
        "responses": st.dictionaries(
            st.sampled_from(["200", "2XX", "default"]), _bodies, max_size=2
        ),
        "security": _json,
        "tags": _json,
    },
)
_documents = st.fixed_dictionaries(
    {
        "openapi": st.sampled_from(["3.0.3", "3.1.0"]),
        "paths": st.dictionaries(
            st.sampled_from(["/a", "/{a}", "/b/{c}-{d}"]),
            st.dictionaries(st.sampled_from(METHODS), _operations, max_size=2) | _json,
            max_size=3,
        ),
        "components": st.fixed_dictionaries(
            {"schemas": st.dictionaries(st.sampled_from(["A", "B"]), _schemas, max_size=2)}
        ),
    }
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_documents | _json, st.randoms(use_true_random=False))
def test_any_json_is_refused_or_published_and_callable(root: object, random: Random) -> None:
    assert survive(root, random)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_documents, st.integers(0, 1000))
def test_digests_do_not_depend_on_the_order_of_keys(root: dict[str, object], seed: int) -> None:
    first, second = catalog(root), catalog(shuffled(root, seed))
    assert {n: t.digest for n, t in first.tools.items()} == {
        n: t.digest for n, t in second.tools.items()
    }
    assert Catalog([first]).digest == Catalog([second]).digest
    assert set(first.problems) == set(second.problems)
