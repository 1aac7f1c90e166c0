"""Print the lowest version of every dependency that pyproject.toml allows, as constraints for pip."""

import tomllib
from itertools import chain
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDS = {*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())}
print("\n".join(sorted(need.replace(">=", "==") for need in NEEDS)))
