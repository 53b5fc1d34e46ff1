"""Owns the stand-in for an Airbyte server. What it extracts is the manifest's to say (extraction/spacex_api.yaml)."""

# One source, one destination, one connection: their ids never change, so settings may hold them.
SOURCE_ID = "5a6f1d0e-0000-4000-8000-000000000001"
DESTINATION_ID = "5a6f1d0e-0000-4000-8000-000000000002"
CONNECTION_ID = "5a6f1d0e-0000-4000-8000-000000000003"
WORKSPACE_ID = "5a6f1d0e-0000-4000-8000-000000000004"
