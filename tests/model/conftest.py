"""Lets the tests of the model import its modules, which are a program of their own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
