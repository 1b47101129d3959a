"""Where things lie: the project, and the packages of a deployed app."""

from pathlib import Path

ROOT = Path(__file__).parents[1]

SITE = Path(".python_packages/lib/site-packages")
"""Below the app, where the Functions worker looks for packages (Azure Functions, Python developer guide)."""
