"""What the service says, as frozen values; each keeps the service's own JSON in `document`, for `--json`."""
