"""Proves every permission anew and writes docs/permissions.md: `python -m tests.privilege`."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.privilege.page import PAGE, on_page, render, row
from tests.privilege.proving import Prover
from tests.sandbox.session import Session


async def main() -> int:
    """One case after the other; nothing is written unless each is proved."""
    rows: list[str] = []
    with TemporaryDirectory() as folder, Session(Path(folder) / "session") as session:
        prover = Prover(session, Path(folder) / "worlds")
        for mode, registration, permission in on_page():
            found = await prover.finding(registration, permission, mode)
            if found is None:
                print(f"nothing breaks without {permission} of {registration.value} ({mode.value})", file=sys.stderr)
                return 1
            rows.append(row((mode, registration, permission), found))
            print(rows[-1], flush=True)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
