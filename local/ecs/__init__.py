"""Stands in for the part of ECS that runs tasks: RunTask really runs the task definition's command, in a subprocess.

Clusters, task definitions and logs are moto's. What it does not know how to do as ECS does, it refuses.
"""
