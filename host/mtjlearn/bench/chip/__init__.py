"""Training steps on simulated chips, counted by their simulators: the same figures in every run."""
