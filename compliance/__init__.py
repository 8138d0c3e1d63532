"""What the City answers for: accounts, retention, requests, productions, the audit log."""
