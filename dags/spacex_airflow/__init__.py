"""Owns what the DAG files are made of: operators, names, the failure callback. Imports nothing of the pipeline's."""
