"""Pure Python: what a run, a key, a tenant, an agent and an event are."""
