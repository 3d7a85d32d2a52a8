"""Calls of the edge cases: bodies of every kind, by the specifications and by hand.

Each line can be read beside OpenAPI 3.1.1 (the styles in section 4.8.12, the encodings in 4.8.15),
Swagger 2.0's Parameter Object and RFC 6570, 6265 and 7578. The code has printed none of them.
"""

from tests.support.edge.cases import FORM, JSON, MULTIPART, Call, parts, posted

JSON_BODIES = (
    *(
        Call(
            name=f"JSON {body.decode()}",
            api="edge31",
            tool="jsonAny",
            arguments={"body": value},
            line="POST /v1/json/any",
            headers=JSON,
            body=body,
        )
        for value, body in (
            (None, b"null"),
            ("é\n", b'"\xc3\xa9\\n"'),
            (12345678901234567890123, b"12345678901234567890123"),
            (False, b"false"),
            ([], b"[]"),
            ({}, b"{}"),
            ([None, {"a": [1.5]}], b'[null,{"a":[1.5]}]'),
        )
    ),
    Call(
        name="JSON, members as arguments",
        api="edge31",
        tool="jsonFlat",
        arguments={"name": None, "odd_name": 1.5, "tags": []},
        line="PATCH /v1/json/flat",
        headers=posted("application/merge-patch+json"),
        body=b'{"name":null,"odd-name":1.5,"tags":[]}',
    ),
    Call(
        name="JSON, an optional body given",
        api="edge31",
        tool="jsonOptional",
        arguments={"body": {"name": "n"}},
        line="PUT /v1/json/optional",
        headers=JSON,
        body=b'{"name":"n"}',
    ),
    Call(
        name="JSON, an optional body not given",
        api="edge31",
        tool="jsonOptional",
        arguments={},
        line="PUT /v1/json/optional",
    ),
    Call(
        name="JSON, an object that admits nothing",
        api="edge31",
        tool="deleteNothing",
        arguments={},
        line="DELETE /v1/nothing",
        headers=JSON,
        body=b"{}",
    ),
    Call(
        name="JSON, recursion",
        api="edge31",
        tool="plantTree",
        arguments={"value": 1, "children": [{"children": [{}]}]},
        line="POST /v1/tree",
        headers=JSON,
        body=b'{"children":[{"children":[{}]}],"value":1}',
        accept="application/json, */*;q=0.1",
    ),
    Call(
        name="JSON, without what only the server makes",
        api="edge31",
        tool="schemaWords",
        arguments={
            "always": 7,
            "either": None,
            "pair": ["a", 1],
            "animal": {"kind": "cat"},
            "secret": "s",
            "whole": {"name": "n", "key": "k", "size": 1},
        },
        line="POST /v1/schemas",
        headers=JSON,
        body=b'{"always":7,"animal":{"kind":"cat"},"either":null,"pair":["a",1],"secret":"s",'
        b'"whole":{"name":"n","key":"k","size":1}}',
        accept="application/json, */*;q=0.1",
    ),
    Call(
        name="JSON, 3.0's words",
        api="edge30",
        tool="oldWords",
        arguments={"word": None, "bare": None, "bytes": "YQ==", "ignored": "a"},
        line="POST /v1/schemas?ignored=a",
        headers=JSON,
        body=b'{"bare":null,"bytes":"YQ==","word":null}',
    ),
    Call(
        name="JSON, Swagger 2.0's body by reference",
        api="edge20",
        tool="makePet",
        arguments={"name": None, "parent": {"name": "p"}},
        line="POST /v1/pets",
        headers=JSON,
        body=b'{"name":null,"parent":{"name":"p"}}',
        accept="application/json, text/plain, */*;q=0.1",
    ),
)

