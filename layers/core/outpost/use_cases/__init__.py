"""One decision per file; ports are keyword-only arguments."""
