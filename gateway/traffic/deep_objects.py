"""Query pairs of the style `deepObject` as the one value that they make."""

from urllib.parse import unquote_plus

from gateway.traffic.shapes import Shape, typed
from gateway.traffic.texts import Query

# Of `a[b][c]`; deeper names are names of nothing that is described.
MAX_BRACKETS = 16


def deep_value(name: str, shape: Shape, query: Query, *, loose: bool) -> object | None:
    """`name[a][b]=v`: lists go by their index, by `[]`, or by being there several times.

    None where nothing of this name is there.
    """
    root: dict[str, object] = {}
    # Of each parameter only its own: there may be many of both.
    pairs = [*query.by_stem.get(name, ())]
    if loose and shape.admits("array"):
        pairs += ((f"{name}[]", text) for text in query.by_name.get(name, ()))
    for key, text in pairs:
        steps = _steps(key, name)
        if steps is None:
            continue
        node = root
        for step in steps[:-1]:
            inner = node.setdefault(step, {})
            node = inner if isinstance(inner, dict) else {}
        texts = node.setdefault(steps[-1], [])
        if isinstance(texts, list):
            texts.append(unquote_plus(text))
    return _shaped(root, shape, loose=loose) if root else None


def _steps(key: str, name: str) -> list[str] | None:
    if not key.startswith(f"{name}[") or not key.endswith("]"):
        return None
    steps = key[len(name) + 1 : -1].split("][")
    return steps if len(steps) <= MAX_BRACKETS else None


def _shaped(node: object, shape: Shape, *, loose: bool) -> object:
    if isinstance(node, dict):
        may_be_list = shape.admits("array") and (loose or not shape.admits("object"))
        if may_be_list and all(key == "" or key.isdecimal() for key in node):
            inner = shape.item()
            return [v for part in node.values() for v in _spread(part, inner, loose=loose)]
        return {key: _shaped(part, shape.member(key), loose=loose) for key, part in node.items()}
    texts = node if isinstance(node, list) else []
    if len(texts) == 1 and (not shape.admits("array") or shape.admits("string")):
        return typed(texts[0], shape, loose=loose)
    return [typed(text, shape.item(), loose=loose) for text in texts]


def _spread(part: object, shape: Shape, *, loose: bool) -> list[object]:
    if isinstance(part, list):
        return [typed(text, shape, loose=loose) for text in part]
    return [_shaped(part, shape, loose=loose)]
