"""The promotion of a run's patch: a clean task without any agent makes a branch and a pull request of it."""
