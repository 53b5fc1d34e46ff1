"""Owns what a deployment uploads: Airflow's files in MWAA's form and the image's build context.

It is no part of the product and of no image. Uploading is docs/deploy.md's, the AWS it goes to terraform/'s.
"""
