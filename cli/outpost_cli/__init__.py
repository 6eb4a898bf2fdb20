"""The command line of Outpost and the Python client under it: HTTPS only."""

from importlib.metadata import version

__version__ = version("outpost")
