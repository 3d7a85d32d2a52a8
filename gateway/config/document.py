"""A YAML file into a Tree: values as in JSON, a line for each, duplicate keys as faults."""

import re

import yaml

from gateway.config.tree import Keys, Origin, Source, Tree, dotted
from gateway.errors import ConfigError

# YAML 1.2's JSON-compatible scalars: `off` and `no` stay text, a date is text, `010` is text.
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "true": True,
    "false": False,
}
_PLAIN_TAGS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


def read_document(data: bytes, label: str) -> Tree:
    """The tree of one YAML document; `label` names it in messages. Raises ConfigError."""
    tree = Tree(file=Origin(source=Source.FILE, label=label))
    node = _compose(_text(data, label), label)
    if node is None:
        return tree
    try:
        root = _value(node, (), tree, ())
    except RecursionError:
        raise ConfigError(f"{label}: nested too deeply") from None
    if isinstance(root, dict):
        tree.root = root
    elif root is not None:
        tree.fault((), "the configuration must be a mapping")
    return tree


def read_scalar(text: str) -> object:
    """What a plain scalar means: null, true, false, a number, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def read_value(text: str, label: str) -> object:
    """One YAML value, as an environment variable holds it. Raises ConfigError."""
    tree = Tree(file=Origin(source=Source.ENVIRONMENT, label=label))
    node = _compose(text, label)
    value = None if node is None else _value(node, (), tree, ())
    tree.raise_faults()
    return value


def _text(data: bytes, label: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{label}:{line}: not UTF-8 text") from None


def _compose(text: str, label: str) -> yaml.Node | None:
    try:
        # BaseLoader resolves nothing: tags mean only what this module gives them.
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{label}{line}: not YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = f":{text.count(chr(10), 0, error.position) + 1}"
        raise ConfigError(f"{label}{line}: not YAML: a character that is not allowed") from None
    except RecursionError:
        raise ConfigError(f"{label}: nested too deeply") from None
    return node


def _value(node: yaml.Node, keys: Keys, tree: Tree, around: tuple[yaml.Node, ...]) -> object:
    origin = Origin(
        source=tree.file.source,
        label=tree.file.label,
        line=node.start_mark.line + 1 if tree.file.source is Source.FILE else 0,
    )
    tree.origins.setdefault(keys, origin)
    if node in around:
        tree.fault(keys, "an alias contains itself")
        return None
    if node.tag not in _PLAIN_TAGS:
        tree.fault(keys, "tags are not supported")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, keys, tree, (*around, node))
    if isinstance(node, yaml.SequenceNode):
        items = enumerate(node.value)
        return [_value(item, (*keys, index), tree, (*around, node)) for index, item in items]
    # A quoted or block scalar is text whatever it looks like.
    quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
    return node.value if quoted else read_scalar(node.value)


def _mapping(
    node: yaml.MappingNode, keys: Keys, tree: Tree, around: tuple[yaml.Node, ...]
) -> dict[str, object]:
    found: dict[str, object] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1 if tree.file.source is Source.FILE else 0
        origin = Origin(source=tree.file.source, label=tree.file.label, line=line)
        if not isinstance(key_node, yaml.ScalarNode):
            tree.fault_at(origin, "a key must be text")
            continue
        key = key_node.value
        if key in found:
            tree.fault_at(origin, f"{dotted((*keys, key))}: written twice")
            continue
        tree.origins[(*keys, key)] = origin
        found[key] = _value(value_node, (*keys, key), tree, around)
    return found
