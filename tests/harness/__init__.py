"""What the black-box tests stand on: servers to start, clients to ask, the contract to hold every answer against."""
