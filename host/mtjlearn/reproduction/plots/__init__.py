"""Plots of the reproduced figures: each draws a PNG from a figure's numbers and computes nothing."""
