"""Lists become contacts: in bounded batches, idempotently, with a reason for every row that is refused."""
