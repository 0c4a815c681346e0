"""Boards that are programs: the same firmware without the hardware."""
