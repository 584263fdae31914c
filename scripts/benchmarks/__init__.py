"""The sections of scripts/benchmark.py: what is timed, against what, and what each figure should reach."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# One thread for linear algebra, as in the workers of a study. numpy reads this when it is imported, so it stands here.
for _library in ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"

# What is measured is this checkout, also where another simstudy is installed.
sys.path.insert(0, str(ROOT))
