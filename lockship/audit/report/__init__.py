"""What a report says, as data: states, acts on hosts, figures. How it looks is `cli/audit/`'s."""
