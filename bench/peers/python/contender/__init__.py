"""What contenders in Python share: the hash of an answer, figures of processes, and the harness's protocol."""
