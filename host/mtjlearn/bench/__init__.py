"""How fast: training steps on chips and in this process, their limits, samples over a line, learning from memory."""
