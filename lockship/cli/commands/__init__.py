"""One file for each command; `cli.group` names them all."""
