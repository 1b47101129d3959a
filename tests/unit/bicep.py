"""Reads Bicep as far as the tests ask: what a file declares, what it uses, how it calls modules.

It is no compiler: types, and whether Azure knows a property, are not seen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).parents[2] / "infra"
_LANGUAGE = Language(tree_sitter_bicep.language())
_EXTENSION = re.compile(r"^extension (\w+)$", re.MULTILINE)
_DECLARATIONS = (
    "parameter_declaration",
    "variable_declaration",
    "resource_declaration",
    "module_declaration",
    "output_declaration",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One call of a module: the file, and what is given for which parameter."""

    symbol: str
    path: str
    given: Mapping[str, str]


@dataclass(frozen=True)
class Bicep:
    """One file."""

    text: str

    @cached_property
    def root(self) -> Node:
        """The tree. The grammar is older than the statement `extension`, which is left out."""
        return Parser(_LANGUAGE).parse(_EXTENSION.sub("", self.text).encode()).root_node

    @property
    def extensions(self) -> list[str]:
        """The extensions that it uses."""
        return _EXTENSION.findall(self.text)

    @property
    def broken_lines(self) -> list[int]:
        """Lines that are no Bicep."""
        return [node.start_point.row + 1 for node in walk(self.root) if node.type == "ERROR" or node.is_missing]

    def declared(self, *kinds: str) -> dict[str, Node]:
        """What it declares, by name: of these kinds (`parameter`, `output`...), or of all."""
        wanted = [f"{kind}_declaration" for kind in kinds] or _DECLARATIONS
        return {text_of(node.named_children[0]): node for node in walk(self.root) if node.type in wanted}

    @property
    def required(self) -> set[str]:
        """Parameters without a default."""
        return {name for name, node in self.declared("parameter").items() if len(node.named_children) == 2}

    @property
    def used(self) -> set[str]:
        """Every name that stands where a value is read. A function's name is none."""
        source = _EXTENSION.sub("", self.text).encode()
        names = (node for node in walk(self.root) if node.type == "identifier" and _is_read(node))
        return {text_of(node) for node in names if source[node.end_byte : node.end_byte + 1] != b"("}

    @property
    def undescribed(self) -> list[str]:
        """Parameters and outputs without a description."""
        found = self.declared("parameter", "output")
        return [name for name, node in found.items() if "@description(" not in _decorators(node)]

    @property
    def modules(self) -> list[Module]:
        """The modules that it calls."""
        return [
            Module(
                symbol=name,
                path=strings(node.named_children[1])[0],
                given=next((properties(value) for key, value in all_properties(node) if key == "params"), {}),
            )
            for name, node in self.declared("module").items()
        ]

    @property
    def outputs_read(self) -> set[tuple[str, str]]:
        """Which output of which module it reads."""
        return set(re.findall(r"\b(\w+)!?\.outputs\.(\w+)", self.text))

    @property
    def keys(self) -> dict[str, str]:
        """Every property of every object, with its value as it stands there; of a key that comes again, the last."""
        return {key: text_of(value) for key, value in all_properties(self.root)}

    def all_of(self, key: str) -> list[str]:
        """All values of a property, wherever it stands."""
        return [text_of(value) for name, value in all_properties(self.root) if name == key]


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text_of(node: Node) -> str:
    """What stands there."""
    return (node.text or b"").decode()


def strings(node: Node) -> list[str]:
    """The strings at or below a node, without those that are put together."""
    found = [one for one in walk(node) if one.type == "string"]
    return [
        text_of(one).strip("'") for one in found if not any(child.type == "interpolation" for child in one.children)
    ]


def all_properties(node: Node) -> Iterator[tuple[str, Node]]:
    """The properties at any depth below a node."""
    for one in walk(node):
        if one.type == "object_property" and len(one.named_children) == 2:
            yield text_of(one.named_children[0]).strip("'"), one.named_children[1]


def properties(node: Node) -> dict[str, str]:
    """The properties of an object itself."""
    pairs = (child.named_children for child in node.named_children if child.type == "object_property")
    return {text_of(key).strip("'"): text_of(value) for key, value in pairs}


def read_all() -> dict[str, Bicep]:
    """Every file of the project, by its path below infra/."""
    paths = sorted(INFRA.rglob("*.bicep"))
    return {path.relative_to(INFRA).as_posix(): Bicep(path.read_text(encoding="utf-8")) for path in paths}


def resolved(caller: str, path: str) -> str:
    """The path of a module below infra/, as a file names it."""
    return (PurePosixPath(caller).parent / path).as_posix()


def _is_read(node: Node) -> bool:
    above = node.parent
    if above is None:
        return True
    first = bool(above.named_children) and above.named_children[0] == node
    match above.type:
        case "object_property" | "for_statement":
            return not first
        case "lambda_expression":
            return above.named_children[-1] == node
        case kind:
            return not (kind in _DECLARATIONS and first)


def _decorators(node: Node) -> str:
    before = node.prev_named_sibling
    return text_of(before) if before is not None and before.type == "decorators" else ""
