"""Neural networks that learn on a microcontroller from physical noise: the host side."""
