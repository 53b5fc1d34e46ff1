"""Owns the stand-in for an Airbyte server. What it extracts is the manifest's to say (extraction/spacex_api.yaml)."""

# What a fresh server has: one of each. Their ids never change, so settings may hold them.
SOURCE_ID = "5a6f1d0e-0000-4000-8000-000000000001"
DESTINATION_ID = "5a6f1d0e-0000-4000-8000-000000000002"
CONNECTION_ID = "5a6f1d0e-0000-4000-8000-000000000003"
WORKSPACE_ID = "5a6f1d0e-0000-4000-8000-000000000004"
DEFINITION_ID = "5a6f1d0e-0000-4000-8000-000000000005"
S3_DEFINITION_ID = "4816b78f-1489-44c1-9060-4b19d5fa9362"  # of Airbyte's own S3 destination, on every server
