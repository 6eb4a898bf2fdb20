"""The commands of `outpost`, one module per group."""
