"""`python -m shared.auditing verify`, as README says."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def run_verifier(*arguments: str, tables: str, blobs: str = "") -> subprocess.CompletedProcess[str]:
    """Against the account of these connection strings; without blobs, nothing is known of seals."""
    environment = {
        "PATH": os.environ["PATH"],
        "TENANTRY_AUDIT_TABLES_CONNECTION_STRING": tables,
        **({"TENANTRY_AUDIT_BLOBS_CONNECTION_STRING": blobs} if blobs else {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "shared.auditing", "verify", *arguments],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
