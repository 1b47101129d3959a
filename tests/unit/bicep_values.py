"""What a Bicep file comes to under given parameters: as far as conditions, lists and names go.

What a module gives is its own text, such as `app.outputs.name`; of a module that is not made then, it is an error. What the
parameters do not tell is its own name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tree_sitter import Node

from tests.unit.bicep import Bicep, all_properties, text_of


class NotMadeError(Exception):
    """Something is read of a module that is not made under these parameters."""


@dataclass(frozen=True)
class Values:
    """One file under its parameters."""

    file: Bicep
    given: Mapping[str, Any]
    _own: Mapping[str, Any] = field(default_factory=dict)

    def variable(self, name: str) -> Any:
        """A variable."""
        return self.of(self.file.declared("variable")[name].named_children[1])

    def output(self, name: str) -> Any:
        """An output."""
        return self.of(self.file.declared("output")[name].named_children[2])

    def read(self) -> list[Any]:
        """Everything that is handed to a module that is made, or put out."""
        calls = [self.file.declared("module")[one.symbol] for one in self.file.modules if self._is_made(one.symbol)]
        given = [dict(all_properties(one)).get("params") for one in calls if not _is_loop(one)]
        return [*(self.of(one) for one in given if one), *(self.output(one) for one in self.file.declared("output"))]

    def made(self, path: str) -> dict[str, dict[str, Node]]:
        """The calls of a module that are made, with what each is given."""
        return {
            one.symbol: dict(all_properties(self.file.declared("module")[one.symbol]))
            for one in self.file.modules
            if one.path == path and self._is_made(one.symbol)
        }

    def of(self, node: Node) -> Any:
        """What an expression comes to."""
        parts = node.named_children
        match node.type:
            case "identifier":
                return self._named(text_of(node))
            case "boolean":
                return text_of(node) == "true"
            case "number":
                return int(text_of(node))
            case "string":
                return self._text(node)
            case "object":
                return {text_of(key): self.of(value) for key, value in (one.named_children for one in parts)}
            case "array":
                return [self.of(one) for one in parts]
            case "parenthesized_expression":
                return self.of(parts[0])
            case "unary_expression":
                return not self.of(parts[0])
            case "ternary_expression":
                return self.of(parts[1] if self.of(parts[0]) else parts[2])
            case "binary_expression":
                return self._both(node)
            case "member_expression":
                return self._member(node)
            case "call_expression":
                return self._called(text_of(parts[0]), parts[1].named_children)
            case kind:
                raise NotImplementedError(f"{kind}: {text_of(node)}")

    def _named(self, name: str) -> Any:
        for known in (self._own, self.given):
            if name in known:
                return known[name]
        return self.variable(name) if name in self.file.declared("variable") else name

    def _text(self, node: Node) -> str:
        found = text_of(node)
        for one in reversed([child for child in node.named_children if child.type == "interpolation"]):
            start, end = one.start_byte - node.start_byte, one.end_byte - node.start_byte
            found = f"{found[:start]}{self.of(one.named_children[0])}{found[end:]}"
        return found.strip("'")

    def _both(self, node: Node) -> bool:
        left, right = node.named_children
        sign = text_of(node)[left.end_byte - node.start_byte : right.start_byte - node.start_byte].strip()
        match sign:
            case "&&":
                return bool(self.of(left) and self.of(right))
            case "||":
                return bool(self.of(left) or self.of(right))
            case "==":
                return bool(self.of(left) == self.of(right))
            case _:
                raise NotImplementedError(text_of(node))

    def _member(self, node: Node) -> Any:
        start = node
        while start.type == "member_expression":
            start = start.named_children[0]
        if start.type == "ternary_expression":
            return self._chosen(start, text_of(node)[start.end_byte - node.start_byte :])
        return self._given_by(text_of(node).replace("!", ""))

    def _chosen(self, ternary: Node, rest: str) -> Any:
        """The grammar takes what follows the last name of a choice for something that is read of the whole."""
        condition, chosen, otherwise = ternary.named_children
        return self.of(chosen) if self.of(condition) else self._given_by(text_of(otherwise).replace("!", "") + rest)

    def _given_by(self, path: str) -> str:
        symbol = path.partition(".")[0]
        if symbol in self.file.declared("module") and not self._is_made(symbol):
            raise NotMadeError(path)
        return path

    def _called(self, name: str, arguments: list[Node]) -> Any:
        match name:
            case "concat":
                return [one for each in arguments for one in self.of(each)]
            case "empty":
                return not self.of(arguments[0])
            case "contains":
                return self.of(arguments[1]) in self.of(arguments[0])
            case "filter":
                parameter, body = arguments[1].named_children
                symbol = text_of(parameter)
                return [one for one in self.of(arguments[0]) if Values(self.file, self.given, {symbol: one}).of(body)]
            case _:
                return f"{name}({', '.join(str(self.of(one)) for one in arguments)})"

    def _is_made(self, symbol: str) -> bool:
        body = self.file.declared("module")[symbol].named_children[2]
        return body.type != "if_statement" or bool(self.of(body.named_children[0]))


def _is_loop(module: Node) -> bool:
    return module.named_children[2].type == "for_statement"
