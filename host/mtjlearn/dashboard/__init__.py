"""The live page of ``mtjlearn dashboard``: boards, their noise, and trainings, for a browser on this computer.

Threads watch boards and run directories and publish what they see in a hub, which every open page follows. Nothing here needs
Starlette or uvicorn but :mod:`mtjlearn.dashboard.app` and :mod:`mtjlearn.dashboard.serve`.
"""
