"""The runner: the program in a task's container that drives one agent on one claimed run."""

__version__ = "0.1.0"
