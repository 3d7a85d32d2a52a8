"""Descriptions with a fault or two: valid ones, broken at random places in the ways that matter."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random

Container = dict[str, object] | list[object]
Place = tuple[Container, str | int]
"""A container and the key or index at which a value stands in it."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WORDS = _words(
    """
    openapi swagger info title paths components schemas parameters requestBodies responses
    definitions host basePath schemes consumes produces collectionFormat formData body
    get put post delete patch head options trace query additionalOperations servers url variables
    default parameter name in path header cookie required schema content application/json
    application/x-www-form-urlencoded multipart/form-data text/plain application/octet-stream */*
    encoding style explode allowReserved form simple label matrix deepObject spaceDelimited
    pipeDelimited contentType type properties items allOf anyOf oneOf not if then else enum const
    nullable readOnly writeOnly discriminator propertyName mapping additionalProperties
    patternProperties pattern format minimum maximum exclusiveMinimum multipleOf minLength
    prefixItems contains propertyNames unevaluatedProperties dependentRequired dependentSchemas
    $ref $defs $id $anchor $dynamicRef $schema $comment example examples deprecated tags security
    securitySchemes operationId summary description requestBody callbacks links webhooks 200 2XX 201
    x-nullable x-extra contentEncoding contentMediaType binary byte file string object array null
    """
)
_KNOWN = frozenset(WORDS)
ODD_TEXTS = (
    *("", " ", "/", "/{", "/{}", "/{a}{b}", "/{a}/{a}", "//", "/..", "/a?x={a}#f", "/%2e%2e/{a}"),
    *("~0~1", "%", "%zz", "#", "#/", "#/paths", "#/components/schemas", "other.yaml#/a", "\x00"),
    *("\u202e", "\U0001f600", "é", "a" * 300, "(", "(a+)+$", "\\p{L}", "[", "a{1000}{1000}"),
    *("http://", "http://[", "https://{host}/", "//x", "3.1.0", "3.0", "2.0", "\r\n", "__proto__"),
    *("multipart/form-data; boundary=x", "a/b", "text/plain; charset=utf-16", "-1", "0", "1e309"),
)
ODD_NUMBERS: tuple[object, ...] = (
    *(0, -1, 1, 2**31, 2**63, 2**64 - 1, -(2**63), 1e308, -0.0, 0.5, 5e-324, 1e20, True, False),
    *(1e30, None),
)

Change = Callable[[object, Random], object]


def places(root: object) -> list[Place]:
    """Every place inside `root`, the outer ones first."""
    found: list[Place] = []
    todo = [root]
    for value in todo:
        if isinstance(value, dict):
            inside: list[Place] = [(value, key) for key in value]
        elif isinstance(value, list):
            inside = [(value, index) for index in range(len(value))]
        else:
            continue
        found += inside
        todo += [at(place) for place in inside]
    return found


def at(place: Place) -> object:
    holder, key = place
    return holder[key]  # type: ignore[index]  # a place holds its own key


def put(place: Place, value: object) -> None:
    holder, key = place
    holder[key] = value  # type: ignore[index]


def mutated(root: object, random: Random, *, most: int = 4) -> object:
    """A copy of `root` with one to `most` changes."""
    changed: object = deepcopy(root)
    for _ in range(random.randint(1, most)):
        found = places(changed)
        if not found:
            return odd_value(random)
        # Half of the changes where the specification has a word for what stands there.
        named = [place for place in found if place[1] in _KNOWN] if random.random() < 0.5 else []
        _change(random.choice(named or found), found, random)
    return changed


def odd_value(random: Random) -> object:
    """A small value of any JSON kind."""
    word = random.choice(WORDS)
    choices: Sequence[object] = (
        random.choice(ODD_NUMBERS),
        random.choice(ODD_NUMBERS),
        random.choice(ODD_TEXTS),
        word,
        [],
        {},
        [random.choice(ODD_NUMBERS), word],
        {word: random.choice(ODD_NUMBERS)},
        {word: {random.choice(WORDS): random.choice(ODD_TEXTS)}},
        {"$ref": random.choice(ODD_TEXTS)},
        [[{}]],
    )
    return random.choice(choices)


def _change(place: Place, found: Sequence[Place], random: Random) -> None:
    holder, key = place
    if (kind := random.randrange(10)) == 0 and isinstance(holder, dict):
        del holder[str(key)]
    elif kind == 1 and isinstance(holder, dict):
        name = random.choice(ODD_TEXTS + WORDS)
        holder[name] = holder.pop(str(key))
    elif kind == 2:
        _add(at(place), random)
    elif kind == 3 and isinstance(holder, list):
        holder.insert(random.randint(0, len(holder)), deepcopy(at(place)))
    elif kind == 4:
        put(place, deepcopy(at(random.choice(found))))  # a part of the same description
    elif kind == 5:
        _deepen(place, random)
    elif kind == 6:
        put(place, {"$ref": _pointer_of(random.choice(found), found)})
    else:
        put(place, odd_value(random))


def _add(value: object, random: Random) -> None:
    """Another member or item."""
    if isinstance(value, dict):
        value[random.choice(WORDS)] = odd_value(random)
    elif isinstance(value, list):
        value.append(odd_value(random))


def _deepen(place: Place, random: Random) -> None:
    """The value inside itself, again and again."""
    value = at(place)
    word = random.choice(("items", "not", "properties", "allOf", "additionalProperties", "schema"))
    for _ in range(random.choice((1, 2, 45, 60, 190))):
        value = {word: [value] if word == "allOf" else value}
    put(place, value)


def _pointer_of(place: Place, found: Sequence[Place]) -> str:
    """The place as a reference to it: often to an ancestor, which makes a circle."""
    holders = {id(at(outer)): outer for outer in found if isinstance(at(outer), dict | list)}
    tokens: list[str] = []
    outer: Place | None = place
    while outer is not None and len(tokens) < 50:
        tokens.append(str(outer[1]).replace("~", "~0").replace("/", "~1"))
        outer = holders.get(id(outer[0]))
    return "#/" + "/".join(reversed(tokens))


def sliced(root: dict[str, object], random: Random, *, paths: int = 4) -> dict[str, object]:
    """A few paths of a large description, with everything that they refer to."""
    declared = root.get("paths")
    names = list(declared) if isinstance(declared, dict) else []
    chosen = random.sample(names, min(len(names), paths))
    made = {key: value for key, value in root.items() if not isinstance(value, dict)}
    made["info"] = root.get("info")
    made["paths"] = {name: declared[name] for name in chosen} if isinstance(declared, dict) else {}
    todo, known = [made["paths"]], set[str]()
    while todo:
        for holder, key in places(todo.pop()):
            ref = at((holder, key)) if key == "$ref" else None
            if isinstance(ref, str) and ref not in known:
                known.add(ref)
                todo.append(_copy_part(root, made, ref))
    return made


def _copy_part(root: object, made: dict[str, object], ref: str) -> object:
    """Put what `ref` names into `made`, under the same pointer, and give it back."""
    *outer, last = ref.removeprefix("#/").split("/")
    if len(outer) not in (1, 2):
        return None
    value: object = root
    for token in (*outer, last):
        value = value.get(token) if isinstance(value, dict) else None
    if value is None:
        return None
    inside: object = made
    for token in outer:
        inside = inside.setdefault(token, {}) if isinstance(inside, dict) else None
    if isinstance(inside, dict):
        inside[last] = value
    return value