FORMS = (
    Call(
        name="form with encodings",
        api="edge31",
        tool="formBody",
        arguments={
            "text": "a b&c=é",
            "list": ["x", "y z"],
            "flat": ["x", "y z"],
            "pipes": ["x", "y"],
            "deep": {"a": {"b": 1}},
            "object": {"k": [1]},
            "json": [1, "a"],
            "reserved": "a/b?c d",
        },
        line="POST /v1/form",
        headers=posted(FORM),
        body=b"deep%5Ba%5D%5Bb%5D=1&flat=x,y+z&json=%5B1%2C%22a%22%5D&list=x&list=y+z"
        b"&object=%7B%22k%22%3A%5B1%5D%7D&pipes=x%7Cy&reserved=a/b?c+d&text=a+b%26c%3D%C3%A9",
    ),
    Call(
        name="form of Swagger 2.0",
        api="edge20",
        tool="sendForm",
        arguments={"text": "t", "csv": ["a", "b c"], "multi": ["a", "b"], "none": ""},
        line="POST /v1/form",
        headers=posted(FORM),
        body=b"csv=a,b+c&multi=a&multi=b&none=&text=t",
        accept="application/json, text/plain, */*;q=0.1",
    ),
    Call(
        name="multipart with files",
        api="edge31",
        tool="uploadFiles",
        arguments={
            "note": "né",
            "meta": {"a": [1]},
            "icon": {
                "data": "iVBORw==",
                "filename": 'C:\\pics\\é".png',
                "content_type": "image/png",
            },
            "pages": ["YQ==", {"text": "b\r\n"}],
            "bytes": "YQ==",
            "named": "n",
        },
        line="POST /v1/upload",
        headers=MULTIPART,
        body=parts(
            b'Content-Disposition: form-data; name="bytes"\r\n\r\nYQ==',
            b'Content-Disposition: form-data; name="meta"\r\n'
            b'Content-Type: application/json\r\n\r\n{"a":[1]}',
            b'Content-Disposition: form-data; name="named"\r\n'
            b'Content-Type: application/json\r\n\r\n"n"',
            b'Content-Disposition: form-data; name="note"\r\n\r\nn\xc3\xa9',
            b'Content-Disposition: form-data; name="icon"; filename="\xc3\xa9%22.png"\r\n'
            b"Content-Type: image/png\r\n\r\n\x89PNG",
            b'Content-Disposition: form-data; name="pages"; filename="pages"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\na",
            b'Content-Disposition: form-data; name="pages"; filename="pages"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\nb\r\n",
        ),
    ),
    Call(
        name="multipart of 3.0",
        api="edge30",
        tool="oldUpload",
        arguments={
            "body": {
                "file": {"data": "iVBORw=="},
                "files": ["YQ=="],
                "signature": "YQ==",
                "expand": {"a": {"b": "c d"}},
            }
        },
        line="POST /v1/upload",
        headers=MULTIPART,
        body=parts(
            b'Content-Disposition: form-data; name="signature"\r\n\r\nYQ==',
            b'Content-Disposition: form-data; name="expand[a][b]"\r\n\r\nc d',
            b'Content-Disposition: form-data; name="file"; filename="file"\r\n'
            b"Content-Type: image/png\r\n\r\n\x89PNG",
            b'Content-Disposition: form-data; name="files"; filename="files"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\na",
        ),
    ),
    Call(
        name="multipart of Swagger 2.0",
        api="edge20",
        tool="sendFile",
        arguments={"file": "YQ==", "tags": ["a", "b"], "note": None},
        line="POST /v1/upload",
        headers=MULTIPART,
        body=parts(
            b'Content-Disposition: form-data; name="tags"\r\n\r\na,b',
            b'Content-Disposition: form-data; name="file"; filename="file"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\na",
        ),
        accept="application/json, text/plain, */*;q=0.1",
    ),
)

OTHER_BODIES = (
    Call(
        name="bytes",
        api="edge31",
        tool="putBytes",
        arguments={"body": "AP\n8="},
        line="PUT /v1/bytes",
        headers=posted("application/octet-stream"),
        body=b"\x00\xff",
    ),
    Call(
        name="bytes of a range of types",
        api="edge31",
        tool="putPicture",
        arguments={"body": "iVBORw=="},
        line="PUT /v1/picture",
        headers=posted("application/octet-stream"),
        body=b"\x89PNG",
    ),
    Call(
        name="text",
        api="edge31",
        tool="postText",
        arguments={"body": "né\r\n"},
        line="POST /v1/text",
        headers=posted("text/plain; charset=utf-8"),
        body=b"n\xc3\xa9\r\n",
    ),
    Call(
        name="XML",
        api="edge31",
        tool="postXml",
        arguments={"body": "<a>é</a>"},
        line="POST /v1/xml",
        headers=posted("application/soap+xml; charset=utf-8"),
        body=b"<a>\xc3\xa9</a>",
    ),
)
