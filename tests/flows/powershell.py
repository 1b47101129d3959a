"""Invoke-MgGraphRequest lines, read as PowerShell reads them."""

import re

_COMMAND = re.compile(r"Invoke-MgGraphRequest -Method (\w+) -Uri \"((?:`.|[^\"`])*)\"(?: -Body '((?:''|[^'])*)')?")
_VARIABLE = re.compile(r"(`.)|\$\w*")


def commands(text: str) -> list[tuple[str, str, str]]:
    """Method, address and body of every command of a text; an empty body is none.

    In double quotes a backtick takes the next character as it is, and a variable that nobody set is nothing.
    """
    return [(method, _expanded(uri), body.replace("''", "'")) for method, uri, body in _COMMAND.findall(text)]


def _expanded(quoted: str) -> str:
    return _VARIABLE.sub(lambda found: found[1][1] if found[1] else "", quoted)
