"""The model gateway: what an agent's command line speaks to in place of its model provider."""
