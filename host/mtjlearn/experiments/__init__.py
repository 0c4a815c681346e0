"""Experiments: each module computes one result and knows nothing of how it is shown."""
