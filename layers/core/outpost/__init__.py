"""The product: domain, use cases, ports and their adapters on AWS."""
