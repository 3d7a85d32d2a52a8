"""Calls of the edge cases: paths, queries, headers, cookies, by the specifications and by hand.

Each line can be read beside OpenAPI 3.1.1 (the styles in section 4.8.12, the encodings in 4.8.15),
Swagger 2.0's Parameter Object and RFC 6570, 6265 and 7578. The code has printed none of them.
"""

from tests.support.edge.cases import JSON, Call, all_path_styles

PATHS = (
    Call(
        name="path, texts",
        api="edge31",
        tool="pathStyles",
        arguments=all_path_styles("a b"),
        line="GET /v1/path/a%20b/a%20b/.a%20b/.a%20b/;matrix=a%20b/;matrixX=a%20b",
    ),
    Call(
        name="path, numbers and booleans",
        api="edge31",
        tool="pathStyles",
        arguments={
            "simple": 1.0,
            "simpleX": -0.5,
            "label": True,
            "labelX": 2**60,
            "matrix": False,
            "matrixX": 0,
        },
        line="GET /v1/path/1/-0.5/.true/.1152921504606846976/;matrix=false/;matrixX=0",
    ),
    Call(
        name="path, arrays",
        api="edge31",
        tool="pathStyles",
        arguments=all_path_styles(["x", "y/z"]),
        line="GET /v1/path/x,y%2Fz/x,y%2Fz/.x,y%2Fz/.x.y%2Fz/;matrix=x,y%2Fz"
        "/;matrixX=x;matrixX=y%2Fz",
    ),
    Call(
        name="path, objects",
        api="edge31",
        tool="pathStyles",
        arguments=all_path_styles({"k": 1, "é": "ü"}),
        line="GET /v1/path/k,1,%C3%A9,%C3%BC/k=1,%C3%A9=%C3%BC/.k,1,%C3%A9,%C3%BC"
        "/.k=1.%C3%A9=%C3%BC/;matrix=k,1,%C3%A9,%C3%BC/;k=1;%C3%A9=%C3%BC",
    ),
    Call(
        name="path, a chain of references",
        api="edge31",
        tool="followChain",
        arguments={"key": "a b", "form": "x"},
        line="GET /v1/chain/a%20b?form=x",
    ),
    Call(
        # RFC 6570 section 3.2.5. The tables of 3.0.0 to 3.0.3 and 3.1.0 have dots here, which 3.0.4
        # and 3.1.1 mended.
        name="path, label is not exploded by default",
        api="edge30",
        tool="oldLabel",
        arguments={"list": ["a", "b"]},
        line="GET /v1/label/.a,b",
    ),
)

# The description's server is `/v1`, and so is the path of the base URL: what is at another path of
# the same origin moves along, what is at another origin does not leave ours (docs/servers.md).
SERVERS = (
    Call(
        name="server of a path",
        api="edge31",
        tool="pathServer",
        arguments={},
        line="GET /v2/elsewhere",
    ),
    Call(
        name="server of an operation",
        api="edge31",
        tool="operationServer",
        arguments={},
        line="POST /v3/x/elsewhere",
    ),
    Call(
        name="server at another origin",
        api="edge31",
        tool="foreignServer",
        arguments={},
        line="DELETE /v1/elsewhere",
    ),
)

