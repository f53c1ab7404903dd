"""Benchmarks of aclquant; ``python -m benchmarks`` runs them."""
