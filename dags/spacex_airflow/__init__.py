"""Owns what the DAG files are made of: operators, names, the failure callback. Nothing of the pipeline's is imported."""
