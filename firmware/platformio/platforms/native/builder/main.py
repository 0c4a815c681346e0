"""Builds a desktop program from the project's sources and libraries."""

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
program = env.BuildProgram()
Default(AlwaysBuild(env.Alias("buildprog", program, program)))
