"""Owns moving data: lake layout, batches, COPY, ledger, publish, reconcile. Judging it is validation's job."""
