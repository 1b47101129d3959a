"""What the app tells its log: held against README, the documents and the alerts."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

_EVENT = re.compile(r'(?:_log\.(info|warning|error|exception)\(|KeptApart\(_log,)\s*"([a-z_]+\.[a-z_]+)')


@cache
def logged() -> dict[str, str]:
    """Every event of the app's log, with its level; of what is kept apart, none."""
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    return {event: level for source in sources for level, event in _EVENT.findall(source)}