QUERIES = (
    Call(
        name="query, arrays",
        api="edge31",
        tool="queryStyles",
        arguments={
            "form": ["a", "b"],
            "flat": ["a", "b"],
            "space": ["a", "b"],
            "pipe": ["a", "b"],
            "deep": {"a": {"b": [1]}},
        },
        line="GET /v1/query?deep%5Ba%5D%5Bb%5D%5B0%5D=1&flat=a,b&form=a&form=b&pipe=a%7Cb"
        "&space=a%20b",
    ),
    Call(
        name="query, objects",
        api="edge31",
        tool="queryStyles",
        arguments={name: {"x": 1} for name in ("form", "flat", "space", "pipe", "deep")},
        line="GET /v1/query?deep%5Bx%5D=1&flat=x,1&x=1&pipe=x%7C1&space=x%201",
    ),
    Call(
        name="query, nothing in it",
        api="edge31",
        tool="queryStyles",
        arguments={
            "form": "",
            "flat": [],
            "pipe": {},
            "space": [None],
            "deep": {},
            "plain": "",
        },
        line="GET /v1/query?form=&plain=",
    ),
    Call(
        name="query, null where it is admitted and where not",
        api="edge31",
        tool="queryStyles",
        arguments={"form": None, "plain": None},
        line="GET /v1/query",
    ),
    Call(
        name="query, names and reserved characters",
        api="edge31",
        tool="queryStyles",
        arguments={"odd_name__": "a b", "reserved": "a/b?c[d]&e=f+g%20%"},
        line="GET /v1/query?odd%5Bname%5D%26=a%20b&reserved=a/b?c%5Bd%5D%26e%3Df%2Bg%20%25",
    ),
    Call(
        name="query, allowEmptyValue with nothing",
        api="edge31",
        tool="queryStyles",
        arguments={"empty": ""},
        line="GET /v1/query?empty=",
    ),
    Call(
        name="query, allowEmptyValue with something",
        api="edge31",
        tool="queryStyles",
        arguments={"empty": 3},
        line="GET /v1/query?empty=3",
    ),
    Call(
        # Each is encoded as its media type says, then for the query (3.1.1 appendix E).
        name="query, content",
        api="edge31",
        tool="queryStyles",
        arguments={
            "whole": {"a": [1, None]},
            "inner": {"a b": "c&d", "e": [1, 2]},
            "plain": "x y",
        },
        line="GET /v1/query?inner=a%2Bb%3Dc%2526d%26e%3D1%26e%3D2&plain=x%20y"
        "&whole=%7B%22a%22%3A%5B1%2Cnull%5D%7D",
    ),
    Call(
        name="query, all of it in one",
        api="edge32",
        tool="wholeQueryString",
        arguments={"all": {"a": "b c", "d": [1, 2]}},
        line="GET /v1/whole?a=b+c&d=1&d=2",
    ),
    Call(
        name="query, of an operation whose texts hide something",
        api="edge31",
        tool="hiddenText",
        arguments={"limit": 2, "q": "x"},
        line="GET /v1/texts?limit=2&q=x",
    ),
    Call(
        name="query, 3.0's null",
        api="edge30",
        tool="oldWords",
        arguments={"above": None, "below": 0.5, "choice": None, "null": None, "word": "w"},
        line="POST /v1/schemas?below=0.5",
        headers=JSON,
        body=b'{"word":"w"}',
    ),
    Call(
        name="Swagger 2.0, every collectionFormat",
        api="edge20",
        tool="listFormats",
        arguments={
            "csv": ["a", "b"],
            "pipes": ["c", "d"],
            "plain": [1, 2],
            "ssv": ["a", "b"],
            "tsv": ["a", "b"],
            "bars": ["a", "b"],
            "multi": ["a", "b"],
            "X_Tabs": ["a", "b"],
            "flag": "",
        },
        line="GET /v1/lists/a,b/c%7Cd?bars=a%7Cb&flag=&multi=a&multi=b&plain=1,2&ssv=a%20b"
        "&tsv=a%09b",
        headers=(("X-Tabs", "a\tb"),),
        accept="application/json, text/plain, */*;q=0.1",
    ),
)

HEADERS = (
    Call(
        name="HEAD with headers",
        api="edge31",
        tool="headHeaders",
        arguments={
            "X_List": ["a", 1],
            "X_Object": {"k": "v w", "n": 1},
            "X_Json": {"é": [1]},
        },
        line="HEAD /v1/headers",
        headers=(("X-Json", '{"\\u00e9":[1]}'), ("X-List", "a,1"), ("X-Object", "k=v w,n=1")),
    ),
    Call(
        name="OPTIONS",
        api="edge31",
        tool="optionsHeaders",
        arguments={},
        line="OPTIONS /v1/headers",
    ),
    Call(
        name="cookies",
        api="edge31",
        tool="cookieStyles",
        arguments={
            "crumb_cookie": "a;b c",
            "list": [1, 2],
            "lists": ["x", "y"],
            "json": {"a": 1},
            "crumb": "q",
        },
        line="GET /v1/cookies?crumb=q",
        headers=(
            (
                "Cookie",
                "crumb=a%3Bb%20c; json=%7B%22a%22%3A1%7D; list=1,2; lists=x; lists=y",
            ),
        ),
    ),
    Call(
        name="cookies that escape nothing",
        api="edge32",
        tool="searchByGet",
        arguments={"crumb": "a=b", "crumbs": [1, 2], "how": "a b"},
        line="GET /v1/search?how=a%20b",
        headers=(("Cookie", "crumb=a=b; crumbs=1; crumbs=2"),),
        accept="text/event-stream, */*;q=0.1",
    ),
    Call(
        name="Accept is what is described, JSON first",
        api="edge31",
        tool="getAnswer",
        arguments={},
        line="GET /v1/answer",
        accept="application/json, application/vnd.api+json, image/*, text/csv, */*;q=0.1",
    ),
    Call(
        name="Accept of a file in Swagger 2.0",
        api="edge20",
        tool="exportAll",
        arguments={},
        line="GET /v1/export",
        accept="text/csv, */*;q=0.1",
    ),
)
